"""The first screen: which, how sure, why, at what cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from knowledge.constraints.cost import CostConstraint
from knowledge.results import Row
from knowledge.wording import Text, join, say
from tools.cost.words import dollars
from tools.report import figures
from tools.report.document import Answer, Fact, Sureness, plain
from tools.report.in_words import in_words
from tools.report.voice import Voice, short_names


def answer(voice: Voice) -> Answer:
    """The answer itself."""
    row = voice.winning_row
    kicker = voice.t(say("Recommendation"))
    evaluation = voice.report.evaluation
    if voice.is_measured and evaluation:
        dataset, queries = evaluation.dataset.name, figures.count(evaluation.judged_queries)
        alone = row is not None and row.standing == "alone"
        kicker = voice.t(
            say("Measured alone, on {dataset} with {queries} queries", dataset=dataset, queries=queries)
            if alone
            else say("Recommendation, measured on {dataset} with {queries} queries", dataset=dataset, queries=queries)
        )
    warning = say(
        "Nothing was measured. Every quality figure here is published or predicted from published figures, and may "
        "differ on your data."
    )
    return Answer(
        kicker=kicker,
        title=_title(voice),
        headline=voice.t(voice.advice.headline),
        in_words=_in_words(voice),
        warning=None if voice.is_measured else voice.t(warning),
        spec=plain(voice.advice.winner) if voice.advice.winner else None,
        sureness=_sureness(voice),
        facts=tuple(_facts(voice, row)) if row else _predicted_facts(voice),
        reasons=tuple(voice.t(r) for r in voice.advice.reasons),
    )


def _in_words(voice: Voice) -> str:
    """What the winner is and what its figure says; empty where nothing was measured."""
    evaluation, winner = voice.report.evaluation, voice.advice.winner
    one = next((c for c in evaluation.candidates if c.spec == winner), None) if evaluation else None
    told = in_words(winner, one.metrics, evaluation.primary) if one and evaluation else ()
    return voice.t(join(list(told))) if one else ""


def _title(voice: Voice) -> str:
    """The winner's readable name; without a winner, the verdict."""
    winner = voice.advice.winner
    return voice.names.get(winner) or short_names([winner])[winner] if winner else voice.t(voice.advice.headline)


# ---------------------------------------------------------------- how sure


def _sureness(voice: Voice) -> Sureness:
    """In one line, counted from the standings; the section "How sure" has the rest."""
    standings = [row.standing for row in voice.advice.rows]
    text, settled = voice.advice.confidence, False
    if not voice.is_measured:
        title = say("How sure: nothing was measured.")
    elif voice.advice.winner is None:
        title = say("How sure: no candidate is left.")
    elif standings == ["alone"] or _all_excluded(standings):
        title = say("How sure: nothing was compared.")
        text = join(list(_counted(voice, standings)))
    else:
        settled = "undecided" not in standings and not _none_shortlisted(voice)
        if "undecided" in standings:
            title = say("How sure: some are not told apart.")
        else:
            title = say("How sure: settled.") if settled else say("How sure: settled only among those measured.")
        text = join(list(_counted(voice, standings)))
    return Sureness(voice.t(title), voice.t(text), settled)


def _all_excluded(standings: Sequence[str]) -> bool:
    """Whether every other candidate broke a limit, so that no query decided anything."""
    return len(standings) > 1 and set(standings) == {"winner", "excluded"}


def _none_shortlisted(voice: Voice) -> bool:
    """Whether nothing that the catalog suggested was measured, so that better ones may well be left."""
    evaluation, listed = voice.report.evaluation, voice.report.shortlist.kept
    if evaluation is None:
        return False
    measured = {name for c in evaluation.candidates for name in (c.model, c.spec) if name}
    measured |= {gone.spec for gone in voice.report.screening.eliminated} if voice.report.screening else set()
    return bool(listed) and not any(pick.model in measured or pick.spec in measured for pick in listed)


