"""What uploaded files look like before they are read."""

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledge.errors import DatasetError
from tools.data_source import STDLIB, DataSource
from tools.datasets import FilePreview, Preview, preview, preview_dataset, read_dataset

ROWS = [{"id": f"d{i}", "title": f"Title {i}", "text": f"text of number {i}, which is long enough"} for i in range(40)]


def jsonl(rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_rows(path: Path, rows=ROWS) -> Path:
    """The same rows in the format that the suffix says."""
    names = list(rows[0])
    match path.name.removesuffix(".gz").rpartition(".")[2]:
        case "jsonl":
            raw = jsonl(rows).encode()
        case "json":
            raw = json.dumps(rows).encode()
        case "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
            return path
        case kind:
            with path.open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, names, delimiter="\t" if kind == "tsv" else ",")
                writer.writeheader()
                writer.writerows(rows)
            return path
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "json", "json.gz", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("head", [preview.HEAD, 1000])
def test_one_table_of_any_format(tmp_path, monkeypatch, suffix, head):
    """Whether all of it is looked at, or only its head."""
    monkeypatch.setattr(preview, "HEAD", head)
    path = write_rows(tmp_path / f"x.{suffix}")
    found = preview_dataset(path)
    (file,) = found.files
    assert (found.name, file.name, file.part, found.problem, file.problem) == (
        path.name,
        path.name,
        "table",
        None,
        None,
    )
    assert file.columns == ("id", "title", "text")
    assert file.rows == tuple(tuple(row.values()) for row in ROWS[:5])
    assert file.guessed == {"id": "id", "title": "title", "text": "text"} == read_dataset(path).summary.columns
    assert set(file.roles) >= {"query", "grade", "text"}
    assert Preview.model_validate_json(found.model_dump_json()) == found


def test_the_parts_of_a_folder_and_their_roles(tmp_path):
    write_rows(tmp_path / "corpus.jsonl")
    write_rows(tmp_path / "queries.csv", [{"qid": "q1", "question": "which?"}])
    (tmp_path / "qrels.tsv").write_text("q1\td1\t1\n")
    found = preview_dataset(tmp_path)
    assert found.layout == "BEIR"
    assert [(file.name, file.part) for file in found.files] == [
        ("corpus.jsonl", "documents"),
        ("queries.csv", "queries"),
        ("qrels.tsv", "judgments"),
    ]
    assert found.files[1].guessed == {"query_id": "qid", "query": "question"}
    assert found.files[2].rows == (("q1", "d1", "1"),), "the first line is no header"
    assert found.files[2].roles == ("judged_query", "judged_document", "grade")
    used = {role: column for file in found.files for role, column in file.guessed.items()}
    assert used == read_dataset(tmp_path).summary.columns


