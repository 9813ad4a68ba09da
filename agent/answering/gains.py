"""“What would improve it most?”, “is half the dimension enough?”, “int8?”: from single changes that were measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from knowledge.candidate import Leg, parse_candidate
from knowledge.measured_task import NAMES
from knowledge.quantities import points
from knowledge.results import Recommendation
from knowledge.results.next_gain import Change, NextGain
from knowledge.wording import Text, join, say
from tools.next_gain.changes import dense_legs, with_options
from tools.next_gain.words import answer, line

if TYPE_CHECKING:
    from agent.state import State

#: what has the winner's set-ups tried
TRY = say("Try set-ups")
_TRY = re.compile(
    r"^\W*(?:please |then |ok(?:ay)?,? |yes,? )*(?:try|measure|test)(?: out)?"
    r"(?: (?:the|its|some|other|all|single|different))* (?:set-?ups?|changes)(?:,? (?:please|then|now))*\W*$"
    r"|^\W*(?:请|那就|好的?，?)*(?:试试|试一下|尝试|测测|测一下|测量)(?:看)?(?:其他|别的|各种|不同的?|单项)*"
    r"(?:的)?(?:设置|配置|改动)\W*$",
    re.I,
)
#: kinds of changes by the words of a question
_ABOUT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bdim(?:ension)?s?\b|shorter vectors|matryoshka|维", re.I), "dimension"),
    (re.compile(r"\bint-?8\b|\bbinary\b|\bfloat-?16\b|\bfp-?16\b|quanti[sz]|bits?\b|量化|二值", re.I), "storage"),
    (re.compile(r"\bhnsw\b|\bivf\b|approximate|\bindex(?:es)?\b|近似|索引", re.I), "index"),
    (re.compile(r"two[- ]stages?|two[- ]step|两阶段", re.I), "two stages"),
    (re.compile(r"hybrid|fus(?:e|ion)|bm25|word matching|混合|融合", re.I), "fusion"),
    (re.compile(r"faster precision|\bonnx\b|openvino|\bbf-?16\b|精度", re.I), "precision"),
)
#: the options of a candidate that make such a change
_OPTIONS: dict[str, frozenset[str]] = {
    "dimension": frozenset({"dim"}),
    "storage": frozenset({"store", "rescore"}),
    "index": frozenset({"index", "m", "ef_construction", "ef", "nlist", "nprobe"}),
    "two stages": frozenset({"first", "rescore"}),
    "precision": frozenset({"backend", "precision"}),
}
_STORES = re.compile(r"int-?8|binary|float-?16|fp-?16|二值", re.I)


def asks_to_try(text: str) -> bool:
    """Whether a message asks for single changes to be measured."""
    return _TRY.search(" ".join(text.split())) is not None


def cannot_try(state: State) -> Text | None:
    """Why single changes cannot be measured now; None where they can."""
    advice, evaluation = state.get("recommendation"), state.get("evaluation")
    if advice is None or advice.winner is None:
        return say("There is no recommendation yet whose set-up I could change.")
    if evaluation is None or state.get("data") is None:
        return say("That takes a measurement: give me data with queries and judgments, and agree to measuring.")
    if evaluation.task != "ranking":
        return say("Set-ups are tried of searches only, and this was measured as {task}.", task=NAMES[evaluation.task])
    if not dense_legs(parse_candidate(advice.winner)):
        return say("{winner} has no vectors whose set-up could be changed.", winner=advice.winner)
    return None


def may_try(state: State) -> bool:
    """Whether that is worth suggesting: it can be done, and was not yet."""
    advice, found = state.get("recommendation"), state.get("gains")
    asks = state.get("interactive", True) and (found is None or advice is None or found.base != advice.winner)
    return asks and cannot_try(state) is None


def on_gains(words: str, recommendation: Recommendation, state: State) -> Text:
    """What buys most and what saves most, or the changes that a question names; how to have them measured before."""
    found = state.get("gains")
    if found is None or found.base != recommendation.winner:
        beside = list(_measured_beside(words, recommendation))
        why = cannot_try(state) or say(
            "Single changes to {winner} are not measured yet: say “{words}”, and I try its dimension, storage, two "
            "stages, an index, word matching beside it and a faster precision, mostly from what is encoded already.",
            words=TRY,
            winner=recommendation.winner or "",
        )
        return join([*beside, why], LINES)
    asked = _asked(words, found)
    return join([line(change, found) for change in asked] if asked else answer(found), LINES)


def _kinds(words: str) -> set[str]:
    """The kinds of changes that a question names."""
    return {kind for pattern, kind in _ABOUT if pattern.search(words)}


def _measured_beside(words: str, recommendation: Recommendation) -> Iterator[Text]:
    """Candidates of the decision that differ from another one in nothing but what a question names."""
    options = frozenset().union(*(_OPTIONS.get(kind, frozenset()) for kind in _kinds(words)))
    rows = {row.spec: row for row in recommendation.rows}
    for spec, row in rows.items():
        candidate = parse_candidate(spec)
        if not isinstance(candidate, Leg) or not options & candidate.options.keys():
            continue
        whole = rows.get(with_options(candidate, options).spec)
        if whole is not None:
            yield say(
                "Measured: {spec} reaches {value:.3f} and {whole} {other:.3f} ({metric}), {difference} points.",
                spec=spec,
                whole=whole.spec,
                value=row.quality.mean,
                other=whole.quality.mean,
                metric=recommendation.primary,
                difference=points(row.quality.mean - whole.quality.mean),
            )


def _asked(words: str, found: NextGain) -> list[Change]:
    """The changes that a question is about; none where it asks of all."""
    kinds = _kinds(words)
    changes = [change for change in found.changes if change.kind in kinds]
    named = {re.sub(r"[^a-z0-9]", "", store.lower()).replace("fp16", "float16") for store in _STORES.findall(words)}
    named = {"binary" if store == "二值" else store for store in named if store} | (
        {"binary"} if "二值" in words else set()
    )
    exact = [change for change in changes if any(f"store={store}" in change.spec for store in named)]
    return exact or changes
