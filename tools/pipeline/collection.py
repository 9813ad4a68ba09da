"""The vectors of a leg in Milvus: made, filled, searched, put in another's place.

An alias, ``NAME_LEG``, says what is searched. It stands for a collection whose name ends with the identity of the leg's
settings, and whose description names model, revision and dimension: other settings make another collection beside it,
and a pipeline refuses to start on one that was made with others (`Collections.opened`). One that runs goes on in the
collection that it was started on: whoever lets the alias stand for another one has no queries encoded for the old one
compared with vectors of the new one until all are started again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .connection import Connection
from .encoders import Weights
from .errors import PipelineError
from .forms import Stored
from .ledger import Ledger, Ready
from .milvus_types import first, has
from .settings import Settings, encoding_of, identity_of

ROWS = 1_000
SECONDS = 60.0
#: building an index over many vectors takes its time
INDEX_SECONDS = 3_600.0
#: Milvus Lite fails to load what was flushed a moment ago
_ATTEMPTS, _PAUSE = 5, 0.1
#: bytes of a document's id
LONGEST_ID = 1_024
#: a document, a score
Hit = tuple[str, float]


class Collections:
    """An open connection to Milvus."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._connection = settings, Connection(settings.milvus_uri)
        self._client, self._version = self._connection.client, self._connection.version
        self.is_lite = self._connection.is_lite
        self._whole: dict[str, bool] = {}
        self._settled: set[str] = set()

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    # ------------------------------------------------------------ making and filling

    def name(self, leg: dict[str, Any]) -> str:
        """Of the collection that these settings make."""
        return f"{self.alias(leg)}_{identity_of(leg)}"

    def alias(self, leg: dict[str, Any]) -> str:
        """What is searched."""
        return f"{self._settings.name}_{leg['name']}"

    def make(self, leg: dict[str, Any]) -> bool:
        """Make the collection; false where it was there."""
        from pymilvus import DataType

        name = self.name(leg)
        if self._client.has_collection(name, timeout=SECONDS):
            return False
        about = {key: leg.get(key) for key in ("model", "revision", "dimension")} | {"identity": identity_of(leg)}
        schema = self._client.create_schema(
            auto_id=False, enable_dynamic_field=False, description=json.dumps(about, ensure_ascii=False)
        )
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("document", DataType.VARCHAR, max_length=LONGEST_ID)
        length = {} if leg["kind"] == "sparse" else {"dim": self._length(leg)}
        schema.add_field("vector", DataType[self._field(leg)], **length)
        self._client.create_collection(name, schema=schema, consistency_level="Strong", timeout=SECONDS)
        return True

    def check(self, leg: dict[str, Any]) -> str | None:
        """Whether this Milvus can hold a leg; what is to be known of how, before anything is encoded.

        Raises:
            PipelineError: it cannot.
        """
        here = f"Milvus {self._version or 'Lite'}"
        if leg["kind"] == "sparse" and not has(self._version, "SPARSE_FLOAT_VECTOR"):
            since = first("SPARSE_FLOAT_VECTOR")
            raise PipelineError(f"{here} has no sparse vectors, which {leg['name']} needs: use {since} or later")
        if not self._simulates(leg):
            return None
        return (
            f"{here} has no {leg['store']} vectors: {leg['name']} keeps the rounded values as float32, "
            "which finds the same and saves nothing"
        )

    def _field(self, leg: dict[str, Any]) -> str:
        """The type of the vectors; where Milvus lacks it, rounded values are kept in float32."""
        return "FLOAT_VECTOR" if self._simulates(leg) else str(leg["index"]["field"])

    def _simulates(self, leg: dict[str, Any]) -> bool:
        """Whether it is kept so; a collection that is there stays as it was made, whatever the server is by now."""
        if leg["kind"] != "dense" or leg["store"] == "float32":
            return False
        name = self.name(leg)
        if name not in self._whole:
            self._whole[name] = not has(self._version, str(leg["index"]["field"]))
            if self._client.has_collection(name, timeout=SECONDS):
                fields = self._client.describe_collection(name, timeout=SECONDS)["fields"]
                self._whole[name] = any(f["name"] == "vector" and f["type"].name == "FLOAT_VECTOR" for f in fields)
        return self._whole[name]

    def _length(self, leg: dict[str, Any]) -> int:
        length = int(leg["first"] or leg["dimension"])
        return -(-length // 8) * 8 if self._field(leg) == "BINARY_VECTOR" else length

    def fill(self, leg: dict[str, Any], ledger: Ledger, form: Stored | None) -> int:
        """Put in what the ledger has and this lacks, take out what is there no more; how many parts were put in.

        Args:
            leg: whose collection.
            ledger: where the vectors are.
            form: in which they are stored; None of sparse ones.
        """
        name, encoding = self.name(leg), encoding_of(leg)
        gone = ledger.outdated(name)
        for start in range(0, len(gone), ROWS):
            some = gone[start : start + ROWS]
            self._client.delete(name, ids=[f"{key}-{part}" for key, part in some], timeout=SECONDS)
            ledger.mark_removed(name, some)
        done, waiting = 0, ledger.not_loaded(encoding, name)
        while some_rows := list(islice(waiting, ROWS)):
            vectors = self._as_sent(leg, [row[3] for row in some_rows], form)
            rows = [
                {"id": f"{key}-{part}", "document": document, "vector": vector}
                for (document, key, part, _), vector in zip(some_rows, vectors, strict=True)
                if not isinstance(vector, dict) or vector  # Milvus takes no text without weights; no query finds it
            ]
            if rows:
                self._client.upsert(name, rows, timeout=SECONDS)
            ledger.mark_loaded(name, some_rows)
            done += len(some_rows)
        return done

    def _as_sent(self, leg: dict[str, Any], vectors: Sequence[bytes], form: Stored | None) -> Iterator[Any]:
        if form is None:
            return map(unpacked, vectors)
        values = form.documents(short(np.stack([np.frombuffer(v, np.float32) for v in vectors]), leg))
        if self._simulates(leg):
            return iter(values)
        return map(_sent, form.packed(values))

    def index(self, leg: dict[str, Any]) -> None:
        """Build the index, where there is none, and load the collection.

        Only now, and over what was flushed: Milvus Lite would compare every vector otherwise.

        Raises:
            PipelineError: Milvus made another index than it was asked for.
        """
        from pymilvus.exceptions import MilvusException

        name, wanted = self.name(leg), self._index(leg)
        self._client.flush(name, timeout=INDEX_SECONDS)
        if "vector" not in self._client.list_indexes(name, timeout=SECONDS):
            parameters = self._client.prepare_index_params()
            nested = {"params": {"params": wanted["build"]}} if wanted["build"] else {}  # flat ones are lost
            parameters.add_index("vector", index_type=wanted["type"], metric_type=wanted["metric"], **nested)
            self._client.create_index(name, parameters, timeout=INDEX_SECONDS)
        made = self._client.describe_index(name, "vector", timeout=SECONDS)
        if (made.get("index_type"), made.get("metric_type")) != (wanted["type"], wanted["metric"]):
            raise PipelineError(f"Milvus made the index {made} where {wanted} was asked for")
        for attempt in range(_ATTEMPTS):
            try:
                return self._client.load_collection(name, timeout=INDEX_SECONDS)  # type: ignore[no-any-return]
            except MilvusException:
                if attempt + 1 == _ATTEMPTS or not self.is_lite:
                    raise
                time.sleep(_PAUSE)
        return None

    def _index(self, leg: dict[str, Any]) -> dict[str, Any]:
        flat = {"type": "FLAT", "metric": "IP", "build": {}, "search": {}}
        return flat if self._simulates(leg) else leg["index"]

    # ------------------------------------------------------------ putting one in another's place

    def standing(self, leg: dict[str, Any]) -> str | None:
        """The collection that the alias stands for; None where there is none yet."""
        alias = self.alias(leg)
        if not self._client.has_collection(alias, timeout=SECONDS):
            return None
        return str(self._client.describe_collection(alias, timeout=SECONDS)["collection_name"])

    def switch(self, leg: dict[str, Any]) -> str | None:
        """Let the alias stand for these settings' collection; what it stood for before.

        Raises:
            PipelineError: there is no such collection.
        """
        name, alias, before = self.name(leg), self.alias(leg), self.standing(leg)
        if not self._client.has_collection(name, timeout=SECONDS):
            raise PipelineError(f"there is no collection {name} yet: run python -m pipeline.ingest first")
        if before is None:
            self._client.create_alias(name, alias, timeout=SECONDS)
        elif before != name:
            self._client.alter_alias(name, alias, timeout=SECONDS)
        return before

    def others(self, leg: dict[str, Any]) -> list[str]:
        """Collections of this leg that the alias does not stand for."""
        names, alias = self._client.list_collections(timeout=SECONDS), self.alias(leg)
        size = len(alias) + 1 + len(identity_of(leg))
        mine = [name for name in names if name.startswith(f"{alias}_") and len(name) == size]
        return [name for name in mine if name != self.standing(leg)]

    def drop(self, name: str) -> None:
        """Remove a collection for good."""
        self._client.drop_collection(name, timeout=INDEX_SECONDS)

    # ------------------------------------------------------------ searching

    def opened(self, leg: dict[str, Any]) -> int:
        """Make the alias ready to be searched; how many parts it has.

        Raises:
            PipelineError: it is not there, or was made with other settings.
        """
        name = self.standing(leg)
        if name is None:
            raise PipelineError(f"Milvus has no {self.alias(leg)}: run python -m pipeline.ingest first")
        if name != self.name(leg):
            raise PipelineError(
                f"{name} was made with {self._made_with(name)}, and config.yaml says {leg['model']} at "
                f"{leg['revision']}, {leg['dimension']} numbers (or another form or index): run python -m "
                "pipeline.ingest, then python -m pipeline.schema switch; or take the config.yaml back that it was made "
                "with"
            )
        self._client.load_collection(name, timeout=INDEX_SECONDS)
        return int(self._client.get_collection_stats(name, timeout=SECONDS)["row_count"])

    def _made_with(self, name: str) -> str:
        """What a collection's description says; Milvus Lite keeps none."""
        told = self._client.describe_collection(name, timeout=SECONDS).get("description")
        if not told:
            return "other settings"
        made = json.loads(told)
        return f"{made['model']} at {made['revision']}, {made['dimension']} numbers"

    def search(self, leg: dict[str, Any], asked: Any, limit: int) -> list[tuple[str, str, int, float]]:
        """Document, hash, part and Milvus's own score of the best parts, best first.

        The first search waits until all that was written before it is seen; the next ones do not (a server would make
        each wait for its clock: 200 ms on Milvus 2.3.5), and see what is written meanwhile some seconds later.
        """
        parameters, name = self._index(leg)["search"], self.name(leg)
        consistency = "Bounded" if name in self._settled else "Strong"
        limit = min(limit, parameters.get("ef", limit))
        found = self._client.search(
            name,
            data=[asked],
            anns_field="vector",
            limit=limit,
            output_fields=["document"],  # or Milvus Lite returns every vector too
            timeout=SECONDS,
            consistency_level=consistency,
            **({"search_params": {"params": parameters}} if parameters else {}),
        )[0]
        self._settled.add(name)
        return [(hit["entity"]["document"], *_place(hit["id"]), float(hit["distance"])) for hit in found]

    def asked(self, leg: dict[str, Any], vector: NDArray[np.float32], form: Stored) -> tuple[Any, float, float]:
        """A query as Milvus takes it; and what its scores are multiplied by, and added to them then."""
        values, factors = form.queries(short(vector, leg))
        factor = float(factors[0])
        if self._simulates(leg) or leg["store"] == "float32":
            return values[0].tolist(), factor, 0.0
        if leg["store"] == "binary":  # Hamming distances, the smaller the nearer
            return _sent(form.packed(values)[0]), -2.0 * factor, 1.0
        return _sent(form.packed(values)[0]), factor, 0.0


def short(vectors: NDArray[np.float32], leg: dict[str, Any]) -> NDArray[np.float32]:
    """The numbers of finished vectors that are searched."""
    from .forms import cut

    return cut(vectors, leg["first"], normalise=leg["normalise"]) if leg["first"] else vectors


def packed(weights: Weights) -> bytes:
    """Weights of entries as bytes."""
    entries = np.fromiter(weights.keys(), np.int32, len(weights))
    return entries.tobytes() + np.fromiter(weights.values(), np.float32, len(weights)).tobytes()


def unpacked(content: bytes) -> Weights:
    """What `packed` wrote."""
    half = len(content) // 2
    entries, weights = np.frombuffer(content[:half], np.int32), np.frombuffer(content[half:], np.float32)
    return dict(zip(entries.tolist(), weights.tolist(), strict=True))


def _place(identifier: str) -> tuple[str, int]:
    key, _, part = identifier.rpartition("-")
    return key, int(part)


def _sent(vector: NDArray[np.generic]) -> Any:
    return vector.tobytes() if vector.dtype == np.uint8 else vector


__all__ = ["LONGEST_ID", "Collections", "Ready", "packed", "short", "unpacked"]
