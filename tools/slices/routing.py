"""Would two candidates do better than one, each for its part of the queries?

Advised only where all of this holds, so that chance and habit give no advice:

- an application can tell the part from the query alone: its language, its length, its kind;
- on that part the other candidate is better than the winner by more than the margin, by an interval that allows for
  every part and rival that was looked at (Bonferroni);
- it is better by more there than on the other queries (Welch's interval, at the same level): else one had better use
  it for all;
- the whole is better than the winner alone, and than each of the others alone, at 95 %.

The whole is measured by cross-fitting: on one half of the queries, drawn at random, the best candidate of each such
part is picked, as long as it is ahead by more than the margin; the other half is answered so; then the halves change
places.
The mean over several draws is each query's score. A figure taken from the queries that the parts were picked on would
be too good. One thing stays: that a routing is advised at all follows from the same queries, so that its gain is
somewhat larger here than on new ones (``benchmarks/slices`` says by how much).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from knowledge.results import Evaluation, Interval, Recommendation, Routed, Routing, Slice, SliceScore
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.slices.traits import Trait
from tools.statistics import EQUAL_SCORES, bootstrap_interval

#: draws of halves, over which a query's score is the mean
DRAWS = 20

Scores = NDArray[np.float64]


def most_gain_first(found: Iterable[Routing | None]) -> tuple[Routing, ...]:
    """The routings there are, best first."""
    return tuple(sorted((one for one in found if one), key=lambda one: -one.gain.mean))


class Router:
    """Finds what is better routed.

    Args:
        scores: per independent query, {spec: {query: score}}; the winner first.
        level: of intervals, allowing for all parts and rivals.
        recommendation: margin, and what the candidates cost.
        evaluation: what the evidence names.
        evidence: takes the figures.
    """

    def __init__(
        self,
        scores: Mapping[str, Mapping[str, float]],
        level: float,
        recommendation: Recommendation,
        evaluation: Evaluation,
        evidence: EvidenceList,
    ) -> None:
        self._specs = tuple(scores)
        self._scores, self._level, self._advice = scores, level, recommendation
        self._run, self._evidence = evaluation, evidence

    def route(self, trait: Trait, parts: Sequence[Slice]) -> Routing | None:
        """What of a trait is better answered by others than the winner; None where nothing is shown to be.

        Args:
            trait: with parts of enough queries.
            parts: what was measured of each, in the same order.
        """
        queries = list(self._scores[self._specs[0]])
        matrix = np.array([[self._scores[spec][q] for q in queries] for spec in self._specs])
        place = {q: i for i, q in enumerate(queries)}
        rows = [np.array([place[q] for q in part.queries]) for part in trait.parts]
        chosen = {
            i: score
            for i, (of, at) in enumerate(zip(parts, rows, strict=True))
            if (score := self._shown(of, matrix, at)) is not None
        }
        if not chosen:
            return None
        routed = cross_fitted(matrix, [rows[i] for i in chosen], self._advice.margin)
        gain = bootstrap_interval(routed - matrix[0])
        others = dict.fromkeys(score.spec for score in chosen.values())
        over = {spec: bootstrap_interval(routed - matrix[self._specs.index(spec)]) for spec in others}
        if min(interval.low for interval in (gain, *over.values())) <= EQUAL_SCORES:  # rounding is no gain
            return None
        return self._record(trait, parts, chosen, gain, over)

    def _shown(self, part: Slice, matrix: Scores, rows: NDArray[np.intp]) -> SliceScore | None:
        """The rival that is to answer a part, if one is shown to be better there and not as good elsewhere."""
        rest = np.setdiff1d(np.arange(matrix.shape[1]), rows)
        shown = [
            score
            for score in part.scores
            if score.difference is not None
            and score.difference.low > self._advice.margin
            and self._is_better_there(matrix[self._specs.index(score.spec)] - matrix[0], rows, rest)
        ]
        return max(shown, key=lambda score: score.quality.mean, default=None)

    def _is_better_there(self, differences: Scores, here: NDArray[np.intp], rest: NDArray[np.intp]) -> bool:
        """Whether it is ahead by more on these queries than on the others, at the level of all parts."""
        return len(rest) > 1 and _least_gap(differences[here], differences[rest], self._level) > 0

    def _record(
        self,
        trait: Trait,
        parts: Sequence[Slice],
        chosen: Mapping[int, SliceScore],
        gain: Interval,
        over: Mapping[str, Interval],
    ) -> Routing:
        winner = self._specs[0]
        routed = [
            Routed(
                part=parts[i].part,
                spec=score.spec,
                queries=parts[i].queries,
                difference=score.difference,
                cites={"difference": score.cites["difference"]},
            )
            for i, score in chosen.items()
            if score.difference is not None
        ]
        of = tuple(one.cites["difference"] for one in routed)
        cites = {"gain": self._cite(winner, trait.name, gain, of)}
        cites |= {f"over/{spec}": self._cite(spec, trait.name, interval, of) for spec, interval in over.items()}
        return Routing(
            trait=trait.name,
            parts=tuple(routed),
            otherwise=winner,
            queries=sum(len(part.queries) for part in trait.parts),
            gain=gain,
            over=dict(over),
            memory_mb=self._memory((winner, *over)),
            shared=_shares_all(winner, over),
            cites=cites,
        )

    def _memory(self, specs: Sequence[str]) -> float | None:
        known = [row.peak_memory_mb for row in self._advice.rows if row.spec in specs and row.peak_memory_mb]
        return sum(known) if len(known) == len(specs) else None

    def _cite(self, against: str, trait: Text, value: Interval, computed_from: tuple[str, ...]) -> str:
        run = self._run
        return self._evidence.add(
            "computed",
            against,
            say("gain in {metric} of routing by {trait} over this candidate alone", metric=run.primary, trait=trait),
            value.mean,
            source=say(
                "chosen on one half of the queries and measured on the other, {draws} times, {dataset}",
                draws=DRAWS,
                dataset=run.dataset.name,
            ),
            date=run.started.date(),
            run_id=run.run_id,
            computed_from=computed_from,
        )


def cross_fitted(scores: Scores, parts: Sequence[NDArray[np.intp]], margin: float, *, seed: int = 0) -> Scores:
    """Each query's score when its part is answered by the candidate that was best on the other half of that part.

    Args:
        scores: shape (candidates, queries), the winner first; it answers what no other is ahead on by the margin.
        parts: places of the queries of each part, disjoint; queries in none are the winner's.
        margin: by which a candidate has to be ahead.
        seed: of the draws.

    Returns:
        shape (queries,).
    """
    rng = np.random.default_rng(seed)
    total = np.zeros(scores.shape[1])
    for _ in range(DRAWS):
        routed = scores[0].copy()
        for places in parts:
            halves = np.array_split(rng.permutation(places), 2)
            for chosen_on, measured_on in (halves, halves[::-1]):
                means = scores[:, chosen_on].mean(axis=1)
                best = int(means.argmax())
                if means[best] - means[0] > margin:
                    routed[measured_on] = scores[best, measured_on]
        total += routed
    return total / DRAWS


def _least_gap(one: Scores, two: Scores, level: float) -> float:
    """The lower end of Welch's interval of the first mean minus the second (Biometrika 34, 1947)."""
    from scipy import stats

    gap = float(one.mean() - two.mean())
    variances = [float(values.var(ddof=1)) / len(values) for values in (one, two)]
    both = sum(variances)
    if both <= EQUAL_SCORES**2:  # rounding is no spread
        return gap
    freedom = both**2 / sum(v**2 / (len(of) - 1) for v, of in zip(variances, (one, two), strict=True))
    return gap - float(stats.t.ppf((1 + level) / 2, freedom)) * float(np.sqrt(both))


def _shares_all(winner: str, others: Iterable[str]) -> bool:
    """Whether all legs of the others are the winner's legs, or count words only."""
    try:
        own = set(parse_candidate(winner).legs)
        return all(leg in own or leg.backend == "bm25" for spec in others for leg in parse_candidate(spec).legs)
    except SpecError:
        return False
