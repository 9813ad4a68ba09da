"""Hard cases made, asked of candidates, and kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, Evaluation, FailedCandidate, HardCasesRun, Probes, Robustness
from knowledge.wording import say
from tools.evaluate.ranking import ByQuery, Job, Texts, rank_others
from tools.evaluate.work import DEPTH
from tools.hard_cases.outcomes import Outcomes, probes_of, right_in, robustness_of
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.probes import Probe, make_probes
from tools.robustness import Perturbed, perturb_queries
from tools.run_store import RunStore, content_key, new_run_id
from tools.workspace import Workspace

#: raised when probes, perturbations or how they are scored change
METHOD = 1
#: of the evaluation's characters, what probes and perturbed queries may add; short texts take a little more time each,
#: and models are loaded once more: together that stays under the 30 % that users are told (benchmarks/robustness)
SHARE = 0.2
_PROBES, _ROBUSTNESS = 0.6, 0.4
#: documents that a reranker looks at for a probe: the two passages are all but always the first two
_RERANKED = "4"
PROBES, ROBUSTNESS = "probes", "robustness"


@dataclass(frozen=True)
class HardCases:
    """What was found; None of what was not asked for, or of what the data has too little."""

    probes: Probes | None
    robustness: Robustness | None


@dataclass(frozen=True)
class Cases:
    """All that is asked, and what the evaluation had to encode anyway; false where there is nothing to ask."""

    dataset: Dataset
    probes: list[Probe]
    perturbed: list[Perturbed]
    own_characters: int
    treated: labels.Treated = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.probes or self.perturbed)

    @property
    def queries(self) -> dict[str, str]:
        return {one.id: one.text for one in self.perturbed}


def make_hard_cases(dataset: Dataset, kinds: Sequence[str] = (PROBES, ROBUSTNESS)) -> Cases:
    """What is asked: it depends on the data alone.

    Args:
        dataset: with queries and judgments.
        kinds: "probes", "robustness" or both.
    """
    treated = labels.treat(dataset)
    judged = {q: text for q, text in dataset.queries.items() if _is_answered(q, treated.dataset)}
    own = sum(map(len, treated.dataset.documents.values())) + sum(map(len, judged.values()))
    budget = SHARE * own
    probes = make_probes(treated.dataset, int(_PROBES * budget)) if PROBES in kinds else []
    perturbed = perturb_queries(judged, int(_ROBUSTNESS * budget)) if ROBUSTNESS in kinds else []
    return Cases(dataset, probes, perturbed, own, treated)


def ask_hard_cases(
    cases: Cases,
    evaluation: Evaluation,
    specs: Sequence[str],
    workspace: Workspace,
    *,
    consent: Consent,
    on_progress: OnProgress = ignore,
) -> HardCases:
    """Ask candidates.

    Args:
        cases: made of the dataset that the evaluation was made on.
        evaluation: in which the candidates were measured; it ranked documents.
        specs: candidates of it, in the order in which they are shown.
        workspace: vectors, runs, Milvus.
        consent: hosts that texts may be sent to; candidates of others are skipped, and said.
        on_progress: told how far it has come.
    """
    begun = time.monotonic()
    measured = {c.spec: c.key for c in evaluation.candidates if c.spec in specs}
    order = [spec for spec in dict.fromkeys(specs) if spec in measured]
    runs = RunStore(workspace.store)
    try:
        found = {spec: _known(cases, measured[spec], runs) for spec in order}
        jobs, skipped = _jobs(cases, found, _depth(evaluation))
        if any(job.candidates for job in jobs.values()):
            run_id = new_run_id("hard-cases", evaluation.started)
            judged = {q: dict(cases.treated.dataset.judgments[q]) for q in {one.query for one in cases.perturbed}}
            for name, spec, rankings in rank_others(jobs, workspace, consent, on_progress):
                if isinstance(rankings, AdvisorError):
                    failed = FailedCandidate(spec=spec, reason=rankings.cause, next_step=rankings.next_step)
                    skipped[name].append(failed)
                    continue
                scores = _scored(name, cases, rankings, judged, evaluation.primary)
                runs.save_measurement(_key(name, cases, measured[spec]), name, spec, run_id, {}, scores)
                found[spec][name] = scores
        before = {spec: runs.query_scores(measured[spec], evaluation.primary) for spec in order}
        asked = any(job.candidates for job in jobs.values())
        took = round(time.monotonic() - begun, 1) if asked else 0.0
        outcomes = Outcomes(evaluation, cases.dataset, cases.own_characters, took)
        hard = _records(cases, order, found, skipped, before, outcomes)
        if asked:
            _save(hard, evaluation, order, runs)
    finally:
        runs.close()
    return hard


def _records(
    cases: Cases,
    order: Sequence[str],
    found: Mapping[str, Mapping[str, dict[str, dict[str, float]]]],
    skipped: Mapping[str, Sequence[FailedCandidate]],
    before: Mapping[str, Mapping[str, float]],
    outcomes: Outcomes,
) -> HardCases:
    """What came of it; those of whom nothing is known are named, even where nobody else was asked."""
    right = {spec: found[spec][PROBES]["right"] for spec in order if PROBES in found[spec]}
    changed = {spec: found[spec][ROBUSTNESS] for spec in order if ROBUSTNESS in found[spec]}
    return HardCases(
        probes_of(cases.probes, right, skipped[PROBES], outcomes)
        if cases.probes and (right or skipped[PROBES])
        else None,
        robustness_of(cases.perturbed, before, changed, skipped[ROBUSTNESS], outcomes)
        if cases.perturbed and (changed or skipped[ROBUSTNESS])
        else None,
    )


def _save(hard: HardCases, evaluation: Evaluation, order: Sequence[str], runs: RunStore) -> None:
    """Keep what was found as a run, to be looked at later."""
    now = dt.datetime.now(dt.UTC)
    run = HardCasesRun(
        run_id=new_run_id("hard-cases", now),
        created=now,
        evaluation=evaluation.run_id,
        dataset=evaluation.dataset,
        queries=evaluation.judged_queries,
        metric=evaluation.primary,
        candidates=tuple(order),
        probes=hard.probes,
        robustness=hard.robustness,
    )
    runs.save_run(run.run_id, "hard-cases", run.model_dump(mode="json"), now)


def _is_answered(query: str, dataset: Dataset) -> bool:
    return any(g > 0 and d in dataset.documents for d, g in dataset.judgments.get(query, {}).items())


def _key(name: str, cases: Cases, measured: str) -> str:
    """Identity of what one candidate was asked: its own, and every question."""
    questions = [probe.id for probe in cases.probes] if name == PROBES else sorted(cases.queries.items())
    return content_key(kind=name, method=METHOD, measured=measured, asked=questions)


def _known(cases: Cases, measured: str, runs: RunStore) -> dict[str, dict[str, dict[str, float]]]:
    """What the run store has of one candidate: {probes or robustness: {metric: {id: score}}}."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, metrics in ((PROBES, ["right"]), (ROBUSTNESS, sorted({one.kind for one in cases.perturbed}))):
        key = _key(name, cases, measured)
        if runs.measurement(key) is not None:
            found[name] = {metric: runs.query_scores(key, metric) for metric in metrics}
    return found


