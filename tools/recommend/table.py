"""The table of all candidates, each figure with the evidence it comes from."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results import Benchmark, Evaluation, Evidence, Row
from tools.recommend.contest import Contest, axes, pareto_front

METHOD_OF_COMPARISON = "paired randomisation test over queries, Holm-corrected for all pairs; bootstrap intervals (BCa)"

#: columns of the table that a benchmark fills, with their units
COSTS = {"query_p95_ms": "ms", "documents_per_second": "1/s", "peak_memory_mb": "MB", "bytes_per_vector": "B"}
#: a price is published; what was used is measured
PRICE = "usd_per_million_tokens"


class EvidenceList:
    """Collects the figures an answer cites and numbers them."""

    def __init__(self, evaluation: Evaluation, benchmark: Benchmark | None) -> None:
        self.found: list[Evidence] = []
        self._evaluation, self._benchmark = evaluation, benchmark

    def quality(self, about: str, what: str, value: float) -> str:
        run = self._evaluation
        return self._add(
            "measured", about, what, value, "", f"ir-measures on {run.dataset.name}", run.started, run.run_id
        )

    def difference(self, about: str, value: float, cited: tuple[str, ...]) -> str:
        run = self._evaluation
        what = f"difference in {run.primary} to the best"
        return self._add("computed", about, what, value, "", METHOD_OF_COMPARISON, run.started, run.run_id, cited)

    def cost(self, about: str, what: str, value: float, unit: str) -> str:
        run = self._benchmark
        assert run
        source = f"{run.hardware.cpu}, {run.hardware.cores} cores"
        return self._add("measured", about, what, value, unit, source, run.started, run.run_id)

    def price(self, about: str, value: float) -> str:
        run = self._benchmark
        assert run
        source = "the provider's price list, as the catalog or the settings give it"
        return self._add("published", about, PRICE, value, "USD", source, run.started, run.run_id)

    def _add(
        self,
        kind: Literal["measured", "computed", "published"],
        about: str,
        what: str,
        value: float,
        unit: str,
        source: str,
        when: dt.datetime,
        run_id: str,
        computed_from: tuple[str, ...] = (),
    ) -> str:
        name = f"E{len(self.found) + 1}"
        self.found.append(
            Evidence(
                id=name,
                kind=kind,
                about=about,
                what=what,
                value=value,
                unit=unit,
                source=source,
                date=when.date(),
                run_id=run_id,
                computed_from=computed_from,
            )
        )
        return name


def table(field: Contest, evidence: EvidenceList) -> tuple[Row, ...]:
    """The table, best quality first; standings of those that take part are filled in after the decision."""
    order = sorted(field.quality, key=lambda spec: (-field.quality[spec].primary_mean, spec))
    front = pareto_front({s: axes(field, s) for s in order if s in field.speed and s not in field.excluded})
    cites: dict[str, dict[str, str]] = {}
    for spec in order:
        measured = field.quality[spec]
        cites[spec] = {name: evidence.quality(spec, name, value) for name, value in measured.metrics.items()}
        cites[spec]["quality"] = cites[spec][next(iter(measured.metrics))]
    best = next((c.best for c in field.comparisons.values()), order[0])
    rows = []
    for spec in order:
        speed, comparison = field.speed.get(spec), field.comparisons.get(spec)
        if comparison and comparison.verdict != "best":
            both = (cites[spec]["quality"], cites[best]["quality"])
            cites[spec]["difference"] = evidence.difference(spec, comparison.difference.mean, both)
        if speed:
            for name, unit in COSTS.items():
                cites[spec][name] = evidence.cost(spec, name, getattr(speed, name), unit)
            if speed.usd_per_million_tokens is not None:
                cites[spec][PRICE] = evidence.price(spec, speed.usd_per_million_tokens)
        rows.append(
            Row(
                spec=spec,
                standing="excluded" if spec in field.excluded else "undecided",
                quality=field.quality[spec].interval,
                difference=comparison.difference if comparison and comparison.verdict != "best" else None,
                p_different=comparison.p_different if comparison and comparison.verdict != "best" else None,
                metrics=field.quality[spec].metrics,
                query_p95_ms=speed.query_p95_ms if speed else None,
                documents_per_second=speed.documents_per_second if speed else None,
                peak_memory_mb=speed.peak_memory_mb if speed else None,
                bytes_per_vector=speed.bytes_per_vector if speed else None,
                usd_per_million_tokens=speed.usd_per_million_tokens if speed else None,
                on_pareto_front=spec in front,
                excluded_by=field.excluded.get(spec),
                cites=cites[spec],
            )
        )
    return tuple(rows)


def with_standing(row: Row, winner: str, field: Contest) -> Row:
    """The row with its place in the decision."""
    if row.standing == "excluded":
        return row
    verdict = field.comparisons[row.spec].verdict
    standing = "winner" if row.spec == winner else ("tied" if verdict == "best" else verdict)
    return row.model_copy(update={"standing": standing})
