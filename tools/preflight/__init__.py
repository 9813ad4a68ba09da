"""Preflight: one encoder tried on a small sample of the user's data before anything is encoded in earnest.

What it costs: the sample's vectors (48 documents, 24 queries) are kept and serve the evaluation. Beyond them about 80
short texts are encoded, and where the model has prompts the sample once or twice more. Tokens are counted for about 3
seconds. `Preflight.extra_texts` and `.seconds` say what it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.candidate import Leg
from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.results import Finding, Preflight, Truncation
from knowledge.wording import say
from tools import encoders, workers
from tools.chunking import cut, rules_of
from tools.encoders import Resolved
from tools.preflight import child
from tools.preflight.child import Outcome, Task
from tools.preflight.dimension import dimension_findings
from tools.preflight.language import language_findings
from tools.preflight.limits import Limits, limit_findings, limits
from tools.preflight.model_files import ModelFiles
from tools.preflight.parity import batch_findings
from tools.preflight.pooling import metric_findings, pooling_findings, reference_findings
from tools.preflight.probe import FEW, SHORT, describe
from tools.preflight.prompts import Prompts, prompt_findings, prompts_of
from tools.preflight.sample import DOCUMENTS, QUERIES, Sample, draw
from tools.preflight.sanity import sanity_findings, value_findings
from tools.preflight.tokens import Counts
from tools.preflight.truncation import audit, audited, piece_findings, recall_by_cut, scores_by_cut, truncation_findings
from tools.preflight.twin import compare_with_twin, twin_of
from tools.sampling import spread
from tools.workspace import Workspace

#: queries whose tokens are counted
QUERIES_COUNTED = 1_000
_ORDER = ("fails", "warns", "notes")


@dataclass(frozen=True)
class _Known:
    """What is known of an encoder before it is loaded.

    Attributes:
        counted_by: whose tokenizer counts: the encoder's, or for an endpoint that of its twin on this machine.
    """

    leg: Leg
    resolved: Resolved
    files: ModelFiles
    card: ModelCard | None
    prompts: Prompts
    twin: Resolved | None
    counted_by: Resolved | None
    limits: Limits


def preflight(
    leg: Leg,
    resolved: Resolved,
    dataset: Dataset,
    workspace: Workspace,
    *,
    documents: int = DOCUMENTS,
    queries: int = QUERIES,
) -> Preflight:
    """Check one encoder on a sample of the data; whatever goes wrong is a finding, no exception.

    Args:
        leg: the candidate, with the dimension it asks for.
        resolved: what it stands for, on this disk, or an endpoint that may receive the texts.
        dataset: the data; judgments are needed only for what compares relevant documents with others.
        workspace: caches, keys.
        documents: of the sample, at most.
        queries: of the sample, at most.
    """
    begun = time.perf_counter()
    sample = draw(dataset, documents, queries)
    findings: list[Finding] = []
    truncation: Truncation | None = None
    outcome = Outcome()
    if not sample.documents:
        findings.append(_note(say("There is no document with text in it, so nothing was tried.")))
    else:
        try:
            known = _known(leg, resolved, workspace)
            outcome = _tried(known, sample, dataset, workspace, findings)
            truncation = _audit(known, outcome, dataset, findings)
            findings += language_findings(known.card, sample.documents, sample.queries)
            _judge(known, outcome, truncation, findings)
            findings += _served(known, sample, workspace) if outcome.measured else []
        except AdvisorError as error:  # the disk is full, the endpoint does not answer
            findings.append(_failed(error))
        except Exception as error:  # noqa: BLE001 - a fault of the check's must not cost the candidate its place
            findings.append(_note(say("A check could not be made: {why}.", why=describe(error))))
    return Preflight(
        spec=leg.spec,
        findings=tuple(sorted(findings, key=lambda f: _ORDER.index(f.severity))),
        truncation=truncation,
        documents=len(sample.documents),
        queries=len(sample.queries),
        extra_texts=outcome.measured.extra_texts if outcome.measured else 0,
        tokens=outcome.measured.tokens if outcome.measured else None,
        usage=outcome.measured.usage if outcome.measured else {},
        seconds=round(time.perf_counter() - begun, 2),
    )


def cut_flags(resolved: Resolved, texts: Sequence[str], workspace: Workspace) -> list[bool] | None:
    """For each document whether the model reads only its beginning; None where its tokenizer is not here.

    Raises:
        ResourceError: the child died.
    """
    known = _known(Leg(backend=resolved.backend, name=resolved.model), resolved, workspace)
    if known.counted_by is None:
        return None
    limit = known.limits.effective
    if limit is None or not texts:
        return [False] * len(texts)
    task = Task(
        resolved=known.counted_by,
        leg=known.leg,
        count={"document": list(texts)},
        probe=False,
        used=known.prompts.used,
    )
    outcome = Outcome.model_validate(_in_child(task, resolved, workspace, lambda message: None))
    counted = outcome.tokens.get("document")
    return None if counted is None else [tokens > limit for tokens in counted]


def _known(leg: Leg, resolved: Resolved, workspace: Workspace) -> _Known:
    card = _card(resolved.model, workspace)
    twin = twin_of(resolved, card, workspace)
    counted_by = resolved if resolved.local and resolved.path else twin
    files = ModelFiles(Path(counted_by.path) if counted_by and counted_by.path else None)
    made_from = files.made_from
    base = _card(made_from, workspace) if made_from and made_from != resolved.model else None
    prompts = prompts_of(resolved, files, card, base)
    return _Known(
        leg,
        resolved,
        files,
        card,
        prompts,
        twin,
        counted_by,
        limits(counted_by, files) if counted_by else Limits(),
    )


def _card(name: str, workspace: Workspace) -> ModelCard | None:
    """The catalog's card; of a folder on this disk, that of the model it is named after."""
    catalog = usable_catalog(workspace.home).catalog
    try:
        return catalog.card(Path(name).name if name.startswith((".", "/", "~")) else name)
    except UnknownModelError:
        return None


