"""From the published score tables to the matrix that is shipped."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledge.errors import CatalogError
from knowledge.scores import CODE, load_scores
from tools.catalog_build.models import COLUMNS as MODEL_COLUMNS
from tools.catalog_build.scores import build_scores
from tools.catalog_build.tables import read_tables
from tools.catalog_build.tasks import COLUMNS as TASK_COLUMNS

TABLES = Path(__file__).parents[2].parent / "shared" / "data" / "catalog"

TASKS = [
    ("SciFact", "Retrieval", "ndcg_at_10", ["text"]),
    ("NanoSciFact", "Retrieval", "ndcg_at_10", ["text"]),
    ("Belebele", "Retrieval", "ndcg_at_10", ["text"]),
    ("CodeSearch", "Retrieval", "ndcg_at_10", ["text"]),
    ("Flores", "BitextMining", "f1", ["text"]),
    ("Untyped", None, None, None),
    ("Flickr", "Any2AnyRetrieval", "recall_at_1", ["text", "image"]),
]
CELLS = [
    ("org/模型", "SciFact", "eng-Latn", 6451),
    ("a/model", "SciFact", "eng-Latn", 7000),
    ("a/model", "NanoSciFact", "eng-Latn", 8000),
    ("a/model", "Belebele", "zho-Hans", 5000),
    ("a/model", "Belebele", "zho-Hant", 4000),
    ("a/model", "Belebele", "zho-Hans,eng-Latn", 3000),
    ("a/model", "Belebele", "acm-Arab,acm-Arab", 2000),
    ("a/model", "CodeSearch", "python-Code", 900),
    ("a/model", "CodeSearch", "eng-Latn,sql-Code", 800),
    ("a/model", "Flores", "eng-Latn", 9999),
    ("only/bitext", "Flores", "eng-Latn", 9999),
    ("a/model", "Untyped", "eng-Latn", 9999),
    ("a/model", "Flickr", "keng-Latn", 9999),
    ("a/model", "Flickr", "deu-Latn", -1200),
]


@pytest.fixture
def source(tmp_path):
    names = ("task", "type", "main_score", "modalities")
    tasks = [dict.fromkeys(TASK_COLUMNS) | dict(zip(names, row, strict=True)) for row in TASKS]
    pq.write_table(pa.Table.from_pylist(tasks), tmp_path / "tasks.parquet")
    pq.write_table(pa.Table.from_pylist([dict.fromkeys(MODEL_COLUMNS)]), tmp_path / "models.parquet")
    columns = {
        name: pa.array([row[i] for row in CELLS]).dictionary_encode()
        for i, name in enumerate(("model", "task", "lang"))
    }
    columns["score"] = pa.array([row[3] for row in CELLS], pa.int16())
    pq.write_table(pa.table(columns), tmp_path / "scores_lite.parquet", row_group_size=5)
    groups = {"SciFact": "SciFact", "NanoSciFact": "SciFact"}
    (tmp_path / "near_duplicate_groups.json").write_text(json.dumps(groups), "utf-8")
    (tmp_path / "suspect_cells.csv").write_text(
        "model,task@lang\na/model,SciFact@eng\na/model,Belebele@fra\nno/such,SciFact@eng\n", "utf-8"
    )
    return tmp_path


def cells(scores):
    return {
        (
            scores.models[m],
            scores.tasks[scores.column_task[c]].name,
            scores.languages[scores.column_language[c]],
            round(float(s), 4),
        )
        for m, c, s in zip(scores.cell_model, scores.cell_column, scores.cell_score, strict=True)
    }


def test_what_is_kept_and_under_which_language(source, tmp_path):
    out = tmp_path / "out" / "scores.npz"
    build_scores(read_tables(source), out)
    assert cells(load_scores(out)) == {
        ("org/模型", "SciFact", "en", 0.6451),
        ("a/model", "SciFact", "en", 0.7),
        ("a/model", "NanoSciFact", "en", 0.8),
        ("a/model", "Belebele", "zh", 0.5),
        ("a/model", "Belebele", "zh", 0.4),
        ("a/model", "Belebele", "acm", 0.2),
        ("a/model", "CodeSearch", CODE, 0.09),
        ("a/model", "CodeSearch", CODE, 0.08),
        ("a/model", "Flickr", "de", -0.12),
    }


def test_what_is_known_of_tasks_and_suspects(source, tmp_path):
    build_scores(read_tables(source), tmp_path / "scores.npz")
    scores = load_scores(tmp_path / "scores.npz")
    by_name = {task.name: task for task in scores.tasks}
    assert by_name["NanoSciFact"].group == by_name["SciFact"].group == "SciFact"
    assert by_name["Belebele"].group == "Belebele"
    assert by_name["Flickr"].modalities == ("text", "image")
    assert by_name["Flickr"].metric == "recall_at_1"
    (suspect,) = np.nonzero(scores.cell_suspect)[0]
    assert scores.models[scores.cell_model[suspect]] == "a/model"
    assert scores.tasks[scores.column_task[scores.cell_column[suspect]]].name == "SciFact"


def test_the_same_tables_give_the_same_bytes(source, tmp_path):
    build_scores(read_tables(source), tmp_path / "one.npz")
    build_scores(read_tables(source), tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "name", ["scores_lite.parquet", "tasks.parquet", "near_duplicate_groups.json", "suspect_cells.csv"]
)
def test_a_missing_or_broken_table_is_named_and_nothing_is_written(source, tmp_path, name):
    out = tmp_path / "out" / "scores.npz"
    for damage in (
        (source / name).unlink,
        lambda: (source / name).write_bytes(b"\xff\xfe\x00 broken"),
        lambda: (source / name).write_text("[1]\n2"),
    ):
        damage()
        with pytest.raises(CatalogError, match=name.replace(".", r"\.")):
            build_scores(read_tables(source), out)
        assert not out.exists()


def test_a_suspect_stays_one_only_while_its_figure_is_the_same(source, tmp_path):
    rows = read_tables(source)
    for then, flagged in ((0.7, 1), (0.70004, 1), (0.7002, 0), (None, 1)):
        known = dataclasses.replace(rows, suspects={("a/model", "SciFact", "en"): then})
        build_scores(known, tmp_path / "scores.npz")
        load_scores.cache_clear()
        assert load_scores(tmp_path / "scores.npz").cell_suspect.sum() == flagged, then


@pytest.mark.skipif(not TABLES.is_dir(), reason="the published tables are not on this machine")
def test_the_shipped_matrix_is_what_the_tables_give(tmp_path):
    build_scores(read_tables(TABLES), tmp_path / "scores.npz")
    built, shipped = load_scores(tmp_path / "scores.npz"), load_scores()
    assert built.models == shipped.models
    assert built.tasks == shipped.tasks
    assert built.languages == shipped.languages
    for name in ("column_task", "column_language", "cell_column", "cell_model", "cell_score", "cell_suspect"):
        assert np.array_equal(getattr(built, name), getattr(shipped, name))
    assert (tmp_path / "scores.npz").stat().st_size < 2_000_000
