"""A conversation over data large enough for hard cases: they are tried before the decision, told, and weighed."""

import json
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tests.conversations.conftest import Talk
from tests.fake_http import FakeEmbeddings
from tests.tools.test_probes import dataset
from tools.data_source import DataSource
from tools.datasets.writer import save_dataset


@pytest.fixture(scope="module")
def museums(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "museums"
    save_dataset(dataset(300), folder)
    return folder


def test_hard_cases_are_tried_told_asked_about_and_weighed(talk, museums):
    talk.say("English search, just decide", data=DataSource(path=str(museums)), specs=["bm25"])
    talk.say("yes", specs=["bm25"])
    stages = [event.stage for event in talk.events if event.kind == "stage_started"]
    assert stages == ["evaluate", "benchmark", "probe"]
    probes, robustness = talk.state["probes"], talk.state["robustness"]
    assert [score.spec for score in probes.kinds[0].scores] == ["bm25"]
    report = json.loads(Path(talk.event("reported").json_file).read_text("utf-8"))
    assert report["probes"]["kinds"][0]["probes"] == probes.kinds[0].probes
    assert report["robustness"]["kinds"][0]["queries"] == robustness.kinds[0].queries
    assert "True or only similar" in Path(talk.event("reported").markdown).read_text("utf-8")

    talk.say("does it understand negation?", specs=["bm25"])
    told = str(talk.event("said").text)
    assert "share of probes right" in told
    assert f"negation {probes.kinds[0].scores[0].accuracy.mean:.0%}" in told
    talk.say("错别字怎么办？", specs=["bm25"])
    assert "打字错误" in talk.event("said").text.render("zh")

    # what matters is said afterwards: decided again, and nothing is asked of the candidates twice
    talk.say("our users make lots of typos", specs=["bm25"])
    if talk.question == "plan":
        talk.say("yes", specs=["bm25"])
    again = talk.state["recommendation"]
    assert again.weights == {"robustness": 0.3}
    assert "robustness 0.3" in str(again.reasons[0])
    assert talk.state["robustness"].seconds == 0.0


def test_an_endpoint_is_asked_where_its_host_and_price_were_agreed_to(museums, tmp_path):
    specs = ["openai:fake", "bm25"]
    with (
        FakeEmbeddings() as server,
        Advisor(Settings(home=tmp_path, offline=True, openai_base_url=server.base_url)) as advisor,
    ):
        talk = Talk(advisor, "endpoint")
        talk.say("English search, just decide", data=DataSource(path=str(museums)), specs=specs)
        assert talk.state["plan"].hard_cases
        assert not server.texts, "nothing is sent before the yes"
        talk.say("yes", specs=specs)
        assert talk.state["recommendation"].winner
        for kind in talk.state["probes"].kinds:
            assert {score.spec for score in kind.scores} == set(specs)
        assert not talk.state["probes"].skipped
        assert not talk.state["robustness"].skipped
