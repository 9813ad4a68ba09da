"""What a licence says on each use, and licences that are combined in an SPDX expression."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from knowledge.model_card import Commercial as Answer
from knowledge.wording import Text, say

if TYPE_CHECKING:
    from license_expression import Licensing

Use = Literal["commercial", "redistribution", "derivative"]
Condition = Literal[
    "notice",
    "attribution",
    "same-licence",
    "source",
    "network-source",
    "non-commercial",
    "restricted-uses",
    "many-users",
    "revenue",
    "naming",
    "clinical",
    "own-terms",
]

USES: dict[Use, Text] = {
    "commercial": say("commercial use"),
    "redistribution": say("redistribution"),
    "derivative": say("derivative works"),
}
CONDITIONS: dict[Condition, Text] = {
    "notice": say("keep its licence text and notices"),
    "attribution": say("name its authors and say what you changed"),
    "same-licence": say("what is made from it goes under the same licence"),
    "source": say("pass it on with its source, under the same licence"),
    "network-source": say("a changed version that is used over a network comes with its source"),
    "non-commercial": say("only without commercial advantage"),
    "restricted-uses": say("its list of forbidden uses binds you and those you pass it on to"),
    "many-users": say("above the number of users that its text names, a licence of its own is needed"),
    "revenue": say("free below the yearly revenue that its text names"),
    "naming": say("say what it is built from, as its text asks"),
    "clinical": say("conditions on clinical use"),
    "own-terms": say("conditions of its own"),
}

#: an expression that is longer is no licence
_LONGEST = 300
#: from the answer that decides an AND to the one that decides an OR
RANK: tuple[Answer, ...] = ("no", "unknown", "conditional", "yes")
_COMBINED = re.compile(r"\b(and|or|with)\b", re.IGNORECASE)
_VERSION = re.compile(r"-\d.*$")
#: refusing a family refuses these, too: who says "no GPL" does not want AGPL
_WITHIN = {"GPL": ("GPL", "AGPL", "LGPL"), "CC-BY-NC": ("CC-BY-NC", "CC-BY-NC-SA", "CC-BY-NC-ND")}
COPYLEFT = "copyleft"


class License(BaseModel):
    """A licence, what it says on each use, and how sources spell it.

    Attributes:
        commercial, redistribution, derivative: "yes" may carry conditions that anybody can meet (name the authors);
            "conditional" has one that depends on who you are or binds what you make.
        conditions: by use.
        copyleft: whether what is made from it has to go under the same licence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    commercial: Answer
    redistribution: Answer = "unknown"
    derivative: Answer = "unknown"
    conditions: dict[Use, tuple[Condition, ...]] = {}
    copyleft: bool = False
    note: str | None = None
    url: str | None = None
    source: str
    date: dt.date
    spellings: tuple[str, ...] = ()


class _All(NamedTuple):
    parts: tuple[Expression, ...]


class _Any(NamedTuple):
    parts: tuple[Expression, ...]


#: a licence's id, or several of which all must allow a use, or of which one suffices
Expression = str | _All | _Any


