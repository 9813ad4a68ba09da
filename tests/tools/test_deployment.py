"""A deployment's files run by themselves, and find what the evaluation found."""

import datetime as dt
import json
import os
import subprocess
import sys

import pytest

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset, content_hash
from knowledge.requirements import Requirements
from knowledge.results import Consent, Report, Shortlist
from knowledge.results.handover import Handover
from tests.animals import write_dataset
from tests.tiny_legs import make_ce, make_splade
from tests.tiny_models import make_st
from tools.datasets import read_dataset
from tools.deployment import make_deployment, write_deployment
from tools.evaluate import evaluate, query_scores
from tools.recommend import recommend
from tools.workspace import Workspace

PROMPTS = {"query": "query: ", "document": "passage: "}
#: loading no PyTorch
QUICK = (
    "bm25?chunk=4",
    "static:wordllama",
    "static:wordllama?dim=64&index=hnsw&m=8",
    "static:wordllama?store=int8",
    "static:wordllama?store=binary&rescore=4",
    "static:wordllama?chunk=6&overlap=2&by=sentence",
    "weighted(bm25, static:wordllama?first=64)?w=1:3",
)
SLOW = (
    "st:{st}?dim=16&max_tokens=8",
    "rerank(rrf(bm25, splade:{splade}), ce:{ce}?max_tokens=32)?top=5",
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The quick set-ups, measured in one evaluation."""
    return evaluated(tmp_path_factory.mktemp("deployed"), QUICK)


def evaluated(folder, specs):
    """The data, where it was measured, the report, and the specs as they are written in full."""
    specs = [parse_candidate(spec).spec for spec in specs]
    workspace = Workspace(home=folder / "home", offline=True)
    dataset = read_dataset(write_dataset(folder / "animals"))
    # two documents of one text, as real data has them
    documents = dataset.documents | {"twin": dataset.documents["otter-eats"]}
    hashed = content_hash(documents, dataset.queries, dataset.judgments)
    summary = dataset.summary.model_copy(update={"hash": hashed, "documents": len(documents)})
    dataset = Dataset(summary, documents, dataset.queries, dataset.judgments)
    evaluation = evaluate(dataset, specs, workspace, consent=Consent(measure=True), preflight=False)
    assert not evaluation.failed
    return dataset, workspace, report_of(evaluation, workspace, dt.datetime.now(dt.UTC)), specs


def report_of(evaluation, workspace, now):
    needs = Requirements()
    shortlist = Shortlist(requirements=needs, kept=(), rejected=(), considered=0)
    decision = recommend(needs, shortlist, evaluation, query_scores(evaluation, workspace), None, now=now)
    return Report(
        requirements=needs,
        shortlist=shortlist,
        evaluation=evaluation,
        recommendation=decision.recommendation,
        comparisons=decision.comparisons,
        reproduce="",
        made_by="",
    )


def deployed(measured, folder, spec, **how):
    dataset, workspace, report, _ = measured
    made = make_deployment(report, dataset, workspace, now=report.recommendation.created, spec=spec, **how)
    write_deployment(made, folder)
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"_id": name, "text": text}) + "\n" for name, text in dataset.documents.items())
    return made


#: ingests in each folder, twice, and asks what verify.json asks: in one process, to load PyTorch once
RUN_ALL = """
import importlib, json, os, pathlib, sys
for folder in sorted(pathlib.Path().resolve().glob("deployed-*")):
    os.chdir(folder)
    sys.path[0] = str(folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "pipeline"]:
        del sys.modules[name]
    from pipeline.ingest import ingest, read_documents
    from pipeline.search import Pipeline
    from pipeline.settings import read_settings
    settings = read_settings()
    done = [ingest(settings, read_documents(pathlib.Path("documents.jsonl"))) for _ in range(2)]
    pipeline = Pipeline(settings)
    handed = json.loads(pathlib.Path("evaluation/verify.json").read_text("utf-8"))
    found = {q["id"]: [(r.id, r.score) for r in pipeline.ask(q["text"], 40).results] for q in handed["queries"]}
    pipeline.close()
    print("ran", json.dumps([done, found]))
"""


def run(command, folder, **environment):
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "HF_HUB_OFFLINE")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, "HF_HUB_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def finds_what_was_measured(measured, folder):
    specs = measured[3]
    for number, spec in enumerate(specs):
        deployed(measured, folder / f"deployed-{number:02}", spec)
    done = run(["-c", RUN_ALL], folder)
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ran ")]
    for number, (spec, ((first, again), found)) in enumerate(zip(specs, shown, strict=True)):
        handed = Handover.model_validate_json(
            (folder / f"deployed-{number:02}" / "evaluation" / "verify.json").read_text("utf-8")
        )
        assert handed.twins == {"twin": "otter-eats"}
        assert first["changed"] == first["documents"] == 31
        assert again["changed"] == again.get("encoded", 0) == again.get("put", 0) == 0, spec
        for query in handed.queries:
            scores = dict(found[query.id])
            assert len(query.expected) == min(10, len(scores)), (spec, query.id)
            for place, document in enumerate(query.expected):
                # chunks of the same words in several documents: which is first is decided by the last bit
                assert scores[document] == pytest.approx(found[query.id][place][1], abs=1e-5), (spec, query.id)


def test_what_is_deployed_finds_what_was_measured(measured, tmp_path):
    finds_what_was_measured(measured, tmp_path)


def test_models_of_sentence_transformers_find_what_was_measured(tmp_path):
    models = {
        "st": make_st(tmp_path / "st", prompts=PROMPTS),
        "splade": make_splade(tmp_path / "splade"),
        "ce": make_ce(tmp_path / "ce"),
    }
    finds_what_was_measured(evaluated(tmp_path, [spec.format(**models) for spec in SLOW]), tmp_path)
