"""`advisor runs`: what was measured before, listed, shown, compared and exported; and JSON that keeps to its schema."""

import csv
import datetime as dt
import io
import json

import jsonschema
import pyarrow.parquet as pq
import pytest

from app.cli import gains
from knowledge.candidate import parse_candidate
from knowledge.results import Interval, RagJudgement, RagScore
from knowledge.results.next_gain import NextGain
from tests.app.cli import Cli
from tests.tools.test_probes import dataset as facts
from tools.datasets import save_dataset
from tools.run_history import find_run, list_runs
from tools.run_store import RunStore
from tools.workspace import Workspace


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def keeps_to_schema(advisor):
    """Runs a command with --json and holds what it prints against `advisor schema`."""

    def check(command: str, *arguments: str, code: int = 0):
        found, out, err = advisor(*command.split(), *arguments, "--json")
        assert found == code, err
        schema = json.loads(advisor("schema", *command.split())[1])
        jsonschema.Draft202012Validator.check_schema(schema)
        printed = json.loads(out)
        jsonschema.validate(printed, schema)
        return printed

    return check


def hard_dataset(folder, queries=12):
    """Queries of which half share no word with their document: word matching misses those."""
    folder.mkdir()
    documents = [{"_id": f"d{i}", "text": f"Topic {i}: alpha{i} beta{i} gamma{i}."} for i in range(queries)]
    asked = [
        {"_id": f"=q{i}" if i == 0 else f"q{i}", "text": f"alpha{i}" if i % 2 else f"nothing of it {i}"}
        for i in range(queries)
    ]
    lines = [f"{asked[i]['_id']}\td{i}\t1" for i in range(queries)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]), "utf-8")
    return str(folder)


@pytest.fixture
def measured(advisor, tmp_path):
    """Two evaluations of the same data; the names of their runs."""
    data = hard_dataset(tmp_path / "hard")
    names = []
    for specs in (("bm25", "bm25?k1=0.9"), ("bm25", "bm25?b=0.1")):
        named = [part for spec in specs for part in ("-c", spec)]
        code, out, err = advisor("evaluate", "--data", data, *named, "--json", "-q")
        assert code == 0, err
        names.append(json.loads(out)["run_id"])
    return names


def test_runs_are_listed_and_shown(advisor, measured, keeps_to_schema, small_dataset):
    listed = keeps_to_schema("runs list")
    assert [run["run_id"] for run in listed] == measured[::-1]
    assert listed[0]["candidates"] == [parse_candidate(s).spec for s in ("bm25", "bm25?b=0.1")]
    assert (listed[0]["documents"], listed[0]["queries"]) == (12, 12)
    assert len(keeps_to_schema("runs list", "-n", "1")) == 1
    assert keeps_to_schema("runs list", "--kind", "benchmark") == []
    assert advisor("benchmark", "--data", str(small_dataset), "-c", "bm25", "--repeats", "2", "-q")[0] == 0
    assert [run["kind"] for run in keeps_to_schema("runs list")] == ["benchmark", "evaluation", "evaluation"]
    shown = keeps_to_schema("runs show", measured[0])
    assert shown["run_id"] == measured[0]
    assert "candidates" in keeps_to_schema("runs show")
    code, out, _ = advisor("runs", "list")
    assert code == 0
    assert all(name in out for name in measured)
    assert "p50 ms" in advisor("runs", "show")[1]
    by_name = advisor("runs", "show", measured[0])[1]
    assert "nDCG@10" in by_name
    assert f"Run {measured[0]}, on " in by_name


def test_every_kind_of_run_is_listed_and_shown(advisor, keeps_to_schema, tmp_path, monkeypatch, capsys):
    save_dataset(facts(300), tmp_path / "facts")
    data = ("--data", str(tmp_path / "facts"))
    assert advisor("probes", *data, "-c", "bm25", "-q")[0] == 0
    home = Workspace(home=tmp_path / "home")
    evaluation = find_run(home, list_runs(home, kind="evaluation")[0].run_id)
    one = Interval(mean=0.5, low=0.4, high=0.6)
    now = dt.datetime.now(dt.UTC)
    gain = NextGain(
        run_id="gains-1",
        started=now,
        dataset=evaluation.dataset.model_copy(update={"labels": "silver", "given": 3}),
        judged_queries=9,
        primary="nDCG@10",
        margin=0.02,
        base="static:a/b",
        quality=one,
        changes=(),
    )
    gains.show(gain)
    assert "as it is: nDCG@10 0.500" in " ".join(capsys.readouterr().out.split()), "what the changes are changes to"
    score = RagScore(spec="bm25", context_precision=one, context_recall=one, judged=0, failed=2)
    rag = RagJudgement(
        run_id="rag-1",
        created=now,
        evaluation=evaluation.run_id,
        model="m",
        host="h",
        library="ragas",
        embedder="bm25",
        queries=2,
        contexts=5,
        calls=4,
        scores=(score,),
    )
    runs = RunStore(home.store)
    for kind, record in (("gains", gain), ("rag", rag), ("unheard-of", rag)):
        runs.save_run(record.run_id if kind != "unheard-of" else "unheard-1", kind, record.model_dump(mode="json"), now)
    runs.close()
    listed = {run["kind"]: run for run in keeps_to_schema("runs list")}
    assert set(listed) == {"evaluation", "hard-cases", "gains", "rag"}
    assert (listed["gains"]["silver"], listed["gains"]["given"]) == (True, 3)
    assert (listed["rag"]["dataset"], listed["rag"]["candidates"]) == (evaluation.dataset.name, ["bm25"])
    for kind, run in listed.items():
        assert [r["run_id"] for r in keeps_to_schema("runs list", "--kind", kind)] == [run["run_id"]]
        assert keeps_to_schema("runs show", run["run_id"])["run_id"] == run["run_id"]
    assert "finds the topic" in advisor("runs", "show", listed["hard-cases"]["run_id"])[1]
    assert "faithfulness" in advisor("runs", "show", "rag-1")[1]
    assert "3 judged here" in advisor("runs", "list")[1]
    assert advisor("runs", "list", "--kind", "unheard-of")[0] == 2
    assert "no scores of queries" in advisor("runs", "compare", "rag-1")[2]


