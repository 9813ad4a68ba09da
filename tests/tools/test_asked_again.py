"""An endpoint in use is asked again: the same model is quiet, one that was changed under its name is an alert."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

from knowledge.errors import ConsentNeeded, UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent
from tests.animals import write_dataset
from tests.app.cli import Cli
from tests.fake_http import FakeEmbeddings, as_json
from tools import editions
from tools.data_source import DataSource
from tools.evaluate import evaluate
from tools.recheck import Asked, Decision, recheck
from tools.recheck.asked_again import MOST_DOCUMENTS, MOST_QUERIES
from tools.recheck.words import markdown
from tools.verify.kept import chosen
from tools.workspace import Workspace

SPEC = "openai:fake"


class Provider(FakeEmbeddings):
    """An endpoint whose owner may change the model; `noise` is what arithmetic does."""

    def __init__(self):
        super().__init__()
        self.turned, self.noise, self.shorter = 0, 0.0, 0

    def vector(self, text):
        made = super().vector(text)
        rng = np.random.default_rng(len(self.texts))
        made = np.roll(made, self.turned) + self.noise * rng.normal(size=len(made))
        return made[self.shorter :] / np.linalg.norm(made)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("asked-again") / "animals")


@pytest.fixture
def provider():
    with Provider() as server:
        yield server


class Deciding:
    """A decision for the endpoint's model."""

    def __init__(self, home, data, provider):
        self.workspace = Workspace(home=home, offline=True, openai_base_url=provider.base_url)
        self.host = provider.url.removeprefix("http://")
        self.consent = Consent(measure=True, hosts=frozenset({self.host}))
        self.dataset = DataSource(path=str(data)).read()
        evaluation = evaluate(self.dataset, [SPEC], self.workspace, consent=self.consent, preflight=False)
        self.decision = Decision(evaluation, chosen(evaluation, SPEC), Requirements(), 0.02)
        provider.texts.clear()

    def look(self, consent=None, **asked):
        asked = Asked(dataset=self.dataset, measure=True, **asked)
        return recheck(self.decision, asked, self.workspace, consent=consent or self.consent)


@pytest.fixture
def deciding(tmp_path, data, provider):
    return Deciding(tmp_path / "home", data, provider)


def test_the_same_model_is_asked_for_a_sample_and_is_quiet(deciding, provider):
    provider.noise = 1e-4  # of vectors whose numbers are some 0.1: cosines of 0.99999
    found = deciding.look()
    assert len(provider.texts) == len(set(provider.texts)) <= MOST_QUERIES + MOST_DOCUMENTS
    (one,) = found.asked_again
    assert (one.host, one.texts, one.tokens) == (deciding.host, len(provider.texts), tokens(provider.texts))
    assert not one.changed
    assert 0.9999 < one.lowest <= one.cosine < 1
    assert found.alert == ()
    assert found.incumbent_change.difference.mean == 0
    assert "gives the vectors of" in markdown(found, "en")
    first = list(provider.texts)
    provider.texts.clear()
    deciding.look()
    assert provider.texts == first, "the same sample every time"


def tokens(texts):
    return sum(len(text.split()) for text in texts)


def test_a_model_that_was_changed_under_its_name_is_an_alert_until_it_is_decided_anew(deciding, provider):
    provider.turned = 5
    found = deciding.look(challengers=("bm25",))
    (one,) = found.asked_again
    assert one.changed
    assert one.cosine < 0.9
    assert "changed under that name" in str(found.alert[0])
    # queries of the new model among documents of the old one: what the deployed search does now
    assert one.loss.beyond
    assert one.loss == found.incumbent_change
    assert one.loss.now.mean < 0.5
    assert len(provider.texts) == one.texts, "nothing beyond the sample was paid for"
    # who is searched with the wrong vectors loses against anybody: that is no reason to change to them
    assert found.challengers == ()
    assert found.migration is None
    assert "measure it anew" in str(found.measuring_skipped)
    told = markdown(found, "en")
    assert "🔔" in told
    assert "among documents as they were stored" in told
    # the next check says so too, and still asks for the sample alone
    provider.texts.clear()
    assert deciding.look().asked_again[0].changed
    assert len(provider.texts) == one.texts
    # who decides anew measures the new model: all its vectors are made again, none is taken from the old one
    provider.texts.clear()
    again = evaluate(deciding.dataset, [SPEC], deciding.workspace, consent=deciding.consent, preflight=False)
    assert set(provider.texts) == {*deciding.dataset.documents.values(), *deciding.dataset.queries.values()}
    anew = Decision(again, chosen(again, SPEC), Requirements(), 0.02)
    asked = Asked(dataset=deciding.dataset, measure=True)
    assert recheck(anew, asked, deciding.workspace, consent=deciding.consent).alert == ()


