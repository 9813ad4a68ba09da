"""The child process: what it sees, how it dies, what of it comes back."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from queue import SimpleQueue
from threading import BoundedSemaphore, Event, Thread, Timer

import psutil
import pytest

from knowledge.candidate import Leg
from knowledge.errors import ProviderError, ResourceError
from tests.tiny_models import make_static
from tools import encoders, fork_server, stopping, workers
from tools.workspace import Workspace

#: a job for tests: the child imports it in place of a real one, so what runs is the real protocol in a real child
JOB = """
import os, signal, stat, sys, time
import numpy as np
from knowledge.errors import ProviderError
from knowledge.wording import say

print("printed while the module is imported")

def fifo(descriptor):
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:  # the one that listed them
        return False

def work(payload, tell):
    what = payload["do"]
    if what == "echo":
        os.write(1, b"written to standard output by a library\\n")
        print("{")
        tell({"part": 1, "text": payload["text"]})
        return {"environment": dict(os.environ), "path": sys.path, "text": payload["text"]}
    if what == "eat":
        eaten = []
        while True:
            eaten.append(np.ones(2**20))
            time.sleep(0.001)
    if what == "die":
        tell({"part": 1})
        if payload["cut"]:  # half a line, as when it dies while writing, to the one pipe that `main` opened
            (pipe,) = (int(n) for n in os.listdir("/proc/self/fd") if int(n) > 2 and fifo(int(n)))
            os.write(pipe, b'{"result": {"half')
        os.kill(os.getpid(), getattr(signal, payload["signal"]))
    if what == "fail":
        raise ProviderError(say("The host {host} failed: {why}.", host="h", why=say("{x} left", x=3)), say("Wait."))
    if what == "bug":
        raise RuntimeError("a bug, 中文")
    if what == "no memory":
        raise MemoryError
    if what == "torch":
        import torch
        if payload["gpu"]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        torch.empty(2**50)
    if what == "score":
        with open("/proc/self/oom_score_adj") as file:
            return {"score": int(file.read())}
    if what == "wait":
        tell({"pid": os.getpid()})
        time.sleep(60)
"""


@pytest.fixture(params=["begun", "forked"])
def job(request, tmp_path, monkeypatch):
    """Allow one more job, found by the child on a path of its own; the child begins from nothing, or is forked."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "job_for_tests.py").write_text(JOB, "utf-8")
    start = f"""
        import sys
        print("noise before anything else")
        sys.path.insert(0, {str(tmp_path / "jobs")!r})
        from tools import workers
        workers.JOBS |= {{"job_for_tests"}}
    """
    start = textwrap.dedent(start)
    forked = request.param == "forked"
    if forked:
        if sys.platform != "linux":
            pytest.skip("children are forked on Linux only")
        start += "from tools import fork_server\nfork_server.LIBRARIES = ('numpy',)\n"
        monkeypatch.setattr(
            workers,
            "FORK_SERVER",
            (sys.executable, "-P", "-c", start + "fork_server.main(int(sys.argv[1]), workers.main)"),
        )
        monkeypatch.setattr(fork_server, "_server", None)
    monkeypatch.setattr(workers, "START", (sys.executable, "-P", "-c", start + "workers.main(sys.argv[1])"))
    monkeypatch.setattr(workers, "JOBS", workers.JOBS | {"job_for_tests"})

    def run(do, *, memory_mb=None, seconds=None, threads=None, on_message=lambda message: None, **payload):
        return workers.run(
            "job_for_tests",
            {"do": do, **payload},
            about="st:model",
            logs=tmp_path / "logs",
            on_message=on_message,
            memory_mb=memory_mb,
            seconds=seconds,
            threads=threads,
            forked=forked,
        )

    yield run
    if fork_server._server is not None and forked:
        fork_server._server.close()


