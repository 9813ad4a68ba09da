"""A deployed search is checked: a healthy one passes, and each usual mistake is caught and named."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints.latency import LatencyConstraint
from knowledge.errors import ProviderError, UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent
from knowledge.wording import say
from tests.deployed import SPEC, Embeddings, Model, Search, fill, write
from tests.fake_http import as_json
from tools.data_source import DataSource
from tools.deployed_collection import deployed_collection
from tools.evaluate import evaluate
from tools.load.probing import open_endpoint
from tools.verify import SUBJECTS, verify
from tools.verify.embedding import Here, Served
from tools.verify.kept import handover_of_run, read_handover
from tools.verify.own_model import OwnModel, own_model
from tools.verify.pipeline import Parts, SearchAddress, ids_in
from tools.verify.planning import Target, plan_verification
from tools.verify.rendered import headline, junit_error, junit_xml, markdown
from tools.verify.subject import GIVES_UP
from tools.workspace import Workspace

#: what shows most mistakes, and takes little time
PLAIN = ("identity", "corpus", "quality", "agreement")
NOW = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)


class Decision:
    """An evaluation, its data, and the vectors that a deployment should have."""

    def __init__(self, folder):
        self.workspace = Workspace(home=folder / "home", offline=True)
        self.dataset = DataSource(path=str(write(folder / "data"))).read()
        evaluation = evaluate(self.dataset, [SPEC, "bm25"], self.workspace, preflight=False)
        self.evaluation, self.folder, self.count = evaluation, folder, 0
        self.handover = self.kept(Requirements())
        self.model = Model(folder / "model")
        self.documents = dict(self.dataset.documents)

    def kept(self, requirements):
        return handover_of_run(
            self.evaluation, SPEC, self.dataset, self.workspace, margin=0.02, requirements=requirements, now=NOW
        )

    def vectors(self, *, texts=None, **how):
        texts = texts or self.documents
        return dict(zip(texts, self.model.embed(list(texts.values()), **how), strict=True))

    def through_parts(self, vectors, *, embedder=None, metric="IP", prompt="", data=True, subjects=PLAIN):
        """Verified with a collection of these vectors, and a server unless another embedder is given."""
        self.count += 1
        uri = fill(self.folder / f"{self.count}.db", vectors, metric=metric)
        with Embeddings(self.model) as server, deployed_collection(uri, "docs") as collection:
            made = embedder or Served(open_endpoint(server.url, protocol="openai", model="wordllama"), None)
            return self.found(Parts(made, collection, prompt), data=data, subjects=subjects)

    def found(self, pipeline, handover=None, data=True, seconds=0.3, subjects=PLAIN):
        return verify(
            handover or self.handover,
            pipeline,
            self.workspace,
            documents=self.documents if data else None,
            consent=Consent(),
            seconds=seconds,
            subjects=subjects,
        )


@pytest.fixture(scope="module")
def decision(tmp_path_factory):
    return Decision(tmp_path_factory.mktemp("verify"))


def check(found, name):
    return next(one for one in found.checks if one.name == name)


def failures(found):
    return {one.name: one.fault for one in found.checks if one.status == "fail"}


def test_a_healthy_pipeline_passes_and_says_what_was_skipped_and_why(decision):
    found = decision.through_parts(decision.vectors(), subjects=(*PLAIN, "robustness", "edges"))
    assert found.passed, failures(found)
    assert check(found, "vectors of documents").figures["lowest_cosine"] == pytest.approx(1, abs=1e-4)
    assert check(found, "vectors of queries").status == "pass"
    assert check(found, "nDCG@10").figures["difference"] == pytest.approx(0, abs=1e-9)
    assert check(found, "first documents").figures["overlap"] == pytest.approx(1)
    assert {"AP", "P@10", "R@10", "F1@10", "RR@10"} <= {one.name for one in found.checks}
    assert check(found, "perturbed queries").figures["difference"] == pytest.approx(0, abs=1e-9)
    assert all(
        check(found, name).status == "pass" for name in ("empty", "huge", "emoji", "Arabic", "control characters")
    )
    assert all(str(one.reason) for one in found.checks)
    # what is known without the documents is less, and nothing of it is wrong
    blind = decision.through_parts(decision.vectors(), data=False)
    assert blind.passed
    assert check(blind, "vectors of documents").status == "skipped"


def cut_off(text):
    return " ".join(text.split()[:16])


FAULTS = {
    "prompt": lambda d: d.vectors(texts={id: f"passage: {text}" for id, text in d.documents.items()}),
    "normalisation": lambda d: d.vectors(unit=False),
    "truncation": lambda d: d.vectors(texts={id: cut_off(text) for id, text in d.documents.items()}),
    "dimension": lambda d: d.vectors(dimension=128),
    "model": lambda d: {id: v / np.linalg.norm(v) for id, v in _others(d).items()},
    "missing documents": lambda d: dict(list(d.vectors().items())[3:]),
}


def _others(decision):
    rng = np.random.default_rng(0)
    return {id: rng.normal(size=64).astype(np.float32) for id in decision.documents}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_mistake_in_a_collection_is_caught_and_named(decision, fault):
    embedder = None
    found = decision.through_parts(FAULTS[fault](decision), embedder=embedder)
    assert not found.passed
    assert fault in found.faults, failures(found)
    others = {"prompt", "truncation", "model", "normalisation", "missing documents"} - {fault}
    assert not others & set(found.faults), failures(found)  # what is right is not blamed
    named = next(one for one in found.checks if one.fault == fault)
    assert str(named.reason)
    assert named.remedy


def test_a_metric_that_ranks_otherwise_is_named_and_one_that_does_not_is_not(decision):
    look = {"subjects": ("identity",)}
    assert "metric" in decision.through_parts(decision.vectors(unit=False), metric="L2", **look).faults
    assert decision.through_parts(decision.vectors(), metric="L2", **look).passed
    cosine = decision.through_parts(decision.vectors(unit=False), metric="COSINE", **look)
    assert check(cosine, "length of vectors").status == "pass"


def test_a_server_that_adds_a_prompt_of_its_own_or_serves_another_model(decision):
    uri = fill(decision.folder / "prompted.db", decision.vectors())
    with Embeddings(decision.model, before="query: ") as server, deployed_collection(uri, "docs") as collection:
        found = decision.found(
            Parts(Served(open_endpoint(server.url, protocol="openai", model="wordllama"), None), collection)
        )
    assert check(found, "vectors of queries").fault == "prompt"
    assert "query: " in str(check(found, "vectors of queries").reason)
    assert check(found, "vectors of documents").status == "pass"


def test_a_model_of_another_length_is_a_failed_check_and_no_crash(decision):
    own = own_model("static:wordllama?dim=32", decision.workspace)
    assert isinstance(own, OwnModel)
    short = Here(own.leg, own.resolved, decision.workspace)
    short.embed = lambda texts: decision.model.embed(list(texts), dimension=32)
    found = decision.through_parts(decision.vectors(), embedder=short)
    assert failures(found) == {"vectors of queries": "model", "answers": "crash"}
    assert "32 numbers" in str(check(found, "answers").reason)


def test_a_model_here_in_place_of_a_server_checks_the_collection_alone(decision):
    own = own_model(SPEC, decision.workspace)
    assert isinstance(own, OwnModel)
    found = decision.through_parts(decision.vectors(), embedder=Here(own.leg, own.resolved, decision.workspace))
    assert found.passed
    assert {check(found, name).status for name in ("vectors of queries",)} == {"skipped"}


def service(decision, vectors, **how):
    return Search(vectors, lambda query: decision.model.embed([query], **how)[0])


def test_a_search_address_passes_under_its_limits(decision):
    limits = Requirements(constraints=(LatencyConstraint(p95_ms=2000),), queries_per_second={"value": 5})
    with service(decision, decision.vectors()) as server:
        found = decision.found(
            SearchAddress(f"{server.url}/search"), decision.kept(limits), seconds=0.5, subjects=("speed",)
        )
        assert found.passed, failures(found)
        assert check(found, "latency").status == check(found, "throughput").status == "pass"
        strict = Requirements(constraints=(LatencyConstraint(p95_ms=0.01),))
        slow = decision.found(SearchAddress(f"{server.url}/search"), decision.kept(strict), subjects=("speed",))
    assert failures(slow) == {"latency": "speed"}
    assert check(slow, "throughput").status == "skipped"


def test_a_service_that_gives_ten_whatever_is_asked_for_is_not_blamed_for_what_it_does_not_show(decision):
    with service(decision, decision.vectors()) as server:
        server.most = 10
        found = decision.found(SearchAddress(f"{server.url}/search"))
    assert found.passed, failures(found)
    names = {one.name for one in found.checks}
    assert {"nDCG@10", "P@10"} <= names
    assert not {"AP", "R@100"} & names


def test_behind_a_search_address_mistakes_are_named_by_what_it_finds(decision):
    def faults(vectors, **how):
        with service(decision, vectors, **how) as server:
            return decision.found(SearchAddress(f"{server.url}/search"))

    missing = faults(dict(list(decision.vectors().items())[3:]))
    assert check(missing, "presence").fault == "missing documents"
    assert "otter-eats" in str(check(missing, "presence").reason)
    nearly_empty = check(faults(dict(list(decision.vectors().items())[:2])), "presence")
    figures = nearly_empty.figures
    assert figures["missing"] + 2 == figures["looked_for"], "only what was asked for counts as looked for"
    assert f"{figures['not_asked_for']:.0f} more" in str(nearly_empty.reason)
    truncated = faults(decision.vectors(texts={id: " ".join(t.split()[:8]) for id, t in decision.documents.items()}))
    assert "truncation" in truncated.faults, failures(truncated)
    random = faults(_others(decision))
    assert check(random, "nDCG@10").fault == "quality"
    assert not {"prompt", "truncation", "normalisation"} & set(random.faults)


def test_a_service_that_breaks_on_odd_input_fails_there_alone(decision):
    with service(decision, decision.vectors()) as server:
        server.instead = lambda query: as_json({"trace": "..."}, 500) if "\x00" in query else None
        found = decision.found(SearchAddress(f"{server.url}/search"), subjects=("edges",))
    assert failures(found) == {"control characters": "crash"}


def test_a_service_that_is_not_there_or_says_nothing_that_can_be_read(decision):
    found = decision.found(SearchAddress("http://127.0.0.1:9/search"))
    assert failures(found) == {"answers": "crash"}
    with service(decision, decision.vectors()) as server:
        server.instead = lambda query: as_json({"answer": 42})
        found = decision.found(SearchAddress(f"{server.url}/search"))
        assert "42" in str(check(found, "answers").reason)
    with (
        pytest.raises(UserError, match="no collection"),
        deployed_collection(fill(decision.folder / "named.db", decision.vectors()), "other"),
    ):
        pass
    with pytest.raises(ProviderError, match="no Milvus"), deployed_collection(str(decision.folder / "none.db"), "x"):
        pass


@pytest.mark.parametrize(
    ("body", "path", "ids"),
    [
        ({"ids": [1, "b"]}, None, ["1", "b"]),
        ([{"_id": "a"}, {"_id": "b"}], None, ["a", "b"]),
        ({"results": [{"document": "a", "score": 1}]}, None, ["a"]),
        ({"hits": {"hits": [{"_source": {"key": 7}}]}}, "hits.hits._source.key", ["7"]),
        ({"results": [{"score": 1}]}, None, None),
        ({"hits": [{"id": "a"}, {}]}, "hits.id", None),
        ({"a": True}, "a", None),
        ("text", None, None),
    ],
)
def test_where_ids_are(body, path, ids):
    assert ids_in(body, path) == ids


def test_a_server_that_goes_down_is_not_asked_hundreds_of_times(decision):
    asked = []

    class Going:  # a service that somebody stops after ten questions
        name, timed = "search", True

        def prepare(self, texts):
            pass

        def search(self, text, k):
            asked.append(text)
            if len(asked) > 10:
                raise ProviderError(say("It does not answer any more."), say("It does not answer any more."))
            return list(decision.documents)[:k]

    found = decision.found(Going(), subjects=SUBJECTS)
    assert len(asked) == 10 + GIVES_UP
    assert failures(found) == {"answers": "crash"}
    told = check(found, "answers")
    assert told.figures == {"asked": 30, "failed": 20}
    assert "After 3 in a row" in str(told.reason)


def test_an_empty_collection_is_missing_its_documents_and_passes_nothing_for_want_of_answers(decision):
    uri = fill(decision.folder / "empty.db", decision.vectors(), emptied=True)
    with Embeddings(decision.model) as server, deployed_collection(uri, "docs") as collection:
        served = Served(open_endpoint(server.url, protocol="openai", model="wordllama"), None)
        found = decision.found(Parts(served, collection), subjects=SUBJECTS)
    assert failures(found) == dict.fromkeys(("answers", "rows", "presence"), "missing documents")
    assert {one.name for one in found.checks if one.subject in ("edges", "robustness", "agreement")} == set()
    assert check(found, "ids in answers").status == "skipped"


def test_a_plan_says_how_often_a_verification_asks(decision):
    """Of a healthy deployment, what was planned is what its server got."""
    subjects = ("identity", "corpus", "quality", "agreement", "robustness", "edges")
    target = Target(
        "here", served=True, sends_text_to="api.openai.com", collection=True, model="text-embedding-3-small"
    )
    how = {"documents": decision.documents, "subjects": subjects}
    planned = plan_verification(decision.handover, target, load_catalog(), **how)
    uri = fill(decision.folder / "planned.db", decision.vectors())
    with Embeddings(decision.model) as server, deployed_collection(uri, "docs") as collection:
        served = Served(open_endpoint(server.url, protocol="openai", model="wordllama"), None)
        decision.found(Parts(served, collection), subjects=subjects)
        assert len(server.requests) == planned.requests == sum(planned.asks.values())
    assert planned.lookups == 30 + 24
    assert planned.usd == pytest.approx(planned.tokens * 0.02 / 1e6)
    more = plan_verification(decision.handover, target, load_catalog(), documents=None, subjects=(*subjects, "speed"))
    assert more.requests == planned.requests + 3_000
    assert more.seconds > planned.seconds + 5
    demands = decision.kept(Requirements(queries_per_second={"value": 5}))
    some = plan_verification(demands, target, load_catalog(), seconds=2, subjects=("speed",))
    assert some.asks["speed"] < 100


def test_for_ci_servers_and_people(decision):
    found = decision.through_parts(FAULTS["missing documents"](decision))
    root = Xml.fromstring(junit_xml(found, "en"))
    assert (root.get("tests"), int(root.get("failures"))) == (str(len(found.checks)), len(failures(found)))
    assert {one.get("type") for one in root.iter("failure")} >= {"missing documents"}
    assert all(one.get("message") for one in (*root.iter("failure"), *root.iter("skipped")))
    assert all(one.get("message") in one.text for one in root.iter("failure"))
    hostile = ProviderError(
        say("{why}", why='<b> & "quotes" ]]> \x00\x1b[31m \ud800 🙂'), say("{why}", why="mend & <try>")
    )
    (error,) = Xml.fromstring(junit_error(hostile, "run & <x>", "en")).iter("error")
    assert error.get("message") == '<b> & "quotes" ]]> \ufffd\ufffd[31m \ufffd 🙂'
    assert error.text == error.get("message") + "\n→ mend & <try>"
    told = markdown(found, "zh")
    assert "❌" in told
    assert told.count("\n| ") == len(found.checks) + 1 + 0 or told.count("| ✗") == len(failures(found))
    assert "missing documents" in str(headline(found))


def test_a_handover_file_is_as_good_as_its_run(decision, tmp_path):
    file = tmp_path / "verify.json"
    file.write_text(decision.handover.model_dump_json(), "utf-8")
    assert read_handover(file) == decision.handover
    for broken in ("", "{", json.dumps({"version": 2})):
        file.write_text(broken, "utf-8")
        with pytest.raises(UserError, match="no handover"):
            read_handover(file)
    other = replace(decision.dataset, summary=decision.dataset.summary.model_copy(update={"hash": "0" * 64}))
    with pytest.raises(UserError, match="other data"):
        handover_of_run(
            decision.evaluation, SPEC, other, decision.workspace, margin=0.02, requirements=Requirements(), now=NOW
        )
