"""The process that forks children: what ends it, what it survives, and that a job runs without it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Timer

import psutil
import pytest

from tools import fork_server, stopping, workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux only")

JOB = """
import os, sys, time, types
job = types.ModuleType("job_for_tests")
def work(payload, tell):
    tell({"pid": os.getpid(), "parent": os.getppid(), "ready": "knowledge.wording" in sys.modules})
    time.sleep(payload["seconds"])
    return {"pid": os.getpid(), "threads": os.environ.get("OMP_NUM_THREADS")}
job.work = work
sys.modules["job_for_tests"] = job
from tools import fork_server, workers
workers.JOBS |= {"job_for_tests"}
fork_server.LIBRARIES = ()
"""


def command(then):
    return (sys.executable, "-P", "-c", f"{JOB}\n{then}")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "FORK_SERVER", command("fork_server.main(int(sys.argv[1]), workers.main)"))
    monkeypatch.setattr(workers, "START", command("workers.main(sys.argv[1])"))
    monkeypatch.setattr(workers, "JOBS", workers.JOBS | {"job_for_tests"})
    monkeypatch.setattr(fork_server, "_server", None)

    def work(seconds=0.0, on_message=lambda message: None, threads=None):
        payload = {"seconds": seconds}
        return workers.run(
            "job_for_tests",
            payload,
            about="x",
            logs=tmp_path,
            on_message=on_message,
            threads=threads,
            forked=True,
        )

    yield work
    if fork_server._server is not None:
        fork_server._server.close()


def server():
    return psutil.Process(fork_server._server._process.pid)


def test_children_are_forked_by_one_server_several_at_once(run):
    heard = []
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: run(0.3, heard.append), range(4)))
    assert {message["parent"] for message in heard} == {server().pid}
    assert all(message["ready"] for message in heard)
    assert len({of["pid"] for of in told}) == 4
    assert not any(psutil.pid_exists(of["pid"]) for of in told), "each is waited for, and none stays as a zombie"
    assert server().num_fds() < 20, "nothing of a child's stays open"


def test_the_server_is_killed_and_another_begins(run):
    killed = []

    def kill(message):
        killed.append(message)
        os.kill(message["parent"], signal.SIGKILL)

    assert run(0.5, kill)["pid"] == killed[0]["pid"], "its child goes on, and what it made comes back"
    heard = []
    run(on_message=heard.append)
    assert heard[0]["parent"] not in (killed[0]["parent"], os.getpid())


def test_a_server_that_does_not_begin_costs_no_job(run, monkeypatch):
    monkeypatch.setattr(workers, "FORK_SERVER", (sys.executable, "-c", "raise SystemExit(3)"))
    heard = []
    run(on_message=heard.append)
    assert heard[0]["parent"] == os.getpid()


def test_other_threads_than_the_libraries_were_imported_with_need_a_process_of_their_own(run):
    run()
    heard = []
    assert run(on_message=heard.append, threads=1)["threads"] == "1"
    assert heard[0]["parent"] == os.getpid()


def test_to_stop_does_not_wait_for_the_imports(run, monkeypatch):
    monkeypatch.setattr(workers, "FORK_SERVER", command("import time; time.sleep(30)"))
    stop = Event()
    begun = time.monotonic()
    Timer(0.3, stop.set).start()
    with stopping.stoppable(stop.is_set), pytest.raises(stopping.Stopped):
        run()
    assert time.monotonic() - begun < 15


def test_a_server_without_children_ends_by_itself(run, monkeypatch):
    monkeypatch.setattr(
        workers, "FORK_SERVER", command("fork_server.IDLE = 0.2; fork_server.main(int(sys.argv[1]), workers.main)")
    )
    run()
    fork_server._server._process.wait(30)
    heard = []
    run(on_message=heard.append)
    assert heard[0]["parent"] != os.getpid(), "and begins again"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_server_and_children_end_with_their_parent(tmp_path, number):
    script = f"""
        import sys
        from pathlib import Path
        from tools import fork_server, workers
        workers.FORK_SERVER = {command("fork_server.main(int(sys.argv[1]), workers.main)")!r}
        workers.JOBS |= {{"job_for_tests"}}
        show = lambda message: print(message["pid"], message["parent"], flush=True)
        logs = Path({str(tmp_path)!r})
        workers.run("job_for_tests", {{"seconds": 60}}, about="x", logs=logs, on_message=show, forked=True)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, env=workers.child_environment()
    )
    child, forks = (psutil.Process(int(pid)) for pid in parent.stdout.readline().split())
    assert forks.ppid() == parent.pid
    parent.send_signal(number)
    parent.wait(30)
    parent.stdout.close()
    _, alive = psutil.wait_procs([child, forks], 10)
    assert not alive
