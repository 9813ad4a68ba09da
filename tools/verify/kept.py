"""What a deployment is checked against: a handover file, or a kept run and its data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pydantic import ValidationError

from knowledge.candidate import Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, UserError
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, MeasuredCandidate
from knowledge.results.handover import Handover, HandoverLeg, HandoverQuery
from knowledge.wording import say
from tools import encoders
from tools.metrics import judgments as labels
from tools.run_store import RunStore
from tools.setups import setup_of
from tools.workspace import Workspace

DEPTH = 10


def read_handover(file: Path) -> Handover:
    """A handover as a deployment keeps it.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    try:
        return Handover.model_validate_json(file.read_bytes())
    except OSError as error:
        why: str = error.strerror or type(error).__name__
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise UserError(
        say("{file} is no handover: {why}.", file=str(file), why=why[:200]),
        say("Give evaluation/verify.json of a deployment, or a run with its data: --run NAME --data DIR."),
    )


def handover_of_run(
    evaluation: Evaluation,
    spec: str | None,
    dataset: Dataset,
    workspace: Workspace,
    *,
    margin: float,
    requirements: Requirements,
    now: dt.datetime,
) -> Handover:
    """The same record from a kept run.

    Args:
        evaluation: the run.
        spec: what is deployed; None: what it measured best.
        dataset: that it was measured on.
        workspace: where the run store and models are.
        margin: accepted loss.
        requirements: limits that the deployment has to keep.
        now: the time to note.

    Raises:
        UserError: other data, another task, or nothing kept of what was found.
    """
    if dataset.summary.hash != evaluation.dataset.hash:
        raise UserError(
            say("{name} is other data than {run} measured.", name=dataset.summary.path, run=evaluation.run_id),
            say("Name that data with --data, or measure again and verify against that run."),
        )
    measured = chosen(evaluation, spec)
    store = RunStore(workspace.store)
    try:
        rankings, scores = store.rankings(measured.key), store.query_scores(measured.key, evaluation.primary)
    finally:
        store.close()
    treated = labels.treat(dataset)
    return Handover(
        run_id=evaluation.run_id,
        created=now,
        spec=measured.spec,
        legs=_legs(measured, workspace),
        collection="",
        dataset=evaluation.dataset.name,
        corpus_hash=evaluation.dataset.hash,
        documents=len(dataset.documents),
        twins=labels.twins(dataset.documents),
        primary=evaluation.primary,
        depth=DEPTH,
        margin=margin,
        quality=measured.interval,
        metrics=measured.metrics,
        judged_queries=evaluation.judged_queries,
        queries=tuple(
            HandoverQuery(
                id=query,
                text=dataset.queries[query],
                expected=tuple(rankings.get(query, ())[:DEPTH]),
                relevant=treated.dataset.judgments.get(query, {}),
                left_out=tuple(sorted(treated.own.get(query, ()))),
                score=score,
            )
            for query, score in scores.items()
            if query in dataset.queries
        ),
        requirements=requirements,
    )


def chosen(evaluation: Evaluation, spec: str | None) -> MeasuredCandidate:
    """A candidate of an evaluation; None: the one measured best.

    Raises:
        UserError: it was not measured, or not for its rankings.
    """
    if evaluation.task != "ranking" or not evaluation.candidates:
        raise UserError(
            say("{run} did not measure search.", run=evaluation.run_id),
            say("Take a run that ranked documents for queries: advisor runs list."),
        )
    if spec is None:
        return max(evaluation.candidates, key=lambda c: c.primary_mean)
    wanted = parse_candidate(spec).spec
    for candidate in evaluation.candidates:
        if candidate.spec == wanted:
            return candidate
    raise UserError(
        say("{spec} was not measured in this run.", spec=spec[:200]),
        say("Take one of: {names}.", names=", ".join(c.spec for c in evaluation.candidates)),
    )


def _legs(measured: MeasuredCandidate, workspace: Workspace) -> tuple[HandoverLeg, ...]:
    candidate = parse_candidate(measured.spec)
    return tuple(_leg(leg, measured, workspace) for leg in candidate.searched)


def _leg(leg: Leg, measured: MeasuredCandidate, workspace: Workspace) -> HandoverLeg:
    if leg.backend == "bm25":
        return HandoverLeg(spec=leg.spec, model="bm25")
    dense = encoders.backend(leg.backend).FORM == "dense"
    alone = len(parse_candidate(measured.spec).searched) == 1
    try:
        normalised = encoders.resolve(leg, workspace).normalise
    except AdvisorError:  # no longer on this machine
        normalised = True
    setup = setup_of(leg)
    return HandoverLeg(
        spec=leg.spec,
        model=leg.name,
        revision=measured.revision if alone else None,
        dimension=(setup.first or measured.dimension) if dense and alone else None,
        metric=None if not dense else "HAMMING" if setup.store == "binary" else "IP",
        normalised=normalised,
    )
