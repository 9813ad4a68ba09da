"""Everything that can go wrong in a way we foresaw, each with its cause and the next step.

::

    AdvisorError
    |-- UserError                 something given to us is wrong; the user mends it             exit 3
    |   |-- SpecError             a candidate's spec cannot be read
    |   |-- UnknownModelError     a model that is neither in the catalog nor on disk
    |   |-- RequirementsError     requirements that cannot be read, or contradict each other
    |   |-- DatasetError          data that cannot be read, or does not fit together
    |   `-- NothingLeftError      no candidate meets the hard constraints                       exit 4
    |-- ConsentNeeded             it costs time, money or privacy and nobody said yes           exit 5
    |-- MissingExtraError         a part of this program is not installed                       exit 6
    |-- ProviderError             something outside failed: model hub, endpoint, Milvus         exit 7
    |   `-- HubUnreachableError   the model hub cannot be reached
    |-- ResourceError             memory, disk, or a child process died                         exit 8
    `-- CatalogError              a catalog file is broken or of another version                exit 9

Any other exception is a bug: exit 1, with the traceback kept in a log file. Exit 2 is a mistyped command line.
"""

from __future__ import annotations

import errno
from typing import ClassVar

from pydantic import BaseModel

from knowledge.wording import Language, Text, say


class AdvisorError(Exception):
    """Base of all foreseen failures.

    Args:
        cause: what happened, in one sentence that names the thing (file and line, model, host).
        next_step: what the reader can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, cause: Text, next_step: Text) -> None:
        super().__init__(cause, next_step)
        self.cause = cause
        self.next_step = next_step

    def render(self, language: Language = "en") -> str:
        """Cause and next step, in the reader's language."""
        return f"{self.cause.render(language)} {self.next_step.render(language)}"

    def __str__(self) -> str:
        return self.render("en")


class UserError(AdvisorError):
    """Something given to us is wrong; the user can mend it."""

    exit_code = 3


class SpecError(UserError):
    """A candidate's spec cannot be read, or asks for what its backend cannot do."""


class UnknownModelError(UserError):
    """A model that is neither in the catalog nor on disk."""


class RequirementsError(UserError):
    """Requirements that cannot be read or contradict each other."""


class DatasetError(UserError):
    """Data that cannot be read, or whose parts do not fit together."""


class NothingLeftError(UserError):
    """No candidate meets the hard constraints.

    Args:
        clash: who clashes and what could give, as a record (``knowledge.results.Clash``), where that is known.
    """

    exit_code = 4

    def __init__(self, cause: Text, next_step: Text, clash: BaseModel | None = None) -> None:
        super().__init__(cause, next_step)
        self.clash = clash


class ConsentNeeded(AdvisorError):
    """A step costs time, money or privacy, and nobody has agreed to it."""

    exit_code = 5


class MissingExtraError(AdvisorError):
    """A part of this program is not installed."""

    exit_code = 6


class ProviderError(AdvisorError):
    """Something outside this process failed: a model hub, an endpoint, Milvus."""

    exit_code = 7


class HubUnreachableError(ProviderError):
    """The model hub cannot be reached."""


class ResourceError(AdvisorError):
    """Memory or disk ran out, or a child process died."""

    exit_code = 8


class CatalogError(AdvisorError):
    """A catalog file is broken or was written by another version."""

    exit_code = 9


def is_full(error: Exception) -> bool:
    """Whether what failed is a disk without room, and not a missing right or folder."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)  # as SQLite says it


def make_room(error: Exception) -> Text:
    """The next step where the user's folder cannot be written: more room where the disk is full, else another right."""
    if is_full(error):
        return say("Free some disk space or set ADVISOR_HOME to another folder, and try again.")
    return say("Make that folder writable or set ADVISOR_HOME to another one, and try again.")
