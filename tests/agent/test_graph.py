"""The graph as a whole, its nodes alone, and what its checkpoints may hold."""

import datetime as dt
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from agent.advisor import Advisor
from agent.checkpoints import Records
from agent.graph import build_graph, make_context, studio_graph
from agent.interview import DATA, PLAN
from agent.nodes import Nodes, common, work
from agent.settings import Settings
from agent.state import ALLOWED, Failure, State
from agent.understanding.base import Asked, Understood
from knowledge.constraints import Answer
from knowledge.requirements import Requirements
from knowledge.results import Consent, Plan, PlannedCandidate
from knowledge.wording import say
from tests.animals import CANDIDATES, write_dataset
from tests.tools.test_weights import probes, robustness
from tools.data_source import DataSource

DRAWING = Path(__file__).with_name("graph.mermaid")


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return make_context(Settings(home=tmp_path_factory.mktemp("home"), offline=True))


@pytest.fixture
def nodes(context, monkeypatch):
    """The nodes outside a graph; what they tell is kept in `told`."""
    found = Nodes(context)
    found.told = []
    monkeypatch.setattr(common, "get_stream_writer", lambda: found.told.append)
    monkeypatch.setattr(common, "get_config", lambda: {"configurable": {"thread_id": "t"}})
    return found


@pytest.fixture
def fresh(context):
    return build_graph(context).compile(checkpointer=InMemorySaver())


def test_the_drawing(fresh):
    """Where it changed on purpose, renew it, with this as one line:

    python -c "from agent.graph import studio_graph as g; print(g().get_graph().draw_mermaid(), end='')"
    > tests/agent/graph.mermaid
    """
    assert fresh.get_graph().draw_mermaid() == DRAWING.read_text("utf-8")


def test_langgraphs_own_tools_find_the_graph():
    import importlib
    import json

    root = Path(__file__).parents[2]
    described = json.loads((root / "langgraph.json").read_text("utf-8"))
    file, name = described["graphs"]["advisor"].split(":")
    assert (root / file).is_file()
    module = importlib.import_module(file.removeprefix("./").removesuffix(".py").replace("/", "."))
    assert getattr(module, name) is studio_graph
    assert "understand" in studio_graph().get_graph().nodes


def test_a_node_alone(fresh, nodes):
    found = fresh.nodes["understand"].invoke(State(message="German search, commercial"))
    assert found["requirements"].languages == ("de",)
    assert found["message"] == ""
    assert [event.kind for event in nodes.told] == ["noted"]
    assert found["requirements"].summary == "German search, commercial"


@pytest.mark.parametrize("message", ["", "   \n"])
def test_an_empty_message_changes_nothing(nodes, message):
    asked = Asked(about="license")
    found = State(asked=asked) | nodes.understand(State(message=message, asked=asked))
    assert found["requirements"] == Requirements()
    assert found["asked"] == asked
    assert nodes.told == []


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        *((text, True) for text in ("yes", "1", "Yes, measure", "好，开始实测", "go ahead")),
        *((text, False) for text in ("no", "2", "2.", "不用，直接给结论", "just decide")),
    ],
)
def test_consent_is_to_what_the_plan_shows(nodes, text, measure):
    planned = PlannedCandidate(spec="openai:x", why=say("you named it"), sends_text_to="api.example", download_gb=0.5)
    state = State(message=text, asked=PLAN, plan=Plan(candidates=(planned,), documents=1, queries=1))
    state |= nodes.understand(state)
    assert nodes.agree(state)["consent"] == (
        Consent(measure=True, download=True, hosts=frozenset({"api.example"})) if measure else Consent()
    )


def test_nothing_to_download_or_send_is_not_agreed_to(nodes):
    plan = Plan(candidates=(PlannedCandidate(spec="bm25", why=say("you named it")),), documents=1, queries=1)
    understood = Understood(requirements=Requirements(), intent="confirm")
    found = nodes.agree(State(plan=plan, understood=understood))
    assert found["consent"] == Consent(measure=True)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("2", "stdlib"),
        ("stdlib", "stdlib"),
        ("先用示例数据试试（Python 文档）", "stdlib"),
        ("1", None),
        ("no", None),
        ("I have none yet", None),
        ("还没有数据", None),
        ("it is in /some/where/corpus.jsonl", "/some/where/corpus.jsonl"),
        ("x" * 5000, None),
        ("nul\0byte", None),
    ],
)
def test_the_answer_about_the_data(nodes, text, path):
    found = nodes.understand(State(message=text, asked=DATA, asked_before=["data"]))
    source = found.get("reading")
    assert (source.path if source else None) == path


