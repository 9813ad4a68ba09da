"""Opening a dataset's files without trusting them, and reading them line by line."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from knowledge.errors import DatasetError
from knowledge.wording import Text, say
from tools.datasets.encodings import AsUtf8, encoding_at, told_of
from tools.datasets.limits import Budget, too_much
from tools.datasets.problems import Problems, at, shown

_SNIFFED_BYTES = 8192
_RATIO_COUNTS_FROM = 16 * 2**20
_KNOWN_BINARIES = (
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP, XLSX or DOCX"),
    (b"\x1f\x8b", "gzip"),
    (b"\xd0\xcf\x11\xe0", "XLS or DOC"),
    (b"PAR1", "Parquet"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"SQLite format 3", "SQLite"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf", "7z"),
)


@dataclass(frozen=True)
class DataFile:
    """One file of a dataset: where it is, what it is called in messages, and its size on disk."""

    path: Path
    size: int

    @cached_property  # asked for with every line
    def shown(self) -> str:
        """Its name in messages."""
        return shown(self.path, 200)

    @cached_property
    def is_gzip(self) -> bool:
        """Whether its name says that it is compressed."""
        return self.path.suffix.lower() == ".gz"

    @property
    def suffix(self) -> str:
        """Its suffix in lower case, without ``.gz``."""
        name = self.path.name.lower().removesuffix(".gz")
        return Path(name).suffix

    @property
    def stem(self) -> str:
        """Its name in lower case, without suffixes."""
        return Path(self.path.name.lower().removesuffix(".gz")).stem


class LeadsOutside(DatasetError):
    """A symbolic link that leads out of the folder it lies in."""


def data_file(path: Path, *, inside: Path | None = None) -> DataFile:
    """Look at a file before it is opened.

    Args:
        path: the file.
        inside: the folder it must not leave by a symbolic link.

    Raises:
        LeadsOutside: it is a link out of `inside`.
        DatasetError: it is missing, not a regular file (a pipe would block), or cannot be reached.
    """
    name = shown(path, 200)
    try:
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            raise LeadsOutside(
                say("{file} is a link that leads out of the folder.", file=name),
                say("Copy the file itself into the folder."),
            )
        status = path.stat()
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(name, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise DatasetError(say("{file} is not a regular file.", file=name), say("Give a file or a folder of files."))
    return DataFile(path, status.st_size)


def _unreadable(name: str, error: Exception) -> DatasetError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, FileNotFoundError):
        return DatasetError(say("{file} does not exist.", file=name), say("Check the path for a typing mistake."))
    if isinstance(error, PermissionError):
        return DatasetError(
            say("{file} cannot be read: permission denied.", file=name),
            say("Give your user the right to read it (chmod u+r on Linux and macOS)."),
        )
    return DatasetError(
        say("{file} cannot be read: {why}.", file=name, why=shown(why)), say("Check the file and its path.")
    )


@contextmanager
def opened(file: DataFile) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed where its name ends in ``.gz``.

    Raises:
        DatasetError: it cannot be opened or read, or is damaged.
    """
    try:
        with file.path.open("rb") as raw:
            yield cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if file.is_gzip else raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(
            say("{file} is not a complete gzip file: {why}.", file=file.shown, why=shown(error)),
            say("Compress or download it again; a file that is not compressed must not be called .gz."),
        ) from error
    except OSError as error:
        raise _unreadable(file.shown, error) from error


