"""Judgments made fit for scoring, and how far they can be trusted.

- Documents with the same text are one document: no search can tell them apart, so a hit on the twin of a right answer
  is a hit, and a right answer counts once.
- A query that is itself among the documents finds itself first. Unless it is labelled as its own answer, that hit is
  taken out (as BEIR does for equal ids; here the text decides, since ids of different things may coincide).
- Queries of the same text are asked and averaged as they come, but they are one query for tests and intervals.
- What nobody judged counts as not relevant. Where many documents a query are judged, judgments were pooled from some
  searches, and a candidate unlike them is underrated: scored on judged documents only (condensed lists; Sakai, SIGIR
  2007), the order of candidates may be another. Where only right answers are labelled, that tells nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from knowledge.dataset import Dataset
from knowledge.results import MeasuredCandidate
from knowledge.wording import Text, join, say
from tools.pipeline.ranking import with_ties_broken

Judgments = Mapping[str, Mapping[str, int]]
Ranking = Sequence[tuple[str, float]]

#: unjudged documents are counted among so many, and labels are called deep from so many a query
FIRST = 10
#: candidates whose holes are told
TOLD = 3
#: shares of unjudged documents that differ by less are alike
ALIKE = 0.1


@dataclass(frozen=True)
class Treated:
    """A dataset without twins, and what had to be done.

    Attributes:
        dataset: as read, but each text once among the documents; its summary is that of what was read.
        twins: documents left out because another has their text.
        contradictions: queries for which twins were judged differently; the highest grade counts.
        own: query id -> documents that are the query itself and not labelled as its answer.
        same_queries: ids of queries with the same text, each group in reading order.
        unanswered: queries without a relevant document here.
        unjudged_queries: how many of these have no judgment at all.
        judged_not_relevant: whether any document is judged not relevant.
        deep: whether so many documents a query are judged that unjudged ones are news.
    """

    dataset: Dataset
    twins: int = 0
    contradictions: int = 0
    own: dict[str, frozenset[str]] = field(default_factory=dict)
    same_queries: tuple[tuple[str, ...], ...] = ()
    unanswered: int = 0
    unjudged_queries: int = 0
    judged_not_relevant: bool = False
    deep: bool = False


def treat(dataset: Dataset) -> Treated:
    """The dataset as it is measured on."""
    first = _firsts(dataset.documents)
    kept = dataset.documents
    if len(set(first.values())) < len(first):
        kept = {document: text for document, text in dataset.documents.items() if first[document] == document}
    judgments: dict[str, dict[str, int]] = {}
    contradictions = 0
    for query, judged in dataset.judgments.items():
        grades: dict[str, list[int]] = {}
        for document, grade in judged.items():
            grades.setdefault(first.get(document, document), []).append(grade)
        judgments[query] = {document: max(given) for document, given in grades.items()}
        contradictions += any(len(set(given)) > 1 for given in grades.values())
    answered = [q for q in dataset.queries if any(g > 0 for d, g in judgments.get(q, {}).items() if d in kept)]
    known = [[g for d, g in judgments[q].items() if d in kept] for q in answered]
    groups: dict[str, list[str]] = {}
    for query in answered:
        groups.setdefault(_plain(dataset.queries[query]), []).append(query)
    return Treated(
        dataset=replace(dataset, documents=kept, judgments=judgments),
        twins=len(dataset.documents) - len(kept),
        contradictions=contradictions,
        own=_own(dataset.queries, dataset.documents, first, judgments, answered),
        same_queries=tuple(tuple(group) for group in groups.values() if len(group) > 1),
        unanswered=len(dataset.queries) - len(answered),
        unjudged_queries=sum(not judgments.get(q) for q in dataset.queries),
        judged_not_relevant=any(grade <= 0 for grades in known for grade in grades),
        deep=bool(known) and statistics.median(map(len, known)) >= FIRST,
    )


def twins(documents: Mapping[str, str]) -> dict[str, str]:
    """Documents with the text of another -> the one that counts."""
    return {document: first for document, first in _firsts(documents).items() if document != first}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _firsts(documents: Mapping[str, str]) -> dict[str, str]:
    """Document id -> id of the first document with its text."""
    by_text: dict[str, str] = {}
    return {document: by_text.setdefault(_plain(text), document) for document, text in documents.items()}


def _own(
    queries: Mapping[str, str],
    documents: Mapping[str, str],
    first: Mapping[str, str],
    judgments: Judgments,
    answered: Sequence[str],
) -> dict[str, frozenset[str]]:
    of_text = {_plain(documents[document]): document for document in set(first.values())}
    found = {}
    for query in answered:
        text = _plain(queries[query])
        own = {of_text[text]} if text in of_text else set()
        # of the same id, a title may stand before the text
        if text and query in documents and _plain(documents[query]).endswith(text):
            own.add(first[query])
        own = {document for document in own if judgments[query].get(document, 0) <= 0}
        if own:
            found[query] = frozenset(own)
    return found


def settled(ranking: Ranking, own: frozenset[str] = frozenset(), *, break_ties: bool = True) -> list[tuple[str, float]]:
    """The ranking without the query itself; documents of exactly equal score in an order of their own.

    That order comes from their ids but follows neither them nor the order of the file, in which right answers often
    stand first.
    """
    left = [(document, score) for document, score in ranking if document not in own]
    return with_ties_broken(left) if break_ties else left


def unjudged_share(rankings: Mapping[str, Ranking], judgments: Judgments, k: int = FIRST) -> float | None:
    """Share of the first k documents that nobody judged (hole@k), mean over queries that found any; None if none did.

    A ranking shorter than k is judged by the places it has.
    """
    shares = [
        sum(document not in judgments[query] for document, _ in ranking[:k]) / len(ranking[:k])
        for query, ranking in rankings.items()
        if query in judgments and ranking
    ]
    return statistics.fmean(shares) if shares else None


def condensed(rankings: Mapping[str, Ranking], judgments: Judgments) -> dict[str, list[tuple[str, float]]]:
    """The rankings with only the documents that were judged."""
    return {
        query: [(document, score) for document, score in ranking if document in judgments.get(query, {})]
        for query, ranking in rankings.items()
    }


# ---------------------------------------------------------------- in words


def notes(treated: Treated) -> tuple[Text, ...]:
    """What was done to the queries, documents and labels, each with its count."""
    found = []
    if treated.unanswered:
        found.append(
            say(
                "{count} queries have no relevant document here and are left out of every mean ({unjudged} of them "
                "have no judgment at all).",
                count=treated.unanswered,
                unjudged=treated.unjudged_queries,
            )
        )
    if treated.twins:
        found.append(
            say(
                "{count} documents have the same text as another: those of one text count as one document, with the "
                "highest grade that any of them got (judged differently for {contradictions} queries).",
                count=treated.twins,
                contradictions=treated.contradictions,
            )
        )
    if treated.same_queries:
        found.append(
            say(
                "{count} queries have the same text as another: all count in the means, but tests and intervals take "
                "those of one text for one query.",
                count=sum(len(group) - 1 for group in treated.same_queries),
            )
        )
    if treated.own:
        found.append(
            say(
                "{count} queries are themselves among the documents: a query is no answer to itself and was taken out "
                "of its ranking.",
                count=len(treated.own),
            )
        )
    if not treated.judged_not_relevant:
        found.append(
            say("Only right answers are labelled: every other document counts as wrong, for all candidates alike.")
        )
    return tuple(found)


def holes(candidates: Sequence[MeasuredCandidate], treated: Treated, metric: str) -> tuple[Text, ...]:
    """How much of what the best candidates found nobody judged, and their figures without it.

    Nothing where only right answers are labelled: then all else counts as wrong for everybody, as `notes` say.
    """
    known = [(c, c.unjudged, c.condensed) for c in candidates if c.unjudged is not None and c.condensed is not None]
    if not treated.judged_not_relevant or not any(share for _, share, _ in known):
        return ()
    best = sorted(known, key=lambda entry: -entry[0].primary_mean)[:TOLD]
    told = [
        say("{spec}: {share:.0%} not judged; {figure:.3f} without them", spec=c.spec, share=share, figure=figure)
        for c, share, figure in best
    ]
    return (
        say(
            "What nobody judged counts as not relevant. Of the first {k} documents, and {metric} on judged documents "
            "alone: {figures}.",
            k=FIRST,
            metric=metric,
            figures=join(told, Text(template="; ")),
        ),
    )


def warnings(candidates: Sequence[MeasuredCandidate], treated: Treated, metric: str) -> tuple[Text, ...]:
    """Whether what nobody judged may decide between the candidates; silent where labels are too few to tell."""
    known = [(c, c.unjudged, c.condensed) for c in candidates if c.unjudged is not None and c.condensed is not None]
    if not treated.deep or not treated.judged_not_relevant or len(known) < 2:
        return ()
    found = []
    fullest, high, _ = max(known, key=lambda entry: entry[1])
    emptiest, low, _ = min(known, key=lambda entry: entry[1])
    if high - low >= ALIKE:
        found.append(
            say(
                "Of the first {k} documents nobody judged {high:.0%} for {one} and {low:.0%} for {other}; they count "
                "as wrong, so {one} may be better than its figures.",
                k=FIRST,
                one=fullest.spec,
                high=high,
                other=emptiest.spec,
                low=low,
            )
        )
    best, holes_of_best, best_condensed = max(known, key=lambda entry: entry[0].primary_mean)
    first, holes_of_first, first_condensed = max(known, key=lambda entry: entry[2])
    if first_condensed > best_condensed and holes_of_first > holes_of_best:
        found.append(
            say(
                "On judged documents only, {first} would be ahead of {best} ({metric} {one:.3f} against {other:.3f}): "
                "judge the first {k} documents of both before you trust their order.",
                first=first.spec,
                best=best.spec,
                metric=metric,
                one=first_condensed,
                other=best_condensed,
                k=FIRST,
            )
        )
    return tuple(found)
