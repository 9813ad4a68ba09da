"""Whether the labels that are missing could change the decision, and by how much each comparison is open.

The missing labels are filled in, many times, each time as likely as `Relevance` has it (multiple imputation; Rubin
1987, "Multiple imputation for nonresponse in surveys"). The mean of a difference over these completions is its
estimate, their spread its interval, and the share of completions that take the same candidate says how settled the
decision is: the confidence of Carterette, Allan & Sitaraman ("Minimal test collections for retrieval evaluation", SIGIR
2006), of the whole decision instead of one sign. The interval is from missing labels alone: what other queries would
show is told by the tests of an evaluation.

Scores that count what nobody judged as not relevant are no estimate here: with few labels they favour whoever's
documents were asked about (``benchmarks/active_labels``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.active_labels.gain import Metric
from tools.active_labels.pool import Pool
from tools.active_labels.relevance import Relevance, likely

Array = NDArray[np.float64]
#: completions of the labels, and cells of all of them together, at most
DRAWS, _CELLS = 400, 6_000_000
LEVEL = 0.95


@dataclass(frozen=True)
class Decision:
    """What follows from some labels: the candidates within the margin of the best mean, and the cheapest of them."""

    winner: int
    within: frozenset[int]
    best: int


@dataclass(frozen=True)
class Outlook:
    """How settled a decision is.

    Attributes:
        decision: of the expected means.
        agreeing: share of the completions in which its winner would be taken too, or, where nothing is known of costs,
            is within the margin of the best.
        means: of each candidate in each completion, shape (completions, candidates).
        margin: accepted loss.
        order: the candidates, cheapest first; None: nothing is known of costs.
    """

    decision: Decision
    agreeing: float
    means: Array
    margin: float
    order: tuple[int, ...] | None

    def gap(self, rival: int) -> Array:
        """How far the winner is ahead of a rival in each completion."""
        found: Array = self.means[:, self.decision.winner] - self.means[:, rival]
        return found

    def interval(self, rival: int) -> tuple[float, float, float]:
        """The same: expected, and the ends of its interval."""
        found, tail = self.gap(rival), (1 - LEVEL) / 2
        return float(found.mean()), float(np.quantile(found, tail)), float(np.quantile(found, 1 - tail))

    def boundary(self, rival: int) -> float:
        """The gap below which the rival would be taken instead.

        A cheaper one needs to be within the margin only; any other has to be ahead by more than it.
        """
        cheaper = self.order is not None and self.order.index(rival) < self.order.index(self.decision.winner)
        return self.margin if cheaper else -self.margin


def decide(means: Array, margin: float, order: Sequence[int] | None) -> Decision:
    """The decision of some means.

    Args:
        means: one a candidate.
        margin: accepted loss.
        order: the candidates, cheapest first; None: of those within the margin the best wins.
    """
    best = int(np.argmax(means))
    within = frozenset(np.flatnonzero(means >= means[best] - margin - 1e-12).tolist())
    winner = best if order is None else next(c for c in order if c in within)
    return Decision(winner, within, best)


def outlook(
    pool: Pool, metric: Metric, learnt: Relevance, margin: float, order: Sequence[int] | None = None, seed: int = 0
) -> Outlook:
    """The decision that the labels make likely, and with `DRAWS` completions of them how settled it is."""
    rng = np.random.default_rng(seed)
    draws = max(50, min(DRAWS, _CELLS // max(pool.unknown.size * len(pool.specs), 1)))
    means = np.zeros((draws, len(pool.specs)))
    for i, weights in enumerate(learnt.drawn(draws, rng)):
        scores, counting = metric.scores(rng.random(pool.unknown.shape) < likely(learnt.features, weights))
        if counting.any():
            means[i] = scores[:, counting].mean(axis=1)
    decision = decide(means.mean(axis=0), margin, order)
    found = [decide(row, margin, order) for row in means]
    same = [decision.winner in d.within if order is None else d.winner == decision.winner for d in found]
    return Outlook(decision, sum(same) / draws, means, margin, None if order is None else tuple(order))
