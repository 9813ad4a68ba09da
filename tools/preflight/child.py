"""The child's side: counts tokens, loads the model, tries it; what it cannot do it says, and goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.candidate import Leg
from knowledge.errors import AdvisorError
from tools.encoders import Kind, Resolved, load
from tools.preflight.probe import Figures, Measured, Probe, describe, measure, rank
from tools.preflight.reference import reference
from tools.preflight.sample import Sample
from tools.preflight.tokens import count
from tools.preflight.trials import try_prompts
from tools.sampling import spread
from tools.workspace import Workspace

#: texts held against plain transformers
REFERENCE_TEXTS, REFERENCE_CHARACTERS = 4, 200


class Task(BaseModel):
    """What the child is to do.

    Attributes:
        count: texts whose tokens to count, by kind; none for endpoints.
        probe: whether to load the model.
        used: the prompts the candidate puts before queries and before documents.
        trials: other prompts to try.
        limit: tokens the model reads.
    """

    model_config = ConfigDict(frozen=True)

    resolved: Resolved
    leg: Leg
    count: dict[Kind, list[str]] = {}
    probe: bool = True
    documents: list[str] = []
    queries: list[str] = []
    relevant: list[list[int]] = []
    used: tuple[str, str] = ("", "")
    trials: dict[str, tuple[str, str]] = {}
    limit: int = 512
    cache: str = ""


class Outcome(BaseModel):
    """What it found.

    Attributes:
        tokens, unknown: of each text counted, by kind; `special` tokens of an empty text.
        words, letters: of the documents counted: between blanks, and without them.
        broken: why the model cannot be used at all.
    """

    model_config = ConfigDict(frozen=True)

    tokens: dict[Kind, list[int]] = {}
    unknown: dict[Kind, list[int]] = {}
    special: int = 0
    words: int = 0
    letters: int = 0
    measured: Measured | None = None
    broken: str | None = None
    skipped: dict[str, str] = {}


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The job: a `Task` comes, an `Outcome` goes back."""
    task = Task.model_validate(payload)
    skipped: dict[str, str] = {}
    counted = _count(task, skipped)

    def so_far(found: Outcome) -> None:
        known = found.model_copy(update={**counted, "skipped": skipped | found.skipped})
        tell({"so_far": known.model_dump(mode="json")})

    so_far(Outcome())
    found = examine(task, None, so_far) if task.probe else Outcome()
    return found.model_copy(update={**counted, "skipped": skipped | found.skipped}).model_dump(mode="json")


def _count(task: Task, skipped: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"tokens": {}, "unknown": {}, "special": 0}
    prompts = dict(zip(("query", "document"), task.used, strict=True))
    try:
        for kind, texts in task.count.items():
            counts = count(task.resolved, texts, prompts[kind])
            found["tokens"][kind], found["unknown"][kind] = counts.tokens, counts.unknown
        if task.count:
            found["special"] = count(task.resolved, [""], task.used[1]).tokens[0]
        words = [word for text in task.count.get("document", ()) for word in text.split()]
        found["words"], found["letters"] = len(words), sum(map(len, words))
    except Exception as error:  # noqa: BLE001 - a broken tokenizer is told, and the model may still load
        skipped["truncation"] = describe(error)
        return {"tokens": {}, "unknown": {}, "special": 0}
    return found


def examine(task: Task, workspace: Workspace | None, so_far: Callable[[Outcome], None]) -> Outcome:
    """Load the encoder and try it.

    Args:
        task: what to do.
        workspace: for endpoints.
        so_far: told what is known before the model is loaded a second time, which may take more memory than there is.

    Raises:
        AdvisorError: the endpoint failed.
    """
    try:
        encoder = load(task.resolved, workspace)
        sample = Sample(task.documents, task.queries, task.relevant)
        probe = Probe(encoder, task.leg, task.resolved, sample, Path(task.cache))
    except (AdvisorError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a model raises is a finding about it
        return Outcome(broken=describe(error))
    measured = measure(probe)
    so_far(Outcome(measured=measured))
    if measured.figures.get("values", {}).get("finite") != 1.0:
        return Outcome(measured=measured)
    skipped: dict[str, str] = {}
    figures, variants = dict(measured.figures), {}
    try:
        plain = task.resolved.model_copy(update={"prompts": {"query": "", "document": ""}})
        variants = try_prompts(probe, task.used, task.trials, lambda: load(plain, workspace))
    except Exception as error:  # noqa: BLE001 - the candidate itself has been encoded
        skipped["prompts"] = describe(error)
    try:
        figures |= _against_reference(task, probe) if task.resolved.backend == "st" else {}
    except Exception as error:  # noqa: BLE001 - the reference is ours
        skipped["reference"] = describe(error)
    ranked = {
        name: rank(probe, *vectors) for name, vectors in {"used": (probe.queries, probe.documents), **variants}.items()
    }
    found = measured.model_copy(
        update={
            "figures": figures,
            "variants": ranked if variants else {},
            "extra_texts": probe.extra_texts,
            "tokens": probe.encoder.tokens,
        }
    )
    return Outcome(measured=found, skipped=skipped | measured.skipped)


def _against_reference(task: Task, probe: Probe) -> dict[str, Figures]:
    texts = [text[:REFERENCE_CHARACTERS] for text in spread(task.documents, REFERENCE_TEXTS)]
    made = probe.embed(texts, "document")
    plain = reference(task.resolved, [task.used[1] + text for text in texts], task.limit)
    if plain is None:
        return {}
    figures = {"reference_dimension": float(plain.shape[1]), "dimension": float(made.shape[1])}
    if plain.shape == made.shape:
        a, b = made.astype(np.float64), plain.astype(np.float64)
        cosines = (a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-12)
        figures["difference"] = float(1 - cosines.min())
    return {"reference": figures}
