"""The catalog from mteb's interface: a stand-in package always, the real one where it is installed."""

import datetime as dt
import gzip
import importlib
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from knowledge.catalog import Catalog, load_catalog
from knowledge.errors import CatalogError, MissingExtraError
from knowledge.likeness import Target
from knowledge.outlook import FITS, PARTS, outlook
from knowledge.scores import load_scores
from tests.standin_mteb import cached_results, score, write_package, write_result, write_results
from tools.catalog_build.build import build
from tools.catalog_build.from_mteb import read_mteb
from tools.catalog_build.groups import grouped, root
from tools.catalog_build.merged import merge
from tools.catalog_build.results import Reader, Result, read_cached

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
E5, JINA, MINILM = (
    "intfloat/multilingual-e5-small",
    "jinaai/jina-embeddings-v2-base-en",
    "sentence-transformers/all-MiniLM-L6-v2",
)


@pytest.fixture
def mteb(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site")))
    for name in [name for name in sys.modules if name.partition(".")[0] == "mteb"]:
        monkeypatch.delitem(sys.modules, name)
    yield importlib.import_module("mteb")
    sys.modules.pop("mteb", None)


def figures(folder: Path) -> dict[tuple[str, str, str], float]:
    s = load_scores(folder / "scores.npz")
    return {
        (s.models[m], s.tasks[s.column_task[c]].name, s.languages[s.column_language[c]]): round(float(v), 4)
        for m, c, v in zip(s.cell_model, s.cell_column, s.cell_score, strict=True)
    }


def test_package_and_results_become_a_catalog(mteb, tmp_path):
    rows = read_mteb(write_results(tmp_path), "abc", load_scores())
    build(rows, tmp_path / "out", NOW)
    catalog = Catalog(tmp_path / "out")
    assert figures(tmp_path / "out") == {
        (E5, "SciFact", "en"): 0.6777,  # the pinned revision's, not the other's 0.1
        (E5, "STSBenchmark", "en"): 0.8,  # another revision completes it
        (E5, "SciFact-NL", "nl"): 0.5,  # only the split that is evaluated
        (E5, "SciFactPrivate", "en"): 0.3,  # the mean over its two splits
        ("mongodb/voyage-3.5", "SciFact", "en"): 0.7,
        ("mongodb/voyage-3.5 (output_dtype=int8)", "SciFact", "en"): 0.69,
        (JINA, "STSBenchmark", "en"): 0.79,  # and not the broken run's 0.11 on SciFact
        (MINILM, "SciFact", "en"): 0.645,  # from before version 1.11
    }
    card = catalog.card(E5)
    assert (card.dimension, card.matryoshka_dimensions, card.max_tokens) == (384, (128, 384), None)
    assert (card.languages, card.query_prompt, card.needs_remote_code) == (("ar", "en"), "query: ", False)
    assert (card.training_datasets, card.training_data_known) == (("SciFact",), True)
    api = catalog.card("voyage-3.5")
    assert (api.is_api, api.revision, api.training_data_known) == (True, None, False)
    tasks = {task.task: task for task in catalog.tasks}
    assert set(tasks) == {"SciFact", "SciFact-NL", "SciFactPrivate", "STSBenchmark"}  # private and beta ones too
    assert (tasks["SciFactPrivate"].public, tasks["SciFactPrivate"].documents) == (False, 15)
    assert (tasks["SciFact"].models_scored, tasks["SciFact"].benchmarks) == (4, ("BEIR",))
    assert (tasks["SciFact"].query_chars, tasks["SciFact"].years) == (90.3, (2020, 2020))
    assert [note.partition(":")[0] for note in rows.notes] == [MINILM]
    assert (rows.results, len(rows.models)) == ("abc", 5)
    for name in ("mteb", "mteb-results"):  # the figures are of today, not of the shipped catalog's day
        assert catalog.sources[name].date == NOW.date()
    assert catalog.sources["cldr"] == load_catalog().sources["cldr"]
    assert "abc" in catalog.sources["mteb-results"].title
    with np.load(tmp_path / "out" / FITS) as fits:  # five models are enough to fit, and to predict for
        assert {part for name in fits.files for part in name.split("-")[1:]} == set(PARTS)
    scores = load_scores(tmp_path / "out" / "scores.npz")
    fitted = outlook(scores, catalog.cards, ("Retrieval",), frozenset({"text"}), tmp_path / "out" / FITS)
    assert np.isfinite(fitted.read(Target("en")).z).all()


def test_known_groups_stay_and_new_tasks_join_them(mteb, tmp_path):
    rows = read_mteb(write_results(tmp_path), "abc", load_scores())
    known = {task.name: task.group for task in load_scores().tasks}
    assert rows.groups["SciFact"] == rows.groups["SciFact-NL"] == known["SciFact"]


@pytest.mark.parametrize(
    ("name", "same_as"),
    [("NanoSciFactRetrieval", "SciFact"), ("SciFact-PL", "SciFact"), ("MSMARCOHardNegatives.v2", "MSMARCO"),
     ("MIRACLReranking", "MIRACLRetrieval"), ("HUMESTS22", "STS22"), ("MultilingualNanoNQRetrieval", "NQ")],
)  # fmt: skip
def test_near_duplicates_have_the_same_root(name, same_as):
    assert root(name) == root(same_as)


@pytest.mark.parametrize(("one", "other"), [("Kitchen", "Kitch"), ("SciFact", "SciDocs"), ("STS12", "STS13"),
                                            ("Retrieval", "Reranking"), ("TRECCOVID", "COVID")])  # fmt: skip
def test_different_tasks_keep_different_roots(one, other):
    assert root(one) != root(other)


def test_new_groups_follow_what_tasks_say_of_each_other():
    def task(name, adapted=(), superseded=None):
        return {"task": name, "adapted_from": list(adapted), "superseded_by": superseded}

    tasks = [
        task("Zebra", superseded="Striped"),
        task("Striped"),
        task("Child", adapted=["Foal"]),
        task("Foal", adapted=["Zebra"]),
        task("Known"),
        task("FromKnown", adapted=["Known"]),
        task("Alone"),
        task("Nothing-DE", adapted=["NotInTheList"]),
    ]
    groups = grouped(tasks, {"Known": "Old"})
    assert groups["Known"] == groups["FromKnown"] == "Old"
    assert len({groups[name] for name in ("Zebra", "Striped", "Foal", "Child")}) == 1
    assert groups["Alone"] == "Alone"
    assert groups["Nothing-DE"] == "Nothing-DE"
    assert set(groups) == {row["task"] for row in tasks}


def test_the_rule_alone_finds_half_of_the_groups_people_made_and_invents_none():
    known = {task.name: task.group for task in load_scores().tasks if task.modalities == ("text",)}
    tasks = [
        {"task": t.task, "adapted_from": t.adapted_from, "superseded_by": t.superseded_by}
        for t in load_catalog().tasks
        if t.task in known
    ]
    found = grouped(tasks, {})
    theirs = {(a, b) for a in known for b in known if a < b and known[a] == known[b]}
    ours = {(a, b) for a in known for b in known if a < b and found[a] == found[b]}
    assert len(theirs & ours) > 0.45 * len(theirs)
    assert len(ours - theirs) < 0.02 * len(ours)


def test_without_mteb_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(MissingExtraError, match=r"embedding-advisor\[catalog\]"):
        read_mteb(tmp_path, "abc", load_scores())


def test_an_empty_or_missing_folder_is_named(mteb, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(CatalogError, match=folder.name):
            read_mteb(folder, "abc", load_scores())


# ---------------------------------------------------------------- what counts as a score


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"main_score": 0.5, "ndcg_at_10": 0.5, "languages": ["eng-Latn"]}, 0.5),
        ({"main_score": 0.5, "map": 0.5, "languages": ["eng-Latn"]}, None),  # measured by a metric of former days
        ({"main_score": 0.5, "map": 0.5, "ndcg_at_10": 0.4, "languages": ["eng-Latn"]}, 0.4),
        ({"main_score": 0.5, "languages": ["eng-Latn"], "mteb_version": "1"}, 0.5),
        ({"main_score": 0.5, "languages": []}, 0.5),  # the task has one language
        ({"main_score": -0.2, "languages": ["eng-Latn"]}, -0.2),
        ({"main_score": 812.0, "languages": ["eng-Latn"]}, None),  # a speed
        ({"main_score": float("nan"), "languages": ["eng-Latn"]}, None),
        ({"main_score": None, "languages": ["eng-Latn"]}, None),
        ({"main_score": "0.5", "languages": ["eng-Latn"]}, None),
        ({}, None),
    ],
)
def test_only_todays_main_score_counts(entry, expected):
    metadata = type("Metadata", (), {"main_score": "ndcg_at_10", "eval_splits": ["test"], "languages": ["eng"]})
    found = Reader({}, {"SciFact": metadata}).result("a/b", "1", "SciFact", {"test": [entry]}).scores
    assert list(found.values()) == ([] if expected is None else [expected])


