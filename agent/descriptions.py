"""Requirements in words: what changed, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from agent.understanding.base import Change
from knowledge.constraints import CONSTRAINTS
from knowledge.requirements import Requirements
from knowledge.results import DatasetSummary
from knowledge.wording import Text, how_to, join, say
from tools.report.background import TASKS, domain_name

#: fields of `Requirements`
SLOTS: dict[str, Text] = {
    "task": say("Task"),
    "margin": say("Accepted loss for a cheaper model"),
    "domain": say("Domain"),
    "documents": say("Documents to index"),
    "document_tokens": say("Tokens per document"),
    "query_tokens": say("Tokens per query"),
    "queries_per_second": say("Queries per second"),
    "machine_usd_per_hour": say("Price of a machine, USD an hour"),
    "gpu": say("A GPU is available"),
    "keyword_match": say("Exact words matter"),
    "incumbent": say("In use today"),
    "robustness": say("Weight of robustness beside quality"),
    "correctness": say("Weight of correctness beside quality"),
}
#: kinds of constraints; one that is not here goes by its kind
KINDS: dict[str, Text] = {
    "cost": say("cost"),
    "dimension": say("length of a vector"),
    "hardware": say("the machine"),
    "hosting": say("where it runs"),
    "languages": say("language"),
    "latency": say("latency"),
    "license": say("licence"),
    "max_tokens": say("length of a text"),
    "memory": say("memory"),
    "modality": say("kind of data"),
    "open_weights": say("open weights"),
    "parameters": say("size of the model"),
}


def slot_name(slot: str) -> Text:
    """A field's or a constraint kind's name."""
    return SLOTS.get(slot) or KINDS.get(slot) or Text.model_validate(slot)


def describe_change(change: Change, requirements: Requirements) -> Text:
    """One changed requirement, as it is now."""
    constraint = next((c for c in requirements.constraints if c.kind == change.slot), None)
    if constraint is not None:
        what = constraint.describe()
        if constraint.origin == "inferred":
            return say("{what} (inferred: {why})", what=what, why=constraint.because)
        return what if constraint.hard else say("{what} (if possible)", what=what)
    if change.after is None:
        return say("{slot}: no demand any more", slot=slot_name(change.slot))
    return say("{slot}: {value}", slot=slot_name(change.slot), value=_value(change.slot, change.after))


def cautions(changes: Iterable[Change], requirements: Requirements) -> list[Text]:
    """What is to be known of how the changed demands are counted."""
    changed = {change.slot for change in changes}
    found = (constraint.caution() for constraint in requirements.constraints if constraint.kind in changed)
    return [caution for caution in found if caution is not None]


def _value(slot: str, value: JsonValue) -> Text:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if slot == "task" and str(value) in TASKS:
        return TASKS[str(value)]
    if slot == "domain":
        return domain_name(str(value))
    if isinstance(value, int):
        return Text.model_validate(f"{value:,}")
    return Text.model_validate(f"{value:,g}" if isinstance(value, float) else str(value))


def assumptions(requirements: Requirements) -> Text:
    """What was not said and is taken for granted, in one line to correct."""
    parts = [
        say("{slot}: {value}", slot=slot_name(name), value=_value(name, slot.value))
        for name in ("task", "margin")
        if (slot := getattr(requirements, name)).origin == "assumed"
    ]
    said = {constraint.kind for constraint in requirements.constraints}
    silent = [slot_name(kind) for kind in CONSTRAINTS if kind not in said]
    if silent:
        parts.append(say("no demand on {names}", names=join(silent, Text(template=", "))))
    if not parts:
        return say("You said everything that counts, so I assume nothing.")
    return say("I assume: {assumptions}. Say so if that is wrong.", assumptions=join(parts, Text(template="; ")))


def made_silver(data: DatasetSummary) -> Text:
    """That nobody asked the queries, who made them, and what to do about it."""
    if data.silver is not None and "written" in data.silver.kinds:
        return say(
            "A language model wrote {queries} queries for passages of the documents, and I measure with those (silver "
            "queries); nobody judged them. A few dozen of your users' own, each with the right document, are better.",
            queries=data.queries,
        )
    return say(
        "Nobody judged any queries of this data, so I made {queries} from the documents and measure with those "
        "(silver queries). How well that stands for your users depends on how they word things: a few dozen "
        "queries of theirs, each with the right document, are better.{how}",
        queries=data.queries,
        how=how_to("silver_files"),
    )
