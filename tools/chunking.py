"""Documents cut into chunks that are searched instead of them: a document is as good as its best chunk.

Options of every leg that searches, `bm25` too:

- ``chunk``: tokens in a chunk at most; a token is a word or, in scripts written without spaces, a character. That is
  the same for every model, so legs that cut alike have the same chunks (a model's own tokens are more: 200 of these are
  about 270 of MiniLM's in English).
- ``overlap``: tokens at the end of a chunk that the next begins with again; none unless given.
- ``by``: ``tokens`` (default) cuts wherever a chunk is full; ``sentence`` at ends of sentences, where these are not
  further apart; ``heading`` at Markdown headings, each chunk under its headings, and within long sections as
  ``sentence`` does. With ``by=heading`` alone sections stay whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Leg
from knowledge.errors import SpecError
from knowledge.wording import Text, say
from tools.pipeline.chunks import DEEPER, Rules, cutter

OPTIONS = frozenset({"chunk", "overlap", "by"})
WAYS = ("tokens", "sentence", "heading")
LARGEST = 100_000


@dataclass(frozen=True)
class Chunks:
    """Documents cut into chunks.

    Attributes:
        texts: of all chunks, those of one document after the other's; each document has at least one.
        owners: of each chunk, the row of its document.
    """

    texts: list[str]
    owners: NDArray[np.int64]

    def enough(self, depth: int) -> int:
        """How many chunks to rank for the best `depth` documents: `DEEPER` times as many, or all that can be needed."""
        if not len(self.owners):
            return depth
        counts = np.sort(np.bincount(self.owners))[::-1]
        return int(min(counts[: max(depth - 1, 0)].sum() + 1, depth * DEEPER))

    def fold(
        self, rows: NDArray[np.int64], scores: NDArray[np.float64], depth: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rankings of documents from rankings of chunks, best first: a document has its best chunk's place and score.

        Rows are chunks' (-1 where nothing was found) and become documents'.
        """
        found = np.full((len(rows), depth), -1, np.int64)
        best = np.zeros((len(rows), depth))
        for q, (chunks, values) in enumerate(zip(rows, scores, strict=True)):
            there = chunks >= 0
            owners = self.owners[chunks[there]]
            kept = np.sort(np.unique(owners, return_index=True)[1])[:depth]
            found[q, : len(kept)] = owners[kept]
            best[q, : len(kept)] = values[there][kept]
        return found, best


def rules_of(leg: Leg) -> Rules | None:
    """How a leg cuts documents; None where it takes them whole.

    Raises:
        SpecError: an impossible value, or options that do not go together.
    """
    given = {name: leg.options[name] for name in OPTIONS if name in leg.options}
    if not given:
        return None
    by = given.get("by", "tokens")
    if by not in WAYS:
        raise _impossible(leg, "by", ", ".join(WAYS))
    for name, least in (("chunk", 1), ("overlap", 0)):
        if name in given and not (given[name].isdecimal() and least <= int(given[name]) <= LARGEST):
            raise _impossible(leg, name, f"{least}, …, {LARGEST}")
    size, overlap = (int(given[name]) if name in given else None for name in ("chunk", "overlap"))
    if size is None and (by != "heading" or overlap is not None):
        raise SpecError(
            say("{spec} does not say how long a chunk is.", spec=leg.spec),
            say("Say it in tokens, such as chunk=200&overlap=40&by=sentence; only by=heading can do without."),
        )
    if size is not None and (overlap or 0) >= size:
        raise _impossible(leg, "overlap", say("less than chunk"))
    return Rules(size, overlap or 0, by)


def _impossible(leg: Leg, name: str, allowed: str | Text) -> SpecError:
    return SpecError(
        say("“{name}={value}” in {spec} is not possible.", name=name, value=leg.options[name], spec=leg.spec),
        say("Possible are: {names}.", names=allowed),
    )


def cut(documents: Sequence[str], rules: Rules) -> Chunks:
    """All documents' chunks; each document has at least one."""
    cut_one = cutter(rules)
    texts: list[str] = []
    owners: list[int] = []
    for row, document in enumerate(documents):
        of = cut_one(document)
        texts += of
        owners += [row] * len(of)
    return Chunks(texts, np.array(owners, np.int64))
