"""A deployed pipeline against the evaluation that recommended it: one check after another, each with its reason.

What is wrong is named where it can be found out: stored vectors are held against the model's own, and where they
differ, each usual mistake (another prompt, texts cut off, vectors cut and not normalised) is made here on purpose until
one fits (`tools.verify.diagnosis`); of a search address, the same with what it finds (`tools.verify.rankings`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import get_args

from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results import Consent
from knowledge.results.handover import Handover
from knowledge.results.verification import Check, Subject, Verification
from knowledge.wording import say
from tools.run_store import RunStore, new_run_id
from tools.verify.corpus import corpus
from tools.verify.hardness import edges, robustness
from tools.verify.identity import identity
from tools.verify.own_model import own_model
from tools.verify.pipeline import Pipeline
from tools.verify.quality import agreement, answers, quality
from tools.verify.speed import SECONDS, speed
from tools.verify.subject import Deployed
from tools.workspace import Workspace

SUBJECTS: tuple[Subject, ...] = get_args(Subject)


def verify(
    handover: Handover,
    pipeline: Pipeline,
    workspace: Workspace,
    *,
    documents: Mapping[str, str] | None = None,
    consent: Consent,
    seconds: float = SECONDS,
    subjects: Collection[str] = SUBJECTS,
    on_progress: OnProgress = ignore,
) -> Verification:
    """Check a pipeline, and keep what was found in the run store.

    Args:
        handover: what it should be.
        pipeline: what it is.
        workspace: caches, models on this machine, the run store.
        documents: id -> text, where they are at hand: without them, checks that need them are skipped.
        consent: what may be sent where, to have the recommendation's own answers.
        seconds: of the load step.
        subjects: what to look at.
        on_progress: told how far it has come.

    Raises:
        ProviderError: the embedding server or Milvus does not answer at all.
    """
    begun, created = time.monotonic(), dt.datetime.now(dt.UTC)
    deployed = Deployed(handover, pipeline, workspace, own_model(handover.spec, workspace), documents)
    meter = Meter("evaluate", say("Asking"), len(handover.queries), on_progress)
    stages: dict[Subject, Callable[[], Iterator[Check]]] = {
        "corpus": lambda: corpus(deployed),
        "quality": lambda: quality(deployed),
        "agreement": lambda: agreement(deployed),
        "robustness": lambda: robustness(deployed, consent),
        "edges": lambda: edges(deployed),
        "speed": lambda: speed(deployed, seconds),
    }
    checks: list[Check] = [*identity(deployed)] if "identity" in subjects else []
    deployed.ask_all(meter.advance)
    checks += answers(deployed)
    if deployed.is_down or not deployed.found:  # of what answers nothing, nothing else shows
        subjects = ()
    elif not deployed.finds:  # and of what finds nothing, only what is missing
        subjects = {"corpus"} & set(subjects)
    checks += [check for name, stage in stages.items() if name in subjects for check in stage()]
    found = Verification(
        run_id=new_run_id("verify", created),
        created=created,
        decision=handover.run_id,
        spec=handover.spec,
        pipeline=pipeline.name,
        queries=len(handover.queries),
        asked=deployed.asked,
        seconds=round(time.monotonic() - begun, 1),
        checks=tuple(checks),
    )
    runs = RunStore(workspace.store)
    try:
        runs.save_run(
            found.run_id, "verify", found.model_dump(mode="json", exclude={"passed"}), dt.datetime.now(dt.UTC)
        )
    finally:
        runs.close()
    return found


__all__ = ["SUBJECTS", "verify"]
