"""Does it find what the recommendation found, and is that as good, query by query?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from knowledge.results import Interval
from knowledge.results.handover import HandoverQuery
from knowledge.results.verification import Check
from knowledge.wording import Text, say
from tools.metrics import scoring
from tools.statistics import ALPHA, EQUAL_SCORES, Scores, bootstrap_interval, by_text, queries_needed, worse_by_more
from tools.verify.subject import DEPTH, Deployed, failed, passed, skipped

#: an approximate index loses less than this of the first documents where it is set up as recommended
AGREES = 0.9
_CUTOFF = re.compile(r"@(\d+)$")


def answers(deployed: Deployed) -> Iterator[Check]:
    """Whether every query was answered."""
    count = len(deployed.failures)
    figures = {"asked": float(len(deployed.queries)), "failed": float(count)}
    if count:
        query, error = next(iter(deployed.failures.items()))
        told = say(
            "{count} of {queries} queries were not answered; “{query}”: {why}",
            count=count,
            queries=len(deployed.queries),
            query=query,
            why=error.cause,
        )
        if deployed.is_down:
            told = say("{told} After {count} in a row it was not asked any more.", told=told, count=deployed.unanswered)
        yield failed("quality", "answers", "crash", told, error.next_step, figures)
    elif not deployed.finds:
        told = say("All {queries} queries were answered, each without any document.", queries=len(deployed.queries))
        remedy = say("Fill it again, and look at what the ingest left out.")
        yield failed("quality", "answers", "missing documents", told, remedy, figures)
    else:
        told = say("All {queries} queries were answered.", queries=len(deployed.queries))
        yield passed("quality", "answers", told, figures)


def quality(deployed: Deployed) -> Iterator[Check]:
    """The primary metric against what was measured, paired by query; the others against their means."""
    judged = [q for q in deployed.queries if any(grade > 0 for grade in q.relevant.values())]
    primary = deployed.handover.primary
    metrics = [
        name
        for name in dict.fromkeys((primary, *deployed.handover.metrics))
        if _fits(name, deployed.reach, deployed.handover.documents)
    ]
    if not judged or primary not in metrics:
        why = say("Its answers are too short for {metric}, or no query has a right answer.", metric=primary)
        yield skipped("quality", primary, why)
        return
    scores = scoring.score(
        {q.id: _as_scored(deployed, q) for q in judged}, {q.id: dict(q.relevant) for q in judged}, metrics
    )
    before = {q.id: q.score for q in judged if q.score is not None}
    yield _paired(deployed, primary, {q: scores[primary][q] for q in before}, before)
    for name in metrics[1:]:
        if name in deployed.handover.metrics and not name.startswith("Judged"):
            yield _mean(deployed, name, scores[name])


def _fits(metric: str, reach: int, documents: int) -> bool:
    """Whether answers are long enough for a metric; one without a cut-off takes all that an evaluation ranks."""
    found = _CUTOFF.search(metric)
    return min(int(found[1]) if found else DEPTH, documents) <= reach


def _as_scored(deployed: Deployed, query: HandoverQuery) -> list[tuple[str, float]]:
    return [(id, -float(rank)) for rank, id in enumerate(deployed.ranking(deployed.found.get(query.id, ()), query))]


def same_texts(queries: Sequence[HandoverQuery]) -> list[list[str]]:
    """Ids of queries with the same text: tests take them for one."""
    groups: dict[str, list[str]] = {}
    for query in queries:
        groups.setdefault(" ".join(query.text.split()), []).append(query.id)
    return [group for group in groups.values() if len(group) > 1]


def _paired(deployed: Deployed, metric: str, now: Mapping[str, float], before: Mapping[str, float]) -> Check:
    if not before:
        return skipped("quality", metric, say("The scores of single queries were not kept, so nothing is paired."))
    groups = same_texts(deployed.queries)
    one = by_text(dict(now), groups)
    other = by_text(dict(before), groups)
    differences = np.array([one[query] - other[query] for query in other])
    mean = sum(now.values()) / len(now)
    return non_inferior(
        deployed,
        metric,
        differences,
        {"measured": sum(before.values()) / len(before), "deployed": mean},
    )


def non_inferior(deployed: Deployed, metric: str, differences: Scores, means: Mapping[str, float]) -> Check:
    """Whether a loss beyond the margin is ruled out.

    On these very queries the mean loss is a fact: beyond the margin it fails. Within it, the test says whether queries
    like these could show more; where they are too few to say, it is skipped and not passed.
    """
    margin = deployed.handover.margin
    interval = bootstrap_interval(differences)
    figures = {**means, "difference": interval.mean, "low": interval.low, "high": interval.high, "margin": margin}
    told = say(
        "{metric} {deployed:.3f} against {measured:.3f} measured: {difference} on {queries} queries; the margin is "
        "{margin:g}.",
        metric=metric,
        deployed=means["deployed"],
        measured=means["measured"],
        difference=in_words(interval),
        queries=len(differences),
        margin=margin,
    )
    if interval.mean < -margin - EQUAL_SCORES:
        remedy = say("See what the checks of identity, corpus and agreement found; they say what is different.")
        return failed("quality", metric, "quality", told, remedy, figures)
    p = worse_by_more(differences, margin) if len(differences) > 1 else 1.0
    if p < ALPHA or float(np.abs(differences).max(initial=0.0)) <= EQUAL_SCORES:
        return passed("quality", metric, told, {**figures, "p_worse": p})
    needed = queries_needed(differences, margin) if len(differences) > 1 else None
    why = (
        say(
            "{told} Too few queries to rule out a larger loss; about {needed} would do.",
            told=told,
            needed=needed,
        )
        if needed
        else say("{told} Too few queries to rule out a larger loss.", told=told)
    )
    return skipped("quality", metric, why, {**figures, "p_worse": p})


def in_words(interval: Interval) -> Text:
    """A difference with its interval."""
    return say(
        "{mean:+.3f} [{low:+.3f}, {high:+.3f}]",
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
    )


def _mean(deployed: Deployed, metric: str, scores: Mapping[str, float]) -> Check:
    measured, margin = deployed.handover.metrics[metric], deployed.handover.margin
    interval = bootstrap_interval(np.array(list(scores.values())))
    told = say(
        "{metric} {mean:.3f} [{low:.3f}, {high:.3f}] against {measured:.3f} measured.",
        metric=metric,
        mean=interval.mean,
        low=interval.low,
        high=interval.high,
        measured=measured,
    )
    figures = {"measured": measured, "deployed": interval.mean, "low": interval.low, "high": interval.high}
    if interval.mean < measured - margin - EQUAL_SCORES:
        return failed("quality", metric, "quality", told, None, figures)
    return passed("quality", metric, told, figures)


def agreement(deployed: Deployed) -> Iterator[Check]:
    """How many of the first documents are those that the evaluation found."""
    shares = {
        q.id: overlap(deployed.ranking(deployed.found[q.id], q), q.expected)
        for q in deployed.queries
        if q.id in deployed.found and q.expected
    }
    if not shares:
        yield skipped("agreement", "first documents", say("What the evaluation found first was not kept."))
        return
    mean = sum(shares.values()) / len(shares)
    k = deployed.handover.depth
    same = sum(share == 1 for share in shares.values())
    figures = {"overlap": mean, "same": float(same), "queries": float(len(shares))}
    told = say(
        "{share:.1%} of the first {k} documents are those that the evaluation found ({same} of {queries} queries the "
        "same).",
        share=mean,
        k=k,
        same=same,
        queries=len(shares),
    )
    if mean >= AGREES:
        yield passed("agreement", "first documents", told, figures)
    else:
        yield from _explained(deployed, told, figures)


def _explained(deployed: Deployed, told: Text, figures: Mapping[str, float]) -> Iterator[Check]:
    from tools.verify.rankings import explain_rankings

    cause = explain_rankings(deployed)
    if cause is None:
        remedy = say("It is another set-up than the one measured: compare model, prompts, chunks and index.")
        yield failed("agreement", "first documents", "quality", told, remedy, figures)
        return
    yield failed(
        "agreement",
        "first documents",
        cause.fault,
        say("{told} {cause}", told=told, cause=cause.reason),
        cause.remedy,
        {**figures, "overlap_explained": cause.overlap},
    )


def overlap(found: Sequence[str], expected: Sequence[str]) -> float:
    """Share of the expected documents among as many first ones."""
    return len(set(found[: len(expected)]) & set(expected)) / len(expected)
