"""What a stranger types at the command line, and what is said of it."""

import pytest

from app.cli.printed import FORMS
from tests.app.cli import Cli


@pytest.fixture
def advisor(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    return Cli(monkeypatch, capsys)


def test_a_second_key_of_a_name_is_told_of_and_the_first_stays_good(advisor):
    code, first, err = advisor("keys", "add", "ci")
    assert (code, "other keys" in err) == (0, False)
    code, second, err = advisor("keys", "add", "ci", "--json")
    assert (code, first in second) == (0, False)
    assert first.split("_")[1] in err
    assert "keys revoke" in err
    advisor("keys", "revoke", "ci")
    assert "other keys" not in advisor("keys", "add", "ci")[2], "those that were taken away do not count"


def test_schema_without_a_name_lists_the_names(advisor):
    code, out, _ = advisor("schema")
    assert (code, out.split("\n")[:-1]) == (0, list(FORMS))


@pytest.mark.parametrize(
    "command", [("runs", "show", "latest"), ("runs", "compare", "latest"), ("runs", "export", "latest")]
)
def test_the_latest_run_where_there_is_none_is_told_in_words(advisor, command):
    code, _, err = advisor(*command)
    assert code == 3
    assert "Nothing was measured yet" in err
    assert "advisor evaluate" in err
    assert "“latest”" not in err
    advisor.language = "zh"
    assert "还没有测量过" in advisor(*command)[2]


def test_what_is_mistyped_behind_set_is_told_in_the_chosen_language(advisor):
    advisor.language = "zh"
    code, _, err = advisor("--set", "margin", "runs", "list")
    assert code == 2
    assert "--set 名称=值" in err
