"""Rankings of a candidate over documents: its legs searched, their rankings fused, the best of them re-ranked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.errors import SpecError, UserError
from knowledge.wording import say
from tools import bm25, encoders
from tools.encoders import Vectors
from tools.pipeline import ranking

#: queries compared at a time: with blocks of 8,192 documents this is 16 MB of scores
EXACT_QUERIES = 512
#: documents ranked per query, unless a metric's cut-off asks for more
DEPTH = 100
#: Cormack, Clarke & Büttcher (SIGIR 2009) set k = 60 and found the choice uncritical
RRF_K = 60
#: documents of a query that are re-ranked unless `top` says otherwise
RERANKED = 50
#: more are never asked for: so many are ranked in any case
MOST_RERANKED = 100


@dataclass(frozen=True)
class Rankings:
    """For each query the rows of the best documents and their scores, best first: arrays of shape (queries, depth).

    Where a query finds fewer documents, rows of -1 follow.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


#: scores of a reranker: of each query, in order, for these rows of documents (-1 where there is none)
Rescore = Callable[[Leg, NDArray[np.int64]], NDArray[np.float64]]


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
    _check_roles(candidate, searches=True)


def _check_roles(candidate: Candidate, *, searches: bool) -> None:
    """What stands where a reranker belongs must be one, and nowhere else may one stand."""
    if isinstance(candidate, Fusion):
        _check_options(candidate)
        for part in candidate.parts:
            _check_roles(part, searches=True)
    elif isinstance(candidate, Rerank):
        _check_options(candidate)
        _check_roles(candidate.base, searches=True)
        _check_roles(candidate.reranker, searches=False)
    elif reranks(candidate) and searches:
        raise SpecError(
            say("{spec} scores pairs of a query and a document, and finds nothing by itself.", spec=candidate.spec),
            say("Let it re-rank what another finds, such as rerank(bm25, {spec})?top=50.", spec=candidate.spec),
        )
    elif not searches and not reranks(candidate):
        raise SpecError(
            say("{spec} cannot re-rank: it does not read a query and a document together.", spec=candidate.spec),
            say("Give a cross-encoder, such as rerank(bm25, ce:cross-encoder/ms-marco-MiniLM-L6-v2)."),
        )


def reranks(leg: Leg) -> bool:
    """Whether a leg scores pairs of a query and a document, rather than find documents."""
    return leg.backend != "bm25" and encoders.backend(leg.backend).FORM == "pairs"


def _check_options(candidate: Fusion | Rerank) -> None:
    method = candidate.method if isinstance(candidate, Fusion) else "rerank"
    takes, possible, example = {
        "rrf": ("k", lambda value: value.isdecimal(), say("rrf takes one option, a whole number: k=60.")),
        "weighted": (
            "w",
            lambda value: _are_weights(value, candidate),
            say("weighted takes one option, a weight for each candidate, not all of them 0: w=0.3:0.7."),
        ),
        "rerank": (
            "top",
            lambda value: value.isdecimal() and 1 <= int(value) <= MOST_RERANKED,
            say(
                "rerank takes one option, how many documents of a query are re-ranked, at most {most}: top=50.",
                most=MOST_RERANKED,
            ),
        ),
    }[method]
    if set(candidate.options) - {takes} or not all(map(possible, candidate.options.values())):
        raise SpecError(say("The options of {spec} cannot be used.", spec=candidate.spec), example)


def _are_weights(value: str, candidate: Fusion | Rerank) -> bool:
    assert isinstance(candidate, Fusion)
    weights = value.split(":")
    return (
        len(weights) == len(candidate.parts)
        and all(re.fullmatch(r"\d{1,4}(\.\d{1,6})?", weight) for weight in weights)
        and any(map(float, weights))
    )


def weights_of(fusion: Fusion) -> list[float]:
    """The share of each part in a weighted fusion, all of them together 1; equal where none are given."""
    given = [float(weight) for weight in fusion.options.get("w", ":".join("1" * len(fusion.parts))).split(":")]
    return [weight / sum(given) for weight in given]


def top_of(candidate: Rerank) -> int:
    """How many documents of a query are re-ranked."""
    return int(candidate.options.get("top", RERANKED))


def reach(candidate: Candidate, depth: int) -> int:
    """How many documents of a query each leg has to find, for the best `depth` of the candidate."""
    if isinstance(candidate, Rerank):
        return reach(candidate.base, max(depth, top_of(candidate)))
    return max(reach(part, depth) for part in candidate.parts) if isinstance(candidate, Fusion) else depth


