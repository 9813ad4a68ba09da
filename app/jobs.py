"""Long work that a caller does not wait for: accepted on disk, done by a few threads, taken up again after a kill.

A job belongs to whoever asked for it. A worker holds the job's lock file while it works on it; the lock goes with its
process, so that whoever looks next, this server after a restart or another one, takes the job up. Doing it again costs
nothing that was done: measurements are known by their content.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter

from agent import events
from agent.advisor import Advisor
from agent.context import Context
from app.bug_log import write_bug_log
from knowledge.errors import AdvisorError, UserError
from knowledge.measured_task import MeasuredTask
from knowledge.progress import Progress
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Consent, Evaluation, Recommendation
from knowledge.wording import Text, say
from tools.benchmark import REPEATS, benchmark
from tools.data_source import DataSource
from tools.evaluate import evaluate
from tools.job_store import Job, JobStore, Once
from tools.label_store import with_given
from tools.stopping import Stopped, stoppable

LOG = logging.getLogger(__name__)
JobKind = Literal["recommendation", "evaluation", "benchmark"]
#: jobs of one owner that may be waited for
MOST_OPEN = 100
#: seconds between two looks for jobs that another process left behind, and for the wish to end one
LOOK_EVERY = 1.0
#: seconds between two notes of progress
PROGRESS_EVERY = 1.0

_EVENT: TypeAdapter[events.Event] = TypeAdapter(events.Event)
_RESULTS: dict[str, type[BaseModel]] = {
    "recommendation": Recommendation,
    "evaluation": Evaluation,
    "benchmark": Benchmark,
}


class TooManyJobsError(UserError):
    """As many jobs of this caller are open as may be."""


class Work(BaseModel):
    """What a job is to do.

    Attributes:
        requirements: or `text`: what is needed, for a recommendation.
        source: the data; a recommendation does without.
        candidates: specs; a recommendation chooses where there are none.
        task, metrics: for an evaluation.
        repeats: single queries to time, for a benchmark.
        consent: what may be done that costs something.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirements: Requirements | None = None
    text: str = ""
    source: DataSource | None = None
    candidates: tuple[str, ...] = ()
    task: MeasuredTask | None = None
    metrics: tuple[str, ...] = ()
    repeats: int = REPEATS
    consent: Consent = Consent()


