"""Paths, addresses and model names in a message: read first, so that their parts are not taken for words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from agent.understanding.tokens import MASK

_SUFFIX = r"\.(?:jsonl|json|csv|tsv|parquet|txt|md)(?:\.gz)?|\.(?:zip|tar\.gz)"
_PART = r"[^\s,，。;；:：\"'“”‘’()（）<>?？!！|*]"
_ADDRESS = re.compile(r"\b(?:https?|ftp|s3)://\S{1,2000}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}", re.ASCII)
_FILE_URL = re.compile(r"file://[^\s\"'“”<>，。；]{1,4000}", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'“‘`]((?:~|\.{1,2})?/[^\"'”’`\n]{1,1000}|[A-Za-z]:\\[^\"'”’`\n]{1,1000})[\"'”’`]")
_ABSOLUTE = re.compile(
    rf"(?<![\w.~/$€£¥%)])(?:~|\.{{1,2}})?/(?!/){_PART}{{1,1000}}|(?<![A-Za-z])[A-Za-z]:\\{_PART}{{1,1000}}", re.ASCII
)
_RELATIVE = re.compile(rf"(?<![\w./-])[\w-][\w./-]{{0,200}}?(?:{_SUFFIX})(?![\w])", re.ASCII | re.IGNORECASE)
_FOLDER = re.compile(r"(?<![\w./-])[\w-]{1,100}(?:/[\w.-]{1,100}){0,8}/(?![\w/])", re.ASCII)
#: a model, as a spec has it too: static:wordllama?dim=64
_TOKEN = re.compile(
    r"(?<![\w/.@-])[A-Za-z][\w.-]{0,80}(?:/[\w.-]{1,80})?(?::[\w.-]{1,30})?"
    r"(?:\?[a-z_]{1,20}=[\w.%-]{1,30}(?:&[a-z_]{1,20}=[\w.%-]{1,30}){0,8})?(?![\w/])",
    re.ASCII,
)
_RATE = re.compile(r"[\d元块金币刀$€£¥]\s*$")


@dataclass(frozen=True)
class Name:
    """A name in the message and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Names:
    """The names of one message, in order."""

    paths: tuple[Name, ...] = ()
    models: tuple[Name, ...] = ()
    addresses: tuple[Name, ...] = ()

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where they stand."""
        return [(n.start, n.end) for n in (*self.paths, *self.models, *self.addresses)]

    @property
    def outside(self) -> list[tuple[int, int]]:
        """Where those stand that somebody else chose: paths and addresses."""
        return [(n.start, n.end) for n in (*self.paths, *self.addresses)]

    def before(self, position: int) -> Names:
        """Those that end before a position."""
        kept = (tuple(n for n in names if n.end <= position) for names in (self.paths, self.models, self.addresses))
        return Names(*kept)


class NameReader:
    """Finds names; nothing is looked up, so a name need not exist.

    Args:
        families: beginnings of model names, in lower case.
        words: those that are also ordinary words, and count only with a hyphen or a slash.
        others: beginnings of hyphenated names that are no model's (RTX-4090, covid-19).
    """

    def __init__(self, families: Iterable[str], words: Iterable[str], others: Iterable[str]) -> None:
        self._families = frozenset(families)
        self._words = frozenset(words)
        self._others = frozenset(others)

    def read(self, text: str) -> Names:
        """The names in a readable text."""
        addresses, text = _take(_ADDRESS, text)
        paths: list[Name] = []
        for pattern in (_FILE_URL, _QUOTED, _ABSOLUTE, _RELATIVE, _FOLDER):
            found, text = _take(pattern, text, _is_path)
            paths += found
        models, _ = _take(_TOKEN, text, lambda m: self._is_model(m[0]))
        return Names(tuple(sorted(paths, key=lambda n: n.start)), tuple(models), tuple(addresses))

    def _is_model(self, word: str) -> bool:
        organisation, _, name = word.lower().partition("?")[0].rpartition("/")
        pieces = re.split(r"[-_.:]", name)
        first = pieces[0].rstrip("0123456789")
        if pieces[0] in self._others or first in self._others:
            return False
        if len(pieces) == 1 and not organisation:
            return name in self._families or (first in self._families and first != name)
        heads = {*pieces[:3], first}
        if heads & self._families or (heads & self._words and ("-" in word or organisation)):
            return True
        digits = any(c.isdigit() for c in name)
        letters = sum(c.isalpha() for c in name)
        return letters >= 3 and ((len(organisation) > 2 and (digits or "-" in name)) or (digits and "-" in name))


def _is_path(match: re.Match[str]) -> bool:
    """A rate such as "200 /month" is none."""
    return len(match[0]) > 2 and not _RATE.search(match.string, max(0, match.start() - 6), match.start())


def _path(written: str) -> str:
    if not written.lower().startswith("file:"):
        return written
    try:
        path = unquote(urlsplit(written).path)
    except ValueError:  # such as an unclosed [ in the place of the host
        return written
    return path[1:] if re.match(r"/[A-Za-z]:", path) else path


def _take(
    pattern: re.Pattern[str], text: str, wanted: Callable[[re.Match[str]], bool] = bool
) -> tuple[list[Name], str]:
    """The matches of a pattern, and the text with them masked."""
    found: list[Name] = []

    def mask(match: re.Match[str]) -> str:
        if not wanted(match):
            return match[0]
        written = match[1] if pattern is _QUOTED else match[0].rstrip(".,;:")
        length = len(match[0] if pattern is _QUOTED else written)
        found.append(Name(_path(written), match.start(), match.start() + length))
        return MASK * length + match[0][length:]

    return found, pattern.sub(mask, text)
