"""A process that has imported the heavy libraries once, and forks a child for each job: a child begins in milliseconds.

Importing torch and sentence-transformers takes five seconds of a core, in every child anew. Python's own fork server
would hand on the environment of this process, whose keys no child may see (`tools.workers`), hence this one. Between
the two processes there is a socket for packets: each asks for one child and carries its environment, the ends of its
pipes, its log, and a line on which the server says the child's number and, later, how it ended. Linux only: elsewhere
libraries do not survive a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import IO, Any, NoReturn

#: what every encoder of a transformer imports
LIBRARIES = ("sentence_transformers",)
#: seconds without a child after which the server ends: it holds half a GB
IDLE = 300.0
#: bytes of the longest packet that is read
_LONGEST = 65_536
#: what libraries read while they are imported: a child that needs another value of these cannot be forked
READ_AT_IMPORT = ("LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ForkServerLost(Exception):
    """The server does not answer: the job can run in a process that begins from nothing."""


class Forked:
    """A child of the server, used as `subprocess.Popen` is: `stdin` and `stdout` are the ends of its pipes."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], line: socket.socket) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.pid = 0
        self.returncode: int | None = None
        self._line = line
        self._process: Any = None

    def begun(self, stop_point: Callable[[], None], every: float) -> None:
        """Wait until the child is there, looking so often whether that is still wanted.

        Raises:
            ForkServerLost: the server ended before.
        """
        import psutil

        while not select.select([self._line], [], [], every)[0]:
            stop_point()
        told = self._line.recv(_LONGEST)
        if not told:
            raise ForkServerLost
        self.pid = int(told)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process = psutil.Process(self.pid)

    def poll(self) -> int | None:
        """How it ended: its exit code, the negative number of a signal, or None while it runs."""
        if self.returncode is None and select.select([self._line], [], [], 0)[0]:
            told = self._line.recv(_LONGEST)
            # a server that was killed cannot say how its child ended, which then nobody waits for
            self.returncode = int(told) if told else -signal.SIGKILL
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        if self.returncode is None:
            select.select([self._line], [], [])
        code = self.poll()
        assert code is not None
        return code

    def kill(self) -> None:
        """End it; the process itself, never another that was given its number later."""
        import psutil

        with contextlib.suppress(psutil.Error):
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Close all that leads to it."""
        for end in (self.stdin, self.stdout, self._line):
            with contextlib.suppress(OSError):
                end.close()


class ForkServer:
    """This side of the server; it ends with this process, and after some time without a child."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Begin it, in this environment; the command gets the number of its socket, for `main`."""
        self._environment, self._owner = dict(environment), os.getpid()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                pass_fds=(theirs.fileno(),),
            )

    @property
    def serves(self) -> bool:
        """Whether it is this process's own, and alive."""
        return self._owner == os.getpid() and self._process.poll() is None

    def fork(self, job: str, errors: int, environment: Mapping[str, str]) -> Forked:
        """Ask for a child that runs a job, its standard error to this descriptor; `Forked.begun` waits for it.

        Raises:
            ForkServerLost: it does not listen, imported libraries with other settings, or is asked too much at once.
        """
        packet = json.dumps({"job": job, "environment": dict(environment)}).encode()
        differs = any(self._environment.get(name) != environment.get(name) for name in READ_AT_IMPORT)
        if differs or len(packet) > _LONGEST:
            raise ForkServerLost
        line, its_line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        its_stdin, stdin = os.pipe()
        stdout, its_stdout = os.pipe()
        child = Forked(os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), line)
        try:
            socket.send_fds(self._socket, [packet], [its_stdin, its_stdout, errors, its_line.fileno()])
        except OSError as error:
            child.close()
            raise ForkServerLost from error
        finally:
            os.close(its_stdin)
            os.close(its_stdout)
            its_line.close()
        return child

    def close(self) -> None:
        """End it, with what it has not begun yet."""
        self._socket.close()
        if self._owner == os.getpid():
            self._process.kill()
            self._process.wait()


_lock = Lock()
_server: ForkServer | None = None


def fork(command: Sequence[str], job: str, errors: int, environment: Mapping[str, str]) -> Forked:
    """A child of the one server of this process, which begins, by this command, with the first.

    Raises:
        ForkServerLost: it cannot be had.
    """
    global _server
    if sys.platform != "linux":
        raise ForkServerLost
    with _lock:
        if _server is None or not _server.serves:
            if _server is None:
                atexit.register(_close)
            else:
                _server.close()
            try:
                _server = ForkServer(command, environment)
            except OSError as error:
                raise ForkServerLost from error
        return _server.fork(job, errors, environment)


def _close() -> None:
    if _server is not None:
        _server.close()


def serve(asked: socket.socket, run: Callable[[str], None]) -> None:
    """The server's side: fork a child for each packet, say how each ended, and end when nobody can ask any more."""
    woken, wakes = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what ends
    lines: dict[int, socket.socket] = {}
    while True:
        ready = select.select([asked.fileno(), woken], [], [], None if lines else IDLE)[0]
        if not ready:
            return
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, _LONGEST)
        _tell_ends(lines)
        if asked.fileno() not in ready:
            continue
        packet, ends, _, _ = socket.recv_fds(asked, _LONGEST, 4)
        if not packet:
            return
        stdin, stdout, errors, line = ends
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, end in enumerate((stdin, stdout, errors)):
                os.dup2(end, number)
            for end in (*ends, woken, wakes, asked.fileno(), *(of.fileno() for of in lines.values())):
                os.close(end)
            _child(json.loads(packet), run)
        lines[pid] = socket.socket(fileno=line)
        with contextlib.suppress(OSError):
            lines[pid].send(str(pid).encode())
        for end in (stdin, stdout, errors):
            os.close(end)


def _tell_ends(lines: dict[int, socket.socket]) -> None:
    """Say of each child that ended how it did."""
    while lines:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with lines.pop(pid) as line, contextlib.suppress(OSError):
            line.send(str(os.waitstatus_to_exitcode(status)).encode())


def _child(asked: dict[str, Any], run: Callable[[str], None]) -> NoReturn:
    """Run the job and end, without what the server would do at its own end."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        tempfile.tempdir = None  # it may be another one
        run(asked["job"])
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the server must not go on here
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def main(descriptor: int, run: Callable[[str], None]) -> None:
    """Import what children need, then fork one for each job that is asked for on this socket, to run it."""
    for name in LIBRARIES:
        # a child meets what is wrong with a library by itself, and says it
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # or the first collection in a child would touch, and so copy, all there is
    serve(socket.socket(fileno=descriptor), run)
