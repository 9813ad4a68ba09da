"""Rankings of a candidate over documents: its legs searched, their rankings fused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Candidate, Fusion, Leg, parse_candidate
from knowledge.errors import SpecError, UserError
from knowledge.wording import say
from tools import bm25, encoders
from tools.encoders import Vectors

#: queries compared at a time: with blocks of 8,192 documents this is 16 MB of scores
EXACT_QUERIES = 512
#: Cormack, Clarke & Büttcher (SIGIR 2009) set k = 60 and found the choice uncritical
RRF_K = 60


@dataclass(frozen=True)
class Rankings:
    """For each query the rows of the best documents and their scores, best first: arrays of shape (queries, depth).

    Where a query finds fewer documents, rows of -1 follow.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


def parse(specs: Sequence[str]) -> list[Candidate]:
    """The candidates of these specs, each once, checked as far as that costs nothing.

    Raises:
        SpecError: a spec that cannot be read, a backend or option that does not exist.
        UserError: no spec at all.
    """
    if not specs:
        raise UserError(
            say("There is nothing to measure: no candidate was named."),
            say("Name one, such as bm25 or st:intfloat/multilingual-e5-small."),
        )
    candidates = list(dict.fromkeys(parse_candidate(spec) for spec in specs))
    for candidate in candidates:
        check(candidate)
    return candidates


def check(candidate: Candidate) -> None:
    """Raise SpecError for backends and options that do not exist, before anything is spent."""
    for leg in candidate.legs:
        if leg.backend == "bm25":
            bm25.check_options(leg)
        else:
            encoders.check(leg)
    _check_fusions(candidate)


def _check_fusions(candidate: Candidate) -> None:
    if isinstance(candidate, Fusion):
        unknown = sorted(set(candidate.options) - {"k"})
        if unknown or not candidate.options.get("k", "60").isdecimal():
            raise SpecError(
                say("The options of {spec} cannot be used.", spec=candidate.spec),
                say("rrf takes one option, a whole number: k=60."),
            )
        for part in candidate.parts:
            _check_fusions(part)


def exact(parts: Iterable[Vectors], queries: Vectors, depth: int) -> Rankings:
    """Rankings by inner product, documents coming part by part: for more of them than memory holds.

    Equal scores keep the order of the documents.
    """
    rows = np.zeros((len(queries), 0), np.int64)
    scores = np.zeros((len(queries), 0), np.float32)
    done = 0
    for part in parts:
        best = [
            _best(queries[start : start + EXACT_QUERIES] @ part.T, depth)
            for start in range(0, len(queries), EXACT_QUERIES)
        ]
        of_part = np.vstack([columns for columns, _ in best]) if best else np.zeros((0, 0), np.int64)
        in_part = np.vstack([values for _, values in best]) if best else np.zeros((0, 0), np.float32)
        columns, scores = _best(np.hstack([scores, in_part]), depth)
        rows = np.take_along_axis(np.hstack([rows, of_part + done]), columns, axis=1)
        done += len(part)
    return Rankings(rows, scores.astype(np.float64))


def _best(scores: Vectors, depth: int) -> tuple[NDArray[np.int64], Vectors]:
    """Columns and values of each row's largest, best first; of equal ones the first columns."""
    if scores.shape[1] > depth > 0:
        lowest = -np.partition(-scores, depth - 1, axis=1)[:, depth - 1 : depth]
        # at least `depth` a row; more where the last place is shared, and then the sort below decides
        width = int((scores >= lowest).sum(axis=1).max())
        columns = np.sort(np.argpartition(-scores, min(width, scores.shape[1]) - 1, axis=1)[:, :width], axis=1)
    else:
        columns = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    values = np.take_along_axis(scores, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :depth]
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(values, order, axis=1)


def rank(candidate: Candidate, of_leg: dict[Leg, Rankings], depth: int) -> Rankings:
    """The candidate's rankings from those of its legs."""
    if isinstance(candidate, Leg):
        found = of_leg[candidate]
        return Rankings(found.rows[:, :depth], found.scores[:, :depth])
    parts = [rank(part, of_leg, depth) for part in candidate.parts]
    k = int(candidate.options.get("k", RRF_K))
    fused = [_fuse([part.rows[q] for part in parts], k, depth) for q in range(len(parts[0].rows))]
    width = max((len(rows) for rows, _ in fused), default=0)
    rankings = Rankings(np.full((len(fused), width), -1, dtype=np.int64), np.zeros((len(fused), width)))
    for q, (rows, scores) in enumerate(fused):
        rankings.rows[q, : len(rows)] = rows
        rankings.scores[q, : len(scores)] = scores
    return rankings


def _fuse(rankings: Sequence[NDArray[np.int64]], k: int, depth: int) -> tuple[list[int], list[float]]:
    """Reciprocal rank fusion of one query's rankings; equal scores keep the order of the first ranking."""
    scores: dict[int, float] = {}
    for rows in rankings:
        for position, row in enumerate(rows[rows >= 0], start=1):
            scores[int(row)] = scores.get(int(row), 0.0) + 1.0 / (k + position)
    best = sorted(scores.items(), key=lambda item: -item[1])[:depth]
    return [row for row, _ in best], [score for _, score in best]
