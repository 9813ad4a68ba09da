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

KINDS: tuple[Kind, Kind] = ("document", "query")


def encode(
    candidates: Sequence[Candidate],
    session: Session,
    failures: dict[Candidate, AdvisorError],
    on_progress: OnProgress,
) -> None:
    """Encode everything for everyone; each distinct encoder reads all documents and queries once.

    An encoder that fails fails the candidates that use it, and no others.
    """
    users: dict[str, list[Candidate]] = {}
    encoders_: dict[str, Resolved] = {}
    for candidate in candidates:
        for leg in candidate.legs:
            if leg in session.resolved:
                found = session.resolved[leg]
                encoders_[found.identity] = found
                users.setdefault(found.identity, []).append(candidate)
    texts: dict[Kind, list[str]] = {kind: session.texts(kind) for kind in KINDS}
    characters = sum(len(text) for of in texts.values() for text in set(of))
    total = max(len(encoders_) * characters, 1)
    meter = Meter("evaluate", say("Encoding"), total, on_progress)
    # beside the child, which spends its first seconds on imports too, with one core
    ahead = Thread(target=_import_ahead, daemon=True)
    if encoders_:
        ahead.start()
    for identity, resolved in encoders_.items():
        if all(candidate in failures for candidate in users[identity]):
            meter.advance(characters)  # another leg of theirs has failed already
            continue
        begun = time.monotonic()

        def wait(resolved: Resolved = resolved, begun: float = begun) -> None:
            label = say("Waiting for another evaluation that encodes with {spec}", spec=resolved.spec)
            elapsed = round(time.monotonic() - begun, 2)
            on_progress(Progress(stage="evaluate", label=label, done=meter.done, total=total, elapsed_seconds=elapsed))

        try:
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
