"""Cost and size: a month, what it is made of, larger sizes, and one's own machines against an API."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import duration, estimated_milliseconds, many
from knowledge.results.cost import BreakEven, CostOfCandidate, Costs, Crossing, Size
from knowledge.wording import Text, join, say
from tools.cost.point_words import counted_by, each_points
from tools.cost.range_words import plain_crossings
from tools.cost.token_words import billed
from tools.cost.words import (
    HOLDINGS,
    NEEDS,
    ORIGINS,
    answer,
    as_value,
    basis,
    compared,
    dollars,
    gigabytes,
    one_machine,
)
from tools.report.curves import Curves, Line, Mark
from tools.report.document import Block, Bullets, Cell, CurvesPlot, Fold, Paragraph, plain
from tools.report.figures import NOTHING
from tools.report.plane import Axis, Tick, log_ticks
from tools.report.voice import Voice

SEMICOLON = Text(template="; ")


def cost(voice: Voice) -> tuple[Block, ...]:
    """The answer first; nothing where nothing was timed."""
    found = voice.report.costs
    if found is None or not found.candidates:
        return ()
    first = found.candidates[0]
    told = [*answer(found), *each_points(found)]
    left_out = say("Not counted: {what}.", what=join(list(found.not_counted), SEMICOLON))
    return (
        Bullets(tuple(voice.t(sentence) for sentence in told)),
        _months(voice, found),
        *(_growth(voice, first) if first.sizes else ()),
        Bullets(tuple(voice.t(sentence) for sentence in (*compared(found), *billed(found)))),
        *(block for curve in found.break_even for block in _curve(voice, found, curve)),
        Fold(voice.t(say("What these figures rest on")), (_assumptions(voice, found),)),
        Paragraph(voice.t(join([basis(found), left_out])), aside=True),
    )


def _months(voice: Voice, found: Costs) -> Block:
    volume = found.volume
    title = say(
        "A month at {documents} documents and {queries} queries",
        documents=many(volume.documents),
        queries=many(volume.queries_per_month),
    )
    heads = voice.heads(
        say("Candidate"),
        say("A month"),
        say("Machines"),
        say("Tokens of queries"),
        say("Memory of the index"),
        say("Embedding once"),
        numeric=(1, 2, 3, 4, 5),
    )
    return voice.table(title, heads, [_month(voice, one) for one in found.candidates])


def _month(voice: Voice, one: CostOfCandidate) -> tuple[Cell, ...]:
    held = one.at.holding
    tokens = one.query_tokens_usd_per_month
    return (
        Cell(plain(voice.name(one.spec)), note="" if one.measured else voice.t(say("not measured here"))),
        _money(one.usd_per_month, one.cites.get("usd_per_month")),
        Cell(
            NOTHING if one.machines is None else f"{one.machines:,}",
            note=voice.t(counted) if (counted := counted_by(one)) else "",
            cite=one.cites.get("machines"),
        ),
        _money(tokens or None, one.cites.get("query_tokens_usd_per_month")),
        Cell(voice.t(gigabytes(held.memory_gb)), note=voice.t(HOLDINGS[held.kind]), cite=one.at.cites.get("memory_gb")),
        _once(voice, one.at),
    )


def _money(value: float | None, cite: str | None) -> Cell:
    return Cell(NOTHING) if value is None else Cell(dollars(value), sort=value, cite=cite)


def _once(voice: Voice, size: Size) -> Cell:
    """Time and money of embedding all."""
    if size.embed_hours is None:
        return _money(size.embed_usd, size.cites.get("embed_usd"))
    note = dollars(size.embed_usd) if size.embed_usd is not None else ""
    return Cell(voice.t(duration(size.embed_hours * 3600)), note=note, cite=size.cites.get("embed_hours"))


def _growth(voice: Voice, one: CostOfCandidate) -> tuple[Block, ...]:
    heads = voice.heads(
        say("Documents"),
        say("Embedding on one machine"),
        say("What it takes"),
        say("Memory"),
        say("Disk"),
        say("Machines"),
        say("Index build"),
        say("One search"),
        numeric=(0, 1, 3, 4, 5, 6, 7),
    )
    title = say("{spec} at larger sizes, extrapolated", spec=voice.name(one.spec))
    reasons = tuple(
        voice.t(say("{documents}: {why}.", documents=many(size.documents), why=size.why)) for size in one.sizes
    )
    return (
        voice.table(title, heads, [_size(voice, size) for size in one.sizes]),
        Bullets((voice.t(one_machine(one)), *reasons)),
    )


def _size(voice: Voice, size: Size) -> tuple[Cell, ...]:
    held = size.holding
    build = None if size.build_hours is None else duration(size.build_hours * 3600)
    search = None if size.search_ms is None else estimated_milliseconds(size.search_ms)
    return (
        Cell(voice.t(many(size.documents))),
        _once(voice, size),
        Cell(voice.t(NEEDS[size.need]), note=voice.t(HOLDINGS[size.chosen])),
        Cell(voice.t(gigabytes(held.memory_gb)), cite=size.cites.get("memory_gb")),
        Cell(voice.t(gigabytes(held.disk_gb)), cite=size.cites.get("disk_gb")),
        Cell(f"{held.machines:,}"),
        Cell(voice.t(build) if build else NOTHING, cite=size.cites.get("build_hours")),
        Cell(voice.t(search) if search else NOTHING, cite=size.cites.get("search_ms")),
    )


def _curve(voice: Voice, found: Costs, curve: BreakEven) -> Iterator[Block]:
    """The two lines, where they cross, and where the volume is now."""
    xs = [point.x for point in curve.points]
    ys = [usd for point in curve.points for usd in (point.own_usd, point.api_usd)]
    if min(ys) <= 0:
        return  # nothing of one's own costs anything: there is no line to draw on this scale
    by_queries = curve.over == "queries_per_month"
    over = say("Queries a month") if by_queries else say("Documents")
    low, high, ticks = log_ticks(ys)
    x_ticks = tuple(Tick(10.0**e, voice.t(many(10.0**e))) for e in range(3, 13) if xs[0] <= 10.0**e <= xs[-1])
    now = float(getattr(found.volume, curve.over))
    marks = [Mark(now, voice.t(say("now")), "current")]
    marks += [Mark(c.x, voice.t(many(float(f"{c.x:.1e}"))), "crossing") for c in _told(curve)]
    own, api = voice.name(curve.own), voice.name(curve.api)
    title = say("A month's cost against queries") if by_queries else say("A month's cost against documents")
    told = say(
        "A month's cost in US dollars of {own} on your own machines and of {api}, both axes logarithmic; own machines "
        "come in whole numbers, hence the steps.",
        own=own,
        api=api,
    )
    yield CurvesPlot(
        voice.t(title),
        Curves(
            x=Axis("x", voice.t(over), xs[0], xs[-1], x_ticks),
            y=Axis("usd", voice.t(say("USD a month")), low, high, tuple(Tick(v, f"{v:,g}") for v in ticks)),
            lines=(
                Line(own, "own", tuple((point.x, point.own_usd) for point in curve.points)),
                Line(api, "api", tuple((point.x, point.api_usd) for point in curve.points)),
            ),
            marks=tuple(mark for mark in marks if xs[0] <= mark.x <= xs[-1]),
            description=voice.t(told),
        ),
    )


def _told(curve: BreakEven) -> tuple[Crossing, ...]:
    """The crossings that have a name in the drawing: of many the first and the last."""
    crossings = plain_crossings(curve)
    return crossings if len(crossings) < 3 else (crossings[0], crossings[-1])


def _assumptions(voice: Voice, found: Costs) -> Block:
    heads = voice.heads(say("What"), say("Value"), say("From"), numeric=(1,))
    rows = (
        (
            Cell(voice.t(one.what)),
            Cell(as_value(one.value, one.unit)),
            Cell(voice.t(one.because), note=voice.t(ORIGINS[one.origin])),
        )
        for one in found.assumptions
    )
    return voice.table(say("Volumes, prices and machines"), heads, rows)
