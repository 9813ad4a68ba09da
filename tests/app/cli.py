"""The command line in this process, as every test of it runs it; JSON is held against the schema that it promises."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import jsonschema

from app.cli import terminal
from app.cli.commands import make_app
from app.cli.failures import run_to_exit_code
from app.cli.printed import FORMS, schema_of
from knowledge.wording import Language


@dataclass
class Cli:
    """Runs a command: exit code, standard output, standard error."""

    monkeypatch: object
    capsys: object
    language: Language | None = "en"

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["advisor", *arguments])
        terminal.choose_language(self.language)
        code = run_to_exit_code(make_app())
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        check_json(arguments, code, out)
        if "--json" in arguments and code and not out.strip():
            jsonschema.validate(json.loads(err.splitlines()[-1]), schema_of("error"))
        return code, out, err


def check_json(arguments: Sequence[str], code: int, out: str) -> None:
    """What a command printed with --json keeps to its schema; nothing but JSON is on standard output."""
    words = list(arguments)
    while words and words[0].startswith("-"):
        del words[:2]  # --lang zh, --set NAME=VALUE, --config FILE
    command = next((name for name in (" ".join(words[:2]), *words[:1]) if name in FORMS), None)
    if command and "--json" in words and out.strip():
        jsonschema.validate(json.loads(out), schema_of(command))
    elif "--json" in words and code == 2:
        assert out == ""
