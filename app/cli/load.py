"""`advisor load` with an endpoint: what it holds, and what that does to its answers' latency."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.failures import INTERRUPTED
from app.cli.mistyped import usage_error
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, end_progress, language, shown
from app.wording import as_text, dataset_lines
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import NothingLeftError, UserError
from knowledge.quantities import digits, memory, milliseconds, rate
from knowledge.results.load import Goal, Latency, LoadPlan, LoadPoint, LoadsCompared, LoadTest
from knowledge.results.service import STAGES
from knowledge.wording import say
from tools.data_source import DataSource
from tools.load.address import Address, is_address
from tools.load.planning import enough, key_for, plan_load
from tools.load.probing import open_endpoint
from tools.load.stage import load_endpoint
from tools.load.steps import Course
from tools.load.texts import texts_of
from tools.load.words import answer, level, limits_line, remarks
from tools.sending import agree, sends_line
from tools.service.stage import at_rest

#: options that mean something of one kind of target only, and those that say what `--tune` finds out
_OF_CANDIDATES = {"tune", "threads", "max_batch", "max_wait", "in_memory"}
_OF_SERVERS = {"protocol", "model", "send_to"}
_SEARCHED = {"rate", "concurrency", "closed", "arrivals", "repeats", "requests"}
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}(/\S*)?")
#: characters of the bar that shows p95; the goal is in its middle
_BAR = 16


@dataclass(frozen=True)
class Asked:
    """A load test as the command line asks for it."""

    target: str
    protocol: str | None
    model: str | None
    course: Course


def fits_together(target: str, given: Collection[str]) -> None:
    """Refuse options that would be ignored, and an address without its scheme.

    Args:
        target: an address or a candidate.
        given: names of the options that the command line sets, as the command's function calls them.

    Raises:
        typer.BadParameter: an option of servers with a candidate, or the other way round, or two that exclude another.
        UserError: the target is a host and a port.
    """
    given = set(given)
    if "rate" in given and given & {"closed", "concurrency"}:
        raise usage_error(say("--rate is of an open loop: leave out --closed and --concurrency"))
    if is_address(target):
        ignored = _listed(given & _OF_CANDIDATES)
        if ignored:
            raise usage_error(
                say(
                    "{options} is of a candidate on this machine: leave it out, or name one with --target",
                    options=ignored,
                )
            )
        return
    if _HOST_AND_PORT.fullmatch(target):
        raise UserError(
            say("“{target}” is neither a candidate nor a whole address.", target=target[:200]),
            say("Write the address with its scheme: --target http://{target}", target=target[:200]),
        )
    if ignored := _listed(given & _OF_SERVERS):
        raise usage_error(
            say("{options} is of an embedding server: leave it out, or give its address with --target", options=ignored)
        )
    if "tune" in given and (ignored := _listed(given & _SEARCHED)):
        raise usage_error(say("--tune searches for the highest rate itself: leave out {options}", options=ignored))


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in sorted(names))


def plan(settings: Settings, source: DataSource, asked: Asked, *, as_json: bool) -> None:
    """Print what the test would do and cost; nothing is contacted."""
    enough(asked.course.limits)
    Address.read(asked.target)  # a bad one is refused before the data is read, which may take long
    catalog = usable_catalog(settings.workspace().home).catalog
    texts = texts_of(source.read())
    found = plan_load(asked.target, texts, asked.course.limits, catalog, protocol=asked.protocol, model=asked.model)
    if as_json:
        print_json(found)
    else:
        for line in _plan_lines(found):
            sys.stdout.write(line + "\n")


def test(
    settings: Settings,
    source: DataSource,
    asked: Asked,
    *,
    send_to: Sequence[str],
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Test it and print what it holds; returns the exit code."""
    enough(asked.course.limits)
    workspace = settings.workspace()
    line = ProgressLine(quiet)
    key = key_for(Address.read(asked.target), workspace)
    # before the data is read, which may take long: who gives an address that nobody answers at is told at once
    endpoint = open_endpoint(asked.target, protocol=asked.protocol, model=asked.model, key=key)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    agreed = plan_load(
        asked.target,
        texts_of(dataset),
        asked.course.limits,
        usable_catalog(workspace.home).catalog,
        protocol=endpoint.protocol,
        model=endpoint.model or None,
    )
    how = say("Agree to it with --send-to {host}, or limit it with --requests.", host=agreed.sends_text_to or "")
    agree(agreed, send_to, yes=yes, otherwise=how)
    for told in _plan_lines(agreed):
        line.note(told)
    with told_if_nothing_is_kept():
        found = load_endpoint(
            endpoint,
            dataset,
            workspace,
            asked.course,
            usd_per_token=agreed.usd / agreed.tokens if agreed.usd and agreed.tokens else None,
            on_progress=line.show,
        )
    line.end()
    if as_json:
        print_json(found)
    else:
        show(found)
    return exit_code(found)


@contextmanager
def told_if_nothing_is_kept() -> Iterator[None]:
    """Ctrl-C before the first figure is said to have kept none; after it the run comes back, and says so itself."""
    try:
        yield
    except KeyboardInterrupt:
        end_progress()
        sys.stderr.write(shown(say("Ended before anything was measured: nothing is kept.")) + "\n")
        raise


def exit_code(found: LoadTest) -> int:
    """4 where a rate or concurrency was given and the goal was missed at it; a search has an answer either way.

    130 where the user ended it: what was measured until then is printed and kept.
    """
    if found.ended:
        return INTERRUPTED
    return 0 if found.swept or found.holds_qps is not None else NothingLeftError.exit_code


def _plan_lines(found: LoadPlan) -> list[str]:
    about = " · ".join(name for name in (found.target, found.protocol, found.model) if name)
    lines = [about, shown(limits_line(found.seconds, found.requests))]
    told = sends_line(found)
    return lines if told is None else [*lines, shown(told)]


