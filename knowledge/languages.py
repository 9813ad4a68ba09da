"""Names and codes of languages.

A language is its ISO 639-1 code (``de``), or its ISO 639-3 code where it has none (``ceb``); scripts and regions do
not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from knowledge.wording import Language, Text, join

#: a name with fewer characters is not looked for in running text; of Chinese and of other names
_PLAIN_NAME = (3, 5)


@cache
def _entries() -> Mapping[str, Mapping[str, Any]]:
    entries: Mapping[str, Mapping[str, Any]] = json.loads(
        (files("knowledge") / "data" / "languages.json").read_text("utf-8")
    )["languages"]
    return entries


@cache
def _codes() -> Mapping[str, str]:
    """Every way a language may be written, in lower case -> its code; a code outweighs a name."""
    found: dict[str, str] = {}
    for code, entry in _entries().items():
        for name in (*entry["iso639_3"], entry["en"], entry.get("zh", ""), *entry.get("also", ())):
            found.setdefault(name.casefold(), code)
    found |= {code: code for code in _entries()}
    found.pop("", None)
    return found


def language_code(text: str) -> str | None:
    """The code of a language given by its name (English, Chinese or its own), ISO code or tag; None if there is none.

    ``German``, ``德语``, ``德文``, ``Deutsch``, ``de``, ``deu-Latn`` and ``de-AT`` are all ``de``.
    """
    wanted = text.strip().casefold()
    chinese = wanted.removesuffix("文") + "语" if wanted.endswith("文") else wanted
    tag = wanted.replace("_", "-").partition("-")[0]
    known = _codes()
    found = known.get(wanted) or known.get(chinese)
    return found or (known.get(tag) if len(tag) in (2, 3) else None)


def common_names() -> dict[str, str]:
    """The English and Chinese names, in lower case, of the languages that have both, and their codes.

    Short names are other words too (Ewe, 丰语) and are left out.
    """
    found: dict[str, str] = {}
    for code, entry in _entries().items():
        if entry.get("zh"):
            found |= {
                name.casefold(): code for name in (entry["en"], entry["zh"]) if len(name) >= _PLAIN_NAME[name.isascii()]
            }
    return found


def language_name(code: str, language: Language = "en") -> str:
    """A language's name; the English one where there is no Chinese, and the code itself where it is not known."""
    entry = _entries().get(code, {})
    return str(entry.get(language) or entry.get("en") or code)


def language_names(codes: Iterable[str]) -> Text:
    """The names of several languages as one sentence part, shown in the reader's language."""
    return _names(tuple(codes))


@lru_cache(maxsize=4096)  # a shortlist names the same languages for hundreds of models
def _names(codes: tuple[str, ...]) -> Text:
    names = [Text(template=language_name(code).replace("{", "{{").replace("}", "}}")) for code in codes]
    return join(names, Text(template=", "))
