"""The notes, read from the TOML files beside this one and checked: both languages, a source for every figure."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import CatalogError
from knowledge.wording import Language, say

#: what of a conversation's evidence belongs to a note; see `agent.answers`
Evidence = Literal["worth", "deploy", "latency", "dimension", "sample", "storage", "fine-tune", "migrate"]
SOURCES = "sources.toml"
#: a number of its own: not part of a name such as int8, P95, nDCG@10, AX-200
_NUMBER = re.compile(r"(?<![A-Za-z0-9_@.,])(?<![A-Za-z]-)\d[\d,]*(?:\.\d+)?")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Made = TypeVar("Made", bound=_Record)


class Source(_Record):
    """Where a figure comes from.

    Attributes:
        date: when the figure held or, where the source does not say, was looked up.
    """

    title: str = Field(min_length=1)
    url: str | None = Field(None, pattern="^https://")
    date: dt.date


class Figure(_Record):
    """A figure, or several of one statement, with where they come from.

    Attributes:
        says: the statement; the numbers in it are those that the note may use.
    """

    says: str = Field(min_length=1)
    source: Source


class Both(_Record):
    """The same in both languages."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        """The one asked for."""
        return self.zh if language == "zh" else self.en


class Note(_Record):
    """A note on one topic.

    Attributes:
        names: words that people use for the topic, in any language.
        asked: questions it answers, as somebody might put them.
        evidence: which figures of a conversation belong beside it.
    """

    id: str = Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")
    title: Both
    names: tuple[str, ...] = Field(min_length=1)
    asked: tuple[str, ...] = Field(min_length=2)
    text: Both
    figures: tuple[Figure, ...] = ()
    evidence: Evidence | None = None


def numbers(text: str) -> set[float]:
    """The numbers a text states: "1,024 dimensions" states 1024, "int8", "P95" and "nDCG@10" are names."""
    return {float(found.replace(",", "")) for found in _NUMBER.findall(text)}


@cache
def load_notes() -> Mapping[str, Note]:
    """All notes by id.

    Raises:
        CatalogError: a file is broken; see `parse_notes`.
    """
    folder = files("knowledge") / "guidance"
    parts = {part.name: part.read_text("utf-8") for part in folder.iterdir() if part.name.endswith(".toml")}
    return parse_notes(parts)


def parse_notes(parts: Mapping[str, str]) -> Mapping[str, Note]:
    """The notes in some TOML files, by file name.

    Raises:
        CatalogError: a file cannot be read, two notes have one id, or a note states a number without a source.
    """
    sources: dict[str, Source] = {}
    for key, fields in _table(SOURCES, parts.get(SOURCES, "")).items():
        sources[key] = _made(Source, fields, SOURCES, key)
    found: dict[str, Note] = {}
    for name in sorted(set(parts) - {SOURCES}):
        for note in _notes(name, parts[name], sources):
            if note.id in found:
                raise _broken(name, f"two notes are called {note.id}")
            found[note.id] = note
    return found


def _notes(name: str, text: str, sources: Mapping[str, Source]) -> Iterator[Note]:
    table = _table(name, text)
    entries = table.get("note")
    if set(table) != {"note"} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise _broken(name, "it holds something else than notes")
    for entry in entries:
        fields = dict(entry)
        fields["text"] = {language: fields.pop(language, "") for language in ("en", "zh")}
        fields["figures"] = [_with_source(name, figure, sources) for figure in fields.get("figures", ())]
        note = _made(Note, fields, name, str(fields.get("id", "?")))
        allowed = {number for figure in note.figures for number in numbers(figure.says)}
        stated = numbers(note.text.en) | numbers(note.text.zh)
        if bare := sorted(stated - allowed):
            raise _broken(name, f"{note.id} states {', '.join(f'{n:g}' for n in bare)} without a source")
        yield note


def _with_source(name: str, figure: Any, sources: Mapping[str, Source]) -> Any:
    key = str(figure.get("source")) if isinstance(figure, dict) else "?"
    if key not in sources:
        raise _broken(name, f"there is no source called {key}")
    return figure | {"source": sources[key]}


def _table(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(name, str(error)) from error


def _made(kind: type[Made], fields: Any, name: str, key: str) -> Made:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _broken(name, f"{key}, {where}: {first['msg']}") from error


def _broken(name: str, why: str) -> CatalogError:
    return CatalogError(
        say("The notes in {file} are broken: {why}.", file=name, why=why),
        say("Install the program again; the notes come with it."),
    )
