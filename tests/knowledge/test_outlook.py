"""The three readings of the score matrix, each alone and averaged."""

from dataclasses import replace

import numpy as np
import pytest

from knowledge.catalog import load_catalog
from knowledge.columns import usable_columns
from knowledge.evidence import fitted_kinds
from knowledge.kriging import COVARIANCE, Covariance, krige, kriged
from knowledge.ladder import level_1, level_2
from knowledge.likeness import Target, likeness
from knowledge.low_rank import column_weights, completed, factorise
from knowledge.outlook import FITS, digest, outlook, read_fit
from knowledge.scores import Scores, load_scores
from tests.score_matrix import card, matrix

TEN = [f"org{i}/model{i}" for i in range(10)]
CARDS = tuple(card(name) for name in TEN)
RETRIEVAL, TEXT = ("Retrieval",), frozenset({"text"})


def rising(names: list[str]) -> dict[str, float]:
    return {name: 0.3 + 0.04 * i for i, name in enumerate(names)}


def described(scores: Scores, **facts: dict) -> Scores:
    """The matrix with facts of its tasks, by name."""
    return replace(scores, tasks=tuple(replace(task, **facts.get(task.name, {})) for task in scores.tasks))


def short_and_long() -> Scores:
    """Short texts favour the last model, long ones the first."""
    columns = {(f"short{i}", "en"): rising(TEN) for i in range(4)}
    columns |= {(f"long{i}", "en"): rising(TEN[::-1]) for i in range(4)}
    lengths = {
        "short": {"document_chars": 100, "query_chars": 50},
        "long": {"document_chars": 30_000, "query_chars": 50},
    }
    return described(matrix(columns), **{task: lengths[task[:-1]] for task, _ in columns})


@pytest.mark.parametrize(("chars", "best"), [(120, TEN[-1]), (25_000, TEN[0])])
def test_texts_of_like_length_decide(chars, best):
    seen = outlook(short_and_long(), CARDS, RETRIEVAL, TEXT)
    reading = seen.read(Target("en", document_chars=chars, query_chars=50))
    assert TEN[reading.z.argmax()] == best


def test_a_length_that_is_not_known_is_the_average_of_the_language():
    seen = outlook(short_and_long(), CARDS, RETRIEVAL, TEXT)
    weights = [column_weights(seen.columns, seen.like, t) for t in (Target("en"), Target("en", 100, 50))]
    assert np.ptp(weights[0]) == pytest.approx(0, abs=1e-12)
    assert np.ptp(weights[1]) > 0.05
    assert all(w.sum() == pytest.approx(1) for w in weights)


@pytest.mark.parametrize(("domain", "best"), [("Legal", TEN[-1]), ("Medical", TEN[0])])
def test_tasks_of_the_domain_decide(domain, best):
    columns = {(f"legal{i}", "en"): rising(TEN) for i in range(3)}
    columns |= {(f"medical{i}", "en"): rising(TEN[::-1]) for i in range(3)}
    scores = described(matrix(columns), **{t: {"domains": (t[:-1].capitalize(), "Written")} for t, _ in columns})
    reading = outlook(scores, CARDS, RETRIEVAL, TEXT).read(Target("en", domains=frozenset({domain})))
    assert TEN[reading.z.argmax()] == best


def test_kriging_is_the_mean_of_the_gaussian_process():
    scores = short_and_long()
    columns = usable_columns(scores, CARDS, RETRIEVAL, TEXT)
    like = likeness(scores, columns)
    covariance = Covariance()
    target = Target("en", 1000, 50)
    found = kriged(krige(columns, like, covariance), columns, like, target, covariance)
    among = covariance(like.among(covariance.width)) + covariance.group * np.eye(8) + covariance.noise * np.eye(8)
    to = covariance(like.to(target, covariance.width))
    for row in range(10):
        expected = columns.prior[row] + to @ np.linalg.inv(among) @ (columns.excess[row] - columns.prior[row])
        assert found[row] == pytest.approx(expected)


