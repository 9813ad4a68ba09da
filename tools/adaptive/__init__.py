"""Find the winner without encoding everything for everyone.

Candidates that cost nothing (words, static vectors) read everything first. The others start on a pool of documents:
the relevant ones of a few queries, what the candidates known so far rank first for them, and some at random. Fewer
documents compete in a pool, so scores there are upper bounds; who is behind even so goes. Whoever looks best reads
everything, which sets the bar and gives harder negatives; the pool grows; and so on, until the cheapest candidate that
is not worse than the best by more than the margin is known. Where a faster precision ranks a sample alike, it stands in
until the end. Nothing is encoded twice: all vectors go through the cache, where the survivors' evaluation finds them.

One caveat: for a fusion of rankings, fewer competitors raise the score as a rule, not by necessity.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np

from knowledge.candidate import Candidate, Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, UserError
from knowledge.progress import OnProgress, ignore
from knowledge.results import AdaptiveEvaluation, Consent, Evaluation, FailedCandidate, Round, Screening
from knowledge.wording import say
from tools import chunking, encoders, retrieval
from tools.adaptive import parity
from tools.adaptive.engine import Reader, Rounds
from tools.adaptive.pools import Pools
from tools.adaptive.ranking import Bench
from tools.adaptive.work import CachedEncoding, Encoding, Ledger
from tools.encoders import Resolved
from tools.evaluate import NO_CONSENT, check_first, evaluate, obtain, query_scores
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.statistics import by_text, non_inferior
from tools.workspace import Workspace

#: accepted loss in the primary metric (the default of the requirements)
MARGIN = 0.02
#: file of measured encoding rates in the workspace
RATES = "encoding-rates.json"
#: documents ranked per query
DEPTH = 100


def find_winner(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    margin: float = MARGIN,
    budget_minutes: float | None = None,
    metrics: Sequence[str] = scoring.DEFAULT,
    costs: Mapping[str, float] | None = None,
    consent: Consent = NO_CONSENT,
    preflight: bool = True,
    seed: int = 0,
    on_progress: OnProgress = ignore,
    on_round: Callable[[Round], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> AdaptiveEvaluation:
    """Find the cheapest candidate not worse than the best by more than the margin, and measure it in full.

    Args:
        dataset: documents, queries and judgments.
        candidates: specs.
        workspace: caches, keys, Milvus.
        margin: accepted loss in the primary metric.
        budget_minutes: no encoding begins that would not be done by then; None for as long as it takes.
        metrics: names as ir-measures prints them; candidates are compared on the first.
        costs: spec -> what it costs, in any unit; by default encoding time as measured here decides.
        consent: what may be downloaded and sent.
        preflight: look at each encoder first, and leave out those whose figures would mean nothing.
        seed: of queries and documents drawn; the same seed and data give the same rounds.
        on_progress: told how far each encoding has come.
        on_round: told of each round.
        should_stop: asked before each encoding; the answer so far is returned.

    Raises:
        SpecError, UserError, DatasetError: as `tools.evaluate.evaluate`.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    began = time.monotonic()
    _parsed(candidates)
    checked, refused = check_first(dataset, candidates, workspace, consent, on_progress) if preflight else ((), ())
    left = [spec for spec in candidates if parse_candidate(spec).spec not in {r.spec for r in refused}]
    if budget_minutes is not None:
        budget_minutes = max(budget_minutes - (time.monotonic() - began) / 60, 0.0)
    screening, failed = screen(
        dataset,
        left,
        workspace,
        margin=margin,
        budget_minutes=budget_minutes,
        metrics=metrics,
        costs=costs,
        consent=consent,
        seed=seed,
        on_progress=on_progress,
        on_round=on_round,
        should_stop=should_stop,
    )
    evaluation: Evaluation | None = None
    winner = screening.winner
    if screening.survivors:
        evaluation = evaluate(
            dataset,
            screening.survivors,
            workspace,
            metrics=metrics,
            consent=consent,
            preflight=preflight,
            on_progress=on_progress,
        )
        everyone = {"failed": (*evaluation.failed, *failed, *refused), "preflight": checked}
        evaluation = evaluation.model_copy(update=everyone)
        if screening.end == "settled":
            winner = _winner(screening, evaluation, workspace)
    return AdaptiveEvaluation(screening=screening, evaluation=evaluation, winner=winner)


