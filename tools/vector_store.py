"""Milvus: vectors in, ranked row numbers out. The only module that knows pymilvus.

Without a server this is Milvus Lite in a temporary folder: one process may open such a folder, so each store has its
own, and since the vectors are in the vector cache nothing is lost when it is thrown away. Nothing of it is ever opened
again: what a killed process leaves (index files that no longer load among it) is removed by the next one.
"""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from knowledge.errors import ProviderError, ResourceError
from knowledge.wording import say
from tools.encoders.base import Vectors
from tools.milvus_collection import CALL_SECONDS, SPARSE, Collection, Form, Weights, sent
from tools.pipeline.forms import Stored
from tools.setups import Index, Store
from tools.workspace import Workspace

#: collections are named with this prefix, and only such are ever dropped
PREFIX = "embedding_advisor_"
INSERT_ROWS = 2_000
CONNECT_SECONDS = 10.0
#: building an index over many vectors takes its time
INDEX_SECONDS = 3_600.0
#: Milvus Lite fails to load what was flushed a moment ago
LOAD_ATTEMPTS, LOAD_PAUSE = 5, 0.1
#: a collection of ours that is older belongs to nobody any more
STALE_SECONDS = 86_400
#: Milvus Lite 3.2.2 keeps all in memory, several times over: 1.9 GB at its peak for 100,000 vectors of 384 numbers
#: (147 MB; measured 2026-11-22). More bytes of vectors than this are not given to it.
LITE_BYTES = 64 * 2**20
#: and writes them to disk about twice (the same vectors: 310 MB)
LITE_DISK = 3
#: held by the process that a folder belongs to
OWNER = "owner.lock"
#: a folder without an owner that is older belongs to nobody any more
UNOWNED_SECONDS = 60.0


def _without_password(uri: str) -> str:
    """The address as it may be shown."""
    user, at, host = uri.rpartition("@")
    return f"{user.partition('://')[0]}://{host}" if at and "://" in user else uri


def _remove(folder: Path) -> None:
    """Remove a folder, the owner's mark last: what a kill leaves of it is known by that."""
    with contextlib.suppress(OSError):
        for part in folder.iterdir():
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            elif part.name != OWNER:
                part.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