def test_vectors_of_another_length_are_another_model(deciding, provider):
    provider.shorter = 8
    found = deciding.look()
    assert found.asked_again[0].cosine is None
    assert found.incumbent_change is None
    assert "another length" in str(found.alert[0])


def test_a_host_that_is_not_agreed_to_or_not_there_is_a_reason_and_not_quiet(deciding, provider):
    refused = deciding.look(consent=Consent(measure=True))
    assert refused.failed == ConsentNeeded.exit_code
    assert provider.texts == []
    provider.instead = [as_json({"error": {"message": "no such model"}}, 404)] * 3
    broken = deciding.look()
    assert broken.failed == 7
    assert broken.alert == ()
    assert "no such model" in str(broken.measuring_skipped)


def test_editions_are_kept_and_of_their_time(tmp_path):
    first = "f" * 64
    days = [dt.datetime(2026, 11, day, tzinfo=dt.UTC) for day in (1, 10, 20, 30)]
    assert editions.current(first, tmp_path) == editions.as_of(first, days[0], tmp_path) == first
    editions.begin(first, days[1], tmp_path)
    second = editions.current(first, tmp_path)
    editions.begin(second, days[2], tmp_path)
    third = editions.current(first, tmp_path)
    assert len({first, second, third}) == 3
    for known in (first, second, third):
        assert [editions.as_of(known, day, tmp_path) for day in days] == [first, second, third, third]
    assert editions.current("a" * 64, tmp_path) == "a" * 64
    (tmp_path / editions.FILE).write_text('{"f": 3}', "utf-8")
    with pytest.raises(UserError, match=r"editions\.json cannot be read"):
        editions.current(first, tmp_path)


def test_on_the_command_line_it_is_planned_agreed_to_and_told(monkeypatch, capsys, tmp_path, data, provider):
    advisor = Cli(monkeypatch, capsys)
    monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
    host = provider.url.removeprefix("http://")
    spec = "openai:text-embedding-3-small"  # which is on a price list
    where = ("--data", str(data))
    assert advisor("evaluate", *where, "-c", spec, "--no-preflight", "--send-to", host, "-q")[0] == 0
    provider.texts.clear()
    code, out, err = advisor("recheck", *where, "--measure", "--dry-run", "--json")
    assert code == 0, err
    planned = json.loads(out)
    (one,) = planned["asked_again"]
    assert (one["sends_text_to"], one["price"][:6]) == (host, "$0.02 ")
    assert one["usd"] > 0
    assert planned["measured"] is None
    told = advisor("recheck", *where, "--measure", "--dry-run")[1]
    assert "would be asked again for" in told
    assert "less than a cent at $0.02 per million tokens" in told
    code, _, err = advisor("recheck", *where, "--measure", "-q")
    assert code == 5
    assert f"--send-to {host}" in err
    assert "less than a cent" in err
    assert provider.texts == [], "nothing was sent so far"
    code, out, err = advisor("recheck", *where, "--measure", "--yes", "--json", "-q")
    assert code == 0, err
    assert len(provider.texts) == one["requests"] == json.loads(out)["asked_again"][0]["texts"]
    provider.turned = 3
    code, out, err = advisor("--lang", "zh", "recheck", *where, "--measure", "--send-to", host, "-q")
    assert code == 11, err
    assert "同一名称下的模型已被更换" in out