def _read(leg: Leg, dataset: Dataset) -> list[str]:
    """What a leg reads: the documents, or the chunks it cuts them into."""
    documents, rules = list(dataset.documents.values()), rules_of(leg)
    return documents if rules is None else cut(documents, rules).texts


def _tried(known: _Known, sample: Sample, dataset: Dataset, workspace: Workspace, findings: list[Finding]) -> Outcome:
    """Everything that needs the model itself; its death is a finding, and what it said before counts."""
    texts = audited(_read(known.leg, dataset)) if known.limits.effective else sample.documents
    asked = spread(list(dataset.queries.values()), QUERIES_COUNTED)
    task = Task(
        resolved=known.resolved,
        leg=known.leg,
        count={"document": texts, "query": asked} if known.counted_by else {},
        documents=sample.documents,
        queries=sample.queries,
        relevant=sample.relevant,
        used=known.prompts.used,
        trials=known.prompts.trials,
        limit=min(known.limits.effective or 512, 512),
        cache=str(workspace.vectors),
        # what is tried of vectors says nothing of other forms: of those only what they read is looked at
        probe=known.resolved.form == "dense",
    )
    if known.resolved.local:
        return _tried_in_child(task, known.resolved, workspace, findings)
    outcome = Outcome()
    if known.counted_by:
        counting = task.model_copy(update={"resolved": known.counted_by, "probe": False})
        outcome = _tried_in_child(counting, known.counted_by, workspace, findings)
    try:
        tried = child.examine(task, workspace, lambda found: None)
    except AdvisorError as error:
        findings.append(_failed(error))
        return outcome
    return outcome.model_copy(
        update={"measured": tried.measured, "broken": tried.broken, "skipped": outcome.skipped | tried.skipped}
    )


def _tried_in_child(task: Task, resolved: Resolved, workspace: Workspace, findings: list[Finding]) -> Outcome:
    so_far = Outcome()

    def hear(message: dict[str, Any]) -> None:
        nonlocal so_far
        so_far = Outcome.model_validate(message["so_far"])

    try:
        return Outcome.model_validate(_in_child(task, resolved, workspace, hear))
    except AdvisorError as error:
        if so_far.measured or not task.probe:  # it worked; what killed it was one of our further checks
            findings.append(_note(say("A check could not be made: {why}.", why=error.cause)))
        else:
            findings.append(_failed(error))
        return so_far


