"""The candidates against each other, and what is missing among them."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.results import Comparison, Row
from knowledge.wording import say
from tools.report import figures
from tools.report.document import (
    Block,
    Cell,
    Column,
    Paragraph,
    Plot,
    plain,
)
from tools.report.drawings import Bar, Point, Scatter, bars
from tools.report.figures import NOTHING
from tools.report.plane import Axis, Tick, linear_ticks, log_ticks
from tools.report.voice import Voice

STANDINGS = {
    "winner": say("Winner"),
    "alone": say("Measured alone"),
    "tied": say("Tied"),
    "undecided": say("Undecided"),
    "worse": say("Worse"),
    "excluded": say("Excluded"),
}
VERDICTS = {
    "best": say("highest score"),
    "tied": say("not worse by more than the margin"),
    "worse": say("worse"),
    "undecided": say("too few queries to tell"),
}
SAME_WEIGHTS = say("the same model, alike on every query")
#: the costs that the plot can show, and the unit of their ticks
UNITS = {"query_p95_ms": "ms", "peak_memory_mb": "MB", "bytes_per_vector": "B", "usd_per_million_tokens": "USD"}


def candidates(voice: Voice) -> tuple[Block, ...]:
    """All candidates in one table."""
    rows = voice.advice.rows
    if not rows:
        return ()
    explained = say(
        "Small print under {metric} and under the difference: {level} intervals. p: two-sided test of no "
        "difference to the best, corrected for all pairs of candidates. Tied: not worse than the best by more "
        "than {margin}. Pareto front: no other candidate is at least as good and costs no more, and is better or costs "
        "less in something; costs that differ by no more than timing and memory repeat count as equal.",
        metric=voice.advice.primary,
        level=voice.level(rows[0]),
        margin=figures.score(voice.advice.margin),
    )
    drawn = bars([(row.quality.low, row.quality.mean, row.quality.high) for row in rows])
    made = [_candidate_row(voice, n, row, bar) for n, (row, bar) in enumerate(zip(rows, drawn, strict=True), 1)]
    filled = [i for i in range(len(made[0])) if i < 4 or any(row[i][1].text not in ("", NOTHING) for row in made)]
    heads = tuple(
        Column(title, numeric=isinstance(cell.sort, float) or title in ("#", "p"))
        for title, cell in (next((row[i] for row in made if row[i][1].sort is not None), made[0][i]) for i in filled)
    )
    table = voice.table(
        say("All candidates"), heads, (tuple(row[i][1] for i in filled) for row in made), sortable=True, full=True
    )
    return (table, Paragraph(voice.t(explained), aside=True))


def _candidate_row(voice: Voice, number: int, row: Row, bar: Bar | None) -> tuple[tuple[str, Cell], ...]:
    """The columns' titles, each with this candidate's cell."""
    gap = row.difference
    return (
        ("#", Cell(str(number), sort=number, anchor=f"candidate-{number}")),
        (voice.t(say("Candidate")), voice.spec_cell(row.spec, row.standing)),
        (
            voice.t(say("Standing")),
            Cell(
                voice.named(STANDINGS, row.standing),
                note=voice.t(row.excluded_by) if row.excluded_by else "",
                sort=list(STANDINGS).index(row.standing),
                tone=row.standing,
            ),
        ),
        (
            voice.advice.primary,
            Cell(
                figures.score(row.quality.mean),
                note=figures.interval(row.quality),
                sort=float(row.quality.mean),
                cite=voice.cite_quality(row),
                bar=bar,
            ),
        ),
        (
            voice.t(say("Difference to best")),
            Cell(
                figures.difference(gap.mean if gap else None),
                note=figures.difference_interval(gap) if gap else "",
                sort=float(gap.mean) if gap else None,
                cite=voice.cite(row, "difference"),
            ),
        ),
        ("p", Cell(figures.p_value(row.p_different), sort=row.p_different, cite=voice.cite(row, "p_different"))),
        *(
            (voice.t(title), Cell(write(getattr(row, key)), sort=getattr(row, key), cite=voice.cite(row, key)))
            for key, title, write, _ in voice.costs
        ),
        (
            voice.t(say("Pareto front")),
            Cell(
                voice.t(say("yes")) if row.on_pareto_front else "",
                sort=0 if row.on_pareto_front else 1,
                tone="front" if row.on_pareto_front else "",
            ),
        ),
    )


def tradeoff(voice: Voice) -> tuple[Block, ...]:
    """The plot."""
    scatter = _scatter(voice)
    if scatter is None and not voice.advice.rows:
        return ()
    if scatter is None:
        return (Paragraph(voice.t(say("There is no plot: nothing was timed in this run."))),)
    explained = say(
        "Each number is a row of the table, to which it leads. Bars are the intervals of the quality; the costs are on "
        "a logarithmic scale. Up and to the left is better; the dashed line is the best quality to be had at each "
        "cost. Filled marks are on the Pareto front of quality and all costs together."
    )
    return (Plot(voice.t(say("Quality against cost")), scatter), Paragraph(voice.t(explained), aside=True))


def _scatter(voice: Voice) -> Scatter | None:
    rows = voice.advice.rows
    axes = []
    for key, title, _, _ in voice.costs:
        values = [v for row in rows if (v := getattr(row, key)) and v > 0]
        if key in UNITS and values:
            low, high, at = log_ticks(values)
            axes.append(Axis(key, voice.t(title), low, high, tuple(Tick(v, f"{v:,g} {UNITS[key]}") for v in at)))
    if not axes:
        return None
    low, high, at = linear_ticks([v for r in rows for v in (r.quality.mean, r.quality.low, r.quality.high)])
    y = Axis("quality", voice.advice.primary, low, high, tuple(Tick(v, f"{v:.2f}") for v in at), log=False)
    return Scatter(y, tuple(axes), tuple(_point(voice, n, row, axes) for n, row in enumerate(rows, 1)))


def _point(voice: Voice, number: int, row: Row, axes: Sequence[Axis]) -> Point:
    if row.standing in ("winner", "alone", "excluded"):
        tone, group = "winner" if row.standing == "alone" else str(row.standing), STANDINGS[row.standing]
    elif row.on_pareto_front:
        tone, group = "front", say("On the Pareto front")
    else:
        tone, group = "other", say("Not on the front")
    has = {a.key: getattr(row, a.key) for a in axes if (getattr(row, a.key) or 0) > 0}
    written = {key: write(has[key]) for key, _, write, _ in voice.costs if key in has}
    return Point(
        number=number,
        name=voice.names[row.spec],
        tone=tone,
        group=voice.t(group),
        front=row.on_pareto_front,
        y=row.quality.mean,
        low=row.quality.low,
        high=row.quality.high,
        x=has,
        labels={"quality": f"{figures.score(row.quality.mean)} ({figures.interval(row.quality)})", **written},
    )


def certainty(voice: Voice) -> tuple[Block, ...]:
    """Each candidate against the best one, query by query."""
    if not voice.report.comparisons:
        return ()
    titles = (
        say("Candidate"),
        say("Against the best"),
        say("Verdict"),
        say("Better / equal / worse queries"),
        say("p (different)"),
        say("p (worse by more than the margin)"),
        say("p (worse than the true best)"),
        say("Smallest difference shown"),
        say("Queries needed to settle it"),
    )
    found = voice.report.comparisons
    drawn = bars([(c.difference.low, c.difference.mean, c.difference.high) for c in found], zero=True)
    rows = tuple(_compared_row(voice, compared, bar) for compared, bar in zip(found, drawn, strict=True))
    best = voice.report.comparisons[0].best
    explained = say(
        "Each candidate against {best}, which scored highest, query by query: paired randomisation tests, Holm-"
        "corrected for all pairs. A small p (worse by more than the margin) shows that the loss, if any, stays within "
        "{margin}; the next p says the same against whichever candidate is truly the best. A true difference of the "
        "smallest size shown would be found by a sample like this one in four of five cases.",
        best=voice.names.get(best, plain(best)),
        margin=figures.score(voice.advice.margin),
    )
    title = say("Query by query against the best")
    return (
        *voice.bullets(voice.sentences(voice.advice.confidence)),
        voice.table(title, voice.heads(*titles, numeric=(1, 3, 4, 5, 6, 7, 8)), rows, sortable=True),
        Paragraph(voice.t(explained), aside=True),
    )


def _compared_row(voice: Voice, c: Comparison, bar: Bar | None) -> tuple[Cell, ...]:
    """What has no evidence of its own rests on that of the difference; figures of the best, on its quality."""
    row = next((row for row in voice.advice.rows if row.spec == c.spec), None)
    cite = (voice.cite(row, "difference") or voice.cite_quality(row)) if row else None
    gap = c.difference

    def cell(text: str, sort: float | None, column: str = "difference") -> Cell:
        own = voice.cite(row, column) if row else None
        return Cell(text, sort=sort, cite=own or cite if text != NOTHING else None)

    return (
        voice.spec_cell(c.spec),
        Cell(figures.difference(gap.mean), figures.difference_interval(gap), gap.mean, cite, bar=bar),
        Cell(voice.t(SAME_WEIGHTS) if c.same_weights else voice.named(VERDICTS, c.verdict), tone=c.verdict),
        cell(f"{figures.count(c.wins)} / {figures.count(c.draws)} / {figures.count(c.losses)}", c.wins),
        cell(figures.p_value(c.p_different), c.p_different, "p_different"),
        cell(figures.p_value(c.p_worse), c.p_worse, "p_worse"),
        cell(figures.p_value(c.p_within), c.p_within, "p_within"),
        cell(figures.score(c.smallest_shown), c.smallest_shown),
        cell(figures.count(c.queries_needed), c.queries_needed),
    )


def metrics(voice: Voice) -> tuple[Block, ...]:
    """All metrics of all candidates."""
    found = list(dict.fromkeys(name for row in voice.advice.rows for name in row.metrics))
    if not found:
        return ()
    rows = (
        (
            voice.spec_cell(row.spec, row.standing),
            *(Cell(figures.score(row.metrics.get(m)), sort=row.metrics.get(m), cite=voice.cite(row, m)) for m in found),
        )
        for row in voice.advice.rows
    )
    heads = voice.heads(say("Candidate"), *found, numeric=range(1, 1 + len(found)))
    return (voice.table(say("Means over all judged queries"), heads, rows, sortable=True),)


def not_measured(voice: Voice) -> tuple[Block, ...]:
    """What nobody should take for measured; candidates that the sentences do not name have a table."""
    blocks = voice.bullets(voice.advice.not_measured)
    told = "\n".join(map(voice.t, voice.advice.not_measured))
    planned = [
        p for p in (voice.report.plan.not_measured if voice.report.plan else ()) if (p.model or p.spec) not in told
    ]
    if planned:
        rows = (
            (voice.spec_cell(p.spec), Cell(voice.t(p.obstacle) if p.obstacle else NOTHING), Cell(voice.t(p.why)))
            for p in planned
        )
        heads = voice.heads(say("Candidate"), say("What stood in the way"), say("Why it was of interest"))
        blocks += (voice.table(say("Candidates that could not be measured here"), heads, rows),)
    return blocks
