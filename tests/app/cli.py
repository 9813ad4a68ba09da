"""The command line in this process, as every test of it runs it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from app.cli import terminal
from app.cli.commands import make_app
from app.cli.failures import run_to_exit_code


@dataclass
class Cli:
    """Runs a command: exit code, standard output, standard error."""

    monkeypatch: object
    capsys: object

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["advisor", *arguments])
        terminal.choose_language("en" if "--set" not in arguments and "--config" not in arguments else None)
        code = run_to_exit_code(make_app())
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err