def test_revisions_are_merged_whatever_the_order():
    results = [
        Result("a/b", "z", "T", {"eng-Latn": 0.1, "deu-Latn": 0.2}),
        Result("a/b", "pin", "T", {"eng-Latn": 0.3}),
        Result("a/b", "a", "T", {"deu-Latn": 0.4}),
    ]
    for order in (results, results[::-1]):
        merged = merge(order, {"a/b": "pin"})
        values = {merged.cells.subsets[s]: v for _, _, s, v in merged.cells.index.T}
        assert values == {"eng-Latn": 3000, "deu-Latn": 4000}
        assert merged.models_scored() == {"T": 1}


def test_only_known_broken_runs_are_doubted():
    low = [Result(model, "1", "T", {"eng-Latn": 0.1}) for model in (JINA, "weak/model")]
    high = [Result(f"a/{i}", "1", "T", {"eng-Latn": 0.6}) for i in range(3)]
    merged = merge([*low, *high], {})
    assert merged.left_out == 1
    assert JINA not in merged.cells.models
    assert "weak/model" in merged.cells.models
    german = [Result(r.model, "1", "T", {"deu-Latn": s}) for r in (*low, *high) for s in r.scores.values()]
    assert merge(german, {}).left_out == 0  # an English model may be bad at German


