"""Where the user's data is: a path, or the sample that every machine has."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.results import DatasetSummary
from tools.datasets import Preview, preview_dataset, read_dataset
from tools.silver import silver_set
from tools.stdlib_corpus import stdlib_corpus
from tools.untrusted import preview_untrusted, read_untrusted

#: the name of the sample: the documentation of the running Python's standard library
STDLIB = "stdlib"


class DataSource(BaseModel):
    """A dataset by reference: enough to read it again, in another process too.

    Attributes:
        path: a folder or file, or ``stdlib``.
        columns: our name -> the file's column, where guessing is not wanted.
        skip_bad: leave out what cannot be used instead of refusing the dataset.
        untrusted: a stranger's files: a child process with limits reads them (`tools.untrusted`).
        documents, queries: size of the sample (``stdlib`` only); None means all.
        silver: with queries made from the documents, in place of its own (`tools.silver`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    columns: dict[str, str] = {}
    skip_bad: bool = False
    untrusted: bool = False
    documents: int | None = None
    queries: int | None = None
    silver: bool = False

    def read(self) -> Dataset:
        """Read it; raises DatasetError."""
        return silver_set(self._read()) if self.silver else self._read()

    def _read(self) -> Dataset:
        if self.path == STDLIB:
            return stdlib_corpus(documents=self.documents, queries=self.queries)
        if self.untrusted:
            return read_untrusted(Path(self.path), columns=self.columns, skip_bad=self.skip_bad)
        return read_dataset(Path(self.path).expanduser(), columns=self.columns or None, skip_bad=self.skip_bad)

    def preview(self) -> Preview:
        """What its files look like, and what is wrong with them; the sample has no files.

        Raises:
            ResourceError: nothing can be written beside an untrusted upload.
        """
        if self.path == STDLIB:
            return Preview(name=STDLIB)
        if self.untrusted:
            return preview_untrusted(Path(self.path), columns=self.columns, skip_bad=self.skip_bad)
        path = Path(self.path).expanduser()
        return preview_dataset(path, columns=self.columns, skip_bad=self.skip_bad, read=lambda: self.read().summary)

    @property
    def arguments(self) -> str:
        """How to name it on the command line."""
        sample = f" --documents {self.documents}" if self.documents else ""
        sample += f" --queries {self.queries}" if self.queries else ""
        columns = "".join(f" --column {ours}={theirs}" for ours, theirs in sorted(self.columns.items()))
        return f"--data {self.path}{sample}{columns}{' --skip-bad' if self.skip_bad else ''}"


def read_again(summary: DatasetSummary) -> Dataset | None:
    """The data that something was measured on, from where it was.

    None where it is there no more, is other data now, or was read in a way that a summary does not tell.
    """
    sample = summary.name == STDLIB
    source = DataSource(
        path=STDLIB if sample else summary.path,
        skip_bad=bool(summary.skipped),
        documents=summary.documents if sample else None,
        queries=summary.queries if sample else None,
        silver=summary.silver is not None,
    )
    if not sample and not exists(source.path):
        return None
    try:
        found = source.read()
    except AdvisorError:
        return None
    return found if found.summary.hash in (summary.hash, summary.original) else None


def exists(path: str) -> bool:
    """Whether a file or folder of this name is there; whatever cannot be a path is not."""
    try:
        return bool(path) and Path(path).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL byte, an unknown user's home
        return False
