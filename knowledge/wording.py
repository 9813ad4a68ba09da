"""Sentences a user reads, in English and Chinese.

The English sentence is the key, as in gettext: code stays readable and a record keeps the sentence with its
values, so that it can be shown in the reader's language when it is shown and not when it is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, SerializationInfo, model_serializer, model_validator

from knowledge.doors import worded

Language = Literal["en", "zh"]
#: what is scored one by one: sentences speak of queries unless they are told otherwise
Items = Literal["texts", "pairs"]
T = TypeVar("T")

#: what `join` makes: parts with one and the same glue between them
_JOINED = re.compile(r"\{p\d+\}(?:[,;] \{p\d+\})+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_QUERY = re.compile(r"\{[^{}]*\}|\b([Qq])uer(?:y|(ies))\b|查询")
_NAMES: dict[Items, tuple[str, str]] = {"texts": ("text", "文本"), "pairs": ("pair", "文本对")}
#: the template of a quantity that each language writes in its own way (`written`)
_WRITTEN = "{en}"
#: the template of a next step that each door words in its own way (`how_to`)
_HOW_TO = "{action}"


def _before_a_stop(name: str, value: str | int | float, template: str) -> str | int | float:
    """A value without its own full stop where the sentence has one after it: no “Connection error..”."""
    if isinstance(value, str) and value.endswith(".") and not value.endswith(".."):
        return value[:-1] if re.search(rf"\{{{name}\}}[.。]", template) else value
    return value


@cache
def _chinese() -> Mapping[str, str]:
    merged: dict[str, str] = {}
    for part in (files("knowledge") / "data" / "wording_zh").iterdir():
        merged |= json.loads(part.read_text("utf-8"))
    return merged


@cache
def _language_names() -> Mapping[str, str]:
    """English -> Chinese names of languages, which reasons mention and `say` cannot list."""
    entries = json.loads((files("knowledge") / "data" / "languages.json").read_text("utf-8"))["languages"]
    return {entry["en"]: entry["zh"] for entry in entries.values() if "zh" in entry}


class Text(BaseModel):
    """One sentence: an English template with `{named}` values (``str.format`` syntax), values possibly sentences too.

    Dumped with ``context={"language": "zh"}`` it becomes the finished sentence; dumped without, it keeps template and
    values so that it can be read back. With `items` it speaks of those where its words say queries.
    """

    model_config = ConfigDict(frozen=True)

    template: str
    values: dict[str, str | int | float | Text] = {}
    items: Items | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_plain(cls, data: Any) -> Any:
        return {"template": data.replace("{", "{{").replace("}", "}}")} if isinstance(data, str) else data

    @model_serializer(mode="wrap")
    def _dump(self, default: Any, info: SerializationInfo) -> Any:
        language = (info.context or {}).get("language")
        if language:
            return self.render(language)
        dumped = default(self)
        if self.items is None:
            dumped.pop("items", None)
        return dumped

    def render(self, language: Language = "en") -> str:
        """The finished sentence; English where no Chinese is on file."""
        template = self.template
        values = {k: v.render(language) if isinstance(v, Text) else v for k, v in self.values.items()}
        if template == _HOW_TO:
            template = worded(str(values["action"]), language)
        elif language == "zh":
            if template == _WRITTEN and "zh" in values:
                return str(values["zh"])
            if _JOINED.fullmatch(template):
                return _joined_in_chinese([str(value) for value in values.values()], template)
            template = _chinese().get(template) or _language_names().get(template, template)
        if self.items is not None:
            template = _spoken_of(template, self.items)
        return template.format(**{name: _before_a_stop(name, value, template) for name, value in values.items()})

    def __str__(self) -> str:
        return self.render("en")

    def __hash__(self) -> int:
        return hash((self.template, tuple(sorted((k, str(v)) for k, v in self.values.items()))))


def say(template: str, /, **values: str | int | float | Text) -> Text:
    """A sentence for the user. ``tests/knowledge/test_wording.py`` sees to it that each has its Chinese."""
    return Text(template=template, values=values)


def how_to(action: str, /, **values: str | int | float | Text) -> Text:
    """A next step, or how it is done, in the words of the door that shows it (``knowledge/data/next_steps.json``)."""
    return Text(template=_HOW_TO, values={"action": action, **values})


def spoken_of(thing: T, items: Items | None) -> T:
    """A sentence, or a record or collection with all sentences in it, that speaks of these items; None: of queries."""
    return cast(T, _told(thing, items)) if items is not None else thing


def _told(thing: Any, items: Items) -> Any:
    if isinstance(thing, Text):
        return thing.model_copy(update={"items": items, "values": _told(thing.values, items)})
    if isinstance(thing, BaseModel):
        changed = {name: _told(value, items) for name, value in thing}
        return thing.model_copy(update={k: v for k, v in changed.items() if v is not getattr(thing, k)})
    if isinstance(thing, dict):
        return {key: _told(value, items) for key, value in thing.items()}
    return type(thing)(_told(one, items) for one in thing) if isinstance(thing, list | tuple) else thing


def _spoken_of(template: str, items: Items) -> str:
    """The template with its own words for queries put in terms of the items; what is in braces stays."""
    english, chinese = _NAMES[items]

    def word(match: re.Match[str]) -> str:
        if match[0] == "查询":
            return chinese
        if match[1] is None:
            return match[0]
        name = english.capitalize() if match[1] == "Q" else english
        return f"{name}s" if match[2] else name

    return _QUERY.sub(word, template)


def written(en: str, zh: str) -> Text:
    """A quantity as each language writes it: 7.95 billion is 79.5 亿, so that no template serves both."""
    return Text(template=_WRITTEN, values={"en": en, "zh": zh})


def join(parts: list[Text] | tuple[Text, ...], separator: Text | None = None) -> Text:
    """Several sentences as one, in whatever language it is shown."""
    if not parts:
        return Text(template="")
    glue = separator.template if separator else " "
    template = glue.join(f"{{p{i}}}" for i in range(len(parts)))
    return Text(template=template, values={f"p{i}": part for i, part in enumerate(parts)})


def _joined_in_chinese(parts: list[str], template: str) -> str:
    """The parts with Chinese punctuation between them where either neighbour is Chinese: "、" between mere words."""
    mark = "；" if "; " in template else "，" if any(re.search(r"[\d，、：；。]", part) for part in parts) else "、"
    found = parts[0]
    for before, part in pairwise(parts):
        chinese = _HAN.search(before) or _HAN.search(part)
        found += (mark if chinese else template[template.index("}") + 1 :][:2]) + part
    return found
