"""What to do next is said in the words of the door that says it."""

import ast
import re
from pathlib import Path

import pytest

from knowledge.dataset import Dataset
from knowledge.doors import next_steps, through
from knowledge.errors import DatasetError
from knowledge.results import DatasetSummary
from knowledge.wording import Text, how_to, say
from tests.knowledge.test_wording import ROOT, fields, sentences
from tools.evaluate.session import judged
from tools.silver import labelled

#: an option, or a command of ours
COMMAND_LINE = re.compile(r"(?<!\w)--[a-z]|\badvisor [a-z]+")
#: what a server's own people do on its machine, whoever reads of it
OPERATORS = re.compile(r"advisor (doctor|recheck)")
#: what every door uses; what it says names no option, nor a command
SHARED = (
    "agent/",
    "tools/benchmark",
    "tools/datasets/",
    "tools/encoders/",
    "tools/evaluate/",
    "tools/hub.py",
    "tools/plan/",
    "tools/profile",
    "tools/recommend/",
    "tools/rescoring.py",
    "tools/silver/",
)
#: those of them that only the command line reads
COMMANDS = ("agent/config_file.py", "agent/asking.py")


def test_each_next_step_is_worded_for_every_door_in_both_languages_with_the_same_values():
    for action, doors in next_steps().items():
        assert "terminal" in doors, action
        assert "else" in doors or {"api", "mcp", "talk"} <= set(doors), action
        wanted = fields(doors["terminal"]["en"])
        for words in doors.values():
            assert set(words) == {"en", "zh"}
            assert fields(words["en"]) == fields(words["zh"]) <= wanted, action


def test_no_other_door_hears_of_the_command_line():
    said = [
        (action, words["en"])
        for action, doors in next_steps().items()
        for door, words in doors.items()
        if door != "terminal" and COMMAND_LINE.search(OPERATORS.sub("", words["en"]))
    ]
    assert said == [("keep_run", next_steps()["keep_run"]["else"]["en"])], "that runs where the server runs"


def test_what_all_doors_use_names_no_option_and_no_command():
    found = [
        f"{where}: {text}"
        for where, text in sentences()
        if where.startswith(SHARED) and not where.startswith(COMMANDS) and COMMAND_LINE.search(text)
    ]
    assert not found, "worded for the command line alone; see knowledge/doors.py:\n" + "\n".join(found)


def test_each_next_step_that_is_asked_for_is_there_and_none_is_unused():
    asked: set[str] = set()
    for package in ("knowledge", "tools", "agent", "app"):
        for path in sorted(Path(ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "how_to":
                    action = node.args[0]
                    assert isinstance(action, ast.Constant), f"{path}:{node.lineno}: how_to() takes a literal name"
                    given = {keyword.arg for keyword in node.keywords}
                    assert fields(next_steps()[action.value]["terminal"]["en"]) <= given, f"{path}:{node.lineno}"
                    asked.add(action.value)
    assert asked == set(next_steps())


@pytest.mark.parametrize(
    ("door", "expected"),
    [
        ("terminal", "--send-to h.example"),
        ("api", '“hosts”: ["h.example"]'),
        ("mcp", 'hosts=["h.example"]'),
        ("talk", "yes"),
    ],
)
def test_it_is_worded_when_it_is_shown(door, expected):
    step = Text.model_validate_json(say("Then: {how}", how=how_to("send_to", host="h.example")).model_dump_json())
    with through(door):
        assert expected in step.render("en")
        assert step.render("zh") != step.render("en")
        assert step.model_dump(context={"language": "en"}) == step.render("en")
    assert "--send-to h.example" in step.render("en")


def test_who_has_too_few_documents_for_silver_queries_is_not_told_to_make_some():
    tiny = Dataset(
        DatasetSummary(name="tiny", path="", hash="0", format="csv", documents=2, queries=0, judgments=0),
        {"1": "one", "2": "two"},
    )
    with pytest.raises(DatasetError, match="advisor evaluate --silver"):
        judged(tiny)
    with pytest.raises(DatasetError) as failed:
        judged(labelled(tiny))
    assert "No silver queries can be made" in str(failed.value)
    assert "--silver" not in str(failed.value)
    assert "Add judgments" in str(failed.value)
