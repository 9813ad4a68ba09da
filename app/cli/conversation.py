"""`advisor chat` and `advisor recommend`: the conversation, with questions and without."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path

from agent import events
from agent.advisor import Advisor
from agent.settings import Settings
from agent.understanding import llm_nearby
from app.cli.terminal import EventPrinter, console, follow, language, shown
from app.wording import as_text, noted_lines, plan_lines
from knowledge.requirements import Requirements
from knowledge.results import Consent
from knowledge.wording import say
from tools.data_source import DataSource
from tools.report import render_terminal

WORDS_THAT_END = frozenset({"exit", "quit", "bye", "退出", "再见"})


def new_thread() -> str:
    """A name for a new conversation."""
    return f"chat-{secrets.token_hex(4)}"


def converse(settings: Settings, thread: str | None, data: DataSource | None, out: Path | None) -> None:
    """Talk until the user has had enough."""
    name = thread or new_thread()
    with Advisor(settings, report_folder=out) as advisor:
        printer = EventPrinter(talk=True)
        known = advisor.state(name)
        if known:
            _show(advisor, name, advisor.resume(name), printer)
        else:
            sys.stdout.write(shown(say("Tell me what you are building; I ask what I need to know.")) + "\n\n")
            if nearby := llm_nearby.notice(settings):
                sys.stdout.write(shown(nearby) + "\n\n")
        while (text := _read()) is not None:
            if text.strip().lower() in WORDS_THAT_END:
                break
            follow(text)
            _show(advisor, name, advisor.reply(name, text, data=data), printer)
            data = None
    sys.stdout.write(shown(say("Go on later with: advisor chat --thread {name}", name=name)) + "\n")


def _read() -> str | None:
    try:
        return input("> ")
    except EOFError:
        sys.stdout.write("\n")
        return None


def _show(advisor: Advisor, thread: str, found: Iterable[events.Event], printer: EventPrinter) -> None:
    for event in found:
        printer.show(event)
        if isinstance(event, events.Reported):
            print_answer(advisor, thread, event)
    if printer.failure:
        _print_failure(printer.failure)
        printer.failure = None


def print_answer(advisor: Advisor, thread: str, files: events.Reported | None) -> None:
    """The recommendation with its table and reasons, and where the report is."""
    report = advisor.report(thread)
    assert report
    console().print(render_terminal(report, language()))
    if files:
        sys.stdout.write(
            shown(
                say(
                    "Report: {html}, {markdown}, {json}", html=files.html, markdown=files.markdown, json=files.json_file
                )
            )
            + "\n\n"
        )
    sys.stdout.flush()


def _print_failure(failure: events.Failed) -> None:
    sys.stderr.write(f"{shown(say('Error'))}: {shown(failure.cause)}\n  → {shown(failure.next_step)}\n\n")


def recommend_once(
    settings: Settings,
    requirements: Requirements | None,
    text: str,
    data: DataSource | None,
    specs: list[str],
    consent: Consent,
    out: Path | None,
    *,
    as_json: bool,
    ask: bool,
    quiet: bool,
) -> int:
    """One recommendation; returns the exit code."""
    thread = f"recommend-{secrets.token_hex(4)}"
    follow(text)
    with Advisor(settings, report_folder=out) as advisor:
        printer = EventPrinter(talk=False, quiet=quiet)
        files = _run(advisor, thread, requirements, text, data, specs, consent, printer)
        plan = advisor.state(thread).get("plan")
        if plan and not consent.measure and ask and _agreed(as_text(plan_lines(plan, language()))):
            hosts = frozenset(c.sends_text_to for c in plan.candidates if c.sends_text_to)
            agreed = Consent(measure=True, download=True, hosts=hosts)
            files = _run(advisor, thread, requirements, text, data, specs, agreed, printer)
        if printer.failure:
            _print_failure(printer.failure)
            return printer.failure.exit_code
        if as_json:
            _print_json(advisor, thread, files)
        else:
            print_answer(advisor, thread, files)
        recommendation = advisor.state(thread).get("recommendation")
        return 0 if recommendation and recommendation.winner else 4


def _run(
    advisor: Advisor,
    thread: str,
    requirements: Requirements | None,
    text: str,
    data: DataSource | None,
    specs: list[str],
    consent: Consent,
    printer: EventPrinter,
) -> events.Reported | None:
    files = None
    for event in advisor.recommend(
        thread, requirements=requirements, text=text, data=data, specs=specs, consent=consent
    ):
        printer.show(event)
        if isinstance(event, events.Noted):
            printer.progress.note(as_text(noted_lines(event, language())))
        elif isinstance(event, events.Reported):
            files = event
    return files


def _agreed(plan: str) -> bool:
    sys.stderr.write(plan + "\n")
    sys.stderr.write(shown(say("Measure them now? [y/N]")) + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "j", "是", "好")


def _print_json(advisor: Advisor, thread: str, files: events.Reported | None) -> None:
    state = advisor.state(thread)
    recommendation = state["recommendation"]
    assert recommendation
    found = recommendation.model_dump(mode="json", context={"language": language()})
    found["requirements"] = state["requirements"].model_dump(mode="json")
    if files:
        found["report"] = {"markdown": files.markdown, "html": files.html, "json": files.json_file}
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
