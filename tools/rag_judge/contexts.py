"""What candidates give a language model to read, by labels alone, and what one made of it where it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import ValidationError

from knowledge.results import Contexts, ContextScore, Evaluation, Interval, RagJudgement
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.run_store import RunStore
from tools.statistics import bootstrap_interval, by_text, wilson_interval
from tools.workspace import Workspace

#: documents that count as read: those of the metrics of `tools.metrics.scoring.RAG`
READ = 5
PRECISION, RECALL = f"ContextPrecision@{READ}", f"ContextRecall@{READ}"
#: judgements that are looked through for the latest one of the same data
_LOOKED_THROUGH = 50


def contexts(evaluation: Evaluation, specs: Sequence[str], workspace: Workspace) -> Contexts | None:
    """Context precision and recall of candidates that were measured for RAG.

    Args:
        evaluation: its run store has the per-query scores.
        specs: the winner first; those without scores are left out.
        workspace: where the run store is.

    Returns:
        None where the evaluation was not made for RAG, or the winner's scores are there no more.
    """
    keys = {c.spec: c.key for c in evaluation.candidates if c.spec in specs and RECALL in c.metrics}
    order = [spec for spec in dict.fromkeys(specs) if spec in keys]
    if not order or order[0] != specs[0] or not workspace.store.exists():
        return None
    runs = RunStore(workspace.store)
    try:
        found = {spec: [_of(runs, keys[spec], name, evaluation) for name in (PRECISION, RECALL)] for spec in order}
        judged = _judged(runs, evaluation, order[0])
    finally:
        runs.close()
    if not all(all(scores) for scores in found.values()):
        return None
    evidence = EvidenceList("EX")
    made: list[ContextScore] = []
    first = found[order[0]][1]
    for spec in order:
        precision, recall = found[spec]
        made.append(
            _score(spec, precision, recall, first, made[0].cites["recall"] if made else "", evaluation, evidence)
        )
    cites = _cited(judged, evidence) if judged else {}
    return Contexts(
        documents=READ,
        queries=len(first),
        scores=tuple(made),
        judged=judged,
        cites=cites,
        evidence=tuple(evidence.found),
    )


def _of(runs: RunStore, key: str, metric: str, evaluation: Evaluation) -> dict[str, float]:
    return by_text(runs.query_scores(key, metric), evaluation.same_queries)


def _score(
    spec: str,
    precision: Mapping[str, float],
    recall: Mapping[str, float],
    first: Mapping[str, float],
    of_first: str,
    evaluation: Evaluation,
    evidence: EvidenceList,
) -> ContextScore:
    """One candidate's; `first` is the recall of the winner and `of_first` its evidence, empty for the winner itself."""
    cites: dict[str, str] = {}

    def cited(name: str, what: Text, value: Interval, computed_from: tuple[str, ...] = ()) -> Interval:
        cites[name] = evidence.add(
            "computed" if computed_from else "measured",
            spec,
            what,
            value.mean,
            source=say("{count} queries of {dataset}", count=len(recall), dataset=evaluation.dataset.name),
            date=evaluation.started.date(),
            run_id=evaluation.run_id,
            computed_from=computed_from,
        )
        return value

    values = np.array(list(recall.values()))
    found = {
        "precision": cited("precision", Text(template=PRECISION), bootstrap_interval(np.array([*precision.values()]))),
        "recall": cited("recall", Text(template=RECALL), bootstrap_interval(values)),
        "empty": cited(
            "empty",
            say("share of queries with nothing relevant among the first {documents}", documents=READ),
            wilson_interval(float((values == 0).sum()), len(values)),
        ),
    }
    if of_first:
        found["difference"] = cited(
            "difference",
            say("difference in {metric} to the winner", metric=RECALL),
            bootstrap_interval(np.array([recall[query] - first[query] for query in first])),
            (cites["recall"], of_first),
        )
    return ContextScore(spec=spec, cites=cites, **found)


def _judged(runs: RunStore, evaluation: Evaluation, winner: str) -> RagJudgement | None:
    """The latest judgement of answers on the same data that has the winner."""
    for run in runs.runs("rag", _LOOKED_THROUGH):
        try:
            found = RagJudgement.model_validate(run.payload)
        except ValidationError:
            continue  # of another version
        judged_on = runs.run(found.evaluation) or {}
        same = judged_on.get("dataset", {}).get("hash") == evaluation.dataset.hash
        if same and any(score.spec == winner for score in found.scores):
            return found
    return None


def _cited(judged: RagJudgement, evidence: EvidenceList) -> dict[str, str]:
    """Evidence of what was judged, by figure and spec."""
    cites = {}
    for score in judged.scores:
        named = {
            "faithfulness": (say("faithfulness"), score.faithfulness),
            "answer_relevance": (say("answer relevance"), score.answer_relevance),
        }
        for name, (what, value) in named.items():
            if value is not None:
                cites[f"{name}/{score.spec}"] = evidence.add(
                    "measured",
                    score.spec,
                    what,
                    value.mean,
                    source=say("{model}, {library}", model=judged.model, library=judged.library),
                    date=judged.created.date(),
                    run_id=judged.run_id,
                )
    return cites
