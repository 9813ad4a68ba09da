"""Events and records as a terminal shows them."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO

from agent import events
from app.cli.settings import give_language, language_set
from app.wording import as_text, noted_lines, plan_lines, profiled_lines, progress_line, shortlist_lines, time_left
from knowledge.progress import Progress as News
from knowledge.wording import Language, Text, say
from tools.report.wrapped import wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

#: off a terminal (a log file, a pipe), a step that goes on for long says so this often, in seconds
QUIET_EVERY = 60.0

_heard: Language | None = None


def choose_language(wanted: Language | None) -> None:
    """Set the language of this process's output."""
    global _heard
    give_language(wanted)
    _heard = None


def follow(text: str) -> None:
    """Answer in the language of what the user writes, unless one was chosen by option or setting."""
    from agent.understanding.language import reply_language

    global _heard
    if text.strip() and not language_set():
        _heard = reply_language(text, _heard)


def language() -> Language:
    """The language to show: the option, else the setting, else the user's words, else the locale's."""
    import locale

    return language_set() or _heard or ("zh" if (locale.getlocale()[0] or "").startswith("zh") else "en")


def shown(text: Text) -> str:
    """A sentence in the language of this terminal."""
    return text.render(language())


def put(text: str) -> None:
    """Write lines to standard output: on a terminal broken to its width, elsewhere as they are."""
    if sys.stdout.isatty():
        text = wrapped(text, shutil.get_terminal_size().columns)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def console(stream: TextIO | None = None) -> Console:
    """A rich console; 100 columns where nobody looks."""
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:  # rich ends the program with 1, as after a bug; the door has its own code
            raise BrokenPipeError

    out = stream or sys.stdout
    return Piped(file=out, highlight=False, width=None if out.isatty() else 100, soft_wrap=False)


class ProgressLine:
    """Progress on standard error: a bar on a terminal, elsewhere a line at the start, the end, and rarely between."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._told: tuple[str, float] = ("", float("-inf"))

    def show(self, news: News) -> None:
        """Show how far a step has come."""
        if self._quiet:
            return
        if self._animates():
            self._show_bar(news)
            return
        what, told = self._told
        finished = news.done >= news.total
        if what == news.label.template and not finished and time.monotonic() - told < QUIET_EVERY:
            return
        sys.stderr.write(f"  {progress_line(news, language())}\n")
        sys.stderr.flush()
        self._told = (news.label.template, time.monotonic())

    def _show_bar(self, news: News) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        label = shown(news.label)
        if self._bar is not None and self._bar.tasks[0].description != label:
            self.end()
        if self._bar is None:
            words = (TextColumn("  {task.description}", markup=False), BarColumn(bar_width=24))
            self._bar = Progress(
                *words,
                TextColumn("{task.percentage:>3.0f}%", markup=False),
                TextColumn("{task.fields[left]}", markup=False),
                console=console(sys.stderr),
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task(label, total=1.0, left="")
            self._bar.start()
            self._bar.console.show_cursor(True)  # whoever kills this process wants it back
            _open.add(self)
        share = min(news.done / max(news.total, 1), 1.0)
        self._bar.update(self._bar.tasks[0].id, completed=share, left=time_left(news, language()))

    @staticmethod
    def _animates() -> bool:
        """Whether standard error is a terminal that can rewrite a line."""
        out = console(sys.stderr)
        return out.is_terminal and not out.is_dumb_terminal

    def note(self, text: str) -> None:
        """A line of its own."""
        if not self._quiet:
            self.end()
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the bar behind."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        _open.discard(self)


#: those that show a bar right now
_open: set[ProgressLine] = set()


def end_progress() -> None:
    """Leave every bar behind, for what is printed now is no progress."""
    for line in tuple(_open):
        line.end()


class EventPrinter:
    """Prints a conversation's events; `talk` says whether the conversation itself is shown or only its results."""

    def __init__(self, *, talk: bool, quiet: bool = False) -> None:
        self._talk = talk
        self.progress = ProgressLine(quiet)
        self.question: events.Question | None = None
        self.failure: events.Failed | None = None

    def show(self, event: events.Event) -> None:
        """Show one event."""
        match event:
            case events.Progressed():
                self.progress.show(event.progress)
            case events.StageStarted():
                self.progress.note(f"{shown(event.text)} …")
            case events.StageDone():
                self.progress.end()
            case events.Failed():
                self.failure = event
                self.question = None
            case events.Question():
                self.question = event
                self._say(self._question(event))
            case events.Queued():
                self._say(
                    shown(
                        say(
                            "This conversation is busy: waiting for {ahead} before you. Ctrl-C ends the waiting.",
                            ahead=event.ahead,
                        )
                    )
                )
            case events.Said():
                self._say(shown(event.text))
            case events.Noted():
                self._say(as_text(noted_lines(event, language())))
            case events.Profiled():
                self._say(as_text(profiled_lines(event, language())))
            case events.Shortlisted():
                self._say(as_text(shortlist_lines(event.shortlist, language())))
            case events.Planned():
                self._say(as_text(plan_lines(event.plan, language())))
            case _:
                pass

    def _say(self, text: str) -> None:
        if self._talk:
            self.progress.end()
            put(text + "\n")

    @staticmethod
    def _question(event: events.Question) -> str:
        lines = [f"? {shown(event.text)}"]
        lines += [f"   {i}. {shown(answer)}" for i, answer in enumerate(event.answers, start=1)]
        return "\n".join(lines)
