"""One code for each language, and ``languages.json`` with its names.

Benchmarks write a language as ``deu-Latn``, ``cmn`` or ``zho-Hans``. Here a language is its ISO 639-1 code, or its
ISO 639-3 code where it has none; the script is dropped (some models list impossible ones, such as ``ara-Latn``), and
an individual language that stands for its whole group (``cmn``, ``arb``) becomes the group (``zh``, ``ar``), as
CLDR has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.errors import CatalogError
from knowledge.wording import say
from tools.catalog_build.rows import Row
from tools.catalog_build.writing import VERSION, as_json, write_text

#: Codes of programming languages; they stay as they are.
PROGRAMMING = frozenset(
    "c c++ c# go java javascript php python ruby rust scala shell sql swift typescript".split()  # noqa: SIM905
)

#: ISO 639 for "no linguistic content".
NO_LANGUAGE = "zxx"

# CLDR prefers Filipino to Tagalog, which has the ISO 639-1 code; it keeps Bokmål apart from Norwegian, which is the
# name people use for it.
_INSTEAD = {"fil": "tl", "nb": "no"}

# In ISO 639-3, but not yet in CLDR.
_NAMES = {"tok": "Toki Pona"}

_ALIASES = {
    "zh": [
        "mandarin",
        "simplified chinese",
        "traditional chinese",
        "汉语",
        "普通话",
        "国语",
        "华语",
        "简体中文",
        "繁体中文",
    ],
    "yue": ["广东话", "广州话"],
    "fa": ["farsi"],
    "tl": ["tagalog", "塔加洛语"],
    "no": ["nb", "bokmål"],
    "es": ["castilian", "castellano"],
    "nl": ["flemish"],
    "el": ["modern greek"],
    "ms": ["bahasa melayu"],
    "id": ["印尼语"],
    "bn": ["bangla"],
    "my": ["myanmar"],
    "pa": ["panjabi"],
}


@cache
def normalise(tag: str) -> str:
    """The code of the language that a benchmark's tag stands for.

    Raises:
        CatalogError: the tag is no language known to CLDR or ISO 639-3.
    """
    from langcodes import Language, standardize_tag

    base, _, script = tag.partition("-")
    if script == "Code" or base in PROGRAMMING or base in _NAMES:
        return base
    try:
        code = Language.get(standardize_tag(base, macro=True)).language
    except ValueError:  # langcodes cannot even take it apart
        code = None
    if code is None or not Language.get(code).is_valid():
        raise CatalogError(
            say("“{tag}” is not a language.", tag=tag[:100]),
            say("Update langcodes and language_data, or correct the model or task that names it."),
        )
    return _INSTEAD.get(code, code)


def codes(tags: Iterable[str] | None) -> list[str]:
    """The codes of a benchmark's tags, each once and in order."""
    return sorted({normalise(tag) for tag in tags or ()} - {NO_LANGUAGE})


def build_languages(rows: Iterable[Row], out: Path) -> None:
    """Write ``languages.json``: every language of the models and tasks, with its names in English and Chinese.

    Raises:
        CatalogError: a row names what is no language.
    """
    stands_for: dict[str, set[str]] = {}
    for row in rows:
        for tag in row["languages"] or ():
            code = normalise(tag)
            if code not in PROGRAMMING and code != NO_LANGUAGE:
                stands_for.setdefault(code, set()).add(tag.partition("-")[0])
    lines = [f"{as_json(code)}:{as_json(_entry(code, stands_for[code]))}" for code in sorted(stands_for)]
    text = f'{{"format":"languages","version":{VERSION},"source":"cldr","languages":{{\n' + ",\n".join(lines) + "\n}}\n"
    write_text(out / "languages.json", text)


def _entry(code: str, seen: set[str]) -> dict[str, Any]:
    from langcodes import Language

    if code in _NAMES:
        return {"en": _NAMES[code], "iso639_3": [code]}
    language = Language.get(code)
    english, chinese = language.display_name("en"), language.display_name("zh")
    entry: dict[str, Any] = {"en": english}
    if chinese != english:
        entry["zh"] = chinese
    also = {name.casefold(): name for name in (*_ALIASES.get(code, ()), language.autonym())}
    others = [name for key, name in also.items() if key not in (english.casefold(), chinese)]
    if others:
        entry["also"] = others
    entry["iso639_3"] = sorted({language.to_alpha3(), *seen})
    return entry
