"""Hard cases: altered facts that a candidate should tell from true ones, and queries as they come in real life."""

from __future__ import annotations

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
    specs = [score.spec for score in found.kinds[0].scores]
    heads = voice.heads(
        say("One fact altered"),
        say("Probes"),
        *(say("{name}: right", name=voice.name(spec)) for spec in specs),
        numeric=range(1, 2 + len(specs)),
    )
    rows = [
        (
            Cell(voice.t(kind.name)),
            Cell(figures.count(kind.probes), sort=kind.probes),
            *(_right(score, found.threshold) for score in kind.scores),
        )
        for kind in all_kinds(found)
    ]
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
        voice.table(say("Probes of correctness"), heads, rows, sortable=True),
        Paragraph(voice.t(explained), aside=True),
        _examples(voice, [kind for kind in found.kinds if kind.example]),
        *_left_out(voice, found.left_out, found.fewest),
    )


def _right(score: ProbeScore, threshold: float) -> Cell:
    accuracy = score.accuracy
    note = f"{figures.share(accuracy.low)} – {figures.share(accuracy.high)}"
    tone = "worse" if accuracy.mean <= threshold else ""
    return Cell(figures.share(accuracy.mean), note, accuracy.mean, score.cites.get("accuracy"), tone=tone)


def _examples(voice: Voice, kinds: list[ProbeKind]) -> Fold:
    lines = []
    for kind in kinds:
        if kind.example:
            lines.append(
                voice.t(
                    say(
                        "{kind}: “{query}”; right: “{right}”; wrong: “{wrong}”",
                        kind=kind.name,
                        query=plain(kind.example.query),
                        right=plain(kind.example.right),
                        wrong=plain(kind.example.wrong),
                    )
                )
            )
    return Fold(voice.t(say("One probe of each kind, made from your texts")), (Bullets(tuple(lines)),))


def _left_out(voice: Voice, names: tuple[Text, ...], fewest: int) -> tuple[Block, ...]:
    if not names:
        return ()
    told = say(
        "Not shown, with fewer than {fewest} cases: {names}.", fewest=fewest, names=join(names, Text(template=", "))
    )
    return (Paragraph(voice.t(told), aside=True),)


# ---------------------------------------------------------------- robustness


def robustness(voice: Voice) -> tuple[Block, ...]:
    """Change of the metric by kind of perturbation."""
    found = voice.report.robustness
    if found is None or not found.kinds:
        return ()
    specs = [change.spec for change in found.kinds[0].changes]
    heads = voice.heads(
        say("Queries with"),
        say("Queries"),
        *(say("{name}: change", name=voice.name(spec)) for spec in specs),
        numeric=range(1, 2 + len(specs)),
    )
    rows = [
        (
            Cell(voice.t(kind.name)),
            Cell(figures.count(kind.queries), sort=kind.queries),
            *(_changed(change) for change in kind.changes),
        )
        for kind in found.kinds
    ]
    explained = say(
        "Change of {metric} on your own queries when they come like that, paired by query; 95 % intervals in small "
        "print. Marked where it is shown: p under {alpha:g}, corrected for the number of kinds (Holm).",
        metric=found.metric,
        alpha=ALPHA,
    )
    return (
        *voice.bullets((worst(voice.advice.winner, found),)),
        voice.table(say("What perturbed queries change"), heads, rows, sortable=True),
        Paragraph(voice.t(explained), aside=True),
        _before_and_after(voice, list(found.kinds)),
        *_left_out(voice, found.left_out, found.fewest),
    )


def _changed(change: QueryChange) -> Cell:
    tone = "shown" if change.p < ALPHA else ""
    ends = figures.difference_interval(change.change)
    return Cell(figures.difference(change.change.mean), ends, change.change.mean, change.cites.get("change"), tone=tone)


def _before_and_after(voice: Voice, kinds: list[Perturbation]) -> Fold:
    lines = tuple(
        voice.t(
            say(
                "{kind}: “{before}” → “{after}”",
                kind=kind.name,
                before=plain(kind.example[0]),
                after=plain(kind.example[1]),
            )
        )
        for kind in kinds
        if kind.example
    )
    return Fold(voice.t(say("One query of each kind, before and after")), (Bullets(lines),))
