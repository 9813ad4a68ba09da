"""Rankings of candidates for other queries, or over other documents, than an evaluation's own: the same code ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, DatasetSummary
from tools.encoders import Resolved
from tools.evaluate.encode import encode
from tools.evaluate.measure import ranked
from tools.evaluate.search import store_for
from tools.evaluate.session import Session, resolve
from tools.metrics import judgments as labels
from tools.stopping import stoppably
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: query id -> (document id, score), best first
ByQuery = dict[str, labels.Ranking]


@dataclass(frozen=True)
class Texts:
    """What is ranked for what.

    Attributes:
        documents, queries: id -> text.
        depth: documents ranked per query.
        own: query id -> documents that are the query itself, which are taken out.
    """

    documents: Mapping[str, str]
    queries: Mapping[str, str]
    depth: int
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Candidates by the name they are asked for under, and the texts that they rank."""

    candidates: Mapping[str, Candidate]
    texts: Texts


Found = tuple[str, str, ByQuery | AdvisorError]


def rank_others(
    jobs: Mapping[str, Job], workspace: Workspace, consent: Consent, on_progress: OnProgress = ignore
) -> Iterator[Found]:
    """Job by job and candidate by candidate: (job, name, its rankings, or why there are none).

    All texts of all jobs are encoded together first, those with a vector in the cache for nothing, so that each
    encoder is loaded once.
    """
    failures: dict[Candidate, AdvisorError] = {}
    everyone = list(dict.fromkeys(candidate for job in jobs.values() for candidate in job.candidates.values()))
    resolved = resolve(everyone, workspace, consent, failures)
    documents: dict[str, str] = {}
    queries: dict[str, str] = {}
    for name, job in jobs.items():
        documents |= {f"{name}/{id}": text for id, text in job.texts.documents.items()}
        queries |= {f"{name}/{id}": text for id, text in job.texts.queries.items()}
    together = _session(Texts(documents, queries, 0), workspace, resolved, on_progress)
    encode([c for c in everyone if c not in failures], together, failures, on_progress)
    for name, job in jobs.items():
        session = _session(job.texts, workspace, resolved, on_progress)
        session.costs.update(together.costs)
        able = [c for c in job.candidates.values() if c not in failures]
        # an exact comparison here gives the same ranking as one in Milvus, without filling it once more
        indexed = [c for c in able if any("index" in leg.options for leg in c.searched)]
        with store_for(indexed, session) as store:
            for asked, candidate in stoppably(list(job.candidates.items())):
                error = failures.get(candidate)
                yield name, asked, error or _try(candidate, session, store)


def _try(candidate: Candidate, session: Session, store: VectorStore | None) -> ByQuery | AdvisorError:
    try:
        return ranked(candidate, session, store)[0]
    except AdvisorError as error:
        return error


def _session(texts: Texts, workspace: Workspace, resolved: dict[Leg, Resolved], on_progress: OnProgress) -> Session:
    documents, queries = dict(texts.documents), dict(texts.queries)
    summary = DatasetSummary(
        name="", path="", hash="", format="", documents=len(documents), queries=len(queries), judgments=0
    )
    treated = labels.Treated(Dataset(summary, documents, queries, {}), own=dict(texts.own))
    return Session(treated, queries, workspace, resolved, texts.depth, on_progress=on_progress)
