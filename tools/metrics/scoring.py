"""Per-query scores of a ranking, by ir-measures (trec_eval underneath), and by this folder what that lacks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from knowledge.errors import UserError
from knowledge.wording import say
from tools.metrics.context import context_precision, context_recall
from tools.metrics.f1 import f1

#: what is measured unless the user asks otherwise
DEFAULT = ("nDCG@10", "RR@10", "AP", "R@10", "R@100", "P@10", "F1@10", "Success@1", "Success@10", "Judged@10")
#: beside these where what is found is given to a language model, which reads few documents, and all of them
RAG = (*DEFAULT, "ContextPrecision@5", "ContextRecall@5")
_F1 = re.compile(r"^F1@(\d{1,6})$")
_CONTEXT = re.compile(r"^(ContextPrecision|ContextRecall)@([1-9]\d{0,5})$")
_OF_CONTEXT = {"ContextPrecision": context_precision, "ContextRecall": context_recall}
_CUTOFF = re.compile(r"@(\d+)$")

Ranking = Sequence[tuple[str, float]]


def check_metrics(names: Sequence[str]) -> None:
    """Raise UserError for a metric that neither ir-measures nor this folder has, or where there is none at all."""
    import ir_measures

    if not names:
        raise UserError(
            say("There is nothing to measure: no metric was named."),
            say("Write it as ir-measures does, for example {examples}.", examples=", ".join(DEFAULT)),
        )
    for name in names:
        if _CONTEXT.match(name):
            continue
        try:
            measure = ir_measures.parse_measure(_F1.sub(r"P@\1", name))
            known = ir_measures.DefaultPipeline.supports(measure) and measure.params.get("cutoff", 1) > 0
            known = known and str(measure) == _F1.sub(r"P@\1", name)
        except (NameError, ValueError, SyntaxError, AttributeError, TypeError, KeyError, AssertionError):
            known = False
        if not known:
            raise UserError(
                say("There is no metric called “{name}”.", name=name),
                say("Write it as ir-measures does, for example {examples}.", examples=", ".join(DEFAULT)),
            )


def for_task(task: str | None) -> tuple[str, ...]:
    """What is measured of rankings for the user's task (`Requirements.task`); None: nothing is known of it."""
    return RAG if task == "rag" else DEFAULT


def depth_of(metrics: Iterable[str]) -> int:
    """The largest cut-off among them: a shorter ranking could not answer it; 0 where none has one."""
    return max((int(found.group(1)) for name in metrics if (found := _CUTOFF.search(name))), default=0)


def score(
    rankings: Mapping[str, Ranking], judgments: Mapping[str, Mapping[str, int]], metrics: Sequence[str] = DEFAULT
) -> dict[str, dict[str, float]]:
    """Scores as {metric: {query id: score}} over all queries of `judgments`.

    Args:
        rankings: query id -> (document id, score), best first; a query without a ranking scores 0, and of a document
            that comes twice the first place counts.
        judgments: query id -> document id -> grade; nDCG has linear gain (as trec_eval and MTEB).
        metrics: names as ir-measures prints them, ``F1@k``, ``ContextPrecision@k`` and ``ContextRecall@k``.
    """
    import ir_measures

    cutoffs = {name: int(match.group(1)) for name in metrics if (match := _F1.fullmatch(name))}
    contexts = {name: match for name in metrics if (match := _CONTEXT.fullmatch(name))}
    wanted = [n for n in metrics if n not in cutoffs and n not in contexts] + [
        f"{m}@{k}" for k in cutoffs.values() for m in ("P", "R")
    ]
    measures = {ir_measures.parse_measure(name): name for name in dict.fromkeys(wanted)}
    qrels = [ir_measures.Qrel(q, d, grade) for q, judged in judgments.items() for d, grade in judged.items()]
    run = [ir_measures.ScoredDoc(q, d, s) for q, ranking in rankings.items() for d, s in _strict(ranking)]
    scores: dict[str, dict[str, float]] = {name: dict.fromkeys(judgments, 0.0) for name in measures.values()}
    for found in ir_measures.iter_calc(list(measures), qrels, run) if measures else ():
        scores[measures[found.measure]][found.query_id] = float(found.value)
    for name, k in cutoffs.items():
        precision, recall = scores[f"P@{k}"], scores[f"R@{k}"]
        scores[name] = {q: f1(precision[q], recall[q]) for q in judgments}
    for name, match in contexts.items():
        scores[name] = _of_contexts(rankings, judgments, _OF_CONTEXT[match[1]], int(match[2]))
    return {name: scores[name] for name in metrics}


def _of_contexts(
    rankings: Mapping[str, Ranking],
    judgments: Mapping[str, Mapping[str, int]],
    metric: Callable[[Sequence[str], Collection[str], int], float],
    k: int,
) -> dict[str, float]:
    found = {}
    for query, judged in judgments.items():
        ranking = list(dict.fromkeys(document for document, _ in rankings.get(query, ())))
        found[query] = metric(ranking, [d for d, grade in judged.items() if grade > 0], k)
    return found


def _strict(ranking: Ranking) -> list[tuple[str, float]]:
    """The ranking with scores that say no more than its order, each document once.

    trec_eval sorts by score, in single precision, and equal scores by document id from z to a: what is shown to a user
    is the order of the search, whatever ids its documents have. The figures are trec_eval's for the run so written.
    """
    documents = dict.fromkeys(document for document, _ in ranking)
    return [(document, float(len(documents) - rank)) for rank, document in enumerate(documents)]