def test_a_bare_name_answers_where_it_exists(nodes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mydata").mkdir()
    assert nodes.understand(State(message="mydata", asked=DATA))["reading"] == DataSource(path="mydata")
    assert "reading" not in nodes.understand(State(message="mydata")), "only where it answers the question"


def test_an_answer_not_understood_is_not_asked_for_again(nodes):
    asked = Asked(about="license", answers=(Answer(label=say("Yes, commercial"), parameters={"commercial": True}),))
    assert nodes.understand(State(message="qwertz", asked=asked, asked_before=["license"]))["asked"] is None
    assert [event.kind for event in nodes.told] == ["said"], "and that is said"
    assert nodes.understand(State(message="hello", asked=asked, asked_before=["license"]))["asked"] == asked


def test_no_question_is_put_twice_to_who_cannot_be_read(nodes):
    asked = Asked(about="data")
    assert nodes.understand(State(message="qwertz", asked=asked, asked_before=["data"]))["asked"] is None
    assert nodes.understand(State(message="hello", asked=asked, asked_before=["data", "data"]))["asked"] is None


def test_a_question_back_leaves_the_question_open_but_not_for_ever(nodes):
    asked = Asked(about="latency")
    back = "Why not bge-m3?"
    assert nodes.understand(State(message=back, asked=asked, asked_before=["latency"]))["asked"] == asked
    assert nodes.understand(State(message=back, asked=asked, asked_before=["latency"] * 9))["asked"] is None


def test_what_does_not_matter_is_kept(nodes):
    assert nodes.understand(State(message="latency doesn't matter", settled=["cost"]))["settled"] == ["cost", "latency"]
    assert "settled" not in nodes.understand(State(message="what if latency doesn't matter?"))


def test_a_question_and_a_demand_in_one_message(nodes):
    found = nodes.understand(State(message="Why not bge-m3? The documents are in German."))
    assert found["understood"].intent == "question"
    assert found["requirements"].languages == ("de",)


def test_data_that_cannot_be_read_is_forgotten_and_asked_for(nodes, tmp_path):
    state = State(data=DataSource(path=str(tmp_path / "nowhere")), requirements=Requirements())
    found = nodes.profile(state)
    assert found["data"] is None
    assert found["asked"].about == "data"
    assert nodes.told[-1].kind == "failed"
    # whoever asks no questions gets none, and the failure with its exit code stays
    found = nodes.profile(state | State(interactive=False))
    assert found["failure"].exit_code == 3
    assert found["status"] == "failed"
    assert "asked" not in found


def test_data_handed_over_is_read_next_and_takes_the_place_of_the_other_once_it_was(nodes, tmp_path):
    old, new = DataSource(path="old"), DataSource(path=str(write_dataset(tmp_path / "animals")))
    state = State(data=old, handed=new, message="", requirements=Requirements())
    state |= nodes.understand(state)
    assert (state["data"], state["handed"], state["reading"]) == (old, None, new)
    state |= nodes.profile(state)
    assert (state["data"], state["reading"]) == (new, None)
    assert state["profile"].dataset.queries == 60


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("<script>x</script>", None),
        ("<a href='/srv/data'>here</a>", None),
        ("<b>/srv/data</b>", "/srv/data"),
        ("p95 <100 ms, data in /srv/data, recall >0.5", "/srv/data"),
    ],
)
def test_a_path_in_markup_names_no_data(nodes, text, path):
    source = nodes.understand(State(message=text)).get("reading")
    assert (source.path if source else None) == path


def test_whoever_asks_no_questions_gets_unreadable_data_as_the_failure(nodes, tmp_path):
    state = State(data=DataSource(path=str(write_dataset(tmp_path / "animals"))), interactive=False)
    state |= nodes.understand(state | State(message=f"use {tmp_path / 'nowhere'}"))
    assert nodes.profile(state)["failure"].exit_code == 3


def test_bugs_pass_through(nodes):
    with pytest.raises(KeyError):
        nodes.shortlist(State())


# ---------------------------------------------------------------- what a checkpoint may hold


@pytest.fixture(scope="module")
def full_state(tmp_path_factory):
    """The state at the end of a real conversation that filled every field."""
    home = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch, Advisor(Settings(home=home, offline=True)) as advisor:
        patch.setattr(work, "SCREENING_MINUTES", 0.0)
        source = DataSource(path=str(write_dataset(home / "animals")))
        consent = Consent(measure=True, download=True, hosts=frozenset({"api.example"}))
        list(
            advisor.recommend("t", text="English, on our own machines", data=source, specs=CANDIDATES, consent=consent)
        )
        list(advisor.reply("t", "try set-ups"))
        return advisor.state("t")


def serializer():
    return JsonPlusSerializer(allowed_msgpack_modules=ALLOWED)


def test_every_field_survives_a_checkpoint(full_state):
    empty = {"about", "failure", "asked", "understood", "handed", "reading", "more"}
    empty |= {"judging", "writing", "rating"}  # only between two nodes
    empty |= {"probes", "robustness"}  # the data is too small for them
    empty |= {"load"}  # nobody stated a rate: test_loading.py has it
    for name in set(State.__annotations__) - empty - {"asked_before", "decided", "settled", "also"}:
        assert full_state.get(name) is not None, f"{name} was never filled, so nothing is tested"
    failed = Failure(error="X", cause=say("a {b}", b=say("c")), next_step=say("d"), exit_code=3)
    understood = Understood(requirements=full_state["requirements"], intent="confirm")
    asked = Asked(about="license", answers=(Answer(label=say("Yes"), parameters={"commercial": True}),))
    state = full_state | State(failure=failed, understood=understood, asked=asked)
    state |= State(handed=full_state["data"], reading=full_state["data"], also=["bm25"], more=say("a"))
    state |= State(probes=probes({"bm25": 0.8}), robustness=robustness({"bm25": -0.1}))
    for name, value in state.items():
        back = Records().loads_typed(Records().dumps_typed(value))
        assert back == value, name
        assert type(back) is type(value), name


class Forged(BaseModel):
    command: str = "rm -rf"


def test_a_forged_type_is_not_brought_back_to_life(caplog):
    back = serializer().loads_typed(JsonPlusSerializer(allowed_msgpack_modules=True).dumps_typed(Forged()))
    assert not isinstance(back, Forged)
    assert "Forged" in caplog.text


def test_only_records_of_ours_are_allowed():
    assert all(module.partition(".")[0] in ("agent", "knowledge", "tools") for module, _ in ALLOWED)
    assert dt.datetime not in ALLOWED
