"""`advisor chat` and `advisor recommend`: the conversation, with questions and without."""

from __future__ import annotations

import re
import secrets
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from agent import events
from agent.advisor import Advisor
from agent.deploying import ARCHIVE
from agent.settings import Settings
from agent.understanding import llm_nearby
from app.cli.failures import show
from app.cli.printed import ChatLine, print_json
from app.cli.records import Opened, Recommended, ReportPaths
from app.cli.terminal import EventPrinter, console, follow, language, put, shown
from app.wording import as_text, noted_lines, plan_lines
from knowledge.errors import UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent, Recommendation
from knowledge.wording import say
from tools.data_source import DataSource, exists
from tools.report import render_terminal

WORDS_THAT_END = frozenset({"exit", "quit", "bye", "退出", "再见"})
#: an answer may be a path, which begins with a slash too
_COMMAND = re.compile(r"/(?:retry|(?P<edit>edit)(?:\s+#(?P<turn>\d{1,6})(?=\s))?(?:\s+(?P<text>.+))?)", re.DOTALL)
#: what looks like a command; without a further slash it is hardly a path
_SLASH_WORD = re.compile(r"/[^/\s]+")
_EDIT_BY_NUMBER = say("/edit #NUMBER TEXT says one of them differently; what came after is set aside.")


def new_thread() -> str:
    """A name for a new conversation."""
    return f"chat-{secrets.token_hex(4)}"


