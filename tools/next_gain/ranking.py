"""Changes ranked: by what they gain, what that costs, and what they save at no measurable loss."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from knowledge.candidate import Candidate
from knowledge.results import Evaluation, FailedCandidate, MeasuredCandidate
from knowledge.results.next_gain import Change, NextGain
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.next_gain.changes import Planned
from tools.next_gain.costs import Cost
from tools.statistics import ALPHA, Scores, bootstrap_interval, by_text, holm, randomisation_test, worse_by_more

#: a query is called faster where it takes less than this share of the time: so well does timing repeat
FASTER = 1 / 1.2
#: of a million documents, a byte each is so many GB
_GB = 1e-3


def ranked(
    base: Candidate,
    changes: Sequence[Planned],
    evaluation: Evaluation,
    scores: Mapping[str, Mapping[str, float]],
    costs: Mapping[str, Cost],
    *,
    margin: float,
    run_id: str,
    started: dt.datetime,
) -> NextGain:
    """The result, from what was measured.

    Args:
        base: what was changed.
        changes: all measured.
        evaluation: of the base and its changes.
        scores: per query in the primary metric, by spec.
        costs: by spec.
        margin: loss that counts as none.
        run_id: of this comparison.
        started: when it began.
    """
    values = {spec: by_text(of, evaluation.same_queries) for spec, of in scores.items()}
    first = values[base.spec]
    differences = {
        one.candidate.spec: np.array([values[one.candidate.spec][q] - score for q, score in first.items()])
        for one in changes
    }
    measured = {one.spec: one for one in evaluation.candidates}
    made = _Maker(base.spec, measured, costs, evaluation, run_id)
    tests = _Tests(differences, margin)
    found = sorted(
        (made.change(one, differences[one.candidate.spec], tests) for one in changes),
        key=lambda change: (-round(change.difference.mean, 9), change.bytes_per_document or math.inf, change.spec),
    )
    own = costs.get(base.spec, Cost())
    return NextGain(
        run_id=run_id,
        evaluation=evaluation.run_id,
        started=started,
        dataset=evaluation.dataset,
        judged_queries=evaluation.judged_queries,
        primary=evaluation.primary,
        margin=margin,
        base=base.spec,
        quality=measured[base.spec].interval,
        query_ms=own.query_ms,
        bytes_per_document=own.bytes,
        changes=tuple(found),
        failed=tuple(FailedCandidate.model_validate(one) for one in evaluation.failed),
        evidence=tuple(made.evidence.found),
        **_named(found, own),
    )


def _named(changes: Sequence[Change], own: Cost) -> dict[str, str | None]:
    """The changes that the answer names, by field."""
    gains = [change for change in changes if change.verdict == "gains"]
    no_worse = [change for change in changes if change.verdict in ("gains", "holds")]
    smaller = [
        c for c in no_worse if c.bytes_per_document is not None and own.bytes and c.bytes_per_document < own.bytes
    ]
    faster = [c for c in no_worse if c.query_ms is not None and own.query_ms and c.query_ms < own.query_ms * FASTER]
    most = max(gains, key=lambda c: c.difference.mean, default=None)
    per_ms = max(gains, key=_value_for_time, default=None)
    least = min(smaller, key=lambda c: (c.bytes_per_document or 0.0, -c.difference.mean), default=None)
    quickest = min(faster, key=lambda c: (c.query_ms or 0.0, -c.difference.mean), default=None)
    chosen = {"buys_most": most, "buys_most_per_ms": per_ms, "saves_storage": least, "saves_time": quickest}
    return {name: change.spec if change else None for name, change in chosen.items()}


def _value_for_time(change: Change) -> tuple[bool, float, float]:
    """What takes no longer comes first, the largest gain of it; then points a millisecond; then what was not timed."""
    free = change.added_ms is not None and change.points_per_ms is None
    return free, change.points_per_ms or 0.0, change.difference.mean


class _Origin(TypedDict):
    """Where a figure is from."""

    source: Text
    date: dt.date
    run_id: str


class _Tests:
    """Corrected p-values of all changes, by spec."""

    def __init__(self, differences: Mapping[str, Scores], margin: float) -> None:
        specs = list(differences)

        def corrected(p_values: list[float]) -> dict[str, float]:
            return dict(zip(specs, holm(p_values), strict=True))

        every = list(differences.values())
        self.better = corrected([randomisation_test(d, "greater") for d in every])
        self.lost = corrected([randomisation_test(-d, "greater") for d in every])
        self.worse = corrected([worse_by_more(d, margin) if len(d) > 1 else 1.0 for d in every])


class _Maker:
    """Makes changes and numbers their evidence."""

    def __init__(
        self,
        base: str,
        measured: Mapping[str, MeasuredCandidate],
        costs: Mapping[str, Cost],
        evaluation: Evaluation,
        run_id: str,
    ) -> None:
        self._measured, self._costs, self._evaluation, self._run_id = measured, costs, evaluation, run_id
        self._base, self._own = base, costs.get(base, Cost())
        self.evidence = EvidenceList("EG")
        self._cites = self._cited(base, measured[base].primary_mean, self._own)

    def change(self, one: Planned, difference: Scores, tests: _Tests) -> Change:
        spec = one.candidate.spec
        cost, interval = self._costs.get(spec, Cost()), bootstrap_interval(difference)
        cites = self._cited(spec, self._measured[spec].primary_mean, cost)
        cites["difference"] = self.evidence.add(
            "computed",
            spec,
            say("{metric}, difference to {base}", metric=self._evaluation.primary, base=self._base),
            interval.mean,
            computed_from=(cites["quality"], self._cites["quality"]),
            **self._origin(),
        )
        added = None if cost.query_ms is None or self._own.query_ms is None else cost.query_ms - self._own.query_ms
        larger = None if cost.bytes is None or self._own.bytes is None else cost.bytes - self._own.bytes
        better, worse = tests.better[spec] < ALPHA, tests.worse[spec] < ALPHA
        gains = "gains" if better else "holds" if worse else "loses" if tests.lost[spec] < ALPHA else "open"
        points = 100 * interval.mean
        return Change(
            kind=one.kind,
            spec=spec,
            what=one.what,
            quality=self._measured[spec].interval,
            difference=interval,
            p_better=tests.better[spec],
            p_worse=tests.worse[spec],
            verdict=gains,
            query_ms=cost.query_ms,
            added_ms=added,
            bytes_per_document=cost.bytes,
            points_per_ms=points / added if better and added is not None and added > 0 else None,
            points_per_gb=points / (larger * _GB) if better and larger is not None and larger > 0 else None,
            notes=self._measured[spec].notes,
            cites=cites,
        )

    def _cited(self, spec: str, mean: float, cost: Cost) -> dict[str, str]:
        add, metric = self.evidence.add, Text.model_validate(self._evaluation.primary)
        found = {"quality": add("measured", spec, metric, mean, **self._origin())}
        if cost.query_ms is not None:
            found["query_ms"] = add("measured", spec, say("median of one query"), cost.query_ms, "ms", **self._origin())
        if cost.bytes is not None:
            what = say("bytes of a document's vectors and index")
            found["bytes_per_document"] = add("computed", spec, what, cost.bytes, "B", **self._origin())
        return found

    def _origin(self) -> _Origin:
        run = self._evaluation
        source = say("{count} queries of {dataset}", count=run.judged_queries, dataset=run.dataset.name)
        return {"source": source, "date": run.started.date(), "run_id": self._run_id}
