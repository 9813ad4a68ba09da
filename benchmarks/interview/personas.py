"""The personas: what they need, what they say, and whether the requirements that came of it are right."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agent.understanding.findings import apply
from knowledge.constraints import CONSTRAINTS, ConstraintBase, make_constraint
from knowledge.requirements import Requirements
from knowledge.wording import Language

Style = Literal["terse", "chatty", "changing"]
STYLES: tuple[Style, ...] = ("terse", "chatty", "changing")
LANGUAGES: tuple[Language, ...] = ("en", "zh")

#: what follows from a machine or a wording, and that nobody is asked to have said
_DETAILS = {"gpu_name", "context", "gpu", "bytes_per_parameter", "weights_only", "million_tokens_per_month"}
#: the answer of who has thought of none
_INDIFFERENT = {"en": "No preference.", "zh": "无所谓"}
_YES = {"en": "Yes.", "zh": "对"}


@dataclass(frozen=True)
class Message:
    """Something a persona says, and the slots that it settles."""

    text: str
    said: frozenset[str]
    after: int = 0


@dataclass(frozen=True)
class Persona:
    """One person with a task.

    Attributes:
        truth: all that counts for them; `Requirements.summary` is empty.
        later: what comes to their mind after so many messages, in order.
        held_out: not looked at when the rules were written.
        round: in which round of writing it came; those of earlier rounds have been looked at since.
    """

    id: str
    language: Language
    style: Style
    opening: Message
    truth: Requirements
    answers: dict[str, Message] = field(default_factory=dict)
    later: tuple[Message, ...] = ()
    held_out: bool = False
    round: int = 1

    def answer(self, about: str) -> Message:
        """What they say when asked; who has thought of no answer has no preference."""
        return self.answers.get(about) or Message(_INDIFFERENT[self.language], frozenset({about}))

    def yes(self, about: str) -> Message:
        """What they say when what is offered is right."""
        return Message(_YES[self.language], frozenset({about}))


def personas() -> tuple[Persona, ...]:
    """All of them, in the order of the files."""
    return tuple(
        _persona(raw, language)
        for language in LANGUAGES
        for raw in tomllib.loads((Path(__file__).parent / f"personas_{language}.toml").read_text("utf-8"))["persona"]
    )


def _persona(raw: dict[str, Any], language: Language) -> Persona:
    answers = {
        about: Message(told, frozenset({about}))
        if isinstance(told, str)
        else Message(told["text"], frozenset(told["said"]))
        for about, told in raw.get("answers", {}).items()
    }
    later = tuple(Message(m["text"], frozenset(m["said"]), m["after"]) for m in raw.get("later", ()))
    return Persona(
        id=raw["id"],
        language=language,
        style=raw["style"],
        opening=Message(raw["opening"], frozenset(raw["said"])),
        truth=truth_of(raw["truth"]),
        answers=answers,
        later=later,
        held_out=raw.get("held_out", False),
        round=raw.get("round", 1),
    )


def truth_of(raw: dict[str, Any]) -> Requirements:
    """The requirements that a table of the file stands for."""
    soft = raw.get("soft", ())
    slots = {name: value for name, value in raw.items() if name not in CONSTRAINTS and name != "soft"}
    demands = tuple(
        make_constraint(kind, **parameters, hard=kind not in soft)
        for kind, parameters in raw.items()
        if kind in CONSTRAINTS
    )
    agreeing, _ = apply(Requirements.model_validate(slots | {"constraints": demands}), ())
    return agreeing


def settled(said: frozenset[str], requirements: Requirements, changing: Set[str] = frozenset()) -> frozenset[str]:
    """What nobody needs to ask who has heard this: what was said, and what follows from it in truth.

    Of what they are still going to change nothing follows yet.
    """
    follows, said = set(said), said - changing
    hosting = requirements.constraint(CONSTRAINTS["hosting"])
    if "hosting" in said and hosting is not None:
        follows |= {"open_weights", "cost"}  # no service comes in question, or nothing else does
    if requirements.gpu is not None and "gpu" in said and not requirements.gpu.value:
        follows |= {"hardware"}  # it suggests graphics cards
    if "hardware" in said:
        follows |= {"gpu", "memory", "parameters"}
    if "task" in said and requirements.task.value == "cross_modal":
        follows |= {"modality"}
    return frozenset(follows)


def is_right(about: str, found: Requirements, truth: Requirements) -> bool:
    """Whether a slot is what it truly is; a demand that excludes nothing is none."""
    if about not in CONSTRAINTS:
        return bool(_slot(about, found) == _slot(about, truth))
    got, wanted = _demand(about, found), _demand(about, truth)
    if got is None or wanted is None:
        return got is wanted
    return got.hard == wanted.hard and _parameters(got, wanted) == _parameters(wanted, wanted)


def invented(found: Requirements, truth: Requirements) -> Iterator[str]:
    """The slots that were filled and truly are empty."""
    for name in Requirements.model_fields:
        read = name not in ("version", "summary", "task", "margin", "constraints", "gpu")
        if read and _slot(name, truth) is None and _slot(name, found) not in (None, False):
            yield name
    if truth.gpu is None and found.gpu is not None:
        yield "gpu"
    for kind in CONSTRAINTS:
        if _demand(kind, truth) is None and _demand(kind, found) is not None:
            yield kind


def _slot(name: str, requirements: Requirements) -> Any:
    slot = getattr(requirements, name)
    value = None if slot is None else slot.value
    return str(value).casefold().rpartition("/")[2] if name == "incumbent" and value else value


def _demand(kind: str, requirements: Requirements) -> ConstraintBase | None:
    found = requirements.constraint(CONSTRAINTS[kind])
    if found is None or found.origin == "assumed":
        return None
    values: Any = found
    if kind == "license" and not (values.uses or values.allowed or values.refused):
        return None
    if kind == "modality" and values.modalities == ("text",):
        return None
    return found


def _parameters(constraint: ConstraintBase, wanted: ConstraintBase) -> dict[str, Any]:
    names = [n for n in type(constraint).model_fields if n not in ConstraintBase.model_fields and n not in _DETAILS]
    values = {name: getattr(constraint, name) for name in names}
    if constraint.kind == "hardware":  # main memory beside a graphics card is a detail
        values = {k: v for k, v in values.items() if getattr(wanted, k) is not None}
    if constraint.kind == "max_tokens":  # 8k is 8,000 to some and 8,192 to others
        values = {name: value / 1000 if value % 1000 == 0 else value / 1024 for name, value in values.items()}
    return {k: frozenset(str(i).casefold() for i in v) if isinstance(v, tuple) else v for k, v in values.items()}
