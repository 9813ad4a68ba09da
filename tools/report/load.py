"""Load: what each contender holds on this machine, its latency against the rate, and where the time goes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from knowledge.quantities import milliseconds, rate
from knowledge.results import Row
from knowledge.results.service import STAGES, RateHeld, UnderLoad
from knowledge.wording import Text, say
from tools.report import figures
from tools.report.curves import Curves, Line, Mark
from tools.report.document import Block, Cell, CurvesPlot, Paragraph
from tools.report.plane import Axis, Tick, log_ticks
from tools.report.voice import Voice

#: tones of lines, as the page's style has them
_TONES = ("own", "api")


def load(voice: Voice) -> tuple[Block, ...]:
    """Nothing where the user stated no rate, or nothing was put under load."""
    found = voice.report.load
    if found is None or not found.candidates:
        return ()
    notes = dict.fromkeys(note for one in found.candidates for note in one.notes)
    failed = [say("{spec} could not be put under load: {why}", spec=f.spec, why=f.reason) for f in found.failed]
    return (
        Paragraph(voice.t(_asked(found))),
        _held(voice, found),
        *_plot(voice, found),
        *_parts(voice, found),
        *voice.bullets((*failed, *notes)),
        Paragraph(
            voice.t(
                say(
                    "Each candidate answered your queries from a process of its own on this machine, over {documents} "
                    "documents; queries came at random moments (Poisson), each timed from when it was due. The rate "
                    "was doubled until p95 broke the limit, then bisected; one machine of this kind holds the highest "
                    "that did not. The generator ran on the same machine.",
                    documents=f"{found.documents:,}",
                )
            ),
            aside=True,
        ),
    )


def _asked(found: UnderLoad) -> Text:
    goal = milliseconds(found.goal_p95_ms)
    if found.stated:
        return say("You have {rate} queries a second and allow {goal} at p95.", rate=rate(found.rate), goal=goal)
    return say(
        "You have {rate} queries a second. You named no limit to the latency under load, so {goal} at p95 is assumed.",
        rate=rate(found.rate),
        goal=goal,
    )


def _held(voice: Voice, found: UnderLoad) -> Block:
    heads = voice.heads(
        say("Candidate"),
        say("Holds, queries a second"),
        say("Machines for your rate"),
        say("p95 so loaded"),
        numeric=(1, 2, 3),
    )
    rows = {row.spec: row for row in voice.advice.rows}
    return voice.table(
        say("What each holds"), heads, [_row(voice, one, found, rows.get(one.spec)) for one in found.candidates]
    )


def _row(voice: Voice, one: RateHeld, found: UnderLoad, row: Row | None) -> tuple[Cell, ...]:
    cites = row.cites if row else {}
    count = one.machines(found.rate)
    held = figures.rate(one.holds_qps) if one.holds_qps else voice.t(say("none"))
    note = voice.t(say("at least: it was not brought to break")) if one.at_least else ""
    if one.spread is not None:
        repeats = voice.t(say("p95 of repeats within {share}", share=figures.share(one.spread)))
        note = f"{note}; {repeats}" if note else repeats
    return (
        voice.spec_cell(one.spec, tone="winner" if one.spec == voice.advice.winner else ""),
        Cell(held, note=note, sort=one.holds_qps or 0.0, cite=cites.get("holds_qps")),
        Cell(figures.NOTHING if math.isinf(count) else f"{count:,.0f}", sort=count, cite=cites.get("machines")),
        Cell(figures.milliseconds(one.p95_ms), sort=one.p95_ms, cite=cites.get("loaded_p95_ms")),
    )


def _plot(voice: Voice, found: UnderLoad) -> Iterable[Block]:
    """p95 against the rate offered, of the first two: more lines are not told apart. One rate alone is a sentence."""
    shown = [one for one in found.candidates if one.curve][: len(_TONES)]
    if all(len(_steps(one)) < 2 for one in shown):
        for one in shown:
            yield Paragraph(voice.t(_only(one, found)))
        return
    xs = [x for one in shown for x, _ in one.curve] + [found.rate]
    ys = [max(y, 0.01) for one in shown for _, y in one.curve] + [found.goal_p95_ms]
    (x_low, x_high, x_ticks), (y_low, y_high, y_ticks) = log_ticks(xs), log_ticks(ys)
    ends = (x_low, found.goal_p95_ms), (x_high, found.goal_p95_ms)
    lines = [Line(voice.name(one.spec), tone, _steps(one), dots=True) for one, tone in zip(shown, _TONES, strict=False)]
    title = say("p95 latency against the rate")
    told = say(
        "p95 in milliseconds against queries a second offered, both axes logarithmic; each dot is one rate that was "
        "tried, and the level line is the limit."
    )
    yield CurvesPlot(
        voice.t(title),
        Curves(
            x=Axis("rate", voice.t(say("Queries a second")), x_low, x_high, tuple(Tick(v, f"{v:,g}") for v in x_ticks)),
            y=Axis("p95", voice.t(say("p95, ms")), y_low, y_high, tuple(Tick(v, f"{v:,g}") for v in y_ticks)),
            lines=(*lines, Line(voice.t(say("limit")), "limit", ends)),
            marks=(Mark(found.rate, voice.t(say("your rate")), "current"),),
            description=voice.t(told),
        ),
    )


def _only(one: RateHeld, found: UnderLoad) -> Text:
    """Of a candidate that was asked at one rate: where that lies."""
    ((at, middle),) = _steps(one)
    p95 = middle if one.p95_ms is None else one.p95_ms
    told: dict[str, Text | str] = {
        "spec": one.spec,
        "rate": rate(at),
        "p95": milliseconds(p95),
        "goal": milliseconds(found.goal_p95_ms),
    }
    if p95 <= found.goal_p95_ms:
        return say(
            "{spec} was tried at one rate alone, so there is no curve: {rate} queries a second, p95 {p95}, within the "
            "{goal} allowed.",
            **told,
        )
    return say(
        "{spec} was tried at one rate alone, so there is no curve: {rate} queries a second, p95 {p95}, above the "
        "{goal} allowed.",
        **told,
    )


def _steps(one: RateHeld) -> tuple[tuple[float, float], ...]:
    """Rate and p95, one for each rate: of repeats the middle one."""
    by_rate: dict[float, list[float]] = {}
    for at, p95 in one.curve:
        by_rate.setdefault(at, []).append(max(p95, 0.01))
    return tuple((at, sorted(of)[len(of) // 2]) for at, of in sorted(by_rate.items()))


def _parts(voice: Voice, found: UnderLoad) -> Iterable[Block]:
    """Where the time of a query goes, at the rate that each holds."""
    heads = voice.heads(say("Part"), "p50", "p95", "p99", numeric=(1, 2, 3))
    for one in found.candidates:
        if not one.parts:
            continue
        at = figures.rate(one.holds_qps) if one.holds_qps else figures.NOTHING
        title = say("Where a query's time goes: {spec} at {rate} queries a second", spec=one.spec, rate=at)
        rows = [
            (Cell(voice.named(STAGES, name)), *(Cell(figures.milliseconds(value)) for value in of))
            for name, of in sorted(one.parts.items(), key=lambda part: list(STAGES).index(part[0]))
        ]
        yield voice.table(title, heads, rows, compact=True)
