"""The decision in words: what, why, how sure, what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.candidate import parse_candidate
from knowledge.quantities import digits, memory, milliseconds, points, rate, storage
from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    Comparison,
    Evaluation,
    Pick,
    Plan,
    Preflight,
    Row,
    Screening,
    Shortlist,
    SilverQueries,
    SpeedOfCandidate,
)
from knowledge.wording import Text, join, say
from tools.recommend.contest import Contest, cost, dearer, is_measurable
from tools.recommend.table import COSTS
from tools.statistics import ALPHA

#: rounds of timing that differ by more than this were disturbed
BUSY = 1.5
#: share of queries on which failures matter: as much as the default margin, were they total
RARE = 0.02
#: so many names read well in a sentence
MOST_NAMES = 3


def _candidates(count: int) -> Text:
    return say("1 candidate") if count == 1 else say("{count} candidates", count=count)


def headline(winner: str, best: str, field: Contest, metric: str, margin: float) -> Text:
    """The answer in one sentence."""
    value = field.quality[winner].primary_mean
    if len(field.quality) == 1 and field.left_out:
        return say(
            "{winner}, {metric} {value:.3f}: all others ({count}) were left out in the rounds of screening, on your "
            "queries worse by more than the margin or dearer without being better by more.",
            winner=winner,
            metric=metric,
            value=value,
            count=_candidates(field.left_out),
        )
    if field.alone:
        return say(
            "{winner} was measured alone, {metric} {value:.3f}: nothing was compared with it, so nothing is decided "
            "against any other.",
            winner=winner,
            metric=metric,
            value=value,
        )
    higher = [spec for spec in field.excluded if field.quality[spec].primary_mean > value]
    if winner == best and higher:
        return say(
            "Use {winner}: {metric} {value:.3f}, the best of those that keep your limits ({count} measured higher and "
            "do not).",
            winner=winner,
            metric=metric,
            value=value,
            count=len(higher),
        )
    alike = _alike_but_undecided(best, field) if winner == best else []
    if alike:
        return say(
            "Use {winner}: {metric} {value:.3f}; no other measured higher, but {names} scores alike on every query, "
            "and {queries} queries are too few to call that a tie.",
            winner=winner,
            metric=metric,
            value=value,
            names=_names(alike),
            queries=field.comparisons[best].draws,
        )
    if winner == best:
        return say("Use {winner}: the best measured, {metric} {value:.3f}.", winner=winner, metric=metric, value=value)
    return say(
        "Use {winner}: {metric} {value:.3f}, not worse than the best ({best}, {best_value:.3f}) by more than "
        "{margin:.3f}, and {cheaper}.",
        winner=winner,
        metric=metric,
        value=value,
        best=best,
        best_value=field.quality[best].primary_mean,
        margin=margin,
        cheaper=say("cheaper")
        if dearer(cost(field.speed.get(best)), cost(field.speed.get(winner)))
        else say("the cheapest of those that are not"),
    )


def reasons(
    winner: str,
    best: str,
    field: Contest,
    rows: Sequence[Row],
    metric: str,
    requirements: Requirements,
    checked: Sequence[Preflight],
) -> tuple[Text, ...]:
    """Why the winner wins: quality, what warns of it, cost, what it saves, what is worse, the demands it meets.

    The rows bring the ids of the evidence that each figure cites.
    """
    cites = {row.spec: row.cites for row in rows}
    found = []
    tied = [c for c in field.comparisons.values() if c.verdict == "tied" and c.spec != winner]
    if winner != best:
        c = field.comparisons[winner]
        found.append(
            say(
                "Quality: {difference} points of {metric} against the best, 95 % interval {low} to {high}; it wins "
                "{wins} queries, loses {losses} and draws {draws} ({evidence}).",
                difference=points(c.difference.mean),
                metric=metric,
                low=points(c.difference.low),
                high=points(c.difference.high),
                wins=c.wins,
                losses=c.losses,
                draws=c.draws,
                evidence=_ids(cites[winner], "difference", "difference_low", "difference_high"),
            )
            if c.wins + c.losses
            else say(
                "Quality: the same as the best on every query ({evidence}).", evidence=_ids(cites[winner], "difference")
            )
        )
    elif tied:
        names = _names([c.spec for c in tied])
        found.append(say("Others are no worse by more than the margin, but not cheaper: {names}.", names=names))
    found += caveats(winner, checked)
    if winner in field.speed:
        s = field.speed[winner]
        found.append(
            say(
                "Cost on this machine: p95 {p95} a query, {rate} documents a second, {memory} of memory, {size} a "
                "document in the index ({evidence}).",
                p95=milliseconds(s.query_p95_ms),
                rate=rate(s.documents_per_second),
                memory=memory(s.peak_memory_mb),
                size=storage(s.bytes_per_vector),
                evidence=_ids(cites[winner], *COSTS),
            )
        )
    if winner != best and best in field.speed and winner in field.speed:
        found.append(_saving(field.speed[winner], field.speed[best], best))
    worse = [c for c in field.comparisons.values() if c.verdict == "worse"]
    if worse:
        c = max(worse, key=lambda c: c.difference.mean)
        found.append(
            say(
                "Measurably worse: {count}; the nearest, {spec}, by {difference} points of "
                "{metric} (p {p}; {evidence}).",
                count=_candidates(len(worse)),
                spec=c.spec,
                difference=points(-c.difference.mean, signed=False),
                metric=metric,
                p=p_text(c.p_different),
                evidence=_ids(cites[c.spec], "difference", "p_different"),
            )
        )
    held = [c.describe() for c in requirements.constraints if c.hard and (field.speed or not is_measurable(c))]
    if held:
        demands = join(held, Text(template="; "))
        found.append(say("Nothing known of it speaks against what you demand: {demands}.", demands=demands))
    return tuple(found)


def _ids(cites: Mapping[str, str], *names: str) -> str:
    """The evidence of these figures."""
    return ", ".join(cites[name] for name in names if name in cites)


def caveats(winner: str, checked: Sequence[Preflight]) -> list[Text]:
    """What was found of the winner's encoders before they were measured, and warns of relying on them."""
    legs = {leg.spec for leg in parse_candidate(winner).legs}
    warnings = [finding for of in checked if of.spec in legs for finding in of.findings if finding.severity == "warns"]
    none = Text(template="")
    told = (
        say("Before you rely on it: {finding} {remedy}", finding=w.finding, remedy=w.remedy or none) for w in warnings
    )
    return list(dict.fromkeys(told))


