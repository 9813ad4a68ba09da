"""Questions about this conversation itself: how sure, what is assumed or asked for, the winner, a cited figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from agent.answering.brief import LINES, sentences_of
from agent.answering.measured import row_of, scores_of
from agent.answering.models import about
from agent.descriptions import assumptions, describe_change
from agent.understanding.base import Change
from knowledge.candidate import parse_candidate
from knowledge.requirements import Requirements, Slot
from knowledge.results import Recommendation, Row
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

Subject = Literal["more", "confidence", "assumptions", "requirements", "winner", "evidence", "failures"]
UNDECIDED = say("Nothing is decided yet.")
#: so many ids, or variants, are shown; more make a table
MOST = 5
_IT = r"(?:this|that|it|(?:the|your) (?:answer|choice|recommendation|result|verdict))"
_WINNER = r"(?:winner|winning|recommended)(?: (?:one|model|candidate|set-?up))?"
_ID = r"\[?(?P<id>E\d{1,5})\]?(?![\w-])"
_ID_ZH = r"\[?(?P<id_zh>E\d{1,5})\]?(?![a-z0-9-])"
_SUBJECTS: dict[Subject, re.Pattern[str]] = {
    "more": re.compile(
        r"^\W*(?:please )?(?:(?:tell|show|give) me |say |and )?(?:more|(?:more |the |all )?details?|the rest|in detail"
        r"|more of (?:it|that))(?: please)?\W*$"
        r"|^\W*(?:更多|(?:更|再)?详细(?:说说|一点|一些|点|些|内容)?|细节|展开(?:说说)?|剩下的|其余的|再(?:多)?说(?:一)?(?:点|些)|多说(?:一)?(?:点|些)|还有呢)\W*$",
        re.I,
    ),
    "confidence": re.compile(
        rf"\bhow (?:confident|sure|certain) (?:are you|is {_IT}|can (?:i|we) be)(?: (?:of|about|in) {_IT})?\W*$"
        r"|多大的?把握|把握有?多大|有多(?:确定|大信心|有把握)",
        re.I,
    ),
    "assumptions": re.compile(
        r"\bwhat (?:did|do|have|are) you (?:just )?assum(?:e|ed|ing)\b|\bwhat (?:are|were) (?:your|the) assumptions\b"
        r"|你.{0,3}(?:假设|假定)了?(?:什么|哪些|啥)|你.{0,4}(?:哪些|什么)(?:假设|假定)(?!检验)",
        re.I,
    ),
    "requirements": re.compile(
        r"\bwhat (?:did|have) i (?:ask(?:ed)? for|demand(?:ed)?|require(?:d)?)\b"
        r"|\bwhat (?:are|were) my (?:requirements|demands)\b"
        r"|我(?:的|提了|提过|有)(?:要求|需求)(?:是|有|都)*(?:什么|哪些|啥)|我(?:提|要求)(?:了|过)(?:什么|哪些)",
        re.I,
    ),
    "winner": re.compile(
        rf"(?:^|\b(?:tell me (?:more )?about|describe|show(?: me)?|(?:what|which|who)(?: one)?(?:'s| is)) )"
        rf"the {_WINNER}\W*$"
        r"|(?:介绍|说说|讲讲|看看).{0,4}(?:推荐的|胜出的|赢家).{0,4}$|^(?:推荐的|胜出的)(?:那个|模型)?(?:是(?:哪个|什么|谁))?\W*$",
        re.I,
    ),
    "evidence": re.compile(
        rf"\bwhat does {_ID} (?:mean|stand for|say)|{_ID_ZH}\s*(?:是?什么意思|指什么|是?指的?是?什么|代表什么)", re.I
    ),
    "failures": re.compile(
        r"\b(?:which|what) (?:queries|questions) (?:did|does|do|were|are)\b.*\b(?:wrong|fail|miss|lose)"
        r"|哪些(?:查询|问题).*(?:错|失败|没找到|没答对)",
        re.I,
    ),
}
#: ids that are a model family's name too are only told apart by the words around them: "what is E5" is not here
_ID_ALONE = re.compile(
    r"^\W*(?:what is|what's|explain|show(?: me)?)?\s*\[?(?P<id>E(?!5\b)\d{1,5})\]?\s*(?:是什么)?\W*$", re.I
)


def subject_of(words: str) -> Subject | None:
    """What of the conversation itself a question is about; None where it is about something else."""
    for subject, pattern in _SUBJECTS.items():
        if pattern.search(words.strip()):
            return subject
    return "evidence" if _ID_ALONE.match(words) else None


def asked_here(words: str, state: State, context: Context) -> Text | None:
    """The answer to a question about the conversation itself; None where the question is another."""
    subject = subject_of(words)
    if subject is None:
        return None
    if subject == "more":
        return state.get("more") or say("There is no more to what I said last.")
    if subject == "assumptions":
        return assumptions(state["requirements"])
    if subject == "requirements":
        return _requirements(state["requirements"])
    recommendation = state.get("recommendation")
    if recommendation is None:
        return UNDECIDED
    answers: dict[Subject, Callable[[], Text]] = {
        "confidence": lambda: _confidence(recommendation),
        "winner": lambda: _winner(recommendation, state, context),
        "evidence": lambda: _evidence(_id_in(words), recommendation),
        "failures": lambda: _failures(recommendation, state, context),
    }
    return answers[subject]()


def variants(words: str, models: tuple[str, ...], recommendation: Recommendation | None) -> list[Row]:
    """The measured variants whose options a question names, such as “int8” or “dim=64”; of the models it names."""
    found = [
        (sum(_names(words, key, value) for key, value in options), row)
        for row in (recommendation.rows if recommendation else ())
        if all(model.lower().partition("?")[0] in row.spec.lower() for model in models)
        and (options := {option for leg in parse_candidate(row.spec).legs for option in leg.options.items()})
    ]
    most = max((count for count, _ in found), default=0)
    return [row for count, row in found if count == most][:MOST] if most else []


def _names(words: str, key: str, value: str) -> bool:
    said = re.escape(value)
    if value.isdecimal():  # a number alone may be anything
        pattern = rf"\b{re.escape(key)}\w*\s*=?\s*{said}(?!\d)|(?<!\d){said}\s*-?(?:d\b|dim|维)"
    else:
        pattern = rf"(?<![a-z0-9]){said}(?![a-z0-9])"
    return re.search(pattern, words, re.I) is not None


def _confidence(recommendation: Recommendation) -> Text:
    """How sure, in a sentence, and what says so."""
    if not recommendation.measured:
        first = say("Not sure: nothing was measured here, so this rests on published scores alone.")
    elif recommendation.winner is None:
        first = say("Sure of this much: no measured candidate keeps to your limits.")
    else:
        first = _how_sure(recommendation)
    return join([first, *sentences_of(recommendation.confidence)], LINES)


def _how_sure(recommendation: Recommendation) -> Text:
    others = [row for row in recommendation.rows if row.standing not in ("winner", "excluded")]
    if not others:
        return say("There was nothing to compare it with, so only its own figure is sure.")
    figures = {
        "others": len(others),
        "worse": sum(row.standing == "worse" for row in others),
        "open": sum(row.standing == "undecided" for row in others),
    }
    if figures["open"] == 0:
        return say(
            "Fairly sure: of the {others} others compared, {worse} are measurably worse, and the rest no worse than "
            "the best by more than your margin, but not cheaper.",
            others=figures["others"],
            worse=figures["worse"],
        )
    if figures["open"] == figures["others"]:
        return say(
            "Not very: your queries are too few to tell any of the {others} others compared from the best.",
            others=figures["others"],
        )
    return say(
        "Partly: of the {others} others compared, {worse} are measurably worse; your queries are too few to tell "
        "{open} from the best.",
        **figures,
    )


def _requirements(requirements: Requirements) -> Text:
    """What was stated or follows from it, as it is noted when it is said."""
    noted: list[Text] = []
    for name in Requirements.model_fields:
        slot = getattr(requirements, name)
        if isinstance(slot, Slot) and slot.origin != "assumed":
            change = Change(slot=name, before=None, after=slot.model_dump(mode="json"), words="")
            what = describe_change(change, requirements)
            inferred = slot.origin == "inferred" and slot.because
            noted.append(say("{what} (inferred: {why})", what=what, why=slot.because) if inferred else what)
    noted += [
        describe_change(Change(slot=c.kind, before=None, after=c.kind, words=""), requirements)
        for c in requirements.constraints
    ]
    if not noted and not requirements.summary:
        return say("You have asked for nothing particular yet.")
    words = [say("In your words: “{words}”", words=requirements.summary)] if requirements.summary else []
    return join([*words, *(join([Text.model_validate("-"), line]) for line in noted)], LINES)


def _winner(recommendation: Recommendation, state: State, context: Context) -> Text:
    if recommendation.winner is None:
        return recommendation.headline
    return about(recommendation.winner, "show_model", state, context)


def _id_in(words: str) -> str:
    found = re.search(r"(?<![a-z0-9])E\d{1,5}(?![0-9])", words, re.I)
    return found.group().upper() if found else ""


def _evidence(wanted: str, recommendation: Recommendation) -> Text:
    found = next((e for e in recommendation.evidence if e.id.upper() == wanted), None)
    if found is None:
        return say(
            "There is no evidence {id} behind this recommendation; it has {count} entries.",
            id=wanted,
            count=len(recommendation.evidence),
        )
    day = found.date.isoformat() if found.date else ""
    computed_from = ", ".join(found.computed_from)
    parts = (found.source, *map(Text.model_validate, (computed_from, found.run_id or "", day)))
    known = [part for part in parts if part.template]
    return say(
        "{id}: {about}, {what}: {value}. Source: {source}.",
        id=found.id,
        about=found.about,
        what=found.what,
        value=f"{found.value:,.6g} {found.unit}".strip(),
        source=join(known, Text(template="; ")) if known else "?",
    )


def _failures(recommendation: Recommendation, state: State, context: Context) -> Text:
    """The queries on which the recommendation scored nothing."""
    evaluation, winner = state.get("evaluation"), recommendation.winner
    if evaluation is None or winner is None or row_of(winner, recommendation) is None:
        return say("No query was measured, so none is known to be wrong.")
    scores = (scores_of(evaluation, context) or {}).get(winner)
    if not scores:
        return say("The per-query scores of run {run} are gone: measure again to see them.", run=recommendation.run_id)
    zero = [query for query, score in scores.items() if score == 0]
    told = say(
        "{spec} scores 0 in {metric} on {count} of {queries} queries.",
        spec=winner,
        metric=recommendation.primary,
        count=len(zero),
        queries=len(scores),
    )
    ids = say("Their ids: {ids}.", ids=", ".join(zero[:MOST]) + (", …" if len(zero) > MOST else ""))
    return join([told, ids]) if zero else told