def decoded(raw: bytes) -> str | None:
    """Bytes as UTF-8 text; None where they are not."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_unicode(text: str) -> bool:
    """Whether a text can be written: JSON may hold half a surrogate pair."""
    return text.isascii() or decoded(text.encode("utf-8", "surrogatepass")) is not None


@contextmanager
def opened_text(file: DataFile, problems: Problems) -> Iterator[tuple[BinaryIO, str | None]]:
    """Open a file of text for reading as UTF-8, and the encoding that it is read in where that is another one.

    Raises:
        DatasetError: as `opened`.
    """
    with opened(file) as stream:
        encoding = encoding_at(stream)
        stream.seek(0)
        if encoding is None:
            yield stream, None
            return
        problems.read_as(encoding, file.shown)
        recoded = io.BufferedReader(AsUtf8(stream, encoding), 2**16)
        if b"\0" in recoded.peek():  # a mark by chance, or that of UTF-32
            raise _binary(file)
        yield recoded, encoding


def wrong_encoding(raw: bytes, taken: str | None = None) -> Text:
    """Why bytes are no text: of a file that is read in the encoding `taken`, or, by default, in UTF-8.

    In the latter case with what they look like, and how to convert the file.
    """
    if taken is not None:
        return say("it holds bytes that are no text in {encoding}, as which the file is read", encoding=taken)
    told = told_of(raw)
    encoding, name = told or "WINDOWS-1252", told or "Latin-1 / Windows-1252"
    return say(
        "it is not UTF-8; it looks like {name} (to convert the file: iconv -f {encoding} -t UTF-8 OLD > NEW)",
        name=name,
        encoding=encoding,
    )


def _refuse_binary(start: bytes, file: DataFile) -> None:
    for magic, kind in _KNOWN_BINARIES:
        if start.startswith(magic):
            raise DatasetError(
                say("{file} is a binary file ({kind}), not text.", file=file.shown, kind=kind),
                say("Export its contents as JSONL, CSV or text files; an archive has to be unpacked first."),
            )
    if b"\0" not in start:
        return
    # every other byte of mostly Western UTF-16 text is zero
    for first, encoding in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        zeros, others = start[first::2].count(0), start[1 - first :: 2].count(0)
        if zeros > 0.4 * len(start) / 2 and not others:
            raise _utf16(file, encoding)
    raise _binary(file)


def _binary(file: DataFile) -> DatasetError:
    return DatasetError(
        say("{file} is a binary file, not text.", file=file.shown),
        say("Export its contents as JSONL, CSV or text files; an archive has to be unpacked first."),
    )


def _utf16(file: DataFile, encoding: str) -> DatasetError:
    return DatasetError(
        say("{file} is {encoding} text, not UTF-8.", file=file.shown, encoding=encoding),
        say(
            "Convert it: iconv -f {encoding} -t UTF-8 OLD > NEW, or save it as UTF-8 in your editor.", encoding="UTF-16"
        ),
    )


class LineReader:
    """The lines of one text file, without ever holding more than one of them.

    Lines that are too long are left out as problems, lines that are not UTF-8 too. With ``keep_undecodable`` the
    latter come with replacement characters, and their numbers are in `undecodable` (a CSV record may span lines).
    Where only the head of a file is read, `cut` says that there is more.
    """

    def __init__(self, file: DataFile, budget: Budget, problems: Problems, *, keep_undecodable: bool = False) -> None:
        self._file, self._budget, self._problems = file, budget, problems
        self._keep = keep_undecodable
        self._spent = 0
        self.number = 0
        self.cut = False
        self.undecodable: dict[int, bytes] = {}
        self._encoding: str | None = None

    def undecoded(self, raw: bytes) -> Text:
        """Why a line is left out that could not be decoded."""
        return wrong_encoding(raw[:_SNIFFED_BYTES], self._encoding)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Line numbers from 1 and lines, with their line ends.

        Raises:
            DatasetError: the file cannot be read, is damaged, binary, UTF-16 without a mark, or larger than allowed.
        """
        with opened_text(self._file, self._problems) as (stream, self._encoding):
            limit = self._budget.limits.line_bytes
            while raw := stream.readline(limit + 1):
                if self._is_past_head():
                    self.cut = True
                    return
                self.number += 1
                self._spend(len(raw))
                if self.number == 1:
                    _refuse_binary(raw[:_SNIFFED_BYTES], self._file)
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                if len(raw) > limit:
                    self._pass_over(stream, raw)
                    continue
                line = decoded(raw)
                if line is None:
                    if self._keep:
                        self.undecodable[self.number] = raw[:_SNIFFED_BYTES]
                        line = raw.decode("utf-8", errors="replace")
                    else:
                        self._problems.add("encoding", at(self._file.shown, self.number, self.undecoded(raw)))
                        continue
                yield self.number, line

    def _pass_over(self, stream: BinaryIO, raw: bytes) -> None:
        while not raw.endswith(b"\n") and not self._is_past_head() and (raw := stream.readline(2**16)):
            self._spend(len(raw))
        megabytes = self._budget.limits.line_bytes / 2**20
        self._problems.add(
            "long_line",
            at(self._file.shown, self.number, say("the line is longer than {limit:g} MB", limit=megabytes)),
        )

    def _is_past_head(self) -> bool:
        head = self._budget.limits.head
        return head is not None and self._spent >= head

    def _spend(self, count: int) -> None:
        self._spent += count
        self._budget.spend_bytes(count, self._file.shown)
        ratio = self._budget.limits.compression_ratio
        if self._file.is_gzip and self._spent > max(_RATIO_COUNTS_FROM, ratio * self._file.size):
            raise too_much(
                say(
                    "{file} unpacks to more than {ratio} times its size: a decompression bomb, no text.",
                    file=self._file.shown,
                    ratio=ratio,
                )
            )


