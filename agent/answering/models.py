"""“Why not BGE-M3?” and “tell me about it”: where one model stands, whatever has been found of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.answering import published
from agent.answering.brief import LINES, cite
from agent.answering.cards import card_of, facts
from agent.answering.measured import costs_of, difference, left_out, pair_of, row_of, verdict
from agent.answering.result import parts_of
from agent.descriptions import KINDS
from agent.note_answers import from_notes
from knowledge.errors import NothingLeftError, UnknownModelError
from knowledge.evidence import forecast
from knowledge.languages import language_names
from knowledge.model_card import ModelCard
from knowledge.results import Pick, Plan, Recommendation, Rejection, Row, Shortlist
from knowledge.wording import Text, join, say
from tools.recommend import p_text
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State
    from tools.guidance import LookUp

COMMA = Text(template=", ")


def about(name: str, kind: str, state: State, context: Context) -> Text:
    """What became of a model: measured, left out, on the list, or rejected and by which demand."""
    measured = row_of(name, state.get("recommendation"))
    try:
        card = card_of(name, context.catalog)
    except UnknownModelError as error:
        if measured:
            return join(_measured(measured, state, context), LINES)
        found = context.guidance.look_up(name)
        return from_notes(found, state) if _is_named(name, found) else join([error.cause, error.next_step])
    if kind == "show_model" and measured is None and _is_named(name, found := context.guidance.look_up(name)):
        return from_notes(found, state)
    parts = [facts(card)] if kind != "why_not" else []
    if measured or (measured := row_of(card.model, state.get("recommendation"))):
        return join([*parts, *_measured(measured, state, context)], LINES)
    if kind == "show_model":
        parts += _published(card.model, state, context)
    parts += left_out(card.model, state.get("screening"))
    parts += _failed(card.model, state)
    listed = state.get("shortlist") or shortlist_so_far(state, context)
    parts += _standing(card.model, listed, state, context) if listed else _broken_by(card, state)
    parts += _obstacle(card.model, state.get("plan"))
    if kind == "why_not":
        parts += _against_the_first(card.model, listed, state, context)
    elif kind == "show_model" and _recommended(state, context) is not None:
        parts += _against_the_first(card.model, None, state, context)
    return join(parts or [facts(card)], LINES)


def _is_named(name: str, found: LookUp) -> bool:
    """Whether the first note is about what is called so: BM25 and CLIP are kinds of models before they are models."""
    return bool(found.hits) and name.casefold() in {known.casefold() for known in found.hits[0].note.names}


def _obstacle(model: str, plan: Plan | None) -> list[Text]:
    blocked = (p for p in (plan.not_measured if plan else ()) if p.model == model and p.obstacle)
    return [say("It cannot be measured here: {reason}", reason=p.obstacle) for p in blocked if p.obstacle]


def _failed(model: str, state: State) -> Iterator[Text]:
    evaluation = state.get("evaluation")
    for failed in evaluation.failed if evaluation else ():
        if model.lower() in failed.spec.lower():
            yield say("{spec} failed: {why}", spec=failed.spec, why=failed.reason)
            yield failed.next_step


def shortlist_so_far(state: State, context: Context) -> Shortlist | None:
    """The list as it would be with what is known now, for questions in the middle of the interview."""
    try:
        return shortlist(state["requirements"], context.catalog, context.scores)
    except NothingLeftError:
        return None


def _measured(row: Row, state: State, context: Context) -> list[Text]:
    """A measured candidate against the recommendation, or against the best where that is said of it."""
    recommendation = state["recommendation"]
    assert recommendation
    parts = [
        say(
            "{spec}: measured {value:.3f}{cite} ({low:.3f} to {high:.3f}).",
            spec=row.spec,
            value=row.quality.mean,
            cite=cite(row, "quality"),
            low=row.quality.low,
            high=row.quality.high,
        )
    ]
    if row.excluded_by:
        return [join([*parts, say("It is excluded: {reason}.", reason=row.excluded_by)])]
    if row.standing == "alone":
        return [join([*parts, say("It was measured alone: nothing was compared with it.")])]
    if row.standing == "winner":
        return [join([*parts, say("It is the recommendation.")])]
    winner = row_of(recommendation.winner, recommendation) if recommendation.winner else None
    if winner is not None:
        parts.append(_winner_too(winner))
    if row.standing == "worse" and row.difference:
        parts.append(
            say(
                "It is measurably worse than the best, by {difference:.3f} ({low:.3f} to {high:.3f}, p {p}).",
                difference=-row.difference.mean,
                low=-row.difference.high,
                high=-row.difference.low,
                p=p_text(row.p_different or 0.0),
            )
        )
    elif row.standing == "tied":
        parts.append(say("It is no worse by more than your margin, but not cheaper."))
    else:
        parts.append(say("The sample is too small to tell it from the best."))
        pair = pair_of(row.spec, _best(recommendation), state, context)
        parts += [difference(pair, recommendation.primary), verdict(pair, recommendation.margin)] if pair else []
    if row.standing != "undecided" and winner and (pair := pair_of(row.spec, winner.spec, state, context)):
        parts.append(difference(pair, recommendation.primary))
    parts = [join(parts[:3]), *parts[3:]]
    costs = [cost for r in (row, winner) if r and (cost := costs_of(r))]
    return [*parts, *(costs if len(costs) == 2 else [])]


def _best(recommendation: Recommendation) -> str:
    return recommendation.best or ""


def _standing(model: str, found: Shortlist, state: State, context: Context) -> Iterator[Text]:
    for place, pick in enumerate(found.kept, start=1):
        if pick.model == model:
            yield _on_the_list(pick, place)
            recommendation = state.get("recommendation")
            if recommendation and recommendation.measured:
                yield say("It was not measured.")
            elif recommendation and recommendation.winner == model:
                yield say("By published figures alone it is the recommendation.")
    for pick in found.beside:
        if pick.model == model:
            yield say(
                "{model} is measured beside the shortlist, predicted {mean:.3f} ({low:.3f} to {high:.3f}). {reason}",
                model=model,
                mean=pick.predicted.mean,
                low=pick.predicted.low,
                high=pick.predicted.high,
                reason=pick.reasons[0] if pick.reasons else "",
            )
    for rejection in found.rejected:
        if rejection.model != model:
            continue
        if rejection.constraint not in KINDS:  # it meets every demand
            yield say("{model} is not on the shortlist: {reason}.", model=model, reason=rejection.reason)
            yield from _equal_when_rounded(rejection, found)
            continue
        yield say(
            "{model} is not on the shortlist ({constraint}): {reason}.",
            model=model,
            constraint=KINDS[rejection.constraint],
            reason=rejection.reason,
        )
        yield from _without(model, rejection.constraint, state, context)


def _broken_by(card: ModelCard, state: State) -> Iterator[Text]:
    """The demands that a model breaks, where there is no list because every model breaks one."""
    broken = ((c, c.check(card)) for c in state["requirements"].constraints)
    for constraint, judged in broken:
        if constraint.excludes(judged):
            yield say(
                "{model} is not on the shortlist ({constraint}): {reason}.",
                model=card.model,
                constraint=KINDS[constraint.kind],
                reason=judged.reason,
            )


def _equal_when_rounded(rejection: Rejection, listed: Shortlist) -> Iterator[Text]:
    """What decided where the reason's rounded predictions are equal: a place that is held, or the third digit."""
    values = rejection.reason.values
    if rejection.constraint != "rank" or "wish" in values or values.get("mean") is None:
        return
    if values["mean"] != values.get("last"):
        return
    if int(str(values.get("place", 0))) <= len(listed.kept):
        yield say("A place on the list that its number would give it is held for another kind of model.")
    else:
        yield say("The two are equal only as rounded; the last place comes before it in the ranking.")


