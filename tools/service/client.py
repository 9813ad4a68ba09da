"""The parent's side of a running service: a target for load, over one loopback connection for all requests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from knowledge.errors import AdvisorError
from knowledge.wording import Text, say
from tools.load.target import RequestFailed
from tools.service.child import LINE
from tools.service.settings import Settings


class Answer(BaseModel):
    """What the service found.

    Attributes:
        rows: of the best documents, best first.
        parts: milliseconds by stage.
        batch: queries that were encoded together with it, itself counted.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[int, ...]
    parts: dict[str, float]
    batch: int


class Service:
    """A running service; a `tools.load.target.Target`.

    Attributes:
        name: the candidate's spec.
        settings: as it runs now.
        pid: of its process.
        documents: that it searches.
        load_seconds: loading the models, first answer included.
        index_seconds: putting the vectors into the index.
        first_query_ms: the first query of all, before anything was warm.
        notes: what the user should know of its figures.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        documents: int,
        told: Mapping[str, Any],
        token: str,
        lost: Callable[[], AdvisorError | None],
    ) -> None:
        self.name, self.settings, self.documents = name, settings, documents
        self.pid: int = told["pid"]
        self.load_seconds: float = told["load_seconds"]
        self.index_seconds: float = told["index_seconds"]
        self.first_query_ms: float = told["first_query_ms"]
        self.notes = tuple(Text.model_validate(note) for note in told["notes"])
        self._port, self._token, self._lost = told["port"], token, lost
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._to: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting: asyncio.Lock | None = None

    async def ask(self, text: str) -> Mapping[str, float]:
        """Milliseconds of each stage; see `Target`."""
        return (await self.answer(text)).parts

    async def answer(self, text: str) -> Answer:
        """One query's answer. What it took beyond the service's own stages is the transport.

        Raises:
            RequestFailed: the service refused it, or failed.
            AdvisorError: the service is gone.
        """
        begun = time.perf_counter()
        to = await self._connected()
        number = next(self._numbers)
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            to.write(json.dumps({"id": number, "text": text}).encode() + b"\n")
            found = await answered
        except ConnectionError as error:
            raise self._gone() from error
        finally:
            self._waiting.pop(number, None)
        if "failed" in found:
            raise RequestFailed(
                found["failed"],
                say("{name} did not answer: {why}.", name=self.name, why=found.get("why") or found["failed"]),
                say("Send fewer queries at a time, or look at the log of the service."),
            )
        transport = (time.perf_counter() - begun) * 1000 - found["ms"]
        return Answer(
            rows=found["rows"], parts={"transport": max(transport, 0.0), **found["parts"]}, batch=found["batch"]
        )

    async def change(self, settings: Settings) -> None:
        """Serve with another `max_batch` or `max_wait_ms` from now on; the other settings need a new process."""
        assert settings.threads == self.settings.threads
        assert settings.searches == self.settings.searches
        to = await self._connected()
        changed = settings.model_dump(include={"max_batch", "max_wait_ms"})
        to.write(json.dumps({"set": changed}).encode() + b"\n")
        self.settings = settings

    async def close(self) -> None:
        """Hang up; the service itself runs on until its block ends."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._to is not None:
            self._to.close()
            with contextlib.suppress(ConnectionError):
                await self._to.wait_closed()
        self._to = self._reading = self._connecting = None

    async def _connected(self) -> asyncio.StreamWriter:
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if self._to is None or self._to.is_closing():
                try:
                    lines, self._to = await asyncio.open_connection("127.0.0.1", self._port, limit=LINE)
                except OSError as error:
                    raise self._gone() from error
                self._to.write(self._token.encode() + b"\n")
                self._reading = asyncio.create_task(self._read(lines))
            return self._to

    async def _read(self, lines: asyncio.StreamReader) -> None:
        try:
            while line := await lines.readline():
                message = json.loads(line)
                answered = self._waiting.get(message["id"])
                if answered is not None and not answered.done():
                    answered.set_result(message)
        except (ConnectionError, ValueError):
            pass
        if self._to is not None:
            self._to.close()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError())

    def _gone(self) -> AdvisorError:
        """Why the service is there no more."""
        return self._lost() or RequestFailed(
            "gone",
            say("The service of {name} is gone.", name=self.name),
            say("Run the same command again; the logs are in the folder of the settings."),
        )
