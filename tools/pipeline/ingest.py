"""Ingest documents: ``python -m pipeline.ingest documents.jsonl``; the same again changes nothing.

A killed ingest goes on where it was. A document whose text has changed is encoded again; ``--sync`` also removes those
that the file has no more, ``--delete ID`` removes some by name.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from . import encoders
from .chunks import cutter
from .collection import LONGEST_ID, Collections, packed
from .errors import PipelineError
from .ledger import Ledger, Part
from .search import form_of
from .settings import Settings, encoding_of, read_settings, rules_of

#: documents taken into the ledger, and parts encoded, at a time
_AT_ONCE, _PARTS = 1_000, 256
_IDS, _TITLE, _TEXT = ("_id", "id"), "title", "text"
#: what parts the columns of a file, by its ending; one object a line has none
_DELIMITERS = {".jsonl": "", ".csv": ",", ".tsv": "\t"}


def read_documents(file: Path) -> Iterator[tuple[str, str]]:
    """Ids and texts of a .jsonl, .csv or .tsv file with ``_id`` (or ``id``), ``text`` and perhaps ``title``.

    A title stands before the text, with a blank between them, as when it was measured.

    Raises:
        PipelineError: the file is of another form, cannot be read, or an entry lacks something; names the entry.
    """
    if file.suffix not in _DELIMITERS:
        raise PipelineError(f"{file} is none of {', '.join(_DELIMITERS)}: write it as one of these")
    delimiter, number = _DELIMITERS[file.suffix], 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows: Iterator[Any] = csv.DictReader(lines, delimiter=delimiter) if delimiter else _objects(lines)
            for number, row in enumerate(rows, 1):
                yield _document(row, f"{file}, entry {number}")
    except (OSError, ValueError, csv.Error) as error:
        after = f" after entry {number}" if number else ""
        raise PipelineError(f"{file} cannot be read{after}: {error}") from error


def _objects(lines: Iterable[str]) -> Iterator[Any]:
    return (json.loads(line) for line in lines if line.strip())


def _document(row: Any, where: str) -> tuple[str, str]:
    name = next((row[key] for key in _IDS if key in row), None) if isinstance(row, dict) else None
    text = row.get(_TEXT) if isinstance(row, dict) else None
    if name in (None, "") or not isinstance(text, str):
        raise PipelineError(f"{where} has no _id or no text")
    title = row.get(_TITLE) or ""
    identifier = _whole(str(name))
    if len(identifier.encode()) > LONGEST_ID:
        raise PipelineError(f"{where} has an id of more than {LONGEST_ID} bytes")
    return identifier, _whole(f"{title} {text}" if title else text)


def _whole(text: str) -> str:
    """Without halves of characters, which no database takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def ingest(settings: Settings, documents: Iterable[tuple[str, str]], *, sync: bool = False) -> dict[str, int]:
    """Take documents in; how many there are, changed and gone, and parts encoded and put into Milvus.

    Raises:
        PipelineError: `sync` with no document at all, which would remove all of them.
    """
    ledger = Ledger(settings.state)
    try:
        seen: set[str] = set()
        changed, waiting = 0, iter(documents)
        while some := list(islice(waiting, _AT_ONCE)):
            changed += ledger.put(some)
            seen.update(name for name, _ in some)
        if sync and not seen and ledger.size:
            raise PipelineError("there is no document in it, and --sync would remove all: name them with --delete")
        gone = ledger.remove(ledger.ids() - seen) if sync else 0
        return {"changed": changed, "removed": gone, **fill(settings, ledger), "documents": len(ledger.ids())}
    finally:
        ledger.close()


def delete(settings: Settings, ids: Iterable[str]) -> dict[str, int]:
    """Remove documents by id."""
    ledger = Ledger(settings.state)
    try:
        gone = ledger.remove(ids)
        return {"removed": gone, **fill(settings, ledger), "documents": len(ledger.ids())}
    finally:
        ledger.close()


def fill(settings: Settings, ledger: Ledger) -> dict[str, int]:
    """Bring every leg's vectors and collection to what the ledger's documents are."""
    legs = [leg for leg in settings.legs.values() if leg["kind"] in ("dense", "sparse")]
    if not legs:
        return {}
    _check(settings, legs)
    encoded = sum(encode(leg, ledger) for leg in legs)
    collections, put = Collections(settings), 0
    try:
        for leg in legs:
            if collections.make(leg):
                ledger.forget_loaded(collections.name(leg))
            form = form_of(leg, ledger) if leg["kind"] == "dense" else None
            put += collections.fill(leg, ledger, form)
            collections.index(leg)
            ledger.tidy(encoding_of(leg))
            if collections.standing(leg) is None:
                collections.switch(leg)
    finally:
        collections.close()
    return {"encoded": encoded, "put": put}


def _check(settings: Settings, legs: Iterable[dict[str, Any]]) -> None:
    """Whether Milvus answers and can hold all of them: hours of encoding would be for nothing."""
    collections = Collections(settings)
    try:
        for note in filter(None, map(collections.check, legs)):
            print(note, file=sys.stderr)
    finally:
        collections.close()


def encode(leg: dict[str, Any], ledger: Ledger) -> int:
    """Encode what has no vectors yet, batch by batch; how many parts."""
    identity, cut, done = encoding_of(leg), cutter(rules_of(leg)), 0
    waiting: list[tuple[str, int, str]] = []
    model: Any = None

    def keep() -> int:
        nonlocal model
        if model is None:
            model = encoders.Sparse(leg) if leg["kind"] == "sparse" else encoders.dense(leg, ledger.folder)
        texts = [text for _, _, text in waiting]
        if leg["kind"] == "sparse":
            made = [packed(weights) for weights in model.weights(texts, "document")]
        else:
            made = [vector.tobytes() for vector in encoders.finished(model.embed(texts, "document"), leg)]
        parts: list[Part] = [(key, part, of) for (key, part, _), of in zip(waiting, made, strict=True)]
        ledger.keep_vectors(identity, parts)
        return len(parts)

    for key, text in ledger.without_vectors(identity):
        waiting += [(key, part, chunk) for part, chunk in enumerate(cut(text))]
        if len(waiting) >= _PARTS:  # documents whole, so that one that has vectors has all of them
            done += keep()
            waiting.clear()
    return done + (keep() if waiting else 0)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.ingest", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help=".jsonl, .csv or .tsv with _id, text and perhaps title")
    parser.add_argument("--sync", action="store_true", help="also remove documents that the file has no more")
    parser.add_argument("--delete", nargs="+", metavar="ID", help="remove documents")
    given = parser.parse_args(arguments)
    if (given.file is None) == (given.delete is None):
        parser.error("give a file, or --delete and ids")
    try:
        settings = read_settings()
        done = delete(settings, given.delete) if given.delete else ingest(settings, _read(given.file), sync=given.sync)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(", ".join(f"{count} {what}" for what, count in done.items()))
    return 0


def _read(file: Path) -> Iterator[tuple[str, str]]:
    return read_documents(file / "corpus.jsonl" if file.is_dir() else file)


if __name__ == "__main__":
    sys.exit(main())
