"""The cheapest next gain: single changes to the winner, where they were measured."""

from __future__ import annotations

from knowledge.results.next_gain import Change
from knowledge.wording import say
from tools.next_gain.words import VERDICTS, answer, method, time_change
from tools.report import figures
from tools.report.document import Block, Bullets, Cell, Paragraph, plain
from tools.report.figures import NOTHING
from tools.report.voice import Voice

_TONES = {"gains": "winner", "holds": "tied", "loses": "worse", "open": "undecided"}


def gains(voice: Voice) -> tuple[Block, ...]:
    """What buys most and what saves most, then every change that was measured."""
    found = voice.report.gains
    if found is None:
        return ()
    heads = voice.heads(
        say("Change"),
        say("{metric}: difference", metric=found.primary),
        say("Verdict"),
        say("Time a query"),
        say("Bytes per document"),
        numeric=(1, 3, 4),
    )
    return (
        Bullets(tuple(voice.t(sentence) for sentence in answer(found))),
        voice.table(
            say("Single changes to {spec}", spec=voice.name(found.base)),
            heads,
            [_row(change, voice) for change in found.changes],
            sortable=True,
        ),
        Paragraph(voice.t(method(found)), aside=True),
    )


def _row(change: Change, voice: Voice) -> tuple[Cell, ...]:
    gap, longer = change.difference, time_change(change)
    return (
        Cell(voice.t(change.what), note=plain(change.spec), sort=change.spec),
        Cell(figures.difference(gap.mean), figures.difference_interval(gap), gap.mean, change.cites.get("difference")),
        Cell(voice.t(VERDICTS[change.verdict]), tone=_TONES[change.verdict]),
        Cell(voice.t(longer) if longer else NOTHING, sort=change.added_ms, cite=change.cites.get("query_ms")),
        Cell(
            figures.size(change.bytes_per_document),
            sort=change.bytes_per_document,
            cite=change.cites.get("bytes_per_document"),
        ),
    )
