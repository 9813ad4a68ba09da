"""Endpoints under load: every protocol on the wire, what goes wrong, and who gets the key."""

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from pydantic import SecretStr

from knowledge.catalog import load_catalog
from knowledge.errors import ConsentNeeded, ProviderError, UserError
from knowledge.results.load import Goal, Limits
from knowledge.wording import say
from tests.animals import write_dataset
from tests.fake_embedders import ROUTES, FakeEmbedder
from tests.fake_http import as_json
from tools.datasets import read_dataset
from tools.load.address import Address
from tools.load.gpu import GpuWatch
from tools.load.http import MOST_BYTES
from tools.load.planning import enough, key_for, plan_load
from tools.load.probing import open_endpoint
from tools.load.protocols import protocol_names
from tools.load.resources import Sampler, listeners
from tools.load.stage import load_endpoint
from tools.load.steps import Course
from tools.load.target import RequestFailed
from tools.load.texts import Texts, texts_of
from tools.run_store import RunStore
from tools.sending import agree
from tools.workspace import Workspace

HOW = say("Agree to it with --send-to {host}.", host="api.openai.com")
SHORT = Limits(seconds=6, step_seconds=0.3, rate=150, timeout_s=2)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(home=tmp_path / "home")


@pytest.fixture
def dataset(tmp_path):
    return read_dataset(write_dataset(tmp_path / "animals"))


def ask(endpoint, *texts):
    """What it answers to each, and then it is closed."""

    async def all_of_them():
        try:
            return [await endpoint.ask(text) for text in texts]
        finally:
            await endpoint.close()

    return asyncio.run(all_of_them())


# ---------------------------------------------------------------- protocols


def test_every_protocol_has_its_server_here():
    assert set(protocol_names()) == set(ROUTES)


@pytest.mark.parametrize("protocol", sorted(ROUTES))
@pytest.mark.parametrize("named", [True, False])
def test_each_protocol_is_found_and_spoken(protocol, named):
    with FakeEmbedder(protocol) as server:
        endpoint = open_endpoint(server.url, protocol=protocol if named else None)
        assert (endpoint.protocol, endpoint.model) == (protocol, "tiny")
        assert not server.bodies  # finding out embeds nothing
        parts = ask(endpoint, "what does the otter eat", "日本語 🦦")
        sent = [body.get("input", body.get("inputs")) for body in server.bodies]
    assert sent == ["what does the otter eat", "日本語 🦦"]
    expected = {"tokenise": 1, "queue": 2, "forward": 5, "server": 8} if protocol == "tei" else {}
    assert parts == [expected, expected]


@pytest.mark.parametrize("protocol", sorted(ROUTES))
def test_the_whole_address_names_the_protocol(protocol):
    with FakeEmbedder(protocol) as server:
        endpoint = open_endpoint(server.url + ROUTES[protocol][0], model="tiny")
        assert endpoint.protocol == protocol
        assert server.asked == []  # nothing was left to find out
        ask(endpoint, "a text")
        assert server.asked == [ROUTES[protocol][0]]


def test_a_base_address_with_its_version_is_the_same_server():
    with FakeEmbedder("openai") as server:
        endpoint = open_endpoint(f"{server.url}/v1/")
        ask(endpoint, "a text")
        assert server.asked[-1] == "/v1/embeddings"


def test_of_several_models_one_has_to_be_named():
    with FakeEmbedder("ollama") as server:
        server.served = {"models": [{"name": "tiny"}, {"name": "llama"}]}
        with pytest.raises(UserError, match=r"tiny \| llama"):
            open_endpoint(server.url)
        server.served = {"models": []}
        with pytest.raises(UserError, match="which models"):
            open_endpoint(server.url)
        assert open_endpoint(server.url, model="tiny").model == "tiny"


def test_a_server_that_wants_a_key_before_it_tells_anything_says_so(monkeypatch):
    with FakeEmbedder("openai") as server:
        open_path = server.answer  # elsewhere it tells that nothing is there
        locked = lambda *asked: as_json({"error": "no key"}, 401) if asked[1] == "/v1/models" else open_path(*asked)  # noqa: E731
        monkeypatch.setattr(server, "answer", locked)
        with pytest.raises(ProviderError, match="answered 401") as raised:
            open_endpoint(server.url)
    assert "ADVISOR_ENDPOINT_API_KEY" in str(raised.value.next_step)