def _jobs(
    cases: Cases, found: Mapping[str, Mapping[str, object]], depth: int
) -> tuple[dict[str, Job], dict[str, list[FailedCandidate]]]:
    """What is still to be ranked, by whom; and who is not asked."""
    skipped: dict[str, list[FailedCandidate]] = {PROBES: [], ROBUSTNESS: []}
    jobs: dict[str, Job] = {}
    if cases.probes:
        missing = {spec: for_probes(parse_candidate(spec)) for spec, known in found.items() if PROBES not in known}
        jobs[PROBES] = Job(missing, probe_texts(cases.probes))
    if cases.perturbed:
        missing = {spec: parse_candidate(spec) for spec, known in found.items() if ROBUSTNESS not in known}
        for spec in [spec for spec, candidate in missing.items() if _reranks(candidate)]:
            del missing[spec]
            skipped[ROBUSTNESS].append(
                FailedCandidate(
                    spec=spec,
                    reason=say("for every query it reads dozens of documents: too much for a look at all kinds"),
                    next_step=say("What its first stage loses, it can not bring back: look at that one."),
                )
            )
        texts = Texts(cases.treated.dataset.documents, cases.queries, depth, _own(cases))
        jobs[ROBUSTNESS] = Job(missing, texts)
    return jobs, skipped


def _depth(evaluation: Evaluation) -> int:
    """As deep as the evaluation ranked: what is fused is fused from so many of each leg."""
    return max(DEPTH, scoring.depth_of(evaluation.candidates[0].metrics))


def _own(cases: Cases) -> dict[str, frozenset[str]]:
    own = cases.treated.own
    return {one.id: own[one.query] for one in cases.perturbed if one.query in own}


def probe_texts(probes: Sequence[Probe]) -> Texts:
    """The passages of all probes as one corpus, ranked to its end for each probe's query."""
    passages = {text for probe in probes for text in (probe.right, probe.wrong)}
    # in an order that says nothing: what scores alike is ranked as it comes
    ordered = sorted(passages, key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return Texts({text: text for text in ordered}, {probe.id: probe.query for probe in probes}, len(passages))


def for_probes(candidate: Candidate) -> Candidate:
    """The candidate, its rerankers reading only what can be one of the two passages."""
    if isinstance(candidate, Rerank):
        base = for_probes(candidate.base)
        return candidate.model_copy(update={"base": base, "options": {**candidate.options, "top": _RERANKED}})
    if isinstance(candidate, Fusion):
        return candidate.model_copy(update={"parts": tuple(map(for_probes, candidate.parts))})
    return candidate


def _reranks(candidate: Candidate) -> bool:
    if isinstance(candidate, Leg):
        return False
    return isinstance(candidate, Rerank) or any(map(_reranks, candidate.parts))


def _scored(
    name: str,
    cases: Cases,
    rankings: ByQuery,
    judgments: Mapping[str, Mapping[str, int]],
    primary: str,
) -> dict[str, dict[str, float]]:
    """As the run store keeps it: {metric: {id: score}}."""
    if name == PROBES:
        return {"right": right_in(cases.probes, rankings)}
    by_kind: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(one.kind for one in cases.perturbed):
        of_kind = {one.id: one.query for one in cases.perturbed if one.kind == kind}
        judged = {id: judgments[query] for id, query in of_kind.items()}
        scores = scoring.score({id: rankings[id] for id in of_kind}, judged, [primary])[primary]
        by_kind[kind] = {of_kind[id]: score for id, score in scores.items()}
    return by_kind


__all__ = ["SHARE", "Cases", "HardCases", "ask_hard_cases", "for_probes", "make_hard_cases", "probe_texts"]
