"""Candidates: retrieval set-ups that can be built and measured, each written as one readable spec.

::

    candidate = leg | fusion | rerank
    leg       = backend [":" name ["@" revision]] ["?" options]   st:intfloat/multilingual-e5-small?dim=256
    fusion    = ("rrf" | "weighted") "(" candidate ("," candidate)+ ")" ["?" options]
                                                                  weighted(bm25, st:org/model)?w=0.3:0.7
    rerank    = "rerank(" candidate "," leg ")" ["?" options]     rerank(rrf(bm25, st:org/model), ce:org/other)?top=50
    options   = key "=" value ("&" key "=" value)*

Characters with a meaning here (``,()?&%``, in a name also ``@``, in a value also ``=``) are written percent-encoded.
"""

from __future__ import annotations

import re
from typing import Literal, cast
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from knowledge.errors import SpecError
from knowledge.wording import Text, say

_LEG = re.compile(r"(?P<backend>[a-z][a-z0-9_]*)(?::(?P<name>[^,()?&]+))?(?:\?(?P<options>[^,()?]*))?")
#: what would be read as grammar: special characters, and blanks at the ends
_SPECIAL = {"name": re.compile(r"[,()?&%@]|^\s|\s\Z"), "value": re.compile(r"[,()?&%=]|^\s|\s\Z")}
_COMBINED = re.compile(r"(rrf|weighted|rerank)\(")
#: longer than any sensible fusion; reading takes time that grows with the square of the length
MAX_LENGTH = 4_000


def _encode(text: str, what: Literal["name", "value"]) -> str:
    return _SPECIAL[what].sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), text)


def _options(text: str | None, spec: str) -> dict[str, str]:
    pairs = [p for p in (text or "").split("&") if p]
    for pair in pairs:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*=[^=]*[^=\s][^=]*", pair):
            raise _bad(spec, say("“{part}” is not of the form key=value", part=pair))
    found = dict(p.split("=", 1) for p in pairs)
    if len(found) < len(pairs):
        raise _bad(spec, say("an option is given twice"))
    return {key: unquote(value.strip()) for key, value in found.items()}


def _written(options: dict[str, str]) -> str:
    return "?" + "&".join(f"{k}={_encode(v, 'value')}" for k, v in sorted(options.items())) if options else ""


def _bad(spec: str, why: Text) -> SpecError:
    return SpecError(
        say("The candidate “{spec}” cannot be read: {why}.", spec=spec[:200], why=why),
        say(
            "Write it like bm25, st:intfloat/multilingual-e5-small?dim=256, rrf(bm25, st:…), "
            "weighted(bm25, st:…)?w=0.3:0.7 or rerank(bm25, ce:…)?top=50."
        ),
    )


class Leg(BaseModel):
    """One way to rank documents: an encoder, or `bm25`; or what re-ranks those that others found."""

    model_config = ConfigDict(frozen=True)

    backend: str
    name: str = ""
    revision: str | None = None
    options: dict[str, str] = {}

    @property
    def spec(self) -> str:
        """Its canonical spec: options sorted, special characters encoded."""
        revision = f"@{_encode(self.revision, 'name')}" if self.revision else ""
        return self.backend + (f":{_encode(self.name, 'name')}{revision}" if self.name else "") + _written(self.options)

    @property
    def legs(self) -> tuple[Leg, ...]:
        return (self,)

    @property
    def searched(self) -> tuple[Leg, ...]:
        return (self,)

    def __hash__(self) -> int:
        return hash(self.spec)


class Fusion(BaseModel):
    """Several candidates whose rankings are merged: by their places (`rrf`) or by their scores (`weighted`)."""

    model_config = ConfigDict(frozen=True)

    method: Literal["rrf", "weighted"] = "rrf"
    parts: tuple[Leg | Fusion | Rerank, ...]
    options: dict[str, str] = {}

    @property
    def spec(self) -> str:
        """Its canonical spec."""
        return f"{self.method}({', '.join(p.spec for p in self.parts)}){_written(self.options)}"

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All legs below, in order, each once: those that search and those that re-rank."""
        return tuple(dict.fromkeys(leg for part in self.parts for leg in part.legs))

    @property
    def searched(self) -> tuple[Leg, ...]:
        """Of the legs, those that search."""
        return tuple(dict.fromkeys(leg for part in self.parts for leg in part.searched))

    def __hash__(self) -> int:
        return hash(self.spec)


class Rerank(BaseModel):
    """A candidate whose best documents are ordered anew by what reads query and document together."""

    model_config = ConfigDict(frozen=True)

    base: Leg | Fusion | Rerank
    reranker: Leg
    options: dict[str, str] = {}

    @property
    def spec(self) -> str:
        """Its canonical spec."""
        return f"rerank({self.base.spec}, {self.reranker.spec}){_written(self.options)}"

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All legs below, each once, the reranker's last."""
        return tuple(dict.fromkeys((*self.base.legs, self.reranker)))

    @property
    def searched(self) -> tuple[Leg, ...]:
        """Of the legs, those that search."""
        return self.base.searched

    def __hash__(self) -> int:
        return hash(self.spec)


