"""The scores of finished runs, query by query: candidates of one or several compared, and all of them as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from knowledge.errors import UserError
from knowledge.results import Comparison, DatasetSummary, Evaluation, Interval, MeasuredCandidate, Record
from knowledge.wording import Text, say
from tools.run_store import RunStore
from tools.statistics import bootstrap_interval, by_text, compare
from tools.workspace import Workspace

if TYPE_CHECKING:
    from tools.statistics import Scores

#: loss that counts as none, where nobody said otherwise
MARGIN = 0.02


class ScoredCandidate(Record):
    """A candidate of a comparison: `label` is its spec, with its run where that alone would be ambiguous."""

    label: str
    spec: str
    run_id: str
    mean: Interval


class QueryScores(Record):
    """One query's score for each candidate, by label."""

    query: str
    scores: dict[str, float]


class RunsCompared(Record):
    """Candidates of one or several runs on the same data, paired by query.

    Attributes:
        margin: accepted loss in the metric.
        candidates: best first.
        comparisons: each against the best, in the same order.
        queries: those that all of them answered, the ones on which they differ most first.
        notes: what to know of the pairing.
    """

    metric: str
    margin: float
    dataset: DatasetSummary
    candidates: tuple[ScoredCandidate, ...]
    comparisons: tuple[Comparison, ...]
    queries: tuple[QueryScores, ...]
    notes: tuple[Text, ...] = ()


class ScoreRow(NamedTuple):
    """One query's score of one candidate in one measure, as ir-measures names it."""

    run_id: str
    spec: str
    query_id: str
    measure: str
    value: float


def compare_runs(
    workspace: Workspace,
    evaluations: Sequence[Evaluation],
    *,
    specs: Sequence[str] = (),
    metric: str | None = None,
    margin: float = MARGIN,
) -> RunsCompared:
    """Candidates of these evaluations against the best of them, paired by query.

    Args:
        workspace: where the run store is.
        evaluations: on the same data; what they measured in common counts once.
        specs: only these candidates; none: all.
        metric: one that all were measured in; None: the first evaluation's primary one.
        margin: accepted loss.

    Raises:
        UserError: other data, an unknown candidate or metric, fewer than two candidates, or no query in common.
    """
    _same_data(evaluations)
    metric = metric or evaluations[0].primary
    chosen = _chosen(evaluations, specs)
    if len(chosen) < 2:
        raise UserError(
            say("A comparison takes two candidates, and there is only {name}.", name=next(iter(chosen), "-")),
            say("Name another run on the same data, or leave --candidate out."),
        )
    with closing(RunStore(workspace.store)) as store:
        scores = {label: _scores(store, run, c, metric) for label, (run, c) in chosen.items()}
    common = [q for q in next(iter(scores.values())) if all(q in found for found in scores.values())]
    if not common:
        raise UserError(
            say("These runs have no query in common."), say("Compare runs with the same queries and judgments.")
        )
    notes = []
    most = max(map(len, scores.values()))
    if len(common) < most:
        notes.append(
            say("Only the {common} of {all} queries that all of them have count.", common=len(common), all=most)
        )
    paired = {label: {q: found[q] for q in common} for label, found in scores.items()}
    same = evaluations[0].same_queries
    arrays = {label: _array(by_text(found, same) if same else found) for label, found in paired.items()}
    comparisons = compare(arrays, margin)
    ranked = [c.spec for c in comparisons]
    return RunsCompared(
        metric=metric,
        margin=margin,
        dataset=evaluations[0].dataset,
        candidates=tuple(
            ScoredCandidate(
                label=label, spec=chosen[label][1].spec, run_id=chosen[label][0], mean=bootstrap_interval(arrays[label])
            )
            for label in ranked
        ),
        comparisons=comparisons,
        queries=tuple(
            QueryScores(query=q, scores={label: paired[label][q] for label in ranked})
            for q in sorted(common, key=lambda q: (-_spread([found[q] for found in paired.values()]), q))
        ),
        notes=tuple(notes),
    )


def score_rows(
    workspace: Workspace, evaluation: Evaluation, specs: Sequence[str] = (), metrics: Sequence[str] = ()
) -> Iterator[ScoreRow]:
    """The per-query scores of an evaluation, by candidate, measure and query.

    Args:
        workspace: where the run store is.
        evaluation: whose.
        specs: only these candidates; none: all.
        metrics: only these; none: all.

    Raises:
        UserError: a candidate or metric that was not measured.
    """
    chosen = _chosen([evaluation], specs)
    with closing(RunStore(workspace.store)) as store:
        for run, candidate in chosen.values():
            for metric in metrics or candidate.metrics:
                for query, value in _scores(store, run, candidate, metric).items():
                    yield ScoreRow(evaluation.run_id, candidate.spec, query, metric, value)


def _same_data(evaluations: Sequence[Evaluation]) -> None:
    first = evaluations[0].dataset
    other = next((e.dataset for e in evaluations if e.dataset.hash != first.hash), None)
    if other is not None:
        raise UserError(
            say(
                "These runs measured different data: {first} ({documents} documents) and {other} ({others} documents).",
                first=first.name,
                documents=first.documents,
                other=other.name,
                others=other.documents,
            ),
            say("Scores of different data cannot be compared; measure both on the same."),
        )


def _chosen(evaluations: Sequence[Evaluation], specs: Sequence[str]) -> dict[str, tuple[str, MeasuredCandidate]]:
    """Label -> run and candidate; one that several runs found in the store counts once."""
    known = {c.spec: None for e in evaluations for c in e.candidates}
    unknown = [spec for spec in specs if spec not in known]
    if unknown:
        raise UserError(
            say("{spec} was not measured in this run.", spec=unknown[0][:200]),
            say("Take one of: {names}.", names=", ".join(known)),
        )
    keys: dict[str, tuple[str, MeasuredCandidate]] = {}
    for evaluation in evaluations:
        for candidate in evaluation.candidates:
            if not specs or candidate.spec in specs:
                keys.setdefault(candidate.key, (evaluation.run_id, candidate))
    named = [candidate.spec for _, candidate in keys.values()]
    return {
        candidate.spec if named.count(candidate.spec) == 1 else f"{candidate.spec} ({run})": (run, candidate)
        for run, candidate in keys.values()
    }


def _scores(store: RunStore, run: str, candidate: MeasuredCandidate, metric: str) -> dict[str, float]:
    found = store.query_scores(candidate.key, metric)
    if not found:
        raise UserError(
            say("{spec} has no scores in {metric} in {run}.", spec=candidate.spec, metric=metric[:100], run=run),
            say("There are: {names}.", names=", ".join(candidate.metrics)),
        )
    return found


def _array(scores: dict[str, float]) -> Scores:
    import numpy as np

    return np.array(list(scores.values()))


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)
