"""Uploaded files, kept by their content, so that a run can read them again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import DatasetError, ResourceError, make_room
from knowledge.wording import say
from tools.data_source import DataSource

#: what the reader reads; ``.gz`` for compressed JSONL
KINDS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt", ".md", ".gz")
MOST_FILES = 1000


class Uploads:
    """A folder of uploads.

    Attributes:
        most_bytes: of one upload, all its files together.
    """

    def __init__(self, folder: Path, most_bytes: int = 512 * 2**20) -> None:
        self._folder = folder
        self.most_bytes = most_bytes

    def keep(self, files: Sequence[Path]) -> DataSource:
        """Move uploaded files to ``HASH/NAME`` in the folder: one file as itself, several as one folder.

        Raises:
            DatasetError: a file of a kind that is not read, two of one name, too many or too much.
            ResourceError: the disk is full or the folder is not writable.
        """
        self._check(files)
        try:
            return DataSource(path=str(self._keep(files)))
        except OSError as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(self._folder), why=str(error.strerror)),
                make_room(error),
            ) from error

    def _check(self, files: Sequence[Path]) -> None:
        names = [file.name for file in files]
        unread = next((file.name for file in files if file.suffix.lower() not in KINDS), None)
        if unread is not None:
            raise DatasetError(
                say("{name} is of a kind that is not read.", name=unread),
                say("Upload one or more of: {kinds}.", kinds=", ".join(KINDS)),
            )
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise DatasetError(
                say("Two files are called {name}.", name=doubled), say("Give each file a name of its own.")
            )
        if len(files) > MOST_FILES or sum(file.stat().st_size for file in files) > self.most_bytes:
            raise DatasetError(
                say("That is more than {mb} MB or {count} files.", mb=self.most_bytes // 2**20, count=MOST_FILES),
                say("Take a sample of it: some thousand documents are enough to compare models."),
            )

    def _keep(self, files: Sequence[Path]) -> Path:
        digest = hashlib.sha256()
        for file in sorted(files):
            with file.open("rb") as content:
                digest.update(f"{file.name}\0{hashlib.file_digest(content, 'sha256').hexdigest()}\0".encode())
        kept = self._folder / digest.hexdigest()[:16]
        name = files[0].name if len(files) == 1 else "+".join(sorted(file.stem for file in files))[:60]
        if not kept.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            whole = Path(tempfile.mkdtemp(dir=self._folder, prefix="."))
            try:
                target = whole if len(files) == 1 else whole / name
                target.mkdir(exist_ok=True)
                for file in files:
                    shutil.move(file, target / file.name)
                os.replace(whole, kept)
            finally:
                shutil.rmtree(whole, ignore_errors=True)
        return kept / name