class Jobs:
    """The jobs of this process, and those that others left behind.

    Attributes:
        store: what is known of them.
    """

    def __init__(self, advisor: Advisor, store: JobStore, home: Path, workers: int = 2) -> None:
        self._advisor = advisor
        self.store = store
        self._home = home
        self._workers = workers
        self._threads: list[Thread] = []
        self._news = Condition()
        self._running: set[str] = set()
        self._ending: set[str] = set()
        self._closing = Event()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._lock = Lock()
        #: called with each job that has ended here
        self.on_end: list[Callable[[Job], None]] = []

    # ------------------------------------------------------------ for doors

    def start(self) -> None:
        """Begin to work."""
        for number in range(self._workers):
            thread = Thread(target=self._serve, name=f"jobs-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self, patience: float = 10.0) -> None:
        """End what runs at the next place where nothing is lost; it is taken up again by whoever starts next."""
        self._closing.set()
        with self._news:
            self._news.notify_all()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.01))

    def submit(
        self,
        owner: str,
        kind: JobKind,
        work: Work,
        *,
        hook: dict[str, str] | None = None,
        once: Once | None = None,
    ) -> Job:
        """Accept a job; it is on disk when this returns.

        Raises:
            TooManyJobsError: too many of this owner's are open.
            MadeAlreadyError: a request of this idempotency key was taken meanwhile.
        """
        if self.store.waiting(owner) >= MOST_OPEN:
            raise TooManyJobsError(
                say("{count} of your jobs wait or run already.", count=MOST_OPEN),
                say("Wait until one has ended, or cancel one."),
            )
        name = f"job-{secrets.token_hex(12)}"
        self.store.add_job(name, owner, kind, name, work.model_dump(mode="json"), hook=hook, once=once)
        self.store.keep("thread", name, owner)
        with self._news:
            self._news.notify()
        found = self.store.job(name)
        assert found
        return found

    def cancel(self, job: Job) -> bool:
        """Have it end, at the next place where nothing is lost; False where it has ended already."""
        with self._lock:
            self._ending.add(job.id)
        open_still = self.store.cancel(job.id)
        self._advisor.cancel(job.thread)
        self._tell(job.id)
        return open_still

    @contextmanager
    def listening(self, job: str, listener: Callable[[], None]) -> Iterator[None]:
        """Within this block, `listener` is called from another thread whenever something is noted of the job here."""
        with self._lock:
            self._listeners.setdefault(job, []).append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[job].remove(listener)
                if not self._listeners[job]:
                    del self._listeners[job]

    @property
    def at_work(self) -> bool:
        """Whether all workers are alive."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    # ------------------------------------------------------------ for workers

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                if (taken := self._take()) is not None:
                    job, claim = taken
                    ended = False
                    try:
                        ended = self._work_on(job)
                    finally:
                        claim.release(done=ended)
                    continue
            except AdvisorError as error:  # the disk is full: look again later
                LOG.error("%s", error)
            with self._news:
                self._news.wait(LOOK_EVERY)

    def _take(self) -> tuple[Job, _Claim] | None:
        """The oldest job that nobody works on, with its lock."""
        for name, _ in self.store.open_jobs():
            with self._lock:
                if name in self._running:
                    continue
                self._running.add(name)
            claim = _Claim(self._home / "locks" / f"{name}.job", lambda name=name: self._free(name))  # type: ignore[misc]
            if not claim.acquire():
                continue
            ended = begun = False
            try:
                job = self.store.job(name)
                begun = job is not None and self.store.begin(name)
                ended = not begun
            finally:
                if not begun:
                    claim.release(done=ended)
            if begun and job is not None:
                return job, claim
        return None

    def _free(self, name: str) -> None:
        with self._lock:
            self._running.discard(name)
            self._ending.discard(name)

    def _work_on(self, job: Job) -> bool:
        """Do it; returns whether it has ended."""
        try:
            self.store.keep("thread", job.thread, job.owner)  # a kill may have come between
            state, result, problem = self._outcome(job)
            if state is None:
                return False  # this process ends; the next one goes on
            self.store.finish(job.id, state, result=result, problem=problem)
        finally:
            self._tell(job.id)
        ended = self.store.job(job.id)
        for listener in self.on_end:
            listener(ended or job)
        return True

    def _outcome(
        self, job: Job
    ) -> tuple[Literal["succeeded", "failed", "cancelled"] | None, dict[str, Any] | None, dict[str, Any] | None]:
        """How it ends, with its result or its problem; no state where it is not to end yet."""
        try:
            if job.cancelling:
                raise Stopped
            work = Work.model_validate(job.request)
            with stoppable(lambda: self._is_to_end(job.id)):
                return "succeeded", self._do(job, work), None
        except Stopped:
            return (None, None, None) if self._closing.is_set() and not self._wanted(job) else ("cancelled", None, None)
        except AdvisorError as error:
            return "failed", None, problem_of(error)
        except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file, and its caller an end
            log = write_bug_log(error, self._home)
            LOG.error("bug in job %s: %r (see %s)", job.id, error, log)
            return "failed", None, problem_of(bug(error, log))

    def _wanted(self, job: Job) -> bool:
        return job.id in self._ending or self.store.is_cancelling(job.id)

    def _is_to_end(self, name: str) -> bool:
        return self._closing.is_set() or name in self._ending

    def _do(self, job: Job, work: Work) -> dict[str, Any]:
        if job.kind == "recommendation":
            return self._recommend(job, work)
        assert work.source
        workspace, listen = self._advisor.context.workspace, self._listener(job)
        dataset = self._advisor.context.unjudged(work.source)
        dataset = with_given(dataset, workspace, space_of(job.owner, work.source))
        found: Evaluation | Benchmark
        if job.kind == "evaluation":
            found = evaluate(
                dataset,
                work.candidates,
                workspace,
                task=work.task,
                metrics=work.metrics or None,
                consent=work.consent,
                on_progress=listen,
            )
        else:
            found = benchmark(dataset, work.candidates, workspace, repeats=work.repeats, on_progress=listen)
        return found.model_dump(mode="json")

    def _recommend(self, job: Job, work: Work) -> dict[str, Any]:
        advisor, thread = self._advisor, job.thread
        told = self._told(job, work)
        last = 0.0
        for event in told:
            if self._is_to_end(job.id) or self._asked_elsewhere(job):
                advisor.cancel(thread)
            if isinstance(event, events.Progressed):
                if time.monotonic() - last < PROGRESS_EVERY:
                    continue
                last = time.monotonic()
            self._note(job.id, event)
        state = advisor.state(thread)
        failure, found = state.get("failure"), state.get("recommendation")
        if failure is not None:
            raise _Failed(failure.error, failure.cause, failure.next_step, failure.exit_code)
        if found is None:
            raise Stopped
        self.store.keep("report", found.run_id, job.owner, {"thread": thread})
        return found.model_dump(mode="json")

    def _told(self, job: Job, work: Work) -> Iterable[events.Event]:
        """The conversation's events: from the start, or from where a killed process left it."""
        advisor, thread = self._advisor, job.thread
        if advisor.unfinished(thread):
            return advisor.resume(thread)
        if advisor.state(thread).get("status") in ("done", "failed"):  # killed between its end and the note of it
            return ()
        return advisor.recommend(
            thread,
            requirements=work.requirements,
            text=work.text,
            data=work.source,
            specs=list(work.candidates),
            consent=work.consent,
        )

    def _asked_elsewhere(self, job: Job) -> bool:
        """Whether another process was asked to end this job."""
        return self.store.is_cancelling(job.id)

    def _listener(self, job: Job) -> Callable[[Progress], None]:
        last = 0.0

        def listen(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last < PROGRESS_EVERY and progress.done < progress.total:
                return
            last = time.monotonic()
            if self._asked_elsewhere(job):
                with self._lock:
                    self._ending.add(job.id)
            self._note(job.id, events.Progressed(progress=progress))

        return listen

    def _note(self, job: str, event: events.Event) -> None:
        if isinstance(event, events.Shortlisted):
            # the rejected models, some 900 with their reasons, stay in the conversation's state
            event = event.model_copy(update={"shortlist": event.shortlist.model_copy(update={"rejected": ()})})
        self.store.note(job, event.kind, _EVENT.dump_python(event, mode="json"))
        self._tell(job)

    def _tell(self, job: str) -> None:
        with self._lock:
            listeners = list(self._listeners.get(job, ()))
        for listener in listeners:
            listener()


class _Claim:
    """The lock file of a job that is worked on."""

    def __init__(self, path: Path, free: Callable[[], None]) -> None:
        self._path, self._free = path, free
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path, thread_local=False)

    def acquire(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            self._free()
            return False
        return True

    def release(self, *, done: bool) -> None:
        """Let it go; `done`: for good. Whoever opened the file meanwhile finds that the job has ended."""
        if done:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._lock.release()
        self._free()


class _Failed(AdvisorError):
    """What a conversation failed of."""

    def __init__(self, kind: str, cause: Text, next_step: Text, code: int) -> None:
        super().__init__(cause, next_step)
        self.kind, self.code = kind, code


def problem_of(error: AdvisorError) -> dict[str, Any]:
    """An error as it is kept: its kind, its sentences in any language, its exit code."""
    kind, code = (error.kind, error.code) if isinstance(error, _Failed) else (type(error).__name__, error.exit_code)
    return {
        "error": kind,
        "cause": error.cause.model_dump(mode="json"),
        "next_step": error.next_step.model_dump(mode="json"),
        "exit_code": code,
    }


def bug(error: Exception, log: Path | None) -> AdvisorError:
    """What its caller is told of a bug."""
    return AdvisorError(
        say("This is a bug in the advisor: {error}.", error=type(error).__name__),
        say("Please report it with the log file {name}.", name=log.name if log else "-"),
    )


def space_of(owner: str, source: DataSource) -> str:
    """Whose judgments count in an owner's jobs: of the sample that everybody has, each key's its own."""
    return Context.space_of(source) or ("" if owner == "local" else owner)


def result_of(job: Job) -> BaseModel | None:
    """The record that a job has found; None where it has none."""
    return _RESULTS[job.kind].model_validate(job.result) if job.result is not None else None


def event_of(content: dict[str, Any]) -> events.Event:
    """An event of a conversation as it was kept."""
    return _EVENT.validate_python(content)
