"""What a deployment is checked against, from the evaluation that recommended it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.results import MeasuredCandidate, Report
from knowledge.results.handover import Handover, HandoverLeg, HandoverQuery
from knowledge.wording import say
from tools.deployment.configuration import searched
from tools.metrics import judgments as labels
from tools.run_store import RunStore
from tools.workspace import Workspace

DEPTH = 10


def measured_candidate(report: Report, spec: str) -> MeasuredCandidate:
    """A candidate as the report's evaluation has it.

    Raises:
        UserError: it was not measured, or not for its rankings.
    """
    evaluation = report.evaluation
    if evaluation is None:
        raise UserError(
            say("Nothing was measured, so there is nothing to deploy yet."),
            say("Measure first: advisor evaluate, or a conversation with your data."),
        )
    if evaluation.task != "ranking":
        raise UserError(
            say("{run} did not measure search, and only search is deployed by files.", run=evaluation.run_id),
            say("Take a run that ranked documents for queries."),
        )
    for candidate in evaluation.candidates:
        if candidate.spec == spec:
            return candidate
    raise UserError(
        say("{spec} was not measured in this run.", spec=spec[:200]),
        say("Take one of: {names}.", names=", ".join(c.spec for c in evaluation.candidates)),
    )


def handover(
    report: Report, spec: str, dataset: Dataset, config: dict[str, Any], workspace: Workspace, now: dt.datetime
) -> Handover:
    """The record.

    Args:
        report: of the decision.
        spec: what is deployed.
        dataset: that it was measured on.
        config: the deployment's configuration.
        workspace: where the run store is.
        now: when it is handed over.

    Raises:
        UserError: the data is not that of the evaluation, or the rankings are not kept any more.
    """
    measured, evaluation = measured_candidate(report, spec), report.evaluation
    assert evaluation
    if dataset.summary.hash != evaluation.dataset.hash:
        raise UserError(
            say("{name} is not the data that {run} measured.", name=dataset.summary.path, run=evaluation.run_id),
            say("Name that data with --data, or measure again and deploy then."),
        )
    store = RunStore(workspace.store)
    try:
        rankings = store.rankings(measured.key)
        scores = store.query_scores(measured.key, evaluation.primary)
    finally:
        store.close()
    if not rankings:
        raise UserError(
            say("What {spec} found was not kept: another version measured it.", spec=spec[:200]),
            say("Measure again with the same command: what was encoded is kept."),
        )
    treated = labels.treat(dataset)
    row = next((row for row in report.recommendation.rows if row.spec == spec), None)
    return Handover(
        run_id=evaluation.run_id,
        created=now,
        spec=spec,
        legs=_legs(spec, config),
        collection=config["name"],
        dataset=evaluation.dataset.name,
        corpus_hash=evaluation.dataset.hash,
        documents=len(dataset.documents),
        twins=labels.twins(dataset.documents),
        primary=evaluation.primary,
        depth=DEPTH,
        margin=report.recommendation.margin,
        quality=measured.interval,
        metrics=measured.metrics,
        judged_queries=evaluation.judged_queries,
        queries=tuple(
            HandoverQuery(
                id=query,
                text=dataset.queries[query],
                expected=tuple(found[:DEPTH]),
                relevant=treated.dataset.judgments.get(query, {}),
                left_out=tuple(sorted(treated.own.get(query, ()))),
                score=scores.get(query),
            )
            for query, found in rankings.items()
            if query in dataset.queries
        ),
        query_p95_ms=row.query_p95_ms if row else None,
        documents_per_second=row.documents_per_second if row else None,
        requirements=report.requirements,
        evidence=report.recommendation.evidence,
    )


def _legs(spec: str, config: dict[str, Any]) -> tuple[HandoverLeg, ...]:
    made = {leg["spec"]: leg for leg in config["legs"]}
    return tuple(
        HandoverLeg(
            spec=leg.spec,
            model=made[leg.spec]["model"],
            revision=made[leg.spec]["revision"],
            dimension=made[leg.spec]["dimension"],
            metric=made[leg.spec]["index"]["metric"],
            normalised=made[leg.spec].get("normalise", False),
        )
        for leg in searched(parse_candidate(spec))
    )
