"""Run a job in a child process of its own: its memory is its own, it holds no secrets, and its death is survived.

A job is a function ``work(payload, tell) -> result`` of a module of this package; payload, messages and result are
JSON. The child's standard output carries the messages, its standard error goes to a log file.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Event, Thread
from typing import IO, Any

import knowledge.errors
from knowledge.errors import AdvisorError, ResourceError, make_room
from knowledge.wording import Text, say
from tools import fork_server, stopping
from tools.hardware import usable_cores
from tools.stopping import LOOK_EVERY, stop_point

JOBS = frozenset(
    {
        "tools.encoding",
        "tools.preflight.child",
        "tools.service.child",
        "tools.speed",
        "tools.tokenizer",
        "tools.untrusted.child",
    }
)
#: how a child begins; -P: a folder called `tools` where the user happens to be must not be taken for ours
START = (sys.executable, "-P", "-m", "tools.workers")
#: in place of a job: what forks children
FORK_SERVER = (*START, "--fork")
#: children at once, by what they do: more models would only share the cores and take memory, more readers memory;
#: a reader does not wait for models, because a chat waits for it
ROOM = {"models": BoundedSemaphore(max(2, usable_cores())), "readers": BoundedSemaphore(4)}
Message = dict[str, Any]


class ChildLost(ResourceError):
    """A child was ended for the memory or time it took, or died by itself."""


#: of the parent's environment a child sees only this: models never see a key
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)


def child_environment(threads: int | None = None) -> dict[str, str]:
    """The environment of a child: no keys, no hub, no telemetry; and how many threads numerical libraries begin."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if threads is not None:
        passed |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    root = str(Path(__file__).parents[1])
    return passed | {
        "PYTHONPATH": root,
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        # Arrow's own pools reserve address space by the gigabyte, which a child with a limit on it does not have
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # threads that spin while they wait lose their core to others on a busy machine: with two busy loops beside it,
        # MiniLM's p95 was 116 ms spinning and 16 ms waiting; on an idle machine 11 and 12 ms
        "OMP_WAIT_POLICY": "PASSIVE",
        # glibc gives large blocks back to the kernel at once and gets them again, zeroed, for the next layer: MiniLM at
        # 32 texts a batch took 11 % more CPU time so, and no less memory at its peak
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TRIM_THRESHOLD_": str(2**32),
    }


def run(
    job: str,
    payload: Message,
    *,
    about: str,
    logs: Path,
    on_message: Callable[[Message], None] = lambda message: None,
    memory_mb: int | None = None,
    seconds: float | None = None,
    threads: int | None = None,
    forked: bool = False,
) -> Message:
    """Run a job, as soon as there is room for one more child, and wait for its result.

    Args:
        job: module that has ``work``, one of `JOBS`.
        payload: what it gets.
        about: what it works on, for error messages.
        logs: folder for the child's standard error.
        on_message: called with each message it sends on the way.
        memory_mb: end it when it takes more.
        seconds: end it when it takes longer.
        threads: of numerical libraries; None: as many as they like.
        forked: begin where torch and sentence-transformers are imported already (`tools.fork_server`), if that can be.

    Raises:
        ChildLost: it ran out of memory or time, was killed, or died of a bug (the log is named).
        ResourceError: no log can be written.
        AdvisorError: whatever foreseen error it met itself.
        Stopped: the user wants it to end (see `tools.stopping`).
    """
    assert job in JOBS, job
    with _room(job):
        return _run(job, payload, about, logs, on_message, memory_mb, seconds, threads, forked)


@contextmanager
def _room(job: str) -> Iterator[None]:
    """Wait until there is room for one more child of the kind."""
    room = ROOM["readers" if job == "tools.untrusted.child" else "models"]
    while not room.acquire(timeout=LOOK_EVERY):
        stop_point()
    try:
        yield
    finally:
        room.release()


def _run(
    job: str,
    payload: Message,
    about: str,
    logs: Path,
    on_message: Callable[[Message], None],
    memory_mb: int | None,
    seconds: float | None,
    threads: int | None,
    forked: bool,
) -> Message:
    try:
        logs.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=logs, prefix=f"{job}-", suffix=".log")
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(logs), why=str(error)),
            make_room(error),
        ) from error
    log = Path(name)
    with os.fdopen(handle, "wb") as errors:
        child = _begin(job, errors, child_environment(threads), forked)
    watch = _Watch(child.pid, about, memory_mb, seconds, stopping.asked_by())
    result: Message | None = None
    try:
        assert child.stdin
        assert child.stdout
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(payload).encode() + b"\n")
            child.stdin.flush()
        for message in _messages(child.stdout):
            if "error" in message:
                log.unlink(missing_ok=True)  # it says what it met by itself
                raise _foreseen(message["error"])
            if "no_memory" in message:
                raise _does_not_fit(about, say("memory ran out ({why})", why=message["no_memory"]))
            if "result" in message:
                # all it made is kept: how long its libraries take to say goodbye is of no interest
                result = message["result"]
                break
            on_message(message)
        else:
            child.wait()
    finally:
        watch.stop()
        if child.poll() is None:
            child.kill()
        code = child.wait()
        _close(child)
    if result is None:
        stop_point()
    if result is None and watch.ended:
        raise watch.ended
    if result is None:
        raise _died(about, code, log)
    log.unlink(missing_ok=True)
    return result


