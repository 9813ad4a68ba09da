"""Starts a service in a child process, and ends it with the block."""

from __future__ import annotations

import contextvars
import json
import os
import secrets
import shlex
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from knowledge.candidate import Candidate
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError, UserError
from knowledge.wording import Text, how_to, say
from tools import chunking, encoders, encoding, retrieval, stopping, workers
from tools.encoders import Resolved
from tools.encoders.openai import DEFAULT_BASE_URL
from tools.load.address import Address
from tools.service.client import Service
from tools.service.settings import Settings
from tools.workspace import Workspace

#: documents in a service's index unless more are asked for: Milvus Lite's folder is made anew each time
DOCUMENTS = 5_000
END_SECONDS = 10.0
GUARDED = say(
    "The Milvus server asks for a token, which no process with a model in it is given: "
    "Milvus Lite was searched instead."
)


@contextmanager
def serving(
    spec: str,
    documents: Sequence[str],
    workspace: Workspace,
    *,
    queries: Sequence[str] = (),
    settings: Settings | None = None,
) -> Iterator[Service]:
    """A candidate as a service, for as long as the block runs.

    Documents without a vector in the cache are encoded first. It runs on a GPU where torch sees one.

    Args:
        spec: the candidate; its models on this disk.
        documents: what it searches.
        workspace: its folders; of its Milvus the child gets the address, and no token.
        queries: some of the user's, to warm up with.
        settings: see `Settings`.

    Raises:
        SpecError: the spec cannot be read, or names an option that does not exist.
        UserError: a part of it is an endpoint, which is a target by itself.
        ConsentNeeded: a model is not on this disk yet.
        DatasetError: no documents.
        ChildLost: the process died, or ran out of memory.
        Stopped: the user wants what runs to end.
    """
    candidate = retrieval.parse([spec])[0]
    if not documents:
        raise DatasetError(
            say("There are no documents to search."), say("See “Your data” in the README for the forms that are read.")
        )
    resolved = _prepared(candidate, documents, workspace)
    settings = settings or Settings()
    uri, notes = _milvus(workspace)
    token = secrets.token_hex(16)
    payload = {
        "spec": candidate.spec,
        "resolved": {leg: of.model_dump(mode="json") for leg, of in resolved.items()},
        "documents": list(documents),
        "warm": list(queries[: settings.max_batch]) or [text[:200] for text in documents[: settings.max_batch]],
        "settings": settings.model_dump(),
        "home": str(workspace.home),
        "milvus_uri": uri,
        "token": token,
    }
    child = _Child(payload, candidate.spec, workspace, settings)
    told = child.begun()
    try:
        service = Service(candidate.spec, settings, len(documents), told, token, child.lost)
        service.notes += notes
        yield service
    finally:
        child.end(told["port"], token)


def _prepared(candidate: Candidate, documents: Sequence[str], workspace: Workspace) -> dict[str, Resolved]:
    """Its encoders, by leg spec, with the documents' vectors in the cache."""
    found: dict[str, Resolved] = {}
    for leg in candidate.legs:
        if leg.backend == "bm25":
            continue
        resolved = encoders.resolve(leg, workspace)
        if not resolved.local:
            address = Address.read(workspace.openai_base_url or DEFAULT_BASE_URL)
            raise UserError(
                say("{spec} runs at {host}, and not here.", spec=leg.spec, host=resolved.endpoint or "–"),
                say(
                    "Put the endpoint itself under load, after asking whoever runs it: advisor load --target {url} "
                    "--protocol openai --model {model} --send-to {host}",
                    url=address.url,
                    model=shlex.quote(leg.name),
                    host=address.host,
                ),
            )
        if not resolved.on_disk:
            raise ConsentNeeded(
                say("{spec} is not on this machine yet.", spec=resolved.spec),
                how_to("fetch"),
            )
        found[leg.spec] = resolved
        if not retrieval.reranks(leg):
            rules = chunking.rules_of(leg)
            texts = documents if rules is None else chunking.cut(documents, rules).texts
            encoding.ensure(resolved, {"document": list(texts)}, workspace)
    return found


def _milvus(workspace: Workspace) -> tuple[str | None, tuple[Text, ...]]:
    """The server that the child may search; a model's process gets no secret."""
    uri = workspace.milvus_uri
    if uri is not None and (workspace.milvus_token is not None or urlsplit(uri).password):
        return None, (GUARDED,)
    return uri, ()


class _Child:
    """The child process, watched by a thread."""

    def __init__(self, payload: dict[str, Any], about: str, workspace: Workspace, settings: Settings) -> None:
        self._said: SimpleQueue[dict[str, Any] | BaseException] = SimpleQueue()
        self._lost: BaseException | None = None
        self._pid = 0

        def run() -> None:
            try:
                workers.run(
                    "tools.service.child",
                    payload,
                    about=about,
                    logs=workspace.home / "logs",
                    on_message=self._said.put,
                    memory_mb=workspace.child_memory_mb,
                    threads=settings.threads,
                )
            except BaseException as error:  # noqa: BLE001 - handed to whoever asks
                self._lost = error
                self._said.put(error)

        context = contextvars.copy_context()  # the child ends when the user wants what runs to end
        self._thread = Thread(target=lambda: context.run(run), daemon=True, name="service")
        self._thread.start()

    def begun(self) -> dict[str, Any]:
        """What the child says when it is ready."""
        while True:
            with suppress(Empty):
                said = self._said.get(timeout=stopping.LOOK_EVERY)
                if isinstance(said, BaseException):
                    raise said
                self._pid = int(said["pid"])
                return said
            stopping.stop_point()

    def lost(self) -> AdvisorError | None:
        """Why the child died, if it did; waits a moment, since its pipe breaks first."""
        self._thread.join(1.0)
        return self._lost if isinstance(self._lost, AdvisorError) else None

    def end(self, port: int, token: str) -> None:
        """Tell the child to stop, and wait until it has."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), END_SECONDS) as to:
            to.sendall(f"{token}\n{json.dumps({'stop': True})}\n".encode())
            to.shutdown(socket.SHUT_WR)
            self._thread.join(END_SECONDS)
        if self._thread.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._thread.join(END_SECONDS)
