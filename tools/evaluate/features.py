"""What a candidate makes of texts, where a task wants vectors and not rankings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.candidate import Candidate, Leg
from knowledge.errors import SpecError
from knowledge.measured_task import NAMES, MeasuredTask
from knowledge.wording import Text, say
from tools import encoders
from tools.bm25 import BM25Index
from tools.encoders import Resolved
from tools.encoding import vectors
from tools.stopping import unless_stopped
from tools.tasks import Features
from tools.workspace import Workspace

#: options of a leg that change its vectors after encoding; what else is applied there belongs to search
_OF_VECTORS = frozenset({"dim"})
#: names under which models keep a prompt for a task (lower case), the most telling first
_PROMPTS: dict[MeasuredTask, tuple[str, ...]] = {
    "classification": ("classification",),
    "clustering": ("clustering",),
    "similarity": ("sts", "similarity", "sentence similarity", "text-matching"),
    "deduplication": ("pairclassification", "sts", "similarity", "text-matching"),
    "bitext": ("bitextmining", "bitext mining", "sts", "text-matching"),
}
WORDS = say("words weighted as BM25 weights them; their vectors are compared by cosine")


def refusal(candidate: Candidate, resolved: Resolved | None, task: MeasuredTask) -> SpecError | None:
    """Why a candidate can have no part in a task that wants one vector a text; None where it can."""
    cause: Text | None = None
    if not isinstance(candidate, Leg):
        cause = say("{spec} ranks documents, and gives no vectors.", spec=candidate.spec)
    elif resolved is not None and resolved.form != "dense":
        cause = say("{spec} does not give one vector a text.", spec=candidate.spec)
    elif candidate.options.keys() & (encoders.COMMON_OPTIONS - _OF_VECTORS):
        names = ", ".join(sorted(candidate.options.keys() & (encoders.COMMON_OPTIONS - _OF_VECTORS)))
        cause = say(
            "{spec}: {names} is about searching, which {task} does not.",
            spec=candidate.spec,
            names=names,
            task=NAMES[task],
        )
    if cause is None:
        return None
    return SpecError(cause, say("For {task}, name encoders by themselves, or bm25.", task=NAMES[task]))


def with_prompt(resolved: Resolved, task: MeasuredTask) -> Resolved:
    """The encoder with the prompt that its texts get in a task where none of them is a query.

    The model's own for the task, where it has one. Else, of a model that marks queries and documents both, that of
    queries (as E5's authors advise for symmetric tasks and for features), and that of documents otherwise, which is
    none for nearly all.
    """
    own = _own_prompts(resolved)
    found: str | None = next((own[name] for name in _PROMPTS[task] if name in own), None)
    if found is None:
        query: str | None = _of_kind(own, ("query", "queries")) if own else resolved.prompts["query"]
        document = _of_kind(own, ("passage", "document", "corpus")) if own else resolved.prompts["document"]
        found = query if query and document else document
    return resolved.model_copy(update={"prompts": {"query": found, "document": found}})


def notes_of(resolved: Resolved | None) -> tuple[Text, ...]:
    """How texts were read, where that is not plain; of an encoder with its prompt for the task."""
    if resolved is None:
        return (WORDS,)
    prompt = resolved.prompts["document"]
    return (say("each text began with “{prompt}”", prompt=prompt.strip()[:80]),) if prompt else ()


def _of_kind(prompts: dict[str, str], names: Sequence[str]) -> str:
    return next((prompts[name] for name in names if prompts.get(name)), "")


def _own_prompts(resolved: Resolved) -> dict[str, str]:
    """The prompts that the model's own files name, by lower-case name; none where they are not to be used."""
    if resolved.path is None or any(prompt is not None for prompt in resolved.prompts.values()):
        return {}
    try:
        found = json.loads((Path(resolved.path) / "config_sentence_transformers.json").read_text("utf-8"))["prompts"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name).lower(): str(prompt) for name, prompt in found.items()} if isinstance(found, dict) else {}


def features(leg: Leg, resolved: Resolved | None, texts: Sequence[str], workspace: Workspace) -> Features:
    """One row a text; those of an encoder are in the cache already."""
    if resolved is None:
        from sklearn.preprocessing import normalize

        weights = unless_stopped(lambda: BM25Index(texts, leg)).weights.astype(np.float64)
        unit = normalize(weights)
        return Features(own=unit, unit=unit)
    found = encoders.finish(vectors(resolved, texts, "document", workspace), leg, resolved)
    return Features(own=found, unit=found if resolved.normalise else encoders.cut(found, None))
