"""Two measured candidates, query by query: where each wins, and what each found, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.measured_task import is_mean
from knowledge.results import Duel, Evaluation, HeadToHead, Hit
from knowledge.wording import say
from tools.run_store import RunStore
from tools.workspace import Workspace

#: of a document, so many characters are shown
SHOWN = 400


def head_to_head(
    evaluation: Evaluation, dataset: Dataset, workspace: Workspace, first: str, second: str, most: int = 20
) -> HeadToHead:
    """Compare two candidates of an evaluation.

    Args:
        evaluation: in which both were measured.
        dataset: that they were measured on.
        workspace: where the run store is.
        first: a spec.
        second: a spec.
        most: so many queries are shown of those that each wins.

    Raises:
        UserError: one of them was not measured, or the metric is no mean over queries.
    """
    known = {c.spec: c.key for c in evaluation.candidates}
    for spec in (first, second):
        if spec not in known:
            raise UserError(
                say("{spec} was not measured in this run.", spec=spec[:200]),
                say("Take two of: {names}.", names=", ".join(known)),
            )
    if not is_mean(evaluation.task, evaluation.primary):
        raise UserError(
            say("{metric} is one figure over all: a single text or pair has none.", metric=evaluation.primary),
            say("Measure with a metric that each has by itself, such as Accuracy."),
        )
    runs = RunStore(workspace.store)
    try:
        one, two = (runs.query_scores(known[spec], evaluation.primary) for spec in (first, second))
        differences = {query: one[query] - two[query] for query in one if query in two}
        won = sorted((q for q, d in differences.items() if d > 0), key=lambda q: (-differences[q], q))
        lost = sorted((q for q, d in differences.items() if d < 0), key=lambda q: (differences[q], q))
        shown = [*won[:most], *lost[:most]]
        found = [runs.rankings(known[spec], shown) for spec in (first, second)]
    finally:
        runs.close()
    duels = (
        _duel(query, (one[query], two[query]), (found[0].get(query, ()), found[1].get(query, ())), dataset)
        for query in shown
    )
    return HeadToHead(
        first=first,
        second=second,
        metric=evaluation.primary,
        wins=len(won),
        losses=len(lost),
        draws=len(differences) - len(won) - len(lost),
        duels=tuple(duels),
    )


def _duel(
    query: str, scores: tuple[float, float], found: tuple[Sequence[str], Sequence[str]], dataset: Dataset
) -> Duel:
    seen = {document for documents in found for document in documents}
    texts, grades = dataset.documents, dataset.judgments.get(query, {})
    if query in dataset.classes:  # what was found are classes, by their names
        right = dataset.classes[query]
        texts, grades = {name: name for name in (*seen, right)}, {name: int(name == right) for name in (*seen, right)}
    elif query in dataset.pairs:
        right = dataset.pairs[query].second
        grades = {document: int(document == right) for document in (*seen, right)}
    sides = tuple(tuple(_hit(document, grades, texts) for document in documents) for documents in found)
    missed = [document for document, grade in grades.items() if grade > 0 and document not in seen]
    return Duel(
        query=query,
        text=_short(dataset.text_of(query)),
        scores=scores,
        hits=(sides[0], sides[1]),
        missed=tuple(_hit(document, grades, texts) for document in missed),
    )


def _hit(document: str, grades: Mapping[str, int], texts: Mapping[str, str]) -> Hit:
    return Hit(document=document, text=_short(texts.get(document, "")), grade=grades.get(document))


def _short(text: str) -> str:
    words = " ".join(text[: 2 * SHOWN].split())
    return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
