"""Why a model is on the list, with the figures: the most telling first, each a line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.catalog import Catalog
from knowledge.constraints.latency import LatencyConstraint
from knowledge.constraints.license import LicenseConstraint
from knowledge.constraints.memory import MemoryConstraint
from knowledge.evidence import RETRIEVAL_TASKS, Forecast, Scores
from knowledge.languages import language_names
from knowledge.licensing import PARTS, Link, license_chain, license_name
from knowledge.model_card import ModelCard
from knowledge.quantities import digits, memory, parameters, storage
from knowledge.requirements import Requirements
from knowledge.results import Figure, Pick
from knowledge.scores import CODE
from knowledge.standing import standing_of
from knowledge.trust import trust_of
from knowledge.wording import Text, join, say
from tools.shortlist.demands import (
    BASELINE,
    DOUBT,
    MILLIONS_ON_CPU,
    demands_of,
    is_limited_to_cpu,
    unread,
    unread_note,
)
from tools.shortlist.ranked import Ranked, Slot
from tools.shortlist.vector_size import BYTES_PER_NUMBER, MANY_VECTORS, spec_at

#: published scores that a pick carries, and how many of them its line of reasons names
_FIGURES, _FIGURES_NAMED = 4, 3
#: a list for more languages than this names only the first few
_LANGUAGES_NAMED = 4
_COMMA, _SEMICOLON = Text(template=", "), Text(template="; ")


@dataclass(frozen=True)
class Reasons:
    """What reasons are made from."""

    requirements: Requirements
    catalog: Catalog
    scores: Scores
    seen: Forecast

    def pick(self, entry: Ranked, slot: Slot | None) -> Pick:
        """The model as the list shows it."""
        return self._pick(entry, [*self._evidence(entry), *_held(slot), *self._rest(entry)])

    def beside(self, entry: Ranked, why: Text) -> Pick:
        """The model as it is shown beside the list."""
        if entry.card.model == BASELINE:  # no weights, so neither licence nor trust nor size say anything
            blind = unread(BASELINE, self.seen.languages)
            told = () if blind and len(blind) == len(self.seen.languages) else self._evidence(entry)
            return self._pick(entry, [why, *([unread_note(blind)] if blind else ()), *told])
        return self._pick(entry, [why, *self._evidence(entry), *self._rest(entry)])

    def _pick(self, entry: Ranked, reasons: list[Text]) -> Pick:
        return Pick(
            spec=spec_at(entry.card, entry.cut),
            model=entry.card.model,
            predicted=entry.prediction,
            reasons=tuple(reasons),
            unknown=entry.unknown,
            figures=self.seen.figures(entry.card.model, _FIGURES),
        )

    def _evidence(self, entry: Ranked) -> Iterator[Text]:
        card, prediction, seen = entry.card, entry.prediction, self.seen
        if not prediction.tasks_in_all:
            yield say("No published score on such tasks: placed by size, age and dimension alone.")
            return
        yield say(
            "Predicted {metric} {mean}; benchmark tasks behind it: {tasks} in {language}, {all} in all.",
            metric=prediction.metric,
            mean=f"{prediction.mean:.2f}",
            tasks=prediction.tasks_in_language,
            language=language_of(self.requirements, seen),
            all=prediction.tasks_in_all,
        )
        published = _published(seen.figures(card.model, _FIGURES_NAMED))
        if published:
            yield published
        trained = seen.trained[card.model]
        if trained:
            yield say(
                "Trained on benchmark tasks: {trained} of these {tasks}; its scores may flatter it.",
                trained=trained,
                tasks=prediction.tasks_in_language,
            )
        elif not card.training_data_known and card.model != BASELINE:
            yield say("What it was trained on is not known: its scores may flatter it.")
        if card.model in seen.suspect:
            yield say("One of its published scores stands out so far that it may be a mistake.")

    def _rest(self, entry: Ranked) -> Iterator[Text]:
        card = entry.card
        for reason in entry.missed:
            yield say("Misses a wish of yours: {reason}.", reason=reason)
        if card.superseded_by:
            yield say("Its publisher names {model} as its successor.", model=card.superseded_by)
        if card.needs_remote_code:
            yield say("It runs only with code of its publisher's, which this program does not run.")
        elif card.spec is None:
            yield say("This program cannot build it: it can be judged by published figures only.")
        machine = next((c for c in demands_of(self.requirements) if c.kind == "hardware"), None)
        fits = machine.check(card) if machine and not card.is_api else None
        if fits and fits.outcome == "met":
            yield say("Your machine: {reason}.", reason=fits.reason)
        yield from self._vectors(entry)
        yield self._license(card)
        facts = list(_facts(card, self.requirements))
        if facts:
            yield say("{facts}.", facts=join(facts, _COMMA))
        concerns = [note for note in trust_of(card).concerns if not card.is_api]
        worries = [note.text for note in concerns if not (card.needs_remote_code and note.about == "code")]
        if worries:
            yield join(worries)
        yield self._standing(card)

    def _vectors(self, entry: Ranked) -> Iterator[Text]:
        """What an index of its vectors takes, where they are many or were demanded to be short."""
        card = entry.card
        if entry.cut and card.dimension:
            yield say(
                "Made to be cut: {cut:,} of its {dimension:,} dimensions, predicted {loss:.1f} points lower for it.",
                cut=entry.cut,
                dimension=card.dimension,
                loss=100 * entry.loss,
            )
        documents = self.requirements.documents.value if self.requirements.documents else 0
        size = entry.cut or card.dimension
        if documents >= MANY_VECTORS and size:
            yield say(
                "{count:,} vectors of {dimension:,} dimensions take {size}.",
                count=documents,
                dimension=size,
                size=storage(documents * size * BYTES_PER_NUMBER),
            )

    def _license(self, card: ModelCard) -> Text:
        """The licence, and what of the chain is not plainly allowed for what the user wants to do."""
        if card.is_api:
            return say("An API: your texts leave this machine.")
        name = license_name(card.license or "?")
        demand = self.requirements.constraint(LicenseConstraint)
        uses = demand.uses if demand else ()
        if not uses:
            if card.commercial == "no":
                return say("Licence: {license}, which forbids commercial use.", license=name)
            return say("Licence: {license}.", license=name)
        doubts = [_doubt(link) for link in license_chain(card, self.catalog, uses).links if link.says != "yes"]
        if not doubts:
            return say("Licence: {license}; its base and training data raise no doubt.", license=name)
        return say("Licence: {license}; {doubts}.", license=name, doubts=join(doubts, _SEMICOLON))

    def _standing(self, card: ModelCard) -> Text:
        """How well it is established; its age is left out, so that the same question gets the same answer any day."""
        found = standing_of(card, self.catalog, self.scores, card.release_date or dt.date.min)
        parts = [say("scores on {tasks:,} benchmark tasks", tasks=found.tasks)]
        if found.derived:
            parts.append(say("{derived} made from it", derived=found.derived))
        if card.release_date:
            parts.append(say("released {date}", date=str(card.release_date)))
        return say("Standing: {parts}.", parts=join(parts, _COMMA))


def _held(slot: Slot | None) -> Iterator[Text]:
    if slot == "broad":
        yield say("Listed because it is tested broadly: none before it is, and the list should have one such model.")
    elif slot == "small":
        yield say("Holds the place of a clearly smaller model: within 10 points of the first, and cheaper to run.")


def _published(figures: tuple[Figure, ...]) -> Text | None:
    """The scores in one line; metric and language are named once where the figures share them."""
    if not figures:
        return None
    metrics, languages = {f.metric for f in figures}, {f.language for f in figures}
    named = []
    for figure in figures:
        score = f"{figure.score:.2f}" if len(metrics) == 1 else f"{figure.metric} {figure.score:.2f}"
        if len(languages) == 1:
            named.append(say("{task} {score}", task=figure.task, score=score))
        else:
            language = _language(figure.language)
            named.append(say("{task} ({language}) {score}", task=figure.task, language=language, score=score))
    return say(
        "Published {metric}{where}: {scores}.",
        metric=figures[0].metric if len(metrics) == 1 else say("scores"),
        where=say(" in {language}", language=_language(figures[0].language)) if len(languages) == 1 else "",
        scores=join(named, _COMMA),
    )


def _language(code: str) -> Text:
    return say("program code") if code == CODE else language_names([code])


def _doubt(link: Link) -> Text:
    return say("{part}: {reason}", part=PARTS[link.part], reason=link.reason)


def _facts(card: ModelCard, requirements: Requirements) -> Iterator[Text]:
    if card.parameters:
        limit = requirements.constraint(MemoryConstraint)
        each = limit.bytes_per_parameter if limit else 4.0  # as the limit is counted, or the figures seem to break it
        size, weights = parameters(card.parameters), memory(card.memory_at(each) or 0.0)
        if each == 4:
            yield say("{size} ({memory} in fp32)", size=size, memory=weights)
        else:
            yield say("{size} ({memory} at {bits} bits)", size=size, memory=weights, bits=f"{8 * each:g}")
    if card.dimension:
        yield say("{dimension:,} dimensions", dimension=card.dimension)
    if card.max_tokens:
        yield say("reads up to {tokens:,} tokens", tokens=card.max_tokens)


def notes_on(about: Reasons, chosen: Sequence[Ranked]) -> list[Text]:
    """What holds for the whole list."""
    requirements, seen = about.requirements, about.seen
    notes = list(_language_notes(requirements, seen))
    notes += [caution for constraint in requirements.constraints if (caution := constraint.caution())]
    if is_limited_to_cpu(requirements):
        notes.append(
            say(
                "Without a GPU, models over {limit} are left out: they take more than 0.8 s a "
                "query. Name a limit of size, memory or latency to change that.",
                limit=parameters(MILLIONS_ON_CPU * 1e6),
            )
        )
    if (limit := requirements.constraint(LatencyConstraint)) and limit.hard and len(chosen) > 1:
        notes.append(_order(limit, chosen))
    specs = [spec for entry in chosen if (spec := spec_at(entry.card, entry.cut))]
    if requirements.keyword_match and requirements.keyword_match.value and specs:
        notes.append(say("Exact words matter to you: measure a mixture too, such as rrf(bm25, {spec}).", spec=specs[0]))
    if len(chosen) > 1 and requirements.task.value in RETRIEVAL_TASKS:
        notes.append(
            say("A predicted gap between two of these is good to ±7 points (80 %): measure before you choose.")
        )
    source = about.catalog.sources.get(about.scores.source)
    if source:
        notes.append(say("Published scores: {source}, as of {date}.", source=source.title, date=str(source.date)))
    return notes


def _order(limit: LatencyConstraint, chosen: Sequence[Ranked]) -> Text:
    """What a list under a limit on latency is in the order of: it reads like one of speeds, or like none at all."""
    slow = [f"{entry.card.model} (−{100 * entry.doubt:.1f})" for entry in chosen if entry.doubt]
    if not slow:
        return say("In order of predicted quality, not of speed: how fast they are here is to be measured.")
    return say(
        "In order of predicted quality, not of speed; but {points:g} points are taken off for each time that an "
        "estimate doubles your {limit} ms: {models}.",
        points=100 * DOUBT,
        limit=digits(limit.p95_ms),
        models=", ".join(slow),
    )


def _language_notes(requirements: Requirements, seen: Forecast) -> Iterator[Text]:
    """Which languages were predicted for, where nobody named one or they are several."""
    if requirements.task.value == "code_search" or not seen.languages:
        return
    named = _named(seen.languages)
    if len(requirements.languages) < len(seen.languages) and len(seen.languages) > 1:
        yield say(
            "Not every language was named: predicted for those that most tasks are in, {language}.", language=named
        )
    elif len(requirements.languages) < len(seen.languages):
        yield say("No language is known yet: predicted for {language}.", language=named)
    elif len(seen.languages) > 1:
        yield say("Predicted scores are means over {languages}.", languages=named)


def language_of(requirements: Requirements, seen: Forecast) -> Text:
    """The language that scores were counted in."""
    if requirements.task.value == "code_search":
        return say("program code")
    if len(seen.languages) > _LANGUAGES_NAMED:  # a note on the whole list names some
        return say("{count} languages", count=len(seen.languages))
    return language_names(seen.languages) if seen.languages else say("all languages")


def _named(codes: tuple[str, ...]) -> Text:
    """Languages in a sentence of their own."""
    if len(codes) <= _LANGUAGES_NAMED:
        return language_names(codes)
    return say("{count} languages ({first}, …)", count=len(codes), first=language_names(codes[:_LANGUAGES_NAMED]))
