"""Making sure of vectors: nothing is encoded twice, whatever is killed in between."""

import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import ProviderError, ResourceError
from tests.fake_http import FakeEmbeddings
from tests.tiny_models import make_static
from tools import encoders, encoding, workers
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

DOCUMENTS = [f"document number {i} about the sea" for i in range(200)]


@pytest.fixture
def endpoint():
    with FakeEmbeddings() as server:
        yield server


@pytest.fixture
def workspace(tmp_path, endpoint):
    return Workspace(home=tmp_path / "home", offline=True, openai_base_url=endpoint.base_url)


@pytest.fixture
def static(tmp_path, workspace):
    return encoders.resolve(parse_candidate(f"static:{make_static(tmp_path / 'static')}"), workspace)


@pytest.fixture
def remote(workspace):
    return encoders.resolve(parse_candidate("openai:fake"), workspace)


def test_vectors_made_in_a_child_are_those_of_the_model(static, workspace):
    texts = {"document": ["the cat", "a dog", "the cat", ""], "query": ["ship", "猫"]}
    heard = []
    cost = encoding.ensure(static, texts, workspace, heard.append)
    assert (cost.encoded, cost.cached) == (5, 1), "the same document is encoded once"
    assert cost.seconds > 0
    assert sum(heard) == sum(len(t) for of in texts.values() for t in set(of))
    model = encoders.load(static)
    for kind, of in texts.items():
        found = encoding.vectors(static, of, kind, workspace)
        assert np.allclose(found, model.embed(of, kind=kind), atol=1e-6)
    assert not list(workspace.home.glob("texts-*")), "the texts stay nowhere"


def test_a_repeat_encodes_nothing_and_starts_nothing(static, workspace, monkeypatch):
    texts = {"document": ["the cat", "a dog"], "query": ["ship"]}
    encoding.ensure(static, texts, workspace)
    monkeypatch.setattr(workers, "START", ("/nonexistent",))
    heard = []
    cost = encoding.ensure(static, texts, workspace, heard.append)
    assert cost == encoding.Cost(cached=3)
    assert sum(heard) == len("the cat" + "a dog" + "ship")


def test_a_progress_meter_is_never_told_more_than_there_is(remote, workspace):
    texts = {"document": ["aaa", "bb", "aaa"], "query": ["cccc"]}
    for _ in range(2):
        heard = []
        encoding.ensure(remote, texts, workspace, heard.append)
        assert sum(heard) == 9


def test_only_what_is_new_is_sent(remote, workspace, endpoint):
    encoding.ensure(remote, {"document": DOCUMENTS[:10]}, workspace)
    cost = encoding.ensure(remote, {"document": DOCUMENTS[:12]}, workspace)
    assert (cost.encoded, cost.cached) == (2, 10)
    assert cost.tokens == 12
    assert sorted(endpoint.texts) == sorted(DOCUMENTS[:12])