def _saving(winner: SpeedOfCandidate, best: SpeedOfCandidate, name: str) -> Text:
    return say(
        "Against {best} it needs {latency} times the latency, {work} times the time to encode documents, {memory} "
        "times the memory and {size} times the index.",
        best=name,
        latency=digits(winner.query_p95_ms / max(best.query_p95_ms, 1e-9), 2),
        work=digits(best.documents_per_second / max(winner.documents_per_second, 1e-9), 2),
        memory=digits(winner.peak_memory_mb / max(best.peak_memory_mb, 1e-9), 2),
        size=digits(winner.bytes_per_vector / max(best.bytes_per_vector, 1e-9), 2),
    )


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
        parts.append(_tied(field.comparisons[winner], _ids(cites[winner], "p_worse")))
        won = field.comparisons[winner]
        parts.extend(_unseen(won.wins + won.losses + won.draws))
    same = [c.spec for c in field.comparisons.values() if c.same_weights]
    if same:
        parts.append(_same(same, best))
    alike = _alike_but_undecided(best, field)
    if alike:
        parts.append(_alike(alike, best, field))
    differing = [spec for spec in undecided if spec not in alike]
    if differing:
        parts.append(_undecided(differing, field, evaluation.judged_queries))
    parts.extend(_reach(winner, field, _ids(cites[winner], "p_within")))
    if field.left_out:
        parts.append(
            say(
                "Left out in the rounds of screening: {count}. That holds for your queries; what holds for others like "
                "them was tested for those measured in full.",
                count=_candidates(field.left_out),
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
        names=_names(specs),
        best=best,
    )


def p_text(value: float) -> str:
    """A p value with its sign, never written as zero."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _names(specs: Sequence[str]) -> Text:
    """The candidates by name, or the first of them and a count: the table has them all."""
    if len(specs) <= MOST_NAMES:
        return Text(template="{names}", values={"names": ", ".join(specs)})
    named = ", ".join(specs[: MOST_NAMES - 1])
    return say("{names} and {count} others", names=named, count=len(specs) - MOST_NAMES + 1)


def _alike_but_undecided(best: str, field: Contest) -> list[str]:
    """Those that score as the best on every query, which are too few to show that they are tied."""
    return [
        spec
        for spec, c in field.comparisons.items()
        if spec != best and c.verdict == "undecided" and c.wins + c.losses == 0
    ]


def _alike(specs: Sequence[str], best: str, field: Contest) -> Text:
    names = _names(specs)
    needed = _queries_needed(specs, field)
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
    names = _names(specs)
    needed = _queries_needed(specs, field)
    if needed is None and queries > 1:
        return say(
            "The sample does not show where {names} stands, and no reasonable number of queries would: the difference "
            "lies on the edge of your margin.",
            names=names,
        )
    if needed is not None and needed > queries:
        return say(
            "The sample is too small to place {names}; about {needed} queries would settle it.",
            names=names,
            needed=needed,
        )
    return say("The sample does not show where {names} stands.", names=names)


def _queries_needed(undecided: Sequence[str], field: Contest) -> int | None:
    """The most queries that any of them needs, those left out that no number would settle."""
    return max((n for spec in undecided if (n := field.comparisons[spec].queries_needed)), default=None)


def not_measured(
    shortlist: Shortlist,
    evaluation: Evaluation,
    benchmark: Benchmark | None,
    plan: Plan | None,
    requirements: Requirements,
    screening: Screening | None = None,
) -> tuple[Text, ...]:
    """What the answer does not rest on, and why."""
    found = []
    measured = {c.model for c in evaluation.candidates if c.model} | {c.spec for c in evaluation.candidates}
    found += [
        say("{spec}, in full: left out in round {round}: {why}.", spec=gone.spec, round=gone.round, why=gone.reason)
        for gone in (screening.eliminated if screening else ())
    ]
    measured |= {gone.spec for gone in (screening.eliminated if screening else ())}
    planned = {p.model: p for p in plan.not_measured} if plan else {}
    for pick in shortlist.kept:
        if pick.model in measured or pick.spec in measured:
            continue
        obstacle = planned[pick.model].obstacle if pick.model in planned else None
        why = obstacle or say("it was not among the candidates to measure")
        found.append(
            say(
                "{model} (predicted {mean:.3f}, {low:.3f} to {high:.3f}): {why}",
                model=pick.model,
                mean=pick.predicted.mean,
                low=pick.predicted.low,
                high=pick.predicted.high,
                why=why,
            )
        )
    shortlisted = {pick.model for pick in shortlist.kept}
    found.extend(
        say("{model}: {why}", model=p.model or p.spec, why=p.obstacle)
        for p in (plan.not_measured if plan else ())
        if p.obstacle and p.model not in shortlisted and p.model not in measured
    )
    for failed in evaluation.failed:
        found.append(say("{spec} failed: {why}", spec=failed.spec, why=failed.reason))
    if benchmark is None:
        found.append(say("Latency, throughput and memory: no benchmark was run."))
        unchecked = [c.describe() for c in requirements.constraints if c.hard and is_measurable(c)]
        if unchecked:
            demands = join(unchecked, Text(template="; "))
            found.append(say("Whether these limits hold, which only a benchmark shows: {demands}.", demands=demands))
    else:
        taking_part = {c.spec for c in evaluation.candidates}
        found.extend(
            say("The speed of {spec}: {why}", spec=f.spec, why=f.reason)
            for f in benchmark.failed
            if f.spec in taking_part
        )
        found.append(
            say(
                "Speed with many users at once, and of searching all your {total:,} documents: one query at a time was "
                "timed, against a sample of {documents} documents, so the latencies are of the model's work and hardly "
                "of the search.",
                total=evaluation.dataset.documents,
                documents=benchmark.documents,
            )
            if benchmark.documents < evaluation.dataset.documents
            else say("Speed with many users at once: one query at a time was timed.")
        )
        if not benchmark.hardware.gpus:
            found.append(say("Anything on a GPU: this machine has none."))
    return (*found, *evaluation.notes)


def next_steps(
    evaluation: Evaluation, undecided: Sequence[str], field: Contest, shortlist: Shortlist
) -> tuple[Text, ...]:
    """What to do after reading the answer."""
    found = []
    measured = {c.model for c in evaluation.candidates if c.model} | {c.spec for c in evaluation.candidates}
    listed = [pick for pick in shortlist.kept if pick.model not in measured and pick.spec not in measured]
    if listed and len(listed) == len(shortlist.kept):
        found.append(_unmeasured(listed))
    if field.alone:
        found.append(say("Measure at least one other candidate with it before you rely on the choice."))
    if undecided:
        more = (_queries_needed(undecided, field) or 0) - evaluation.judged_queries
        if more > 0:
            found.append(say("Judge about {more} more queries to place the undecided candidates.", more=more))
    if evaluation.dataset.labels != "gold":
        found.append(say("Check the decision with some dozens of queries that real users asked and somebody judged."))
    found.append(
        say(
            "Keep the run id {run}: the same command next month tells whether the answer still holds.",
            run=evaluation.run_id,
        )
    )
    return tuple(found)


def _unmeasured(listed: Sequence[Pick]) -> Text:
    """What to do where no model of the list was measured: only those that this program can run are worth fetching."""
    runnable = [pick.model for pick in listed if pick.spec]
    if not runnable:
        return say(
            "None of the {count} shortlisted models was measured, and this program can run none of them: measure them "
            "with their own tools, or relax what keeps others out ({models}).",
            count=len(listed),
            models=", ".join(pick.model for pick in listed[:MOST_NAMES]),
        )
    return say(
        "None of the {count} shortlisted models was measured. Fetch one where a model hub is reached (--download), or "
        "give a folder that holds it, and measure again: {models}.",
        count=len(listed),
        models=", ".join(runnable[:MOST_NAMES]),
    )
