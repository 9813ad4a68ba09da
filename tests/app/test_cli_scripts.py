"""What scripts rely on: JSON that keeps to its schema, dry runs that do nothing, no control codes off a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import typer

from app.cli import completion
from app.cli.commands import make_app
from app.cli.printed import FORMS, schema_of
from knowledge.progress import Meter
from knowledge.wording import say
from tests.app.cli import Cli
from tools.run_history import list_runs
from tools.workspace import Workspace

ROOT = Path(__file__).parents[2]
CHEAP = ("-c", "bm25", "-c", "static:wordllama")
#: those that print no record, with the reason
WITHOUT_JSON = {
    "schema": "what it prints is JSON already",
    "slack": "a server that prints nothing for programs",
}


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


def commands() -> dict[str, typer.core.TyperCommand]:
    found = {}
    for name, command in typer.main.get_command(make_app()).commands.items():
        below = getattr(command, "commands", None)
        found |= {f"{name} {inner}": c for inner, c in below.items()} if below else {name: command}
    return found


def options(command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_every_command_has_json_and_every_json_has_a_schema():
    for name, command in commands().items():
        if name not in WITHOUT_JSON:
            assert "--json" in options(command), name
            assert name in FORMS, name
    assert set(FORMS) - {"error"} <= set(commands())
    for name in FORMS:
        jsonschema.Draft202012Validator.check_schema(schema_of(name))


def test_errors_are_json_too_where_json_is_asked_for(advisor):
    code, out, err = advisor("evaluate", "--data", "/nowhere", "-c", "bm25", "--json")
    failure = json.loads(err.splitlines()[-1])
    assert (code, out, failure["exit_code"]) == (3, "", 3)
    assert "/nowhere" in failure["cause"]
    code, _, err = advisor("--lang", "zh", "evaluate", "--nonsense", "--json")
    failure = json.loads(err.splitlines()[-1])
    assert code == failure["exit_code"] == 2
    assert "--nonsense" in failure["cause"]
    assert "advisor evaluate --help" in failure["next_step"]


def test_what_costs_shows_its_plan_and_what_takes_long_can_be_quiet():
    found = commands()
    for name in ("recommend", "evaluate", "benchmark", "preflight", "demo", "catalog refresh"):
        assert {"--dry-run", "--quiet"} <= options(found[name]), name


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "what", "is", "ndcg"),
        ("shortlist", "-t", "German search, commercial", "-k", "2"),
        ("models", "e5-small"),
        ("models", "--show", "intfloat/multilingual-e5-small"),
        ("models", "--show", "minishlab/potion-base-8M"),
        ("config show",),
        ("doctor",),
        ("recommend", "-t", "English search"),
        ("demo", "--dry-run", "--documents", "40", "--queries", "10"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_json_keeps_to_its_schema(advisor, arguments):
    """The rest of the commands print theirs in other tests, where `Cli` holds them against the schema too."""
    command, *rest = arguments
    for language in ("en", "zh") if command in ("ask", "models", "shortlist") else ("en",):
        code, out, err = advisor("--lang", language, *command.split(), *rest, "--json")
        assert code == 0, err
        jsonschema.validate(json.loads(out), schema_of(command))
        assert "\x1b" not in out + err


def test_a_conversation_as_lines_of_json(small_dataset):
    said = f"English search\njust decide\n/nonsense\n{small_dataset}\nno\n"
    done = run("chat", "--json", "--thread", "lines", input=said)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema_of("chat"))
    assert (lines[0]["kind"], lines[0]["thread"]) == ("opened", "lines")
    kinds = [line["kind"] for line in lines]
    assert {"heard", "noted", "shortlisted", "recommended", "planned"} <= set(kinds)
    assert "/retry" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("recommend", "-t", "English search", "--data", "DATA"),
        ("recommend", "-t", "English search", "--data", "DATA", *CHEAP),
        ("evaluate", "--data", "DATA", *CHEAP, "-c", "openai:text-embedding-3-small"),
        ("benchmark", "--data", "DATA", *CHEAP),
        ("preflight", "--data", "DATA", *CHEAP),
    ],
    ids=" ".join,
)
def test_a_dry_run_shows_the_plan_and_does_nothing(advisor, small_dataset, tmp_path, arguments):
    arguments = [str(small_dataset) if a == "DATA" else a for a in arguments]
    code, out, err = advisor(*arguments, "--dry-run", "--json")
    assert code == 0, err
    plan = json.loads(out)
    jsonschema.validate(plan, schema_of(arguments[0]))
    assert plan["documents"] == 10
    assert "bm25" in [c["spec"] for c in plan["candidates"]]
    assert not (tmp_path / "home").exists(), "nothing was written"
    code, out, _ = advisor(*arguments, "--dry-run")
    assert re.search(r"About .*(?:seconds|minutes?)", out)
    if "openai:text-embedding-3-small" in arguments:
        assert "--send-to api.openai.com" in out


def test_the_plan_of_a_dry_run_is_the_plan_that_is_carried_out(advisor, small_dataset):
    arguments = ("recommend", "-t", "English search", "--data", str(small_dataset), "--json", "-q")
    planned = json.loads(advisor(*arguments, "--dry-run")[1])
    found = json.loads(advisor(*arguments, "--no-input")[1])
    report = json.loads(Path(found["report"]["json"]).read_text("utf-8"))
    assert [c["spec"] for c in report["plan"]["candidates"]] == [c["spec"] for c in planned["candidates"]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("recommend", "-t", "English search", "--data", "/nowhere"), 3),
        (("recommend", "-t", "Thai, commercial, at most 16 dimensions, self-hosted", "--data", "DATA"), 4),
        (("evaluate", "--data", "DATA", "-c", "word2vec:x"), 3),
        (("evaluate", "--data", "DATA"), 2),
    ],
)
def test_a_dry_run_fails_as_the_run_would(advisor, small_dataset, arguments, code):
    arguments = [str(small_dataset) if a == "DATA" else a for a in arguments]
    found, out, err = advisor(*arguments, "--dry-run")
    assert (found, out) == (code, "")
    assert "→" in err or code == 2


def test_nothing_to_measure_with(advisor):
    code, out, _ = advisor("recommend", "-t", "English search", "--dry-run")
    assert code == 0
    assert "--data" in out


def test_quiet_says_nothing_but_the_result(advisor, small_dataset):
    code, _, err = advisor("benchmark", "--data", str(small_dataset), "-c", "bm25", "--repeats", "2", "-q")
    assert (code, err) == (0, "")


def test_off_a_terminal_a_step_that_goes_on_is_told_of_rarely(capsys, monkeypatch):
    from app.cli import terminal

    terminal.choose_language("en")
    line = terminal.ProgressLine()
    meter = Meter("evaluate", say("Checking"), 1000, line.show)
    for _ in range(1000):
        meter.advance()
    told = capsys.readouterr().err.splitlines()
    assert len(told) <= 3
    assert "100%" in told[-1]
    assert "\x1b" not in "".join(told)


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, **options)


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm-256color"} | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(timeout=60) == 0, written
    return written.decode("utf-8", "replace")


COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7]|4[0-8]|10[0-7])(?:;[0-9;]*)?m")


def test_a_bar_on_a_terminal_colours_only_where_they_are_wanted(small_dataset, tmp_path):
    arguments = ("evaluate", "--data", str(small_dataset), "-c", "static:wordllama", "--no-preflight")
    shown = on_a_terminal(*arguments)
    assert "━" in shown
    assert "100%" in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l"), "the cursor is back"
    assert COLOUR.search(shown)
    card = ("models", "--show", "intfloat/multilingual-e5-small")
    assert not COLOUR.search(on_a_terminal(*card, NO_COLOR="1"))
    dumb = on_a_terminal("preflight", "--data", str(small_dataset), "-c", "bm25", TERM="dumb")
    assert "\x1b" not in dumb
    assert len(list_runs(Workspace(home=tmp_path / "home"))) == 1


def test_what_a_shell_completes(advisor, small_dataset):
    assert completion.runs("") == []
    assert advisor("evaluate", "--data", str(small_dataset), "-c", "bm25", "-q")[0] == 0
    for complete, begun, wanted in (
        (completion.runs, "eval", "evaluation-"),
        (completion.runs, "nothing-like-it", ""),
        (completion.candidates, "static:wordl", "static:wordllama"),
        (completion.models, "intfloat/multilingual-e5-sm", "intfloat/multilingual-e5-small"),
        (completion.commands, "cat", "catalog diff"),
        (completion.settings, "hub_e", "hub_endpoint="),
        (completion.threads, "", ""),
    ):
        found = complete(begun)
        assert any(name.startswith(wanted) for name in found) or not (wanted or found), (begun, found)
        assert all(name.startswith(begun) for name in found)
    assert not [name for name in completion.settings("") if "key" in name], "no secret is typed in a command"


@pytest.mark.parametrize(
    ("words", "wanted"), [("advisor runs sh", "show"), ("advisor evaluate -c static:w", "static:w")]
)
def test_a_shell_is_answered(words, wanted):
    environment = os.environ | {
        "_ADVISOR_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'advisor'; from app.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.stderr == ""
    assert wanted in done.stdout
