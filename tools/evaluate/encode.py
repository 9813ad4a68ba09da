"""Every encoder reads all documents and queries once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import Thread

from knowledge.candidate import Candidate
from knowledge.errors import AdvisorError
from knowledge.progress import Meter, OnProgress, Progress
from knowledge.wording import say
from tools.encoders import Kind, Resolved
from tools.encoding import ensure
from tools.evaluate.session import Session


def encode(
    candidates: Sequence[Candidate],
    session: Session,
    failures: dict[Candidate, AdvisorError],
    on_progress: OnProgress,
) -> None:
    """Encode everything for everyone; each distinct encoder reads all documents (or chunks) and queries once.

    An encoder that fails fails the candidates that use it, and no others.
    """
    users: dict[str, list[Candidate]] = {}
    encoders_: dict[str, Resolved] = {}
    documents: dict[str, dict[str, None]] = {}
    for candidate in candidates:
        for leg in candidate.searched:
            if leg in session.resolved:
                found = session.resolved[leg]
                encoders_[found.identity] = found
                users.setdefault(found.identity, []).append(candidate)
                documents.setdefault(found.identity, {}).update(dict.fromkeys(session.documents(leg)))
    queries = session.texts("query")
    asked = sum(map(len, set(queries)))
    characters = {identity: asked + sum(map(len, of)) for identity, of in documents.items()}
    total = max(sum(characters.values()), 1)
    meter = Meter("evaluate", say("Encoding"), total, on_progress)
    # beside the child, which spends its first seconds on imports too, with one core
    ahead = Thread(target=_import_ahead, daemon=True)
    if encoders_:
        ahead.start()
    for identity, resolved in encoders_.items():
        if all(candidate in failures for candidate in users[identity]):
            meter.advance(characters[identity])  # another leg of theirs has failed already
            continue
        begun = time.monotonic()

        def wait(resolved: Resolved = resolved, begun: float = begun) -> None:
            label = say("Waiting for another evaluation that encodes with {spec}", spec=resolved.spec)
            elapsed = round(time.monotonic() - begun, 2)
            on_progress(Progress(stage="evaluate", label=label, done=meter.done, total=total, elapsed_seconds=elapsed))

        try:
            texts: dict[Kind, list[str]] = {"document": list(documents[identity]), "query": queries}
            session.costs[identity] = ensure(resolved, texts, session.workspace, meter.advance, wait)
        except AdvisorError as error:
            failures.update(dict.fromkeys(users[identity], error))
    if encoders_:
        ahead.join()  # two threads that import parts of scipy at once can break it


def _import_ahead() -> None:
    """Load what comes after encoding while somebody else encodes."""
    for name in ("pymilvus", "milvus_lite.adapter.grpc.server", "scipy.stats", "ir_measures"):
        with suppress(ImportError):
            import_module(name)
