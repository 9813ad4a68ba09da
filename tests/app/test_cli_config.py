"""Settings by option, environment, file and default: which one decides, and what is said of a wrong one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.settings import Settings, explain, is_secret, names_in_files, variables_of
from tests.app.cli import Cli

ROOT = Path(__file__).parents[2]
CANARY = "sk-canary-0123456789"
#: of each kind of setting a value that can be told from its default, in a file, the environment and an option
VALUES = {
    "config": None,
    "home": ("/in/file", "/in/environment", "/by/option"),
    "language": ("zh", "en", "zh"),
    "offline": (True, "false", "true"),
}


@pytest.fixture
def advisor(monkeypatch, capsys):
    return Cli(monkeypatch, capsys, language=None)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes the user's configuration file."""
    monkeypatch.delenv("ADVISOR_HOME")
    monkeypatch.delenv("ADVISOR_OFFLINE")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("OLLAMA_HOST")
    file = tmp_path / "config" / "embedding-advisor" / "config.toml"

    def write(text: str | bytes) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def values_of(name: str) -> tuple[object, str, str]:
    field = Settings.model_fields[name]
    kind = str(field.annotation)
    if VALUES.get(name):
        return VALUES[name]
    if "bool" in kind:
        return (not field.default, str(field.default).lower(), str(not field.default).lower())
    if "int" in kind or "float" in kind:
        least = max((getattr(m, "ge", getattr(m, "gt", 0)) or 0 for m in field.metadata), default=0)
        return (least + 1, str(least + 2), str(least + 3))
    if "Path" in kind:
        return ("/a", "/b", "/c")
    return ("http://file.example", "http://environment.example", "http://option.example")


def plain(value: object) -> str:
    return str(getattr(value, "get_secret_value", lambda: value)()).lower().removesuffix(".0")


@pytest.mark.parametrize("name", sorted(names_in_files()))
def test_an_option_beats_the_environment_that_the_file_and_that_the_default(name, config, monkeypatch):
    file, environment, option = values_of(name)

    def found(**given):
        return next(e for e in explain(given) if e.name == name)

    for variable in variables_of(name):
        monkeypatch.delenv(variable, raising=False)
    assert found().origin == "default"
    path = config(f"{name} = {json.dumps(file)}\n")
    by_file = found()
    assert (by_file.origin, by_file.where, plain(by_file.value)) == ("file", str(path), plain(file))
    monkeypatch.setenv(variables_of(name)[0], environment)
    by_environment = found()
    assert (by_environment.origin, by_environment.where) == ("environment", variables_of(name)[0])
    assert plain(by_environment.value) == environment
    by_option = found(**{name: option})
    assert (by_option.origin, plain(by_option.value)) == ("flag", option)


def test_show_names_each_setting_with_what_decided_it(advisor, config, monkeypatch):
    path = config(f'offline = true\nopenai_api_key = "{CANARY}"\nlanguage = "zh"\n')
    path.chmod(0o644)
    monkeypatch.setenv("MILVUS_URI", f"https://me:{CANARY}@milvus.example/db?token={CANARY}")
    monkeypatch.setenv("ADVISOR_LLM_API_KEY", CANARY)
    code, out, err = advisor("--set", "llm_max_tokens=500", "config", "show", "--json")
    assert (code, err) == (0, "")
    assert CANARY not in out
    shown = json.loads(out)
    assert (shown["file"], shown["file_exists"]) == (str(path), True)
    assert "600" in shown["warnings"][0], "others can read the key"
    found = {s["name"]: s for s in shown["settings"]}
    assert set(found) == set(Settings.model_fields)
    assert [(found[n]["origin"], found[n]["value"]) for n in ("offline", "llm_max_tokens", "hub_endpoint")] == [
        ("file", True),
        ("flag", 500),
        ("default", "https://huggingface.co"),
    ]
    assert found["milvus_uri"]["where"] == "MILVUS_URI"
    assert "milvus.example" in found["milvus_uri"]["value"]
    assert all(found[n]["secret"] for n in found if is_secret(n))
    assert found["password"]["value"] is None
    path.chmod(0o600)
    assert json.loads(advisor("--set", "language=en", "config", "show", "--json")[1])["warnings"] == []
    code, out, _ = advisor("--set", "language=en", "config", "show")
    assert code == 0
    assert CANARY not in out
    assert "MILVUS_URI" in out


def test_the_language_of_the_file_is_that_of_the_output(advisor, config):
    config('language = "zh"\n')
    assert "参数量" in advisor("--set", "offline=true", "models", "e5-small")[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('langauge = "zh"\n', "“language”"),
        ('HF_ENDPOINT = "x"\n', "“hub_endpoint”"),
        ('advisor_home = "x"\n', "“home”"),
        ("[advisor]\n", "no setting"),
        ("xyzzy = 1\n", "config show"),
        ("language = \n", "line 1"),
        (b'language = "\xff"\n', "UTF-8"),
        (b"\xff\xfel\0", "UTF-8"),
        (b"x" * (2**20 + 1), "too large"),
        ("child_minutes = -1\n", "config.toml"),
        ('llm_timeout_s = "soon"\n', "config.toml"),
        ("config = 'other.toml'\n", "config show"),
    ],
)
def test_a_wrong_file_is_told_with_a_way_on(advisor, config, text, words):
    config(text)
    for language in ((), ("--lang", "zh")):
        code, out, err = advisor("--set", "offline=true", *language, "models", "e5")
        assert (code, out) == (3, "")
        assert "→" in err
        if not language:
            assert words in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--config", "/nowhere.toml", "models"), 3, "/nowhere.toml"),
        (("--config", "/", "models"), 3, "directory"),
        (("--set", "langage=zh", "models"), 3, "“language”"),
        (("--set", "config=x", "models"), 3, "no setting"),
        (("--set", "language", "models"), 2, "NAME=VALUE"),
        (("--set", "offline=perhaps", "models"), 3, "--set"),
        (("--set", f"openai_api_key={CANARY}", "models"), 3, "OPENAI_API_KEY"),
    ],
)
def test_a_wrong_option_is_told_with_a_way_on(advisor, arguments, code, words):
    found, out, err = advisor(*arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert CANARY not in err


def test_an_empty_value_is_the_default(advisor, config):
    config('hub_endpoint = "http://in-the-file.example"\n')
    _, out, _ = advisor("--set", "hub_endpoint=", "config", "show", "--json")
    found = {s["name"]: s["value"] for s in json.loads(out)["settings"]}
    assert found["hub_endpoint"] == Settings.model_fields["hub_endpoint"].default


def test_a_wrong_setting_does_not_spoil_its_own_message():
    """In a process of its own: nobody has chosen a language yet, and the settings that would say it are wrong."""
    environment = os.environ | {"ADVISOR_LLM_TIMEOUT_S": "soon"}
    command = [sys.executable, "-m", "app", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert done.returncode == 3, done.stderr
    assert "llm_timeout_s" in done.stderr
    assert "Traceback" not in done.stderr