def _begin(
    job: str, errors: IO[bytes], environment: dict[str, str], forked: bool
) -> subprocess.Popen[bytes] | fork_server.Forked:
    if forked:
        with contextlib.suppress(fork_server.ForkServerLost):
            child = fork_server.fork(FORK_SERVER, job, errors.fileno(), environment)
            try:
                child.begun(stop_point, LOOK_EVERY)
            except BaseException:
                child.close()
                raise
            return child
    return subprocess.Popen(
        [*START, job], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
    )


def _close(child: subprocess.Popen[bytes] | fork_server.Forked) -> None:
    if isinstance(child, fork_server.Forked):
        child.close()
    else:
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]


def _messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """What the child says; other lines (printed while Python starts, or cut off by its death) are no messages."""
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            yield message


class _Watch:
    """Ends a child that takes more memory or time than it may, or that nobody waits for any more."""

    def __init__(
        self,
        pid: int,
        about: str,
        memory_mb: int | None,
        seconds: float | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.ended: ChildLost | None = None
        self._pid, self._about, self._memory_mb, self._seconds = pid, about, memory_mb, seconds
        self._should_stop = should_stop
        self._done = Event()
        if memory_mb is not None or seconds is not None or should_stop is not None:
            Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        import psutil

        begun = time.monotonic()
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._pid)
            while not self._done.wait(LOOK_EVERY):
                if self._should_stop is not None and self._should_stop():
                    process.kill()
                elif self._memory_mb is not None and process.memory_info().rss > self._memory_mb * 2**20:
                    self.ended = _does_not_fit(
                        self._about,
                        say("it needed more than the {limit} MB of memory allowed for it", limit=self._memory_mb),
                    )
                    process.kill()
                elif self._seconds is not None and time.monotonic() - begun > self._seconds:
                    self.ended = ChildLost(
                        say(
                            "{about} was ended: it took longer than the {seconds} s allowed for it.",
                            about=self._about,
                            seconds=round(self._seconds),
                        ),
                        say("What it did is kept: do the same again to go on, or allow it more time."),
                    )
                    process.kill()

    def stop(self) -> None:
        self._done.set()


def _does_not_fit(about: str, why: Text) -> ChildLost:
    return ChildLost(
        say("{about} does not fit here: {why}.", about=about, why=why),
        say("Allow more, close other programs, or choose a smaller model or precision=bf16. Finished work is kept."),
    )


def _foreseen(error: Message) -> AdvisorError:
    kind = getattr(knowledge.errors, error["kind"])
    found: AdvisorError = kind(Text.model_validate(error["cause"]), Text.model_validate(error["next_step"]))
    return found


def _died(about: str, code: int, log: Path) -> ChildLost:
    if code in (-9, 137):
        return _does_not_fit(about, say("its process was killed, most likely because memory ran out"))
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return ChildLost(
        say(
            "The process working on {about} died (exit {code}): {why}",
            about=about,
            code=code,
            why=lines[-1][:300] if lines else "-",
        ),
        say("Details are in {log}. Finished work is kept; leave this candidate out to go on.", log=str(log)),
    )


def main(job: str) -> None:
    """The child's side."""
    assert job in JOBS, job
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print goes to the log
    _first_to_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what ends
    payload = json.loads(sys.stdin.readline())
    Thread(target=_die_with_parent, daemon=True).start()

    def tell(message: Message) -> None:
        messages.write(json.dumps(message) + "\n")
        messages.flush()

    try:
        tell({"result": importlib.import_module(job).work(payload, tell)})
    except AdvisorError as error:
        tell({"error": _written(error)})
    except Exception as error:
        if not out_of_memory(error):
            raise
        tell({"no_memory": (str(error).strip().splitlines() or [type(error).__name__])[0][:300]})


def out_of_memory(error: Exception) -> bool:
    """Whether memory, of the machine or of a GPU, is what was missing: each library has its own words for it."""
    words = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or any(
        sign in words for sign in ("outofmemory", "out of memory", "not enough memory", "allocate memory")
    )


def _first_to_go() -> None:
    """Where memory runs out the kernel is to end this process, and not the one that waits for it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def _written(error: AdvisorError) -> Message:
    return {
        # a tool's own kind of error is told as the one it is a kind of
        "kind": next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == knowledge.errors.__name__),
        "cause": error.cause.model_dump(mode="json"),
        "next_step": error.next_step.model_dump(mode="json"),
    }


def _die_with_parent() -> None:
    # not through sys.stdin, whose lock this thread would hold while Python shuts down
    while os.read(0, 1):
        pass
    os._exit(1)  # the parent's end of the pipe is gone


if __name__ == "__main__":
    if sys.argv[1] == FORK_SERVER[-1]:
        fork_server.main(int(sys.argv[2]), main)
    else:
        main(sys.argv[1])