def test_who_closes_every_connection_is_not_said_to_speak_something_else():
    async def close(reader, writer):
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(close, "127.0.0.1", port))
    running = threading.Thread(target=loop.run_forever)
    running.start()
    try:
        with pytest.raises(ProviderError, match="closed the connection") as raised:
            open_endpoint(f"http://127.0.0.1:{port}")
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        running.join()
        loop.close()
    assert "http or https" in str(raised.value.next_step)


def test_who_speaks_nothing_known_is_told_so():
    with FakeEmbedder("openai") as server:
        server.answer = lambda method, path, body: (200, {"Content-Type": "text/html"}, b"<html>hello</html>")
        with pytest.raises(ProviderError, match="none of the protocols"):
            open_endpoint(server.url)
    with pytest.raises(ProviderError, match="cannot be asked"):
        open_endpoint(server.url)  # gone by now
    with pytest.raises(UserError, match="no protocol called"):
        open_endpoint("http://localhost:1", protocol="grpc")


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "http://", "http://host:port", "http://host/?q=1", "//host", "http://[1"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError, match="not the address"):
        Address.read(url)


def test_an_address_with_a_password_is_refused_and_not_repeated():
    with pytest.raises(UserError, match="no user name") as refused:
        Address.read("https://me:secret@host/v1")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8080", True),
        ("http://127.8.0.1", True),
        ("http://[::1]:8080/v1", True),
        ("http://192.168.1.9", False),
        ("https://localhost.example.com", False),
    ],
)
def test_whether_a_text_leaves_this_machine(url, here):
    assert Address.read(url).is_here is here


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (as_json({"error": "overloaded"}, 429), "HTTP 429", "overloaded"),
        (as_json({"error": "bad key"}, 401), "HTTP 401", "ADVISOR_ENDPOINT_API_KEY"),
        ((307, {"Location": "http://127.0.0.1:9/elsewhere"}, b""), "HTTP 307", "redirects are not followed"),
        ((200, {}, b"<html>welcome</html>"), "no vector", "welcome"),
        (as_json([]), "no vector", "not with a vector"),
        (as_json([["a", "b"]]), "no vector", "not with a vector"),
        ((200, {}, b"[[" + b"1," * MOST_BYTES), "answer too long", "more than"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"[[" + b"1," * 10_000_000)), "no vector", "not with"),
        ((500, {}, b"\x1b[31mbroken\xff\n\nhere"), "HTTP 500", "broken"),
        (as_json({"error": "out of memory"}, 502), "HTTP 502", "its own log has the reason"),
        (as_json({"error": "too long"}, 413), "HTTP 413", "no text of this length"),
    ],
)
def test_an_answer_without_a_vector_is_counted_by_its_kind(answer, kind, told):
    with FakeEmbedder("tei") as server:
        endpoint = open_endpoint(server.url)
        server.instead = [answer]
        with pytest.raises(RequestFailed) as failed:
            ask(endpoint, "a text")
    assert failed.value.kind == kind
    assert told in str(failed.value)
    assert "\x1b" not in str(failed.value)


def test_a_server_that_is_gone_is_no_connection():
    with FakeEmbedder("tei") as server:
        endpoint = open_endpoint(server.url)
    with pytest.raises(RequestFailed) as failed:
        ask(endpoint, "a text")
    assert failed.value.kind == "no connection"
    assert "Connection refused" in str(failed.value)
    assert "Errno" not in str(failed.value)


def test_later_answers_are_looked_at_too():
    with FakeEmbedder("tei") as server:
        endpoint = open_endpoint(server.url)
        server.instead = [as_json([[0.5, 0.5]]), as_json({"sorry": 1})]
        with pytest.raises(RequestFailed, match="not with a vector"):
            ask(endpoint, "one", "two")


