"""Searches a second against recall: Milvus's indexes over the user's vectors, their parameters swept."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from knowledge.candidate import Leg
from knowledge.dataset import Dataset
from knowledge.errors import ConsentNeeded, ResourceError, SpecError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results.index_load import IndexLoad, IndexPoint
from knowledge.wording import Text, how_to, say
from tools import encoders, encoding, retrieval
from tools.encoders import Resolved, Vectors
from tools.evaluate.index_gap import recall
from tools.hardware import this_machine
from tools.load.texts import texts_of
from tools.milvus_collection import Collection as MilvusCollection
from tools.retrieval import Rankings
from tools.run_store import keep_run, new_run_id
from tools.setups import Index, K, setup_of
from tools.stopping import stop_point
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: seconds each point is asked, clients at a time, queries at most
SECONDS, CONCURRENCY, QUERIES = 1.0, (1, 4, 16), 200
#: of each index: how it is built (None: compared one by one), and the search parameter that is swept
SWEPT: Mapping[str, tuple[dict[str, str], str, tuple[int, ...]]] = {
    "flat": ({}, "", ()),
    "hnsw": ({"m": "16", "ef_construction": "200"}, "ef", (16, 64, 256)),
    "ivf_flat": ({}, "nprobe", (1, 8, 32)),
    "ivf_sq8": ({}, "nprobe", (1, 8, 32)),
}
BLOCK = 8192
#: vectors among which distances are looked at, to move copies by as much
SAMPLE = 1000


@dataclass(frozen=True)
class Enlarged:
    """The user's vectors, repeated up to a size; each repetition moved by about the distance to the nearest neighbour.

    So copies lie as far from one another as real documents do, and finding neighbours is no easier than among these.
    """

    real: Vectors
    size: int
    by: float
    unit: bool

    @classmethod
    def of(cls, real: Vectors, size: int, *, unit: bool) -> Enlarged:
        """With the move found from a sample of the vectors."""
        some = real[np.random.default_rng(0).permutation(len(real))[:SAMPLE]]
        squares = (some**2).sum(axis=1)
        apart = squares[:, None] + squares[None] - 2 * some @ some.T
        np.fill_diagonal(apart, np.inf)
        nearest = np.sqrt(np.maximum(apart.min(axis=1), 0.0))
        finite = nearest[np.isfinite(nearest)]
        return cls(real, size, float(np.median(finite)) if len(finite) else 0.0, unit)

    def parts(self) -> Iterator[Vectors]:
        """Block by block, the same at each call; the real ones first."""
        for start in range(0, self.size, BLOCK):
            rows = np.arange(start, min(start + BLOCK, self.size))
            part = self.real[rows % len(self.real)].copy()
            copies = rows >= len(self.real)
            if copies.any():
                moved = np.random.default_rng(start + 1).standard_normal((int(copies.sum()), part.shape[1]))
                part[copies] += (self.by / np.sqrt(part.shape[1]) * moved).astype(np.float32)
                if self.unit:
                    part[copies] = encoders.cut(part[copies], None)
            yield part


def index_load(
    leg: Leg,
    dataset: Dataset,
    workspace: Workspace,
    *,
    vectors: int | None = None,
    kinds: Sequence[str] = tuple(SWEPT),
    concurrency: Sequence[int] = CONCURRENCY,
    seconds: float = SECONDS,
    send_to: Collection[str] = (),
    on_progress: OnProgress = ignore,
) -> IndexLoad:
    """Sweep indexes and their parameters in the Milvus in use (Lite, or the server of ``MILVUS_URI``).

    Args:
        leg: an encoder with one vector a text; of its set-up only the dimension counts.
        dataset: whose documents are searched by its queries.
        workspace: folders, and the server.
        vectors: so many are searched: of more than there are documents, the rest are these, moved a little.
        kinds: of `SWEPT`.
        concurrency: clients at a time.
        seconds: each point is asked.
        send_to: hosts that may get the texts.
        on_progress: told after each point.

    Ctrl-C ends it with the points that were measured until then, as an `ended` sweep.

    Raises:
        KeyboardInterrupt: before the first point was measured.
        SpecError: the candidate is no encoder of one vector a text.
        ConsentNeeded: its model is not on this disk, or at a host that nobody agreed to.
        ResourceError: more vectors than Milvus Lite holds.
        ProviderError: Milvus failed.
    """
    started = dt.datetime.now(dt.UTC)
    documents, asked, unit = _vectors(leg, dataset, workspace, send_to)
    size = vectors or len(documents)
    enlarged = Enlarged.of(documents[:size], size, unit=unit)
    exact = retrieval.exact(enlarged.parts(), asked, K)
    points: list[IndexPoint] = []
    configurations = sum(max(1, len(SWEPT[kind][2])) for kind in kinds)
    meter = Meter("load", say("Indexes"), configurations * len(concurrency), on_progress)
    with VectorStore(workspace) as store:
        if not store.holds(size, documents.shape[1]):
            raise ResourceError(
                say(
                    "{rows} vectors of {dimension} numbers are more than Milvus Lite holds.",
                    rows=size,
                    dimension=documents.shape[1],
                ),
                say("Set MILVUS_URI to a Milvus server, or ask for fewer with --vectors."),
            )
        lite, ended = store.is_lite, False
        try:
            for kind in kinds:
                for point in _swept(store, kind, leg, enlarged, asked, exact, concurrency, seconds):
                    points.append(point)
                    meter.advance()
        except KeyboardInterrupt:
            if not points:
                raise
            ended = True
    result = IndexLoad(
        run_id=new_run_id("index", started),
        started=started,
        machine=this_machine(),
        spec=leg.spec,
        vectors=size,
        real=min(size, len(documents)),
        dimension=int(documents.shape[1]),
        queries=len(asked),
        k=K,
        seconds=seconds,
        data=dataset.summary.hash,
        lite=lite,
        points=tuple(points),
        ended=ended,
        notes=tuple(_notes(lite, size, len(documents), ended=ended)),
    )
    keep_run(workspace.store, "index", result.run_id, result)
    return result


def _swept(
    store: VectorStore,
    kind: str,
    leg: Leg,
    enlarged: Enlarged,
    asked: Vectors,
    exact: Rankings,
    concurrency: Sequence[int],
    seconds: float,
) -> Iterator[IndexPoint]:
    """The points of one kind of index, as they are measured."""
    build, name, values = SWEPT[kind]
    index = None if kind == "flat" else _index(leg, kind, build)
    begun = time.perf_counter()
    with store.streamed(enlarged.parts(), enlarged.size, asked.shape[1], index=index) as collection:
        filled = time.perf_counter() - begun
        for value in values or (0,):
            searched = collection.searching(**({name: value} if name else {}))
            found = Rankings(*searched.search(asked, K))
            searched = searched.settled(asked[:1])
            share = recall(found, exact)
            fixed = index.for_documents(enlarged.size) if index else {}
            told = {**fixed, **({name: value} if name else {})}
            for clients in concurrency:
                stop_point()
                took, wall = closed_loop(searched, asked, clients, seconds)
                yield IndexPoint.model_validate(
                    {
                        "kind": kind,
                        "parameters": told,
                        "recall": round(share, 4),
                        "index_seconds": round(filled, 2),
                        "concurrency": clients,
                        "qps": round(len(took) / wall, 1),
                        **_percentiles(took),
                    }
                )


def encoder_of(leg: Leg, workspace: Workspace) -> Resolved:
    """The encoder of a candidate whose vectors an index can hold; it is not contacted.

    Raises:
        SpecError: it is no encoder of one vector a text.
    """
    if leg.backend == "bm25" or encoders.backend(leg.backend).FORM != "dense":
        raise SpecError(
            say("{spec} does not make one vector of a text, so no index of vectors holds it.", spec=leg.spec),
            say("Name an encoder, such as st:intfloat/multilingual-e5-small?dim=256."),
        )
    return encoders.resolve(leg, workspace)


def _vectors(
    leg: Leg, dataset: Dataset, workspace: Workspace, send_to: Collection[str]
) -> tuple[Vectors, Vectors, bool]:
    """Finished vectors of documents and queries, and whether they are of unit length."""
    resolved = encoder_of(leg, workspace)
    if resolved.endpoint and resolved.endpoint not in send_to:
        raise ConsentNeeded(
            say("{spec} would send your texts to {host}.", spec=resolved.spec, host=resolved.endpoint),
            how_to("send_to", host=resolved.endpoint),
        )
    if not resolved.on_disk:
        raise ConsentNeeded(
            say("{spec} is not on this machine yet.", spec=resolved.spec),
            how_to("fetch"),
        )
    texts, queries = list(dataset.documents.values()), texts_of(dataset).texts[:QUERIES]
    encoding.ensure(resolved, {"document": texts, "query": queries}, workspace)
    documents = encoders.finish(encoding.vectors(resolved, texts, "document", workspace), leg, resolved)
    asked = encoders.finish(encoding.vectors(resolved, queries, "query", workspace), leg, resolved)
    return documents, asked, resolved.normalise


def _index(leg: Leg, kind: str, build: Mapping[str, str]) -> Index:
    bare = leg.model_copy(update={"options": {"index": kind, **build}})
    index = setup_of(bare).index
    assert index
    return index


def closed_loop(
    collection: MilvusCollection,
    queries: Vectors,
    clients: int,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[list[float], float]:
    """So many clients, each asking one query after another: milliseconds of each search, and the seconds in all."""
    numbers = itertools.count()
    begun = clock()

    def client(_: int) -> list[float]:
        took = []
        while (before := clock()) - begun < seconds:
            row = next(numbers) % len(queries)
            collection.search(queries[row : row + 1], K)
            took.append((clock() - before) * 1000)
        return took

    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(client, range(clients)))
    return [ms for took in each for ms in took], max(clock() - begun, 1e-9)


def _percentiles(took: Sequence[float]) -> dict[str, float]:
    values = np.percentile(took, (50, 95, 99)) if took else (0.0, 0.0, 0.0)
    return {name: round(float(v), 3) for name, v in zip(("p50_ms", "p95_ms", "p99_ms"), values, strict=True)}


def _notes(lite: bool, size: int, real: int, *, ended: bool) -> Iterator[Text]:
    if ended:
        yield say("The search ended early: {why}.", why=say("you ended it"))
    if lite:
        yield say(
            "This is Milvus Lite: its rates are those of Python, not of its indexes, and say nothing of a server's. "
            "Recall is the index's own. Set MILVUS_URI to measure a server."
        )
    if size > real:
        yield say(
            "{copies:,} of {size:,} vectors are copies of yours, moved by as much as neighbours are apart: recall on "
            "them is an estimate of what it will be on as many real ones.",
            copies=size - real,
            size=size,
        )
    yield say("The clients are threads of one Python process: of fast searches they are what limits.")