def screen(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    *,
    margin: float = MARGIN,
    budget_minutes: float | None = None,
    metrics: Sequence[str] = scoring.DEFAULT,
    costs: Mapping[str, float] | None = None,
    consent: Consent = NO_CONSENT,
    seed: int = 0,
    encoding: Encoding | None = None,
    on_progress: OnProgress = ignore,
    on_round: Callable[[Round], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Screening, tuple[FailedCandidate, ...]]:
    """The rounds alone, up to where the survivors' vectors are all there. Arguments as `find_winner`."""
    began = clock()
    scoring.check_metrics(metrics)
    parsed = _parsed(candidates)
    treated = labels.treat(dataset)
    judgments = _judgments(treated.dataset)
    if not judgments:
        evaluate(dataset, candidates, workspace, metrics=metrics, consent=consent)  # which says what is missing
    repeated = {query for group in treated.same_queries for query in group[1:]}
    same = {group[0]: group for group in treated.same_queries}
    asked = [q for q in judgments if q not in repeated]
    relevant = {q: {d: 1 for of in same.get(q, (q,)) for d, grade in judgments[of].items() if grade > 0} for q in asked}
    pools = Pools.of(treated.dataset, relevant, asked, seed)
    failures: dict[Candidate, AdvisorError] = {}
    readers, entrants = _readers(parsed, workspace, consent, failures)
    rounds = Rounds(
        bench=Bench(
            ids=list(treated.dataset.documents),
            texts=list(treated.dataset.documents.values()),
            queries=pools.queries,
            query_texts=[dataset.queries[q] for q in pools.queries],
            judgments=judgments,
            own=treated.own,
            metric=metrics[0],
            depth=max(DEPTH, scoring.depth_of(metrics)),
            same=same,
        ),
        pools=pools,
        readers=readers,
        entrants=entrants,
        ledger=Ledger(
            encoding or CachedEncoding(workspace),
            on_progress,
            workspace.home / RATES if encoding is None or isinstance(encoding, CachedEncoding) else None,
        ),
        margin=margin,
        costs=costs,
        deadline=None if budget_minutes is None else began + 60 * budget_minutes,
        should_stop=should_stop,
        on_round=on_round,
        clock=clock,
        failures=failures,
    )
    screening = rounds.run()
    if failures and all(c in failures or c in rounds.gone for c in parsed):
        raise next(failures[c] for c in parsed if c in failures)
    failed = tuple(
        FailedCandidate(spec=c.spec, reason=failures[c].cause, next_step=failures[c].next_step)
        for c in parsed
        if c in failures
    )
    return screening, failed


def _parsed(candidates: Sequence[str]) -> list[Candidate]:
    parsed = retrieval.parse(candidates)
    for candidate in parsed:
        if not can_be_screened(candidate):
            raise UserError(
                say("{spec} cannot be judged by part of the documents.", spec=candidate.spec),
                say("Measure it without --adaptive, which takes bm25, single vectors a text, and fusions of these."),
            )
    return parsed


def can_be_screened(candidate: Candidate) -> bool:
    """Whether the rounds can judge a candidate: words and single vectors of whole documents, and their fusions."""
    return retrieval.rerankings(candidate) == [] and all(
        chunking.rules_of(leg) is None and (leg.backend == "bm25" or encoders.backend(leg.backend).FORM == "dense")
        for leg in candidate.legs
    )


def _judgments(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Of known queries and documents, where at least one document is relevant."""
    known = {
        query: {document: grade for document, grade in judged.items() if document in dataset.documents}
        for query, judged in dataset.judgments.items()
        if query in dataset.queries
    }
    return {query: judged for query, judged in known.items() if any(grade > 0 for grade in judged.values())}


def _readers(
    parsed: Sequence[Candidate], workspace: Workspace, consent: Consent, failures: dict[Candidate, AdvisorError]
) -> tuple[list[Reader], dict[Candidate, dict[Leg, Reader]]]:
    """The distinct encoders, and who uses which."""
    named = {leg.spec for candidate in parsed for leg in candidate.legs}
    readers: dict[str, Reader] = {}
    entrants: dict[Candidate, dict[Leg, Reader]] = {}
    for candidate in parsed:
        mine: dict[Leg, Reader] = {}
        try:
            for leg in candidate.legs:
                if leg.backend != "bm25":
                    asked = obtain(encoders.resolve(leg, workspace), leg, workspace, consent)
                    reader = readers.setdefault(
                        asked.identity, Reader(asked, _stand_in(leg, asked, workspace, named), [])
                    )
                    reader.legs.append(leg)
                    mine[leg] = reader
        except AdvisorError as error:
            failures[candidate] = error
        entrants[candidate] = mine
    return list(readers.values()), entrants


def _stand_in(leg: Leg, asked: Resolved, workspace: Workspace, named: set[str]) -> Resolved:
    """The faster precision of the same model, where there is one that this machine has; else the one asked for.

    One that is a candidate itself comes first: its vectors are needed anyway, and then serve both.
    """
    for fast in sorted(parity.fast_legs(leg), key=lambda fast: fast.spec not in named):
        with suppress(AdvisorError):
            return encoders.resolve(fast, workspace)
    return asked


def _winner(screening: Screening, evaluation: Evaluation, workspace: Workspace) -> str | None:
    """The decision again, on what was measured in full in the precision asked for."""
    scores = query_scores(evaluation, workspace)
    if not scores:
        return screening.winner
    scores = {spec: by_text(of, evaluation.same_queries) for spec, of in scores.items()}
    queries = list(next(iter(scores.values())))
    by_query = {spec: np.array([of[q] for q in queries]) for spec, of in scores.items()}
    tied = non_inferior(by_query, screening.margin, others=len(screening.eliminated))
    return next((spec for spec in screening.survivors if spec in tied), tied[0])


__all__ = ["MARGIN", "can_be_screened", "find_winner", "screen"]
