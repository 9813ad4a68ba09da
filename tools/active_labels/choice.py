"""Which pair to ask about next: the one whose answer narrows the open comparisons most.

An answer does two things to a difference between two candidates: it settles its own document's part, whose variance is
that of a coin with the probability of `Relevance` times the square of what the document moves; and it teaches the
regression, which narrows what all other unjudged documents are expected to add (the decrease of the variance of a
linear function of the weights by one more observation). The sum of both, weighted by how open each comparison is, is
what the pair is worth: the greedy design of Carterette, Allan & Sitaraman (SIGIR 2006) with the parameters' own
uncertainty in it, as optimal designs have it (Chaloner & Verdinelli 1995, Statistical Science 10).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.active_labels.gain import Metric
from tools.active_labels.outlook import Outlook
from tools.active_labels.pool import Pool
from tools.active_labels.relevance import Relevance

Array = NDArray[np.float64]
#: so much every comparison counts, however settled it looks
_LEAST = 1e-3
#: one-sided 95 %
_AWAY = 1.645
#: answers that the prior of `Relevance` counts for
_PRIOR = 10


def worth(pool: Pool, metric: Metric, learnt: Relevance, found: Outlook) -> Array:
    """What an answer about each pooled document is worth, shape (queries, documents); 0 where there is nothing to ask.

    Only the order of the values means something.
    """
    moves = _moves(pool, metric)
    p = learnt.probability
    spread = p * (1 - p)
    leverage = np.einsum("qpf,fg,qpg->qp", learnt.features, learnt.covariance, learnt.features)
    winner = found.decision.winner
    total = np.zeros(pool.unknown.shape)
    for rival in range(len(pool.specs)):
        if rival == winner:
            continue
        moved = np.where(pool.unknown, moves[winner] - moves[rival], 0.0)
        gradient = np.einsum("qp,qpf->f", moved * spread, learnt.features)
        pulled = learnt.features @ (learnt.covariance @ gradient)
        taught = np.where(moved != 0, spread * pulled**2 / (1 + spread * leverage), 0.0)
        total += _openness(found, rival) * (moved**2 * spread + taught)
    return np.where(pool.unknown, total, 0.0)


def _openness(found: Outlook, rival: int) -> float:
    """How little the completions agree on whether the rival would be taken instead."""
    share = float((found.gap(rival) < found.boundary(rival)).mean())
    return share * (1 - share) + _LEAST


def _moves(pool: Pool, metric: Metric) -> Array:
    """By how much each document, were it relevant, moves each candidate's mean: (candidates, queries, documents)."""
    none = np.zeros(pool.unknown.shape, np.bool_)
    now, counting = metric.scores(none)
    now = np.where(counting, now, 0.0)
    moves = np.zeros((len(pool.specs), *pool.unknown.shape))
    for column in range(pool.unknown.shape[1]):
        flipped = none.copy()
        flipped[:, column] = True
        moves[:, :, column] = metric.scores(flipped)[0] - now
    return moves / len(pool.queries)


def expected_more(found: Outlook, answered: int, left: int) -> int | None:
    """About how many more answers settle it; None where even all that are `left` are not likely to.

    The variance of a gap falls about as one over the number of answers, those that the prior counts for included; of
    each rival so many are needed that its boundary is `_AWAY` standard deviations from the gap.
    """
    most = 0.0
    for rival in range(found.means.shape[1]):
        if rival != found.decision.winner:
            gap = found.gap(rival)
            distance, spread = abs(float(gap.mean()) - found.boundary(rival)), float(gap.std())
            if spread > 0:
                times = (_AWAY * spread / distance) ** 2 if distance > 0 else np.inf
                most = max(most, (answered + _PRIOR) * (times - 1))
    return min(max(int(np.ceil(most)), 1), left) if most <= left else None
