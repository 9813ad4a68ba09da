"""`advisor evaluate`, killed again and again, and twice at once: the same figures, and nothing paid for twice."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.fake_http import FakeEmbeddings
from tools import encoding
from tools.run_store import RunStore

DOCUMENTS = 640
WORDS = ["cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web"]
COMMAND = "import sys; from app.cli import main; sys.argv[0] = 'advisor'; main()"
#: moments, four or five in each evaluation, each begun anew in a home of its own; `make kills` takes twenty
KILLS = int(os.environ.get("KILLS", "2"))
HOMES = max(KILLS // 5, 1)


@pytest.fixture
def endpoint():
    """An encoder that counts what it is asked: the only witness that survives the kills."""
    with FakeEmbeddings() as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    rng = random.Random(0)
    folder = tmp_path / "data"
    folder.mkdir()
    documents = {f"d{i}": f"{i} " + " ".join(rng.choices(WORDS, k=6)) for i in range(DOCUMENTS)}
    queries = {f"q{i}": f"{i} " + " ".join(rng.sample(WORDS, 2)) for i in range(20)}
    for name, texts in (("corpus", documents), ("queries", queries)):
        lines = [json.dumps({"_id": key, "text": text}) for key, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    judged = [f"{q}\td{rng.randrange(DOCUMENTS)}\t1" for q in queries for _ in range(5)]
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *dict.fromkeys(judged)]) + "\n", "utf-8")
    return folder


@pytest.fixture
def start(tmp_path, folder, endpoint):
    """Begins the command in a process group of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def begin(home, **popen):
        environment = os.environ | {
            "ADVISOR_HOME": str(tmp_path / home),
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_API_KEY": "none",
            "TMPDIR": str(temporary),
            "PYTHONPATH": os.getcwd(),
        }
        arguments = ["evaluate", "--data", str(folder), "-c", "openai:fake", "-c", "rrf(bm25, openai:fake)", "--json"]
        arguments += ["--no-preflight"]  # it sends a few texts several times, on purpose
        arguments += ["--send-to", endpoint.url.removeprefix("http://")]
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            text=True,
            **popen,
        )

    return begin


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out), err


def figures(found):
    assert not found["failed"]
    return {c["spec"]: (c["metrics"], c["interval"]) for c in found["candidates"]}


def wait_for(what, process):
    """Until it is so, or the process has ended of itself (which is a moment like any other)."""
    deadline = time.monotonic() + 60
    while not what() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def moments(rng):
    """Where each kill strikes: while texts are encoded, and while Milvus inserts and searches and results are kept."""
    stages = ["encoding"] * (KILLS // 2) + ["after"] * (KILLS - KILLS // 2)
    rng.shuffle(stages)
    per_home = [stages[i::HOMES] for i in range(HOMES)]
    return [sorted(stages, key=["encoding", "after"].index) for stages in per_home]


def test_killed_at_random_moments_it_finds_the_same(start, endpoint, tmp_path):
    rng = random.Random(1)
    endpoint.on_request = lambda number: time.sleep(0.02)
    expected = figures(finish(start("undisturbed"))[0])
    batches = len(endpoint.requests)
    for i, stages in enumerate(moments(rng)):
        endpoint.texts.clear()
        for stage in stages:
            seen = len(endpoint.requests)
            process = start(f"home{i}")
            if stage == "encoding":
                # a little after one of the next requests: while it is answered, or its vectors are written
                wanted = seen + rng.randint(1, max(batches // 4, 1))
                wait_for(lambda: len(endpoint.requests) >= wanted, process)  # noqa: B023
                time.sleep(rng.uniform(0, 0.03))
            else:
                wait_for(lambda: any((tmp_path / "tmp").glob("embedding_advisor_*/*")), process)
                time.sleep(rng.uniform(0, 0.5))
            kill(process)
        found, _ = finish(start(f"home{i}"))
        assert figures(found) == expected
        again = Counter(Counter(endpoint.texts).values())
        assert len(set(endpoint.texts)) == DOCUMENTS + 20
        repeated = sum(count * (times - 1) for times, count in again.items())
        assert repeated <= encoding.CHUNK * stages.count("encoding"), "at most the batch in flight, at each kill"
        runs = RunStore(tmp_path / f"home{i}" / "runs.sqlite")
        assert runs.run(found["run_id"]), "the store reads well"
        runs.close()
        assert not list((tmp_path / "tmp").glob("embedding_advisor_*")), "nothing of the killed is left"
        assert not list((tmp_path / f"home{i}").glob("texts-*"))


def test_two_at_once_find_the_same_and_encode_once(start, endpoint, tmp_path):
    endpoint.on_request = lambda number: time.sleep(0.1)
    one, two = start("home"), start("home")
    (first, said), (second, also) = finish(one), finish(two)
    assert figures(first) == figures(second)
    assert first["run_id"] != second["run_id"]
    assert max(Counter(endpoint.texts).values()) == 1
    assert "Waiting for another evaluation that encodes with openai:fake" in said + also
    again, _ = finish(start("home"))
    assert figures(again) == figures(first)
