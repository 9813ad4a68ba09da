"""`backend=onnx`: graphs exported here, from real models of several architectures with random weights."""

import json
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from knowledge.candidate import Leg
from knowledge.errors import MissingExtraError, SpecError
from tests.tiny_models import DIMENSION, make_st, write_json, write_tokenizer
from tools import encoders, encoding, onnx_export
from tools.pipeline import graphs
from tools.workspace import Workspace

TEXTS = [
    "the cat is in the sea",
    "a dog and an apple",
    "猫在垫子上睡觉",
    "",
    "garbage collection " * 530,
    "code",
    "ship " * 9,
]
SIZES = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": DIMENSION, "intermediate_size": 64}
#: model type -> what its configuration needs besides, and how its tokens become one vector
ARCHITECTURES = {
    "bert": ({}, "cls"),
    "xlm-roberta": ({"max_position_embeddings": 80}, "mean"),
    "mpnet": ({"max_position_embeddings": 80}, "mean"),
    "distilbert": ({"dim": DIMENSION, "hidden_dim": 64, "n_heads": 2, "n_layers": 2}, "mean"),
    "qwen2": ({"num_key_value_heads": 1}, "lasttoken"),
    "qwen3": ({"num_key_value_heads": 1, "head_dim": 16}, "lasttoken"),
}


def make(folder: Path, model_type: str, *, dense: bool = False) -> Path:
    """A sentence-transformers folder around a transformers model with random weights."""
    import torch
    from transformers import AutoConfig, AutoModel

    folder.mkdir(parents=True)
    more, pooling = ARCHITECTURES[model_type]
    torch.manual_seed(0)
    sizes = {"vocab_size": write_tokenizer(folder), "pad_token_id": 0, "initializer_range": 0.3, **SIZES, **more}
    AutoModel.from_config(AutoConfig.for_model(model_type, **sizes)).save_pretrained(folder)
    names = [("", "Transformer"), ("1_Pooling", "Pooling"), *([("2_Dense", "Dense")] if dense else [])]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
        for i, (path, name) in enumerate(names)
    ]
    write_json(folder / "modules.json", modules)
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": DIMENSION,
            "pooling_mode_mean_tokens": pooling == "mean",
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_lasttoken": pooling == "lasttoken",
        },
    )
    if dense:
        from sentence_transformers.sentence_transformer.modules import Dense

        (folder / "2_Dense").mkdir()
        Dense(DIMENSION, 8).save(str(folder / "2_Dense"))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    return folder


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


def resolved(folder, workspace, **options):
    return encoders.resolve(Leg(backend="st", name=str(folder), options=options), workspace)


def embed(folder, workspace, **options):
    vectors = encoders.load(resolved(folder, workspace, **options)).embed(TEXTS, kind="document")
    return encoders.cut(vectors, None)


def exports(workspace):
    return sorted((workspace.home / "onnx").glob("[!.]*/model.onnx"))


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_a_graph_gives_the_models_own_vectors(model_type, tmp_path, workspace):
    folder = make(tmp_path / "model", model_type)
    own = embed(folder, workspace)
    assert np.allclose(own, embed(folder, workspace, backend="onnx"), atol=2e-5)
    int8 = embed(folder, workspace, backend="onnx", precision="int8")
    cosines = (own * int8).sum(axis=1)
    assert cosines.min() > 0.95
    assert not np.allclose(own, int8, atol=1e-4), "eight bits were asked for"


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_openvino_runs_the_same_graph(model_type, tmp_path, workspace):
    folder = make(tmp_path / "model", model_type)
    own = embed(folder, workspace)
    assert np.allclose(own, embed(folder, workspace, backend="openvino"), atol=1e-4)
    rounded = embed(folder, workspace, backend="openvino", precision="bf16")
    assert (own * rounded).sum(axis=1).min() > 0.99
    assert np.allclose(own, embed(folder, workspace, backend="onnx"), atol=2e-5)
    assert len(exports(workspace)) == 1, "all of them run one export"


