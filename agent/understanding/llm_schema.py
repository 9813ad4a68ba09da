"""What a language model may answer: findings about the requirements there are, each with the user's words."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from agent.understanding.findings import SLOTS
from agent.understanding.lexicon import load_lexicon
from knowledge.constraints import CONSTRAINTS
from knowledge.requirements import Task

#: more findings than one message has
MOST_FINDINGS = 30
#: what a language model may speak of; how much quality may be lost, and what counts beside it, is for the user and the
#: rules
ABOUT = tuple(slot for slot in (*SLOTS, *CONSTRAINTS) if slot not in ("margin", "robustness", "correctness"))


class Found(BaseModel):
    """One finding, as the model puts it; nothing of it counts before ``llm_grounding`` has checked it.

    Attributes:
        slot: a field of `Requirements` or a constraint's kind.
        value: one of the values of `meanings`, else the number or the names.
        words: the user's words, copied.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    slot: str
    value: str = Field(max_length=300)
    hard: bool = True
    words: str = Field(min_length=1, max_length=500)


class Extraction(BaseModel):
    """All findings in one message."""

    findings: list[Found] = Field(max_length=MOST_FINDINGS)


@cache
def meanings() -> dict[str, dict[str, Any]]:
    """Slot -> value a language model may name -> what a finding about the slot then holds.

    Only what describes the use case, or demands more than before: no answer of a language model makes a licence, a
    place or a budget laxer. Slots that are not here hold numbers and names, which are read from the words by the rules.
    """
    terms = load_lexicon().tables["terms"]
    return {
        "task": {task: task for task in get_args(Task)},
        "domain": {domain: domain for domain in terms["domain"]},
        "modality": {kind: {"modalities": ("text", kind)} for kind in terms["modality"]},
        "gpu": {"yes": True, "no": False},
        "keyword_match": {"yes": True, "no": False},
        "license": {"commercial": {"commercial": True}},
        "hosting": {"self_hosted": {"hosting": "self_hosted"}},
        "open_weights": {"required": {}},
    }


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of `Extraction`, with the slots that there are."""
    found: dict[str, Any] = {
        "type": "object",
        "properties": {
            "slot": {"type": "string", "enum": list(ABOUT)},
            "value": {"type": "string", "description": "one of the slot's values, or the number or name as written"},
            "hard": {"type": "boolean", "description": "false where it is only a wish"},
            "words": {"type": "string", "description": "the user's words it comes from, copied exactly"},
        },
        "required": ["slot", "value", "hard", "words"],
        "additionalProperties": False,
    }
    return {
        "title": "Extraction",
        "description": "What the message says about the requirements.",
        "type": "object",
        "properties": {"findings": {"type": "array", "items": found}},
        "required": ["findings"],
        "additionalProperties": False,
    }
