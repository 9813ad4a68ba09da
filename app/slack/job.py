"""A long job as one message: as tasks that Slack draws where it can stream, else as lines that are changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from agent import events
from app.slack import blocks, buttons
from app.slack.deliveries import Deliveries
from app.slack.messages import Outgoing
from app.slack.records import Place
from app.slack.web import Refused, Web
from app.wording import Line, duration, progress_line
from knowledge.progress import Progress
from knowledge.wording import Language, say

#: seconds between two changes of the message; Slack lets an app change about fifty a minute
EVERY = 3.0


class Job:
    """The steps of one conversation that take long.

    The message is known on disk (`Deliveries.keep_job`), so that who goes on after a kill goes on in it.
    """

    def __init__(
        self,
        web: Web,
        deliveries: Deliveries,
        place: Place,
        language: Language,
        user: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._web, self._deliveries, self._place, self._language = web, deliveries, place, language
        self._user, self._clock = user, clock
        self._changed_at = -EVERY
        self._shown: str | None = None
        known = deliveries.job(place.thread) or {}
        self._ts: str | None = known.get("ts")
        self._streams = bool(known.get("streams"))
        self._steps: dict[str, tuple[str, float | None]] = dict(known.get("steps") or {})

    @property
    def open(self) -> bool:
        """Whether a message stands that says that something runs."""
        return self._ts is not None

    def note(self, event: events.StageStarted | events.StageDone) -> None:
        """A step begins or ends."""
        if isinstance(event, events.StageStarted):
            self._steps[event.stage] = (event.text.render(self._language), None)
        elif event.stage in self._steps:
            self._steps[event.stage] = (self._steps[event.stage][0], event.seconds)
        self._show(None, now=True)

    def progress(self, progress: Progress | None) -> None:
        """How far the running step has come; shown when the last change is long enough ago."""
        if self.open and progress is not None:
            self._show(progress, now=False)

    def end(self) -> None:
        """Nothing runs any more: what was not finished was interrupted."""
        if not self.open:
            return
        if self._streams:
            self._web.may(
                lambda: self._web.client.chat_stopStream(
                    channel=self._place.channel, ts=str(self._ts), chunks=self._tasks(None, over=True)
                )
            )
        else:
            self._put(None, over=True)
        self._ts, self._steps, self._shown = None, {}, None
        self._deliveries.keep_job(self._place.thread, None)

    def _show(self, progress: Progress | None, *, now: bool) -> None:
        drawn = "\n".join(line.text for line in self._lines(progress, over=False))
        if drawn == self._shown or (not now and self._clock() - self._changed_at < EVERY):
            return
        if self._ts is None and not self._start():
            self._ts = self._web.post(self._place, self._message(progress, over=False))
        elif self._streams:
            self._append(progress)
        else:
            self._put(progress, over=False)
        self._shown, self._changed_at = drawn, self._clock()
        known = {"ts": self._ts, "streams": self._streams, "steps": self._steps}
        self._deliveries.keep_job(self._place.thread, known)

    def _start(self) -> bool:
        """Begin to stream, where the workspace has that."""
        ending = say("Say “stop” to end it.").render(self._language)  # a stream has no buttons
        to: dict[str, Any] = {}
        if not self._place.direct:
            if self._user is None:
                return False
            to = {"recipient_user_id": self._user, "recipient_team_id": self._place.team}
        try:
            found = self._web.call(
                self._web.client.chat_startStream,
                channel=self._place.channel,
                thread_ts=self._place.ts,
                task_display_mode="timeline",
                chunks=[{"type": "markdown_text", "text": ending}, *self._tasks(None, over=False)],
                **to,
            )
        except Refused:
            return False
        self._ts, self._streams = str(found["ts"]), True
        return True

    def _append(self, progress: Progress | None) -> None:
        """A stream can end by itself; from then on its message is changed like any other."""
        try:
            self._web.call(
                self._web.client.chat_appendStream,
                channel=self._place.channel,
                ts=self._ts,
                chunks=self._tasks(progress, over=False),
            )
        except Refused:
            self._streams = False
            self._put(progress, over=False)

    def _put(self, progress: Progress | None, *, over: bool) -> None:
        try:
            self._web.update(self._place, str(self._ts), self._message(progress, over=over))
        except Refused:  # somebody deleted it
            if not over:
                self._ts = self._web.post(self._place, self._message(progress, over=over))

    def _tasks(self, progress: Progress | None, *, over: bool) -> list[dict[str, Any]]:
        def status(seconds: float | None) -> str:
            return "complete" if seconds is not None else "error" if over else "in_progress"

        return [
            {"type": "task_update", "id": stage, "title": title, "status": status(seconds)}
            | ({"details": progress_line(progress, self._language)} if progress and progress.stage == stage else {})
            for stage, (title, seconds) in self._steps.items()
        ]

    def _message(self, progress: Progress | None, *, over: bool) -> Outgoing:
        made = blocks.lines(self._lines(progress, over=over))
        made += [] if over else blocks.buttons([buttons.stop(self._language)])
        return Outgoing("\n".join(map(blocks.text_of, made)), tuple(made))

    def _lines(self, progress: Progress | None, *, over: bool) -> list[Line]:
        made = []
        for stage, (title, seconds) in self._steps.items():
            if seconds is not None:
                made.append(Line(f"✓ {title} ({duration(seconds)})"))
            elif over:
                made.append(Line(f"✗ {title}: {say('It was interrupted.').render(self._language)}"))
            else:
                far = f" – {progress_line(progress, self._language)}" if progress and progress.stage == stage else ""
                made.append(Line(f"▸ {title}{far}"))
        return made