def test_what_follows_the_transformer_is_the_models_own(tmp_path, workspace):
    folder = make(tmp_path / "model", "bert", dense=True)
    own, onnx = embed(folder, workspace), embed(folder, workspace, backend="onnx")
    assert own.shape == (len(TEXTS), 8)
    assert np.allclose(own, onnx, atol=2e-5)


def test_in_eight_bits_a_vector_depends_on_its_text_alone(tmp_path, workspace):
    encoder = encoders.load(resolved(make_st(tmp_path / "model"), workspace, backend="onnx", precision="int8"))
    together = encoder.embed(TEXTS, kind="document")
    alone = np.concatenate([encoder.embed([text], kind="document", batch_size=64) for text in TEXTS])
    assert np.array_equal(together, alone)
    assert np.array_equal(together[::-1], encoder.embed(TEXTS[::-1], kind="document", batch_size=3))


def test_prompts_and_a_smaller_limit_reach_the_graph(tmp_path, workspace):
    folder = make_st(tmp_path / "model", prompts={"query": "query: ", "document": ""})
    for options in ({}, {"max_tokens": "8"}, {"prompts": "none"}):
        own = encoders.load(resolved(folder, workspace, **options))
        onnx = encoders.load(resolved(folder, workspace, backend="onnx", **options))
        for kind in ("query", "document"):
            assert np.allclose(own.embed(TEXTS, kind=kind), onnx.embed(TEXTS, kind=kind), atol=2e-5)
    assert len(exports(workspace)) == 1, "neither changes the graph"


def test_whatever_changes_the_vectors_changes_the_key(tmp_path, workspace, monkeypatch):
    folder = make_st(tmp_path / "model")

    def key(**options):
        return resolved(folder, workspace, **options).key("query")

    keys = [key(), key(precision="bf16"), key(backend="onnx"), key(backend="onnx", precision="int8")]
    keys += [key(backend="openvino"), key(backend="openvino", precision="bf16")]
    assert len(set(keys)) == len(keys)
    assert key(backend="torch") == key()
    assert key(backend="onnx", precision="fp32") == key(backend="onnx")
    elsewhere = Workspace(home=tmp_path / "other", offline=True)
    assert (
        resolved(folder, elsewhere, backend="onnx").fingerprint
        == resolved(folder, workspace, backend="onnx").fingerprint
    )
    monkeypatch.setattr(onnx_export, "runtime_version", lambda: "99.0")
    assert key(backend="onnx") not in keys
    assert key() in keys


def test_an_export_is_made_once_and_a_damaged_one_again(tmp_path, workspace):
    folder = make_st(tmp_path / "model")
    first = embed(folder, workspace, backend="onnx")
    (graph,) = exports(workspace)
    made = graph.stat().st_mtime_ns
    report = json.loads((graph.parent / "export.json").read_text())
    assert report["cosine"] > 0.9999
    assert np.array_equal(first, embed(folder, workspace, backend="onnx"))
    assert graph.stat().st_mtime_ns == made
    graph.write_bytes(graph.read_bytes()[:1000])
    assert np.array_equal(first, embed(folder, workspace, backend="onnx"))
    assert graph.stat().st_size > 1000
    (graph.parent / "export.json").unlink()  # as if it had been put there by hand
    assert np.array_equal(first, embed(folder, workspace, backend="onnx"))


def test_two_at_once_make_it_once(tmp_path, workspace):
    folder = make_st(tmp_path / "model")
    found = resolved(folder, workspace, backend="onnx")
    with ThreadPoolExecutor(2) as pool:
        costs = pool.map(lambda text: encoding.ensure(found, {"document": [text]}, workspace), TEXTS[:2])
    assert [cost.encoded for cost in costs] == [1, 1]
    assert len(exports(workspace)) == 1
    own = encoders.load(resolved(folder, workspace)).embed(TEXTS[:2], kind="document")
    assert np.allclose(encoding.vectors(found, TEXTS[:2], "document", workspace), own, atol=2e-5)


