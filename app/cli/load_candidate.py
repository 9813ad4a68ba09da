"""`advisor load` with a candidate: served from a process of its own on this machine; its best settings with --tune."""

from __future__ import annotations

import sys

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.failures import INTERRUPTED
from app.cli.load import Asked, exit_code, show, told_if_nothing_is_kept
from app.cli.measuring import named_once
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.quantities import milliseconds, rate
from knowledge.results.load import LoadPlan
from knowledge.results.service import ServiceSettings, Tuning, TuningStep
from knowledge.wording import Text, join, say
from tools.data_source import DataSource
from tools.load.planning import enough
from tools.load.texts import texts_of
from tools.load.words import limits_line
from tools.profile import estimated_tokens
from tools.service import Settings as ServiceSettingsGiven
from tools.service.stage import load_candidate
from tools.service.tuning import EACH_SECONDS, most_settings
from tools.service.tuning import tune as find_settings
from tools.service.words import FACTORS, notes_on_tuning, tuned, tuning_line

SEMICOLON = Text(template="; ")


def plan(
    settings: Settings,
    source: DataSource,
    asked: Asked,
    given: ServiceSettingsGiven,
    *,
    tune: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print what the test would do, or the search for the best settings; no text leaves this machine."""
    (spec,) = named_once([asked.target], settings.workspace(), ProgressLine(quiet))
    enough(asked.course.limits)
    texts = texts_of(source.read())
    tried = most_settings(spec, given) if tune else None
    requests = asked.course.limits.requests * (tried or 1)
    tokens = sum(map(estimated_tokens, texts.texts)) / len(texts.texts) * requests
    found = LoadPlan(
        target=spec,
        origin=texts.origin,
        texts=len(texts.texts),
        requests=requests,
        seconds=asked.course.limits.seconds,
        tokens=round(tokens),
        usd=0.0,
        settings=tried,
    )
    if as_json:
        print_json(found)
        return
    line = limits_line(found.seconds, found.requests)
    if tried is not None:
        line = tuning_line(tried, _each_seconds(asked), found.seconds)
    sys.stdout.write(f"{spec}\n{shown(line)}\n")
    sys.stdout.write(shown(say("It runs here, in a process of its own: no text leaves this machine.")) + "\n")


def _each_seconds(asked: Asked) -> float:
    """Of load for each setting: less leaves no room beside warming up."""
    return max(EACH_SECONDS, 2 * asked.course.limits.step_seconds)


def test(
    settings: Settings, source: DataSource, asked: Asked, given: ServiceSettingsGiven, *, as_json: bool, quiet: bool
) -> int:
    """Test it and print what it holds; returns the exit code."""
    workspace, line = settings.workspace(), ProgressLine(quiet)
    enough(asked.course.limits)
    (spec,) = named_once([asked.target], workspace, line)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    with told_if_nothing_is_kept():
        found = load_candidate(
            spec,
            dataset,
            workspace,
            asked.course,
            settings=given,
            on_progress=line.show,
        )
    line.end()
    if as_json:
        print_json(found)
    else:
        show(found)
        if found.service:
            of = found.service
            told = say(
                "Served with {settings} over {documents:,} documents: {load:.1f} s to load, {index:.1f} s to index, "
                "{first} for the first query of all.",
                settings=_settings(of.settings),
                documents=of.documents,
                load=of.load_seconds,
                index=of.index_seconds,
                first=milliseconds(of.first_query_ms),
            )
            sys.stdout.write(shown(told) + "\n")
    return exit_code(found)


def tuning(
    settings: Settings, source: DataSource, asked: Asked, given: ServiceSettingsGiven, *, as_json: bool, quiet: bool
) -> int:
    """Find the best settings and print all that were tried; returns the exit code."""
    workspace, line = settings.workspace(), ProgressLine(quiet)
    (spec,) = named_once([asked.target], workspace, line)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    with told_if_nothing_is_kept():
        found = find_settings(
            spec,
            dataset,
            workspace,
            goal=asked.course.goal,
            settings=given,
            seconds=asked.course.limits.seconds,
            each_seconds=_each_seconds(asked),
            on_progress=line.show,
        )
    line.end()
    if as_json:
        print_json(found)
    else:
        show_tuning(found)
    return INTERRUPTED if found.ended else 0


def show_tuning(found: Tuning) -> None:
    """The best first, then every setting as a row."""
    sys.stdout.write(shown(tuned(found)) + "\n")
    title = say("Queries a second at p95 under {goal}", goal=milliseconds(found.goal_p95_ms))
    table = Table(title=Plain(shown(title)), title_justify="left")
    for name in (say("changed"), say("candidate"), say("settings")):
        table.add_column(shown(name), overflow="fold")
    for name in (say("holds"), say("p95 ms")):
        table.add_column(shown(name), justify="right", no_wrap=True)
    for number, step in enumerate(found.steps):
        mark = " ✓" if number == found.best else ""
        held = rate(step.holds_qps) + mark if step.holds_qps else "–"
        table.add_row(
            *map(Plain, (shown(FACTORS[step.factor]), step.spec, shown(_settings(step.settings)), held, _p95(step)))
        )
    console().print(table)
    for step in found.steps:
        if step.failed is not None:
            told = say("{spec} ({settings}): {why}", spec=step.spec, settings=_settings(step.settings), why=step.failed)
            sys.stdout.write(shown(told) + "\n")
    for note in notes_on_tuning(found):
        sys.stdout.write(shown(note) + "\n")
    sys.stderr.write(f"{found.run_id}\n")


def _p95(step: TuningStep) -> str:
    return f"{step.p95_ms:,.4g}" if step.p95_ms is not None else "–"


def _settings(of: ServiceSettings) -> Text:
    threads = say("threads as the libraries take them") if of.threads is None else say("{n} threads", n=of.threads)
    batch = say("at most {n} a batch", n=of.max_batch)
    return join([threads, batch, say("wait {ms:g} ms", ms=of.max_wait_ms)], SEMICOLON)
