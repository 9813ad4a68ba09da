"""Set-ups of one encoder measured: read once, and each figure what NumPy finds by hand."""

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from tests.labelled import as_dataset
from tests.tiny_models import make_static
from tools import encoders
from tools.encoding import vectors
from tools.evaluate import evaluate
from tools.metrics import scoring
from tools.speed import measure as speed_of
from tools.workspace import Workspace

WORDS = ("cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web")
SETUPS = {
    "plain": "",
    "cut": "?dim=16",
    "float16": "?store=float16",
    "int8": "?store=int8",
    "binary": "?store=binary",
    "all again": "?store=binary&rescore=20",
    "some again": "?store=binary&rescore=1",
    "two stages": "?first=8",
    "hnsw": "?index=hnsw&m=2&ef_construction=2&ef=10",
    "cells": "?index=ivf_flat&nlist=12&nprobe=1",
    "all cells": "?index=ivf_flat&nlist=12&nprobe=12",
    "eight bits": "?index=ivf_sq8&nlist=4&nprobe=4&rescore=2",
    "too long": "?first=4000",
}


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return f"static:{make_static(tmp_path_factory.mktemp('models') / 'static')}"


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join(rng.choice(WORDS, rng.integers(2, 9))) for i in range(180)} | {"empty": " "}
    queries = {f"q{i}": " ".join(rng.choice(WORDS, 3, replace=False)) for i in range(25)}
    judgments = {
        q: {d: 1 for d, text in documents.items() if sum(w in text.split() for w in query.split()) >= 2}
        for q, query in queries.items()
    }
    return as_dataset(documents, queries, judgments)


@pytest.fixture(scope="module")
def measured(dataset, static, tmp_path_factory):
    workspace = Workspace(home=tmp_path_factory.mktemp("home"), offline=True)
    found = evaluate(dataset, [static + options for options in SETUPS.values()], workspace, preflight=False)
    by_spec = {c.spec: c for c in found.candidates}
    names = {name: parse_candidate(static + options).spec for name, options in SETUPS.items()}
    return {name: by_spec[spec] for name, spec in names.items() if spec in by_spec}, found, workspace


def test_every_text_is_read_once_for_all_set_ups(measured, dataset):
    of, _, _ = measured
    assert {c.encoded_texts for c in of.values()} == {len({*dataset.documents.values(), *dataset.queries.values()})}


def test_a_first_stage_longer_than_the_vectors_fails_alone(measured):
    _, found, _ = measured
    assert [f.spec.rpartition("?")[2] for f in found.failed] == ["first=4000"]
    assert "no beginning of" in str(found.failed[0].reason)


def test_the_figures_are_those_of_numpy(measured, dataset, static):
    of, _, workspace = measured
    leg = parse_candidate(static)
    resolved = encoders.resolve(leg, workspace)
    kinds = {"document": list(dataset.documents.values()), "query": list(dataset.queries.values())}
    documents, queries = (encoders.cut(vectors(resolved, t, k, workspace), None) for k, t in kinds.items())
    by_hand = {
        "plain": queries @ documents.T,
        "float16": np.float32(np.float16(queries)) @ np.float32(np.float16(documents)).T,
        "binary": -np.unpackbits(
            np.packbits(queries > 0, 1)[:, None] ^ np.packbits(documents > 0, 1)[None], axis=2
        ).sum(axis=2, dtype=np.int64),
    }
    for name, scores in by_hand.items():
        rankings = {
            q: sorted(zip(dataset.documents, row.tolist(), strict=True), key=lambda pair: -pair[1])[:100]
            for q, row in zip(dataset.queries, np.float64(scores), strict=True)
        }
        right = np.mean(list(scoring.score(rankings, dataset.judgments, ["AP"])["AP"].values()))
        assert of[name].metrics["AP"] == pytest.approx(right, abs=0.02 if name == "binary" else 2e-3), name  # ties


def test_ranking_everything_again_loses_nothing_and_some_of_it_less(measured):
    of, _, _ = measured
    for metric, value in of["plain"].metrics.items():
        assert of["all again"].metrics[metric] == pytest.approx(value, abs=1e-6)
    assert of["plain"].primary_mean > of["some again"].primary_mean > of["binary"].primary_mean


def test_what_was_simulated_says_so(measured):
    of, _, _ = measured
    simulated = {name for name, c in of.items() if any("was simulated" in str(note) for note in c.notes)}
    assert simulated == {"float16", "int8", "binary", "all again", "some again"}


def test_a_cut_that_nobody_trained_for_says_so(measured):
    of, _, _ = measured
    warned = {name for name, c in of.items() if any("Nothing says" in str(note) for note in c.notes)}
    assert warned == {"cut", "two stages"}


def test_the_gap_of_an_index_is_apart_from_the_models_error(measured):
    of, _, _ = measured
    plain = of["plain"].primary_mean
    assert {name for name, c in of.items() if c.index_gap} == {"hnsw", "cells", "all cells", "eight bits"}
    for name in ("hnsw", "cells", "all cells"):
        gap = of[name].index_gap
        assert gap.exact == pytest.approx(plain, abs=1e-6)
        assert gap.found == pytest.approx(of[name].primary_mean)
        assert gap.difference.mean == pytest.approx(gap.found - gap.exact)
    assert of["cells"].index_gap.parameters == {"nlist": 12, "nprobe": 1}
    assert of["cells"].index_gap.recall < 0.9
    assert of["cells"].primary_mean < plain - 0.02
    assert of["all cells"].index_gap.recall == 1.0
    assert of["all cells"].index_gap.difference.mean == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "whole", "rescored"),
    [("", 4.0, 0.0), ("?store=int8", 1.0, 0.0), ("?store=binary&rescore=4", 4.125, 4.0), ("?first=8", 5.0, 4.0)],
)
def test_the_benchmark_counts_the_bytes_of_the_set_up(static, options, whole, rescored, tmp_path):
    leg = parse_candidate(static + options)
    resolved = {leg.spec: encoders.resolve(leg, Workspace(home=tmp_path, offline=True))}
    texts = [f"cat {word}" for word in WORDS]
    found = speed_of(leg, resolved, texts, ["cat sea"], 2, seconds=0.01)
    assert found["bytes_per_vector"] == 32 * whole
    assert found["bytes_rescored"] == 32 * rescored
