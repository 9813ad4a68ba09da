"""Errors as the command line shows them: cause, next step, and an exit code that scripts can use."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer
    from typer.exceptions import TyperException

    from knowledge.errors import AdvisorError

BUG, USAGE, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141
#: of `verify`: a check failed; of `recheck`: the margin is beaten
CHECKS_FAILED, ALERT = 10, 11

EXIT_CODES = """\
Exit codes: 0 done, 1 a bug (a log file is named), 2 mistyped command, 3 something given is wrong (spec, model,
requirements, data), 4 no candidate meets the hard limits, 5 consent missing, 6 a part is not installed, 7 hub, endpoint
or Milvus failed, 8 memory or disk ran out, 9 the catalog is broken, 10 verify: a check failed, 11 recheck: an alert,
130 interrupted."""


def run_to_exit_code(app: Typer) -> int:
    """Run the command line; every foreseen failure becomes its message and exit code, a bug a log file."""
    import typer
    from typer.exceptions import TyperException

    try:
        result = app(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as done:
        return done.exit_code
    except TyperException as error:
        _show_mistyped(error)
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        _end_progress()
        sys.stderr.write("\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file, not a page of traceback
        _end_progress()
        return _explain(error)


def _end_progress() -> None:
    from app.cli.terminal import end_progress

    end_progress()


def _show_mistyped(error: TyperException) -> None:
    """What is wrong with the command line; Typer's own words where these are read."""
    from app.cli.mistyped import mistyped
    from app.cli.terminal import language
    from knowledge.wording import say

    message = error.format_message()
    path = getattr(getattr(error, "ctx", None), "command_path", "advisor")
    if message and _wants_json():
        _show_json(type(error).__name__, mistyped(message).render(language()), f"{path} --help", USAGE)
        return
    if language() == "en" or not message:
        error.show()  # type: ignore[attr-defined] # usage errors have it; Typer exports only their base
        return
    said = say("{problem}. Options: {command}", problem=mistyped(message), command=f"{path} --help")
    sys.stderr.write(f"{say('Error').render(language())}: {said.render(language())}\n")


def _explain(error: Exception) -> int:
    from knowledge.errors import AdvisorError  # imported here, since `--help` should not wait for it

    if not isinstance(error, AdvisorError):
        return _bug(error)
    show(error)
    return error.exit_code


def show(error: AdvisorError) -> None:
    """Cause and next step, on standard error; where JSON was asked for, as a line of it."""
    from app.cli.terminal import language
    from knowledge.wording import say

    cause, step = error.cause.render(language()), error.next_step.render(language())
    if _wants_json():
        _show_json(type(error).__name__, cause, step, error.exit_code)
    else:
        sys.stderr.write(f"{say('Error').render(language())}: {cause}\n  → {step}\n")


def _wants_json() -> bool:
    # what is wrong may be the command line itself, so nobody has read it
    return "--json" in sys.argv


def _show_json(kind: str, cause: str, next_step: str, exit_code: int) -> None:
    from app.cli.records import Failure

    failure = Failure(error=kind, cause=cause, next_step=next_step, exit_code=exit_code)
    sys.stderr.write(failure.model_dump_json() + "\n")


def _bug(error: Exception) -> int:
    from app.bug_log import write_bug_log
    from app.cli.settings import read_settings
    from knowledge.errors import UserError

    try:
        log = write_bug_log(error, read_settings().home)
    except UserError:  # which folder it should be is what cannot be read
        log = None
    text = "" if log else "".join(traceback.format_exception(error))
    cause, step = f"This is a bug in the advisor: {type(error).__name__}: {error}", "Please report it with"
    if _wants_json():
        _show_json(type(error).__name__, cause, f"{step} {log or text}.", BUG)
    else:
        sys.stderr.write(f"{cause}\n  → {step} {log or 'this text'}.\n{text}")
    return BUG