def test_low_rank_fills_in_what_a_like_model_did():
    # Two kinds of models, good at two kinds of tasks; the last of each was not run on every other task of kind 1.
    names = [f"kind{k}/m{i}" for k in range(2) for i in range(8)]
    noise = np.random.default_rng(0)
    columns = {}
    for t in range(40):
        kind = t % 2
        column = {n: 0.5 + (0.2 if n.startswith(f"kind{kind}") else 0) + 0.01 * noise.normal() for n in names}
        if t % 4 == 1:
            del column["kind0/m7"], column["kind1/m7"]
        columns[f"task{t:02}", "en"] = column
    columns = usable_columns(matrix(columns), tuple(card(name) for name in names), RETRIEVAL, TEXT)
    full = completed(columns, factorise(columns))
    left_out = np.arange(40) % 4 == 1
    assert not columns.has[7, left_out].any()
    filled = {name: full[names.index(name), left_out].mean() for name in ("kind0/m7", "kind1/m7")}
    assert filled["kind1/m7"] > filled["kind0/m7"] + 0.5


def test_scores_on_tasks_a_model_was_trained_on_count_half():
    cards = (*CARDS[:9], card(TEN[9], training_datasets=("task0", "task1")))
    groups = {"task0": "a", "task1": "a-too", "task2": "c", "copy": "a"}
    columns = {(task, "en"): rising(TEN) for task in groups}
    plain, told = (usable_columns(matrix(columns, groups=groups), them, RETRIEVAL, TEXT) for them in (CARDS, cards))
    names = [matrix(columns).tasks[t].name for t in told.task]
    halved = [name for name, trained in zip(names, told.trained[9], strict=True) if trained]
    assert sorted(halved) == ["copy", "task0", "task1"]  # the near-duplicate too
    assert told.weight[9] == pytest.approx(np.where(told.trained[9], 0.5, 1.0) * plain.weight[9])
    assert not told.trained[:9].any()
    assert level_1(told)[9] < level_1(plain)[9]


def test_a_language_without_columns_stays_on_level_1():
    columns = usable_columns(short_and_long(), CARDS, RETRIEVAL, TEXT)
    assert level_2(columns, np.zeros(8, dtype=bool), level_1(columns)) == pytest.approx(level_1(columns))


def test_the_shipped_fits_are_those_of_the_shipped_matrix():
    scores, cards = load_scores(), load_catalog().cards
    assert scores.folder
    for types, modalities in fitted_kinds():
        columns = usable_columns(scores, cards, types, modalities)
        assert read_fit(scores.folder / FITS, digest(columns, likeness(scores, columns))) is not None


def test_a_fit_from_the_file_is_the_fit():
    scores, cards = load_scores(), load_catalog().cards
    assert scores.folder
    target = Target("de", 1000, 60, frozenset({"Legal"}))
    kind = (("Reranking",), TEXT)
    there, fresh = (outlook(scores, cards, *kind, fits).read(target).z for fits in (scores.folder / FITS, None))
    assert np.abs(there - fresh).max() < 1e-3


@pytest.mark.parametrize("content", [None, b"", b"PK\x05\x06", b"not a file of fits" * 100])
def test_a_missing_or_damaged_file_of_fits_only_costs_time(tmp_path, content):
    path = tmp_path / FITS
    if content is not None:
        path.write_bytes(content)
    scores = short_and_long()
    assert read_fit(path, "0" * 16) is None
    target = Target("en")
    found = outlook(scores, CARDS, RETRIEVAL, TEXT, path).read(target).z
    assert found == pytest.approx(outlook(scores, CARDS, RETRIEVAL, TEXT).read(target).z)


def test_the_covariance_of_the_shipped_columns_is_one():
    scores = load_scores()
    columns = usable_columns(scores, load_catalog().cards, RETRIEVAL, TEXT)
    like = likeness(scores, columns)
    matrix_ = COVARIANCE(like.among(COVARIANCE.width))
    assert np.linalg.eigvalsh(matrix_).min() > -1e-9
