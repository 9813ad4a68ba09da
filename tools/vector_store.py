"""Milvus: vectors in, ranked row numbers out. The only module that knows pymilvus.

Without a server this is Milvus Lite in a temporary folder: one process may open such a folder, so each store has its
own, and since the vectors are in the vector cache nothing is lost when it is thrown away.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from knowledge.errors import ProviderError, ResourceError
from knowledge.wording import say
from tools.encoders.base import Vectors
from tools.workspace import Workspace

#: collections are named with this prefix, and only such are ever dropped
PREFIX = "embedding_advisor_"
INSERT_ROWS = 2_000
SEARCH_QUERIES = 100
CONNECT_SECONDS = 10.0
CALL_SECONDS = 60.0


class VectorStore:
    """An open connection; leaves nothing behind when it is closed."""

    def __init__(self, workspace: Workspace) -> None:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        self._folder: Path | None = None
        self._token = workspace.milvus_token.get_secret_value() if workspace.milvus_token else ""
        uri = workspace.milvus_uri
        if uri is None:
            try:
                self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            except OSError as error:
                raise ResourceError(
                    say("No temporary folder can be made for Milvus Lite: {why}.", why=str(error)),
                    say("Free some disk space, or set TMPDIR to a disk with room."),
                ) from error
            uri = str(self._folder / "milvus.db")
        try:
            self._client: Any = MilvusClient(uri=uri, token=self._token, timeout=CONNECT_SECONDS)
        except (MilvusException, OSError, ValueError) as error:
            self._clean()
            raise ProviderError(
                say("Milvus at {uri} cannot be opened: {why}.", uri=uri, why=str(error).splitlines()[0][:200]),
                say("Check MILVUS_URI and that the server runs, or unset it to use Milvus Lite."),
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._clean()

    def _clean(self) -> None:
        if self._folder is None:
            return
        with contextlib.suppress(ImportError):
            from milvus_lite.server_manager import server_manager_instance

            # close() alone keeps Milvus Lite's server thread and its lock
            server_manager_instance.release_server(str(self._folder / "milvus.db"))
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def collection(self, vectors: Vectors) -> Iterator[Collection]:
        """The vectors, searchable by exact inner product, for as long as the block runs.

        On vectors of unit length that is the cosine. The index is FLAT: a candidate is judged by its encoder, not by
        what an approximate index loses.
        """
        from pymilvus import DataType

        name = PREFIX + uuid.uuid4().hex
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=int(vectors.shape[1]))
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        with _as_provider_error():
            self._client.create_collection(
                name, schema=schema, index_params=index, consistency_level="Strong", timeout=CALL_SECONDS
            )
            try:
                for start in range(0, len(vectors), INSERT_ROWS):
                    part = vectors[start : start + INSERT_ROWS]
                    rows = [{"row": start + i, "vector": v} for i, v in enumerate(part)]
                    self._client.insert(name, rows, timeout=CALL_SECONDS)
                self._client.load_collection(name, timeout=CALL_SECONDS)
                yield Collection(self._client, name, len(vectors))
            finally:
                self._client.drop_collection(name, timeout=CALL_SECONDS)


class Collection:
    """Indexed vectors."""

    def __init__(self, client: Any, name: str, size: int) -> None:
        self._client, self._name, self._size = client, name, size

    def search(self, queries: Vectors, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows and scores of the k best for each query: two arrays of shape (queries, at most k), best first.

        Where Milvus finds fewer than for other queries, rows of -1 follow.

        Queries go in batches: Milvus Lite has a floor of tens of milliseconds a call, which says nothing about a model.
        """
        k = min(k, self._size)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.zeros((len(queries), k))
        for start in range(0, len(queries), SEARCH_QUERIES):
            batch = [vector.tolist() for vector in queries[start : start + SEARCH_QUERIES]]
            # without output_fields Milvus Lite returns every vector too
            found = self._client.search(self._name, data=batch, limit=k, output_fields=["row"], timeout=CALL_SECONDS)
            for q, hits in enumerate(found, start):
                rows[q, : len(hits)] = [hit["row"] for hit in hits]
                scores[q, : len(hits)] = [hit["distance"] for hit in hits]
        return rows, scores


@contextlib.contextmanager
def _as_provider_error() -> Iterator[None]:
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise ProviderError(
            say("Milvus failed: {why}.", why=str(error).splitlines()[0][:300]),
            say("Run the same command again: the vectors are kept, nothing is encoded twice."),
        ) from error