def test_nothing_measured_yet(advisor, tmp_path):
    assert advisor("runs", "list", "--json")[:2] == (0, "[]\n")
    code, out, err = advisor("runs", "list")
    assert (code, out) == (0, "")
    assert "advisor evaluate" in err
    assert not (tmp_path / "home").exists(), "looking writes nothing"


def test_a_comparison_is_paired_over_queries(advisor, measured, keeps_to_schema):
    both = keeps_to_schema("runs compare", *measured, "--metric", "AP", "--margin", "0.05")
    labels = [c["label"] for c in both["candidates"]]
    assert sorted(labels) == sorted(parse_candidate(s).spec for s in ("bm25", "bm25?k1=0.9", "bm25?b=0.1"))
    assert labels.count("bm25") == 1, "both runs found the same measurement in the store"
    assert (both["metric"], both["margin"], len(both["queries"])) == ("AP", 0.05, 12)
    for scored, compared in zip(both["candidates"], both["comparisons"], strict=True):
        assert scored["mean"]["low"] <= scored["mean"]["mean"] <= scored["mean"]["high"]
        assert compared["wins"] + compared["losses"] + compared["draws"] == 12
        mine = [q["scores"][scored["label"]] for q in both["queries"]]
        assert scored["mean"]["mean"] == pytest.approx(sum(mine) / 12)
    only = keeps_to_schema(
        "runs compare", *measured, "-c", "bm25", "-c", labels[-1] if labels[-1] != "bm25" else labels[0]
    )
    assert len(only["candidates"]) == 2
    code, out, _ = advisor("runs", "compare")
    assert code == 0
    assert "won" in out


def test_scores_go_to_other_programs(advisor, measured, keeps_to_schema, tmp_path):
    run = measured[0]
    exported = keeps_to_schema("runs export", run, "--metric", "AP")
    assert len(exported["scores"]) == 2 * 12
    as_json = {(s["spec"], s["query_id"]): s["value"] for s in exported["scores"]}
    code, out, _ = advisor("runs", "export", run, "--metric", "AP")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert {row["query_id"] for row in rows if "=" in row["query_id"]} == {"'=q0"}, "no spreadsheet runs it"
    assert {(r["spec"], r["query_id"].removeprefix("'")): float(r["value"]) for r in rows} == as_json
    file = tmp_path / "scores.parquet"
    assert advisor("runs", "export", run, "--metric", "AP", "--out", str(file))[:2] == (0, "")
    table = pq.read_table(file).to_pylist()
    assert {(r["spec"], r["query_id"]): r["value"] for r in table} == as_json
    code, out, _ = advisor("runs", "export", run, "-f", "ir-measures", "-c", "bm25", "--metric", "AP")
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[-1][:2] == ["all", "AP"]
    assert float(lines[-1][2]) == pytest.approx(sum(float(v) for *_, v in lines[:-1]) / 12, abs=1e-3)
    assert {q: float(v) for q, _, v in lines[:-1]} == {
        q: pytest.approx(v, abs=1e-4) for (spec, q), v in as_json.items() if spec == "bm25"
    }
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")], "no half file stays behind"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("runs", "show", "nothing-like-it"), 3, "runs list"),
        (("runs", "show", "evaluation-"), 3, "2 runs"),
        (("runs", "show", "'; DROP TABLE runs; --"), 3, "no run"),
        (("runs", "show", "%"), 3, "no run"),
        (("runs", "compare", "latest", "-c", "bm25"), 3, "two candidates"),
        (("runs", "compare", "latest", "-c", "st:nobody"), 3, "not measured"),
        (("runs", "compare", "latest", "--metric", "niceness"), 3, "nDCG@10"),
        (("runs", "compare", "--margin", "2"), 2, "margin"),
        (("runs", "export", "latest", "--metric", "niceness"), 3, "niceness"),
        (("runs", "export", "latest", "-f", "xlsx"), 2, "csv"),
        (("runs", "export", "latest", "-f", "ir-measures"), 2, "--candidate"),
        (("runs", "export", "latest", "-o", "/nowhere/x.csv"), 8, "--out"),
        (("runs", "list", "--kind", "dreams"), 2, "evaluation"),
        (("schema", "nothing"), 2, "evaluate"),
    ],
)
def test_what_cannot_be_done_is_told(advisor, measured, arguments, code, words):
    found, out, err = advisor(*arguments)
    assert (found, out) == (code, ""), err
    assert words in err


def test_runs_on_other_data_are_not_compared(advisor, measured, small_dataset):
    assert advisor("evaluate", "--data", str(small_dataset), "-c", "bm25", "-q")[0] == 0
    code, _, err = advisor("runs", "compare", "latest", measured[0])
    assert code == 3
    assert "different data" in err


def test_a_run_of_another_version_is_passed_over_and_named(advisor, measured, tmp_path):
    store = RunStore(tmp_path / "home" / "runs.sqlite")
    latest = store.runs(most=1)[0]
    store.save_run("evaluation-99999999-000000-aaaaaa", "evaluation", {"of": "the future"}, latest.finished)
    store.close()
    assert len(json.loads(advisor("runs", "list", "--json")[1])) == 2
    code, _, err = advisor("runs", "show", "evaluation-9999")
    assert code == 8
    assert "another version" in err
