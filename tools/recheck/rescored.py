"""Candidates on today's data, query by query: the one in use against its own figures, the others against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.results import Interval
from knowledge.results.recheck import AskedAgain, Rescored
from knowledge.wording import Text, say
from tools.statistics import EQUAL_SCORES, LEVEL, bootstrap_interval, by_text


def rescored(
    spec: str,
    against: str,
    now: Mapping[str, float],
    before: Mapping[str, float],
    margin: float,
    *,
    same: Sequence[Sequence[str]] = (),
    comparisons: int = 1,
    worse: bool = False,
) -> Rescored | None:
    """One candidate against other figures of the same queries; None where they have no query in common.

    The margin counts as beaten only where the whole interval lies beyond it: its lower end above, or where a fall is
    looked for, its upper end below. That is non-inferiority turned round, so that chance raises no alarm.

    Args:
        spec: the candidate.
        against: what the other figures are of.
        now: its scores today, query id -> score.
        before: the other figures.
        margin: of the metric.
        same: ids of queries with the same text: they count as one.
        comparisons: made beside this one; the interval is as much wider (Bonferroni).
        worse: whether a fall is looked for, rather than a gain.
    """
    common = [query for query in before if query in now]
    if not common:
        return None
    one = by_text({query: now[query] for query in common}, same)
    other = by_text({query: before[query] for query in common}, same)
    differences = np.array([one[query] - other[query] for query in one])
    level = 1 - (1 - LEVEL) / max(comparisons, 1)
    interval = bootstrap_interval(differences, level=level)
    alone = len(differences) < 2  # one query shows nothing
    beyond = interval.high < -margin - EQUAL_SCORES if worse else interval.low > margin + EQUAL_SCORES
    return Rescored(
        spec=spec,
        against=against,
        queries=len(common),
        now=bootstrap_interval(np.array(list(one.values()))),
        difference=interval,
        wins=int((differences > EQUAL_SCORES).sum()),
        losses=int((differences < -EQUAL_SCORES).sum()),
        beyond=beyond and not alone,
    )


def change_in_words(difference: Interval) -> Text:
    """A difference with its interval, in points."""
    return say(
        "{mean:+.1f} points [{low:+.1f}, {high:+.1f}]",
        mean=100 * difference.mean,
        low=100 * difference.low,
        high=100 * difference.high,
    )


def changed_in_words(one: AskedAgain) -> Text:
    """That an endpoint's model is another one now."""
    since = one.since.isoformat()
    if one.cosine is None:
        return say(
            "{host} gives vectors of another length for {spec} than on {since}: its model was changed under that name.",
            host=one.host,
            spec=one.spec,
            since=since,
        )
    return say(
        "{host} gives other vectors for {spec} than on {since} (cosine {cosine:.4f} over {texts} texts): its model was "
        "changed under that name.",
        host=one.host,
        spec=one.spec,
        since=since,
        cosine=one.cosine,
        texts=one.texts,
    )
