"""The service's side: a child process that answers on a loopback port, one JSON object a line.

The first line of a connection is the token that only the parent knows. Then come ``{"id": 1, "text": ...}``, answered
by ``{"id": 1, "rows": [...], "parts": {stage: ms}, "ms": ...}`` or ``{"id": 1, "failed": kind}`` as they are ready;
``{"set": {...}}`` changes settings that need no restart; ``{"stop": true}`` ends the service.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError
from tools.encoders import Resolved
from tools.service.batching import Full, Waiting
from tools.service.pipeline import Encoded, Pipeline
from tools.service.settings import Settings
from tools.speed import peak_memory_mb
from tools.workspace import Workspace

#: longest line that is read: texts may be long
LINE = 32 * 2**20
WARM_UP = 3


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Load, index, warm up, serve until told to stop."""
    workspace = Workspace(home=Path(payload["home"]), milvus_uri=payload["milvus_uri"])
    resolved = {spec: Resolved.model_validate(of) for spec, of in payload["resolved"].items()}
    settings = Settings.model_validate(payload["settings"])
    with ExitStack() as until:
        candidate = parse_candidate(payload["spec"])
        pipeline = Pipeline(candidate, resolved, payload["documents"], workspace, until, lite=settings.lite)
        begun = time.perf_counter()
        pipeline.find(pipeline.encode(payload["warm"][:1]))
        first = (time.perf_counter() - begun) * 1000
        for _ in range(WARM_UP):
            pipeline.find(pipeline.encode(payload["warm"][: settings.max_batch]))
        facts = {
            "pid": os.getpid(),
            "load_seconds": round(pipeline.load_seconds, 3),
            "index_seconds": round(pipeline.index_seconds, 3),
            "first_query_ms": round(first, 2),
            "notes": [note.model_dump(mode="json") for note in pipeline.notes],
        }
        server = _Server(pipeline, settings, payload["token"])
        asyncio.run(server.serve(lambda port: tell({"port": port, **facts})))
    return {"peak_memory_mb": round(peak_memory_mb(), 1)}


@dataclass
class _Asked:
    """A query and where its answer goes."""

    number: int
    text: str
    to: asyncio.StreamWriter


class _Server:
    """Reads queries, forms batches, writes answers."""

    def __init__(self, pipeline: Pipeline, settings: Settings, token: str) -> None:
        self._pipeline, self._token = pipeline, token
        self._waiting: Waiting[_Asked] = Waiting(settings)
        self._stop = asyncio.Event()
        # one batch is encoded at a time, by as many threads as the libraries have
        self._encoding = ThreadPoolExecutor(1, "encode")
        self._searching = ThreadPoolExecutor(settings.searches, "search")
        self._finding: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(settings.searches)

    async def serve(self, listening: Callable[[int], None]) -> None:
        """Answer until told to stop."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, limit=LINE)
        batches = asyncio.create_task(self._batches())
        stop = asyncio.create_task(self._stop.wait())
        try:
            listening(server.sockets[0].getsockname()[1])
            done, _ = await asyncio.wait({batches, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (batches, stop, *self._finding):
                task.cancel()
            server.close()
            self._encoding.shutdown(cancel_futures=True)
            self._searching.shutdown(cancel_futures=True)

    async def _connection(self, lines: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        try:
            given = (await lines.readline()).strip()
            if not hmac.compare_digest(given, self._token.encode()):
                return
            while line := await lines.readline():
                self._read(json.loads(line), to)
        except (ConnectionError, ValueError):
            pass  # whoever asked is gone
        finally:
            to.close()

    def _read(self, message: dict[str, Any], to: asyncio.StreamWriter) -> None:
        if "text" in message:
            try:
                self._waiting.put(_Asked(message["id"], message["text"], to))
            except Full:
                _answer(to, {"id": message["id"], "failed": "overrun"})
        elif "set" in message:
            settings = self._waiting.settings.model_copy(update=message["set"])
            self._waiting.settings = Settings.model_validate(settings.model_dump())
        elif "stop" in message:
            self._stop.set()

    async def _batches(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = await self._waiting.batch()
            begun = time.perf_counter()
            try:
                encoded = await loop.run_in_executor(
                    self._encoding, self._pipeline.encode, [asked.text for _, asked in batch]
                )
            except Exception as error:  # noqa: BLE001 - told to whoever asked, and the service goes on
                _failed(batch, error)
                continue
            await self._room.acquire()  # what is encoded does not pile up in front of a slow search
            task = asyncio.create_task(self._find(batch, encoded, begun))
            self._finding.add(task)
            task.add_done_callback(self._finding.discard)

    async def _find(self, batch: list[tuple[float, _Asked]], encoded: Encoded, begun: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._searching, self._pipeline.find, encoded)
        except Exception as error:  # noqa: BLE001 - likewise
            _failed(batch, error)
            return
        finally:
            self._room.release()
        done = time.perf_counter()
        stages = encoded.stages.ms
        for (came, asked), rows in zip(batch, found.rows.tolist(), strict=True):
            parts = {"queue": (begun - came) * 1000, **stages}
            answer = {"rows": [row for row in rows if row >= 0], "parts": parts, "ms": (done - came) * 1000}
            _answer(asked.to, {"id": asked.number, "batch": len(batch), **answer})


def _failed(batch: list[tuple[float, _Asked]], error: Exception) -> None:
    """One query's fault fails those that were encoded with it, and no other."""
    if not isinstance(error, AdvisorError):
        traceback.print_exception(error)  # to the log
    for _, asked in batch:
        _answer(asked.to, {"id": asked.number, "failed": type(error).__name__, "why": str(error)[:300]})


def _answer(to: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    if not to.is_closing():
        to.write(json.dumps(message).encode() + b"\n")
