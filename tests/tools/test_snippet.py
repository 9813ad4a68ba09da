"""The program for a candidate runs by itself, and makes the vectors that were measured."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import SpecError
from tests.tiny_legs import make_ce, make_multi, make_splade
from tests.tiny_models import make_st
from tools import encoders, retrieval
from tools.snippet import snippet
from tools.timed_legs import TimedReranker, timed
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
    }


#: runs each program in a folder of its own, and prints what its variables hold then
RUN_ALL = """
import json, os, pathlib, runpy
for folder in sorted(pathlib.Path().resolve().glob("program-*")):
    os.chdir(folder)
    held = runpy.run_path("program.py")
    print("held", json.dumps(eval((folder / "show").read_text(), {}, held)))
"""


def run_all(programs: list[str], folder, show: str) -> list:
    """What the variables of programs hold when they have run: one after another, to load PyTorch once."""
    for i, program in enumerate(programs):
        own = folder / f"program-{i:02}"
        own.mkdir()
        (own / "program.py").write_text(program, "utf-8")
        (own / "show").write_text(f"[{show}]", "utf-8")
    command = [sys.executable, "-c", RUN_ALL]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("held [")]


def run(program: str, folder, show: str):
    """What the variables of one program hold when it has run."""
    (found,) = run_all([program], folder, show)
    return found


SPECS = (
    "st:{plain}?dim=16&max_tokens=4",
    "st:{prompted}",
    "st:{prompted}?prompts=none&precision=bf16",
    "st:{dot}",
    "static:wordllama?dim=64",
)


def test_programs_make_the_vectors_that_were_measured(models, workspace, tmp_path):
    legs = [parse_candidate(spec.format(**models)) for spec in SPECS]
    programs = [snippet(leg, workspace) for leg in legs]
    assert not any(line != line.strip() for text in programs for line in text.splitlines()), "a chat may trim lines"
    shown = run_all(programs, tmp_path, "documents, query, vectors_1.tolist(), asked_1.tolist(), found")
    for spec, leg, (documents, query, made, asked, found) in zip(SPECS, legs, shown, strict=True):
        assert isinstance(leg, Leg)
        resolved = encoders.resolve(leg, workspace)
        encoder = encoders.load(resolved, workspace)
        expected = encoders.finish(encoder.embed(documents, kind="document"), leg, resolved)
        wanted = encoders.finish(encoder.embed([query], kind="query"), leg, resolved)
        close = 1e-2 if "bf16" in spec else 1e-5
        np.testing.assert_allclose(made, expected, atol=close, err_msg=spec)
        np.testing.assert_allclose(asked, wanted, atol=close, err_msg=spec)
        if "bf16" not in spec:
            assert found == np.argsort(-(wanted @ expected.T)[0]).tolist(), spec


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


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    return {
        "ce": make_ce(folder / "ce"),
        "splade": make_splade(folder / "splade"),
        "multi": make_multi(folder / "multi"),
    }


COMBINATIONS = (
    "splade:{splade}",
    "multi:{multi}?max_tokens=16",
    "weighted(bm25, static:wordllama)?w=1:3",
    "rerank(weighted(splade:{splade}, multi:{multi}), ce:{ce}?max_tokens=32)?top=2",
)


def test_programs_of_combinations_find_what_the_candidates_find(others, workspace, tmp_path):
    candidates = [parse_candidate(spec.format(**others)) for spec in COMBINATIONS]
    programs = [snippet(candidate, workspace) for candidate in candidates]
    assert not any(line != line.strip() for text in programs for line in text.splitlines())
    shown = run_all(programs, tmp_path, "documents, query, found")
    for candidate, (documents, query, found) in zip(candidates, shown, strict=True):
        resolved = {leg.spec: encoders.resolve(leg, workspace) for leg in candidate.legs if leg.backend != "bm25"}
        loaded = {leg: encoders.load(resolved[leg.spec]) for leg in candidate.legs if leg.spec in resolved}
        legs = {
            leg: timed(leg, resolved.get(leg.spec), loaded.get(leg), documents, time.perf_counter)
            for leg in candidate.searched
        }
        rerankers = {leg: TimedReranker(leg, loaded[leg], documents) for leg in loaded if leg not in legs}
        ranked = retrieval.rank(
            candidate,
            {leg: of.search(query, 10) for leg, of in legs.items()},
            10,
            lambda leg, rows, of=rerankers, query=query: of[leg].scores(query, rows),
        )
        assert found == [row for row in ranked.rows[0].tolist() if row >= 0], candidate.spec


@pytest.mark.parametrize("spec", ["bm25?chunk=20", "m3:x", "rrf(bm25, rrf(bm25, static:wordllama))"])
def test_what_no_program_is_written_for_is_said(spec, workspace):
    with pytest.raises(SpecError, match="No program can be written yet"):
        snippet(parse_candidate(spec), workspace)


def test_words_in_the_documents_language(workspace):
    assert 'Stemmer("german")' in snippet(parse_candidate("bm25"), workspace, "de")
    assert 'Stemmer("english")' in snippet(parse_candidate("bm25"), workspace, "zh")


def test_an_endpoint_is_asked_as_it_was(workspace):
    program = snippet(parse_candidate("openai:text-embedding-3-small?dim=512"), workspace)
    assert "model='text-embedding-3-small'" in program
    assert "[:, :512]" in program
    compile(program, "program.py", "exec")


def test_another_backend_is_said_to_be_another(models, workspace):
    pytest.importorskip("onnxruntime")
    program = snippet(parse_candidate(f"st:{models['plain']}?backend=onnx&precision=int8"), workspace)
    assert "# measured with onnx in int8; this runs PyTorch in fp32" in program