def show(found: LoadTest) -> None:
    """The answer first, then every step as a row, then what it took."""
    sys.stdout.write(shown(answer(found)) + "\n")
    h = found.machine
    title = f"{h.cpu}, {h.cores} cores, {h.memory_gb} GB" + "".join(f", {gpu}" for gpu in h.gpus)
    table = Table(title=Plain(title), title_justify="left")
    offered = say("offered/s") if found.loop == "open" else say("at a time")
    table.add_column(shown(offered), justify="right", no_wrap=True)
    for name in (say("answered/s"), say("p50 ms"), say("p95 ms"), say("p99 ms"), say("max ms"), say("failed")):
        table.add_column(shown(name), justify="right", no_wrap=True)
    table.add_column(shown(say("p95 against the goal")), no_wrap=True)
    table.add_column("", no_wrap=True)
    points = sorted((*found.points, *found.repeats), key=lambda point: point.level)
    for point in points:
        table.add_row(*map(Plain, _cells(point, found.goal, again=point in found.repeats and found.swept)))
    console().print(table)
    for line in dict.fromkeys(why for point in points if (why := _why(point, found.goal))):
        sys.stdout.write(line + "\n")
    measured, rest = found.repeats or found.points, at_rest(found)
    if rest and rest.parts:
        sys.stdout.write(shown(say("Where a query's time goes, at {level}:", level=level(rest))) + "\n")
        console().print(_parts_table(rest.parts))
    for line in (*_used(measured), *(shown(remark) for remark in remarks(found))):
        sys.stdout.write(line + "\n")
    sys.stderr.write(f"{found.run_id}\n")


def _cells(point: LoadPoint, goal: Goal, *, again: bool) -> tuple[str, ...]:
    times: tuple[str, ...] = ("–",) * 4
    bar = ""
    if point.latency:
        found = point.latency
        times = tuple(_ms(ms) for ms in (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms))
        bar = _bar(found.p95_ms / goal.p95_ms)
    offered = rate(point.level) + (" ↻" if again else "")
    return offered, rate(point.achieved), *times, f"{point.failed:,}", bar, "✗" if point.broke else "✓"


def _why(point: LoadPoint, goal: Goal) -> str | None:
    """Why a step broke, beneath the table, where its row does not show it: p95 has a column of its own."""
    slow = point.latency is not None and point.latency.p95_ms > goal.p95_ms and not point.failed
    return None if slow or not point.broke else shown(say("{level}: {why}.", level=level(point), why=point.broke))


def _ms(value: float) -> str:
    return digits(value) if value < 1000 else f"{value:,.0f}"


def _bar(share: float) -> str:
    """A bar whose middle is the goal."""
    full = min(round(share * _BAR / 2), _BAR)
    bar = "█" * full + "·" * (_BAR - full)
    return bar[: _BAR // 2] + "|" + bar[_BAR // 2 :] + ("▶" if share > 2 else "")


def _parts_table(parts: dict[str, Latency]) -> Table:
    table = Table()
    table.add_column(shown(say("part")))
    for name in (say("p50 ms"), say("p95 ms"), say("p99 ms")):
        table.add_column(shown(name), justify="right")
    for part, took in parts.items():
        stage = shown(STAGES[part]) if part in STAGES else part
        table.add_row(stage, *(_ms(ms) for ms in (took.p50_ms, took.p95_ms, took.p99_ms)))
    return table


def _used(points: Sequence[LoadPoint]) -> list[str]:
    """What was used at the rate that was found, the mean of the repeats."""
    seen = [point.resources for point in points if point.resources]
    if not seen:
        return []
    mean = {
        name: sum(values) / len(values)
        for name in ("machine_cpu", "target_cpu", "target_rss_mb", "generator_cpu")
        if (values := [value for one in seen if (value := getattr(one, name)) is not None])
    }
    lines = [
        say(
            "CPU, in percent of a core: machine {machine:.0f}, target {target}, generator {own:.0f}.",
            machine=mean["machine_cpu"],
            target=f"{mean['target_cpu']:.0f}" if "target_cpu" in mean else say("not known"),
            own=mean["generator_cpu"],
        )
    ]
    if "target_rss_mb" in mean:
        lines.append(say("Memory of the target: {size}.", size=memory(max(one.target_rss_mb or 0.0 for one in seen))))
    lines += [
        say(
            "{gpu}: {percent} % busy, {size} used.",
            gpu=gpu.name,
            percent="–" if gpu.utilisation_mean is None else f"{gpu.utilisation_mean:.0f}",
            size=memory(gpu.memory_mb),
        )
        for gpu in seen[0].gpus
    ]
    return [shown(line) for line in lines]


def show_compared(found: LoadsCompared) -> None:
    """Load tests beside each other."""
    verdicts = {"best": say("holds most"), "less": say("holds less"), "unranked": say("not ranked: they overlap")}
    goal = milliseconds(found.goal.p95_ms)
    table = Table(title=Plain(shown(say("Requests a second at p95 under {goal}", goal=goal))), title_justify="left")
    table.add_column(shown(say("target")), overflow="fold")
    for name in (say("holds"), say("breaks"), say("p95 ms")):
        table.add_column(shown(name), justify="right")
    table.add_column(shown(say("verdict")))
    for row in found.rows:
        cells = (rate(x) if x is not None else "–" for x in (row.low, row.high))
        p95 = _ms(row.p95_ms) if row.p95_ms is not None else "–"
        table.add_row(*map(Plain, (f"{row.target}\n{row.run_id}", *cells, p95, shown(verdicts[row.verdict]))))
    console().print(table)
    for note in found.notes:
        sys.stdout.write(shown(note) + "\n")
