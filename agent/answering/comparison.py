"""“Compare A and B for Chinese”: a verdict on what was measured, else on published scores, and the facts of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from agent.answering import published
from agent.answering.brief import LINES
from agent.answering.cards import card_of
from agent.answering.measured import costs_of, difference, pair_of, row_of, verdict
from agent.answering.models import about
from agent.understanding.languages import codes_of
from agent.understanding.lexicon import load_lexicon
from agent.understanding.utterance import Utterance
from knowledge.errors import UnknownModelError
from knowledge.languages import language_code, language_names
from knowledge.licensing import short_name
from knowledge.model_card import ModelCard
from knowledge.quantities import many
from knowledge.results import Row, Shortlist
from knowledge.wording import Text, join, say
from tools.recommend.contest import Contest

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

BAR = Text(template=" | ")
#: more of them make a table, not an answer
MOST = 4
_NAME = 5


def languages_in(words: str, models: Sequence[str]) -> tuple[str, ...]:
    """The languages that a question names; what belongs to the models' names names none."""
    lowered = words.lower()
    spans = [(at, at + len(m)) for m in models if (at := lowered.find(m.lower())) >= 0]
    said = Utterance(words, load_lexicon(), spans)
    found = [code for hit in said.of_category("language") for code in codes_of(hit)]
    # languages that hardly anybody asks for are not in the lexicon; short words may be codes by chance
    found += [code for token in said.tokens if len(token.text) >= _NAME and (code := language_code(token.text))]
    return tuple(dict.fromkeys(found))


def compare_models(names: Sequence[str], words: str, state: State, context: Context) -> Text:
    """The models against each other, each pair of them; what was measured goes before what was published."""
    asked = languages_in(words, names)
    cards: dict[str, ModelCard] = {}
    unknown: list[Text] = []
    for name in dict.fromkeys(names):
        try:
            cards[name] = card_of(name, context.catalog)
        except UnknownModelError as error:
            if row_of(name, state.get("recommendation")) is None:
                unknown.append(join([error.cause, error.next_step]))
    known = [n for n in dict.fromkeys(names) if n in cards or row_of(n, state.get("recommendation"))]
    known = _each_once(known, cards, state)[:MOST]
    parts = list(unknown)
    for first, second in combinations(known, 2):
        parts += _pair(first, second, cards, asked, state, context)
    if len(parts) == len(unknown):  # one alone, or one measured and one not
        parts += [about(name, "show_model", state, context) for name in known]
    shown = list({cards[name].model: cards[name] for name in known if name in cards}.values())
    if len(shown) > 1:
        parts += [*_side_by_side(shown), *_ruled_out(shown, state)]
    return join(parts, LINES)


def _each_once(names: Sequence[str], cards: dict[str, ModelCard], state: State) -> list[str]:
    """The names without those that mean the same: the same measured set-up, or the same model where none was."""
    found: dict[str, str] = {}
    for name in names:
        row = row_of(name, state.get("recommendation"))
        found.setdefault(row.spec if row else cards[name].model, name)
    return list(found.values())


def _pair(
    first: str, second: str, cards: dict[str, ModelCard], asked: tuple[str, ...], state: State, context: Context
) -> list[Text]:
    rows = [row_of(name, state.get("recommendation")) for name in (first, second)]
    parts: list[Text] = []
    a, b = rows
    if a and b and a.spec != b.spec:
        parts += _measured(a, b, asked, state, context)
    profile = state.get("profile")
    other_language = bool(asked) and (profile is None or not set(asked) <= set(profile.languages))
    if first in cards and second in cards and (not parts or other_language):
        requirements = state["requirements"]
        languages = asked or requirements.languages
        found = published.duel(cards[first].model, cards[second].model, languages, requirements, context)
        parts.append(published.told(found, requirements, context))
        if not found.tasks and languages:
            wider = published.duel(cards[first].model, cards[second].model, (), requirements, context)
            parts += [published.told(wider, requirements, context)] if wider.tasks else []
    return parts


