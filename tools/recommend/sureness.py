"""How sure a decision is, from its tests and its labels, in words."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.results import (
    Comparison,
    Evaluation,
    Row,
    SilverQueries,
)
from knowledge.wording import Text, join, say
from tools.recommend.contest import Contest
from tools.recommend.naming import alike_but_undecided, ids, names_of, p_text, queries_needed, so_many
from tools.statistics import ALPHA

#: rounds of timing that differ by more than this were disturbed
BUSY = 1.5
#: share of queries on which failures matter: as much as the default margin, were they total
RARE = 0.02


def confidence(
    winner: str, best: str, field: Contest, evaluation: Evaluation, undecided: Sequence[str], rows: Sequence[Row]
) -> Text:
    """How sure the decision is, from the tests and the labels; the rows bring the ids of the evidence."""
    cites = {row.spec: row.cites for row in rows}
    candidates = len(field.comparisons) + field.left_out
    pairs = candidates * (candidates - 1) // 2
    if pairs > 1:
        tested = say(
            "Measured on {queries} queries with paired tests, corrected for all {count} pairs of candidates.",
            queries=evaluation.judged_queries,
            count=pairs,
        )
    elif pairs:
        tested = say("Measured on {queries} queries with a paired test.", queries=evaluation.judged_queries)
    else:
        tested = say("Measured on {queries} queries.", queries=evaluation.judged_queries)
    parts = [tested]
    if field.alone:
        parts.append(
            say(
                "It was measured alone: that says how well it does on your data, and not whether any other would do "
                "better or cost less."
            )
        )
    if winner != best and not field.comparisons[winner].same_weights:
        parts.append(_tied(field.comparisons[winner], ids(cites[winner], "p_worse")))
        won = field.comparisons[winner]
        parts.extend(_unseen(won.wins + won.losses + won.draws))
    same = [c.spec for c in field.comparisons.values() if c.same_weights]
    if same:
        parts.append(_same(same, best))
    alike = alike_but_undecided(best, field)
    if alike:
        parts.append(_alike(alike, best, field))
    differing = [spec for spec in undecided if spec not in alike]
    if differing:
        parts.append(_undecided(differing, field, evaluation.judged_queries))
    parts.extend(_reach(winner, field, ids(cites[winner], "p_within")))
    if field.left_out:
        parts.append(
            say(
                "Left out in the rounds of screening: {count}. That holds for your queries; what holds for others like "
                "them was tested for those measured in full.",
                count=so_many(field.left_out),
            )
        )
    parts.extend(evaluation.warnings)
    noise = max((s.noise for s in field.speed.values()), default=1.0)
    if noise >= BUSY:
        parts.append(
            say(
                "This machine was busy while it timed (rounds differ by up to {noise:.1f} times; the quietest counts): "
                "repeat it on an idle one where a limit is near.",
                noise=noise,
            )
        )
    if evaluation.dataset.labels == "silver":
        parts.append(say("The labels are silver, made from the data itself: the order is safer than the level."))
    if evaluation.dataset.silver is not None:
        parts.append(_made(evaluation.dataset.silver, evaluation.judged_queries))
    return join(parts)


def _made(silver: SilverQueries, queries: int) -> Text:
    """What queries of this program's making can and cannot say of those that people ask."""
    return say(
        "People asked none of these {queries} queries: they share {share:.0%} of their telling words with their "
        "documents. Users who word things more freely favour encoders over word matching, and the other way round; "
        "some 50 queries of theirs with judgments would make it sure.",
        queries=queries,
        share=silver.shared_words,
    )


def _unseen(queries: int) -> list[Text]:
    """What no test on so few queries can rule out: failures that did not happen to be among them.

    Zero in n is within what happens in 5 of 100 cases up to a share of 1 - 0.05^(1/n) (about 3/n, the rule of three).
    """
    share = 1 - ALPHA ** (1 / queries)
    if share < RARE:
        return []
    return [
        say(
            "Failures on up to {share:.0%} of all queries can go unseen among {queries}: no test shows what did not "
            "occur.",
            share=share,
            queries=queries,
        )
    ]


def _tied(winner: Comparison, evidence: str) -> Text:
    return say(
        "That it is worse than the best by more than the margin is rejected (p {p}; {evidence}).",
        p=p_text(winner.p_worse),
        evidence=evidence,
    )


def _same(specs: Sequence[str], best: str) -> Text:
    """Why settings of one model are tied on fewer queries than two models would need."""
    return say(
        "{names}: the same model as {best} in other arithmetic, scoring alike on every query. They count as tied, as "
        "rounding alone is not known to cost more than a fraction of a point; cost decides.",
        names=names_of(specs),
        best=best,
    )


def _alike(specs: Sequence[str], best: str, field: Contest) -> Text:
    names = names_of(specs)
    needed = queries_needed(specs, field)
    if needed is None:
        return say(
            "{names}: scores alike with {best} on every query; with your margin no reasonable number of queries would "
            "show that it stays so.",
            names=names,
            best=best,
        )
    return say(
        "{names}: scores alike with {best} on every query, which may be chance on so few; were it still so on {needed} "
        "queries, they would count as tied.",
        names=names,
        best=best,
        needed=needed,
    )


def _reach(winner: str, field: Contest, evidence: str) -> list[Text]:
    """What a sample like this one can show at all, and whether it shows that nothing else is much better."""
    shown = [100 * c.smallest_shown for c in field.comparisons.values() if c.smallest_shown is not None]
    found = []
    if len(shown) == 1:
        found.append(
            say(
                "The smallest difference that such a sample shows in four of five cases is {points:.1f} points.",
                points=shown[0],
            )
        )
    elif shown:
        found.append(
            say(
                "The smallest difference to the best that such a sample shows in four of five cases is {low:.1f} to "
                "{high:.1f} points, depending on how alike the two are.",
                low=min(shown),
                high=max(shown),
            )
        )
    p = field.comparisons[winner].p_within
    others = [c for c in field.comparisons.values() if c.verdict != "best"]
    if any(c.same_weights for c in others) and all(c.same_weights or c.verdict == "worse" for c in others):
        return found  # the tests know nothing of what makes them tied, so what they do not rule out is no news
    if len(field.comparisons) > 1 and p is not None:
        found.append(
            say(
                "Whichever candidate is truly the best, this one is shown not to be worse than it by more than the "
                "margin (p {p}; {evidence}).",
                p=p_text(p),
                evidence=evidence,
            )
            if p < ALPHA
            else say("The sample does not rule out that another candidate is better by more than the margin.")
        )
    return found


def _undecided(specs: Sequence[str], field: Contest, queries: int) -> Text:
    names = names_of(specs)
    needed = queries_needed(specs, field)
    if needed is None and queries > 1:
        return say(
            "The sample does not show where {names} stands, and no reasonable number of queries would: the difference "
            "lies on the edge of your margin.",
            names=names,
        )
    if needed is not None and needed > queries:
        return say(
            "The sample is too small to place {names}; about {needed:,} queries would settle it.",
            names=names,
            needed=needed,
        )
    return say("The sample does not show where {names} stands.", names=names)
