"""Events and records as a terminal shows them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from agent import events
from app.wording import as_text, noted_lines, plan_lines, profiled_lines, progress_line, shortlist_lines
from knowledge.progress import Progress
from knowledge.wording import Language, Text, say

if TYPE_CHECKING:
    from rich.console import Console

#: off a terminal (a log file, a pipe), a progress line at most this often, in seconds
QUIET_EVERY = 5.0

_chosen: Language | None = None
_heard: Language | None = None


def choose_language(wanted: Language | None) -> None:
    """Set the language of this process's output."""
    from app.cli.settings import language_set

    language_set.cache_clear()
    global _chosen, _heard
    _chosen, _heard = wanted, None


def chosen_language() -> Language | None:
    """The language that `choose_language` set."""
    return _chosen


def follow(text: str) -> None:
    """Answer in the language of what the user writes, unless one was chosen by option or setting."""
    from agent.understanding.language import reply_language
    from app.cli.settings import language_set

    global _heard
    if text.strip() and not _chosen and not language_set():
        _heard = reply_language(text, _heard)


def language() -> Language:
    """The language to show: the option, else the setting, else the user's words, else the locale's."""
    if _chosen:
        return _chosen
    from app.cli.settings import language_set

    import locale  # isort: skip

    return language_set() or _heard or ("zh" if (locale.getlocale()[0] or "").startswith("zh") else "en")


def shown(text: Text) -> str:
    """A sentence in the language of this terminal."""
    return text.render(language())


def console(stream: TextIO | None = None) -> Console:
    """A rich console; 100 columns where nobody looks."""
    from rich.console import Console

    out = stream or sys.stdout
    return Console(file=out, highlight=False, width=None if out.isatty() else 100, soft_wrap=False)


class ProgressLine:
    """Progress on standard error: one line that is rewritten on a terminal, a line now and then elsewhere."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._open = False
        self._last: tuple[str, float] = ("", float("-inf"))

    def show(self, progress: Progress) -> None:
        """Show how far a step has come."""
        if self._quiet:
            return
        line = f"  {progress_line(progress, language())}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}")
            self._open = True
        else:
            what, told = self._last
            finished = progress.done >= progress.total
            if what == progress.label.template and not finished and time.monotonic() - told < QUIET_EVERY:
                return
            sys.stderr.write(line + "\n")
            self._last = (progress.label.template, time.monotonic())
        sys.stderr.flush()

    def note(self, text: str) -> None:
        """A line of its own."""
        if not self._quiet:
            self.end()
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the rewritten line behind."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


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
            sys.stdout.write(text + "\n\n")
            sys.stdout.flush()

    @staticmethod
    def _question(event: events.Question) -> str:
        lines = [f"? {shown(event.text)}"]
        lines += [f"   {i}. {shown(answer)}" for i, answer in enumerate(event.answers, start=1)]
        return "\n".join(lines)
