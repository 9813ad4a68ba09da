"""Hard cases: altered facts that a candidate should tell from true ones, and queries as they come in real life."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from knowledge.results import Perturbation, ProbeKind, ProbeScore, QueryChange
from knowledge.wording import Text, join, say
from tools.hard_cases.words import all_kinds, gains_told, verdict, worst
from tools.report import figures
from tools.report.document import Block, Bullets, Cell, Fold, Paragraph, plain
from tools.report.voice import Voice
from tools.statistics import ALPHA


def truth(voice: Voice) -> tuple[Block, ...]:
    """Paired accuracy by kind of fact."""
    found = voice.report.probes
    if found is None or not found.kinds:
        return ()
    heads = (
        say("One fact altered"),
        say("Probes"),
        *(say("{name}: right", name=voice.name(score.spec)) for score in found.kinds[0].scores),
    )
    rows = (
        (kind.name, kind.probes, [_right(score, found.threshold) for score in kind.scores]) for kind in all_kinds(found)
    )
    explained = say(
        "A probe asks for one of two passages of your data that differ in one fact; right is who ranks the true one "
        "higher. Chance is 50 %, a tie counts half, and half of the probes ask for the altered passage. In small "
        "print: 95 % intervals (Wilson). At or under {threshold:.0%} a candidate counts as finding the topic, not the "
        "truth. Queries repeat the passage but for {reworded} of {probes} probes, which favours word matching.",
        threshold=found.threshold,
        reworded=sum(kind.reworded for kind in found.kinds),
        probes=sum(kind.probes for kind in found.kinds),
    )
    return (
        *voice.bullets((verdict(voice.advice.winner, found), *gains_told(found))),
        _by_kind(voice, say("Probes of correctness"), heads, rows),
        Paragraph(voice.t(explained), aside=True),
        _fold(voice, say("One probe of each kind, made from your texts"), map(_example, found.kinds)),
        *_left_out(voice, found.left_out, found.fewest),
    )


def _right(score: ProbeScore, threshold: float) -> Cell:
    accuracy = score.accuracy
    note = f"{figures.share(accuracy.low)} – {figures.share(accuracy.high)}"
    tone = "worse" if accuracy.mean <= threshold else ""
    return Cell(figures.share(accuracy.mean), note, accuracy.mean, score.cites.get("accuracy"), tone=tone)


def _example(kind: ProbeKind) -> Text | None:
    if kind.example is None:
        return None
    return say(
        "{kind}: “{query}”; right: “{right}”; wrong: “{wrong}”",
        kind=kind.name,
        query=plain(kind.example.query),
        right=plain(kind.example.right),
        wrong=plain(kind.example.wrong),
    )


# ---------------------------------------------------------------- robustness


def robustness(voice: Voice) -> tuple[Block, ...]:
    """Change of the metric by kind of perturbation."""
    found = voice.report.robustness
    if found is None or not found.kinds:
        return ()
    heads = (
        say("Queries with"),
        say("Queries"),
        *(say("{name}: change", name=voice.name(change.spec)) for change in found.kinds[0].changes),
    )
    rows = ((kind.name, kind.queries, [_changed(change) for change in kind.changes]) for kind in found.kinds)
    explained = say(
        "Change of {metric} on your own queries when they come like that, paired by query; 95 % intervals in small "
        "print. Marked where it is shown: p under {alpha:g}, corrected for the number of kinds (Holm).",
        metric=found.metric,
        alpha=ALPHA,
    )
    return (
        *voice.bullets((worst(voice.advice.winner, found),)),
        _by_kind(voice, say("What perturbed queries change"), heads, rows),
        Paragraph(voice.t(explained), aside=True),
        _fold(voice, say("One query of each kind, before and after"), map(_before_and_after, found.kinds)),
        *_left_out(voice, found.left_out, found.fewest),
    )


def _changed(change: QueryChange) -> Cell:
    tone = "shown" if change.p < ALPHA else ""
    ends = figures.difference_interval(change.change)
    return Cell(figures.difference(change.change.mean), ends, change.change.mean, change.cites.get("change"), tone=tone)


def _before_and_after(kind: Perturbation) -> Text | None:
    if kind.example is None:
        return None
    before, after = map(plain, kind.example)
    return say("{kind}: “{before}” → “{after}”", kind=kind.name, before=before, after=after)


# ---------------------------------------------------------------- both


def _by_kind(
    voice: Voice, title: Text, heads: Sequence[Text], rows: Iterable[tuple[Text, int, Sequence[Cell]]]
) -> Block:
    """A row for each kind: its name, how many cases, and a cell for each candidate."""
    filled = (
        (Cell(voice.t(name)), Cell(figures.count(count), sort=count), *of_candidates)
        for name, count, of_candidates in rows
    )
    return voice.table(title, voice.heads(*heads, numeric=range(1, len(heads))), filled, sortable=True)


def _fold(voice: Voice, title: Text, lines: Iterable[Text | None]) -> Fold:
    return Fold(voice.t(title), (Bullets(tuple(voice.t(line) for line in lines if line is not None)),))


def _left_out(voice: Voice, names: tuple[Text, ...], fewest: int) -> tuple[Block, ...]:
    if not names:
        return ()
    told = say(
        "Not shown, with fewer than {fewest} cases: {names}.", fewest=fewest, names=join(names, Text(template=", "))
    )
    return (Paragraph(voice.t(told), aside=True),)