def _in_child(
    task: Task, resolved: Resolved, workspace: Workspace, hear: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    return workers.run(
        "tools.preflight.child",
        task.model_dump(mode="json"),
        about=resolved.spec,
        logs=workspace.home / "logs",
        on_message=hear,
        memory_mb=workspace.child_memory_mb,
        seconds=workspace.child_seconds,
        forked=resolved.uses_torch,
    )


def _audit(known: _Known, outcome: Outcome, dataset: Dataset, findings: list[Finding]) -> Truncation | None:
    if "document" not in outcome.tokens:
        if known.counted_by is None:
            what = say("Its tokenizer is not on this machine, so nobody can say what it cuts off.")
            findings.append(Finding(check="truncation", severity="notes", finding=what))
        return None
    counts = {kind: Counts(tokens, outcome.unknown[kind]) for kind, tokens in outcome.tokens.items()}
    found = audit(
        len(_read(known.leg, dataset)),
        counts["document"],
        counts.get("query", Counts([], [])),
        known.limits,
        outcome.special,
    )
    findings += truncation_findings(found)
    tokens = sum(counts["document"].tokens) - outcome.special * found.counted
    findings += piece_findings(outcome.words, outcome.letters, tokens)
    return found


def _judge(known: _Known, outcome: Outcome, truncation: Truncation | None, findings: list[Finding]) -> None:
    """What follows from the files and the figures; each check stands for itself."""
    resolved, files, measured = known.resolved, known.files, outcome.measured
    figures = measured.figures if measured else {}
    checks: list[Callable[[], list[Finding]]] = [
        lambda: limit_findings(known.limits, truncation.longest if truncation else 0),
        lambda: pooling_findings(files) if resolved.backend == "st" else [],
        lambda: metric_findings(resolved, files, known.card, figures.get("norms", {})),
        lambda: prompt_findings(known.prompts, resolved, files, known.card, measured.variants if measured else {}),
    ]
    if outcome.broken:
        findings.append(
            Finding(
                check="run",
                severity="fails",
                finding=say("The model cannot be used: {why}.", why=outcome.broken),
                remedy=say("Fetch or save the model again, or leave this candidate out."),
            )
        )
    if measured:
        checks += [
            lambda: value_findings(figures.get("values", {})),
            lambda: batch_findings(resolved, figures.get("batch", {})),
            lambda: reference_findings(resolved, figures.get("reference", {})),
            lambda: sanity_findings(figures),
            lambda: dimension_findings(known.leg, files, known.card, measured.dimension, figures.get("cut", {})),
        ]
    for check in checks:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001 - as above
            findings.append(_note(say("A check could not be made: {why}.", why=describe(error))))
    findings += [
        _note(say("A check could not be made: {why}.", why=f"{name}: {why}"))
        for name, why in sorted(outcome.skipped.items())
    ]
    if files.broken:
        names = ", ".join(sorted(files.broken))
        what = say("Some of its files cannot be read: {names}.", names=names)
        findings.append(
            Finding(check="run", severity="warns", finding=what, remedy=say("Fetch or save the model again."))
        )


def _served(known: _Known, sample: Sample, workspace: Workspace) -> list[Finding]:
    if known.twin is None:
        return []
    texts = list(dict.fromkeys(text[:SHORT] for text in spread(sample.documents, FEW)))
    prompts = prompts_of(known.twin, known.files, known.card, None)
    return compare_with_twin(encoders.load(known.resolved, workspace), known.twin, prompts, texts, workspace)


def _failed(error: AdvisorError) -> Finding:
    return Finding(check="run", severity="fails", finding=error.cause, remedy=error.next_step)


def _note(what: Any) -> Finding:
    return Finding(check="run", severity="notes", finding=what)


__all__ = ["cut_flags", "preflight", "recall_by_cut", "scores_by_cut"]
