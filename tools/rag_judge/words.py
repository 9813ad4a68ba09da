"""What candidates give a language model to read, in sentences: the report, the chat and the terminal say the same."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import points
from knowledge.results import Contexts, ContextScore, RagEstimate, RagJudgement
from knowledge.wording import Text, say

#: said where no language model judged any answers
UNJUDGED = say(
    "Faithfulness and answer relevance were not judged: that takes a language model that reads the questions with the "
    "documents found, or answers of your own (“advisor rag”)."
)


def verdict(found: Contexts) -> Text:
    """What the winner gives a language model to read, and how often that is nothing of use."""
    winner = found.scores[0]
    empty = (
        say(
            "For {share:.1%} of the queries ({evidence}) none of them is relevant: there a language model has nothing "
            "to answer from.",
            share=winner.empty.mean,
            evidence=winner.cites["empty"],
        )
        if winner.empty.mean
        else say("For every query one of them is relevant ({evidence}).", evidence=winner.cites["empty"])
    )
    return say(
        "Of the first {documents} documents that {spec} finds: context precision {precision:.3f} ({of_precision}), "
        "context recall {recall:.3f} ({of_recall}). {empty}",
        documents=found.documents,
        spec=winner.spec,
        empty=empty,
        **_figures(winner),
    )


def against(found: Contexts) -> Iterator[Text]:
    """Each rival's contexts against the winner's."""
    for score in found.scores[1:]:
        if score.difference is None:
            continue
        yield say(
            "{spec}: context precision {precision:.3f} ({of_precision}), context recall {recall:.3f} ({of_recall}), "
            "{points} points of recall against it (95 % interval {low} to {high}; {of_difference}).",
            spec=score.spec,
            points=points(score.difference.mean),
            low=points(score.difference.low),
            high=points(score.difference.high),
            of_difference=score.cites["difference"],
            **_figures(score),
        )


def _figures(score: ContextScore) -> dict[str, float | str]:
    return {
        "precision": score.precision.mean,
        "recall": score.recall.mean,
        "of_precision": score.cites["precision"],
        "of_recall": score.cites["recall"],
    }


def answers(found: Contexts) -> Iterator[Text]:
    """What was judged of answers, candidate by candidate, and how; that nothing was, where that is so."""
    if found.judged is None:
        yield UNJUDGED
        return
    for score in found.judged.scores:
        if score.faithfulness is None or score.answer_relevance is None:
            continue
        yield say(
            "{spec}, {judged} answers: faithfulness {faithful:.3f} ({low:.3f} to {high:.3f}; {of_faithful}), answer "
            "relevance {relevance:.3f} ({of_relevance}).",
            spec=score.spec,
            judged=score.judged,
            faithful=score.faithfulness.mean,
            low=score.faithfulness.low,
            high=score.faithfulness.high,
            of_faithful=found.cites[f"faithfulness/{score.spec}"],
            relevance=score.answer_relevance.mean,
            of_relevance=found.cites[f"answer_relevance/{score.spec}"],
        )
    yield how_judged(found.judged)
    yield from notes(found.judged)


def estimated(size: RagEstimate, model: str, host: str) -> Text:
    """What judging would send, where to, and in how many requests."""
    return say(
        "{model} at {host} would get {queries} questions with the documents that {candidates} candidates find for "
        "them: {calls} requests (never more than {most}), about {tokens} tokens to read. What that costs, its price "
        "list says.",
        model=model,
        host=host,
        queries=size.queries,
        candidates=size.candidates,
        calls=size.calls,
        most=size.most_calls,
        tokens=f"{size.tokens:,}",
    )


def how_judged(found: RagJudgement) -> Text:
    """By whom, and on how much."""
    return say(
        "{model} on {queries} queries, {contexts} documents each; {calls} requests; {library}.",
        model=found.model,
        queries=found.queries,
        contexts=found.contexts,
        calls=found.calls,
        library=found.library,
    )


def notes(found: RagJudgement) -> Iterator[Text]:
    """What to know before one relies on a judgement."""
    yield say("Questions were compared by {embedder}, the same for all candidates.", embedder=found.embedder)
    yield (
        say("The answers are your own: faithfulness says how much of them the documents found support.")
        if found.own_answers
        else say("The same model wrote the answers and judged them; another model may judge otherwise.")
    )
    for score in found.scores:
        if score.failed:
            yield say(
                "{spec}: {failed} answers could not be judged. {why}",
                spec=score.spec,
                failed=score.failed,
                why=score.why or "",
            )
