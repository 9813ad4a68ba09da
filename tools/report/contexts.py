"""What a language model is given to read: context precision and recall, and its answers where one judged them."""

from __future__ import annotations

from knowledge.results import Contexts, ContextScore, Interval, RagJudgement
from knowledge.wording import Text, say
from tools.rag_judge.words import UNJUDGED, how_judged, notes, verdict
from tools.report import figures
from tools.report.document import Block, Cell, Paragraph
from tools.report.figures import NOTHING
from tools.report.voice import Voice


def contexts(voice: Voice) -> tuple[Block, ...]:
    """By labels alone, and by answers where a language model judged them."""
    found = voice.report.contexts
    if found is None:
        return ()
    heads = voice.heads(
        say("Candidate"),
        say("context precision"),
        say("context recall"),
        say("nothing relevant"),
        say("recall against the winner"),
        numeric=range(1, 5),
    )
    explained = say(
        "Of the first {documents} documents of each of {queries} queries, by the labels: context recall is the share "
        "of the relevant documents that are among them; context precision says whether relevant ones stand before "
        "others (what nobody judged counts as not relevant); then the share of queries for which none is relevant. 95 "
        "% intervals in small print.",
        documents=found.documents,
        queries=found.queries,
    )
    judged = _answers(voice, found, found.judged) if found.judged else (Paragraph(voice.t(UNJUDGED)),)
    return (
        *voice.bullets((verdict(found),)),
        voice.table(say("Contexts of the winner and its rivals"), heads, _rows(voice, found), sortable=True),
        Paragraph(voice.t(explained), aside=True),
        *judged,
    )


def _rows(voice: Voice, found: Contexts) -> list[tuple[Cell, ...]]:
    return [
        (
            voice.spec_cell(score.spec, "winner" if number == 0 else ""),
            _mean(score.precision, score.cites["precision"]),
            _mean(score.recall, score.cites["recall"]),
            _share(score),
            _against(score),
        )
        for number, score in enumerate(found.scores)
    ]


def _mean(value: Interval | None, cite: str | None = None) -> Cell:
    if value is None:
        return Cell(NOTHING)
    return Cell(figures.score(value.mean), figures.interval(value), value.mean, cite)


def _share(score: ContextScore) -> Cell:
    low, high = figures.share(score.empty.low), figures.share(score.empty.high)
    return Cell(figures.share(score.empty.mean), f"{low} – {high}", score.empty.mean, score.cites["empty"])


def _against(score: ContextScore) -> Cell:
    gap = score.difference
    if gap is None:
        return Cell(NOTHING)
    ends = figures.difference_interval(gap)
    return Cell(figures.difference(gap.mean), ends, gap.mean, score.cites["difference"])


def _answers(voice: Voice, found: Contexts, judged: RagJudgement) -> tuple[Block, ...]:
    heads = voice.heads(
        say("Candidate"), say("faithfulness"), say("answer relevance"), say("judged"), numeric=range(1, 4)
    )
    rows = [
        (
            voice.spec_cell(score.spec),
            _mean(score.faithfulness, found.cites.get(f"faithfulness/{score.spec}")),
            _mean(score.answer_relevance, found.cites.get(f"answer_relevance/{score.spec}")),
            Cell(f"{figures.count(score.judged)} / {figures.count(score.judged + score.failed)}", sort=score.judged),
        )
        for score in judged.scores
    ]
    told: list[Text] = [how_judged(judged), *notes(judged)]
    return (
        voice.table(say("Answers written from these documents"), heads, rows, sortable=True),
        Paragraph(" ".join(map(voice.t, told)), aside=True),
    )