def _counted(voice: Voice, standings: Sequence[str]) -> Iterator[Text]:
    others = len(standings) - 1
    evaluation = voice.report.evaluation
    queries = figures.count(evaluation.judged_queries if evaluation else None)
    counts = join(list(_placed(voice, standings)), Text(template=", "))
    if standings == ["alone"]:
        yield say(
            "It was measured alone, with {queries} queries: nothing is decided against any other candidate.",
            queries=queries,
        )
    elif _all_excluded(standings):
        yield say("It is the only one of those measured that keeps your limits: {counts}.", counts=counts)
    elif others == 0:
        yield say("No other candidate was measured in full; the others were left out in the rounds.")
    elif "undecided" in standings:
        yield say(
            "{count} of {others} others cannot be told from the best with {queries} queries.",
            count=standings.count("undecided"),
            others=others,
            queries=queries,
        )
        needed = [c.queries_needed for c in voice.report.comparisons if c.verdict == "undecided"]
        if any(needed):
            yield say("About {needed} would settle it.", needed=figures.count(max(n for n in needed if n)))
        if counts.template:
            yield say("The rest: {counts}.", counts=counts)
    else:
        yield say(
            "{queries} queries place each of {others} others: {counts}.", queries=queries, others=others, counts=counts
        )
    if _none_shortlisted(voice):
        yield say("None of the {count} models on the shortlist is among them.", count=len(voice.report.shortlist.kept))
    if evaluation and evaluation.dataset.labels == "silver":
        yield say("The right answers were derived from the data, not judged by people.")


def _placed(voice: Voice, standings: Sequence[str]) -> Iterator[Text]:
    """How many others stand where, without those that stand nowhere."""
    tied, worse, excluded = (standings.count(standing) for standing in ("tied", "worse", "excluded"))
    if tied:
        yield say("{count} tied within {margin}", count=tied, margin=figures.score(voice.advice.margin))
    if worse:
        yield say("{count} measurably worse", count=worse)
    if excluded:
        yield say("{count} excluded by your limits", count=excluded)
    screening = voice.report.screening
    if screening and screening.eliminated:
        yield say("{count} left out in the rounds", count=len(screening.eliminated))


# ---------------------------------------------------------------- what it costs


def _predicted_facts(voice: Voice) -> tuple[Fact, ...]:
    """What the catalog lets expect of the winner, where nothing was measured."""
    winner = voice.advice.winner
    pick = next(
        (p for p in (*voice.report.shortlist.kept, *voice.report.shortlist.beside) if winner in (p.model, p.spec)), None
    )
    if pick is None:
        return ()
    expected = pick.predicted
    return (
        Fact(
            voice.t(say("Predicted {metric}", metric=expected.metric)),
            figures.score(expected.mean),
            voice.t(
                say(
                    "{level} interval {interval}",
                    level=figures.share(expected.level),
                    interval=f"{figures.score(expected.low)}–{figures.score(expected.high)}",
                )
            ),
            voice.cited("predicted", pick.model),
        ),
    )


def _facts(voice: Voice, row: Row) -> Iterable[Fact]:
    spread = say("{level} interval {interval}", level=voice.level(row), interval=figures.interval(row.quality))
    yield Fact(voice.advice.primary, figures.score(row.quality.mean), voice.t(spread), voice.cite_quality(row))
    yield from _month(voice)
    if row.difference:
        value, ends = figures.difference(row.difference.mean), figures.difference_interval(row.difference)
        yield Fact(voice.t(say("Difference to best")), value, ends, voice.cite(row, "difference"))
    for key, title, write, note in voice.costs:
        value = getattr(row, key)
        if value is not None:
            yield Fact(voice.t(title), write(value), voice.t(note), voice.cite(row, key))


def _month(voice: Voice) -> Iterator[Fact]:
    """What the winner costs a month, beside the budget: the first thing that whoever pays asks for."""
    costs, limit = voice.report.costs, voice.report.requirements.constraint(CostConstraint)
    one = next((one for one in costs.candidates if one.spec == voice.advice.winner), None) if costs else None
    if one is None or one.usd_per_month is None:
        return
    note = say("you allow {budget}", budget=dollars(limit.max_usd_per_month)) if limit else say("all in all")
    cite = one.cites.get("usd_per_month")
    yield Fact(voice.t(say("A month, estimated")), dollars(one.usd_per_month), voice.t(note), cite)