def _on_the_list(pick: Pick, place: int) -> Text:
    return say(
        "{model} is number {place} on the shortlist, predicted {mean:.3f} ({low:.3f} to {high:.3f}).",
        model=pick.model,
        place=place,
        mean=pick.predicted.mean,
        low=pick.predicted.low,
        high=pick.predicted.high,
    )


def _without(model: str, kind: str, state: State, context: Context) -> Iterator[Text]:
    """Where it would stand if the demand that rejects it were not made."""
    try:
        found = shortlist(state["requirements"].without_constraint(kind), context.catalog, context.scores)
    except NothingLeftError:
        return
    places = [pick.model for pick in found.kept]
    if model in places:
        yield say("Without that demand it would be number {place} on the shortlist.", place=places.index(model) + 1)
        return
    reason = next((r.reason for r in found.rejected if r.model == model), None)
    if reason:
        yield say("Without that demand it would not be on the list either: {reason}.", reason=reason)


def _winner_too(winner: Row) -> Text:
    return say(
        "The recommendation, {spec}, measured {value:.3f}{cite}.",
        spec=winner.spec,
        value=winner.quality.mean,
        cite=cite(winner, "quality"),
    )


def _published(model: str, state: State, context: Context) -> Iterator[Text]:
    """The published scores that tell most about the user's task, and what they let one expect."""
    found = forecast(context.scores, state["requirements"], context.catalog.cards)
    figures = found.figures(model) if model in found.predictions else ()
    if not figures:
        yield say("No published score of a task like yours is on file for it.")
        return
    source = context.catalog.sources[context.scores.source]
    scores = [
        say(
            "{task} ({language}) {metric} {score:.3f}",
            task=figure.task,
            language=language_names([figure.language]),
            metric=figure.metric,
            score=figure.score,
        )
        for figure in figures
    ]
    yield say(
        "Published scores nearest to your task ({source}, {date}): {scores}.",
        source=Text.model_validate(source.title),
        date=source.date.isoformat(),
        scores=join(scores, COMMA),
    )


def _recommended(state: State, context: Context) -> str | None:
    """The model that is recommended, or the first one in the set-up that is, as the catalog calls it."""
    recommendation = state.get("recommendation")
    for part in parts_of(recommendation.winner) if recommendation and recommendation.winner else ():
        with suppress(UnknownModelError):
            return card_of(part, context.catalog).model
    return None


def _against_the_first(model: str, listed: Shortlist | None, state: State, context: Context) -> Iterator[Text]:
    """Against what is recommended: what was measured of that, and the published scores of both.

    Where nothing is recommended yet, the published scores of the first on the list.
    """
    recommendation = state.get("recommendation")
    winner = row_of(recommendation.winner, recommendation) if recommendation and recommendation.winner else None
    if winner is not None:
        yield join([say("{model} was not measured here.", model=model), _winner_too(winner)])
    first = _recommended(state, context) or (listed.kept[0].model if listed and listed.kept else model)
    if first != model:
        requirements = state["requirements"]
        found = published.duel(model, first, requirements.languages, requirements, context)
        if found.tasks or found.unread:
            yield published.told(found, requirements, context)
    if winner is not None and not _obstacle(model, state.get("plan")):
        yield say("To know it on your data, say “measure {model} too”.", model=model)
