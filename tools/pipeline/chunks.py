"""Documents cut into chunks. A token is a word or, in scripts written without spaces, a character."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .scripts import UNSPACED

#: so many chunks a document are looked at, on average over those that are ranked
DEEPER = 20
_TOKEN = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+")
#: where a sentence ends; then lines, then blanks, then wherever a token ends: never within a word
_BREAKS = (r"(?<=[.!?…])\s+|(?<=[。！？；])|\n{2,}", r"\n", r"\s", rf"(?<=\W)|(?<=[{UNSPACED}])|(?=[{UNSPACED}])")
_HEADINGS = [("#" * level, f"h{level}") for level in range(1, 7)]


@dataclass(frozen=True)
class Rules:
    """How documents are cut.

    Attributes:
        size: tokens in a chunk at most; None: sections stay whole.
        overlap: tokens at the end of a chunk that the next begins with again.
        by: tokens (wherever a chunk is full), sentence, or heading (at Markdown headings, each chunk under its own).
    """

    size: int | None
    overlap: int
    by: str


def count(text: str) -> int:
    """Tokens of a text."""
    return sum(1 for _ in _TOKEN.finditer(text))


def cutter(rules: Rules | None) -> Callable[[str], list[str]]:
    """What cuts a document; one that gives no chunk (an empty one, or nothing but headings) is its own.

    Args:
        rules: None: documents stay whole.
    """
    if rules is None:
        return lambda text: [text]
    split = _splitter(rules)
    return lambda text: [chunk for chunk in split(text) if chunk.strip()] or [text]


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
