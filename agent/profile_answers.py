"""What the data says by itself, so that nobody needs to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.descriptions import slot_name
from knowledge.constraints import make_constraint
from knowledge.constraints.base import Origin
from knowledge.languages import language_code, language_names
from knowledge.measured_task import NAMES, TASK_OF, measured_task
from knowledge.requirements import Requirements, Slot, Task
from knowledge.results import DataProfile, DatasetSummary
from knowledge.wording import Text, join, say

#: a language counts as one of the documents' from this share on
LANGUAGE_SHARE = 0.1
#: short queries are often taken for a related language, so only what most of them are in counts
MOST = 0.5
#: what is inferred from data says so, in these words: it is inferred anew when other data takes its place
_COUNTED, _SHORTER, _IS_TEXT = "counted in the data", "95 % of the documents are shorter", "the data is text"
_DOCUMENTS_ARE = "the documents are "
_LABELS = "the labels in the data are for that"


def learn_from(profile: DataProfile, requirements: Requirements) -> tuple[Requirements, tuple[Text, ...]]:
    """The requirements with what the data shows, and what was learnt or contradicts the user, in words.

    What the user stated is never overwritten; where the data disagrees, that is said. What was inferred from data that
    was there before does not outlive it.
    """
    before, requirements = requirements, _without_data(requirements)
    requirements, learnt = _task_of(profile.dataset, requirements, before)
    shares = {
        code: share for code, share in profile.languages.items() if share >= LANGUAGE_SHARE and language_code(code)
    }
    foreign = tuple(
        code
        for code, share in profile.query_languages.items()
        if share > MOST and shares and code not in shares and language_code(code)
    )
    stated = requirements.languages
    if shares and not stated:
        shown = _shown(shares)
        constraint = make_constraint(
            "languages",
            languages=(*shares, *foreign),
            cross_lingual=bool(foreign),
            origin="inferred",
            because=f"{_DOCUMENTS_ARE}{shown}" + "".join(f", the queries {code}" for code in foreign),
        )
        requirements = requirements.with_constraint(constraint)
        if constraint in before.constraints:
            pass
        elif foreign:
            learnt.append(
                say(
                    "Your documents are in {languages} and your queries in {queries}, so I look for models that know "
                    "both.",
                    languages=shown,
                    queries=language_names(foreign),
                )
            )
        else:
            learnt.append(say("Your documents are in {languages}, so I look for models that know it.", languages=shown))
    elif shares and not set(shares) & set(stated):
        learnt.append(
            say(
                "You said {stated}, but your documents look like {found}. I keep what you said; correct me if need be.",
                stated=language_names(stated),
                found=language_names(tuple(shares)),
            )
        )
    if not any(constraint.kind == "modality" for constraint in requirements.constraints):
        requirements = requirements.with_constraint(
            make_constraint("modality", modalities=(profile.modality,), origin="inferred", because=_IS_TEXT)
        )
    updates: dict[str, Slot[int]] = {}
    if requirements.documents is None:
        updates["documents"] = Slot[int](value=profile.dataset.documents, origin="inferred", because=_COUNTED)
    if requirements.document_tokens is None and profile.document_tokens:
        value = round(profile.document_tokens.p95)
        updates["document_tokens"] = Slot[int](value=value, origin="inferred", because=_SHORTER)
    for name, slot in updates.items():
        known = getattr(before, name)
        if known != slot and (known is not None or not learnt):  # else what the data is like was said with its counts
            learnt.append(say("{slot}: {value}", slot=slot_name(name), value=f"{slot.value:,}"))
    return requirements.model_copy(update=updates), tuple(learnt)


def _task_of(data: DatasetSummary, requirements: Requirements, before: Requirements) -> tuple[Requirements, list[Text]]:
    """The requirements with the task that the data has labels for, where nothing was said of it; and that."""
    kind = measured_task(data)
    if requirements.task.origin != "assumed" or kind is None or kind == "ranking":
        return requirements, []
    task = Slot[Task](value=TASK_OF[kind], origin="inferred", because=_LABELS)
    learnt = say(
        "Your data has labels for {what}, so I take that for what you want to do; say so if it is something else.",
        what=NAMES[kind],
    )
    return requirements.model_copy(update={"task": task}), [] if task == before.task else [learnt]


def _without_data(requirements: Requirements) -> Requirements:
    """The requirements without what was inferred from data."""
    kept = tuple(c for c in requirements.constraints if not _is_from_data(c.origin, c.because))
    slots = {name: getattr(requirements, name) for name in ("documents", "document_tokens")}
    gone: dict[str, Any] = {n: None for n, slot in slots.items() if slot and _is_from_data(slot.origin, slot.because)}
    if requirements.task.because == _LABELS:
        gone |= {"task": Requirements().task}
    return requirements.model_copy(update={"constraints": kept, **gone})


def _is_from_data(origin: Origin, because: str) -> bool:
    known = because in (_COUNTED, _SHORTER, _IS_TEXT) or because.startswith(_DOCUMENTS_ARE)
    return origin == "inferred" and known


def _shown(shares: Mapping[str, float]) -> Text:
    """English 80 %, German 20 %."""
    parts = [
        Text(template="{name} {share:.0%}", values={"name": language_names([code]), "share": share})
        for code, share in shares.items()
    ]
    return join(parts, Text(template=", "))