Candidate = Leg | Fusion | Rerank


def parse_candidate(spec: str) -> Candidate:
    """Read a spec.

    Raises:
        SpecError: it does not follow the grammar above.
    """
    spec = spec.encode("utf-8", "replace").decode()  # half a surrogate pair can be in no file name and no sentence
    if len(spec) > MAX_LENGTH:
        raise _bad(spec, say("it is longer than {limit} characters", limit=MAX_LENGTH))
    candidate, rest = _candidate(spec, spec.strip(), depth=0)
    if rest:
        raise _bad(spec, say("“{part}” is left over at the end", part=rest[:40]))
    return candidate


def _candidate(spec: str, text: str, depth: int) -> tuple[Candidate, str]:
    if depth > 4:
        raise _bad(spec, say("it is nested too deeply"))
    combined = _COMBINED.match(text)
    if combined:
        return _combination(spec, combined[1], text[combined.end() :], depth)
    match = _LEG.match(text)
    if not match or not match.group():
        raise _bad(spec, say("“{part}” does not start with a backend's name", part=text[:40]))
    name, _, revision = (match["name"] or "").strip().partition("@")
    leg = Leg(
        backend=match["backend"],
        name=unquote(name.strip()),
        revision=unquote(revision.strip()) or None,
        options=_options(match["options"], spec),
    )
    if (leg.backend == "bm25") != (match["name"] is None) or (leg.backend != "bm25" and not leg.name):
        raise _bad(spec, say("bm25 takes no model, and every other backend needs one (backend:model)"))
    return leg, text[match.end() :].lstrip()


def _combination(spec: str, method: str, text: str, depth: int) -> tuple[Candidate, str]:
    """A fusion or a reranking, from behind its opening bracket."""
    parts: list[Candidate] = []
    rest = "," + text
    while rest.startswith(","):
        part, rest = _candidate(spec, rest[1:].lstrip(), depth + 1)
        parts.append(part)
        rest = rest.lstrip()
    match = re.match(r"\)(?:\?([^,()?]*))?", rest)
    if not match:
        raise _bad(spec, say("a closing bracket is missing"))
    options, rest = _options(match.group(1), spec), rest[match.end() :].lstrip()
    if method == "rerank":
        if len(parts) != 2 or not isinstance(parts[1], Leg):
            raise _bad(spec, say("rerank takes a candidate and one reranker"))
        return Rerank(base=parts[0], reranker=parts[1], options=options), rest
    if len(parts) < 2:
        raise _bad(spec, say("{method} needs at least two candidates", method=method))
    return Fusion(method=cast(Literal["rrf", "weighted"], method), parts=tuple(parts), options=options), rest


#: options that change with what arithmetic the same weights are run, and nothing else
_ARITHMETIC = ("backend", "precision")
#: arithmetic that rounds the weights themselves so far that they are others
_QUANTISED = ("int8",)


def same_weights(spec: str, other: str) -> bool:
    """Whether two set-ups run the same weights on the same texts, each in its own floating-point arithmetic."""
    return _without_arithmetic(parse_candidate(spec)) == _without_arithmetic(parse_candidate(other))


def _without_arithmetic(candidate: Candidate) -> Candidate:
    if isinstance(candidate, Fusion):
        return candidate.model_copy(update={"parts": tuple(map(_without_arithmetic, candidate.parts))})
    if isinstance(candidate, Rerank):
        inner = {"base": _without_arithmetic(candidate.base), "reranker": _without_arithmetic(candidate.reranker)}
        return candidate.model_copy(update=inner)
    left = {k: v for k, v in candidate.options.items() if k not in _ARITHMETIC or v in _QUANTISED}
    return candidate.model_copy(update={"options": left})
