"""The first screen: which, how sure, why, at what cost."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.results import Row
from knowledge.wording import say
from tools.report import figures
from tools.report.document import (
    Answer,
    Fact,
    plain,
)
from tools.report.voice import Voice, short_names


def answer(voice: Voice) -> Answer:
    """The answer itself."""
    row = voice.winning_row
    kicker = voice.t(say("Recommendation"))
    if voice.is_measured and voice.report.evaluation:
        kicker = voice.t(
            say(
                "Recommendation, measured on {dataset} with {queries} queries",
                dataset=voice.report.evaluation.dataset.name,
                queries=figures.count(voice.report.evaluation.judged_queries),
            )
        )
    warning = say(
        "Nothing was measured. Every quality figure here is published or predicted from published figures, and may "
        "differ on your data."
    )
    return Answer(
        kicker=kicker,
        title=_title(voice),
        headline=voice.t(voice.advice.headline),
        warning=None if voice.is_measured else voice.t(warning),
        spec=plain(voice.advice.winner) if voice.advice.winner else None,
        confidence=voice.t(voice.advice.confidence),
        facts=tuple(_facts(voice, row)) if row else _predicted_facts(voice),
        reasons=tuple(voice.t(r) for r in voice.advice.reasons),
    )


def _title(voice: Voice) -> str:
    """The winner's readable name; without a winner, the verdict."""
    winner = voice.advice.winner
    return voice.names.get(winner) or short_names([winner])[winner] if winner else voice.t(voice.advice.headline)


def _predicted_facts(voice: Voice) -> tuple[Fact, ...]:
    """What the catalog lets expect of the winner, where nothing was measured."""
    winner = voice.advice.winner
    pick = next((p for p in voice.report.shortlist.kept if winner in (p.model, p.spec)), None)
    if pick is None:
        return ()
    expected = pick.predicted
    cite = next((e.id for e in voice.advice.evidence if e.about in (pick.model, pick.spec)), None)
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
            cite,
        ),
    )


def _facts(voice: Voice, row: Row) -> Iterable[Fact]:
    spread = say("{level} interval {interval}", level=voice.level(row), interval=figures.interval(row.quality))
    yield Fact(voice.advice.primary, figures.score(row.quality.mean), voice.t(spread), voice.cite_quality(row))
    if row.difference:
        value, ends = figures.difference(row.difference.mean), figures.difference_interval(row.difference)
        yield Fact(voice.t(say("Difference to best")), value, ends, voice.cite(row, "difference"))
    for key, title, write, note in voice.costs:
        value = getattr(row, key)
        if value is not None:
            yield Fact(voice.t(title), write(value), voice.t(note), voice.cite(row, key))
