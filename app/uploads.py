"""Uploaded files, kept by their content, so that a run can read them again; and a sample to try it with."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files as resources
from pathlib import Path

from knowledge.errors import DatasetError, ResourceError, make_room
from knowledge.wording import Language, say
from tools.data_source import DataSource
from tools.datasets.layout import TEXT_SUFFIXES
from tools.datasets.problems import shown
from tools.datasets.tables import SUFFIXES

#: what the reader reads; ``.gz`` for compressed tables
KINDS = (*SUFFIXES, *TEXT_SUFFIXES, ".gz")
MOST_FILES = 1000
#: bytes of a file's name without its suffixes, so that it can be shown whole
LONGEST_STEM = 64
#: characters that mean something to a shell or a file system
_SPECIAL = frozenset('<>:"/\\|?*')
#: what Windows takes for a device, whatever the suffix
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))})


class Uploads:
    """A folder of uploads.

    Attributes:
        folder: what is kept is in here.
        most_bytes: of one upload, all its files together.
    """

    def __init__(self, folder: Path, most_bytes: int = 512 * 2**20) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def keep(self, files: Sequence[Path]) -> DataSource:
        """Move uploaded files to ``HASH/NAME`` in the folder: one file as itself, several as one folder.

        Nothing is read here, and whoever reads it does so through a child process (`DataSource.untrusted`).

        Raises:
            DatasetError: a file of a kind that is not read or no regular one, two of one name, too many or too much.
            ResourceError: the disk is full or the folder is not writable.
        """
        named = self._checked(files)
        try:
            return DataSource(path=str(self._keep(named)), untrusted=True)
        except FileNotFoundError as error:
            raise _gone() from error
        except OSError as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(self.folder), why=str(error.strerror)),
                make_room(error),
            ) from error

    def _checked(self, files: Sequence[Path]) -> dict[str, Path]:
        """The files by the names that they are kept under."""
        if not files or len(files) > MOST_FILES:
            raise self._too_much() if files else _gone()
        named: dict[str, Path] = {}
        taken: set[str] = set()
        total = 0
        for file in files:
            name = safe_name(file.name)
            if not is_read(name):
                raise DatasetError(
                    say("{name} is of a kind that is not read.", name=shown(name)),
                    say("Upload one or more of: {kinds}.", kinds=", ".join(KINDS)),
                )
            if name.casefold() in taken:
                raise DatasetError(
                    say("Two files are called {name}.", name=shown(name)), say("Give each file a name of its own.")
                )
            taken.add(name.casefold())
            total += _size(file)
            named[name] = file
        if total > self.most_bytes:
            raise self._too_much()
        return named

    def _too_much(self) -> DatasetError:
        return DatasetError(
            say("That is more than {mb} MB or {count} files.", mb=self.most_bytes // 2**20, count=MOST_FILES),
            say("Take a sample of it: some thousand documents are enough to compare models."),
        )

    def _keep(self, named: Mapping[str, Path]) -> Path:
        digest = hashlib.sha256()
        for name, file in sorted(named.items()):
            with file.open("rb") as content:
                digest.update(f"{name}\0{hashlib.file_digest(content, 'sha256').hexdigest()}\0".encode())
        kept = self.folder / digest.hexdigest()[:16]
        name = next(iter(named)) if len(named) == 1 else _name_of(named)
        if kept.exists():
            for file in named.values():
                file.unlink(missing_ok=True)
            # an older version may have called it otherwise
            return kept / name if (kept / name).exists() else next(kept.iterdir(), kept / name)
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = Path(tempfile.mkdtemp(dir=self.folder, prefix="."))
        try:
            target = whole if len(named) == 1 else whole / name
            target.mkdir(exist_ok=True)
            for own, file in named.items():
                shutil.move(file, target / own)
            try:
                os.replace(whole, kept)
            except OSError:
                if not kept.exists():  # else somebody has uploaded the same just now
                    raise
        finally:
            shutil.rmtree(whole, ignore_errors=True)
        return kept / name


def _name_of(named: Iterable[str]) -> str:
    """What several files are called together: by the tables, where there are any: a licence says little."""
    tables = [name for name in named if not name.lower().endswith(TEXT_SUFFIXES)] or list(named)
    return safe_name("+".join(sorted(Path(name).stem for name in tables))[:60])


def safe_name(name: str) -> str:
    """A name that means the same to every file system and in every place where it is shown.

    Control and direction characters, separators and the like become underscores, leading dots and dashes go, and a long
    one is cut before its suffixes.
    """
    plain = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    clean = "".join(c if c.isprintable() and c not in _SPECIAL else "_" for c in plain).strip(" .").lstrip("-. ")
    suffixes = "".join(Path(clean).suffixes[-2:] if clean.lower().endswith(".gz") else Path(clean).suffixes[-1:])
    stem = clean.removesuffix(suffixes).encode("utf-8")[:LONGEST_STEM].decode("utf-8", "ignore").rstrip(" .")
    if stem.split(".")[0].strip().upper() in _DEVICES:
        stem = f"_{stem}"
    return f"{stem or 'data'}{suffixes[:20]}"


def sample_file(language: Language) -> Path:
    """A small table to upload: questions to a bicycle shop, each with its answer (written for this program, CC0)."""
    return Path(str(resources("app.chat") / "samples" / f"faq_{language}.csv"))


def is_read(name: str) -> bool:
    """Whether files of this name are read, by its suffixes."""
    lowered = name.lower()
    packed = lowered.removesuffix(".gz")
    return packed.endswith(SUFFIXES) or lowered.endswith(TEXT_SUFFIXES)


def _size(file: Path) -> int:
    try:
        status = file.lstat()
    except OSError as error:
        raise _gone() from error
    if not stat.S_ISREG(status.st_mode):
        raise DatasetError(
            say("{file} is not a regular file.", file=shown(file.name)), say("Give a file or a folder of files.")
        )
    return status.st_size


def _gone() -> DatasetError:
    return DatasetError(say("No file has arrived."), say("Upload it again."))