def test_a_folder_of_texts(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.md").write_text(f"# {number}\n\ntext")
    (file,) = preview_dataset(tmp_path).files
    assert file.rows[:2] == (("0.md", "# 0 text"), ("1.md", "# 1 text"))
    assert (file.part, file.name) == ("documents", "0.md, 1.md, 2.md, 3.md, 4.md, …")


def test_what_is_read_through_counts(tmp_path):
    path = write_rows(tmp_path / "x.csv")
    assert DataSource(path=str(path)).preview().summary == read_dataset(path).summary
    assert preview_dataset(path).summary is None
    assert DataSource(path=STDLIB).preview().files == ()


def test_a_large_file_is_not_read_through(tmp_path, monkeypatch):
    path = write_rows(tmp_path / "x.jsonl")
    monkeypatch.setattr(preview, "COUNTED", 100)
    found = DataSource(path=str(path)).preview()
    assert found.summary is None
    assert len(found.files[0].rows) == 5


def test_the_first_problem_is_named_wherever_it_is(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(jsonl(ROWS) * 9)  # the second copy's ids occurred before, far from the rows that are shown
    found = DataSource(path=str(path)).preview()
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert found.problem.cause == error.value.cause
    assert "line 41" in str(found.problem.cause)
    assert len(found.files[0].rows) == 5
    skipping = DataSource(path=str(path), skip_bad=True).preview()
    assert (skipping.problem, skipping.summary.problems) == (None, {"duplicate_id": 320})


def test_broken_lines_do_not_hide_the_others(tmp_path):
    (tmp_path / "x.csv").write_text("id,text\n1,one\n2,a,b\n3,three\n")
    found = preview_dataset(tmp_path / "x.csv")
    assert found.files[0].rows == (("1", "one"), ("3", "three"))
    assert "line 3" in str(found.problem.cause)


def test_columns_are_taken_as_the_user_says(tmp_path):
    path = write_rows(tmp_path / "x.csv")
    mapped = preview_dataset(path, columns={"text": "title", "id": ""})
    assert mapped.files[0].guessed == {"text": "title"}
    wrong = preview_dataset(path, columns={"text": "txt"})
    assert "has no column “txt”" in str(wrong.problem.cause)
    assert wrong.files[0].rows, "they are still shown, to choose from"
    assert "no column role" in str(preview_dataset(path, columns={"txt": "text"}).problem.cause)


def test_where_no_column_looks_like_texts_they_are_shown_to_choose_from(tmp_path):
    (tmp_path / "x.csv").write_text("nr,w1,w2\n1,a,b\n")
    found = preview_dataset(tmp_path / "x.csv")
    assert "no column that looks like texts" in str(found.problem.cause)
    assert (found.files[0].columns, found.files[0].rows) == (("nr", "w1", "w2"), (("1", "a", "b"),))


def test_several_tables_are_all_shown(tmp_path):
    write_rows(tmp_path / "a.csv")
    write_rows(tmp_path / "b.jsonl")
    found = preview_dataset(tmp_path)
    assert "several tables" in str(found.problem.cause)
    assert [(file.name, len(file.rows)) for file in found.files] == [("a.csv", 5), ("b.jsonl", 5)]


def test_cells_are_short_and_names_too(tmp_path):
    long = "x" * 300
    write_rows(tmp_path / "x.jsonl", [{"text": "a\u202eb\n" * 500, "list": list(range(999)), "none": None, long: "y"}])
    (file,) = preview_dataset(tmp_path / "x.jsonl").files
    assert file.columns == ("text", "list", "none")
    assert file.left_out == 1
    text, listed, none = file.rows[0]
    assert text.startswith("a\ufffdb a\ufffdb")
    assert listed.startswith("[0, 1, 2")
    assert max(map(len, file.rows[0])) == 200
    assert none == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b"", "holds no documents"),
        ("x.parquet", b"PAR1", "not a readable Parquet file"),
        ("x.csv", b"PK\x03\x04", "binary file"),
        ("x.pdf", b"%PDF", "no known format"),
        ("x.json", b'{"a":\n 1}', "holds no list of objects"),
        ("x.txt", b"text", "single text"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    found = DataSource(path=str(tmp_path / name)).preview()
    assert message in str(found.problem.cause)
    assert found.problem.next_step.render("zh")
    assert found.summary is None


def test_what_is_not_there_says_so(tmp_path):
    assert "does not exist" in str(preview_dataset(tmp_path / "nothing").problem.cause)


def test_the_head_of_a_large_json_list_and_of_other_json(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "HEAD", 50)
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"text": "x" * 100}, indent=1))
    assert "holds no list" in str(preview_dataset(path).problem.cause)
    path.write_text("[" * 5000)
    assert preview_dataset(path).files[0].rows == ()
    path.write_text("[1, 2, " + "3, " * 100 + "4]")
    assert "it is not a JSON object" in str(preview_dataset(path).problem.cause)


def test_a_column_whose_name_is_half_a_character_is_not_offered(tmp_path):
    """Found by fuzzing: such a name can neither be written nor sent back."""
    (tmp_path / "x.json").write_text(r'[{"id": "1", "\ud800": "a text that is long enough"}]')
    (file,) = preview_dataset(tmp_path / "x.json").files
    assert (file.columns, file.left_out, file.guessed) == (("id",), 1, {"id": "id", "text": "\ufffd"})
    assert FilePreview.model_validate_json(file.model_dump_json()) == file
