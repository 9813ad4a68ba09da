"""`advisor preflight` through its own entry."""

import json

import pytest

from tests.app.cli import Cli
from tests.fake_http import FakeEmbeddings
from tests.tiny_models import make_static


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


def test_findings_in_a_table_and_as_json(advisor, small_dataset, tmp_path):
    static = make_static(tmp_path / "static")
    candidates = ("-c", f"rrf(bm25, static:{static})", "-c", f"static:{static}?dim=99", "-c", "bm25")
    arguments = ("preflight", "--data", str(small_dataset), *candidates)
    code, out, _ = advisor(*arguments, "--json")
    assert code == 3, "one of them fails"
    found = json.loads(out)
    assert found["refused"] == []
    whole, tall = found["checked"]
    assert (whole["spec"], whole["passed"], whole["documents"]) == (f"static:{static}", True, 10)
    assert whole["truncation"]["effective_limit"] == 512
    assert not tall["passed"]
    assert tall["findings"][0]["severity"] == "fails"
    assert "asks for 99 dimensions" in tall["findings"][0]["finding"]
    code, out, err = advisor(*arguments)
    assert code == 3
    assert "not fit to be measured" in " ".join(out.split())
    assert "dimension: fails" in out
    assert "Checking" in err
    assert "".join(advisor("--lang", "zh", *arguments, "-q")[1].split()).count("不宜测量") == 1


def test_nothing_is_sent_or_fetched_without_consent(advisor, small_dataset, monkeypatch):
    with FakeEmbeddings() as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.base_url)
        arguments = ("preflight", "--data", str(small_dataset), "-c", "openai:fake", "-q")
        code, _, err = advisor(*arguments)
        assert (code, endpoint.requests) == (3, [])
        host = endpoint.url.removeprefix("http://")
        assert f"--send-to {host}" in err
        code, out, _ = advisor(*arguments, "--send-to", host)
        assert endpoint.requests
        assert "openai:fake: fit to be measured" in " ".join(out.split())
        assert code == 0
    code, _, err = advisor("preflight", "--data", str(small_dataset), "-c", "st:org/gone", "-q")
    assert code == 3
    assert "org/gone" in err


def test_what_has_nothing_to_check_says_so_and_why(advisor, small_dataset):
    code, out, err = advisor("preflight", "--data", str(small_dataset), "-c", "bm25", "-c", "bm25?k1=2")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{spec}: nothing to check: it has no weights, no prompt and no limit." for spec in ("bm25", "bm25?k1=2")
    ]
    found = json.loads(advisor("preflight", "--data", str(small_dataset), "-c", "bm25", "--json")[1])
    assert found == {"checked": [], "refused": [], "nothing_to_check": ["bm25"]}


def test_a_candidate_named_twice_is_taken_once_and_that_is_said(advisor, small_dataset):
    for command in ("preflight", "evaluate", "benchmark"):
        _, out, err = advisor(command, "--data", str(small_dataset), "-c", "bm25?k1=2&b=0.5", "-c", "bm25?b=0.5&k1=2")
        assert "Named more than once, taken once: bm25?b=0.5&k1=2." in err
        assert out.count("bm25?b=0.5&k1=2") == 1
