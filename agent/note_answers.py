"""Answers from the notes: the note's words, the figures of this conversation that belong to it, and the sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from knowledge.guidance import Note
from knowledge.quantities import milliseconds, rate, storage
from knowledge.results import Row
from knowledge.wording import Language, Text, join, say

if TYPE_CHECKING:
    from agent.state import State
    from tools.guidance import LookUp

_COMMA = Text(template=", ")
_SEMICOLON = Text(template="; ")


def from_notes(found: LookUp, state: State) -> Text:
    """The answer that the notes have, in the language of the conversation."""
    language: Language = state.get("language", "en")
    note, *others = (hit.note for hit in found.hits)
    parts = [_literal(note.text.in_language(language)), *_evidence(note, state), _source(note)]
    if others:
        titles = join([_literal(other.title.in_language(language)) for other in others], _SEMICOLON)
        parts.append(say("I can also tell you about: {titles}.", titles=titles))
    return join(parts, LINES)


_NOT_KNOWN = say("I do not know: neither my notes nor what was found here have it.")


def says_not_known(told: Text) -> bool:
    """Whether an answer is that nothing here has what was asked."""
    return told.template == _NOT_KNOWN.template or any(
        says_not_known(part) for part in told.values.values() if isinstance(part, Text)
    )


def not_known(found: LookUp, state: State) -> Text:
    """That neither the notes nor the evidence have it, and what is nearest."""
    language: Language = state.get("language", "en")
    parts = [_NOT_KNOWN]
    if found.near:
        titles = join([_literal(hit.note.title.in_language(language)) for hit in found.hits], _SEMICOLON)
        parts.append(say("I can tell you about: {titles}.", titles=titles))
    else:
        parts.append(
            say(
                "I can tell you about choosing and measuring embeddings: data, metrics, vectors, retrieval, indexes, "
                "serving, licences, privacy, costs and fine-tuning."
            )
        )
    return join(parts)


def _literal(text: str) -> Text:
    return Text.model_validate(text)


def _source(note: Note) -> Text:
    named = say("note “{id}”", id=note.id)
    sources = dict.fromkeys(figure.source for figure in note.figures)
    cited = [say("{title}, {date}", title=_literal(source.title), date=source.date.isoformat()) for source in sources]
    return say("Source: {sources}.", sources=join([named, *cited], _SEMICOLON))


def _evidence(note: Note, state: State) -> Iterator[Text]:
    """What was found in this conversation that belongs to a note; nothing where nothing was."""
    recommendation = state.get("recommendation")
    winner = (
        next((row for row in recommendation.rows if row.spec == recommendation.winner), None)
        if recommendation
        else None
    )
    if recommendation and winner and note.evidence in ("latency", "dimension", "storage"):
        yield from _size(winner, recommendation.run_id, state)
    profile = state.get("profile")
    if note.evidence == "sample" and profile is not None and profile.dataset.judgments:
        yield say("Your data has {count} queries.", count=profile.dataset.queries)


def _size(winner: Row, run: str, state: State) -> Iterator[Text]:
    """What was measured of the recommendation's size and speed."""
    evaluation = state.get("evaluation")
    measured = next((c for c in evaluation.candidates if c.spec == winner.spec), None) if evaluation else None
    parts: list[Text] = []
    if measured and measured.dimension:
        parts.append(say("{count} dimensions", count=measured.dimension))
    if winner.query_p95_ms is not None:
        parts.append(say("p95 {time}", time=milliseconds(winner.query_p95_ms)))
    if winner.documents_per_second is not None:
        parts.append(say("{count} documents per second", count=rate(winner.documents_per_second)))
    if winner.bytes_per_vector is not None:
        parts.append(say("{size} per document in the index", size=storage(winner.bytes_per_vector)))
    if parts:
        yield say("Measured for {spec} (run {run}): {figures}.", spec=winner.spec, run=run, figures=join(parts, _COMMA))
