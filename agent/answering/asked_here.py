"""Questions about this conversation itself: how sure, what is assumed or asked for, the winner, a cited figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES, cite, sentences_of
from agent.answering.contexts import on_contexts
from agent.answering.costs import CostSubject, costs_in, on_costs
from agent.answering.duration import duration
from agent.answering.gains import on_gains
from agent.answering.hard_cases import on_mistakes, on_truth
from agent.answering.load import not_loaded_yet, on_load
from agent.answering.measured import row_of, scores_of
from agent.answering.models import about
from agent.answering.parts import on_parts
from agent.answering.plain_words import in_plain_words
from agent.answering.result import cheapest, licence
from agent.answering.starting import starting
from agent.answering.still_best import on_still_best
from agent.answering.subjects import OF_A_DECISION, Subject, ids_in, subject_of
from agent.descriptions import assumptions, describe_change
from agent.reporting import contexts_of
from agent.understanding.base import Change, Question
from knowledge.candidate import parse_candidate
from knowledge.requirements import Requirements, Slot
from knowledge.results import Recommendation, Row
from knowledge.wording import Text, join, say
from tools.cost import Stated

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

UNDECIDED = say("Nothing is decided yet.")
#: so many ids, or variants, are shown; more make a table
MOST = 5


def asked_here(question: Question, state: State, context: Context) -> Text | None:
    """The answer to a question about the conversation itself; None where the question is another."""
    subject = subject_of(question.words)
    recommendation = state.get("recommendation")
    undecided = recommendation is None or recommendation.winner is None
    if subject == "load" and undecided:
        return not_loaded_yet()
    if subject is None or (subject in OF_A_DECISION and undecided):
        return None
    always: dict[Subject, Callable[[], Text | None]] = {
        "more": lambda: state.get("more") or say("There is no more to what I said last."),
        "assumptions": lambda: assumptions(state["requirements"]),
        "requirements": lambda: _requirements(state["requirements"]),
        "duration": lambda: duration(state),
        "metric": lambda: in_plain_words(question.words, state),
    }
    if subject in always:
        return always[subject]()
    if recommendation is None:
        return UNDECIDED

    def costs(of: CostSubject) -> Text | None:
        return on_costs(of, question.words, question.models, recommendation, state, context)

    answers: dict[Subject, Callable[[], Text | None]] = {
        "confidence": lambda: _confidence(recommendation, state),
        "winner": lambda: _winner(recommendation, state, context),
        "evidence": lambda: join(
            [_evidence(wanted, recommendation, state, context) for wanted in ids_in(question.words)], LINES
        ),
        "failures": lambda: _failures(recommendation, state, context),
        "start": lambda: starting(recommendation, state, context),
        "licence": lambda: licence(question.models, recommendation, state, context),
        "cheapest": lambda: cheapest(question.words, recommendation),
        "gains": lambda: _gains(question.words, recommendation, state, context),
        "parts": lambda: on_parts(question.words, recommendation, state, context),
        "money": lambda: costs("money"),
        "hosting": lambda: costs("hosting"),
        "size": lambda: costs("size"),
        "load": lambda: on_load(question.words, question.models, recommendation, state),
        "truth": lambda: on_truth(recommendation, state),
        "mistakes": lambda: on_mistakes(recommendation, state),
        "still": lambda: on_still_best(recommendation, state, context),
        "contexts": lambda: on_contexts(recommendation, state, context),
    }
    return answers[subject]()


def _gains(words: str, recommendation: Recommendation, state: State, context: Context) -> Text:
    """Single changes to the winner, after what was measured of such set-ups anyway."""
    rows = variants(words, (), recommendation) if state.get("gains") is None else []
    return join(
        [*(about(row.spec, "show_model", state, context) for row in rows), on_gains(words, recommendation, state)],
        LINES,
    )


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


def _confidence(recommendation: Recommendation, state: State) -> Text:
    if not recommendation.measured:
        first = say("Not sure: nothing was measured here, so this rests on published scores alone.")
    elif recommendation.winner is None:
        first = say("Sure of this much: no measured candidate keeps to your limits.")
    else:
        first = _how_sure(recommendation)
    return join([first, *_rests_on(recommendation, state), *sentences_of(recommendation.confidence)], LINES)


def _rests_on(recommendation: Recommendation, state: State) -> Iterator[Text]:
    """The size of the sample, and how far off its figure may be."""
    evaluation = state.get("evaluation")
    winner = row_of(recommendation.winner, recommendation) if recommendation.winner else None
    if evaluation is not None and winner is not None:
        yield say(
            "It rests on {queries} queries over {documents} documents: {spec} scores {metric} {value:.3f}{cite}, and "
            "queries like these would put it between {low:.3f} and {high:.3f}.",
            queries=evaluation.judged_queries,
            documents=evaluation.dataset.documents,
            spec=winner.spec,
            metric=recommendation.primary,
            value=winner.quality.mean,
            cite=cite(winner, "quality"),
            low=winner.quality.low,
            high=winner.quality.high,
        )


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


def _evidence(wanted: str, recommendation: Recommendation, state: State, context: Context) -> Text:
    cited = list(recommendation.evidence)
    for looked_at in (state.get("slices"), state.get("probes"), state.get("robustness"), state.get("gains")):
        cited += looked_at.evidence if looked_at else ()
    evaluation = state.get("evaluation")
    if evaluation is not None and wanted.startswith("EX"):
        read = contexts_of(evaluation, recommendation, context)
        cited += read.evidence if read else ()
    if wanted.startswith("EM"):
        costs = costs_in(recommendation, state, context, stated=Stated())
        cited += costs.evidence if costs else ()
    found = next((e for e in cited if e.id.upper() == wanted), None)
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
