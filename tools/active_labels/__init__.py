"""Which few judgments would settle the decision, and how settled it is.

What the candidates found for each query (`Pool`), with what is judged of it, goes into a regression of relevance
(`relevance`), which fills the missing labels in many times (`outlook`); the pair whose answer narrows the open
comparisons most comes next (`choice`). Beside the intervals stand bounds that no answer can cross (`bounds`). How many
answers that takes, against pairs chosen at random, is measured in ``benchmarks/active_labels``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.results import Gap, Interval, Judging, Label, PairToJudge, Place
from knowledge.wording import say
from tools.active_labels.bounds import bounds
from tools.active_labels.choice import expected_more, worth
from tools.active_labels.gain import Metric
from tools.active_labels.outlook import LEVEL, Outlook, outlook
from tools.active_labels.passage import plain
from tools.active_labels.pool import Pool, Rankings, make_pool
from tools.active_labels.relevance import learn
from tools.label_store import counting, original_hash, with_labels
from tools.metrics.judgments import treat

__all__ = ["MOST", "judging"]

#: nobody is asked about more pairs than this, unless he says so
MOST = 100
#: a regression from fewer answers is no ground for calling anything settled
FEWEST = 10
#: characters of a query and of a passage that are shown
QUERY, PASSAGE = 400, 1000


def judging(
    found: Mapping[str, Rankings],
    dataset: Dataset,
    labels: Sequence[Label],
    *,
    metric: str,
    margin: float,
    order: Sequence[str] | None = None,
    most: int = MOST,
    count: int = 1,
) -> Judging:
    """How settled the decision between candidates is, and what to ask next.

    Args:
        found: spec -> query id -> ids of the first documents, best first.
        dataset: that they were found in, as it was read, without `labels`.
        labels: all judgments given here, oldest first.
        metric: nDCG@k, P@k, R@k, RR@k or Success@k, k up to 10.
        margin: accepted loss.
        order: the candidates, cheapest first; None: costs are not known, and the best is taken.
        most: answers after which it is enough.
        count: pairs that are named as the next ones.

    Raises:
        UserError: fewer than two candidates, nothing was found, or a metric that ten documents cannot tell.
    """
    if len(found) < 2 or not any(found.values()):
        raise UserError(
            say("Judging pairs takes two candidates that found something."),
            say("Measure two or more on the same data, such as bm25 and a model."),
        )
    treated = treat(with_labels(dataset, labels))
    latest = counting(labels)
    unsure = frozenset(pair for pair, label in latest.items() if label.grade is None)
    said = {pair for pair, label in latest.items() if label.grade is not None}
    pool = make_pool(found, treated.dataset.judgments, unsure)
    measure = Metric(metric, pool)
    both_ways = treat(dataset)
    learnt = learn(pool, _taught(pool, said, everything=both_ways.deep and both_ways.judged_not_relevant))
    places = None if order is None else [pool.specs.index(spec) for spec in order]
    looked = outlook(pool, measure, learnt, margin, places, seed=len(said))
    value = worth(pool, measure, learnt, looked)
    left = int((value > 0).sum())
    gaps = _gaps(pool, measure, looked)
    answered = sum(pool_pair in said for pool_pair in _pairs(pool))
    status = "open"
    if not left:
        status = "exhausted"
    elif _is_certain(gaps, looked, pool):
        status = "certain"
    elif looked.agreeing >= LEVEL and answered >= FEWEST:
        status = "settled"
    elif answered + len(unsure) >= most:
        status = "enough"
    return Judging(
        dataset=original_hash(dataset),
        metric=metric,
        margin=margin,
        queries=len(pool.queries),
        winner=pool.specs[looked.decision.winner],
        within=tuple(pool.specs[c] for c in sorted(looked.decision.within)),
        gaps=gaps,
        agreeing=looked.agreeing,
        answered=answered,
        unsure=len(unsure),
        left=left,
        more=_more(status, looked, answered, left),
        status=status,
        next=_next(pool, value, count, dataset),
    )


def _more(status: str, looked: Outlook, answered: int, left: int) -> int | None:
    """About how many more answers settle it."""
    if status in ("certain", "settled", "exhausted"):
        return 0
    found = expected_more(looked, answered, left)
    return None if found is None else min(max(found, FEWEST - answered), left)


def _taught(pool: Pool, said: set[tuple[str, str]], *, everything: bool) -> np.ndarray:
    """What the regression learns from: what was answered, and labels that say both yes and no of many documents."""
    found = np.zeros(pool.unknown.shape, np.bool_)
    for row, (query, documents) in enumerate(zip(pool.queries, pool.documents, strict=True)):
        for column, document in enumerate(documents):
            found[row, column] = (query, document) in said or (everything and not pool.unknown[row, column])
    return found


def _pairs(pool: Pool) -> list[tuple[str, str]]:
    return [(q, d) for q, documents in zip(pool.queries, pool.documents, strict=True) for d in documents]


def _gaps(pool: Pool, measure: Metric, looked: Outlook) -> tuple[Gap, ...]:
    winner, found = looked.decision.winner, []
    for rival, spec in enumerate(pool.specs):
        if rival != winner:
            mean, low, high = looked.interval(rival)
            least, most = bounds(measure, pool, winner, rival)
            interval = Interval(mean=mean, low=min(low, mean), high=max(high, mean), level=LEVEL)
            found.append(Gap(spec=spec, difference=interval, least=least, most=most))
    return tuple(sorted(found, key=lambda gap: gap.difference.mean))


def _is_certain(gaps: Sequence[Gap], looked: Outlook, pool: Pool) -> bool:
    """Whether no completion of the labels has any rival taken instead."""
    boundaries = {spec: looked.boundary(c) for c, spec in enumerate(pool.specs) if c != looked.decision.winner}
    return all(gap.least > boundaries[gap.spec] for gap in gaps)


def _next(pool: Pool, value: np.ndarray, count: int, dataset: Dataset) -> tuple[PairToJudge, ...]:
    best = np.argsort(-value, axis=None, kind="stable")[:count]
    found = []
    for row, column in zip(*np.unravel_index(best, value.shape), strict=True):
        if value[row, column] <= 0:
            break
        query, document = pool.pair(int(row), int(column))
        ranks = pool.places[:, row, column].tolist()
        places = tuple(Place(spec=s, place=rank or None) for s, rank in zip(pool.specs, ranks, strict=True))
        found.append(
            PairToJudge(
                query=query,
                document=document,
                query_text=plain(dataset.queries.get(query, ""), QUERY),
                text=plain(dataset.documents.get(document, ""), PASSAGE),
                places=places,
            )
        )
    return tuple(found)
