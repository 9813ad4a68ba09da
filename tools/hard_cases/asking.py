"""Hard cases made, asked of candidates, and kept."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, Evaluation, FailedCandidate, Probes, Robustness
from knowledge.wording import say
from tools.evaluate.ranking import ByQuery, Job, Texts, rank_others
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
class _Asked:
    """All that is asked, and what the evaluation had to encode anyway."""

    probes: list[Probe]
    perturbed: list[Perturbed]
    own_characters: int
    treated: labels.Treated = field(repr=False)

    @property
    def queries(self) -> dict[str, str]:
        return {one.id: one.text for one in self.perturbed}


def hard_cases(
    dataset: Dataset,
    evaluation: Evaluation,
    specs: Sequence[str],
    workspace: Workspace,
    *,
    consent: Consent,
    kinds: Sequence[str] = (PROBES, ROBUSTNESS),
    on_progress: OnProgress = ignore,
) -> HardCases:
    """Ask candidates.

    Args:
        dataset: that the evaluation was made on.
        evaluation: in which the candidates were measured; it ranked documents.
        specs: candidates of it, in the order in which they are shown.
        workspace: vectors, runs, Milvus.
        consent: hosts that texts may be sent to; candidates of others are skipped, and said.
        kinds: "probes", "robustness" or both.
        on_progress: told how far it has come.
    """
    begun = time.monotonic()
    asked = _prepare(dataset, kinds)
    measured = {c.spec: c.key for c in evaluation.candidates if c.spec in specs}
    order = [spec for spec in dict.fromkeys(specs) if spec in measured]
    runs = RunStore(workspace.store)
    try:
        found = {spec: _known(asked, measured[spec], runs) for spec in order}
        jobs, skipped = _jobs(asked, found, dataset)
        if any(job.candidates for job in jobs.values()):
            run_id = new_run_id("hard-cases", evaluation.started)
            judged = {q: dict(asked.treated.dataset.judgments[q]) for q in {one.query for one in asked.perturbed}}
            for name, spec, rankings in rank_others(jobs, workspace, consent, on_progress):
                if isinstance(rankings, AdvisorError):
                    skipped[name].append(
                        FailedCandidate(spec=spec, reason=rankings.cause, next_step=rankings.next_step)
                    )
                    continue
                scores = _scored(name, asked, rankings, judged, evaluation.primary)
                runs.save_measurement(_key(name, asked, measured[spec]), name, spec, run_id, {}, scores)
                found[spec][name] = scores
        before = {spec: runs.query_scores(measured[spec], evaluation.primary) for spec in order}
    finally:
        runs.close()
    took = round(time.monotonic() - begun, 1) if any(job.candidates for job in jobs.values()) else 0.0
    outcomes = Outcomes(evaluation, dataset, asked.own_characters, took)
    right = {spec: found[spec][PROBES]["right"] for spec in order if PROBES in found[spec]}
    changed = {spec: found[spec][ROBUSTNESS] for spec in order if ROBUSTNESS in found[spec]}
    return HardCases(
        probes_of(asked.probes, right, skipped[PROBES], outcomes) if asked.probes else None,
        robustness_of(asked.perturbed, before, changed, skipped[ROBUSTNESS], outcomes) if asked.perturbed else None,
    )


def _prepare(dataset: Dataset, kinds: Sequence[str]) -> _Asked:
    """What is asked: it depends on the data alone."""
    treated = labels.treat(dataset)
    judged = {q: text for q, text in dataset.queries.items() if _is_answered(q, treated.dataset)}
    own = sum(map(len, treated.dataset.documents.values())) + sum(map(len, judged.values()))
    budget = SHARE * own
    probes = make_probes(treated.dataset, int(_PROBES * budget)) if PROBES in kinds else []
    perturbed = perturb_queries(judged, int(_ROBUSTNESS * budget)) if ROBUSTNESS in kinds else []
    return _Asked(probes, perturbed, own, treated)


def _is_answered(query: str, dataset: Dataset) -> bool:
    return any(g > 0 and d in dataset.documents for d, g in dataset.judgments.get(query, {}).items())


def _key(name: str, asked: _Asked, measured: str) -> str:
    """Identity of what one candidate was asked: its own, and every question."""
    questions = [probe.id for probe in asked.probes] if name == PROBES else sorted(asked.queries.items())
    return content_key(kind=name, method=METHOD, measured=measured, asked=questions)


def _known(asked: _Asked, measured: str, runs: RunStore) -> dict[str, dict[str, dict[str, float]]]:
    """What the run store has of one candidate: {probes or robustness: {metric: {id: score}}}."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, metrics in ((PROBES, ["right"]), (ROBUSTNESS, sorted({one.kind for one in asked.perturbed}))):
        key = _key(name, asked, measured)
        if runs.measurement(key) is not None:
            found[name] = {metric: runs.query_scores(key, metric) for metric in metrics}
    return found


def _jobs(
    asked: _Asked, found: Mapping[str, Mapping[str, object]], dataset: Dataset
) -> tuple[dict[str, Job], dict[str, list[FailedCandidate]]]:
    """What is still to be ranked, by whom; and who is not asked."""
    skipped: dict[str, list[FailedCandidate]] = {PROBES: [], ROBUSTNESS: []}
    jobs: dict[str, Job] = {}
    if asked.probes:
        missing = {spec: for_probes(parse_candidate(spec)) for spec, known in found.items() if PROBES not in known}
        jobs[PROBES] = Job(missing, probe_texts(asked.probes))
    if asked.perturbed:
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
        texts = Texts(asked.treated.dataset.documents, asked.queries, 10, _own(asked))
        jobs[ROBUSTNESS] = Job(missing, texts)
    return jobs, skipped


def _own(asked: _Asked) -> dict[str, frozenset[str]]:
    own = asked.treated.own
    return {one.id: own[one.query] for one in asked.perturbed if one.query in own}


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
    asked: _Asked,
    rankings: ByQuery,
    judgments: Mapping[str, Mapping[str, int]],
    primary: str,
) -> dict[str, dict[str, float]]:
    """As the run store keeps it: {metric: {id: score}}."""
    if name == PROBES:
        return {"right": right_in(asked.probes, rankings)}
    by_kind: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(one.kind for one in asked.perturbed):
        of_kind = {one.id: one.query for one in asked.perturbed if one.kind == kind}
        judged = {id: judgments[query] for id, query in of_kind.items()}
        scores = scoring.score({id: rankings[id] for id in of_kind}, judged, [primary])[primary]
        by_kind[kind] = {of_kind[id]: score for id, score in scores.items()}
    return by_kind


__all__ = ["SHARE", "HardCases", "for_probes", "hard_cases", "probe_texts"]