# ---------------------------------------------------------------- keys and consent


def test_the_key_goes_to_the_endpoint_and_openais_only_to_openai(workspace):
    with FakeEmbedder("openai") as server:
        address = Address.read(server.url)
        own = Workspace(home=workspace.home, endpoint_api_key=SecretStr("mine"), openai_api_key=SecretStr("theirs"))
        ask(open_endpoint(server.url, key=key_for(address, own)), "a text")
        assert set(server.keys) == {"Bearer mine"}
        assert key_for(address, Workspace(home=workspace.home, openai_api_key=SecretStr("theirs"))) is None
        here = Workspace(home=workspace.home, openai_api_key=SecretStr("theirs"), openai_base_url=f"{server.url}/v1")
        assert key_for(address, here).get_secret_value() == "theirs"
    openai = Workspace(home=workspace.home, openai_api_key=SecretStr("theirs"))
    assert key_for(Address.read("https://api.openai.com/v1"), openai).get_secret_value() == "theirs"
    assert key_for(Address.read("http://api.openai.com/v1"), openai) is None  # not in the clear


def test_a_priced_endpoint_elsewhere_is_asked_only_after_a_yes():
    texts = Texts("queries", ["what does the otter feed on"] * 3)
    plan = plan_load(
        "https://api.openai.com/v1",
        texts,
        Limits(requests=1000),
        load_catalog(),
        protocol="openai",
        model="text-embedding-3-small",
    )
    assert plan.sends_text_to == "api.openai.com"
    assert plan.usd == pytest.approx(plan.tokens * 0.02 / 1e6)
    with pytest.raises(ConsentNeeded, match=r"1,000 requests .* less than a cent at \$0.02 per million") as asked:
        agree(plan, (), yes=False, otherwise=HOW)
    assert asked.value.next_step == HOW
    agree(plan, ["api.openai.com"], yes=False, otherwise=HOW)
    agree(plan, (), yes=True, otherwise=HOW)
    unknown = plan_load("https://embeddings.example", texts, Limits(), load_catalog(), model="house-model")
    assert unknown.usd is None
    with pytest.raises(ConsentNeeded, match="not on file"):
        agree(unknown, ["api.openai.com"], yes=False, otherwise=HOW)
    here = plan_load("http://localhost:8080", texts, Limits(), load_catalog(), model="text-embedding-3-small")
    assert (here.sends_text_to, here.usd) == (None, 0.0)
    agree(here, (), yes=False, otherwise=HOW)


def test_limits_without_room_for_a_step_are_refused():
    with pytest.raises(UserError, match="too few"):
        enough(Limits(requests=20))
    with pytest.raises(UserError, match="no room"):
        enough(Limits(seconds=2, step_seconds=5))


# ---------------------------------------------------------------- the whole of it


def test_a_server_is_tested_with_the_users_queries_and_the_result_is_kept(workspace, dataset):
    with FakeEmbedder("tei") as server:
        found = load_endpoint(
            open_endpoint(server.url), dataset, workspace, Course(goal=Goal(p95_ms=1000), limits=SHORT, repeats=2)
        )
        sent = {body["inputs"] for body in server.bodies}
    assert sent <= set(dataset.queries.values())
    assert len(sent) > 20
    assert found.target == f"{server.url} (tiny)"
    assert (found.protocol, found.model) == ("tei", "tiny")
    assert found.holds_qps == SHORT.rate
    assert found.texts.sent == len(server.bodies)
    assert found.repeats[0].parts["forward"].p50_ms == pytest.approx(5, rel=0.01)
    assert found.repeats[0].resources.target_rss_mb > 0  # the server is in this very process
    store = RunStore(workspace.store)
    kept = [run for run in store.runs("load") if run.run_id == found.run_id]
    store.close()
    assert kept[0].payload == json.loads(found.model_dump_json())


def test_a_server_that_never_answers_is_given_up(workspace, dataset):
    with FakeEmbedder("tei") as server:
        endpoint = open_endpoint(server.url)
        real = server.answer
        server.answer = lambda *asked: (time.sleep(0.5), real(*asked))[1]
        hasty = SHORT.model_copy(update={"timeout_s": 0.1})
        with pytest.raises(ProviderError, match=r"did not answer within 0.1 s"):
            load_endpoint(endpoint, dataset, workspace, Course(limits=hasty))