class LicenseBook:
    """The licences that are known, by the ids and spellings of sources."""

    def __init__(self, licenses: Mapping[str, License]) -> None:
        self.licenses = licenses
        self._spelled = {name.casefold(): name for name in licenses}
        self._spelled |= {text.casefold(): name for name, known in licenses.items() for text in known.spellings}
        self.read = lru_cache(maxsize=4096)(self._read)

    def _read(self, text: str | None) -> Expression | None:
        """A licence string as an expression; None for what is neither on file nor an SPDX expression."""
        text = (text or "").strip()
        if text.casefold() in self._spelled:
            return self._spelled[text.casefold()]
        # One word that is not on file would be unknown as an expression, too, and the library takes time to load.
        return _parsed(text, tuple(self.licenses)) if len(text) <= _LONGEST and _COMBINED.search(text) else None

    def answer(self, text: str | None, use: Use) -> Answer:
        """What a licence or an expression says on a use; "unknown" for what cannot be read."""

        def one(name: str) -> Answer:
            known = self.licenses.get(name)
            return getattr(known, use) if known else "unknown"

        return _judged(self.read(text), one)

    def conditions(self, text: str | None, use: Use) -> tuple[Text, ...]:
        """What a use is bound to; of alternatives, all are named."""
        found = [
            c for name in _names(self.read(text)) if (k := self.licenses.get(name)) for c in k.conditions.get(use, ())
        ]
        return tuple(CONDITIONS[c] for c in dict.fromkeys(found))

    def binds(self, text: str | None, uses: Iterable[Use]) -> bool:
        """Whether a licence allows one of these uses only under conditions that not everybody meets."""
        return any(self.answer(text, use) == "conditional" for use in uses)

    def accepted(self, text: str | None, allowed: Iterable[str]) -> Answer:
        """Whether a licence is on a list of those accepted."""
        wanted = {name for entry in allowed for name in (*_names(self.read(entry)), entry.casefold())}
        if self.read(text) is None:  # a licence that is not on file is still the one with its name
            return "unknown" if not text else "yes" if text.casefold() in wanted else "no"
        return _judged(self.read(text), lambda name: "yes" if {name, name.casefold()} & wanted else "no")

    def free_of(self, text: str | None, refused: Iterable[str]) -> Answer:
        """Whether a licence is none of those refused, whatever its version; "copyleft" refuses all such licences."""
        families = {family for entry in refused for family in self._families(entry)}

        def one(name: str) -> Answer:
            known = self.licenses.get(name)
            return "no" if _family(name) in families or (known and known.copyleft and COPYLEFT in families) else "yes"

        return _judged(self.read(text), one)

    def _families(self, entry: str) -> tuple[str, ...]:
        names = _names(self.read(entry)) or [entry.strip()]
        found = [COPYLEFT if name.casefold() == COPYLEFT else _family(name) for name in names]
        return tuple(family for name in found for family in _WITHIN.get(name, (name,)))

    def source(self, text: str | None) -> License | None:
        """The licence a string names; None for an expression of several and what is not on file."""
        found = self.read(text)
        return self.licenses.get(found) if isinstance(found, str) else None


def worst(answers: Iterable[Answer]) -> Answer:
    """The answer that decides where all have to allow; "yes" where there are none."""
    return min(answers, key=RANK.index, default="yes")


def _judged(expression: Expression | None, one: Callable[[str], Answer]) -> Answer:
    match expression:
        case None:
            return "unknown"
        case _All(parts):
            return worst(_judged(part, one) for part in parts)
        case _Any(parts):
            return max((_judged(part, one) for part in parts), key=RANK.index)
        case str():
            return one(expression)


def _names(expression: Expression | None) -> list[str]:
    match expression:
        case None:
            return []
        case _All(parts) | _Any(parts):
            return [name for part in parts for name in _names(part)]
        case str():
            return [expression]


def _family(name: str) -> str:
    """`GPL-3.0-or-later` and `gpl` -> `GPL`."""
    plain = _VERSION.sub("", name)
    return plain if plain.startswith("LicenseRef") else plain.upper()


def _parsed(text: str, ours: tuple[str, ...]) -> Expression | None:
    from license_expression import ExpressionError

    try:
        tree = _licensing(ours).parse(text, validate=True, strict=True)
    except (ExpressionError, RecursionError):
        return None
    return None if tree is None else _simple(tree)


def _simple(tree: object) -> Expression:
    from license_expression import AND, OR, LicenseWithExceptionSymbol

    if isinstance(tree, AND | OR):
        parts = tuple(_simple(part) for part in tree.args)
        return _All(parts) if isinstance(tree, AND) else _Any(parts)
    if isinstance(tree, LicenseWithExceptionSymbol):  # an exception only adds permissions: the licence without is safe
        return str(tree.license_symbol.key)
    return str(tree.key)  # type: ignore[attr-defined]


@cache
def _licensing(ours: tuple[str, ...]) -> Licensing:
    """The SPDX list and our own ids. Its other aliases are left out: they are the ids of another list."""
    from license_expression import LicenseSymbol, Licensing, get_spdx_licensing

    spdx = get_spdx_licensing().known_symbols
    return Licensing([*spdx.values(), *(LicenseSymbol(name) for name in ours if name not in spdx)])
