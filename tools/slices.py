"""The winner and its nearest rivals on parts of the queries: short ones, those sharing words with the answer.

An average hides where a candidate fails. Many parts mean many chances to see a difference that is none, so intervals of
differences are widened until all of them hold together (Bonferroni), and small parts are not shown at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import SpecError
from knowledge.results import Evaluation, Interval, Recommendation, Slice, Slices, SliceScore
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList
from tools.language_detection import language_of_each, languages_of
from tools.profile import estimated_tokens, shared_words
from tools.statistics import ALPHA, bootstrap_interval, by_text

#: parts with fewer independent queries say too little
FEWEST = 10
#: candidates beside the winner
RIVALS = 3
#: of a relevant document, at most so many are looked at
_RELEVANT = 10
Value = TypeVar("Value", int, float, str)


class Part(NamedTuple):
    """Some of the queries, and what they have in common."""

    trait: Text
    part: Text
    queries: tuple[str, ...]


def slices(
    recommendation: Recommendation, evaluation: Evaluation, scores: Mapping[str, Mapping[str, float]], dataset: Dataset
) -> Slices | None:
    """Scores on parts of the queries; None where there is no winner or no trait divides the queries into two parts.

    Args:
        recommendation: its winner is what the others are compared with.
        evaluation: what was measured.
        scores: per-query scores in the primary metric, {spec: {query: score}}.
        dataset: that it was measured on.
    """
    winner = recommendation.winner
    if winner is None or winner not in scores:
        return None
    kept = {spec: by_text(scores[spec], evaluation.same_queries) for spec in (winner, *_rivals(recommendation, scores))}
    found = [parts for parts in _traits(dataset, list(kept[winner]), _limit(winner, evaluation)) if parts]
    shown = [[part for part in parts if len(part.queries) >= FEWEST] for parts in found]
    shown = [parts for parts in shown if len(parts) > 1]
    count = sum(map(len, shown)) * (len(kept) - 1)
    if not shown:
        return None
    level = 1 - ALPHA / max(1, count)
    made = _Maker(kept, level, evaluation)
    return Slices(
        metric=evaluation.primary,
        level=level,
        fewest=FEWEST,
        left_out=sum(map(len, found)) - sum(map(len, shown)),
        slices=tuple(made.slice(part) for parts in shown for part in parts),
        evidence=tuple(made.evidence.found),
    )


def rival(recommendation: Recommendation) -> str | None:
    """Whom the winner is held against: the best, where that is another one, else the runner-up."""
    if recommendation.best != recommendation.winner:
        return recommendation.best
    return recommendation.runner_up


def _rivals(recommendation: Recommendation, scores: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    taking_part = [r.spec for r in recommendation.rows if r.standing != "excluded" and r.spec != recommendation.winner]
    first = rival(recommendation)
    order = dict.fromkeys([*([first] if first else []), *taking_part])
    return tuple(spec for spec in order if spec in scores)[:RIVALS]


class _Maker:
    """Makes slices and numbers their evidence."""

    def __init__(self, scores: Mapping[str, Mapping[str, float]], level: float, evaluation: Evaluation) -> None:
        self._scores, self._level, self._evaluation = scores, level, evaluation
        self.evidence = EvidenceList("EQ")

    def slice(self, part: Part) -> Slice:
        winner = next(iter(self._scores))
        first = np.array([self._scores[winner][q] for q in part.queries])
        made: list[SliceScore] = []
        for spec, of in self._scores.items():
            values = np.array([of[q] for q in part.queries])
            quality = bootstrap_interval(values)
            cites = {"quality": self._cite(part, spec, quality, ())}
            difference = None
            if spec != winner:
                difference = bootstrap_interval(values - first, level=self._level)
                both = (cites["quality"], made[0].cites["quality"])
                cites["difference"] = self._cite(part, spec, difference, both)
            made.append(SliceScore(spec=spec, quality=quality, difference=difference, cites=cites))
        return Slice(trait=part.trait, part=part.part, queries=len(part.queries), scores=tuple(made))

    def _cite(self, part: Part, spec: str, value: Interval, computed_from: tuple[str, ...]) -> str:
        run = self._evaluation
        metric = say("difference in {metric} to the winner", metric=run.primary)
        return self.evidence.add(
            "computed" if computed_from else "measured",
            spec,
            say(
                "{metric}; {trait}: {part}",
                metric=metric if computed_from else run.primary,
                trait=part.trait,
                part=part.part,
            ),
            value.mean,
            source=say("{count} queries of {dataset}", count=len(part.queries), dataset=run.dataset.name),
            date=run.started.date(),
            run_id=run.run_id,
            computed_from=computed_from,
        )


# ---------------------------------------------------------------- traits


def _traits(dataset: Dataset, queries: Sequence[str], limit: int | None) -> Iterator[list[Part]]:
    """All that is known of each query, each as parts that share no query."""
    texts = {q: dataset.queries[q] for q in queries if q in dataset.queries}
    relevant = {q: [d for d, grade in dataset.judgments.get(q, {}).items() if grade > 0] for q in texts}
    yield _by_size(say("length of the query"), {q: estimated_tokens(text) for q, text in texts.items()})
    yield _by_language(texts)
    yield _by_shared_words(shared_words(dataset, list(texts)))
    counts = {q: len(found) for q, found in relevant.items() if found}
    yield _grouped(say("relevant documents"), counts, _how_many)
    lengths = {
        q: max(estimated_tokens(dataset.documents[d]) for d in found[:_RELEVANT])
        for q, found in relevant.items()
        if found
    }
    yield _by_size(say("longest relevant document"), lengths)
    if limit is not None:
        parts = (
            say("within the {limit} tokens that the winner reads", limit=limit),
            say("longer: the winner reads part"),
        )
        yield _grouped(say("relevant documents, by estimate"), lengths, lambda length: parts[length > limit])


def _by_size(trait: Text, sizes: Mapping[str, int]) -> list[Part]:
    """Thirds of the queries, cut where sizes differ."""
    if not sizes:
        return []
    ordered = sorted(sizes.values())
    cuts = sorted({ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]} - {ordered[-1]})
    edges = [*cuts, ordered[-1]]
    names = [
        say("up to {most} tokens", most=edge)
        if i == 0
        else say("{least} to {most} tokens", least=edges[i - 1] + 1, most=edge)
        for i, edge in enumerate(edges)
    ]
    return _grouped(trait, sizes, lambda size: names[next(i for i, edge in enumerate(edges) if size <= edge)])


def _by_language(texts: Mapping[str, str]) -> list[Part]:
    among = languages_of(list(texts.values()))
    if len(among) < 2:
        return []
    found = zip(texts, language_of_each(list(texts.values()), among), strict=True)
    known = {q: code for q, code in found if code is not None and code in among}
    names = {code: Text.model_validate(code) for code in among}
    return _grouped(say("language of the query"), known, lambda code: names[code])


def _by_shared_words(shares: Mapping[str, float]) -> list[Part]:
    names = (say("less than a third"), say("one to two thirds"), say("more than two thirds"))
    return _grouped(
        say("query words found in the right document"), shares, lambda share: names[(share >= 1 / 3) + (share > 2 / 3)]
    )


_COUNTS = (say("one"), say("two to five"), say("more than five"))


def _how_many(count: int) -> Text:
    return _COUNTS[(count > 1) + (count > 5)]


def _grouped(trait: Text, values: Mapping[str, Value], name: Callable[[Value], Text]) -> list[Part]:
    """Parts by name, in the order of their values."""
    groups: dict[Text, list[str]] = {}
    for query in sorted(values, key=lambda q: (values[q], q)):
        groups.setdefault(name(values[query]), []).append(query)
    return [Part(trait, part, tuple(queries)) for part, queries in groups.items()]


def _limit(spec: str, evaluation: Evaluation) -> int | None:
    """How many tokens of a text a candidate reads; None where it reads all, or nobody knows."""
    try:
        legs = {leg.spec for leg in parse_candidate(spec).legs}
    except SpecError:
        return None
    checked = (p.truncation for p in evaluation.preflight if p.spec in legs)
    return min((t.effective_limit for t in checked if t and t.effective_limit), default=None)
