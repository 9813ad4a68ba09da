"""The copies that children made of untrusted files: found again, or made."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError, ResourceError, make_room
from knowledge.results import DatasetSummary
from knowledge.wording import say
from tools import stopping, workers
from tools.datasets import Preview, Problem
from tools.datasets.problems import shown
from tools.untrusted.copy import UNFINISHED, Damaged, read_copy
from tools.untrusted.task import LOOK_SECONDS, MEMORY_MB, READ_SECONDS, Task

JOB = "tools.untrusted.child"
#: raised when the reader reads the same files differently, so that copies are made anew
VERSION = 3
#: at a copy that was damaged, or removed by somebody who needed the room
ATTEMPTS = 3
#: copies of one upload that are kept, one for each choice of columns
KEPT = 3
_PREFIX, _LOGS, _LOCK = ".read-", ".logs", ".lock"


def read_untrusted(path: Path, *, columns: Mapping[str, str], skip_bad: bool) -> Dataset:
    """Read what a stranger handed over, through a child; arguments and errors as `tools.datasets.read_dataset`.

    Raises:
        DatasetError: it cannot be read, is a link or a device, or takes more than a child may.
        ResourceError: the copy cannot be written.
    """
    copy = _Copy(path, dict(columns), skip_bad)
    for _ in range(ATTEMPTS):
        if not copy.place.exists():
            copy.make()
        with contextlib.suppress(Damaged):
            return copy.read()
        copy.remove()
    raise ResourceError(
        say("What is written of {file} is not what is read again.", file=shown(path.name)),
        say("Check the disk, and upload it again."),
    )


def preview_untrusted(path: Path, *, columns: Mapping[str, str], skip_bad: bool) -> Preview:
    """Look at what a stranger handed over, through a child; arguments as `tools.datasets.preview_dataset`.

    Small data is read at once: its preview has the counts, and reading it later finds the copy.

    Raises:
        ResourceError: the copy cannot be written.
    """
    try:
        return _Copy(path, dict(columns), skip_bad).preview()
    except DatasetError as error:
        problem = Problem(cause=error.cause, next_step=error.next_step)
        return Preview(name=shown(path.name, 200), problem=problem)


@dataclass(frozen=True)
class _Copy:
    """The copy of one upload as read with these columns, whether or not it is there yet."""

    path: Path
    columns: dict[str, str]
    skip_bad: bool

    @property
    def place(self) -> Path:
        """Where it is, or will be: by the files' names, sizes and times, the columns and the reader's version."""
        what = [VERSION, self.columns, self.skip_bad, *_files(self.path)]
        key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
        return self.path.parent / f"{_PREFIX}{key}"

    def make(self) -> None:
        """Have a child make it, unless somebody else is making it right now."""
        with self._alone():
            if not self.place.exists():
                self._child(look=False)

    def preview(self) -> Preview:
        """Have a child look at the files, and make the copy if they are small."""
        with self._alone():
            seen = Preview.model_validate(self._child(look=True))
        if seen.summary is None:
            return seen
        return seen.model_copy(update={"summary": self._located(seen.summary)})

    def read(self) -> Dataset:
        """Read it.

        Raises:
            Damaged: it is not there, or not what was written.
        """
        found = read_copy(self.place)
        return replace(found, summary=self._located(found.summary))

    def _located(self, summary: DatasetSummary) -> DatasetSummary:
        """With the whole path, of which the child saw the end."""
        return summary.model_copy(update={"path": shown(self.path, 1000)})

    def remove(self) -> None:
        """Take it away."""
        with self._alone():
            shutil.rmtree(self.place, ignore_errors=True)

    def _child(self, *, look: bool) -> workers.Message:
        task = Task(
            folder=self.path.parent.absolute(),
            name=self.path.name,
            columns=self.columns,
            skip_bad=self.skip_bad,
            copy_to=self.place.absolute(),
            look=look,
        )
        try:
            return workers.run(
                JOB,
                task.model_dump(mode="json"),
                about=shown(self.path.name),
                logs=self.path.parent / _LOGS,
                memory_mb=MEMORY_MB,
                seconds=LOOK_SECONDS if look else READ_SECONDS,
                threads=1,  # OpenBLAS, which Parquet's reader brings along, takes 40 MB of address space for each core
            )
        except workers.ChildLost as error:
            raise DatasetError(
                error.cause, say("Upload a smaller sample of it, or the same data as JSONL with fewer columns.")
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While nobody else has a child at work on this upload; what killed children left is removed."""
        _refuse(self.path)
        folder = self.path.parent
        lock = FileLock(folder / _LOCK)
        while True:
            try:
                lock.acquire(timeout=0.2)
                break
            except Timeout:
                stopping.stop_point()
            except OSError as error:
                raise ResourceError(
                    say("{folder} cannot be written: {why}.", folder=str(folder), why=str(error.strerror or error)),
                    make_room(error),
                ) from error
        try:
            _tidy(folder, self.place)
            yield
        finally:
            lock.release()


def _tidy(folder: Path, wanted: Path) -> None:
    """Remove what was never finished, and the oldest copies where there are too many; the lock is held."""
    finished = [p for p in folder.iterdir() if p.name.startswith(_PREFIX) and p != wanted]
    finished.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for old in [*folder.glob(f"{UNFINISHED}*"), *finished[KEPT - 1 :]]:
        shutil.rmtree(old, ignore_errors=True)


def _refuse(path: Path) -> None:
    """Turn down what is neither a file nor a folder: a link leads elsewhere, a pipe blocks, a device never ends.

    Raises:
        DatasetError: it is one of these, or is not there.
    """
    name = shown(path.name)
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError) as error:
        raise DatasetError(
            say("{file} does not exist.", file=name), say("Check the path for a typing mistake.")
        ) from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DatasetError(say("{file} is not a regular file.", file=name), say("Give a file or a folder of files."))


def _files(path: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of the files at a path; by name."""
    _refuse(path)
    if not stat.S_ISDIR(path.lstat().st_mode):
        status = path.lstat()
        return [(path.name, status.st_size, status.st_mtime_ns)]
    found = []
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder) / name
            status = file.lstat()
            found.append((os.fsencode(file.relative_to(path)).hex(), status.st_size, status.st_mtime_ns))
    return sorted(found)
