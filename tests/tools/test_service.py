"""A candidate as a service: its answers are those of the evaluation, its stages add up, its batches form."""

import asyncio
import os
import signal
import time
from contextlib import ExitStack

import numpy as np
import psutil
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import DatasetError, ResourceError, SpecError, UserError
from knowledge.results import Consent
from knowledge.results.load import Goal
from knowledge.results.service import STAGES
from tests.animals import write_dataset
from tests.tiny_legs import make_ce
from tests.tiny_models import make_st
from tools import encoders
from tools.datasets import read_dataset
from tools.evaluate.ranking import Job, Texts, rank_others
from tools.load.sweep import run_load
from tools.load.target import RequestFailed
from tools.run_history import find_run
from tools.service import Settings, serving, tuning
from tools.service.batching import Full, Waiting
from tools.service.pipeline import Pipeline
from tools.service.settings import MOST_WAITING
from tools.service.stages import Stages
from tools.service.words import notes_on_tuning
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

SPEC = "rrf(bm25, static:wordllama?dim=64)"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Workspace(home=tmp_path_factory.mktemp("home"), offline=True)


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    return read_dataset(write_dataset(tmp_path_factory.mktemp("data") / "animals"))


@pytest.fixture(scope="module")
def service(home, animals):
    documents, queries = list(animals.documents.values()), list(animals.queries.values())
    with serving(SPEC, documents, home, queries=queries, settings=Settings(max_batch=8)) as running:
        yield running


def asked(service, texts):
    async def all_of_them():
        try:
            return await asyncio.gather(*(service.answer(text) for text in texts))
        finally:
            await service.close()

    return asyncio.run(all_of_them())


def test_many_at_once_get_the_answers_of_the_evaluation(service, home, animals):
    texts = Texts(animals.documents, animals.queries, depth=10)
    [(_, _, expected)] = rank_others({"": Job({"": parse_candidate(SPEC)}, texts)}, home, Consent(measure=True))
    ids = list(animals.documents)
    found = asked(service, list(animals.queries.values()))
    for (query, ranking), answer in zip(expected.items(), found, strict=True):
        assert [ids[row] for row in answer.rows] == [document for document, _ in ranking], query


def test_who_waits_while_a_batch_is_encoded_goes_into_the_next(service, animals):
    alone = asked(service, ["what does the otter feed on"])[0]
    together = asked(service, list(animals.queries.values()))
    assert alone.batch == 1
    assert 1 < max(answer.batch for answer in together) <= 8


def test_each_stage_is_told_and_together_they_are_the_whole(service):
    async def timed():
        begun = time.perf_counter()
        parts = await service.ask("where does the raven rest in winter")
        took = (time.perf_counter() - begun) * 1000
        await service.close()
        return parts, took

    asked(service, ["warm"])
    parts, took = asyncio.run(timed())
    assert set(parts) == {"transport", "queue", "encode", "handover", "words", "milvus", "fusion"}
    assert set(parts) <= set(STAGES)
    assert all(value >= 0 for value in parts.values())
    assert sum(parts.values()) == pytest.approx(took, abs=3.0)
    assert service.first_query_ms > 0
    assert any("Milvus Lite" in note.render() for note in service.notes)


def test_settings_that_need_no_restart_are_changed_while_it_runs(service, animals):
    async def changed():
        await service.change(service.settings.model_copy(update={"max_batch": 1}))
        try:
            return await asyncio.gather(*(service.answer(text) for text in animals.queries.values()))
        finally:
            await service.change(service.settings.model_copy(update={"max_batch": 8}))
            await service.answer("again")
            await service.close()

    assert {answer.batch for answer in asyncio.run(changed())} == {1}


def test_a_stranger_on_the_port_is_not_answered(service):
    async def strange():
        lines, to = await asyncio.open_connection("127.0.0.1", service._port)
        to.write(b'wrong\n{"id": 1, "text": "otter"}\n')
        answered = await asyncio.wait_for(lines.read(), 5)
        to.close()
        return answered

    assert asyncio.run(strange()) == b""
    assert asked(service, ["otter"])[0].rows


def test_killed_it_is_said_at_once_and_its_end_leaves_nothing(home, animals):
    async def killed(service):
        await service.answer("otter")
        os.kill(service.pid, signal.SIGKILL)
        with pytest.raises((ResourceError, RequestFailed)) as caught:
            await asyncio.wait_for(service.answer("otter"), 10)
        await service.close()
        return caught.value

    with serving("bm25", list(animals.documents.values()), home) as service:
        error = asyncio.run(killed(service))
    assert "bm25" in error.cause.render()
    assert not psutil.pid_exists(service.pid)


