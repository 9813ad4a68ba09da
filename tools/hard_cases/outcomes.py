"""What candidates made of hard cases, as records: accuracies, losses, intervals and their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.candidate import Rerank, parse_candidate
from knowledge.dataset import Dataset
from knowledge.results import (
    Evaluation,
    FailedCandidate,
    Perturbation,
    ProbeExample,
    ProbeKind,
    Probes,
    ProbeScore,
    QueryChange,
    RerankerGain,
    Robustness,
)
from knowledge.wording import Text, say
from tools import probes as making_probes
from tools import robustness as making_queries
from tools.evidence_list import EvidenceList
from tools.probes import Probe
from tools.robustness import Perturbed
from tools.statistics import bootstrap_interval, holm, randomisation_test, wilson_interval

#: right in three of four, where chance is right in two: what is not above this finds the topic, not the truth
THRESHOLD = 0.75
#: probes of all kinds whose query is in other words than the passage
REWORDED = "reworded"
_IN_OTHER_WORDS = say("all kinds, asked in other words")
#: characters of an example's passage
_SHOWN = 160


@dataclass(frozen=True)
class Outcomes:
    """Where figures are from: the evaluation, its data, the characters it encoded, and the seconds this took."""

    evaluation: Evaluation
    dataset: Dataset
    own_characters: int
    seconds: float

    def share(self, characters: int) -> float | None:
        """Of the evaluation's own characters."""
        return round(characters / self.own_characters, 4) if self.own_characters else None


def right_in(probes: Sequence[Probe], rankings: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, float]:
    """Probe id -> 1 where the true passage stands before the wrong one, 0 where behind it, 1/2 where neither does.

    A passage that was not found stands behind every one that was.
    """
    found: dict[str, float] = {}
    for probe in probes:
        scores = dict(rankings.get(probe.id, ()))
        right, wrong = scores.get(probe.right, -np.inf), scores.get(probe.wrong, -np.inf)
        found[probe.id] = 0.5 if right == wrong else float(right > wrong)
    return found


# ---------------------------------------------------------------- probes


def probes_of(
    probes: Sequence[Probe],
    right: Mapping[str, Mapping[str, float]],
    skipped: Sequence[FailedCandidate],
    source: Outcomes,
    names: Mapping[str, Text] | None = None,
) -> Probes:
    """The record of all probes.

    Args:
        probes: all that were asked.
        right: spec -> probe id -> 1, 0 or 1/2.
        skipped: candidates that were not asked.
        source: where the figures are from.
        names: of kinds; None: those of `tools.probes`.
    """
    names = names or {name: kind.NAME for name, kind in making_probes.KINDS.items()}
    evidence = EvidenceList("EP")
    probes = probes if right else []  # nobody was asked
    shown = [name for name in names if any(probe.kind == name for probe in probes)]
    kinds = [
        _kind(name, names[name], [probe for probe in probes if probe.kind == name], right, source, evidence)
        for name in shown
    ]
    reworded = [probe for probe in probes if probe.reworded]
    enough = len(reworded) >= making_probes.FEWEST
    known = frozenset(source.dataset.documents.values())
    texts = {text for probe in probes for text in (probe.right, probe.wrong)} - known
    characters = sum(map(len, texts)) + sum(map(len, {probe.query for probe in probes}))
    return Probes(
        threshold=THRESHOLD,
        fewest=making_probes.FEWEST,
        kinds=tuple(kinds),
        left_out=tuple(text for name, text in names.items() if shown and name not in shown),
        reworded=_kind(REWORDED, _IN_OTHER_WORDS, reworded, right, source, evidence) if enough else None,
        skipped=tuple(skipped),
        gains=_gains(probes, right, source, evidence),
        characters=characters,
        share=source.share(characters),
        seconds=source.seconds,
        evidence=tuple(evidence.found),
    )


def _kind(
    kind: str,
    name: Text,
    probes: Sequence[Probe],
    right: Mapping[str, Mapping[str, float]],
    source: Outcomes,
    evidence: EvidenceList,
) -> ProbeKind:
    return ProbeKind(
        kind=kind,
        name=name,
        probes=len(probes),
        reworded=sum(probe.reworded for probe in probes),
        scores=tuple(_score(spec, name, probes, right[spec], source, evidence) for spec in right),
        example=_example(probes[0]),
    )


def _score(
    spec: str,
    name: Text,
    probes: Sequence[Probe],
    right: Mapping[str, float],
    source: Outcomes,
    evidence: EvidenceList,
) -> ProbeScore:
    values = [right[probe.id] for probe in probes]
    accuracy = wilson_interval(sum(values), len(values))
    cite = _cite(
        evidence,
        spec,
        say("share of probes right: {kind}", kind=name),
        accuracy.mean,
        len(values),
        source,
        measured=True,
    )
    return ProbeScore(spec=spec, accuracy=accuracy, ties=values.count(0.5), cites={"accuracy": cite})


