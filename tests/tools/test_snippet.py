"""The program for a candidate runs by itself, and makes the vectors that were measured."""

import json
import subprocess
import sys

import numpy as np
import pytest

from knowledge.candidate import Leg, parse_candidate
from tests.tiny_models import make_st, make_static
from tools import encoders
from tools.snippet import snippet
from tools.workspace import Workspace

PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(home=tmp_path_factory.mktemp("home"), offline=True)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "plain": make_st(folder / "plain"),
        "prompted": make_st(folder / "prompted", prompts=PROMPTS),
        "dot": make_st(folder / "dot", similarity="dot"),
        "table": make_static(folder / "table"),
    }


def run(program: str, folder, show: str):
    """What the program prints, and what its variables hold then."""
    script = folder / "program.py"
    script.write_text(f"{program}\nimport json\nprint(json.dumps([{show}]))\n", "utf-8")
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "spec",
    [
        "st:{plain}",
        "st:{plain}?precision=bf16",
        "st:{plain}?dim=16&max_tokens=4",
        "st:{prompted}",
        "st:{prompted}?prompts=none",
        "st:{dot}",
        "static:{table}",
        "static:wordllama?dim=64",
    ],
)
def test_the_program_makes_the_vectors_that_were_measured(spec, models, workspace, tmp_path):
    leg = parse_candidate(spec.format(**models))
    assert isinstance(leg, Leg)
    program = snippet(leg, workspace)
    assert not any(line != line.strip() for line in program.splitlines()), "a chat may trim lines"
    documents, query, made, asked, found = run(
        program, tmp_path, "documents, query, vectors_1.tolist(), asked_1.tolist(), found"
    )
    resolved = encoders.resolve(leg, workspace)
    encoder = encoders.load(resolved, workspace)
    expected = encoders.finish(encoder.embed(documents, kind="document"), leg, resolved)
    wanted = encoders.finish(encoder.embed([query], kind="query"), leg, resolved)
    np.testing.assert_allclose(made, expected, atol=1e-2 if "bf16" in spec else 1e-5)
    np.testing.assert_allclose(asked, wanted, atol=1e-2 if "bf16" in spec else 1e-5)
    if "bf16" not in spec:
        assert found == np.argsort(-(wanted @ expected.T)[0]).tolist()


def test_words_and_meaning_together(workspace, tmp_path):
    program = snippet(parse_candidate("rrf(bm25, static:wordllama)"), workspace)
    by_words, by_meaning, found = run(
        program.replace("how do I fix a puncture", "when does the shop open"), tmp_path, "found_1, found_2, found"
    )
    assert by_words[0] == by_meaning[0] == found[0] == 1


@pytest.mark.parametrize(("query", "first"), [("opening of the shop", 1), ("a flat tyre", 0)])
def test_words_alone(workspace, tmp_path, query, first):
    program = snippet(parse_candidate("bm25?k1=0.9"), workspace)
    assert "k1=0.9" in program
    assert "pymilvus" not in program
    (found,) = run(program.replace("how do I fix a puncture", query), tmp_path, "found")
    assert found[0] == first


def test_pairs_of_characters_where_there_are_no_spaces(workspace, tmp_path):
    program = snippet(parse_candidate("bm25"), workspace)
    program = program.replace("Our shop opens at nine.", "我们的商店九点开门").replace(
        "how do I fix a puncture", "商店几点开门"
    )
    (found,) = run(program, tmp_path, "found")
    assert found[0] == 1


def test_an_endpoint_is_asked_as_it_was(workspace):
    program = snippet(parse_candidate("openai:text-embedding-3-small?dim=512"), workspace)
    assert "model='text-embedding-3-small'" in program
    assert "[:, :512]" in program
    compile(program, "program.py", "exec")


def test_another_backend_is_said_to_be_another(models, workspace):
    pytest.importorskip("onnxruntime")
    program = snippet(parse_candidate(f"st:{models['plain']}?backend=onnx&precision=int8"), workspace)
    assert "# measured with onnx in int8; this runs PyTorch in fp32" in program
