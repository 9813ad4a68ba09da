"""What an API bills: as its endpoint reported, else by its own tokenizer, else estimated; and it is said which."""

import datetime as dt
from dataclasses import replace

import pytest

from knowledge.candidate import parse_candidate
from knowledge.model_card import ModelCard, Price
from knowledge.requirements import Requirements, Slot
from knowledge.results import Consent, Usage
from tests.animals import write_dataset
from tests.fake_http import FakeEmbeddings
from tests.tools.report_fixture import make_report
from tests.tools.test_tokenizer import in_hub
from tools.cost import Stated, Texts, TokenCounter, costs, volume_of
from tools.cost.token_words import billed
from tools.data_source import read_again
from tools.datasets import read_dataset
from tools.evaluate import evaluate
from tools.text_counts import estimated_tokens
from tools.workspace import Workspace

VOYAGE = "mongodb/voyage-4-lite"
CARD = ModelCard(
    model=VOYAGE,
    dimension=64,
    is_api=True,
    architecture=("dense",),
    price=Price(usd_per_million_tokens=0.02, source="s", date=dt.date(2026, 11, 1)),
)
HALF = {"document": Usage(texts=10, characters=2_000, tokens=1_000), "query": Usage(texts=2, characters=60, tokens=40)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_dataset(write_dataset(tmp_path_factory.mktemp("data") / "animals"))


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", hub_cache=tmp_path / "hub", tiktoken_cache=tmp_path / "tiktoken")


def counter(workspace, data=None, stated=None, requirements=None):
    texts = Texts.of(data) if data else None
    return TokenCounter(*volume_of(stated or Stated(), requirements, texts=texts), texts, workspace)


def mean(texts, of):
    return sum(map(of, texts)) / len(texts)


def test_what_the_endpoint_reported_goes_before_what_can_be_counted(workspace, data):
    in_hub(workspace, "voyageai/voyage-4-lite")
    found = counter(workspace, data).of(VOYAGE, usage=HALF)
    documents, queries = list(data.documents.values()), list(data.queries.values())
    assert found["document"].mean == pytest.approx(mean(documents, len) / 2), "a token for two characters"
    assert found["query"].mean == pytest.approx(mean(queries, len) * 40 / 60)
    assert {one.how for one in found.values()} == {"reported"}
    assert "1,000 tokens for 10" in str(found["document"].because)
    assert counter(workspace).of(VOYAGE, usage=HALF)["document"].mean == 100, "without the texts: as it was sent them"
    (chunked,) = parse_candidate("openai:m?chunk=5").legs
    assert counter(workspace).of("m", chunked, HALF)["document"].how == "assumed", "a chunk is no document"


def test_the_models_own_tokenizer_goes_before_an_estimate(workspace, data):
    estimated = counter(workspace, data).of(VOYAGE)
    assert estimated["document"].mean == pytest.approx(mean(data.documents.values(), estimated_tokens))
    assert estimated["document"].how == "estimated"
    assert "against OpenAI" in str(estimated["document"].because)
    assert "hf download voyageai/voyage-4-lite tokenizer.json" in str(estimated["document"].exact)
    file = in_hub(workspace, "voyageai/voyage-4-lite")
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(file))
    counted = counter(workspace, data).of(VOYAGE)
    for kind, texts in (("document", data.documents), ("query", data.queries)):
        assert counted[kind].mean == pytest.approx(mean(texts.values(), lambda text: len(own.encode(text).ids)))
        assert (counted[kind].how, counted[kind].exact) == ("counted", None)
    assert counted["document"].mean > 1.5 * estimated["document"].mean, "it spells what it does not know"
    assert "voyageai/voyage-4-lite over 30" in str(counted["document"].because)


def test_a_tokenizer_that_fails_is_said_and_estimated(workspace, data):
    in_hub(workspace, "voyageai/voyage-4-lite").write_text("{}")
    found = counter(workspace, data).of(VOYAGE)["document"]
    assert found.how == "estimated"
    assert "could not be used" in str(found.because)


