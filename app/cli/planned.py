"""`--dry-run`: what would be measured, downloaded, sent and paid, and nothing of it done."""

from __future__ import annotations

import sys

from agent import events
from agent.graph import make_context
from agent.planning import plan_only
from agent.settings import Settings
from app.cli.measuring import named_once
from app.cli.printed import print_json
from app.cli.terminal import EventPrinter, ProgressLine, follow, language, put, shown
from app.wording import as_text, noted_lines, plan_lines
from knowledge.catalog_in_use import usable_catalog
from knowledge.measured_task import MeasuredTask
from knowledge.requirements import Requirements
from knowledge.results import Plan
from knowledge.wording import say
from tools.data_source import DataSource
from tools.plan import plan_named


def plan_recommendation(
    settings: Settings,
    requirements: Requirements | None,
    text: str,
    data: DataSource | None,
    specs: list[str],
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    """Print what `recommend` would do, had it every consent; returns the exit code."""
    follow(text)
    printer = EventPrinter(talk=False, quiet=quiet)
    plan: Plan | None = None
    context = make_context(settings)
    try:
        found = plan_only(
            context, requirements=requirements, text=text, data=data, specs=specs, language=settings.language
        )
        for event in found:
            printer.show(event)
            if isinstance(event, events.Noted):
                printer.progress.note(as_text(noted_lines(event, language())))
            elif isinstance(event, events.Planned):
                plan = event.plan
    finally:
        context.guidance.close()
    if printer.failure:
        cause, step = shown(printer.failure.cause), shown(printer.failure.next_step)
        sys.stderr.write(f"{shown(say('Error'))}: {cause}\n  → {step}\n")
        return printer.failure.exit_code
    print_plan(plan, as_json=as_json)
    return 0


def plan_measurement(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    *,
    most: int | None = None,
    task: MeasuredTask | None = None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print what measuring these candidates would cost.

    Args:
        settings: where models may be.
        source: the data.
        candidates: specs.
        most: documents that are encoded at most; None: all of them.
        task: what for; None: what the data has labels for.
        as_json: for scripts.
        quiet: no remarks.
    """
    workspace = settings.workspace()
    specs = named_once(candidates, workspace, ProgressLine(quiet))
    catalog = usable_catalog(workspace.home).catalog
    print_plan(plan_named(specs, source.read(), workspace, catalog, most=most, task=task), as_json=as_json)


def print_plan(plan: Plan | None, *, as_json: bool) -> None:
    """The plan; where there is none, nothing would be measured."""
    if as_json:
        print_json(plan or Plan(candidates=(), documents=0, queries=0))
    elif plan is None:
        sys.stdout.write(shown(say("Nothing would be measured: that takes data with judgments (--data).")) + "\n")
    else:
        put(as_text(plan_lines(plan, language())))
        agree = ["--download"] if plan.download_gb else []
        agree += [f"--send-to {host}" for host in sorted({c.sends_text_to for c in plan.candidates if c.sends_text_to})]
        if agree:
            sys.stdout.write(shown(say("Agree to that with: {options}", options=" ".join(agree))) + "\n")