def test_ctrl_c_keeps_the_settings_that_were_tried(home, animals, monkeypatch):
    def test_one_then_stop(*args, **options):
        if done:
            raise KeyboardInterrupt
        done.append(run_load(*args, **options))
        return done[0]

    done = []
    monkeypatch.setattr(tuning, "run_load", test_one_then_stop)
    found = tuning.tune("bm25", animals, home, goal=Goal(p95_ms=2000), each_seconds=0.6)
    assert (found.ended, len(found.steps)) == (True, 1)
    assert find_run(home, found.run_id) == found
    assert "you ended it" in " ".join(map(str, notes_on_tuning(found)))
    with pytest.raises(KeyboardInterrupt):
        tuning.tune("bm25", animals, home, goal=Goal(), each_seconds=0.6)


def test_what_cannot_be_served_is_refused_with_the_next_step(home, animals, tmp_path):
    with pytest.raises(DatasetError), serving("bm25", [], home):
        pass
    with pytest.raises(UserError, match="runs at") as caught, serving("openai:text-embedding-3-small", ["a"], home):
        pass
    command = (
        "advisor load --target https://api.openai.com/v1 --protocol openai --model text-embedding-3-small --send-to"
    )
    assert command in caught.value.next_step.render()
    with pytest.raises(SpecError, match="finds nothing by itself"), serving(f"ce:{tmp_path}", ["a"], home):
        pass


def test_without_milvus_lite_every_document_is_compared_here_with_the_same_answers(tmp_path, animals):
    home = Workspace(home=tmp_path, offline=True)
    candidate = parse_candidate("static:wordllama?dim=64")
    resolved = {candidate.spec: encoders.resolve(candidate, home)}
    documents = list(animals.documents.values())
    made = encoders.load(resolved[candidate.spec]).embed(documents, kind="document")
    VectorCache(home.vectors, resolved[candidate.spec].key("document")).put(documents, made)
    found = []
    for lite in (True, False):
        with ExitStack() as until:
            pipeline = Pipeline(candidate, resolved, documents, home, until, lite=lite)
            encoded = pipeline.encode(["what does the otter feed on", "raven"])
            found.append((pipeline.find(encoded).rows.tolist(), set(encoded.stages.ms), pipeline.notes))
    (rows, stages, notes), (compared, scanned, said) = found
    assert rows == compared
    assert "milvus" in stages
    assert "scan" in scanned
    assert "milvus" not in scanned
    assert notes != said


def test_a_whole_way_with_encoder_and_reranker(tmp_path, animals):
    """In this process: what the child does, with models of few weights."""
    home = Workspace(home=tmp_path / "home", offline=True)
    encoder, reranker = make_st(tmp_path / "st"), make_ce(tmp_path / "ce")
    candidate = parse_candidate(f"rerank(rrf(bm25, st:{encoder}), ce:{reranker})?top=5")
    resolved = {leg.spec: encoders.resolve(leg, home) for leg in candidate.legs if leg.backend != "bm25"}
    documents = list(animals.documents.values())
    dense = resolved[f"st:{encoder}"]
    made = encoders.load(dense).embed(documents, kind="document")
    VectorCache(home.vectors, dense.key("document")).put(documents, made)
    with ExitStack() as until:
        pipeline = Pipeline(candidate, resolved, documents, home, until)
        encoded = pipeline.encode(["the otter rests", "a raven eats"])
        ranked = pipeline.find(encoded)
    parts = encoded.stages.ms
    assert set(parts) == {"tokenise", "forward", "handover", "words", "milvus", "fusion", "rerank"}
    assert parts["tokenise"] > 0
    assert parts["forward"] > 0
    assert ranked.rows.shape == (2, 10)
    assert (np.diff(ranked.scores[:, :5]) <= 0).all()


def test_a_batch_leaves_full_or_when_its_first_has_waited_enough():
    async def formed(settings, came):
        waiting = Waiting(settings)
        for item in came:
            waiting.put(item)
        return [item for _, item in await waiting.batch()], len(waiting)

    assert asyncio.run(formed(Settings(max_batch=3), "abcde")) == (["a", "b", "c"], 2)
    assert asyncio.run(formed(Settings(max_batch=3), "a")) == (["a"], 0)

    async def late():
        waiting = Waiting(Settings(max_batch=2, max_wait_ms=5000))
        first = asyncio.create_task(waiting.batch())
        waiting.put("a")
        await asyncio.sleep(0.01)
        assert not first.done()
        waiting.put("b")
        return [item for _, item in await asyncio.wait_for(first, 1)]

    assert asyncio.run(late()) == ["a", "b"]

    async def timed_out():
        waiting = Waiting(Settings(max_batch=9, max_wait_ms=20))
        waiting.put("a")
        return [item for _, item in await asyncio.wait_for(waiting.batch(), 1)]

    assert asyncio.run(timed_out()) == ["a"]


def test_overrun_it_refuses():
    async def filled():
        waiting = Waiting(Settings())
        for number in range(MOST_WAITING):
            waiting.put(number)
        with pytest.raises(Full):
            waiting.put(-1)

    asyncio.run(filled())


def test_stages_add_up_what_a_stage_took_several_times():
    now = iter([0.0, 0.5, 2.0, 2.25])
    stages = Stages(lambda: next(now))
    for _ in range(2):
        with stages.stage("scan"):
            pass
    assert stages.ms == {"scan": 750.0}
