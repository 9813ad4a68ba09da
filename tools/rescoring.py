"""An evaluation scored again from the rankings that were kept, with other judgments: nothing is encoded or searched.

Of each query the first ten documents were kept, so that metrics which look further down are left out until the next
evaluation, which finds all vectors in the cache.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError, UserError
from knowledge.results import Evaluation, MeasuredCandidate
from knowledge.wording import how_to, say
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.run_store import RunStore, content_key, new_run_id
from tools.statistics import bootstrap_interval, by_text
from tools.workspace import Workspace

#: documents that are kept of each query
KEPT = 10


def kept_rankings(evaluation: Evaluation, workspace: Workspace) -> dict[str, dict[str, list[str]]]:
    """What each candidate found: spec -> query id -> ids of its first documents.

    Raises:
        UserError: an earlier version of this program measured it and kept none, or it ranked nothing.
    """
    runs = RunStore(workspace.store)
    try:
        found = {c.spec: runs.rankings(c.key) for c in evaluation.candidates}
    finally:
        runs.close()
    without = [spec for spec, rankings in found.items() if not rankings]
    if without:
        raise UserError(
            say("What {spec} found in {run} was not kept.", spec=without[0], run=evaluation.run_id),
            say("Measure the same again: what was encoded is kept."),
        )
    return found


def rescored(evaluation: Evaluation, dataset: Dataset, workspace: Workspace, now: dt.datetime) -> Evaluation:
    """The evaluation with the judgments of `dataset`, kept as a run of its own.

    Args:
        evaluation: whose rankings are scored.
        dataset: that it was made on, with other judgments.
        workspace: where the run store is.
        now: when.

    Raises:
        DatasetError: no query has a relevant document.
        UserError: the rankings were not kept, or the primary metric looks further down than they go.
    """
    if not is_shallow(evaluation.primary):
        raise UserError(
            say("{metric} cannot be told from the first {depth} documents.", metric=evaluation.primary, depth=KEPT),
            say("Measure again: the judgments count from then on, and what was encoded is kept."),
        )
    found = kept_rankings(evaluation, workspace)
    treated = labels.treat(dataset)
    known = treated.dataset.judgments
    asked = dict.fromkeys(query for rankings in found.values() for query in rankings)
    judgments = {
        q: known[q] for q in asked if any(g > 0 and d in dataset.documents for d, g in known.get(q, {}).items())
    }
    if not judgments:
        raise DatasetError(
            say("No query of {name} has a relevant document yet.", name=dataset.summary.name),
            how_to("judge"),
        )
    run_id = new_run_id("evaluation", now)
    runs = RunStore(workspace.store)
    try:
        candidates = []
        for candidate in evaluation.candidates:
            rankings = found[candidate.spec]
            names = [name for name in candidate.metrics if is_shallow(name)]
            scores, again = _again(candidate, rankings, judgments, names, dataset, treated.same_queries)
            payload = again.model_dump(mode="json")
            runs.save_measurement(again.key, "quality", again.spec, run_id, payload, scores, rankings)
            candidates.append(again)
        note = say(
            "Scored again from the first {depth} documents of each query, with {count} judgments given here.",
            depth=KEPT,
            count=dataset.summary.given,
        )
        again_ = evaluation.model_copy(
            update={
                "run_id": run_id,
                "started": now,
                "dataset": dataset.summary,
                "candidates": tuple(candidates),
                "judged_queries": len(judgments),
                "same_queries": treated.same_queries,
                "notes": (*labels.notes(treated), note, *labels.holes(candidates, treated, evaluation.primary)),
                "warnings": labels.warnings(candidates, treated, evaluation.primary),
            }
        )
        runs.save_run(run_id, "evaluation", again_.model_dump(mode="json"), now)
    finally:
        runs.close()
    return again_


def _again(
    candidate: MeasuredCandidate,
    rankings: Mapping[str, Sequence[str]],
    judgments: Mapping[str, Mapping[str, int]],
    names: Sequence[str],
    dataset: Dataset,
    same: Sequence[Sequence[str]],
) -> tuple[dict[str, dict[str, float]], MeasuredCandidate]:
    by_query = {q: [(d, float(-i)) for i, d in enumerate(rankings.get(q, ()))] for q in judgments}
    scores = scoring.score(by_query, judgments, names)
    primary = scores[names[0]]
    judged_only = scoring.score(labels.condensed(by_query, judgments), judgments, names[:1])[names[0]]
    mean = float(np.mean(list(primary.values())))
    interval = bootstrap_interval(np.array(list(by_text(primary, same).values())))
    return scores, candidate.model_copy(
        update={
            "key": content_key(rescored=1, of=candidate.key, dataset=dataset.summary.hash),
            "metrics": {name: float(np.mean(list(values.values()))) for name, values in scores.items()},
            "interval": interval.model_copy(update={"mean": mean}),
            "unjudged": labels.unjudged_share(by_query, judgments),
            "condensed": sum(judged_only.values()) / len(judged_only),
            "recall_by_cut": None,
            "index_gap": None,
        }
    )


def is_shallow(metric: str) -> bool:
    """Whether a metric looks at no more documents than are kept."""
    return 1 <= scoring.depth_of([metric]) <= KEPT