class LinePrinter(EventPrinter):
    """Prints a conversation's events as lines of JSON; where it is quiet, without those that tell of progress."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(talk=False, quiet=True)
        self._news = not quiet

    def show(self, event: events.Event) -> None:
        """Show one event."""
        super().show(event)
        if self._news or not isinstance(event, events.Progressed):
            print_json(ChatLine(event), lines=True)


def converse(
    settings: Settings,
    thread: str | None,
    data: DataSource | None,
    out: Path | None,
    *,
    as_json: bool = False,
    quiet: bool = False,
) -> None:
    """Talk until the user has had enough."""
    name = thread or new_thread()
    # what is said beside the conversation is no part of it for scripts
    aside, printer = (
        (sys.stderr, LinePrinter(quiet=quiet)) if as_json else (sys.stdout, EventPrinter(talk=True, quiet=quiet))
    )
    with Advisor(settings, report_folder=out) as advisor:
        known = advisor.state(name)
        if as_json:
            print_json(ChatLine(Opened(thread=name)), lines=True)
        if known:
            _show(advisor, name, advisor.resume(name), printer)
        elif not as_json:
            aside.write(shown(say("Tell me what you are building; I ask what I need to know.")) + "\n\n")
            if nearby := llm_nearby.notice(settings):
                aside.write(shown(nearby) + "\n\n")
        while (text := _read("" if as_json else "> ")) is not None:
            if text.strip().lower() in WORDS_THAT_END:
                break
            command = _COMMAND.fullmatch(text.strip())
            if command:
                _take_back(advisor, name, command, printer, aside)
                continue
            if _SLASH_WORD.fullmatch(text.strip()) and not exists(text.strip()):
                _list_commands(text.strip(), aside)
                continue
            follow(text)
            _show(advisor, name, advisor.reply(name, text, data=data), printer)
            data = None
    if not (as_json and quiet):
        aside.write(shown(say("Go on later with: advisor chat --thread {name}", name=name)) + "\n")


def _read(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        if prompt:
            sys.stdout.write("\n")
        return None


def _list_commands(word: str, out: TextIO) -> None:
    """What can be typed, for a word that is meant as a command and is none."""
    out.write(shown(say("There is no command or file {word}. The commands are:", word=word[:100])) + "\n")
    for line in (
        say("/retry has your last message answered again."),
        say("/edit lists your messages with their numbers."),
        say("/edit TEXT says the last one differently."),
        _EDIT_BY_NUMBER,
        say("exit leaves; the conversation is kept."),
    ):
        out.write(f"  {shown(line)}\n")
    out.write("\n")


def _take_back(advisor: Advisor, thread: str, command: re.Match[str], printer: EventPrinter, out: TextIO) -> None:
    """`/retry`, `/edit TEXT` for the last message, `/edit #NUMBER TEXT`, and `/edit` to see the numbers."""
    turns = advisor.turns(thread)
    if command["edit"] and not command["text"]:
        for number, turn in enumerate(turns, start=1):
            out.write(f"{f'#{number}':>5} {' '.join(turn.text.split())[:100] or '-'}\n")
        out.write(shown(_EDIT_BY_NUMBER) + "\n\n")
        return
    wanted = int(command["turn"] or len(turns))
    try:
        if command["edit"]:
            follow(command["text"])
            found = advisor.edit(thread, wanted, command["text"])
        else:
            found = advisor.retry(thread)
        _show(advisor, thread, found, printer)
    except UserError as error:
        show(error)


@contextmanager
def _ctrl_c(stop: Callable[[], bool]) -> Iterator[None]:
    """Ctrl-C ends what runs and not the conversation, where `stop` finds something to end; a second one ends both."""
    pressed = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed or not stop():
            raise KeyboardInterrupt
        pressed = True
        sys.stderr.write("\n" + shown(say("Stopping; what is done so far is kept. Ctrl-C again leaves.")) + "\n")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(advisor: Advisor, thread: str, found: Iterable[events.Event], printer: EventPrinter) -> None:
    waits, told = False, _decision(advisor, thread)
    try:
        with _ctrl_c(lambda: not waits and advisor.cancel(thread)):
            for event in found:
                waits = isinstance(event, events.Queued)
                printer.show(event)
                if isinstance(event, events.Reported) and not isinstance(printer, LinePrinter):
                    if told is None or told != _decision(advisor, thread):
                        print_answer(advisor, thread, event)
                    else:
                        _print_files(event)
                    _print_offer(event)
    except KeyboardInterrupt:
        if not waits:
            raise
        sys.stderr.write(
            "\n" + shown(say("No longer waiting; a message that nobody has begun to answer is withdrawn.")) + "\n\n"
        )
    if printer.failure:
        _print_failure(printer.failure)
        printer.failure = None


def _decision(advisor: Advisor, thread: str) -> Recommendation | None:
    """What was decided and told in full; it is not told again where only something beside it was found."""
    state = advisor.state(thread)
    return state.get("recommendation") if state.get("status") == "done" else None


def _print_offer(event: events.Reported) -> None:
    """What could be done next, and the words for it."""
    if event.answers:
        lines = [event.offer or say("You can go on from here:"), *event.answers]
        put("\n   ".join(map(shown, lines)) + "\n")


def print_answer(advisor: Advisor, thread: str, files: events.Reported | None) -> None:
    """The recommendation with its table and reasons, and where the report is."""
    report = advisor.report(thread)
    assert report
    console().print(render_terminal(report, language()))
    if files:
        _print_files(files)
    sys.stdout.flush()


def _print_files(files: events.Reported) -> None:
    """Where the report is."""
    paths = say("Report: {html}, {markdown}, {json}", html=files.html, markdown=files.markdown, json=files.json_file)
    sys.stdout.write(shown(paths) + "\n")
    archive = Path(files.html).with_name(ARCHIVE)
    if archive.is_file():
        told = say("For production, ready to run: {archive}; its README.md has the steps.", archive=str(archive))
        sys.stdout.write(shown(told) + "\n")
    sys.stdout.write("\n")


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
            print_json(recommended(advisor, thread, files))
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


def recommended(advisor: Advisor, thread: str, files: events.Reported | None) -> Recommended:
    """The decision of a conversation, for scripts."""
    state = advisor.state(thread)
    found = state["recommendation"]
    assert found
    return Recommended(
        **{name: getattr(found, name) for name in Recommendation.model_fields},
        requirements=state["requirements"],
        report=ReportPaths(markdown=files.markdown, html=files.html, json_file=files.json_file) if files else None,
    )