# ---------------------------------------------------------------- the cached file


def test_the_cached_file_is_read_like_the_folder(mteb, tmp_path):
    file = tmp_path / "cached.json.gz"
    file.write_bytes(gzip.compress(cached_results(), mtime=0))
    build(read_mteb(file, "abc", load_scores()), tmp_path / "out", NOW)
    assert figures(tmp_path / "out") == {
        (E5, "SciFact", "en"): 0.6777,
        ("mongodb/voyage-3.5", "SciFact", "en"): 0.7,
        (MINILM, "SciFact", "en"): 0.645,
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b"[1, 2]", mtime=0),
        gzip.compress(b'{"model_results": 7}', mtime=0),
        gzip.compress(b'{"model_results": [7]}', mtime=0),
        gzip.compress(b'{"model_results": [{"model_name": "intfloat/multilingual-e5-small"}]}', mtime=0),
        gzip.compress(b'{"model_results": [' + b"[" * 100_000, mtime=0),
        gzip.compress(cached_results(broken=True), mtime=0),
        gzip.compress(cached_results(), mtime=0)[:-100],
        gzip.compress("目录".encode("gbk"), mtime=0),
        gzip.compress(b'{"x": "' + b"a" * 20_000_000, mtime=0),
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    file = tmp_path / "cached.json.gz"
    file.write_bytes(content)
    with pytest.raises(CatalogError, match=r"cached\.json\.gz is not"):
        list(read_cached(file, Reader({E5: None}, {})))


def test_a_large_entry_is_read_whole(tmp_path):
    big = {"model_name": E5, "model_revision": "1", "task_results": [], "filler": "x" * 5_000_000}
    small = {"model_name": E5, "model_revision": "1", "task_results": [{"task_name": "T", "scores": {}}]}
    file = tmp_path / "cached.json.gz"
    file.write_bytes(gzip.compress(json.dumps({"model_results": [big, small, big, small]}).encode(), mtime=0))
    assert len(list(read_cached(file, Reader({E5: None}, {})))) == 2


# ---------------------------------------------------------------- the real package


@pytest.mark.skipif(find_spec("mteb") is None, reason="needs the extra embedding-advisor[catalog]")
def test_the_real_mteb_gives_the_same_interface(tmp_path):
    write_result(tmp_path, E5, "0" * 40, "SciFact", {"test": [score(0.6)]})
    rows = read_mteb(tmp_path, "abc", load_scores())
    build(rows, tmp_path / "out", NOW)
    assert figures(tmp_path / "out") == {(E5, "SciFact", "en"): 0.6}
    ours, theirs = load_catalog(), Catalog(tmp_path / "out")
    same = [card for card in ours.cards if card in theirs.cards]
    assert len(same) > 0.8 * len(ours.cards)
    assert len(theirs.tasks) > 2000
