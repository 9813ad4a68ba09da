"""The end of a job, told to an address of its owner's (`app.webhooks`) until it is heard or given up.

It may be told twice where an answer was lost; `webhook-id` is the same then.
"""

from __future__ import annotations

import http.client
import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from app.api.metrics import Metrics
from app.api.problems import ProblemError
from app.api.sent import HookIn
from app.webhooks import PATIENCE, HookRefusedError, check_secret, checked, post, signed
from knowledge.errors import AdvisorError
from knowledge.wording import say
from tools.job_store import Job, JobStore

LOG = logging.getLogger(__name__)
#: seconds to wait before each further try
PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)
LOOK_EVERY = 1.0


def check_hook(hook: HookIn | None, local: bool) -> dict[str, str] | None:
    """A webhook as it is kept; a problem where its address is none that is called, or its secret signs nothing.

    Args:
        hook: as it was sent.
        local: whether only this machine reaches the server; then addresses of this machine are called too.
    """
    if hook is None:
        return None
    check_secret(hook.secret)
    try:
        checked(hook.url, local)
    except HookRefusedError as error:
        raise ProblemError(
            "invalid-request",
            say("The webhook's address is not called: {why}.", why=error.why),
            say("Give an https address that is reachable from everywhere, without user name and password."),
        ) from error
    return {"url": hook.url, "secret": hook.secret}


class Hooks:
    """Tells the ends of jobs, in a thread of its own.

    Args:
        store: the jobs.
        body_of: what is told of a job.
        local: whether addresses of this machine are called too.
    """

    def __init__(self, store: JobStore, body_of: Callable[[Job], Any], metrics: Metrics, local: bool) -> None:
        self._store, self._body_of, self._metrics, self._local = store, body_of, metrics, local
        self._news, self._closing = Event(), Event()
        self._thread = Thread(target=self._serve, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def close(self) -> None:
        """Tell no more; what is owed is told by whoever starts next."""
        self._closing.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE + 1)

    def look(self) -> None:
        """There may be something to tell."""
        self._news.set()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._news.wait(LOOK_EVERY)
            self._news.clear()
            try:
                for job in self._store.owed(time.time()):
                    if self._closing.is_set():
                        return
                    self._tell(job)
            except AdvisorError as error:  # the disk is full: look again later
                LOG.error("%s", error)

    def _tell(self, job: Job) -> None:
        assert job.hook
        try:
            message = signed(f"job.{job.state}", self._body_of(job), job.id, job.hook["secret"])
            status = post(job.hook["url"], message, self._local)
            outcome = str(status)
            heard = 200 <= status < 300
        except HookRefusedError as error:
            outcome, heard = f"not called: {error.why}", False
        except (OSError, http.client.HTTPException) as error:
            outcome, heard = f"failed: {type(error).__name__}", False
        last = job.hook_tries >= len(PAUSES)
        due = None if heard or last else time.time() + PAUSES[job.hook_tries]
        self._store.tried(job.id, due=due, outcome=outcome)
        self._metrics.hook("heard" if heard else "given_up" if last else "failed")
