"""The names in a text: models, specs, publishers, technical terms; and which catalog model a name stands for."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import cache

from agent.understanding.lexicon import load_lexicon
from agent.understanding.names import NameReader
from knowledge.catalog import Catalog
from knowledge.guidance import load_notes
from knowledge.languages import language_code

_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z][A-Za-z0-9_]*(?:[-./:@?=&+][A-Za-z0-9_]+)*")
_PART = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_JOINTS = re.compile(r"[/:@?=&+]")
#: publishers and models that are called so in Chinese, as named on their own sites and cards (looked up 2026-11-22)
_CHINESE = re.compile(
    r"通义|千问|豆包|火山引擎|智谱|文心|混元|百川|讯飞|星火|悟道|盘古|腾讯|百度|阿里|谷歌|微软|亚马逊"
)
_EMBED = re.compile(
    r"embed(?!s\b|ding|dings|ded|der|ders|\b)|.embed|embed(?:ding)?s?[a-z]*(?:ix|io|ify|net)\b", re.IGNORECASE
)
_CAPITALS = re.compile(r"[a-z][A-Z]|[A-Z]{2}.*[a-z]{2}|[A-Z]{3}")
#: a word that a sentence, a line or a list begins with, or a quotation, may have a capital letter
_BEGINS = re.compile(r"(?:^|[.!?:;。！？：；\n(（“\"'*#>|\[`-])[\s*_`“\"'(]*\Z")
#: names of the catalog that are words
_ORDINARY = frozenset({"human"})


@dataclass(frozen=True)
class Name:
    """A word of Latin letters and digits, with the marks inside it, and where it stands."""

    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        return self.text.casefold()


class Names:
    """Reads names against one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        tables = load_lexicon().tables
        self._cards: dict[str, str] = {}
        for card in catalog.cards:
            for called in (card.model, card.name, *card.aliases):
                # a name that several models share stands for itself
                known = self._cards.setdefault(called.casefold(), card.model.casefold())
                if known != card.model.casefold():
                    self._cards[called.casefold()] = called.casefold()
        self._reader = NameReader(tables["model_family"], tables["model_family_word"], tables["not_a_model"])
        self._model_of: dict[str, str | None] = {}

    def words(self, text: str) -> list[Name]:
        """The words of a comparable text, in order, and publishers by their Chinese names."""
        found = [Name(match[0], *match.span()) for match in _WORD.finditer(text)]
        found += [Name(match[0], *match.span()) for match in _CHINESE.finditer(text)]
        return sorted(found, key=lambda name: name.start)

    def outside(self, text: str) -> list[tuple[int, int]]:
        """Where paths and addresses stand, which somebody else chose."""
        return self._reader.read(text).outside

    def model(self, word: str) -> str | None:
        """The model that a word names: the catalog's name for it, or the word's own, in lower case; None: no model."""
        key = word.casefold()
        if key not in self._model_of:
            self._model_of[key] = self._look_up(word)
        return self._model_of[key]

    def _look_up(self, word: str) -> str | None:
        if word.casefold() in _ORDINARY:
            return None
        name = word.partition("?")[0]
        if ":" in name:
            name = name.partition(":")[2]
        known = self._cards.get(name.casefold())
        if known is not None:
            return known
        return name.casefold() if any(found.text == name for found in self._reader.read(name).models) else None

    def in_catalog(self, name: str) -> bool:
        """Whether the catalog has a model of that name, or of that name behind its publisher."""
        return name.strip().casefold() in self._cards

    def stands_out(self, name: Name, text: str, known: Container[str], *, foreign: bool) -> bool:
        """Whether a word looks like a name or a technical term, of which not all parts are known.

        `foreign`: whether the text is in Chinese, where every strange word of Latin letters does.
        """
        word = name.text
        if any(c.isdigit() for c in word) or not word.isascii() or self.model(word) is not None:
            return True
        strange = [p for p in _PART.findall(word) if p.casefold() not in known and not _is_ordinary(p)]
        if not strange or _JOINTS.search(word) or "." in word:
            return bool(strange)
        if foreign or any(_EMBED.search(part) or _CAPITALS.search(part) for part in strange):
            return True
        return word.startswith(strange[0]) and word[0].isupper() and not _BEGINS.search(text[: name.start])


def pieces(word: str) -> set[str]:
    """What a name may be shortened to: a spec to its model, a model to its name, family or publisher; in lower case."""
    key = word.casefold()
    plain = key.partition("?")[0]
    name = plain.partition(":")[2] or plain
    short = name.rpartition("/")[2]
    found = {key, plain, name, name.partition("@")[0], short, short.partition("@")[0]}
    found |= {part for part in _JOINTS.split(key) if part}
    found |= {part for part in re.split(r"[-_.]", short) if part.isalpha() and len(part) > 1}
    return found - {""}


def _is_ordinary(part: str) -> bool:
    key = part.casefold()
    known = vocabulary()
    # codes of languages have two or three letters, their names more
    return (
        len(key) == 1 or key in known or key.removesuffix("s") in known or (len(key) > 3 and bool(language_code(key)))
    )


@cache
def vocabulary() -> frozenset[str]:
    """The words of our own notes, in lower case: what is spoken of in this field without naming anything."""
    texts = [
        t for n in load_notes().values() for t in (n.title.en, n.title.zh, n.text.en, n.text.zh, *n.names, *n.asked)
    ]
    return frozenset(word.casefold() for text in texts for word in _PART.findall(text))