def _gains(
    probes: Sequence[Probe], right: Mapping[str, Mapping[str, float]], source: Outcomes, evidence: EvidenceList
) -> tuple[RerankerGain, ...]:
    """What each reranker adds to the candidate it reranks, where both were asked."""
    found = []
    for spec in right:
        candidate = parse_candidate(spec)
        if not isinstance(candidate, Rerank) or candidate.base.spec not in right:
            continue
        base = candidate.base.spec
        differences = np.array([right[spec][probe.id] - right[base][probe.id] for probe in probes])
        gain = bootstrap_interval(differences)
        what = say("gain in the share of probes right over {base}", base=base)
        cite = _cite(evidence, spec, what, gain.mean, len(probes), source, measured=False)
        found.append(RerankerGain(spec=spec, base=base, gain=gain, cites={"gain": cite}))
    return tuple(found)


def _example(probe: Probe) -> ProbeExample:
    """A probe as it is shown: what is around the place in which its passages differ."""
    one, other = probe.right, probe.wrong
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, at - _SHOWN // 2)

    def cut(text: str) -> str:
        piece = text[start : start + _SHOWN]
        return ("…" if start else "") + piece + ("…" if start + _SHOWN < len(text) else "")

    return ProbeExample(query=probe.query[: 2 * _SHOWN], right=cut(one), wrong=cut(other))


# ---------------------------------------------------------------- robustness


def robustness_of(
    perturbed: Sequence[Perturbed],
    before: Mapping[str, Mapping[str, float]],
    after: Mapping[str, Mapping[str, Mapping[str, float]]],
    skipped: Sequence[FailedCandidate],
    source: Outcomes,
) -> Robustness:
    """The record of all perturbed queries.

    Args:
        perturbed: all that were asked.
        before: spec -> query id -> score as it is.
        after: spec -> kind -> query id -> score as perturbed.
        skipped: candidates that were not asked.
        source: where the figures are from.
    """
    names = {name: kind.NAME for name, kind in making_queries.KINDS.items()}
    perturbed = perturbed if after else []  # nobody was asked
    shown = [name for name in names if any(one.kind == name for one in perturbed)]
    queries = {name: [one for one in perturbed if one.kind == name] for name in shown}
    differences = {
        spec: {
            name: np.array([after[spec][name][one.query] - before[spec][one.query] for one in queries[name]])
            for name in shown
        }
        for spec in after
    }
    corrected = {
        spec: dict(zip(shown, holm([randomisation_test(of[name]) for name in shown]), strict=True))
        for spec, of in differences.items()
    }
    evidence = EvidenceList("ER")
    metric = source.evaluation.primary
    kinds = []
    for name in shown:
        changes = []
        for spec in after:
            asked = [before[spec][one.query] for one in queries[name]]
            change, first = bootstrap_interval(differences[spec][name]), sum(asked) / len(asked)
            count = len(asked)
            as_they_are = say("{metric} on the queries as they are; {kind}", metric=metric, kind=names[name])
            with_them = say("change in {metric}; {kind}", metric=metric, kind=names[name])
            cites = {
                "before": _cite(evidence, spec, as_they_are, first, count, source, measured=True),
                "change": _cite(evidence, spec, with_them, change.mean, count, source, measured=False),
            }
            changes.append(QueryChange(spec=spec, before=first, change=change, p=corrected[spec][name], cites=cites))
        one = queries[name][0]
        kinds.append(
            Perturbation(
                kind=name,
                name=names[name],
                queries=len(queries[name]),
                changes=tuple(changes),
                example=(source.dataset.queries[one.query][: 2 * _SHOWN], one.text[: 2 * _SHOWN]),
            )
        )
    characters = sum(len(one.text) for one in perturbed)
    return Robustness(
        metric=metric,
        fewest=making_queries.FEWEST,
        kinds=tuple(kinds),
        left_out=tuple(text for name, text in names.items() if shown and name not in shown),
        skipped=tuple(skipped),
        characters=characters,
        share=source.share(characters),
        seconds=source.seconds,
        evidence=tuple(evidence.found),
    )


def _cite(
    evidence: EvidenceList, spec: str, what: Text, value: float, count: int, source: Outcomes, *, measured: bool
) -> str:
    run = source.evaluation
    return evidence.add(
        "measured" if measured else "computed",
        spec,
        what,
        value,
        source=say("{count} texts made from {dataset}", count=count, dataset=source.dataset.summary.name),
        date=run.started.date(),
        run_id=run.run_id,
    )
