"""Faster ways to run an encoder: tried on real models, judged by what they give."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest

from knowledge.candidate import Leg, parse_candidate
from tests.tiny_models import make_st, make_static
from tools import encoders, encoding, fast
from tools.fast import FastVariant, FastVariants, fast_variants, measure, options_here
from tools.workspace import Workspace

SUBJECTS = ("cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "server", "web", "suite", "garbage")
DOCUMENTS = [f"the {one} and the {other} in the {one}" for one in SUBJECTS for other in SUBJECTS[:3]]
QUERIES = [f"a {subject}" for subject in SUBJECTS]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


@pytest.fixture
def leg(tmp_path):
    return Leg(backend="st", name=str(make_st(tmp_path / "model")))


def test_each_variant_is_measured_in_a_child_and_nothing_is_encoded_twice(leg, workspace, monkeypatch):
    monkeypatch.setattr(fast, "gpus", lambda: ())
    monkeypatch.setattr(fast, "cpu_features", lambda: frozenset({"avx512_bf16"}))
    found = fast_variants(leg, DOCUMENTS, QUERIES, workspace)
    assert not found.failed
    by_option = {spec.partition("?")[2]: one for one in found.found for spec in [one.spec]}
    with_openvino = {"backend=openvino&precision=bf16"}
    assert set(by_option) == {"precision=bf16", "backend=onnx", "backend=onnx&precision=int8"} | with_openvino
    assert [one.speedup for one in found.found] == sorted((one.speedup for one in found.found), reverse=True)
    exact = by_option["backend=onnx"]
    assert exact.worst_cosine > 0.99999
    assert exact.overlap > 0.99
    assert exact.sound
    assert by_option["backend=onnx&precision=int8"].worst_cosine < by_option["precision=bf16"].worst_cosine < 0.999999
    assert (exact.documents, exact.queries) == (len(DOCUMENTS), len(QUERIES))
    for spec in (leg.spec, *(one.spec for one in found.found)):
        resolved = encoders.resolve(parse_candidate(spec), workspace)
        cost = encoding.ensure(resolved, {"document": DOCUMENTS, "query": QUERIES}, workspace)
        assert cost.encoded == 0, spec


def test_another_model_is_never_sound(tmp_path, leg, workspace):
    other = Leg(backend="st", name=str(make_st(tmp_path / "other", seed=1)))
    plain, wrong = (encoders.resolve(one, workspace) for one in (leg, other))
    ticks = count()
    (found,) = measure(plain, [wrong], DOCUMENTS, [], tmp_path / "cache", clock=lambda: float(next(ticks))).found
    assert found.speedup == 1.0
    assert found.cosine < 0.9
    assert found.overlap < 0.8
    assert not found.sound
    (same,) = measure(plain, [plain], DOCUMENTS, [], tmp_path / "cache").found
    assert (same.cosine, same.overlap) == (1.0, 1.0)


def test_the_overlap_counts_documents_in_common():
    documents = np.eye(12, dtype=np.float32)
    queries = np.linspace(1, 0, 12, dtype=np.float32)[None]
    assert fast._overlap((documents, queries), (documents, queries[:, ::-1]), itself=False) == 0.8
    assert fast._overlap((documents[:1], queries), (documents[:1], queries), itself=True) == 1.0


def test_what_cannot_be_loaded_is_told_and_the_others_go_on(tmp_path, leg, workspace, monkeypatch):
    from tools.pipeline import graphs

    monkeypatch.setattr(graphs, "SAME", {"fp32": 2.0, "int8": 0.9})  # no cosine reaches 2
    plain = encoders.resolve(leg, workspace)
    onnx = [
        encoders.resolve(parse_candidate(f"{leg.spec}?backend=onnx{more}"), workspace)
        for more in ("", "&precision=int8")
    ]
    found = measure(plain, onnx, DOCUMENTS[:4], QUERIES[:2], tmp_path / "cache")
    assert [one.spec for one in found.found] == [onnx[1].spec]
    assert "does not run in ONNX Runtime" in found.failed[onnx[0].spec].render("en")


def test_the_fastest_sound_one_is_for_screening():
    def variant(speedup, cosine, overlap):
        return FastVariant(
            spec=f"{speedup}", speedup=speedup, cosine=cosine, worst_cosine=cosine, overlap=overlap, load_seconds=1,
            documents=9, queries=9,
        )  # fmt: skip

    wrong, close, exact, slow = (
        variant(5, 0.9, 0.95),
        variant(4, 0.99, 0.5),
        variant(3, 0.999, 0.99),
        variant(1.1, 1, 1),
    )
    assert FastVariants(found=(wrong, close, exact, slow)).for_screening() == exact
    assert FastVariants(found=(wrong, close, slow)).for_screening() is None
    assert FastVariants().for_screening() is None


def test_what_is_tried_follows_the_machine(leg, monkeypatch):
    def tried(leg, features=(), gpu=(), runtime="1.0", openvino=None):
        monkeypatch.setattr(fast.openvino_graph, "runtime_version", lambda: openvino)
        monkeypatch.setattr(fast, "cpu_features", lambda: frozenset(features))
        monkeypatch.setattr(fast, "gpus", lambda: gpu)
        monkeypatch.setattr(fast, "runtime_version", lambda: runtime)
        return [one.options for one in options_here(leg)]

    onnx = [{"backend": "onnx"}, {"backend": "onnx", "precision": "int8"}]
    assert tried(leg) == onnx
    assert tried(leg, runtime=None) == []
    assert tried(leg, features=["avx512_bf16"]) == [{"precision": "bf16"}, *onnx]
    assert tried(leg, openvino="2026.4")[-1] == {"backend": "openvino", "precision": "fp32"}
    assert tried(leg, ["amx_bf16"], openvino="2026.4")[-1] == {"backend": "openvino", "precision": "bf16"}
    assert tried(leg, gpu=("H200",)) == [{"precision": "bf16"}, {"precision": "fp16"}]
    assert tried(parse_candidate(f"{leg.spec}?precision=bf16")) == []
    short = tried(parse_candidate(f"{leg.spec}?max_tokens=8"))
    assert short == [{"max_tokens": "8", **more} for more in onnx]
    assert tried(parse_candidate("openai:x")) == tried(parse_candidate("static:wordllama")) == []


def test_without_texts_or_variants_nothing_is_started(tmp_path, leg, workspace):
    static = Leg(backend="static", name=str(make_static(tmp_path / "static")))
    assert fast_variants(static, DOCUMENTS, QUERIES, workspace) == FastVariants()
    assert fast_variants(leg, [], QUERIES, workspace) == FastVariants()
    assert not Path(workspace.home).exists()
