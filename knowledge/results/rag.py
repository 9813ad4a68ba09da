"""What a candidate gives a language model to answer from: by labels, and by answers that such a model judges."""

from __future__ import annotations

import datetime as dt

from knowledge.results.base import Record
from knowledge.results.evidence import Evidence, Interval
from knowledge.wording import Text


class RagScore(Record):
    """One candidate's contexts, by the answers written from them.

    Attributes:
        faithfulness: share of an answer's statements that the contexts support, mean over the answers judged; None
            where none could be judged.
        answer_relevance: how near the questions that the answer would fit are to the one that was asked; 0 for an
            answer that says it does not know.
        context_precision, context_recall: at as many documents as were read, over the same queries, from the labels.
        judged: answers with both scores.
        failed: answers that were not written or not judged; `why` is the last reason.
    """

    spec: str
    faithfulness: Interval | None = None
    answer_relevance: Interval | None = None
    context_precision: Interval
    context_recall: Interval
    judged: int
    failed: int = 0
    why: Text | None = None


class RagJudgement(Record):
    """Several candidates, judged by the same model on the same queries.

    Attributes:
        evaluation: run that found the contexts.
        model: wrote the answers and judged them; `host` is who received the texts.
        library: with its version; its prompts decide what is asked.
        embedder: spec of the encoder by which questions are compared, the same for all candidates.
        queries: how many, evenly spread over those with labels.
        contexts: documents read for each.
        own_answers: whether the answers are the user's own: then faithfulness says whether the contexts support them.
        calls: requests to the model, repeated ones included.
    """

    run_id: str
    created: dt.datetime
    evaluation: str
    model: str
    host: str
    library: str
    embedder: str
    queries: int
    contexts: int
    own_answers: bool = False
    calls: int
    scores: tuple[RagScore, ...]


class RagEstimate(Record):
    """What judging would take.

    Attributes:
        calls: requests to the model if it answers in the form it is asked for.
        most_calls: no more are made.
        tokens: about how many it reads, for `calls`.
    """

    queries: int
    candidates: int
    calls: int
    most_calls: int
    tokens: int


class ContextScore(Record):
    """What one candidate gives a language model to read for each query, by labels alone.

    Attributes:
        precision, recall: context precision and recall at so many documents, means over queries.
        empty: share of the queries for which none of these documents is relevant.
        difference: recall minus the winner's, paired by query; None for the winner.
        cites: evidence ids of `precision`, `recall`, `empty` and `difference`.
    """

    spec: str
    precision: Interval
    recall: Interval
    empty: Interval
    difference: Interval | None = None
    cites: dict[str, str] = {}


class Contexts(Record):
    """Contexts of the winner and its rivals, and what a language model made of them where one was asked.

    Attributes:
        documents: that count as read for each query.
        queries: with labels, those of the same text taken for one.
        scores: the winner first.
        judged: the latest judgement of answers on the same data that has the winner; None: there is none.
        cites: evidence ids of its figures: "faithfulness/SPEC", "answer_relevance/SPEC".
    """

    documents: int
    queries: int
    scores: tuple[ContextScore, ...]
    judged: RagJudgement | None = None
    cites: dict[str, str] = {}
    evidence: tuple[Evidence, ...] = ()
