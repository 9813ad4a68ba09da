"""The command line through its own entry: what it prints, where, and with which exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.cli import Cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


def test_evaluate_prints_the_documented_json_and_repeats_for_free(advisor, small_dataset):
    arguments = ("evaluate", "--data", str(small_dataset), "-c", "bm25", "-c", "static:wordllama?dim=64", "--json")
    code, out, err = advisor(*arguments)
    assert code == 0, err
    found = json.loads(out)
    assert found["run_id"].startswith("evaluation-")
    assert {k: found["dataset"][k] for k in ("documents", "queries", "judgments")} == {
        "documents": 10,
        "queries": 10,
        "judgments": 10,
    }
    for candidate in found["candidates"]:
        assert {"nDCG@10", "R@100", "RR@10", "P@10", "AP"} <= set(candidate["metrics"])
        assert candidate["encode_seconds"] >= 0
        assert candidate["search_seconds"] >= 0
    assert [c["spec"] for c in found["candidates"]] == ["bm25", "static:wordllama?dim=64"]
    assert (found["candidates"][1]["encoded_texts"], found["candidates"][1]["cached_texts"]) == (0, 20)
    assert found["preflight"][0]["documents"] == 10, "its sample was the whole corpus"
    again = json.loads(advisor(*arguments)[1])
    assert [c["metrics"] for c in again["candidates"]] == [c["metrics"] for c in found["candidates"]]
    assert again["candidates"][1]["encoded_texts"] == 0


def test_shortlist_prints_the_documented_json(advisor):
    code, out, _ = advisor("shortlist", "--text", "German semantic search, commercial, no API", "-k", "3", "--json")
    assert code == 0
    found = json.loads(out)
    assert {c["kind"] for c in found["requirements"]["constraints"]} >= {"languages", "license", "hosting"}
    assert len(found["kept"]) == 3
    for pick in found["kept"]:
        assert pick["predicted"]["low"] < pick["predicted"]["mean"] < pick["predicted"]["high"]
        assert all(isinstance(reason, str) for reason in pick["reasons"])
    assert {"model", "constraint", "reason"} == set(found["rejected"][0])
    assert [pick["spec"] for pick in found["beside"]][:1] == ["bm25"]
    assert sum(len(found[part]) for part in ("kept", "beside", "rejected")) == found["considered"]


def test_shortlist_reads_a_requirements_file(advisor, tmp_path):
    path = tmp_path / "r.json"
    path.write_text('{"task": "search", "constraints": [{"kind": "dimension", "max_dimension": 384}]}', "utf-8")
    code, out, _ = advisor("shortlist", "--requirements", str(path), "--json")
    assert code == 0
    assert json.loads(out)["requirements"]["constraints"][0]["max_dimension"] == 384


def test_recommend_measures_decides_and_reports(advisor, small_dataset, tmp_path):
    code, out, err = advisor(
        "recommend", "--text", "English semantic search", "--data", str(small_dataset), "-c", "bm25", "-c",
        "static:wordllama", "-c", "rrf(bm25, static:wordllama)", "--yes", "--json", "--out", str(tmp_path / "report"),
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert found["winner"] in {"bm25", "static:wordllama", "rrf(bm25, static:wordllama)"}
    assert {"run_id", "tied", "runner_up", "reasons", "evidence", "not_measured", "what_would_change_it"} <= set(found)
    by_id = {e["id"]: e for e in found["evidence"]}
    for row in found["rows"]:
        assert by_id[row["cites"]["quality"]]["value"] == row["metrics"]["nDCG@10"]
        assert by_id[row["cites"]["query_p95_ms"]]["value"] == row["query_p95_ms"]
    assert json.loads(Path(found["report"]["json"]).read_text("utf-8"))["recommendation"]["winner"] == found["winner"]
    assert (tmp_path / "report" / "report.html").stat().st_size > 100_000
    assert "Measuring quality" in err  # progress goes to standard error


def test_recommend_without_consent_measures_nothing_and_says_so(advisor, small_dataset):
    code, out, _ = advisor(
        "recommend", "--text", "English semantic search", "--data", str(small_dataset), "--no-input", "--json"
    )
    assert code == 0
    found = json.loads(out)
    assert found["measured"] is False
    assert found["rows"] == []
    assert any("not agreed" in sentence for sentence in found["not_measured"])


def test_benchmark_prints_json(advisor, small_dataset):
    code, out, err = advisor("benchmark", "--data", str(small_dataset), "-c", "bm25", "--repeats", "5", "--json")
    assert code == 0, err
    speed = json.loads(out)["candidates"][0]
    assert 0 < speed["query_p50_ms"] <= speed["query_p95_ms"] <= speed["query_p99_ms"]
    assert speed["peak_memory_mb"] > 10


def test_models_are_found_and_shown(advisor):
    code, out, _ = advisor("models", "multilingual-e5", "--json")
    assert code == 0
    assert "intfloat/multilingual-e5-small" in [card["model"] for card in json.loads(out)]
    code, out, _ = advisor("models", "--show", "intfloat/multilingual-e5-small", "--json")
    card = json.loads(out)
    assert code == 0
    assert (card["dimension"], card["max_tokens"], card["license"]) == (384, 512, "MIT")
    assert card["sources"]["dimension"]["date"]
    assert "384" in advisor("models", "--show", "intfloat/multilingual-e5-small")[1]


def test_the_version_is_told(advisor):
    assert advisor("--version")[:2] == (0, "advisor 0.1.0\n")


def test_doctor_looks_at_everything(advisor):
    code, out, _ = advisor("doctor", "--json")
    assert code == 0
    found = {finding["about"]: finding for finding in json.loads(out)}
    assert {"cpu", "memory", "disk", "torch", "model hub", "milvus", "embedding API"} <= set(found)
    assert found["milvus"]["fine"]
    assert not found["model hub"]["fine"]
    assert found["model hub"]["remedy"]


BEIR = {
    "corpus.jsonl": '{"_id": "a", "text": "one"}\n{"_id": "b", "text": "two"}\n',
    "queries.jsonl": '{"_id": "q", "text": "one?"}\n',
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq\ta\t1\n",
}


@pytest.fixture
def bad(tmp_path):
    """A small dataset with some of its files replaced."""

    def make(**files: bytes | None) -> str:
        folder = tmp_path / "bad"
        folder.mkdir()
        for name, text in BEIR.items():
            content = files.get(name.partition(".")[0], text.encode())
            if content is not None:
                (folder / name).write_bytes(content)
        return str(folder)

    return make


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"corpus": b""}, "no documents"),
        ({"qrels": None}, "judgments"),
        ({"qrels": b"query-id\tcorpus-id\tscore\nq\tnobody\t1\n"}, "nobody"),
        ({"corpus": b'{"_id": "a", "text": "one"}\n{"_id": "a", "text": "two"}\n'}, "line 2"),
        ({"corpus": b'{"_id": "a", "text": "' + b"x" * 50_000_000 + b'"}\n'}, "line 1"),
        ({"corpus": bytes(range(256)) * 64}, "corpus.jsonl"),
        ({"corpus": b'{"_id": "a", "text": "one"\n'}, "line 1"),
    ],
    ids=["no documents", "no labels", "unknown id", "duplicate id", "50 MB line", "binary", "broken line"],
)
def test_bad_data_is_named_with_its_place_and_a_way_on(advisor, bad, files, words):
    code, out, err = advisor("evaluate", "--data", bad(**files), "-c", "bm25", "--json")
    assert code == 3
    assert out == ""
    assert words in err
    assert json.loads(err.splitlines()[-1])["next_step"]
    assert len(err) < 2_000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("evaluate", "--data", "/nowhere", "-c", "bm25"), 3, "/nowhere"),
        (("evaluate", "--data", "DATA", "-c", "st:nobody/never-heard-of-it"), 7, "may not be asked"),
        (("evaluate", "--data", "DATA", "-c", "word2vec:x"), 3, "word2vec"),
        (("evaluate", "--data", "DATA", "-c", "rrf(bm25"), 3, "bracket"),
        (("evaluate", "--data", "DATA", "-c", "bm25?q=1"), 3, "k1"),
        (("evaluate", "--data", "DATA", "-c", "static:wordllama?dim=9999"), 3, "9999"),
        (("evaluate", "--data", "DATA", "-c", "openai:text-embedding-3-small"), 5, "--send-to"),
        (("evaluate", "--data", "DATA", "-c", "bm25", "--metric", "niceness@10"), 3, "niceness@10"),
        (("evaluate", "--data", "DATA"), 2, "candidate"),
        (("evaluate", "--data", "DATA", "-c", "bm25", "--column", "text"), 2, "text=body"),
        (("shortlist", "--requirements", "/nowhere.json"), 3, "/nowhere.json"),
        (("shortlist",), 2, "--text"),
        (("shortlist", "--text", "Thai, commercial, at most 16 dimensions, self-hosted"), 4, "16 dimensions"),
        (("shortlist", "--text", "asdf qwer"), 3, "asdf qwer"),
        (("shortlist", "--text", ""), 3, "no demand"),
        (("models", "--show", "nobody/never-heard-of-it"), 3, "never-heard-of-it"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
def test_every_mistake_has_its_exit_code_cause_and_next_step(advisor, small_dataset, arguments, code, words):
    arguments = [str(small_dataset) if a == "DATA" else a for a in arguments]
    found, out, err = advisor(*arguments)
    assert found == code, err
    assert words in err
    assert out == ""


def test_a_wrong_setting_is_named(advisor, small_dataset, monkeypatch):
    monkeypatch.setenv("ADVISOR_CHILD_MEMORY_MB", "a lot")
    code, _, err = advisor("evaluate", "--data", str(small_dataset), "-c", "bm25")
    assert code == 3
    assert "child_memory_mb" in err


def test_too_little_memory_for_a_child_is_a_clear_error(advisor, small_dataset, monkeypatch):
    monkeypatch.setenv("ADVISOR_CHILD_MEMORY_MB", "40")
    code, _, err = advisor("evaluate", "--data", str(small_dataset), "-c", "static:wordllama")
    assert code == 8
    assert "40 MB" in err


def test_one_bad_candidate_does_not_spoil_the_others(advisor, small_dataset):
    code, out, _ = advisor(
        "evaluate", "--data", str(small_dataset), "-c", "st:nobody/never-heard-of-it", "-c", "bm25", "--json"
    )
    assert code == 0
    found = json.loads(out)
    assert [c["spec"] for c in found["candidates"]] == ["bm25"]
    assert found["failed"][0]["spec"] == "st:nobody/never-heard-of-it"


def test_chinese_output(advisor, small_dataset):
    code, _, err = advisor("--lang", "zh", "evaluate", "--data", "/nowhere", "-c", "bm25")
    assert code == 3
    assert "错误" in err
    code, out, _ = advisor("--lang", "zh", "shortlist", "--text", "中文语义搜索，商用", "--json")
    assert code == 0
    assert any("\u4e00" <= ch <= "\u9fff" for ch in json.loads(out)["kept"][0]["reasons"][0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("evaluate", "--data", "DATA", "-c", "bm25", "--budget", "-1"), "--budget 至少为 0.1"),
        (("shortlist", "-k", "1000", "-t", "x"), "-k 最大为 100"),
        (("evaluate", "--bogus"), "没有 --bogus 这个选项"),
        (("evaluate",), "缺少 --data"),
        (("evaluate", "--data", "DATA", "-c"), "-c 需要一个值"),
        (("evaluate", "--data", "DATA"), "请至少指定一个候选"),
        (("recommend",), "--requirements"),
        (("models", "--show", "bm25", "--use", "resale"), "“resale”不是一种用途"),
    ],
)
def test_a_mistyped_command_is_explained_in_chinese(advisor, small_dataset, arguments, words):
    arguments = [str(small_dataset) if a == "DATA" else a for a in arguments]
    code, out, err = advisor("--lang", "zh", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "--help" in err
    assert "Usage" not in err
    assert "Invalid" not in err


def test_variants_of_one_encoder_share_their_remarks(advisor, small_dataset):
    specs = ("static:wordllama", "static:wordllama?dim=64", "static:wordllama?dim=128")
    named = [part for spec in specs for part in ("-c", spec)]
    code, _, err = advisor("evaluate", "--data", str(small_dataset), *named, "-q")
    assert code == 0
    remarks = [line.partition(": ")[2] for line in err.splitlines() if line.startswith("static:")]
    assert len(remarks) == len(set(remarks))


def test_a_domain_has_a_chinese_name(advisor):
    _, _, err = advisor("--lang", "zh", "shortlist", "-t", "legal search in German")
    assert "领域：法律" in err


@pytest.mark.parametrize("part", ["precision=int8", "dim=9999"])
def test_what_a_spec_cannot_have_is_said_before_anything_is_checked_or_encoded(advisor, small_dataset, part):
    spec = f"st:sentence-transformers/all-MiniLM-L6-v2?{part}"
    for command in ("evaluate", "benchmark", "preflight"):
        code, out, err = advisor(command, "--data", str(small_dataset), "-c", spec)
        assert code == 3
        assert part.partition("=")[2] in err
        assert out == ""
        assert "Encoding" not in err


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "app", *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, **options
    )


def test_the_module_is_the_command():
    done = run("--help")
    assert done.returncode == 0
    assert "Exit codes" in done.stdout


def test_a_closed_pipe_is_not_a_traceback():
    command = f"{sys.executable} -m app models a -n 900 --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "Traceback" not in done.stderr


def test_chat_takes_a_conversation_and_says_how_to_go_on(small_dataset):
    said = f"English semantic search, research only\njust decide\n{small_dataset}\nno\nexit\n"
    done = run("chat", input=said, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "--thread chat-" in done.stdout
    assert "shortlist" in done.stdout or "worth measuring" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_damaged_file_of_conversations_is_a_clear_error(advisor, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "conversations.sqlite").write_bytes(b"not a database " * 100)
    code, out, err = advisor("recommend", "--text", "English semantic search", "--no-input", "--json")
    assert (code, out) == (8, "")
    assert "not a database" in err
    assert "ADVISOR_HOME" in err


def test_an_adaptive_evaluation_says_what_became_of_each(advisor, small_dataset):
    arguments = ("evaluate", "--data", str(small_dataset), "-c", "bm25", "-c", "static:wordllama", "--adaptive")
    code, out, err = advisor(*arguments)
    assert code == 0
    assert "the winner" in out
    assert "bm25" in out
    assert "Encoding" in err
    assert "Too few queries to place" in out, "ten queries settle nothing"
    code, out, _ = advisor(*arguments, "--json", "-q")
    assert set(json.loads(out)) == {"screening", "evaluation", "winner"}
    assert advisor(*arguments, "--budget", "0")[0] == 2
