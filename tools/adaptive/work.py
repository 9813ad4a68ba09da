"""Encoding as the rounds see it: who can encode, what it cost, and what everything would have cost."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from knowledge.errors import AdvisorError
from knowledge.progress import Meter, OnProgress
from knowledge.wording import Text
from tools import encoding
from tools.encoders import Kind, Resolved, Vectors
from tools.encoding import Cost, Texts
from tools.workspace import Workspace

#: documents encoded for their time alone, where all of an encoder's vectors are there and its rate is not known
TIMED = 32


class Encoding(Protocol):
    """Makes sure of vectors and hands them out. A benchmark puts a counting look-up in its place."""

    def ensure(self, resolved: Resolved, texts: Texts, on_characters: Callable[[int], None]) -> Cost:
        """See to it that these texts have vectors; those that have them cost nothing."""
        ...

    def vectors(self, resolved: Resolved, texts: list[str], kind: Kind) -> Vectors:
        """The vectors, as the model gave them."""
        ...


@dataclass(frozen=True)
class CachedEncoding:
    """The real one: child processes and the vector cache on disk."""

    workspace: Workspace

    def ensure(self, resolved: Resolved, texts: Texts, on_characters: Callable[[int], None]) -> Cost:
        return encoding.ensure(resolved, texts, self.workspace, on_characters)

    def vectors(self, resolved: Resolved, texts: list[str], kind: Kind) -> Vectors:
        return encoding.vectors(resolved, texts, kind, self.workspace)

    def time(self, resolved: Resolved, texts: Texts) -> Cost:
        """What encoding these costs, whether or not they have vectors; none are kept."""
        with tempfile.TemporaryDirectory() as folder:
            return encoding.ensure(resolved, texts, replace(self.workspace, home=Path(folder)))


@dataclass
class Ledger:
    """Seconds spent on encoding, and each encoder's rate.

    The first rate measured of an encoder is the one that counts, and is kept in a file: it decides who is cheaper, so a
    run that was killed must find the same when it goes on, although by then there is nothing left to time. Where all
    vectors come from a run that kept no rate, a few texts are timed; not at an endpoint, which would be paid for it.
    """

    encoding: Encoding
    on_progress: OnProgress
    file: Path | None = None
    spent: float = 0.0
    _rates: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError):  # unreadable: measured again
                read = json.loads(self.file.read_text("utf-8"))
                self._rates = {str(key): float(rate) for key, rate in read.items()}

    def ensure(self, resolved: Resolved, texts: Texts, label: Text) -> None:
        """Encode what is missing and book it."""
        characters = sum(len(text) for of in texts.values() for text in set(of))
        meter = Meter("evaluate", label, max(characters, 1), self.on_progress)
        heard: list[int] = []

        def hear(count: int) -> None:
            heard.append(count)
            meter.advance(count)

        cost = self.encoding.ensure(resolved, texts, hear)
        self.spent += cost.seconds
        new = sum(heard[1:])  # the first report is what the cache had
        if resolved.identity in self._rates:
            return
        if cost.encoded and new:
            self._rates[resolved.identity] = cost.seconds / new
            self._keep()
        elif characters and resolved.local and isinstance(self.encoding, CachedEncoding):
            self._time(self.encoding, resolved, texts)

    def _time(self, timer: CachedEncoding, resolved: Resolved, texts: Texts) -> None:
        """The rate from a few of these texts, evenly spaced by length so that they are typical."""
        of = sorted({*texts.get("document", ()), *texts.get("query", ())} - {""}, key=lambda text: (len(text), text))
        few = of[:: max(-(-len(of) // TIMED), 1)]
        with suppress(AdvisorError, OSError):  # not known then; nobody goes for it
            cost = timer.time(resolved, {"document": few})
            self.spent += cost.seconds
            if few and cost.encoded:
                self._rates[resolved.identity] = cost.seconds / sum(map(len, few))
                self._keep()

    def vectors(self, resolved: Resolved, texts: Iterable[str], kind: Kind) -> Vectors:
        """Vectors that `ensure` has seen to."""
        return self.encoding.vectors(resolved, list(texts), kind)

    def rate(self, resolved: Resolved) -> float | None:
        """Seconds per character; None where it was never measured, since all vectors came from elsewhere."""
        return self._rates.get(resolved.identity)

    def _keep(self) -> None:
        if self.file is None:
            return
        unfinished = self.file.with_name(f".{self.file.name}.{uuid.uuid4().hex}.tmp")
        with suppress(OSError):  # a rate that is not kept is only measured again
            self.file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(self._rates), "utf-8")
            unfinished.replace(self.file)
