"""Behind the averages: parts of the queries, and single queries with what two candidates found for them."""

from __future__ import annotations

from knowledge.results import Duel, HeadToHead, Hit, Interval, SliceScore
from knowledge.wording import Text, join, say
from tools.report import figures
from tools.report.document import Block, Cell, Fold, Paragraph, Side, SideBySide, plain
from tools.report.figures import NOTHING
from tools.report.voice import Voice
from tools.slices.words import routing_advice

#: of what was found for a query, so many documents are shown
SHOWN = 3


def parts(voice: Voice) -> tuple[Block, ...]:
    """The winner on parts of the queries, and how far its nearest rivals are from it there."""
    found = voice.report.slices
    if found is None or not found.slices:
        return ()
    specs = list(dict.fromkeys(score.spec for part in found.slices for score in part.scores))
    rows = []
    for part in found.slices:
        scores = {score.spec: score for score in part.scores}
        rows.append(
            (
                Cell(voice.t(part.part), note=voice.t(part.trait)),
                Cell(figures.count(part.queries), sort=part.queries, cite=part.scores[0].cites.get("quality")),
                *(_part_cell(scores.get(spec)) for spec in specs),
            )
        )
    heads = voice.heads(
        say("Queries with"),
        say("Queries"),
        say("{name}: {metric}", name=voice.name(specs[0]), metric=found.metric),
        *(say("{name}: difference", name=voice.name(spec)) for spec in specs[1:]),
        numeric=range(1, 2 + len(specs)),
    )
    count = sum(score.difference is not None for part in found.slices for score in part.scores)
    usual = figures.share(found.slices[0].scores[0].quality.level)
    alone = say(
        "Small print: of {metric}, {usual} intervals, each by itself. Nobody else took part, so this says where it is "
        "weak, and not who would be better there.",
        metric=found.metric,
        usual=usual,
    )
    explained = say(
        "Small print: of {metric}, {usual} intervals, each by itself; of differences to the winner, paired by query, "
        "{level} intervals, so wide that all {count} hold together in 95 of 100 cases. Where one includes 0, this part "
        "shows no difference. These parts were not fixed before measuring: take what stands out for a reason to look "
        "closer, not for a finding.",
        metric=found.metric,
        usual=usual,
        level=f"{found.level:.2%}",
        count=count,
    )
    small = say("Not shown, with fewer than {fewest} queries: {count}.", fewest=found.fewest, count=found.left_out)
    return (
        *((Paragraph(voice.t(_outstanding(voice))), *_routing(voice)) if count else ()),
        voice.table(say("Parts of the queries"), heads, rows, sortable=True),
        Paragraph(voice.t(explained if count else alone), aside=True),
        *((Paragraph(voice.t(small), aside=True),) if found.left_out else ()),
    )


def _part_cell(score: SliceScore | None) -> Cell:
    if score is None:
        return Cell(NOTHING)
    gap = score.difference
    if gap is None:
        quality = score.quality
        return Cell(figures.score(quality.mean), figures.interval(quality), quality.mean, score.cites.get("quality"))
    tone = "shown" if _is_shown(gap) else ""
    ends = figures.difference_interval(gap)
    return Cell(figures.difference(gap.mean), ends, gap.mean, score.cites.get("difference"), tone=tone)


def _is_shown(difference: Interval) -> bool:
    return difference.low > 0 or difference.high < 0


def _outstanding(voice: Voice) -> Text:
    """Whether a rival beats the winner anywhere, by an interval that allows for all of them."""
    assert voice.report.slices
    better = [
        say("{name} on queries with {trait}: {part}", name=voice.name(score.spec), trait=part.trait, part=part.part)
        for part in voice.report.slices.slices
        for score in part.scores
        if score.difference and score.difference.low > 0
    ]
    if not better:
        return say("On no part of the queries is a rival shown to be better than the winner.")
    return say("Shown to be better than the winner: {where}.", where=join(better, Text(template="; ")))


def _routing(voice: Voice) -> tuple[Block, ...]:
    """Whether parts of the queries had better go to another candidate; first the best of such routings."""
    found = voice.report.slices
    assert found
    told = [routing_advice(route, found.metric) for route in found.routing]
    if told:
        return (Paragraph(voice.t(say("Two models instead of one:"))), *voice.bullets(told))
    if not any(part.at_query_time for part in found.slices):
        return ()
    none = say(
        "No routing is advised: on no part that is known before searching (language, length, kind of the query) is a "
        "rival shown to be better by more than the margin of {margin:g}, and by enough to pay for a second model.",
        margin=found.margin,
    )
    return (Paragraph(voice.t(none)),)


# ---------------------------------------------------------------- single queries


def duels(voice: Voice) -> tuple[Block, ...]:
    """The queries on which the winner and its nearest rival differ most, with what each found."""
    found = voice.report.head_to_head
    if found is None:
        return ()
    told = wins_and_losses(found, voice.name(found.first), voice.name(found.second))
    quoted = say("These are your texts: whoever gets this report can read them.")
    blocks: tuple[Block, ...] = (Paragraph(voice.t(told)),)
    for first_wins in (True, False):
        of = [duel for duel in found.duels if (duel.difference > 0) == first_wins]
        if of:
            winner, total = (found.first, found.wins) if first_wins else (found.second, found.losses)
            title = say(
                "Queries {name} wins by most: {shown} of {total}", name=voice.name(winner), shown=len(of), total=total
            )
            blocks += (Fold(voice.t(title), tuple(_side_by_side(voice, found, duel) for duel in of)),)
    return (*blocks, Paragraph(voice.t(quoted), aside=True)) if found.duels else blocks


def wins_and_losses(found: HeadToHead, first: str, second: str) -> Text:
    """On how many queries either of two candidates is better; where nothing differs, that."""
    if not found.wins + found.losses:
        return say(
            "{first} and {second} score the same on every one of {draws} queries: there is no query to show.",
            first=first,
            second=second,
            draws=figures.count(found.draws),
        )
    return say(
        "{first} is better on {wins} queries, {second} on {losses}; on {draws} they are equal.",
        first=first,
        second=second,
        wins=figures.count(found.wins),
        losses=figures.count(found.losses),
        draws=figures.count(found.draws),
    )


def _side_by_side(voice: Voice, found: HeadToHead, duel: Duel) -> SideBySide:
    specs, ahead = (found.first, found.second), duel.difference > 0
    sides = [
        Side(
            name=voice.name(spec),
            score=f"{found.metric} {figures.score(score)}",
            won=ahead == (i == 0),
            found=tuple((plain(hit.text), _judged(voice, hit)) for hit in hits[:SHOWN]),
        )
        for i, (spec, score, hits) in enumerate(zip(specs, duel.scores, duel.hits, strict=True))
    ]
    return SideBySide(
        query=plain(duel.text) or plain(duel.query),
        sides=(sides[0], sides[1]),
        missed=tuple(plain(hit.text) for hit in duel.missed[:SHOWN]),
        missed_title=voice.t(say("Right answers that neither has among its first ten")),
    )


def _judged(voice: Voice, hit: Hit) -> str:
    if hit.grade is None:
        return voice.t(say("not judged"))
    return voice.t(say("right answer") if hit.grade > 0 else say("judged wrong"))
