"""The table of all candidates, each figure with the evidence it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from knowledge.quantities import milliseconds, rate
from knowledge.results import Benchmark, Comparison, Evaluation, Record, Row
from knowledge.results.service import RateHeld, UnderLoad
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.recommend.contest import Contest, pareto_front, point

METHOD_OF_COMPARISON = say(
    "paired randomisation test over queries, Holm-corrected for all pairs; bootstrap intervals (BCa)"
)

#: columns of the table that a benchmark fills, with what they are and their units
COSTS = {
    "query_p95_ms": (say("p95 latency"), "ms"),
    "documents_per_second": (say("documents encoded per second"), "1/s"),
    "peak_memory_mb": (say("peak memory"), "MB"),
    "bytes_per_vector": (say("bytes per vector"), "B"),
}
#: what a benchmark finds besides
SPEED = {
    "query_p50_ms": (say("p50 latency"), "ms"),
    "query_p99_ms": (say("p99 latency"), "ms"),
    "encode_p50_ms": (say("p50 latency, encoding alone"), "ms"),
    "load_seconds": (say("load time"), "s"),
}
#: what an evaluation had to do for a candidate
WORK = {
    "dimension": (say("dimensions"), ""),
    "encoded_texts": (say("texts encoded"), ""),
    "cached_texts": (say("texts from the cache"), ""),
    "encode_seconds": (say("encoding"), "s"),
    "search_seconds": (say("searching"), "s"),
}
#: a price is published; what was used is measured
PRICE = "usd_per_million_tokens"


class RunEvidence(EvidenceList):
    """Evidence from an evaluation and a benchmark."""

    def __init__(self, evaluation: Evaluation, benchmark: Benchmark | None, load: UnderLoad | None = None) -> None:
        super().__init__()
        self._evaluation, self._benchmark, self._load = evaluation, benchmark, load

    def quality(self, about: str, what: Text, value: float, unit: str = "") -> str:
        run = self._evaluation
        source = (
            say("ir-measures on {dataset}", dataset=run.dataset.name)
            if run.task == "ranking"
            else say("evaluation on {dataset}", dataset=run.dataset.name)
        )
        return self._of(run, "measured", about, what, value, unit, source)

    def difference(self, about: str, value: float, cited: tuple[str, ...]) -> str:
        run = self._evaluation
        what = say("difference in {metric} to the best", metric=run.primary)
        return self._of(run, "computed", about, what, value, "", METHOD_OF_COMPARISON, cited)

    def comparison(self, found: Comparison, level: float, cited: tuple[str, ...]) -> dict[str, str]:
        """The difference with its interval and the p-values, by the names under which rows cite them."""
        difference = self.difference(found.spec, found.difference.mean, cited)
        run, whole = self._evaluation, (difference,)
        share = f"{level:.0%}"
        ids = {"difference": difference}
        for name, what, value in (
            ("difference_low", say("difference, lower end of the {level} interval", level=share), found.difference.low),
            (
                "difference_high",
                say("difference, upper end of the {level} interval", level=share),
                found.difference.high,
            ),
            ("p_different", say("p of no difference to the best"), found.p_different),
            ("p_worse", say("p of worse than the best by more than the margin"), found.p_worse),
        ):
            ids[name] = self._of(run, "computed", found.spec, what, value, "", METHOD_OF_COMPARISON, whole)
        return ids

    def within(self, found: Comparison, cited: tuple[str, ...]) -> str:
        """The p-value about whichever candidate is truly the best, which rests on all scores."""
        assert found.p_within is not None
        what = say("p of worse than whichever is truly the best by more than the margin")
        run = self._evaluation
        return self._of(run, "computed", found.spec, what, found.p_within, "", METHOD_OF_COMPARISON, cited)

    def work(self, about: str, what: Text, value: float, unit: str) -> str:
        run = self._evaluation
        source = say("evaluation on {dataset}", dataset=run.dataset.name)
        return self._of(run, "measured", about, what, value, unit, source)

    def cost(self, about: str, what: Text, value: float, unit: str) -> str:
        run = self._benchmark
        assert run
        source = say("{cpu}, {n} cores", cpu=run.hardware.cpu, n=run.hardware.cores)
        return self._of(run, "measured", about, what, value, unit, source)

    def held(self, found: RateHeld) -> dict[str, str]:
        """What a candidate holds under load, and the machines that the stated rate takes."""
        load = self._load
        assert load
        source = say("load test on this machine, {documents} documents searched", documents=load.documents)
        what = say("queries a second at p95 under {goal}", goal=milliseconds(load.goal_p95_ms))
        ids = {"holds_qps": self._under(found, "measured", what, found.holds_qps or 0.0, "1/s", source)}
        if found.p95_ms is not None:
            lowest = (
                say("p95 latency at the lowest rate tried") if not found.holds_qps else say("p95 latency, so loaded")
            )
            ids["loaded_p95_ms"] = self._under(found, "measured", lowest, found.p95_ms, "ms", source)
        if found.holds_qps:
            many = say("machines like this one for {rate} queries a second", rate=rate(load.rate))
            value, by = found.machines(load.rate), say("the stated rate over what one machine holds, rounded up")
            ids["machines"] = self._under(found, "computed", many, value, "", by, (ids["holds_qps"],))
        return ids

    def _under(
        self,
        found: RateHeld,
        kind: Literal["measured", "computed"],
        what: Text,
        value: float,
        unit: str,
        source: Text,
        computed_from: tuple[str, ...] = (),
    ) -> str:
        assert self._load
        date, run = self._load.started.date(), found.run_id
        return self.add(
            kind, found.spec, what, value, unit, source=source, date=date, run_id=run, computed_from=computed_from
        )

    def price(self, about: str, value: float) -> str:
        run = self._benchmark
        assert run
        source = say("the provider's price list, as the catalog or the settings give it")
        return self._of(run, "published", about, say("price per million tokens"), value, "USD", source)

    def _of(
        self,
        run: Evaluation | Benchmark,
        kind: Literal["measured", "computed", "published"],
        about: str,
        what: Text,
        value: float,
        unit: str,
        source: Text,
        computed_from: tuple[str, ...] = (),
    ) -> str:
        return self.add(
            kind,
            about,
            what,
            value,
            unit,
            source=source,
            date=run.started.date(),
            run_id=run.run_id,
            computed_from=computed_from,
        )


def table(field: Contest, evidence: RunEvidence, load: UnderLoad | None = None) -> tuple[Row, ...]:
    """The table, best quality first; standings of those that take part are filled in after the decision."""
    order = sorted(field.quality, key=lambda spec: (-field.quality[spec].primary_mean, spec))
    front = pareto_front({s: point(field, s) for s in order if s in field.speed and s not in field.excluded})
    cites: dict[str, dict[str, str]] = {}
    for spec in order:
        measured = field.quality[spec]
        cites[spec] = {
            name: evidence.quality(spec, Text.model_validate(name), value) for name, value in measured.metrics.items()
        }
        cites[spec]["quality"] = cites[spec][next(iter(measured.metrics))]
    best = next((c.best for c in field.comparisons.values()), order[0])
    rows = []
    for spec in order:
        speed, comparison = field.speed.get(spec), field.comparisons.get(spec)
        if comparison and comparison.verdict != "best":
            both = (cites[spec]["quality"], cites[best]["quality"])
            cites[spec] |= evidence.comparison(comparison, comparison.difference.level, both)
        if comparison and comparison.p_within is not None and len(field.comparisons) > 1:
            scores = tuple(cites[s]["quality"] for s in order if s in field.comparisons)
            cites[spec]["p_within"] = evidence.within(comparison, scores)
        if speed:
            cites[spec] |= _cited(spec, speed, COSTS, evidence.cost)
            if speed.usd_per_million_tokens is not None:
                cites[spec][PRICE] = evidence.price(spec, speed.usd_per_million_tokens)
            cites[spec] |= _cited(spec, speed, SPEED, evidence.cost)
        held = load.of(spec) if load else None
        if held:
            cites[spec] |= evidence.held(held)
        cites[spec] |= _cited(spec, field.quality[spec], WORK, evidence.work)
        cut = field.quality[spec].recall_by_cut
        if cut:
            what = {
                "whole": (say("R@{k} of documents read whole", k=cut.k), ""),
                "cut": (say("R@{k} of documents cut off", k=cut.k), ""),
            }
            cites[spec] |= {f"recall_{k}": id for k, id in _cited(spec, cut, what, evidence.quality).items()}
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
                holds_qps=(held.holds_qps or 0.0) if held else None,
                machines=int(held.machines(load.rate)) if load and held and held.holds_qps else None,
                on_pareto_front=spec in front,
                excluded_by=field.excluded.get(spec),
                cites=cites[spec],
            )
        )
    return tuple(rows)


def _cited(
    spec: str, found: Record, fields: dict[str, tuple[Text, str]], add: Callable[[str, Text, float, str], str]
) -> dict[str, str]:
    """Evidence of what is known of these fields."""
    known = {name: value for name in fields if (value := getattr(found, name)) is not None}
    return {name: add(spec, fields[name][0], value, fields[name][1]) for name, value in known.items()}


def with_standing(row: Row, winner: str, field: Contest) -> Row:
    """The row with its place in the decision."""
    if row.standing == "excluded":
        return row
    if field.alone:
        return row.model_copy(update={"standing": "alone"})
    verdict = field.comparisons[row.spec].verdict
    standing = "winner" if row.spec == winner else ("tied" if verdict == "best" else verdict)
    return row.model_copy(update={"standing": standing})
