"""`advisor judge`: pairs asked one by one, answers from a file, and what they change."""

import io
import json

import pytest

from tests.app.cli import Cli


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def answering(advisor, monkeypatch):
    """Runs a command with these lines on standard input."""

    def run(lines, *arguments):
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        return advisor(*arguments)

    return run


@pytest.fixture
def unjudged(tmp_path):
    """Queries that nobody judged, and passages of many lengths, which the candidates weigh differently."""
    folder = tmp_path / "unjudged"
    folder.mkdir()
    documents = [
        {
            "_id": f"d{i}-{j}",
            "text": f"topic{i} " * (j % 3 + 1) + " ".join(f"word{(i * j + k) % 9}" for k in range(9 * j)),
        }
        for i in range(12)
        for j in range(4)
    ]
    queries = [{"_id": f"q{i}", "text": f"topic{i} word{i % 9} word{(i + 2) % 9}"} for i in range(12)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    return folder


CANDIDATES = ("-c", "bm25", "-c", "bm25?b=0", "-c", "bm25?k1=0")


def test_without_any_judgment_pairs_are_asked_and_kept(answering, advisor, unjudged, tmp_path):
    data = ("judge", "--data", str(unjudged), *CANDIDATES, "-q")
    code, out, err = answering("y\nperhaps\nwhat?\nn\ns\nb\n1\nq\n", *data, "--who", "Ada")
    assert code == 0, err
    assert out.count("Query: ") == 7  # one was asked again, after it was taken back
    assert "Answer y, n, u, s, b or q." in err
    assert "would be taken, in" in out
    code, out, _ = advisor(*data, "--json")
    look = json.loads(out)
    assert code == 0
    assert (look["answered"], look["unsure"]) == (2, 1)
    assert len(look["next"]) > 1
    pair = look["next"][0]
    given = tmp_path / "given.tsv"
    given.write_text(f"query-id\tcorpus-id\tscore\n{pair['query']}\t{pair['document']}\t1\n", "utf-8")
    code, out, _ = advisor(*data, "--given", str(given), "--json")
    assert code == 0
    assert json.loads(out)["answered"] == 3
    written = tmp_path / "qrels.tsv"
    assert advisor(*data, "--export", str(written))[0] == 0
    lines = written.read_text("utf-8").splitlines()
    assert lines[0] == "query-id\tcorpus-id\tscore"
    assert len(lines) == 4
    assert f"{pair['query']}\t{pair['document']}\t1" in lines
    code, out, _ = advisor("evaluate", "--data", str(unjudged), "-c", "bm25", "--json", "-q")
    assert code == 0  # the judgments count from now on
    assert json.loads(out)["dataset"]["given"] == 3


def test_an_evaluation_is_scored_again_with_what_was_judged(answering, advisor, unjudged):
    (unjudged / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"q{i}\td{i}-{i % 4}\t1\n" for i in range(12)), "utf-8"
    )
    code, out, _ = advisor("evaluate", "--data", str(unjudged), *CANDIDATES, "--json", "-q")
    assert code == 0
    before = json.loads(out)
    code, out, err = answering("y\ny\nq\n", "judge", before["run_id"])
    assert code == 0, err
    assert "with 2 judgments given here" in err
    code, out, _ = advisor("runs", "show", "latest", "--json")
    after = json.loads(out)
    assert after["run_id"] != before["run_id"]
    assert after["dataset"]["given"] == 2
    assert after["dataset"]["original"] == before["dataset"]["hash"]
    assert [c["metrics"]["nDCG@10"] for c in after["candidates"]] != [
        c["metrics"]["nDCG@10"] for c in before["candidates"]
    ]
    code, _, err = advisor("runs", "compare", before["run_id"], after["run_id"])
    assert code == 3  # other judgments, other figures
    assert "different data" in err


def test_what_cannot_be_taken_says_why_and_changes_nothing(advisor, unjudged, tmp_path):
    data = ("judge", "--data", str(unjudged), *CANDIDATES, "-q")
    for content, words in (
        ("q0\td0-0\tyes\n", "Line 1 of"),
        ("q0\td0-0\t1\nq99\td0-0\t1\n", "has no query “q99”"),
        ("q0\td0-0\t99\n", "99 is no grade"),
        ("q0 d0 1\n", "is no judgment"),
    ):
        file = tmp_path / "given.tsv"
        file.write_text(content, "utf-8")
        code, _, err = advisor(*data, "--given", str(file))
        assert code == 3, err
        assert words in err
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in advisor(*data, "--given", str(tmp_path / "binary"))[2]
    assert "takes two candidates" in advisor("judge", "--data", str(unjudged), "-c", "bm25", "-q")[2]
    assert advisor("judge", "run", *data[1:])[0] == 2
    assert json.loads(advisor(*data, "--json")[1])["answered"] == 0