def test_threads_of_numerical_libraries_can_be_limited(job, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert job("echo", text="")["environment"]["OMP_NUM_THREADS"] == "7"
    limited = job("echo", text="", threads=1)["environment"]
    assert (limited["OMP_NUM_THREADS"], limited["OPENBLAS_NUM_THREADS"]) == ("1", "1")


def test_payload_messages_and_result_cross_over_whatever_is_printed(job, tmp_path):
    heard = []
    text = "中文 \n {braces} \u2028 \U0001f600"
    result = job("echo", text=text, on_message=heard.append)
    assert (result["text"], heard) == (text, [{"part": 1, "text": text}])
    assert not list((tmp_path / "logs").iterdir()), "a log is kept only of what failed"


def test_a_large_payload_and_result_cross_over(job):
    text = "x" * 5_000_000
    assert job("echo", text=text)["text"] == text


def test_a_child_sees_no_secret(job, monkeypatch):
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "MILVUS_TOKEN", "AWS_SECRET_ACCESS_KEY", "SLACK_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, "canary-secret")
    monkeypatch.setenv("ADVISOR_PASSWORD", "canary-secret")
    seen = job("echo", text="")["environment"]
    assert "canary-secret" not in json.dumps(seen)
    assert set(seen) - {"LC_CTYPE"} == set(workers.child_environment())
    assert seen["HF_HUB_OFFLINE"] == "1"


def test_the_operating_system_shows_no_secret_either(job, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-secret")
    seen = []

    def look(message):
        seen.append(Path(f"/proc/{message['pid']}/environ").read_bytes())
        os.kill(message["pid"], signal.SIGKILL)

    if not Path("/proc/self/environ").is_file():
        pytest.skip("no /proc here")
    with pytest.raises(ResourceError):
        job("wait", on_message=look)
    assert b"canary" not in seen[0]


def test_a_folder_called_tools_where_the_user_is_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "tools").mkdir()
    for name in ("__init__", "workers", "encoding"):
        (tmp_path / "tools" / f"{name}.py").write_text("raise SystemExit('foreign code ran')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ResourceError) as failure:  # ours: which misses its payload
        workers.run("tools.encoding", {}, about="x", logs=tmp_path / "logs")
    assert "KeyError: 'texts'" in str(failure.value)


def test_too_much_memory_ends_it(job):
    with pytest.raises(ResourceError) as failure:
        job("eat", memory_mb=200)
    assert failure.value.cause.render() == (
        "st:model does not fit here: it needed more than the 200 MB of memory allowed for it."
    )
    assert "precision=bf16" in failure.value.next_step.render()


def test_memory_that_python_cannot_get(job):
    with pytest.raises(ResourceError, match=r"st:model does not fit here: memory ran out \(MemoryError\)"):
        job("no memory")


@pytest.mark.parametrize(("gpu", "words"), [(True, "CUDA out of memory"), (False, "allocate memory")])
def test_memory_that_torch_cannot_get_is_told_apart_from_a_bug(job, gpu, words):
    with pytest.raises(ResourceError, match=f"st:model does not fit here: memory ran out .*{words}"):
        job("torch", gpu=gpu)


def test_the_kernel_ends_a_child_before_its_parent(job):
    if not Path("/proc/self/oom_score_adj").is_file():
        pytest.skip("not Linux")
    assert job("score")["score"] == 1000


def test_a_child_that_hangs_is_ended_when_its_time_is_up(job):
    heard = []
    with pytest.raises(ResourceError) as failure:
        job("wait", seconds=2, on_message=heard.append)
    assert failure.value.cause.render() == "st:model was ended: it took longer than the 2 s allowed for it."
    assert not any(psutil.pid_exists(message["pid"]) for message in heard)
    assert job("echo", text="x", seconds=60)["text"] == "x"


@pytest.mark.parametrize("cut", [0, 1])
def test_a_killed_child_is_survived_even_in_the_middle_of_a_message(job, cut):
    heard = []
    with pytest.raises(ResourceError, match="st:model does not fit here: its process was killed"):
        job("die", signal="SIGKILL", cut=cut, on_message=heard.append)
    assert heard == [{"part": 1}]


def test_a_crash_is_told_from_a_kill(job):
    with pytest.raises(ResourceError, match=r"died \(exit -11\)"):
        job("die", signal="SIGSEGV", cut=0)


def test_a_foreseen_error_crosses_over_as_what_it_is(job):
    with pytest.raises(ProviderError) as failure:
        job("fail")
    assert type(failure.value) is ProviderError
    assert str(failure.value) == "The host h failed: 3 left. Wait."
    assert failure.value.cause.values["why"].template == "{x} left"


def test_a_bug_names_its_log(job, tmp_path):
    with pytest.raises(ResourceError) as failure:
        job("bug")
    (log,) = (tmp_path / "logs").iterdir()
    assert failure.value.cause.render() == "The process working on st:model died (exit 1): RuntimeError: a bug, 中文"
    assert str(log) in failure.value.next_step.render()
    assert "Traceback" in log.read_text("utf-8")


def test_what_the_listener_raises_ends_the_child(job):
    started = []

    def stop(message):
        started.append(message["pid"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        job("wait", on_message=stop)
    assert not psutil.pid_exists(started[0])


def test_logs_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        workers.run("tools.encoding", {}, about="x", logs=tmp_path / "file" / "logs")


def test_only_known_jobs_run(tmp_path):
    with pytest.raises(AssertionError):
        workers.run("os", {}, about="x", logs=tmp_path)
    ended = subprocess.run(
        [*workers.START, "os"],
        capture_output=True,
        text=True,
        env=workers.child_environment(),
        input="{}\n",
        timeout=30,
    )
    assert "AssertionError: os" in ended.stderr


def test_no_more_children_at_once_than_there_is_room_for(job, monkeypatch):
    """A second one begins when the first has ended; while it waits, it can be stopped."""
    monkeypatch.setitem(workers.ROOM, "models", BoundedSemaphore(1))
    heard, stop = SimpleQueue(), Event()

    def first():
        with pytest.raises(workers.ChildLost):
            job("wait", on_message=heard.put)

    running = Thread(target=first)
    running.start()
    child = heard.get(timeout=60)["pid"]
    with stopping.stoppable(stop.is_set):
        Timer(0.5, stop.set).start()
        with pytest.raises(stopping.Stopped):
            job("echo", text="x")
    assert running.is_alive(), "it was not its end that was waited for"
    Timer(0.5, os.kill, (child, signal.SIGKILL)).start()
    assert job("echo", text="x")["text"] == "x"
    running.join()


def test_a_child_exits_cleanly_though_its_parent_keeps_the_line_open(tmp_path):
    """The thread that waits for the parent must not keep the child, nor spoil its exit."""
    model = encoders.resolve(Leg(backend="static", name=str(make_static(tmp_path / "model"))), Workspace(home=tmp_path))
    texts = tmp_path / "texts.jsonl"
    texts.write_text('["query", "the cat"]\n')
    payload = {"resolved": model.model_dump(mode="json"), "texts": str(texts), "cache": str(tmp_path / "vectors")}
    child = subprocess.Popen(
        [*workers.START, "tools.encoding"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=workers.child_environment(),
    )
    child.stdin.write(json.dumps(payload).encode() + b"\n")
    child.stdin.flush()
    told, complaint = child.stdout.read(), child.stderr.read()
    assert (child.wait(30), complaint) == (0, b"")
    assert b'"result"' in told
    for pipe in (child.stdin, child.stdout, child.stderr):
        pipe.close()


def test_a_child_ends_with_its_parent(tmp_path):
    script = f"""
        import sys
        from pathlib import Path
        from tools import workers
        workers.START = (sys.executable, "-P", "-c", {CHILD!r})
        workers.JOBS |= {{"sleeper"}}
        show = lambda message: print(message["pid"], flush=True)
        workers.run("sleeper", {{}}, about="x", logs=Path({str(tmp_path)!r}), on_message=show)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, env=workers.child_environment()
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert child.wait(10) is None or not child.is_running()


CHILD = """
import sys, types, os, time
job = types.ModuleType("sleeper")
def work(payload, tell):
    tell({"pid": os.getpid()})
    time.sleep(60)
job.work = work
sys.modules["sleeper"] = job
from tools import workers
workers.JOBS |= {"sleeper"}
workers.main("sleeper")
"""