def refuse_large(file: DataFile, budget: Budget) -> None:
    """Turn a file down by its size on disk, before any of it is read.

    Raises:
        DatasetError: it alone is beyond `Limits.total_bytes`.
    """
    if file.size > budget.limits.total_bytes:
        budget.spend_bytes(file.size, file.shown)


def whole_text(file: DataFile, budget: Budget, problems: Problems) -> str:
    """The text of a file that has to be read at once.

    Raises:
        DatasetError: it is larger than `Limits.json_bytes`, cannot be read, is binary or not UTF-8.
    """
    limit = budget.limits.json_bytes
    with opened_text(file, problems) as (stream, encoding):
        raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise _long_json(file, limit)
    budget.spend_bytes(len(raw), file.shown)
    _refuse_binary(raw[:_SNIFFED_BYTES], file)
    text = decoded(raw.removeprefix(b"\xef\xbb\xbf"))
    if text is None:
        raise DatasetError(
            say("{file}: {why}.", file=file.shown, why=wrong_encoding(raw, encoding)), say("Convert it and try again.")
        )
    return text


def _long_json(file: DataFile, limit: int) -> DatasetError:
    return DatasetError(
        say("{file} is larger than {limit} MB, too large for one JSON file.", file=file.shown, limit=limit // 2**20),
        say("Save it as JSONL, one object a line: that is read piece by piece."),
    )


def head_text(file: DataFile, budget: Budget, problems: Problems) -> str | None:
    """The beginning of a text, where only the head of files is read and there is more; else None.

    Raises:
        DatasetError: it is larger than `Limits.json_bytes`, cannot be read, or is binary.
    """
    head, limit = budget.limits.head, budget.limits.json_bytes
    if head is None:
        return None
    if not file.is_gzip and file.size > limit:
        raise _long_json(file, limit)
    with opened_text(file, problems) as (stream, _):
        raw = stream.read(head + 1)
    if len(raw) <= head:
        return None
    budget.spend_bytes(len(raw), file.shown)
    _refuse_binary(raw[:_SNIFFED_BYTES], file)
    return raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


def text_of(file: DataFile, budget: Budget, problems: Problems) -> str | None:
    """The text of a whole small file, or None where something is wrong with it (noted as a problem).

    Raises:
        DatasetError: the limits of the whole dataset are exceeded.
    """
    limit = budget.limits.line_bytes
    if file.size > limit:
        why = say(
            "{file} is longer than {limit:g} MB, too long for one document.", file=file.shown, limit=limit / 2**20
        )
        problems.add("long_line", why)
        return None
    try:
        with opened_text(file, problems) as (stream, encoding):
            raw = stream.read(limit)
        _refuse_binary(raw[:_SNIFFED_BYTES], file)
    except DatasetError as error:
        problems.add("unreadable_file", error.cause)
        return None
    budget.spend_bytes(len(raw), file.shown)
    text = decoded(raw.removeprefix(b"\xef\xbb\xbf"))
    if text is None:
        problems.add(
            "encoding",
            say("{file}: {why}.", file=file.shown, why=wrong_encoding(raw[:_SNIFFED_BYTES], encoding)),
        )
    return text


def listed(folder: Path) -> list[Path]:
    """What lies directly in a folder, hidden entries left out, in name order.

    Raises:
        DatasetError: the folder cannot be read.
    """
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise _unreadable(shown(folder, 200), error) from error


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder.

    Raises:
        DatasetError: there is nothing there, or it cannot be reached.
    """
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError) as error:
        raise _unreadable(shown(path, 200), error) from error
