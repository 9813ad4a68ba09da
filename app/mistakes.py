"""What is wrong with the form of something that was sent, in our words and the reader's language.

Pydantic finds it; its messages are English and speak of its types. What is not worded here is told as it words it.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from knowledge.wording import Text, say

#: kinds of values by the beginning of an error's type, in the words of JSON
_KINDS: dict[str, Text] = {
    "string": say("a string"),
    "bool": say("true or false"),
    "int": say("a whole number"),
    "float": say("a number"),
    "list": say("a list"),
    "tuple": say("a list"),
    "dict": say("an object (names and their values)"),
    "model": say("an object (names and their values)"),
}
_SAYS: dict[str, Callable[[Mapping[str, Any]], Text]] = {
    "missing": lambda _: say("it is missing"),
    "literal_error": lambda of: say("it must be one of {expected}", expected=of["expected"]),
    "greater_than_equal": lambda of: say("it must be at least {limit:g}", limit=of["ge"]),
    "greater_than": lambda of: say("it must be more than {limit:g}", limit=of["gt"]),
    "less_than_equal": lambda of: say("it must be at most {limit:g}", limit=of["le"]),
    "less_than": lambda of: say("it must be less than {limit:g}", limit=of["lt"]),
    "string_pattern_mismatch": lambda of: say("it does not have the form {pattern}", pattern=of["pattern"]),
    "string_too_short": lambda of: say("it must have at least {count} characters", count=of["min_length"]),
    "string_too_long": lambda of: say("it may have at most {count} characters", count=of["max_length"]),
    "too_short": lambda of: say("it must have at least {count} entries", count=of["min_length"]),
    "too_long": lambda of: say("it may have at most {count} entries", count=of["max_length"]),
}
#: characters of what a caller sent that are told again
_SHOWN = 100


def mistake(error: Mapping[str, Any], form: Any = None) -> Text:
    """What one of Pydantic's errors says, as the end of a sentence.

    Args:
        error: as `ValidationError.errors` lists it.
        form: the type that was expected, for the nearest name where one is unknown.
    """
    kind, of = str(error["type"]), error.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown(str(error["loc"][-1])[:_SHOWN], _names(form, error["loc"][:-1]))
    if kind in _SAYS:
        return _SAYS[kind](of)
    wanted = _KINDS.get(kind.partition("_")[0])
    if wanted is not None and kind.endswith(("_type", "_parsing", "_attributes_type")):
        return say("it must be {kind}", kind=wanted)
    return Text.model_validate(str(error["msg"]).removeprefix("Value error, ")[:500])


def _unknown(name: str, known: Sequence[str]) -> Text:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return say("there is no such name; the nearest is “{name}”", name=close[0])
    if known:
        return say("there is no such name; there are {names}", names=", ".join(known))
    return say("there is no such name")


def _names(form: Any, path: Sequence[Any]) -> list[str]:
    """The names that an object at a place of a form may have; none where that is not told."""
    models = _models(form)
    for step in path:
        if isinstance(step, int):
            continue
        models = [m for of in models if step in of.model_fields for m in _models(of.model_fields[step].annotation)]
    return list(dict.fromkeys(field.alias or name for of in models for name, field in of.model_fields.items()))


def _models(form: Any) -> list[type[BaseModel]]:
    """The models that a type is made of: itself, or parts of a union or a list."""
    if isinstance(form, type) and issubclass(form, BaseModel):
        return [form]
    if get_origin(form) in (Union, types.UnionType, Annotated, list, tuple):
        return [model for part in get_args(form) for model in _models(part)]
    return []
