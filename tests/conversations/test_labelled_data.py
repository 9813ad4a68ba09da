"""A table of labelled texts handed over is measured for the task that its labels are for, and recommended by that."""

import json

import pytest

from agent import events
from agent.advisor import Advisor
from agent.settings import Settings
from tests.animals import ANIMALS, HABITS
from tools.data_source import DataSource

#: cheap to time; encoders are measured in tests/tools/test_tasks.py
SPECS = ["bm25", "bm25?stem=none"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("labelled") / "tickets.csv"
    rows = [
        f'"{text.format(animal=animal)}",{habit}'
        for animal in ANIMALS
        for habit, told, asked in HABITS
        for text in (f"about the {animal}: {told}", asked)
    ]
    path.write_text("message,category\n" + "\n".join(rows) + "\n", "utf-8")
    return DataSource(path=str(path))


@pytest.fixture(scope="module")
def advisor(tmp_path_factory):
    with Advisor(Settings(home=tmp_path_factory.mktemp("home"), offline=True)) as found:
        yield found


def test_classification_from_the_first_message_to_the_report(advisor, table):
    told = list(advisor.reply("c", "I want to classify tickets, just decide", data=table, specs=SPECS))
    plan = next(event.plan for event in told if isinstance(event, events.Planned))
    assert (plan.task, plan.queries) == ("classification", 60)
    told = list(advisor.reply("c", "yes"))
    state = advisor.state("c")
    assert (state["evaluation"].task, state["evaluation"].primary) == ("classification", "Accuracy")
    advice = state["recommendation"]
    assert advice.winner in SPECS
    said = " ".join(text.render() for text in (advice.headline, *advice.reasons, advice.confidence, *advice.next_steps))
    assert "60 texts" in said
    assert "quer" not in said, said
    in_chinese = advice.confidence.render("zh")
    assert "文本" in in_chinese
    assert "查询" not in in_chinese
    for question in ("what about typos?", "try set-ups", "how good is the context?"):
        (answer,) = list(advisor.reply("c", question))[1:]
        assert "measured as classification" in str(answer.text), question
    report = next(event for event in told if isinstance(event, events.Reported))
    with open(report.markdown, encoding="utf-8") as file:
        written = file.read()
    assert "Accuracy" in written
    assert "linear probe" in written
    assert "nDCG" not in written.replace("0.02 nDCG@10 is about what users notice", "")
    with open(report.json_file, encoding="utf-8") as file:
        assert json.load(file)["evaluation"]["task"] == "classification"


def test_the_task_follows_from_the_data_where_nothing_was_said(advisor, table):
    list(advisor.reply("d", "English, just decide", data=table, specs=SPECS))
    task = advisor.state("d")["requirements"].task
    assert (task.value, task.origin) == ("classification", "inferred")
    assert advisor.state("d")["plan"].task == "classification"


def test_labels_for_something_else_are_said(advisor, table):
    list(advisor.reply("e", "semantic search over English documents, just decide", data=table))
    advice = advisor.state("e")["recommendation"]
    assert not advice.measured
    assert "classification, clustering" in advice.not_measured[0].render()
