"""Files that a command writes where the user says."""

from __future__ import annotations

from pathlib import Path

from knowledge.errors import ResourceError
from knowledge.wording import say


def write_to(file: Path, text: str) -> None:
    """Write a file anew.

    Raises:
        ResourceError: it cannot be written.
    """
    _put(file, text, "w")


def append_to(file: Path, text: str) -> None:
    """Write behind what is in a file, as CI servers want it of a job's summary.

    Raises:
        ResourceError: it cannot be written.
    """
    _put(file, text, "a")


def _put(file: Path, text: str, mode: str) -> None:
    try:
        with file.open(mode, encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ResourceError(
            say("{file} could not be written: {why}.", file=str(file), why=error.strerror or type(error).__name__),
            say("Name another file."),
        ) from error