def _measured(a: Row, b: Row, asked: tuple[str, ...], state: State, context: Context) -> list[Text]:
    recommendation, evaluation, profile = state["recommendation"], state["evaluation"], state.get("profile")
    assert recommendation
    assert evaluation
    parts = [
        say(
            "Measured on your data (run {run}): {a} reaches {metric} {at:.3f}, {b} {bt:.3f}.",
            run=recommendation.run_id,
            a=a.spec,
            metric=recommendation.primary,
            at=a.quality.mean,
            b=b.spec,
            bt=b.quality.mean,
        )
    ]
    pair = pair_of(a.spec, b.spec, state, context)
    if pair:
        parts += [difference(pair, recommendation.primary), verdict(pair, recommendation.margin)]
    if profile and profile.languages and asked and not set(asked) <= set(profile.languages):
        found = language_names(tuple(profile.languages))
        parts.append(
            say(
                "Your data is in {found}, so this says nothing certain of {asked}.",
                found=found,
                asked=language_names(asked),
            )
        )
    parts += [cost for row in (a, b) if (cost := costs_of(row))]
    parts += [
        say("{spec} is excluded: {reason}.", spec=row.spec, reason=row.excluded_by) for row in (a, b) if row.excluded_by
    ]
    if pair and not (a.excluded_by or b.excluded_by):
        parts.insert(0, _of_the_two(pair.comparison.best, pair.comparison.spec, pair.comparison.verdict, state))
    return parts


def _of_the_two(better: str, lower: str, found: str, state: State) -> Text:
    """The one to take by the rule of the decision: the cheaper of equals."""
    evaluation, speed = state["evaluation"], state.get("benchmark")
    assert evaluation
    if found == "tied" and speed:
        quality = {c.spec: c for c in evaluation.candidates}
        cheaper = Contest(quality, {c.spec: c for c in speed.candidates}, {}, {}).cheapest([better, lower])
        return say("Of these two, take {spec}: the cheaper of equals.", spec=cheaper)
    if found == "undecided":
        return say("Of these two, {spec} is ahead so far.", spec=better)
    return say("Of these two, take {spec}.", spec=better)


def _side_by_side(cards: Sequence[ModelCard]) -> list[Text]:
    """Licence, size, dimension, length and price, a line each; what is not on file is a dash."""
    unknown = Text(template="–")

    def line(what: Text, values: Sequence[Text]) -> Text:
        return say("{slot}: {value}", slot=what, value=join(list(values), BAR))

    lines = [join([Text.model_validate(card.model) for card in cards], BAR)]
    lines.append(
        line(say("Licence"), [Text.model_validate(short_name(c.license)) if c.license else unknown for c in cards])
    )
    lines.append(
        line(
            say("Parameters"),
            [many(c.parameters) if c.parameters else unknown for c in cards],
        )
    )
    lines.append(line(say("Dimensions"), [_dimension(c) or unknown for c in cards]))
    lines.append(
        line(
            say("Longest text"),
            [say("{count} tokens", count=c.max_tokens) if c.max_tokens else unknown for c in cards],
        )
    )
    lines.append(line(say("Cost"), [_cost(card) for card in cards]))
    return lines


def _dimension(card: ModelCard) -> Text | None:
    if card.dimension is None:
        return None
    whole = Text.model_validate(f"{card.dimension:,}")
    shorter = [size for size in card.matryoshka_dimensions if size < card.dimension]
    if not shorter:
        return whole
    return say("{whole}, made to be cut to {least:,}", whole=whole, least=min(shorter))


def _cost(card: ModelCard) -> Text:
    if card.price is not None:
        return say(
            "${usd:,.2f} per million tokens ({date})",
            usd=card.price.usd_per_million_tokens,
            date=card.price.date.isoformat(),
        )
    return say("an API, its price is not on file") if card.is_api else say("your own machine")


def _ruled_out(cards: Sequence[ModelCard], state: State) -> list[Text]:
    """Those that a hard demand rules out."""
    listed: Shortlist | None = state.get("shortlist")
    hard = {constraint.kind for constraint in state["requirements"].constraints if constraint.hard}
    wanted = {card.model for card in cards}
    return [
        say("Your demands rule {model} out: {reason}.", model=r.model, reason=r.reason)
        for r in (listed.rejected if listed else ())
        if r.model in wanted and r.constraint in hard
    ]
