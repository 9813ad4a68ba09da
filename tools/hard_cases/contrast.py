"""Labelled contrast sets: a query, the text that is right for it, and one that is wrong."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, DatasetError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, DatasetSummary, Evaluation, FailedCandidate, Probes
from knowledge.wording import Text, say
from tools.evaluate.ranking import Job, rank_others
from tools.hard_cases.asking import for_probes, probe_texts
from tools.hard_cases.outcomes import Outcomes, probes_of, right_in
from tools.probes import Probe
from tools.run_store import new_run_id
from tools.workspace import Workspace

#: passages ranked at a time: each query is compared with all of a block
BLOCK = 1_000
#: a larger file is no contrast set
LARGEST_BYTES = 100_000_000
_FORM = say("Each entry has query, right and wrong, and may have kind: as JSON lines, CSV or TSV with a header.")


@dataclass(frozen=True)
class ContrastSet:
    """What a file or a dataset holds; `probes` carry its kinds, "contrast" where it names none."""

    name: str
    probes: tuple[Probe, ...]


def read_contrasts(path: Path) -> ContrastSet:
    """Read a contrast set.

    Raises:
        DatasetError: the file is missing, too large, no UTF-8, empty, or an entry lacks a field.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise DatasetError(
                say("{file} is larger than {limit} MB.", file=str(path), limit=LARGEST_BYTES // 1_000_000), _FORM
            )
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise DatasetError(
            say("{file} cannot be read: {why}.", file=str(path), why=str(error.strerror)), _FORM
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            say("{file} is not UTF-8.", file=str(path)), say("Save it as UTF-8, and hand it over again.")
        ) from error
    probes = []
    for line, entry in _entries(path, text):
        values = [str(entry.get(field) or "").strip() for field in ("query", "right", "wrong")]
        if not all(values):
            raise DatasetError(
                say("{file}, entry {line}: query, right or wrong is missing.", file=str(path), line=line), _FORM
            )
        if values[1] != values[2]:
            probes.append(_probe(str(entry.get("kind") or "contrast"), *values))
    if not probes:
        raise DatasetError(say("{file} holds no contrast.", file=str(path)), _FORM)
    return ContrastSet(path.stem, tuple(dict.fromkeys(probes)))


def _entries(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    if path.suffix.lower() in (".csv", ".tsv"):
        dialect = "excel-tab" if path.suffix.lower() == ".tsv" else "excel"
        yield from enumerate(csv.DictReader(io.StringIO(text), dialect=dialect), start=2)
        return
    for line, row in enumerate(text.splitlines(), start=1):
        if not row.strip():
            continue
        try:
            entry = json.loads(row)
        except (ValueError, RecursionError) as error:
            raise DatasetError(say("{file}, line {line}, is not JSON.", file=str(path), line=line), _FORM) from error
        if not isinstance(entry, dict):
            raise DatasetError(say("{file}, line {line}, is no object.", file=str(path), line=line), _FORM)
        yield line, entry


def contrasts_of(dataset: Dataset, kind: str = "contrast") -> ContrastSet:
    """The judged pairs of a dataset: each relevant document of a query against each one judged not relevant.

    Raises:
        DatasetError: no query has both.
    """
    probes = [
        _probe(kind, dataset.queries[query], dataset.documents[right], dataset.documents[wrong])
        for query, judged in dataset.judgments.items()
        if query in dataset.queries
        for right, grade in judged.items()
        if grade > 0 and right in dataset.documents
        for wrong, other in judged.items()
        if other <= 0 and wrong in dataset.documents and dataset.documents[right] != dataset.documents[wrong]
    ]
    if not probes:
        raise DatasetError(
            say("{name} has no query with a right and a wrong document.", name=dataset.summary.name),
            say("Judge documents as not relevant too (grade 0), or give a file with query, right and wrong."),
        )
    return ContrastSet(dataset.summary.name, tuple(dict.fromkeys(probes)))


def _probe(kind: str, query: str, right: str, wrong: str) -> Probe:
    words = "\n".join((kind, query, right, wrong)).encode("utf-8", "surrogatepass")
    return Probe(hashlib.sha256(words).hexdigest()[:16], kind, query, right, wrong)


def ask_contrasts(
    contrasts: ContrastSet,
    specs: Sequence[str],
    workspace: Workspace,
    *,
    consent: Consent,
    on_progress: OnProgress = ignore,
) -> Probes:
    """Paired accuracy of candidates on a contrast set, by its kinds.

    Raises:
        SpecError: a spec that cannot be read.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    import datetime as dt

    begun, started = time.monotonic(), dt.datetime.now(dt.UTC)
    blocks = [contrasts.probes[start : start + BLOCK] for start in range(0, len(contrasts.probes), BLOCK)]
    candidates = {spec: for_probes(parse_candidate(spec)) for spec in specs}
    jobs = {str(number): Job(candidates, probe_texts(block)) for number, block in enumerate(blocks)}
    right: dict[str, dict[str, float]] = {spec: {} for spec in specs}
    failed: dict[str, AdvisorError] = {}
    for name, spec, rankings in rank_others(jobs, workspace, consent, on_progress):
        if isinstance(rankings, AdvisorError):
            failed.setdefault(spec, rankings)
        else:
            right[spec] |= right_in(blocks[int(name)], rankings)
    for spec in failed:
        del right[spec]
    if not right:
        raise next(iter(failed.values()))
    kinds = dict.fromkeys(probe.kind for probe in contrasts.probes)
    names: dict[str, Text] = {kind: Text.model_validate(kind) for kind in kinds}
    run_id = new_run_id("contrast", started)
    summary = DatasetSummary(
        name=contrasts.name, path="", hash="", format="", documents=0, queries=len(contrasts.probes), judgments=0
    )
    evaluation = Evaluation(
        run_id=run_id, started=started, dataset=summary, candidates=(), store="", judged_queries=len(contrasts.probes)
    )
    took = round(time.monotonic() - begun, 1)
    skipped = [FailedCandidate(spec=s, reason=e.cause, next_step=e.next_step) for s, e in failed.items()]
    return probes_of(contrasts.probes, right, skipped, Outcomes(evaluation, Dataset(summary, {}), 0, took), names)