class VectorStore:
    """An open connection; leaves nothing behind when it is closed."""

    def __init__(self, workspace: Workspace) -> None:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        self._folder: Path | None = None
        self._owner: FileLock | None = None
        self._native: dict[Store, bool] = {}
        self._token = workspace.milvus_token.get_secret_value() if workspace.milvus_token else ""
        uri = workspace.milvus_uri
        if uri is None:
            uri = str(self._own_folder() / "milvus.db")
        shown = _without_password(uri)
        try:
            # Milvus Lite takes pings for an attack, and after a minute of silence says so on the terminal
            quiet: dict[str, int] = {"grpc.keepalive_time_ms": 2**31 - 1} if self._folder else {}
            self._client: Any = MilvusClient(uri=uri, token=self._token, timeout=CONNECT_SECONDS, grpc_options=quiet)
            self._remove_stale()
            self._probe(shown)
        except (MilvusException, OSError, ValueError) as error:
            self._clean()
            raise ProviderError(
                say("Milvus at {uri} cannot be opened: {why}.", uri=shown, why=_first_line(error).replace(uri, shown)),
                say("Check MILVUS_URI and that the server runs, or unset it to use Milvus Lite."),
            ) from error
        except BaseException:
            self._clean()
            raise

    def _own_folder(self) -> Path:
        """A new temporary folder, held by this process; those of processes that were killed are removed."""
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(Timeout, OSError):
                if not (left / OWNER).exists():  # being made or removed just now, or at a kill
                    if time.time() - left.stat().st_mtime > UNOWNED_SECONDS:
                        shutil.rmtree(left, ignore_errors=True)
                    continue
                with FileLock(left / OWNER, blocking=False):
                    _remove(left)
        try:
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._owner = FileLock(self._folder / OWNER)
            self._owner.acquire()
        except OSError as error:
            self._clean()
            raise ResourceError(
                say("No temporary folder can be made for Milvus Lite: {why}.", why=str(error)),
                say("Free some disk space, or set TMPDIR to a disk with room."),
            ) from error
        return self._folder

    def _remove_stale(self) -> None:
        """Drop collections of ours that a killed process left on a server more than a day ago."""
        if self._folder is not None:
            return
        for name in self._client.list_collections(timeout=CALL_SECONDS):
            made = re.match(rf"{PREFIX}(\d+)_", name)
            if made and time.time() - int(made[1]) > STALE_SECONDS:
                self._client.drop_collection(name, timeout=CALL_SECONDS)

    def _probe(self, uri: str) -> None:
        """Ask for what is known: versions of Milvus Lite have returned 1 - cosine, and ignored the metric asked for."""
        known = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0], [-1, 0, 0, 0], [2, 0, 0, 0]], np.float32)
        with self.collection(known) as collection:
            rows, scores = collection.search(known[:1], len(known))
        if rows.tolist() != [[3, 0, 1, 2]] or not np.allclose(scores, [[2, 1, 0.6, -1]], atol=1e-3):
            raise ProviderError(
                say("Milvus at {uri} does not rank by inner product: its figures would be wrong.", uri=uri),
                say("Use another version of Milvus or of the milvus-lite package."),
            )

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
        _remove(self._folder)
        if self._owner:
            self._owner.release()

    def holds(self, rows: int, dimension: int) -> bool:
        """Whether so many vectors can be given to it: any number to a server, but to Milvus Lite only few."""
        return self._folder is None or rows * dimension * 4 <= LITE_BYTES

    @property
    def is_lite(self) -> bool:
        """Whether this is Milvus Lite: it keeps float32 vectors only, and its latencies are no server's."""
        return self._folder is not None

    def native(self, store: Store) -> bool:
        """Whether vectors can be kept here in this form and every one compared; found out by trying, once."""
        if store == "float32" or self.is_lite:
            return store == "float32"
        if store not in self._native:
            form = Stored.fit(store, [np.eye(8, dtype=np.float32)])
            packed = form.packed(form.documents(np.eye(8, dtype=np.float32)[:2]))
            log = logging.getLogger("pymilvus")
            level = log.level
            log.setLevel(logging.CRITICAL)  # what a server lacks is no error to be told of
            try:
                with self.streamed([packed], len(packed), 8, store=store) as collection:
                    self._native[store] = collection.search(packed[1:], 2)[0].tolist() == [[1, 0]]
            except ProviderError:
                self._native[store] = False
            finally:
                log.setLevel(level)
        return self._native[store]

    def collection(self, vectors: Vectors) -> contextlib.AbstractContextManager[Collection]:
        """`streamed`, for vectors that are all at hand."""
        return self.streamed([vectors], len(vectors), int(vectors.shape[1]))

    @contextlib.contextmanager
    def streamed(
        self,
        parts: Iterable[NDArray[np.generic]],
        size: int,
        dimension: int,
        *,
        store: Store = "float32",
        index: Index | None = None,
    ) -> Iterator[Collection]:
        """Vectors, searchable for as long as the block runs.

        By exact inner product, unless an index is asked for: a candidate is judged by its encoder, not by what an
        approximate index loses. On vectors of unit length that is the cosine. Bits are compared by Hamming distance.

        Args:
            parts: the vectors, part by part; row numbers count through.
            size: how many there are in all.
            dimension: of each; of bits a multiple of eight.
            store: their form: float32, float16, int8, or bits in bytes; `native` says which there are.
            index: an approximate index over float32 vectors, built when all of them are there.

        Raises:
            ProviderError: Milvus failed, or made another index than it was asked for.
            ResourceError: Milvus Lite's disk has too little room.
        """
        from pymilvus import DataType

        self._check_room(size * dimension * 4)
        name = f"{PREFIX}{time.time():.0f}_{uuid.uuid4().hex}"
        form = Form.of(store, index, size)
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType[form.kind], dim=dimension)
        with _as_provider_error():
            self._client.create_collection(name, schema=schema, consistency_level="Strong", timeout=CALL_SECONDS)
            try:
                if index is None:
                    # not waited for: pymilvus would sleep half a second over an index of no rows
                    self._client.create_index(name, self._index(form), timeout=CALL_SECONDS, sync=False)
                    self._check_index(name, form)
                done = self._insert(name, parts)
                if index is not None:
                    self._build(name, form, done)
                self._load(name)
                yield Collection(self._client, name, form, done, bits=dimension if store == "binary" else None)
            finally:
                self._client.drop_collection(name, timeout=CALL_SECONDS)

    @contextlib.contextmanager
    def sparse(self, parts: Iterable[Sequence[Weights]], size: int) -> Iterator[Collection]:
        """Weights of vocabulary entries, searchable by exact inner product for as long as the block runs.

        A text without weights is not put in: no query finds it. Row numbers count it all the same.

        Args:
            parts: the weights, part by part; row numbers count through.
            size: bytes of them all.

        Raises:
            ProviderError, ResourceError: as `streamed`.
        """
        from pymilvus import DataType

        self._check_room(size)
        name = f"{PREFIX}{time.time():.0f}_{uuid.uuid4().hex}"
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType[SPARSE.kind])
        with _as_provider_error():
            self._client.create_collection(name, schema=schema, consistency_level="Strong", timeout=CALL_SECONDS)
            try:
                self._client.create_index(name, self._index(SPARSE), timeout=CALL_SECONDS, sync=False)
                self._check_index(name, SPARSE)
                done = 0
                for part in parts:
                    rows = [{"row": done + i, "vector": weights} for i, weights in enumerate(part) if weights]
                    for start in range(0, len(rows), INSERT_ROWS):
                        self._client.insert(name, rows[start : start + INSERT_ROWS], timeout=CALL_SECONDS)
                    done += len(part)
                self._load(name)
                yield Collection(self._client, name, SPARSE, done)
            finally:
                self._client.drop_collection(name, timeout=CALL_SECONDS)

    def _insert(self, name: str, parts: Iterable[NDArray[np.generic]]) -> int:
        """Put all vectors in; how many they were."""
        done = 0
        for part in parts:
            for start in range(0, len(part), INSERT_ROWS):
                some = part[start : start + INSERT_ROWS]
                rows = [{"row": done + i, "vector": v} for i, v in enumerate(map(sent, some))]
                self._client.insert(name, rows, timeout=CALL_SECONDS)
                done += len(rows)
        return done

    def _index(self, form: Form) -> Any:
        found = self._client.prepare_index_params()
        found.add_index("vector", **form.parameters)
        return found

    def _build(self, name: str, form: Form, rows: int) -> None:
        """Build an approximate index over what was put in.

        Only now, and only over what was flushed: Milvus Lite 3.2.2 calls an index finished that was made before the
        rows came, or over rows not yet on disk, and compares every vector (recall 1.0 whatever the parameters;
        2026-11-28).
        """
        self._client.flush(name, timeout=INDEX_SECONDS)
        self._client.create_index(name, self._index(form), timeout=INDEX_SECONDS)
        done = self._check_index(name, form).get("indexed_rows", rows)
        if done < rows:
            raise ProviderError(
                say("Milvus indexed {done} of {rows} vectors, and compares the rest.", done=done, rows=rows),
                say("Try again, or look at the server's log."),
            )

    def _load(self, name: str) -> None:
        from pymilvus.exceptions import MilvusException

        for attempt in range(LOAD_ATTEMPTS):
            try:
                self._client.load_collection(name, timeout=CALL_SECONDS)
                return
            except MilvusException:
                if attempt + 1 == LOAD_ATTEMPTS or not self.is_lite:
                    raise
                time.sleep(LOAD_PAUSE)

    def _check_room(self, size: int) -> None:
        if self._folder is None:
            return
        free = shutil.disk_usage(self._folder).free
        if free < LITE_DISK * size:
            raise ResourceError(
                say(
                    "Milvus Lite needs about {need} MB in {folder}, where {free} MB are free.",
                    need=LITE_DISK * size // 2**20 + 1,
                    folder=str(self._folder.parent),
                    free=free // 2**20,
                ),
                say("Free some disk space, or set TMPDIR to a disk with room."),
            )

    def _check_index(self, name: str, form: Form) -> dict[str, Any]:
        """Milvus Lite takes names of indexes that it does not have, and builds something else."""
        made: dict[str, Any] = self._client.describe_index(name, "vector", timeout=CALL_SECONDS) or {}
        if not form.is_made(made):
            raise ProviderError(
                say("Milvus made the index {made} where {asked} was asked for.", made=str(made), asked=str(form)),
                say("Use another version of Milvus or of the milvus-lite package."),
            )
        return made


