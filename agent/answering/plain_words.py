"""“What does nDCG mean in plain words?”: a sentence without formulas, and what the figure of this decision says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.answering.brief import LINES, background, cite
from agent.answering.measured import row_of
from knowledge import quantities
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.state import State

#: by the note that has it at length: what people call it, what measures call it, what it says
_METRICS: tuple[tuple[str, str, str, Text], ...] = (
    (
        "ndcg",
        r"ndcg",
        "nDCG",
        say(
            "nDCG says how near the top the right documents stand: 1 is a list in perfect order, 0 is a list without "
            "any right one; one on place 1 counts much more than one on place 9."
        ),
    ),
    (
        "mrr",
        r"mrr|reciprocal",
        "RR",
        say("MRR says how far down one has to read for the first right document: 1 is always on place 1, 0.5 place 2."),
    ),
    (
        "precision-recall",
        r"context recall|上下文召回率",
        "ContextRecall",
        say("Context recall says which share of all right documents is among the five that a language model is given."),
    ),
    (
        "precision-recall",
        r"context precision|上下文精确率",
        "ContextPrecision",
        say(
            "Context precision says whether, of the five documents that a language model is given, the right ones "
            "stand before the wrong ones: 1 is all of them first, 0 is none there."
        ),
    ),
    (
        "precision-recall",
        r"recall|召回率",
        "R",
        say("Recall says which share of all right documents is in the list at all, wherever in it they stand."),
    ),
    (
        "precision-recall",
        r"precision|精确率",
        "P",
        say("Precision says which share of the list shown is right."),
    ),
    (
        "map",
        r"\bmap\b|average precision|平均精度",
        "AP",
        say("MAP rewards lists in which all right documents stand before the wrong ones: 1 is perfect, 0 has none."),
    ),
    (
        "classification",
        r"\bf1\b|macro|宏平均",
        "F1(macro)",
        say(
            "F1 (macro) says how well each class is found, missed and false ones counting alike, and takes the mean "
            "over classes: a rare class counts as much as a common one."
        ),
    ),
    (
        "classification",
        r"accuracy|准确率",
        "Accuracy",
        say(
            "Accuracy says which share of the test texts gets the right class; where one class is common, that is easy."
        ),
    ),
    (
        "classification",
        r"v.?measure|homogeneity|completeness|v.?度量",
        "V-measure",
        say(
            "V-measure says how well the clusters found agree with the classes given: 1 is a cluster for each class, 0 "
            "is chance."
        ),
    ),
    (
        "mteb",
        r"spearman|rank correlation|斯皮尔曼|等级相关",
        "Spearman",
        say(
            "Spearman says whether pairs that people call more alike get the higher similarity: 1 is the same order, 0 "
            "is no order at all; how large the similarities are plays no part."
        ),
    ),
    (
        "latency-percentiles",
        r"p95",
        "p95",
        say("A p95 of 20 ms says that of a hundred queries 95 are answered within 20 ms, and five take longer."),
    ),
)


def in_plain_words(words: str, state: State) -> Text | None:
    """The first metric that a question names, without formulas; None where it names none."""
    for note, called, prefix, meaning in _METRICS:
        if re.search(called, words, re.I):
            return join([meaning, *_here(prefix, state), background(note, state)], LINES)
    return None


def _here(prefix: str, state: State) -> list[Text]:
    """The figure of the recommendation, and of the lowest candidate beside it."""
    recommendation = state.get("recommendation")
    winner = row_of(recommendation.winner, recommendation) if recommendation and recommendation.winner else None
    if recommendation is None or winner is None:
        return []
    if prefix == "p95" and winner.query_p95_ms is not None:
        time, cited = quantities.milliseconds(winner.query_p95_ms), cite(winner, "query_p95_ms")
        return [say("Here: {spec} has a p95 of {time}{cite}.", spec=winner.spec, time=time, cite=cited)]
    name = next((name for name in winner.metrics if name.partition("@")[0] == prefix), None)
    if name is None:
        return []
    lowest = min(recommendation.rows, key=lambda row: row.metrics.get(name, 1.0))
    lines = [
        say(
            "Here: {spec} reaches {metric} {value:.3f}{cite}.",
            spec=winner.spec,
            metric=name,
            value=winner.metrics[name],
            cite=cite(winner, name),
        )
    ]
    if lowest.spec != winner.spec and name in lowest.metrics:
        lines.append(
            say(
                "The lowest one, {spec}, {value:.3f}{cite}.",
                spec=lowest.spec,
                value=lowest.metrics[name],
                cite=cite(lowest, name),
            )
        )
    return [join(lines)]
