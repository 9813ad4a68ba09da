"""Tells Slack what is said in conversations.

The transcript is what there is to tell; how much of it was told is kept beside it (`Deliveries.told`). So what a killed
process said and did not post is posted by the next one, and nothing is posted twice but, at worst, the one message that
was under way.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from filelock import FileLock

from agent import events
from agent.advisor import Advisor
from app.bug_log import write_bug_log
from app.conversations import Conversations
from app.slack.deliveries import Deliveries, Told
from app.slack.job import Job
from app.slack.messages import Outgoing, groups, is_job, outgoing
from app.slack.records import Place
from app.slack.web import Refused, Unreachable, Web
from knowledge.doors import through
from knowledge.results import Plan
from knowledge.wording import Language, say

LOG = logging.getLogger(__name__)
#: seconds that words wait for what belongs to them, while something is worked on
HOLD = 10.0
#: seconds between two looks at a job, and between two tries to reach Slack: the first and the longest
LOOK, FIRST_TRY, LAST_TRY = 0.5, 1.0, 60.0
#: what Slack says of what this workspace or installation does not have, now or later
NEVER = frozenset({"missing_scope", "unknown_method", "not_allowed_token_type", "no_permission"})
#: what a report's files are called in Slack
REPORTS = ("html", "markdown")


@dataclass
class _Turn:
    """Whose message is being answered, and what has been shown of it.

    Attributes:
        begun: whether the interview has begun.
        handed: whether data came with the message that is being answered.
        status: whether Slack shows that something is being worked on.
    """

    user: str | None = None
    begun: bool = False
    handed: bool = False
    status: bool = False
    plan: Plan | None = None
    held_since: float | None = None


class Teller:
    """Posts what there is to tell. One background thread for each conversation in which there is something."""

    def __init__(self, conversations: Conversations, deliveries: Deliveries, web: Web, home: Path) -> None:
        self._conversations, self._deliveries, self._web, self._home = conversations, deliveries, web, home
        self._locks = home / "slack" / "locks"
        self._locks.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._woken: dict[str, Event] = {}
        self._has_no_status = False
        #: held while it is noted who said a message, so that nobody is answered before that
        self.speaking = Lock()

    @property
    def _advisor(self) -> Advisor:
        return self._conversations.advisor

    def wake(self, thread: str) -> None:
        """There may be something to tell."""
        with self._lock:
            known = self._woken.get(thread)
            if known is not None:
                known.set()
                return
            self._woken[thread] = woken = Event()
        Thread(target=self._work, args=(thread, woken), name=f"tell {thread}", daemon=True).start()

    def idle(self) -> bool:
        """Whether nothing is being told."""
        with self._lock:
            return not self._woken

    @through("talk")
    def _work(self, thread: str, woken: Event) -> None:
        wait = FIRST_TRY
        while True:
            woken.clear()
            try:
                place = self._deliveries.place(thread)
                if place is not None:
                    with FileLock(self._locks / f"{thread}.lock", thread_local=False):
                        self._tell(thread, place, woken)
                wait = FIRST_TRY
            except Unreachable as error:
                LOG.warning("Slack cannot be told now: %s", error)
                time.sleep(wait)
                wait = min(wait * 2, LAST_TRY)
                continue
            except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file, the server goes on
                LOG.error("bug in telling Slack: %r (see %s)", error, write_bug_log(error, self._home))
            with self._lock:
                if not woken.is_set():
                    del self._woken[thread]
                    return

    def _tell(self, thread: str, place: Place, woken: Event) -> None:
        """Tell all that there is, until nothing is worked on any more."""
        language = self._language(thread)
        turn = self._turn_so_far(thread)
        job = Job(self._web, self._deliveries, place, language, turn.user)
        while True:
            woken.clear()
            busy = self._conversations.now(thread).busy
            waits = self._tell_new(thread, place, turn, job, busy=busy)
            job.progress(self._conversations.now(thread).progress)
            if not busy and not waits:
                job.end()
                self._show_status(place, turn, None)
                return
            woken.wait(LOOK)

    def _turn_so_far(self, thread: str) -> _Turn:
        """What is known of the conversation from what was told before."""
        told = self._deliveries.told(thread)
        new = self._advisor.transcript.read(thread, told.read)[0]
        every = self._advisor.transcript.read(thread)[0]
        turn = _Turn()
        for event in every[: len(every) - len(new) + told.told]:
            self._note(thread, turn, event)
        return turn

    def _note(self, thread: str, turn: _Turn, event: events.Event) -> None:
        if isinstance(event, events.Heard) and event.number is not None:
            with self.speaking:
                speakers = self._deliveries.speakers(thread)
            turn.user = speakers.get(event.number)
            turn.handed = event.data is not None
        elif isinstance(event, events.Question):
            turn.begun = True
        elif isinstance(event, events.Planned):
            turn.plan = event.plan

    def _tell_new(self, thread: str, place: Place, turn: _Turn, job: Job, *, busy: bool) -> bool:
        """Tell what is new; whether words are held back for what belongs to them."""
        told = self._deliveries.told(thread)
        new, read = self._advisor.transcript.read(thread, told.read)
        for group in groups(new):
            if group.end <= told.told:
                continue
            fresh = group.events[max(0, told.told - (group.end - len(group.events))) :]
            if busy and not group.closed and not self._held_long_enough(turn):
                return True
            turn.held_since = None
            self._tell_group(thread, place, turn, job, fresh)
            told = Told(told.read, group.end)
            self._deliveries.tell(thread, told)
        if new:
            self._deliveries.tell(thread, Told(read, 0))
        return False

    @staticmethod
    def _held_long_enough(turn: _Turn) -> bool:
        if turn.held_since is None:
            turn.held_since = time.monotonic()
        return time.monotonic() - turn.held_since >= HOLD

    def _tell_group(self, thread: str, place: Place, turn: _Turn, job: Job, fresh: list[events.Event]) -> None:
        language = self._language(thread)
        for event in fresh:
            self._note(thread, turn, event)
            if isinstance(event, events.Heard):
                self._show_status(place, turn, say("is thinking …").render(language))
            elif is_job(event) and isinstance(event, events.StageStarted | events.StageDone):
                self._do(partial(job.note, event))
        if any(isinstance(e, events.Question | events.Failed | events.Recommended) for e in fresh):
            job.end()
        several = len(set(self._deliveries.speakers(thread).values())) > 1
        user = turn.user if several else None
        made = outgoing(fresh, language, begun=turn.begun, handed=turn.handed, plan=turn.plan, user=user)
        if any(isinstance(e, events.Failed) for e in fresh):
            turn.handed = False
        for message in made:
            self._do(partial(self._web.post, place, message))
        reported = next((e for e in fresh if isinstance(e, events.Reported)), None)
        if reported is not None and turn.begun:
            self._hand_over(place, reported, language)

    def _hand_over(self, place: Place, reported: events.Reported, language: Language) -> None:
        """Put the report's files into the thread; where that is not allowed, say where they are."""
        client = self._web.client
        files = [Path(getattr(reported, kind)) for kind in REPORTS]
        run = files[0].parent.name
        uploads = [{"file": str(file), "filename": f"{run}-{file.name}", "title": file.name} for file in files]
        comment = say("The report; open the HTML file in a browser.").render(language)
        try:
            self._web.call(
                client.files_upload_v2,
                file_uploads=uploads,
                channel=place.channel,
                thread_ts=place.ts,
                initial_comment=comment,
            )
        except Refused as error:
            told = say(
                "I may not upload the report here ({why}). The server has it: run {run}.", why=error.why, run=run
            )
            self._do(partial(self._web.post, place, Outgoing(told.render(language))))

    def _do(self, what: Callable[[], Any]) -> None:
        """Do something that Slack may refuse for good: then it is left out."""
        try:
            what()
        except Refused as error:
            LOG.warning("Slack refuses: %s", error.why)

    def _show_status(self, place: Place, turn: _Turn, status: str | None) -> None:
        """Say under the thread that something is being worked on, where the workspace has that."""
        if (status is None and not turn.status) or self._has_no_status:
            return
        turn.status = False
        try:
            self._web.call(
                self._web.client.assistant_threads_setStatus,
                channel_id=place.channel,
                thread_ts=place.ts,
                status=status or "",
            )
            turn.status = status is not None
        except Refused as error:
            self._has_no_status = error.why in NEVER
        except Unreachable as error:
            LOG.info("Slack: %s", error)

    def _language(self, thread: str) -> Language:
        return self._advisor.state(thread).get("language") or "en"