def rerankings(candidate: Candidate) -> list[Rerank]:
    """Every re-ranking in a candidate, the innermost first."""
    inner = candidate.parts if isinstance(candidate, Fusion) else ()
    if isinstance(candidate, Rerank):
        return [*rerankings(candidate.base), candidate]
    return [found for part in inner for found in rerankings(part)]


def exact(parts: Iterable[Vectors], queries: Vectors, depth: int) -> Rankings:
    """Rankings by inner product, documents coming part by part: for more of them than memory holds.

    Equal scores keep the order of the documents.
    """

    def best(part: Vectors) -> tuple[NDArray[np.int64], Vectors, int]:
        found = [
            _best(queries[start : start + EXACT_QUERIES] @ part.T, depth)
            for start in range(0, len(queries), EXACT_QUERIES)
        ]
        columns = np.vstack([columns for columns, _ in found]) if found else np.zeros((0, 0), np.int64)
        values = np.vstack([values for _, values in found]) if found else np.zeros((0, 0), np.float32)
        return columns, values, len(part)

    return _together(map(best, parts), len(queries), depth)


def best_of(blocks: Iterable[Vectors], queries: int, depth: int) -> Rankings:
    """Rankings from scores of shape (queries, documents), documents coming block by block; as `exact`."""
    return _together(((*_best(block, depth), block.shape[1]) for block in blocks), queries, depth)


def _together(parts: Iterable[tuple[NDArray[np.int64], Vectors, int]], queries: int, depth: int) -> Rankings:
    """Rankings of all documents from those of each part: columns, scores and how many documents the part has."""
    rows, scores = np.zeros((queries, 0), np.int64), np.zeros((queries, 0), np.float32)
    done = 0
    for of_part, in_part, size in parts:
        columns, scores = _best(np.hstack([scores, in_part]), depth)
        rows = np.take_along_axis(np.hstack([rows, of_part + done]), columns, axis=1)
        done += size
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


def rank(candidate: Candidate, of_leg: dict[Leg, Rankings], depth: int, rescore: Rescore | None = None) -> Rankings:
    """The candidate's rankings from those of its legs.

    Args:
        candidate: a leg, a fusion or a re-ranking.
        of_leg: rankings of the legs that search, each at least `reach(candidate, depth)` deep where there is so much.
        depth: documents ranked per query.
        rescore: scores of rerankers; needed where the candidate has one.
    """
    if isinstance(candidate, Leg):
        found = of_leg[candidate]
        return Rankings(found.rows[:, :depth], found.scores[:, :depth])
    if isinstance(candidate, Rerank):
        assert rescore
        return _reranked(candidate, of_leg, depth, rescore)
    parts = [rank(part, of_leg, depth, rescore) for part in candidate.parts]
    if candidate.method == "weighted":
        weights = weights_of(candidate)
        fused = [ranking.weighted([_found(p, q) for p in parts], weights, depth) for q in range(len(parts[0].rows))]
    else:
        k = int(candidate.options.get("k", RRF_K))
        fused = [ranking.fused([_found(p, q)[0] for p in parts], k, depth) for q in range(len(parts[0].rows))]
    width = max(map(len, fused), default=0)
    rankings = Rankings(np.full((len(fused), width), -1, dtype=np.int64), np.zeros((len(fused), width)))
    for q, best in enumerate(fused):
        rankings.rows[q, : len(best)] = [row for row, _ in best]
        rankings.scores[q, : len(best)] = [score for _, score in best]
    return rankings


def _reranked(candidate: Rerank, of_leg: dict[Leg, Rankings], depth: int, rescore: Rescore) -> Rankings:
    """The first documents in the reranker's order, the others behind them as they were.

    Equal scores keep the order that was there before.
    """
    top = top_of(candidate)
    before = rank(candidate.base, of_leg, max(depth, top), rescore)
    read = before.rows[:, :top]
    rows, scores = ranking.reranked(before.rows, np.where(read >= 0, rescore(candidate.reranker, read), -np.inf))
    return Rankings(rows[:, :depth], scores[:, :depth])


def _found(rankings: Rankings, query: int) -> tuple[list[int], NDArray[np.float64]]:
    """What one query found, best first, and the scores."""
    there = rankings.rows[query] >= 0
    return rankings.rows[query][there].tolist(), rankings.scores[query][there]
