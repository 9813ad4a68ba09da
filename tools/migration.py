"""From one candidate to another: how long and what for, in which order, and where thresholds go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from knowledge.candidate import Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.quantities import duration
from knowledge.results import Benchmark, Evaluation, Interval
from knowledge.results.recheck import Migration, Threshold
from knowledge.wording import Text, say
from tools import encoders
from tools.encoders import Vectors
from tools.encoding import ensure, vectors
from tools.metrics.judgments import treat
from tools.run_store import RunStore
from tools.setups import setup_of
from tools.statistics import LEVEL
from tools.workspace import Workspace

#: shares of the right answers whose cut-offs are told, beside those that the user names
KEPT = (0.99, 0.95, 0.9, 0.8)
#: documents of each query that are no answer to it, for what passes wrongly
OTHERS = 20
RESAMPLES = 999
#: of each kind, looked through for the speed of an encoder
MOST_RUNS = 50
#: with fewer right answers a cut-off says nothing
FEWEST = 20

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class PairScores:
    """Cosines of queries and documents: of right answers by query, and of other documents; the same order for all."""

    right: tuple[Scores, ...]
    others: Scores


def plan_migration(
    evaluation: Evaluation,
    old: str,
    new: str,
    dataset: Dataset,
    workspace: Workspace,
    *,
    documents: int | None = None,
    thresholds: Sequence[float] = (),
) -> Migration:
    """The plan, from what was measured of both.

    Args:
        evaluation: in which both were measured on the dataset.
        old: spec in use.
        new: spec to change to.
        dataset: with queries and judgments.
        workspace: vectors, runs.
        documents: how many there are in production; None: as many as in the dataset.
        thresholds: cut-offs on the old one's scores that are in use.
    """
    count = documents or len(dataset.documents)
    rate, source = _rate(new, workspace)
    measured = next((c for c in evaluation.candidates if c.spec == new), None)
    size = _bytes(new, measured.dimension if measured else None)
    usd = measured.usd if measured else None
    try:
        pairs = [_pairs(spec, dataset, workspace) for spec in (old, new)]
        moved: tuple[Threshold, ...] = recalibrated(pairs[0], pairs[1], thresholds)
        why = None if moved else say("There are too few right answers to place a threshold.")
    except _NoScoresError as error:
        moved, why = (), error.why
    taken = count / rate / 3600 if rate else None
    return Migration(
        old=old,
        new=new,
        documents=count,
        rate=rate,
        rate_source=source,
        hours=taken,
        usd=usd * count / max(len(dataset.documents), 1) if usd else None,
        vector_bytes=size * count if size else None,
        steps=tuple(_steps(old, new, taken, thresholds=bool(moved))),
        thresholds=moved,
        no_thresholds=why,
    )


def recalibrated(old: PairScores, new: PairScores, thresholds: Sequence[float] = ()) -> tuple[Threshold, ...]:
    """Cut-offs on the old scores, and those on the new ones that let the same share of right answers pass.

    The scores of two models are on scales of their own: what keeps 95 % of the right answers at 0.71 may do so at 0.43
    with another. The share is what is kept; how many wrong ones pass then is told. Intervals by bootstrap over queries.

    Args:
        old: scores of pairs.
        new: of the same pairs.
        thresholds: on old scores; where none are named, those that keep the shares of `KEPT`.
    """
    before, after = np.concatenate(old.right), np.concatenate(new.right)
    if len(before) < FEWEST:
        return ()
    shares = [float((before >= cut).mean()) for cut in thresholds] or list(KEPT)
    cuts = list(thresholds) or [float(np.quantile(before, 1 - share)) for share in shares]
    rng = np.random.default_rng(0)
    drawn: list[list[float]] = [[] for _ in shares]
    for _ in range(RESAMPLES):
        chosen = rng.integers(0, len(old.right), len(old.right))
        one = np.concatenate([old.right[i] for i in chosen])
        two = np.concatenate([new.right[i] for i in chosen])
        for i, cut in enumerate(cuts):
            drawn[i].append(float(np.quantile(two, 1 - float((one >= cut).mean()))))
    found = []
    for share, cut, values in zip(shares, cuts, drawn, strict=True):
        middle = float(np.quantile(after, 1 - share))
        low, high = (float(np.quantile(values, q)) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        found.append(
            Threshold(
                keeps=share,
                old=cut,
                new=Interval(mean=middle, low=min(low, middle), high=max(high, middle)),
                old_wrong=_passing(old.others, cut),
                new_wrong=_passing(new.others, middle),
            )
        )
    return tuple(found)


def _passing(scores: Scores, cut: float) -> float:
    return float((scores >= cut).mean()) if len(scores) else 0.0


class _NoScoresError(Exception):
    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def _pairs(spec: str, dataset: Dataset, workspace: Workspace) -> PairScores:
    """Scores of the same pairs for every candidate: judged right answers, and documents that are no answers."""
    leg = parse_candidate(spec)
    if not isinstance(leg, Leg) or leg.backend == "bm25" or encoders.backend(leg.backend).FORM != "dense":
        raise _NoScoresError(
            say("{spec} has no score of a pair by itself: fused places and words have no scale.", spec=spec)
        )
    if "chunk" in leg.options:
        raise _NoScoresError(say("{spec} scores chunks, and judgments are of documents.", spec=spec))
    treated = treat(dataset).dataset
    right = {
        query: [d for d, grade in judged.items() if grade > 0 and d in treated.documents]
        for query, judged in treated.judgments.items()
        if query in treated.queries
    }
    right = {query: found for query, found in right.items() if found}
    if not right:
        raise _NoScoresError(say("No query has a right answer."))
    others = _others(right, list(treated.documents))
    texts = list(dict.fromkeys(treated.documents[d] for of in (right, others) for found in of.values() for d in found))
    try:
        resolved = encoders.resolve(leg, workspace)
        asked = [treated.queries[query] for query in right]
        if resolved.local:  # of an endpoint only what is in the cache: nothing is sent
            ensure(resolved, {"query": asked, "document": texts}, workspace)
        q = encoders.cut(encoders.finish(vectors(resolved, asked, "query", workspace), leg, resolved), None)
        d = encoders.cut(encoders.finish(vectors(resolved, texts, "document", workspace), leg, resolved), None)
    except (AdvisorError, KeyError) as error:
        cause = error.cause if isinstance(error, AdvisorError) else say("its vectors are not kept")
        raise _NoScoresError(say("{spec} cannot be asked here: {why}", spec=spec, why=cause)) from error
    rows = {text: row for row, text in enumerate(texts)}

    def scores(of: Mapping[str, Sequence[str]]) -> tuple[Scores, ...]:
        return tuple(
            _cosines(q[i], d, [rows[treated.documents[one]] for one in of[query]]) for i, query in enumerate(right)
        )

    return PairScores(scores(right), np.concatenate(scores(others)))


def _cosines(query: Vectors, documents: Vectors, rows: Sequence[int]) -> Scores:
    found: Scores = (documents[list(rows)] @ query).astype(np.float64)
    return found


def _others(right: Mapping[str, Sequence[str]], documents: Sequence[str]) -> dict[str, list[str]]:
    """Of each query some documents that are no answer to it, the same every time."""
    rng = np.random.default_rng(0)
    found = {}
    for query, answers in right.items():
        drawn = rng.choice(len(documents), min(OTHERS + len(answers), len(documents)), replace=False)
        found[query] = [documents[i] for i in drawn if documents[i] not in answers][:OTHERS]
    return found


def _rate(spec: str, workspace: Workspace) -> tuple[float | None, Text | None]:
    """Documents a second: of the latest benchmark of the candidate, else of an evaluation in which its encoder ran."""
    runs = RunStore(workspace.store)
    try:
        for run in runs.runs("benchmark", MOST_RUNS):
            timed = Benchmark.model_validate(run.payload)
            for one in timed.candidates:
                if _encoder(one.spec) == _encoder(spec) and one.documents_per_second > 0:
                    return one.documents_per_second, say("measured by {run}", run=run.run_id)
        for run in runs.runs("evaluation", MOST_RUNS):
            for measured in Evaluation.model_validate(run.payload).candidates:
                worked = measured.encode_seconds > 0 and measured.encoded_texts > 0
                if worked and _encoder(measured.spec) == _encoder(spec):
                    rate = measured.encoded_texts / measured.encode_seconds
                    return rate, say("as {run} encoded its texts", run=run.run_id)
    except ValidationError:  # what another version kept
        pass
    finally:
        runs.close()
    return None, None


def _encoder(spec: str) -> str:
    """What encodes: all set-ups of one encoder take the same time; a fusion is its own."""
    candidate = parse_candidate(spec)
    if not isinstance(candidate, Leg):
        return candidate.spec
    own = {name: value for name, value in candidate.options.items() if name not in encoders.COMMON_OPTIONS}
    return candidate.model_copy(update={"options": own}).spec


def _bytes(spec: str, dimension: int | None) -> float | None:
    """Of one document's vector as the set-up stores it."""
    candidate = parse_candidate(spec)
    if dimension is None or not isinstance(candidate, Leg):
        return None
    from tools.setups.options import BYTES

    return dimension * BYTES[setup_of(candidate).store]


def _steps(old: str, new: str, hours: float | None, *, thresholds: bool) -> list[Text]:
    """In an order in which every step can be taken back."""
    time = duration(3600 * hours) if hours is not None else say("a time that was not measured (advisor benchmark)")
    steps = [
        say("Freeze the release of {old}: note its collection, prompts and settings; they are the way back.", old=old),
        say("Make an index of words for {new} beside the one in use.", new=new)
        if all(leg.backend == "bm25" for leg in parse_candidate(new).legs)
        else say(
            "Make a second collection for {new} beside the one in use and embed all documents: {time}.",
            new=new,
            time=time,
        ),
        say("From now on write every new or changed document into both."),
        say("Check the second one before anybody sees it: advisor verify with its collection."),
        say("Send a part of the queries to it (shadow or canary), and compare latency, errors and clicks."),
    ]
    if thresholds:
        steps.append(
            say("Put the thresholds in that belong to the new scores; the old ones mean something else there.")
        )
    return [
        *steps,
        say("Switch the alias (alter_alias) and the encoder of queries to the new ones in one step."),
        say("To go back, switch both back: the first collection is still being written to."),
        say("After two quiet weeks stop writing into the first collection, drop it, and recheck against the new run."),
    ]