def test_failures_on_the_way_are_counted_and_the_first_is_told(workspace, dataset):
    with FakeEmbedder("tei") as server:
        real = server._tei
        server._tei = lambda asked: as_json({"error": "busy"}, 429) if len(server.bodies) % 5 == 0 else real(asked)
        found = load_endpoint(
            open_endpoint(server.url),
            dataset,
            workspace,
            Course(goal=Goal(p95_ms=1000), limits=SHORT, rate=150, repeats=1),
        )
    step = found.repeats[0]
    assert step.errors["HTTP 429"] == pytest.approx(step.requests / 5, abs=2)
    assert step.answered + step.failed == step.requests
    assert found.holds_qps is None
    assert "HTTP 429" in str(step.broke)
    assert "busy" in found.failure


def test_texts_are_queries_or_else_beginnings_of_documents(dataset):
    assert texts_of(dataset).origin == "queries"
    assert sorted(texts_of(dataset).texts) == sorted(set(dataset.queries.values()))
    alone = type(dataset)(summary=dataset.summary, documents=dataset.documents)
    assert texts_of(alone).origin == "document beginnings"
    assert all(len(text.split()) <= 12 for text in texts_of(alone).texts)


# ---------------------------------------------------------------- resources


def test_a_process_that_works_is_seen_and_the_generator_apart():
    busy = "import time\nkept = bytearray(60_000_000)\nend = time.time() + 20\nwhile time.time() < end: pass"
    child = subprocess.Popen([sys.executable, "-c", busy])
    try:
        time.sleep(0.2)
        with Sampler([child.pid]) as sampler:
            time.sleep(0.3)
        found = sampler.found()
    finally:
        child.kill()
        child.wait()
    assert found.target_cpu > 20  # the cores are shared with whatever else runs
    assert found.target_rss_mb > 60
    assert found.generator_cpu < 20
    assert found.machine_cpu >= 20
    assert Sampler([child.pid]).__enter__()  # gone: nothing to see, and no error


def test_who_listens_on_a_port_here():
    import os

    with FakeEmbedder("tei") as server:
        assert listeners(Address.read(server.url).port) == (os.getpid(),)
    assert listeners(1) == ()


class FakeNvml:
    """Two GPUs, as the driver's library tells of them; one does not tell how busy it is."""

    class NVMLError(Exception):
        pass

    NVML_DEVICE_MIG_ENABLE = 1

    class _Memory:
        def __init__(self, used):
            self.used, self.total, self.free = used, 80 * 2**30, 80 * 2**30 - used

    class _Rates:
        def __init__(self, gpu):
            self.gpu, self.memory = gpu, 0

    def __init__(self):
        self.busy = iter([10, 90, 50])
        self.open = True

    def nvmlDeviceGetCount(self):
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetMigMode(self, handle):
        raise self.NVMLError

    def nvmlDeviceGetName(self, handle):
        return b"NVIDIA A" if handle == 0 else "NVIDIA B"

    def nvmlDeviceGetMemoryInfo(self, handle):
        return self._Memory((1 + handle) * 2**30)

    def nvmlDeviceGetUtilizationRates(self, handle):
        if handle == 1:
            raise self.NVMLError
        return self._Rates(next(self.busy))

    def nvmlShutdown(self):
        self.open = False


def test_gpus_are_watched():
    nvml = FakeNvml()
    watch = GpuWatch(nvml)
    for _ in range(3):
        watch.look()
    first, second = watch.take()
    assert (first.name, first.utilisation_mean, first.utilisation_max, first.memory_mb) == ("NVIDIA A", 50, 90, 1024)
    assert (second.name, second.utilisation_mean, second.memory_mb) == ("NVIDIA B", None, 2048)
    assert watch.take()[0].utilisation_mean is None  # nothing seen since
    watch.close()
    assert not nvml.open
