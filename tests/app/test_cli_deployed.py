"""`advisor verify` and `advisor recheck` as they are used: files for CI, exit codes, a signed webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from xml.etree import ElementTree as Xml

import pytest

from knowledge.results import Evaluation
from tests.animals import write_dataset
from tests.app.cli import Cli
from tests.deployed import SPEC, Model, Search, fill, write
from tests.fake_http import Server

SECRET = "a secret that both know"


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Model(tmp_path_factory.mktemp("model"))


class Hook(Server):
    """Takes what it is told; answers with the status."""

    def __init__(self, status=204):
        super().__init__()
        self.status, self.told, self.headers = status, [], []

    def answer(self, method, path, body):
        self.told.append(body)
        return self.status, {}, b""


def documents(data):
    lines = (data / "corpus.jsonl").read_text("utf-8").splitlines()
    return {one["_id"]: one["text"] for one in map(json.loads, lines)}


def test_a_deployed_search_is_verified_for_ci(advisor, model, tmp_path):
    data = write(tmp_path / "data")
    code, out, err = advisor("evaluate", "--data", str(data), "-c", SPEC, "--no-preflight", "--json", "-q")
    assert code == 0, err
    run = Evaluation.model_validate_json(out).run_id
    texts = documents(data)
    vectors = dict(zip(texts, model.embed(list(texts.values())), strict=True))
    junit, summary = tmp_path / "junit.xml", tmp_path / "summary.md"
    files = ("--junit", str(junit), "--summary", str(summary))
    with Search(vectors, lambda query: model.embed([query])[0]) as server:
        where = ("--run", run, "--data", str(data), "--search-url", f"{server.url}/search", "--seconds", "0.3")
        where += ("--only", "quality", "--only", "agreement", "--only", "speed")
        code, out, err = advisor("verify", *where, "--dry-run", "--json")
        assert code == 0, err
        planned = json.loads(out)
        assert (planned["sends_text_to"], planned["usd"], server.requests) == (None, 0.0, [])
        assert advisor("verify", *where, "--dry-run")[1].splitlines()[-1] == "No text leaves this machine."
        code, out, err = advisor("verify", *where, *files, "--json", "-q")
        assert code == 0, err
        found = json.loads(out)
        assert found["asked"] <= len(server.requests) <= planned["requests"]
        assert found["passed"] is True
        assert {check["status"] for check in found["checks"]} == {"pass", "skipped"}
        assert advisor("runs", "show", found["run_id"])[0] == 0
    assert Xml.parse(junit).getroot().get("failures") == "0"
    some = dict(list(vectors.items())[2:])
    uri = fill(tmp_path / "milvus.db", some)
    parts = ("--encoder", SPEC, "--milvus", uri, "--collection", "docs", "--only", "identity", "--only", "corpus")
    # nothing could be checked: an earlier file of the job is no answer to that
    nobody = ("--endpoint", "http://127.0.0.1:9", "--protocol", "openai", "--model", "m", *parts[2:])
    assert advisor("verify", "--run", run, "--data", str(data), *nobody, *files, "-q")[0] == 7
    assert Xml.parse(junit).getroot().get("errors") == "1"
    code, out, err = advisor("--lang", "zh", "verify", "--run", run, "--data", str(data), *parts, *files, "-q")
    assert code == 10, err
    assert "missing documents" in out
    assert "篇不在" in out
    assert Xml.parse(junit).getroot().get("failures") != "0"
    told = summary.read_text("utf-8")
    assert told.startswith("## ✅")
    assert "## ❌" in told  # appended, as a job's summary is
    schema = json.loads(advisor("schema", "verify")[1])
    assert "passed" in schema["$defs"]["Verification"]["required"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--search-url", "http://127.0.0.1:9/s"), 2, "--handover"),
        (("--run", "latest"), 2, "--search-url"),
        (("--search-url", "http://127.0.0.1:9/s", "--collection", "x"), 2, "whole pipeline"),
        (("--handover", "no-such-file", "--search-url", "http://127.0.0.1:9/s"), 3, "no handover"),
        (("--data", "no-such-folder", "--search-url", "ftp://x"), 3, "not the address"),
        (("--data", "no-such-folder", "--encoder", "bm25", "--collection", "x"), 3, "one vector of a text"),
    ],
)
def test_what_is_missing_is_said(advisor, arguments, code, said):
    found, _, err = advisor("verify", *arguments)
    assert found == code
    assert said in err


def test_no_text_goes_to_a_host_that_was_not_agreed_to(advisor, tmp_path):
    data = str(write_dataset(tmp_path / "animals"))
    assert advisor("evaluate", "--data", data, "-c", "bm25", "-q")[0] == 0
    code, _, err = advisor("verify", "--data", data, "--search-url", "https://search.example.com/q")
    assert code == 5
    assert "--send-to search.example.com" in err
    assert "what that costs is not on file" in err


def test_a_recheck_is_quiet_until_the_margin_is_beaten(advisor, monkeypatch, tmp_path):
    data = str(write_dataset(tmp_path / "animals"))
    weak, strong = "static:wordllama?dim=8", "static:wordllama"
    assert advisor("evaluate", "--data", data, "-c", weak, "--no-preflight", "-q")[0] == 0
    code, out, err = advisor("recheck", "--data", data, "--json", "-q")
    assert code == 0, err
    first = json.loads(out)
    assert first["alert"] == []
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("ADVISOR_WEBHOOK_SECRET", SECRET)
    challenge = ("--data", data, "--measure", "--against", strong, "--threshold", "0.5")
    with Hook() as hook:
        url = f"{hook.url}/hook"
        code, out, err = advisor("recheck", *challenge, "--summary", str(summary), "--webhook", url, "--json", "-q")
        assert code == 11, err
        found = json.loads(out)
        assert found["last"] == first["run_id"]
        assert found["migration"]["thresholds"][0]["old"] == 0.5
        (body,) = hook.told
        assert json.loads(body)["type"] == "recheck.alert"
        assert json.loads(body)["data"]["run_id"] == found["run_id"]
        # quiet where the margin is wide: nothing is told
        assert advisor("recheck", *challenge, "--margin", "0.9", "--webhook", url, "-q")[0] == 0
        assert len(hook.told) == 1
        hook.status = 500
        code, _, err = advisor("recheck", *challenge, "--webhook", url, "-q")
        assert code == 7
        assert "500" in err
    assert "🔔" in summary.read_text("utf-8")
    code, out, _ = advisor("--lang", "zh", "recheck", *challenge, "-q")
    assert code == 11
    assert "不再是最佳选择" in out
    assert "阈值 0.500" in out
    # what a recheck measured is not the decision: neither deployed nor costed as the latest
    code, out, err = advisor("deploy", "--data", data, "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["plan"]["spec"] == weak
    assert json.loads(out)["plan"]["run_id"] != found["evaluation"]
    assert advisor("runs", "show", found["run_id"])[0] == 0
    assert "recheck" in {run["kind"] for run in json.loads(advisor("runs", "list", "--json")[1])}


def test_a_webhook_needs_a_secret_and_a_public_address(advisor, monkeypatch, tmp_path):
    data = str(write_dataset(tmp_path / "animals"))
    assert advisor("evaluate", "--data", data, "-c", "bm25", "-q")[0] == 0
    assert "ADVISOR_WEBHOOK_SECRET" in advisor("recheck", "--webhook", "https://hooks.example.com/")[2]
    monkeypatch.setenv("ADVISOR_WEBHOOK_SECRET", SECRET)
    assert advisor("recheck", "--measure")[0] == 2
    code, _, err = advisor("recheck", "--webhook", "https://10.0.0.1/")
    assert code == 3
    assert "private range" in err


def test_a_signature_is_what_its_reader_computes():
    from app.webhooks import signed

    body, headers = signed("recheck.alert", {"a": 1}, "recheck-1", SECRET)
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
