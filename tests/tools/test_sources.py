"""Where documents and queries come from: read from a column or a folder, kept in a copy, and never measured by."""

import json

import pytest

from knowledge.errors import DatasetError
from tools.datasets import preview_dataset, read_dataset, save_dataset


def folder(tmp_path, documents, queries):
    (tmp_path / "documents.csv").write_text(documents, "utf-8")
    (tmp_path / "queries.csv").write_text(queries, "utf-8")
    return tmp_path


@pytest.fixture
def read(tmp_path):
    documents = "id,text,category\na,how to change a tyre,garage\nb,how to bake bread,kitchen\nc,a text without,\n"
    return read_dataset(folder(tmp_path, documents, "id,query,relevant,来源\n1,flat tyre,a,app\n2,bread,b,web\n"))


def test_a_column_says_where_texts_come_from(read):
    assert read.sources == {"a": "garage", "b": "kitchen"}
    assert read.query_sources == {"1": "app", "2": "web"}
    assert read.summary.columns["text"] == "text"


def test_it_survives_a_copy_and_changes_no_measurement(read, tmp_path):
    save_dataset(read, tmp_path / "copy")
    again = read_dataset(tmp_path / "copy")
    assert (again.sources, again.query_sources) == (read.sources, read.query_sources)
    assert again.summary.hash == read.summary.hash


def test_a_row_of_question_and_answer_has_its_category(tmp_path):
    file = tmp_path / "faq.jsonl"
    rows = [{"question": f"question {i}?", "answer": f"answer {i}", "category": "ab"[i % 2]} for i in range(4)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert list(read_dataset(file).sources.values()) == ["a", "b", "a", "b"]


def test_a_folder_of_texts_is_divided_by_its_folders(tmp_path):
    for name in ("wiki/one.md", "wiki/deep/two.md", "mail/three.txt", "four.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}", "utf-8")
    assert read_dataset(tmp_path).sources == {
        "wiki/one.md": "wiki",
        "wiki/deep/two.md": "wiki",
        "mail/three.txt": "mail",
    }


def test_a_column_that_is_named_is_taken_and_one_that_is_not_there_is_an_error(tmp_path):
    file = tmp_path / "docs.csv"
    file.write_text("text,category,team\nsome words,x,red\nother words,y,blue\n", "utf-8")
    with pytest.raises(DatasetError, match="team"):  # the rows are texts with their classes, which have no sources
        read_dataset(file, columns={"source": "team"})
    found = read_dataset(file, columns={"source": "category"})
    assert list(found.sources.values()) == ["x", "y"], "named, it is no class"
    with pytest.raises(DatasetError, match="nowhere"):
        read_dataset(file, columns={"source": "nowhere"})
    assert "source" in preview_dataset(file).files[0].roles


def test_long_texts_and_odd_values_are_no_sources(tmp_path):
    rows = [{"text": "one", "source": "x" * 500}, {"text": "two", "source": ["a"]}, {"text": "three", "source": 7.0}]
    file = tmp_path / "docs.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert list(read_dataset(file).sources.values()) == ["7"]


def test_a_column_that_is_the_text_is_no_source(tmp_path):
    file = tmp_path / "docs.csv"
    file.write_text("id,source\n1,a long text that is what is searched\n2,another text of some length\n", "utf-8")
    found = read_dataset(file)
    assert found.summary.columns["text"] == "source"
    assert not found.sources