@contextlib.contextmanager
def client_of(uri: str, token: str = "") -> Iterator[Any]:
    """A client of somebody's Milvus, or of a file of Milvus Lite, for as long as the block runs: to read from.

    Raises:
        ProviderError: it cannot be opened, or fails within the block.
    """
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    shown = _without_password(uri)
    lite = None if "://" in uri else str(Path(uri).expanduser())
    if lite is not None and not Path(lite).exists():  # Milvus Lite would make an empty one
        raise ProviderError(
            say("There is no Milvus at {uri}.", uri=shown), say("Name a server (http://HOST:19530), or a file of it.")
        )
    quiet: dict[str, int] = {"grpc.keepalive_time_ms": 2**31 - 1} if lite else {}
    try:
        client: Any = MilvusClient(uri=lite or uri, token=token, timeout=CONNECT_SECONDS, grpc_options=quiet)
    except (MilvusException, OSError, ValueError) as error:
        raise ProviderError(
            say("Milvus at {uri} cannot be opened: {why}.", uri=shown, why=_first_line(error).replace(uri, shown)),
            say("Check the address, and that the server runs.")
            if lite is None
            else say("One process at a time opens a file of Milvus Lite: stop the one that has it (pipeline.serve?)."),
        ) from error
    try:
        with _as_provider_error():
            yield client
    finally:
        client.close()
        if lite is not None:
            with contextlib.suppress(ImportError):
                from milvus_lite.server_manager import server_manager_instance

                server_manager_instance.release_server(lite)


@contextlib.contextmanager
def _as_provider_error() -> Iterator[None]:
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise ProviderError(
            say("Milvus failed: {why}.", why=_first_line(error)),
            say("Try again: the vectors are kept, nothing is encoded twice."),
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
