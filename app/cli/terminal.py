"""Events and records as a terminal shows them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from agent import events
from knowledge.progress import Progress
from knowledge.results import Plan, Shortlist
from knowledge.wording import Language, Text, say

if TYPE_CHECKING:
    from rich.console import Console

#: off a terminal (a log file, a pipe), a progress line at most this often, in seconds
QUIET_EVERY = 5.0

_chosen: Language | None = None


def choose_language(wanted: Language | None) -> None:
    """Set the language of this process's output."""
    global _chosen
    _chosen = wanted


def language() -> Language:
    """The language to show: the option, else the setting, else the locale's."""
    if _chosen:
        return _chosen
    from agent.settings import Settings

    import locale  # isort: skip

    return Settings().language or ("zh" if (locale.getlocale()[0] or "").startswith("zh") else "en")


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
        line = f"  {shown(progress.label)}: {_share(progress)}{_left(progress)}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}")
            self._open = True
        else:
            stage, told = self._last
            finished = progress.done >= progress.total
            if stage == progress.stage and not finished and time.monotonic() - told < QUIET_EVERY:
                return
            sys.stderr.write(line + "\n")
            self._last = (progress.stage, time.monotonic())
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


def _share(progress: Progress) -> str:
    return f"{min(progress.done / max(progress.total, 1), 1):4.0%}"


def _left(progress: Progress) -> str:
    if progress.done >= progress.total:
        return ", " + shown(say("done after {seconds}", seconds=duration(progress.elapsed_seconds)))
    if progress.eta_seconds is None:
        return ""
    return ", " + shown(say("about {seconds} left", seconds=duration(progress.eta_seconds)))


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def plan_lines(plan: Plan) -> Iterable[str]:
    """The plan, and what it costs."""
    yield shown(
        say(
            "Plan: measure {count} candidates on {queries} queries over {documents} documents.",
            count=len(plan.candidates),
            queries=plan.queries,
            documents=plan.documents,
        )
    )
    width = max(len(c.spec) for c in plan.candidates)
    for c in plan.candidates:
        yield f"  {c.spec:{width}}  {c.minutes:5.1f} min  {shown(c.why)}"
    cost = say(
        "About {minutes:.0f} minutes, {gb:.1f} GB to download, {usd:.2f} US dollars.",
        minutes=max(plan.minutes, 1),
        gb=plan.download_gb,
        usd=plan.usd,
    )
    yield shown(cost)
    hosts = sorted({c.sends_text_to for c in plan.candidates if c.sends_text_to})
    if hosts:
        yield shown(say("Your documents and queries would be sent to: {hosts}.", hosts=", ".join(hosts)))
    else:
        yield shown(say("No text leaves this machine."))
    if plan.not_measured:
        yield shown(say("Cannot be measured here:"))
        for c in plan.not_measured:
            yield f"  {c.spec}: {shown(c.obstacle) if c.obstacle else ''}"


def shortlist_lines(found: Shortlist) -> Iterable[str]:
    """The shortlist with its predictions and reasons."""
    yield shown(
        say(
            "{kept} of {considered} models are worth measuring (predicted {metric}, 80 % interval):",
            kept=len(found.kept),
            considered=found.considered,
            metric=found.kept[0].predicted.metric if found.kept else "",
        )
    )
    for place, pick in enumerate(found.kept, start=1):
        p = pick.predicted
        yield f"{place:2}. {pick.model}  {p.mean:.3f} ({p.low:.3f} – {p.high:.3f})"
        for reason in pick.reasons:
            yield f"      · {shown(reason)}"
        for unknown in pick.unknown:
            yield f"      ? {shown(unknown)}"
    for note in found.notes:
        yield shown(note)


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
            case events.Said():
                self._say(shown(event.text))
            case events.Noted():
                self._say(_noted(event))
            case events.Profiled():
                self._say("\n".join(_profiled(event)))
            case events.Shortlisted():
                self._say("\n".join(shortlist_lines(event.shortlist)))
            case events.Planned():
                self._say("\n".join(plan_lines(event.plan)))
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


def _noted(event: events.Noted) -> str:
    lines = [shown(say("Noted:"))] + [f"  · {shown(change)}" for change in event.changes]
    if event.ignored:
        lines.append(shown(say("I did not understand: {words}", words=event.ignored)))
    return "\n".join(lines)


def _profiled(event: events.Profiled) -> Iterable[str]:
    p = event.profile
    yield shown(
        say(
            "Your data: {documents} documents, {queries} queries, {judgments} judgments.",
            documents=p.dataset.documents,
            queries=p.dataset.queries,
            judgments=p.dataset.judgments,
        )
    )
    if p.document_tokens:
        yield shown(
            say(
                "  Documents have {mean:.0f} tokens on average, 95 % have at most {p95:.0f}.",
                mean=p.document_tokens.mean,
                p95=p.document_tokens.p95,
            )
        )
    if p.dataset.columns:
        yield shown(
            say(
                "  Columns read: {columns}.",
                columns=", ".join(f"{k} ← {v}" for k, v in sorted(p.dataset.columns.items())),
            )
        )
    if p.dataset.skipped:
        yield shown(say("  Left out: {count} entries that cannot be used.", count=p.dataset.skipped))
    if p.dataset.label_origin:
        yield shown(say("  How the labels came about: {origin}", origin=p.dataset.label_origin))
    for warning in p.warnings:
        yield f"  ! {shown(warning)}"
