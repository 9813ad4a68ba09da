"""What has been ingested, in a SQLite file: documents, their vectors, and which of these are in Milvus.

Documents with the same text (but for blanks) have the same hash, and share their vectors. All that is expensive is kept
here, so an ingest that was killed goes on where it was, other settings of the index cost no encoding, and a collection
that was lost is filled again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
  place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_hash ON documents (hash, place);
CREATE TABLE IF NOT EXISTS vectors (
  leg TEXT, hash TEXT, part INTEGER, vector BLOB NOT NULL, PRIMARY KEY (leg, hash, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS loaded (
  collection TEXT, hash TEXT, part INTEGER, document TEXT NOT NULL, PRIMARY KEY (collection, hash, part))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
#: a document, by its id or its hash, and its text
Text = tuple[str, str]
#: a part of a document: hash, number, vector or weights
Part = tuple[str, int, bytes]
#: that part, and before it the id of the first document with that text
Ready = tuple[str, str, int, bytes]


def hash_of(text: str) -> str:
    """Of a document's text, without regard to its blanks."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Ledger:
    """An open ledger; one process writes, any number read.

    Attributes:
        folder: where its file is.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "documents.sqlite"
        self._db = sqlite3.connect(self._file, timeout=30.0, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def put(self, documents: Iterable[tuple[str, str]]) -> int:
        """Keep documents, (id, text); of how many the text is new or another than before."""
        changed = 0
        with self._db:
            for name, text in documents:
                changed += self._db.execute(
                    "INSERT INTO documents (id, hash, text) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                    " hash = excluded.hash, text = excluded.text WHERE text != excluded.text",
                    (name, hash_of(text), text),
                ).rowcount
        return changed

    def remove(self, ids: Iterable[str]) -> int:
        """Forget documents; how many there were of these."""
        with self._db:
            return sum(self._db.execute("DELETE FROM documents WHERE id = ?", (name,)).rowcount for name in ids)

    def ids(self) -> set[str]:
        """Of all documents."""
        return {name for (name,) in self._db.execute("SELECT id FROM documents")}

    @property
    def size(self) -> int:
        """Different texts."""
        return int(self._db.execute("SELECT count(DISTINCT hash) FROM documents").fetchone()[0])

    def texts(self) -> Iterator[Text]:
        """Every different text under the id of the first document that has it, in the order in which they came."""
        query = "SELECT id, text FROM documents WHERE place IN (SELECT min(place) FROM documents GROUP BY hash)"
        return iter(self._db.execute(query + " ORDER BY place"))

    def without_vectors(self, leg: str) -> Iterator[Text]:
        """Texts of which a leg has no vectors yet."""
        found = self._db.execute(
            "SELECT DISTINCT hash FROM documents EXCEPT SELECT DISTINCT hash FROM vectors WHERE leg = ?", (leg,)
        ).fetchall()
        for (name,) in found:
            query = "SELECT text FROM documents WHERE hash = ? ORDER BY place LIMIT 1"
            yield name, str(self._db.execute(query, (name,)).fetchone()[0])

    def text_of(self, document: str) -> str | None:
        """The text of a document by its id; None where it is not there."""
        found = self._db.execute("SELECT text FROM documents WHERE id = ?", (document,)).fetchone()
        return str(found[0]) if found else None

    def keep_vectors(self, leg: str, parts: Iterable[Part]) -> None:
        """Keep all parts of some documents."""
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", [(leg, *part) for part in parts])

    def vectors(self, leg: str) -> Iterator[bytes]:
        """All vectors of a leg."""
        return (row[0] for row in self._db.execute("SELECT vector FROM vectors WHERE leg = ?", (leg,)))

    def vector(self, leg: str, name: str, part: int) -> bytes | None:
        """One vector."""
        query = "SELECT vector FROM vectors WHERE leg = ? AND hash = ? AND part = ?"
        found = self._db.execute(query, (leg, name, part)).fetchone()
        return found[0] if found else None

    def not_loaded(self, leg: str, collection: str) -> Iterator[Ready]:
        """Parts that a collection lacks, or has under the id of a document that is gone, in the order of documents."""
        reader = sqlite3.connect(self._file, timeout=30.0)  # its view stays as it is while the other one writes
        try:
            yield from reader.execute(
                "SELECT d.id, v.hash, v.part, v.vector FROM documents d"
                " JOIN (SELECT min(place) AS place FROM documents GROUP BY hash) first ON first.place = d.place"
                " JOIN vectors v ON v.leg = ? AND v.hash = d.hash"
                " LEFT JOIN loaded l ON l.collection = ? AND l.hash = v.hash AND l.part = v.part"
                " WHERE l.document IS NULL OR l.document != d.id ORDER BY d.place, v.part",
                (leg, collection),
            )
        finally:
            reader.close()

    def mark_loaded(self, collection: str, parts: Iterable[Ready]) -> None:
        """Say that a collection has these parts."""
        rows = [(collection, name, part, document) for document, name, part, _ in parts]
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO loaded VALUES (?, ?, ?, ?)", rows)

    def loaded(self, collection: str) -> int:
        """How many parts a collection should have."""
        return int(self._db.execute("SELECT count(*) FROM loaded WHERE collection = ?", (collection,)).fetchone()[0])

    def forget_loaded(self, collection: str) -> None:
        """Say that a collection is empty."""
        with self._db:
            self._db.execute("DELETE FROM loaded WHERE collection = ?", (collection,))

    def outdated(self, collection: str) -> list[tuple[str, int]]:
        """Parts in a collection whose text no document has any more."""
        return self._db.execute(
            "SELECT hash, part FROM loaded WHERE collection = ? AND hash NOT IN (SELECT hash FROM documents)",
            (collection,),
        ).fetchall()

    def behind(self, collection: str) -> int:
        """How many texts a collection lacks, or has though no document has them any more."""
        query = (
            "SELECT count(DISTINCT hash) FROM documents"
            " WHERE hash NOT IN (SELECT hash FROM loaded WHERE collection = ?)"
        )
        gone = {name for name, _ in self.outdated(collection)}
        return int(self._db.execute(query, (collection,)).fetchone()[0]) + len(gone)

    def mark_removed(self, collection: str, parts: Iterable[tuple[str, int]]) -> None:
        """Say that a collection lacks these parts."""
        query = "DELETE FROM loaded WHERE collection = ? AND hash = ? AND part = ?"
        with self._db:
            self._db.executemany(query, [(collection, *part) for part in parts])

    def tidy(self, leg: str) -> None:
        """Forget a leg's vectors of texts that no document has any more."""
        with self._db:
            self._db.execute("DELETE FROM vectors WHERE leg = ? AND hash NOT IN (SELECT hash FROM documents)", (leg,))

    def kept(self, name: str) -> bytes | None:
        """What was kept under a name."""
        found = self._db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def keep(self, name: str, value: bytes) -> None:
        """Keep something under a name."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))
