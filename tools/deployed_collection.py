"""A collection that somebody else filled: what it is, what lies in it, and what it finds. Nothing in it is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.errors import UserError
from knowledge.wording import say
from tools.encoders.base import Vectors
from tools.milvus_collection import CALL_SECONDS
from tools.vector_store import client_of

#: how fields with the document's own id are called, where that is not the primary key
ID_FIELDS = ("document_id", "doc_id", "document", "source_id")
#: Milvus's types of vectors that can be read as numbers, and NumPy's for them
_NUMBERS = {"FLOAT_VECTOR": "float32", "FLOAT16_VECTOR": "float16"}
#: ids asked for at a time
BATCH = 200
#: rows of one document, such as its chunks, that are looked through for so many different documents
CHUNKS = 4
MOST_LIMIT = 16_384


@dataclass(frozen=True)
class Described:
    """What a collection is.

    Attributes:
        vector, id: names of the fields.
        kind: Milvus's type of the vectors.
        metric, index: of the index over them; empty where there is none.
        whole: whether each row is one document, so that ids are unique.
    """

    name: str
    vector: str
    id: str
    kind: str
    dimension: int
    metric: str
    index: str
    rows: int
    whole: bool
    whole_numbers: bool = False


class DeployedCollection:
    """One collection of an open client."""

    def __init__(self, client: Any, described: Described) -> None:
        self._client, self.about = client, described

    def search(self, vectors: Vectors, k: int) -> list[list[str]]:
        """Ids of the k best documents for each vector, best first; of several rows of one document the best counts."""
        limit = min(k if self.about.whole else k * CHUNKS, MOST_LIMIT)
        found = self._client.search(
            self.about.name,
            data=[vector.tolist() for vector in vectors],
            anns_field=self.about.vector,
            limit=limit,
            output_fields=[self.about.id],
            search_params={"metric_type": self.about.metric} if self.about.metric else {},
            timeout=CALL_SECONDS,
        )
        return [list(dict.fromkeys(str(hit["entity"][self.about.id]) for hit in hits))[:k] for hits in found]

    def held(self, ids: Sequence[str]) -> set[str]:
        """Which of these documents it has."""
        return {str(row[self.about.id]) for row in self._rows(ids, [self.about.id])}

    def vectors_of(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Stored vectors by document; of a document with several rows, the first; empty where they are no numbers."""
        numbers = _NUMBERS.get(self.about.kind)
        if numbers is None:
            return {}
        found: dict[str, Vectors] = {}
        for row in self._rows(ids, [self.about.id, self.about.vector]):
            raw = row[self.about.vector]
            raw = raw[0] if isinstance(raw, list) and raw and isinstance(raw[0], bytes) else raw
            made = np.frombuffer(raw, numbers) if isinstance(raw, bytes) else np.asarray(raw)
            found.setdefault(str(row[self.about.id]), made.astype(np.float32))
        return found

    def _rows(self, ids: Sequence[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            wanted = [_number(one) for one in some] if self.about.whole_numbers else some
            # JSON writes strings and lists as Milvus's filters do
            listed = json.dumps([one for one in wanted if one is not None], ensure_ascii=False)
            yield from self._client.query(
                self.about.name,
                filter=f"{self.about.id} in {listed}",
                output_fields=fields,
                limit=min(MOST_LIMIT, max(len(some) * (1 if self.about.whole else 100), 1)),
                timeout=CALL_SECONDS,
            )


@contextmanager
def deployed_collection(
    uri: str, name: str, *, token: str = "", vector_field: str | None = None, id_field: str | None = None
) -> Iterator[DeployedCollection]:
    """Open a collection (or an alias of one) to look at it.

    Raises:
        UserError: there is no such collection, or no such field in it.
        ProviderError: Milvus cannot be reached, or fails.
    """
    with client_of(uri, token) as client:
        if not client.has_collection(name, timeout=CALL_SECONDS):
            name = _the_only_leg(client, name)
        described = _describe(client, name, vector_field, id_field)
        client.load_collection(name, timeout=CALL_SECONDS)  # Milvus Lite forgets that it was loaded
        yield DeployedCollection(client, described)


def _the_only_leg(client: Any, name: str) -> str:
    """The one collection that a deployment of this name made (`tools.pipeline.collection`: NAME_LEG_IDENTITY)."""
    there = client.list_collections(timeout=CALL_SECONDS)
    made = [one for one in there if one.startswith(f"{name}_")]
    if len(made) == 1:
        return str(made[0])
    raise UserError(
        say("There is no collection “{name}”.", name=name[:100]),
        say("There are: {names}.", names=", ".join(there[:10]) or "–"),
    )


def _describe(client: Any, name: str, vector_field: str | None, id_field: str | None) -> Described:
    raw = client.describe_collection(name, timeout=CALL_SECONDS)
    fields = {field["name"]: field for field in raw["fields"]}
    dense = [n for n, f in fields.items() if "dim" in (f.get("params") or {}) and _kind(f).endswith("_VECTOR")]
    vector = _one(vector_field, dense, "--vector-field")
    primary = next((n for n, f in fields.items() if f.get("is_primary")), "id")
    chosen = id_field or next((n for n in ID_FIELDS if n in fields), primary)
    if chosen not in fields:
        raise _no_field(chosen, fields, "--id-field")
    index = _index(client, name, vector)
    return Described(
        name=name,
        vector=vector,
        id=chosen,
        kind=_kind(fields[vector]),
        dimension=int(fields[vector]["params"]["dim"]),
        metric=str(index.get("metric_type", "")),
        index=str(index.get("index_type", "")),
        rows=_count(client, name),
        whole=chosen == primary,
        whole_numbers=_kind(fields[chosen]).startswith("INT"),
    )


def _kind(field: dict[str, Any]) -> str:
    kind = field.get("type")
    return str(getattr(kind, "name", kind))


def _one(named: str | None, there: Sequence[str], option: str) -> str:
    if named in there:
        return str(named)
    if named is None and len(there) == 1:
        return there[0]
    raise _no_field(named, there, option)


def _no_field(named: str | None, there: Any, option: str) -> UserError:
    names = ", ".join(there) or "–"
    if named is None:
        return UserError(
            say("The collection has several fields of vectors, or none: {names}.", names=names),
            say("Name one with {option}.", option=option),
        )
    return UserError(
        say("The collection has no field “{name}” that could serve.", name=named[:100]),
        say("Name one of these with {option}: {names}.", option=option, names=names),
    )


def _index(client: Any, name: str, vector: str) -> dict[str, Any]:
    for index in client.list_indexes(name, timeout=CALL_SECONDS):
        found = client.describe_index(name, index, timeout=CALL_SECONDS) or {}
        if found.get("field_name", vector) == vector:
            return dict(found)
    return {}


def _count(client: Any, name: str) -> int:
    """Rows as a query counts them: statistics still count what was deleted."""
    client.load_collection(name, timeout=CALL_SECONDS)
    found = client.query(name, filter="", output_fields=["count(*)"], timeout=CALL_SECONDS)
    return int(found[0]["count(*)"])


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdecimal() else None