def run_and_die(workspace, spec, **popen):
    """`ensure` in a process of its own."""
    script = f"""
        from pathlib import Path
        from knowledge.candidate import parse_candidate
        from tools import encoders, encoding
        from tools.workspace import Workspace
        w = Workspace(home=Path({str(workspace.home)!r}), offline=True, openai_base_url={workspace.openai_base_url!r})
        texts = [f"document number {{i}} about the sea" for i in range(200)]
        encoding.ensure(encoders.resolve(parse_candidate({spec!r}), w), {{"document": texts}}, w,
                        lambda characters: print(characters, flush=True))
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], env=workers.child_environment(), **popen)


def test_killed_while_an_endpoint_encodes_only_the_rest_is_paid_for(remote, workspace, endpoint):
    victims = []
    endpoint.on_request = lambda number: victims[0].send_signal(signal.SIGKILL) if number == 3 else None
    victims.append(run_and_die(workspace, "openai:fake"))
    assert victims[0].wait(60) == -signal.SIGKILL
    endpoint.on_request = lambda number: None
    endpoint.texts.clear()
    cost = encoding.ensure(remote, {"document": DOCUMENTS}, workspace)
    assert (cost.cached, cost.encoded) == (2 * encoding.CHUNK, len(DOCUMENTS) - 2 * encoding.CHUNK)
    assert len(endpoint.texts) == cost.encoded
    found = encoding.vectors(remote, DOCUMENTS, "document", workspace)
    assert np.allclose(found, [endpoint.vector(t) for t in DOCUMENTS], atol=1e-6)


def test_killed_while_a_child_encodes_it_goes_on_from_there(static, workspace):
    victim = run_and_die(workspace, static.spec, stdout=subprocess.PIPE)
    told = [int(victim.stdout.readline()) for _ in range(2)]  # what was cached (nothing), and the first chunk
    victim.kill()
    victim.wait()
    victim.stdout.close()
    assert told[0] == 0
    kept = len(DOCUMENTS) - len(VectorCache(workspace.vectors, static.key("document")).missing(DOCUMENTS))
    assert kept >= encoding.CHUNK
    cost = encoding.ensure(static, {"document": DOCUMENTS}, workspace)
    assert cost.cached >= kept
    assert cost.encoded + cost.cached == len(DOCUMENTS)
    found = encoding.vectors(static, DOCUMENTS, "document", workspace)
    assert np.allclose(found, encoders.load(static).embed(DOCUMENTS, kind="document"), atol=1e-6)
    assert not list(workspace.home.glob("texts-*"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_vectors_that_are_no_numbers_are_refused_and_not_kept(remote, workspace, endpoint, value):
    def spoil(answer):
        answer["data"][0]["embedding"][0] = value
        return answer

    endpoint.change = spoil
    with pytest.raises(ProviderError, match="not numbers"):
        encoding.ensure(remote, {"query": ["text"]}, workspace)
    assert VectorCache(workspace.vectors, remote.key("query")).missing(["text"]) == ["text"]


def test_what_was_encoded_before_a_failure_is_kept(remote, workspace, endpoint, monkeypatch):
    monkeypatch.setattr("tools.encoders.openai.MAX_RETRIES", 0)

    def fail_second(number):
        if number == 2:
            endpoint.instead = [(500, {}, b"")]

    endpoint.on_request = fail_second
    with pytest.raises(ProviderError):
        encoding.ensure(remote, {"document": DOCUMENTS}, workspace)
    missing = VectorCache(workspace.vectors, remote.key("document")).missing(DOCUMENTS)
    assert len(missing) == len(DOCUMENTS) - encoding.CHUNK


def test_a_model_that_cannot_be_loaded_is_a_death_with_a_reason(static, workspace, tmp_path):
    (tmp_path / "static" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ResourceError, match="died"):
        encoding.ensure(static, {"query": ["x"]}, workspace)


def test_a_home_that_cannot_be_written(static, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        encoding.ensure(static, {"query": ["x"]}, Workspace(home=tmp_path / "file"))


def test_two_at_once_encode_everything_once(remote, workspace, endpoint):
    """The second waits for the first, says so, and finds all it needs; killed, the first holds nobody up."""
    held, go = threading.Event(), threading.Event()

    def hold(number):
        held.set()
        assert go.wait(60)

    endpoint.on_request = hold
    first = run_and_die(workspace, "openai:fake", stdout=subprocess.DEVNULL)
    assert held.wait(60)
    waited, costs = [], []

    def second():
        costs.append(
            encoding.ensure(remote, {"document": DOCUMENTS}, workspace, on_wait=lambda: (waited.append(1), go.set()))
        )

    thread = threading.Thread(target=second)
    thread.start()
    thread.join(60)
    assert first.wait(60) == 0
    assert (waited, costs) == ([1], [encoding.Cost(cached=len(DOCUMENTS))])
    assert sorted(endpoint.texts) == sorted(DOCUMENTS)


def test_an_encoder_held_by_a_killed_process_is_free(remote, workspace, endpoint):
    victims = []
    endpoint.on_request = lambda number: victims[0].kill() if number == 1 else None
    victims.append(run_and_die(workspace, "openai:fake"))
    assert victims[0].wait(60) == -signal.SIGKILL
    waited = []
    encoding.ensure(remote, {"document": DOCUMENTS}, workspace, on_wait=lambda: waited.append(1))
    assert not waited


def test_time_that_is_up_keeps_what_was_encoded(static, workspace, monkeypatch):
    """An encoder that hangs after its first batch, in a real child."""
    start = """
        import sys, time
        from tools import workers
        from tools.encoders import static
        loaded = static.load
        def load(*arguments):
            model, calls = loaded(*arguments), []
            embed = model.embed
            def slow(texts, **options):
                calls.append(1)
                time.sleep(600 * (len(calls) > 1))
                return embed(texts, **options)
            model.embed = slow
            return model
        static.load = load
        workers.main(sys.argv[1])
    """
    monkeypatch.setattr(workers, "START", (sys.executable, "-P", "-c", textwrap.dedent(start)))
    cache = VectorCache(workspace.vectors, static.key("document"))
    with pytest.raises(ResourceError, match="took longer than the 12 s allowed"):
        encoding.ensure(static, {"document": DOCUMENTS}, replace(workspace, child_seconds=12))
    assert len(cache.missing(DOCUMENTS)) == len(DOCUMENTS) - encoding.CHUNK


def test_a_fast_encoder_gets_larger_batches(static, workspace):
    """One write to disk for every 64 texts would be most of what a table of word vectors takes."""
    texts = [f"text {i}" for i in range(3000)]
    told = []
    encoding.ensure(static, {"document": texts}, workspace, told.append)
    assert len(told) < 15
    assert np.allclose(
        np.concatenate(list(encoding.stream(static, texts, "document", workspace, rows=999))),
        encoders.load(static).embed(texts, kind="document"),
        atol=1e-6,
    )