def test_what_was_stated_goes_before_all_and_what_nobody_said_is_assumed(workspace, data):
    found = counter(workspace, data, Stated(document_tokens=7)).of(VOYAGE, usage=HALF)
    assert (found["document"].mean, found["document"].how, found["query"].how) == (7, "stated", "reported")
    assert {one.how for one in counter(workspace).of(VOYAGE).values()} == {"assumed"}
    needs = Requirements(document_tokens=Slot[int](value=512), query_tokens=Slot[int](value=9, origin="inferred"))
    said = counter(workspace, requirements=needs).of(VOYAGE)
    assert (said["document"].mean, said["document"].how, said["query"].how) == (512, "stated", "assumed")
    assert counter(workspace, data, requirements=needs).of(VOYAGE)["document"].how == "estimated", "data is better"


def test_chunks_that_overlap_are_billed_twice(workspace, data):
    (leg,) = parse_candidate("openai:m?chunk=8&overlap=4").legs
    whole, cut = (counter(workspace, data).of("m", leg)["document"].mean for leg in (None, leg))
    assert 1.3 * whole < cut < 2.2 * whole


def test_an_evaluation_keeps_what_the_endpoint_reported_of_each_kind(workspace, data):
    with FakeEmbeddings() as endpoint:  # it counts words
        there = replace(workspace, openai_base_url=endpoint.base_url)
        agreed = Consent(hosts=frozenset({endpoint.url.removeprefix("http://")}))
        found = evaluate(data, ["openai:m", "openai:m?dim=32", "bm25"], there, consent=agreed)
        usages = [one.usage for one in found.candidates]
    words = {kind: sum(len(text.split()) for text in getattr(data, of).values()) for kind, of in
             (("document", "documents"), ("query", "queries"))}  # fmt: skip
    assert {kind: one.tokens for kind, one in usages[0].items()} == words, "each text once, preflight's too"
    assert usages[0]["document"].texts == 30
    assert usages[2] == {}
    report = make_report()
    speed = report.benchmark.candidates[0].model_copy(
        update={"spec": "openai:m?dim=32", "usd_per_million_tokens": 2.0, "bytes_per_vector": 128.0}
    )
    timed = report.benchmark.model_copy(update={"candidates": (speed,)})
    texts = Texts.of(data)
    volume, assumptions = volume_of(Stated(), dataset=data.summary, texts=texts)
    cost = costs(
        volume,
        assumptions,
        evaluation=found,
        benchmark=timed,
        counter=TokenCounter(volume, assumptions, texts, workspace),
    ).candidates[0]
    assert cost.tokens["document"].how == "reported", "the same model's, though another candidate had them made"
    assert cost.at.embed_usd == pytest.approx(words["document"] * 2.0 / 1e6)
    assert cost.query_tokens_usd_per_month == pytest.approx(1e6 * words["query"] / 60 * 2.0 / 1e6)


def test_money_follows_from_the_count_and_the_evidence_says_how(workspace, data):
    in_hub(workspace, "voyageai/voyage-4-lite")
    texts = Texts.of(data)
    volume, assumptions = volume_of(Stated(documents=1_000_000), texts=texts)
    found = costs(
        volume, assumptions, published={VOYAGE: CARD}, counter=TokenCounter(volume, assumptions, texts, workspace)
    )
    (one,) = found.candidates
    tokens = one.tokens["document"].mean
    assert tokens != volume.document_tokens
    assert one.at.embed_usd == pytest.approx(1e6 * tokens * 0.02 / 1e6)
    known = {e.id: e for e in found.evidence}
    base = [known[id] for id in known[one.at.cites["embed_usd"]].computed_from]
    assert {e.unit: e.kind for e in base} == {"USD": "published", "tokens": "measured"}
    assert any("voyageai/voyage-4-lite" in str(e.source) for e in base)
    assert any("2026-11-01" in str(e.date) for e in base)
    (line,) = billed(found)
    for language in ("en", "zh"):
        assert f"({one.cites['document_tokens']})" in line.render(language)
        assert "voyageai/voyage-4-lite" in line.render(language)


def test_data_is_read_again_where_it_is_still_the_same(tmp_path):
    folder = write_dataset(tmp_path / "animals")
    before = read_dataset(folder)
    assert read_again(before.summary).documents == before.documents
    given = before.summary.model_copy(update={"hash": "with judgments", "original": before.summary.hash})
    assert read_again(given).documents == before.documents
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "another"}\n', "utf-8")
    assert read_again(before.summary) is None, "other data now"
    (folder / "corpus.jsonl").write_bytes(b"\xff\x00 not data")
    assert read_again(before.summary) is None, "nothing that can be read"
    assert read_again(before.summary.model_copy(update={"path": str(tmp_path / "gone")})) is None
