"""Errors as the command line shows them: cause, next step, and an exit code that scripts can use."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import AdvisorError

if TYPE_CHECKING:
    from typer import Typer

BUG, INTERRUPTED, CLOSED_PIPE = 1, 130, 141

EXIT_CODES = """\
Exit codes: 0 done, 1 a bug (a log file is named), 2 mistyped command, 3 something given is wrong (spec, model,
requirements, data), 4 no candidate meets the hard limits, 5 consent missing, 6 a part is not installed, 7 hub, endpoint
or Milvus failed, 8 memory or disk ran out, 9 the catalog is broken, 130 interrupted."""


def run_to_exit_code(app: Typer) -> int:
    """Run the command line; every foreseen failure becomes its message and exit code, a bug a log file."""
    import click

    try:
        result = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\n")
        return INTERRUPTED
    except AdvisorError as error:
        show(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file, not a page of traceback
        return _bug(error)


def show(error: AdvisorError) -> None:
    """Cause and next step, on standard error."""
    from app.cli.terminal import language

    cause, step = error.cause.render(language()), error.next_step.render(language())
    mark = {"en": "Error", "zh": "错误"}[language()]
    sys.stderr.write(f"{mark}: {cause}\n  → {step}\n")


def _bug(error: Exception) -> int:
    from agent.settings import Settings

    text = "".join(traceback.format_exception(error))
    log: Path | None = None
    with contextlib.suppress(OSError):
        folder = Settings().home.expanduser() / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"bug-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}.log"
        log.write_text(text, "utf-8")
    sys.stderr.write(
        f"This is a bug in the advisor: {type(error).__name__}: {error}\n"
        f"  → Please report it with {log or 'this text'}.\n" + ("" if log else text)
    )
    return BUG
