"""Data that nobody asked anything of is measured with silver queries, and every door says what they are."""

import json

import pytest

from knowledge.results import Consent
from tests.animals import CANDIDATES
from tests.tools.test_silver import corpus
from tools.data_source import DataSource


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """64 documents, no queries."""
    folder = tmp_path_factory.mktemp("documents")
    rows = (json.dumps({"_id": name, "text": text}) + "\n" for name, text in corpus().documents.items())
    (folder / "corpus.jsonl").write_text("".join(rows), "utf-8")
    return folder


def test_documents_alone_are_measured_with_queries_of_our_own(talk, documents):
    talk.say("Semantic search over English documents, for commercial use").answer_until("data")
    talk.say(str(documents))
    said = " ".join(str(event.text) for event in talk.events if event.kind == "said")
    assert "silver" in said
    assert talk.question == "plan"
    plan = talk.state["plan"]
    assert plan.silver
    assert plan.queries == 64
    talk.say("yes")
    state = talk.state
    assert state["status"] == "done"
    assert state["recommendation"].measured
    assert state["evaluation"].dataset.labels == "silver"
    assert state["evaluation"].judged_queries == 64
    assert "People asked none of these 64 queries" in str(state["recommendation"].confidence)
    with open(talk.event("reported").markdown, encoding="utf-8") as file:
        report = file.read()
    assert "judged by no one" in report
    assert "silver" in report
    run = state["evaluation"].candidates[0].key
    talk.say("redo it with my new data").say(str(documents))
    talk.answer_until("plan", "yes") if talk.question else None
    assert talk.state["evaluation"] is None or talk.state["evaluation"].candidates[0].key == run


def test_too_little_to_make_queries_of_is_said_and_decided_without(advisor, tmp_path):
    (tmp_path / "few.jsonl").write_text('{"id": "a", "text": "One short text."}\n{"id": "b", "text": "Another."}\n')
    events = list(
        advisor.recommend(
            "few",
            text="semantic search over English documents",
            data=DataSource(path=str(tmp_path / "few.jsonl")),
            specs=CANDIDATES,
            consent=Consent(measure=True),
        )
    )
    recommendation = next(event.recommendation for event in events if event.kind == "recommended")
    assert not recommendation.measured
    assert any("No silver queries can be made" in str(text) for text in recommendation.not_measured)
