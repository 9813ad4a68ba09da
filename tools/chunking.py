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

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Leg
from knowledge.errors import SpecError
from knowledge.wording import Text, say
from tools.scripts import UNSPACED

OPTIONS = frozenset({"chunk", "overlap", "by"})
WAYS = ("tokens", "sentence", "heading")
LARGEST = 100_000
_TOKEN = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+")
#: where a sentence ends; then lines, then blanks, then wherever a token ends: never within a word
_BREAKS = (r"(?<=[.!?…])\s+|(?<=[。！？；])|\n{2,}", r"\n", r"\s", rf"(?<=\W)|(?<=[{UNSPACED}])|(?=[{UNSPACED}])")
_HEADINGS = [("#" * level, f"h{level}") for level in range(1, 7)]
#: so many chunks a document are looked at, on average over those that are ranked
DEEPER = 20


@dataclass(frozen=True)
class Rules:
    """How documents are cut: see the module's text."""

    size: int | None
    overlap: int
    by: str


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
    """All documents' chunks; a document that gives none (an empty one, or nothing but headings) is its own."""
    split = _splitter(rules)
    texts: list[str] = []
    owners: list[int] = []
    for row, document in enumerate(documents):
        of = [chunk for chunk in split(document) if chunk.strip()] or [document]
        texts += of
        owners += [row] * len(of)
    return Chunks(texts, np.array(owners, np.int64))


def count(text: str) -> int:
    """Tokens of a text."""
    return sum(1 for _ in _TOKEN.finditer(text))


def _splitter(rules: Rules) -> Callable[[str], list[str]]:
    if rules.by == "tokens":
        return lambda text: _windows(text, rules)
    within = _sentences(rules) if rules.size is not None else lambda text: [text]
    return within if rules.by == "sentence" else lambda text: _sections(text, within)


def _windows(text: str, rules: Rules) -> list[str]:
    assert rules.size
    places = [match.span() for match in _TOKEN.finditer(text)]
    if len(places) <= rules.size:
        return [text]
    found, start = [], 0
    while True:
        end = min(start + rules.size, len(places))
        # what stands between the last token and the next one (a full stop, a bracket) goes with the last
        stop = places[end][0] if end < len(places) else len(text)
        found.append(text[places[start][0] if start else 0 : stop].strip())
        if end == len(places):
            return found
        start = end - rules.overlap


def _sentences(rules: Rules) -> Callable[[str], list[str]]:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    assert rules.size
    return RecursiveCharacterTextSplitter(
        separators=list(_BREAKS),
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=rules.size,
        chunk_overlap=rules.overlap,
        length_function=count,
    ).split_text


def _sections(text: str, within: Callable[[str], list[str]]) -> list[str]:
    """Each section under its headings, which say what it is about."""
    from langchain_text_splitters import MarkdownHeaderTextSplitter

    found = []
    for section in MarkdownHeaderTextSplitter(_HEADINGS).split_text(text):
        above = "\n".join(section.metadata.values())
        found += [f"{above}\n{part}".strip() for part in within(section.page_content)]
    return found