def test_killed_while_exporting_nothing_is_taken_for_an_export(tmp_path, workspace):
    folder = make_st(tmp_path / "model")
    script = """
        import sys
        from knowledge.candidate import Leg
        from tools import encoders
        from tools.pipeline import graphs
        from tools.workspace import Workspace
        from pathlib import Path
        trace = graphs._trace
        def slow(model, transformer, file):
            trace(model, transformer, file)
            print("half way", flush=True)
            sys.stdin.read()
        graphs._trace = slow
        leg = Leg(backend="st", name=sys.argv[1], options={"backend": "onnx"})
        encoders.load(encoders.resolve(leg, Workspace(home=Path(sys.argv[2]), offline=True)))
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(folder), str(workspace.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    with child:
        assert child.stdout.readline().strip() == b"half way"
        child.kill()
    assert list((workspace.home / "onnx").glob(".*/model.onnx")), "it was caught at work"
    assert not exports(workspace)
    begun = time.monotonic()
    embed(folder, workspace, backend="onnx")
    assert time.monotonic() - begun < 300, "a dead process holds no lock"
    assert len(exports(workspace)) == 1
    assert not list((workspace.home / "onnx").glob(".*/")), "and what it left is gone"


def test_a_graph_that_gives_other_vectors_is_refused(tmp_path, workspace, monkeypatch):
    folder, other = make_st(tmp_path / "model"), make_st(tmp_path / "other", seed=1)
    embed(other, workspace, backend="onnx")
    (graph,) = exports(workspace)
    monkeypatch.setattr(graphs, "_trace", lambda model, transformer, file: file.write_bytes(graph.read_bytes()))
    with pytest.raises(SpecError, match=r"other vectors \(cosine -?0\.\d+.*Leave backend=onnx out"):
        embed(folder, workspace, backend="onnx")
    assert exports(workspace) == [graph]


def test_a_model_that_is_no_transformer_is_refused_with_the_reason(tmp_path, workspace):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    write_tokenizer(tmp_path)
    table = StaticEmbedding(Tokenizer.from_file(str(tmp_path / "tokenizer.json")), embedding_dim=8)
    SentenceTransformer(modules=[table], device="cpu").save(str(tmp_path / "static"))
    assert embed(tmp_path / "static", workspace).shape == (len(TEXTS), 8)
    with pytest.raises(SpecError, match="StaticEmbedding"):
        embed(tmp_path / "static", workspace, backend="onnx")


@pytest.mark.parametrize(
    "options", [{"backend": "jax"}, {"precision": "int8"}, {"backend": "onnx", "precision": "bf16"}]
)
def test_impossible_combinations_name_the_possible_ones(options, tmp_path, workspace):
    with pytest.raises(SpecError, match=r"Possible are: .*onnx"):
        resolved(tmp_path, workspace, **options)


def test_without_the_extra_its_name_is_told(tmp_path, workspace, monkeypatch):
    monkeypatch.setattr(onnx_export, "runtime_version", lambda: None)
    with pytest.raises(MissingExtraError, match=r"embedding-advisor\[onnx\]"):
        resolved(make_st(tmp_path / "model"), workspace, backend="onnx")


@pytest.mark.parametrize(
    ("features", "narrow"),
    [({"avx2"}, "True"), ({"avx2", "avx_vnni"}, "False"), ({"avx2", "avx512_vnni"}, "False"), ({"asimd"}, "False")],
)
def test_weights_keep_to_seven_bits_where_sums_would_overflow(features, narrow, monkeypatch):
    monkeypatch.setattr(onnx_export, "cpu_features", lambda: frozenset(features))
    assert onnx_export.settings("int8")["reduce_range"] == narrow
    assert onnx_export.settings("fp32")["reduce_range"] == "False"


def test_seven_bits_are_still_the_model(tmp_path, workspace, monkeypatch):
    folder = make_st(tmp_path / "model")
    own, eight = embed(folder, workspace), embed(folder, workspace, backend="onnx", precision="int8")
    monkeypatch.setattr(onnx_export, "cpu_features", lambda: frozenset({"avx2"}))
    seven = embed(folder, workspace, backend="onnx", precision="int8")
    assert not np.array_equal(seven, eight)
    assert (own * seven).sum(axis=1).min() > 0.95
