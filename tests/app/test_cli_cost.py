"""`advisor cost`: of a run that was really measured, and of models by what is published."""

import json

import pytest

from app.cli.amounts import amount
from tests.animals import write_dataset
from tests.app.cli import Cli
from tools.benchmark import benchmark
from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.workspace import Workspace

SPECS = ("bm25", "static:wordllama")


@pytest.fixture
def cli(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home in which two candidates were evaluated and timed."""
    data = read_dataset(write_dataset(tmp_path_factory.mktemp("data") / "animals"))
    workspace = Workspace(home=tmp_path_factory.mktemp("home"), offline=True)
    evaluate(data, SPECS, workspace, preflight=False)
    benchmark(data, SPECS, workspace, repeats=10, seconds=0.2)
    return workspace.home


@pytest.fixture
def measured(cli, home, monkeypatch):
    monkeypatch.setenv("ADVISOR_HOME", str(home))
    return cli


def test_a_kept_run_costs(measured):
    code, out, _ = measured("cost", "--documents", "10M", "--machine-usd-per-hour", "0.5", "--json")
    assert code == 0
    found = json.loads(out)
    volume = found["volume"]
    assert (volume["documents"], volume["machine_usd_per_hour"]) == (10_000_000, 0.5)
    assert found["measured"]
    by_spec = {one["spec"]: one for one in found["candidates"]}
    llama = by_spec["static:wordllama"]
    assert llama["at"]["holdings"][0]["memory_gb"] == pytest.approx((256 * 4 + 128) / 100)
    assert llama["at"]["embed_hours"] == pytest.approx(1e7 / llama["documents_per_second"] / 3600)
    assert llama["machines_usd_per_month"] == pytest.approx(llama["machines"] * 0.5 * 730)
    assert by_spec["openai:text-embedding-3-small"]["measured"] is False
    assert {curve["over"] for curve in found["break_even"]} == {"queries_per_month", "documents"}
    code, out, err = measured("cost", "latest", "-c", "static:wordllama", "--documents", "1e9")
    assert code == 0
    assert out.startswith("static:wordllama costs about $")
    assert "DiskANN" in out
    assert "Not counted: people's time" in err
    code, _, err = measured("cost", "--documents", "")
    assert (code, "is no number" in err) == (2, True)
    code, out, err = measured("cost", "-c", "bm25?k1=9", "latest")
    assert code == 3
    assert "was not timed" in err


def lengths(cli, *arguments):
    """Mean tokens of a document and where they are from, of the run or of models."""
    code, out, err = cli("cost", *arguments, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["volume"]["document_tokens"] != 200
    one = next(of for of in found["assumptions"] if of["key"] == "document_tokens")
    return one["value"], one["origin"], one["because"], found


def test_lengths_are_those_of_the_runs_data_of_data_that_is_named_or_as_stated(measured, tmp_path):
    mean, origin, because, found = lengths(measured, "latest")
    assert (origin, because) == ("measured", "of your texts in animals, as this program estimates tokens")
    assert 10 < mean < 25
    api = next(one for one in found["candidates"] if one["hosting"] == "api")
    assert api["tokens"]["document"]["how"] == "estimated"
    assert api["at"]["embed_usd"] == pytest.approx(30 * api["tokens"]["document"]["mean"] * 0.02 / 1e6)
    other = tmp_path / "other.csv"
    other.write_text("text\n" + "one two three four\n" * 5, "utf-8")
    assert lengths(measured, "latest", "--data", str(other))[:2] == (pytest.approx(4.4, abs=0.5), "measured")
    assert lengths(measured, "-c", "BAAI/bge-m3", "--data", str(other))[2].startswith("of your texts in other")
    assert lengths(measured, "latest", "--document-tokens", "77")[:3] == (77, "stated", "you said so")
    _, out, _ = measured("cost", "latest")
    assert "Tokens that openai:text-embedding-3-small bills: " in out
    assert "tiktoken.get_encoding('cl100k_base')" in out


def test_without_the_runs_data_lengths_are_assumed_and_wrong_data_is_an_error(measured, monkeypatch):
    monkeypatch.setattr("app.cli.cost.read_again", lambda summary: None)
    code, out, _ = measured("cost", "latest")
    assert code == 0
    assert "--document-tokens states it" in out
    code, _, err = measured("cost", "latest", "--data", "nowhere")
    assert code == 3
    assert "nowhere" in err


def test_what_is_deployed_rests_on_the_same_times(measured):
    code, out, err = measured("deploy", "--dry-run")
    assert code == 0, err
    assert "No speed was measured" not in out
    assert "documents a second in batches" in out


def test_in_chinese(measured):
    measured.language = "zh"
    code, out, _ = measured("cost", "--documents", "1000万")
    assert code == 0
    assert "每月约 $" in out
    assert "自有机器还是 API？" in out


def test_models_by_what_is_published(cli):
    code, out, err = cli("cost", "-c", "BAAI/bge-m3", "--documents", "1M", "--queries-per-month", "3M")
    assert code == 0
    assert "BAAI/bge-m3 costs about $" in out
    assert "nothing was measured" in err
    code, out, _ = cli("cost", "-c", "BAAI/bge-m3", "--api", "mongodb/voyage-4-large", "--json")
    found = json.loads(out)
    assert found["measured"] is False
    assert found["candidates"][-1]["usd_per_million_tokens"] == 0.12
    assert {one["kind"] for one in found["evidence"]} == {"published", "computed"}


@pytest.mark.parametrize(
    ("arguments", "code", "cause"),
    [
        ((), 3, "Nothing was measured yet"),
        (("-c", "no/such-model"), 3, "no/such-model"),
        (("-c", "BAAI/bge-m3", "--documents", "many"), 2, "many"),
        (("-c", "BAAI/bge-m3", "--documents", "0"), 3, "not possible"),
        (("-c", "BAAI/bge-m3", "--api", "BAAI/bge-m3"), 3, "no API"),
    ],
)
def test_what_is_wrong_is_said(cli, arguments, code, cause):
    found, _, err = cli("cost", *arguments)
    assert found == code
    assert cause in err


@pytest.mark.parametrize(
    ("text", "value"),
    [("10M", 1e7), ("1.5k", 1500), ("2B", 2e9), ("300万", 3e6), ("1亿", 1e8), ("10,000,000", 1e7), ("1e9", 1e9)],
)
def test_numbers_as_people_write_them(text, value):
    assert amount(text) == value


def test_a_model_whose_index_has_no_published_size_is_named_not_dropped(cli):
    code, _, err = cli("cost", "-c", "bm25", "-c", "BAAI/bge-m3")
    assert code == 3
    assert "How large the index of bm25 is" in err


def test_what_is_assumed_says_how_to_state_it(cli):
    code, out, err = cli("cost", "-c", "BAAI/bge-m3", "--documents", "1M")
    assert code == 0
    assert "--queries-per-month states it" in out
    assert "--documents states it" not in out
    assert "--json has each with its source" in err
