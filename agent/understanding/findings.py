"""What was found in a message, and the requirements with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from agent.understanding.base import Change
from knowledge.constraints import CONSTRAINTS, ConstraintBase, make_constraint
from knowledge.constraints.hardware import HardwareConstraint
from knowledge.constraints.latency import LatencyConstraint
from knowledge.constraints.max_tokens import MaxTokensConstraint
from knowledge.requirements import Requirements, Slot

#: the fields of Requirements that hold one fact
SLOTS = tuple(name for name in Requirements.model_fields if name not in ("version", "summary", "constraints"))


@dataclass(frozen=True)
class Finding:
    """One thing said about one requirement.

    Attributes:
        about: a field of `Requirements` or a constraint's kind.
        value: the field's value or the constraint's parameters; None takes the requirement back.
        words: the user's words it came from.
        rule: for what was inferred, the rule with those words in it; None: it was stated.
        merge: how a list joins what is there: in its place, added to it, or taken from it.
    """

    about: str
    value: Any
    words: str
    rule: str | None = None
    hard: bool = True
    merge: Literal["set", "add", "remove"] = "set"

    @property
    def because(self) -> str:
        """What to say it came from."""
        return self.rule or self.words


def apply(requirements: Requirements, findings: Iterable[Finding]) -> tuple[Requirements, tuple[Change, ...]]:
    """The requirements with the findings, and what is different.

    What was stated outweighs what is inferred, in whatever order they were said.
    """
    before, words, taken_from = requirements, {}, set()
    found = sorted(findings, key=lambda finding: finding.rule is not None)
    for finding in found:
        after = _with_slot(requirements, finding) if finding.about in SLOTS else _with_demand(requirements, finding)
        if after == requirements and finding.about in taken_from:
            # "no German, English only": what is left was said too, in other words than those that took the rest away
            after = _said_by(requirements, finding)
        if after != requirements:
            words[finding.about] = finding.words
            if finding.merge == "remove":
                taken_from.add(finding.about)
        requirements = after
    requirements = _agreeing(requirements)
    others = words.get("gpu") or next(iter(words.values()), "")  # what follows from a change has its words
    changes = tuple(
        Change(slot=slot, before=old, after=new, words=words.get(slot, others))
        for slot in (*SLOTS, *CONSTRAINTS)
        if (old := value_of(before, slot)) != (new := value_of(requirements, slot))
    )
    return requirements, changes


def _said_by(requirements: Requirements, finding: Finding) -> Requirements:
    current = requirements.constraint(CONSTRAINTS[finding.about])
    if current is None or finding.merge == "remove":
        return requirements
    return requirements.with_constraint(current.model_copy(update={"because": finding.because}))


def value_of(requirements: Requirements, about: str) -> JsonValue:
    """A field's value, or a constraint's parameters with `hard`; None where there is none."""
    if about in SLOTS:
        slot = getattr(requirements, about)
        return None if slot is None else slot.value
    constraint = requirements.constraint(CONSTRAINTS[about])
    return None if constraint is None else constraint.model_dump(mode="json", exclude={"kind", "origin", "because"})


def _with_slot(requirements: Requirements, finding: Finding) -> Requirements:
    current: Slot[Any] | None = getattr(requirements, finding.about)
    default = Requirements.model_fields[finding.about].default
    if finding.value is None:
        return requirements.model_copy(update={finding.about: default})
    if _outweighed(current, finding) or (current and current.value == finding.value and current.origin == "stated"):
        return requirements
    slot = {"value": finding.value, "origin": "inferred" if finding.rule else "stated", "because": finding.because}
    fields = {name: getattr(requirements, name) for name in Requirements.model_fields} | {finding.about: slot}
    return Requirements.model_validate(fields)


def _outweighed(current: Slot[Any] | ConstraintBase | None, finding: Finding) -> bool:
    return finding.rule is not None and current is not None and current.origin == "stated"


def _with_demand(requirements: Requirements, finding: Finding) -> Requirements:
    current = requirements.constraint(CONSTRAINTS[finding.about])
    if finding.value is None:
        return requirements.without_constraint(finding.about)
    if _outweighed(current, finding):
        return requirements
    if _is_lesser(current, finding):
        return requirements
    parameters = _merged(current, finding)
    if parameters is None:
        return requirements if current is None else requirements.without_constraint(finding.about)
    origin = "inferred" if finding.rule else "stated"
    # what is left after something was taken away is said by the words that it was demanded in
    left = finding.merge == "remove" and current is not None and current.origin == "stated" and current.because
    because = left or finding.because
    made = make_constraint(finding.about, **parameters, hard=finding.hard, origin=origin, because=because)
    same = current is not None and current.origin == origin and _demand(current) == _demand(made)
    return requirements if same else requirements.with_constraint(made)


def _is_lesser(current: ConstraintBase | None, finding: Finding) -> bool:
    """Whether it is a wish for certain licences beside a demand on what they must allow, which is what counts."""
    stated = current is not None and current.hard and current.origin == "stated"
    return finding.about == "license" and not finding.hard and stated


def _demand(constraint: ConstraintBase) -> dict[str, Any]:
    return constraint.model_dump(exclude={"because"})


def _merged(current: ConstraintBase | None, finding: Finding) -> Mapping[str, Any] | None:
    """The parameters, new over old; None where nothing is left of them or a needed one was never said."""
    model = CONSTRAINTS[finding.about]
    names = [name for name in model.model_fields if name not in ConstraintBase.model_fields]
    old = {name: getattr(current, name) for name in names} if current else {}
    merged = {**old, **finding.value}
    for name, new in finding.value.items():
        if isinstance(new, tuple) and finding.merge != "set":
            held = tuple(old.get(name, ()))
            if finding.merge == "add":
                merged[name] = tuple(dict.fromkeys((*held, *new)))
            else:
                merged[name] = tuple(item for item in held if item not in new)
                if not merged[name] and not old.get("at_least"):
                    return None
    needed = [name for name in names if model.model_fields[name].is_required()]
    if finding.about == "languages" and not merged.get("languages") and not merged.get("at_least"):
        return None  # across which languages was never said
    return merged if all(name in merged for name in needed) else None


def _agreeing(requirements: Requirements) -> Requirements:
    """What follows from the rest: a latency demand holds on the hardware there is, which must hold the longest text."""
    requirements = _with_machine(requirements)
    latency = requirements.constraint(LatencyConstraint)
    if latency is None or requirements.gpu is None or latency.gpu == requirements.gpu.value:
        return requirements
    return requirements.with_constraint(latency.model_copy(update={"gpu": requirements.gpu.value}))


def _with_machine(requirements: Requirements) -> Requirements:
    """The machine without a GPU that there is not, and the GPU that its memory speaks of."""
    hardware = requirements.constraint(HardwareConstraint)
    if hardware is None:
        return requirements
    longest = requirements.constraint(MaxTokensConstraint)
    context = longest.tokens if longest else requirements.document_tokens and requirements.document_tokens.value
    hardware = hardware.model_copy(update={"context": context or None})
    if hardware.gpu_gb is not None and requirements.gpu is None:
        gpu = Slot[bool](value=True, origin="inferred", because=hardware.because)
        requirements = requirements.model_copy(update={"gpu": gpu})
    elif hardware.gpu_gb is not None and requirements.gpu and not requirements.gpu.value:
        if hardware.ram_gb is None:
            return requirements.without_constraint("hardware")
        hardware = hardware.model_copy(update={"gpu_gb": None, "gpu_name": ""})
    same = hardware == requirements.constraint(HardwareConstraint)
    return requirements if same else requirements.with_constraint(hardware)
