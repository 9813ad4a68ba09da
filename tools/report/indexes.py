"""Searches a second against recall, of Milvus's indexes over the winner's vectors, where `advisor index` swept them."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.quantities import rate
from knowledge.results.index_load import IndexLoad, IndexPoint
from knowledge.wording import say
from tools.index_words import fastest, name, searched
from tools.report import figures
from tools.report.curves import Curves, Line
from tools.report.document import Block, Bullets, Cell, CurvesPlot, Fold, Paragraph
from tools.report.plane import Axis, Tick, linear_ticks, log_ticks
from tools.report.voice import Voice

#: how each index's line is drawn
_TONES = {"hnsw": "own", "ivf_flat": "api", "ivf_sq8": "ink", "flat": "quiet"}
#: what a measured rate is drawn as at least: of none there is no logarithm
_LEAST = 0.1


def indexes(voice: Voice) -> tuple[Block, ...]:
    """Nothing where no index was swept."""
    found = voice.report.index
    if found is None or not found.points:
        return ()
    about = say(
        "Milvus's indexes over the vectors of {spec}, as advisor index measured them on {date} (run {run}):",
        spec=voice.name(found.spec),
        date=found.started.date().isoformat(),
        run=found.run_id,
    )
    return (
        Paragraph(voice.t(about)),
        Bullets(tuple(voice.t(sentence) for sentence in fastest(found))),
        *_plot(voice, found),
        Fold(voice.t(searched(found)), (_table(voice, found),)),
        *voice.bullets(found.notes),
    )


def _plot(voice: Voice, found: IndexLoad) -> Iterable[Block]:
    """One line for each index, at as many clients as gave the most searches; one setting alone is a dot."""
    clients = max(found.points, key=lambda point: point.qps).concurrency
    points = [point for point in found.points if point.concurrency == clients]
    recalls = [point.recall for point in points]
    if len(points) < 2:
        return
    low, high, x_ticks = linear_ticks(recalls)
    y_low, y_high, y_ticks = log_ticks([max(point.qps, _LEAST) for point in points])
    told = say(
        "{k} documents a search, {clients} clients at a time; right is more of what an exact search finds, up is more "
        "searches a second (logarithmic). Each dot is one setting.",
        k=found.k,
        clients=clients,
    )
    yield CurvesPlot(
        voice.t(say("Searches a second against recall: {spec}", spec=voice.name(found.spec))),
        Curves(
            x=Axis("recall", voice.t(say("Recall")), low, high, tuple(_tick(v) for v in x_ticks if v <= 1), log=False),
            y=Axis("qps", voice.t(say("Searches a second")), y_low, y_high, tuple(Tick(v, f"{v:,g}") for v in y_ticks)),
            lines=tuple(
                Line(kind, tone, _line([point for point in points if point.kind == kind]), dots=True)
                for kind, tone in _TONES.items()
                if any(point.kind == kind for point in points)
            ),
            marks=(),
            description=voice.t(told),
        ),
    )


def _tick(value: float) -> Tick:
    return Tick(value, f"{value:.4g}")


def _line(points: list[IndexPoint]) -> tuple[tuple[float, float], ...]:
    return tuple(sorted((point.recall, max(point.qps, _LEAST)) for point in points))


def _table(voice: Voice, found: IndexLoad) -> Block:
    heads = voice.heads(
        say("Index"), say("Recall"), say("Clients"), say("Searches a second"), "p50", "p95", "p99", numeric=range(1, 7)
    )
    rows = [
        (
            Cell(name(point), code=True),
            Cell(f"{point.recall:.3f}", sort=point.recall),
            Cell(str(point.concurrency)),
            Cell(rate(point.qps), sort=point.qps),
            *(Cell(figures.milliseconds(ms or None), sort=ms) for ms in (point.p50_ms, point.p95_ms, point.p99_ms)),
        )
        for point in found.points
    ]
    return voice.table(say("Every setting"), heads, rows, compact=True)
