"""What a deployment is checked against, from the evaluation that recommended it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.results import MeasuredCandidate, Report
from knowledge.results.handover import Handover, HandoverLeg
from knowledge.wording import say
from tools.deployment.configuration import searched
from tools.verify.kept import chosen, handover_of_run
from tools.workspace import Workspace


def measured_candidate(report: Report, spec: str) -> MeasuredCandidate:
    """A candidate as the report's evaluation has it.

    Raises:
        UserError: nothing was measured, not this, or not for its rankings.
    """
    if report.evaluation is None:
        raise UserError(
            say("Nothing was measured, so there is nothing to deploy yet."),
            say("Measure first: advisor evaluate, or a conversation with your data."),
        )
    return chosen(report.evaluation, spec)


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
        UserError: the data is not that of the evaluation, or what was found is not kept any more.
    """
    assert report.evaluation
    found = handover_of_run(
        report.evaluation,
        spec,
        dataset,
        workspace,
        margin=report.recommendation.margin,
        requirements=report.requirements,
        now=now,
    )
    if not any(query.expected for query in found.queries):
        raise UserError(
            say("What {spec} found was not kept: another version measured it.", spec=spec[:200]),
            say("Measure the same again: what was encoded is kept."),
        )
    row = next((row for row in report.recommendation.rows if row.spec == spec), None)
    return found.model_copy(
        update={
            "legs": _legs(spec, config),
            "collection": config["name"],
            "query_p95_ms": row.query_p95_ms if row else None,
            "documents_per_second": row.documents_per_second if row else None,
            "evidence": report.recommendation.evidence,
        }
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
