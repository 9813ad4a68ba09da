"""What candidates find first for each query, where nobody needs to have judged anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from knowledge.candidate import Candidate
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, DatasetError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, FailedCandidate
from knowledge.wording import say
from tools import retrieval
from tools.evaluate.encode import encode
from tools.evaluate.measure import SHOWN, ranked
from tools.evaluate.search import store_for
from tools.evaluate.session import Session, resolve
from tools.metrics import judgments as labels
from tools.stopping import stoppably
from tools.workspace import Workspace

#: documents ranked per query: a fusion needs more of its parts than it shows
DEPTH = 100


class FirstFound(NamedTuple):
    """The first documents of each query, spec -> query id -> document ids; and the candidates that failed."""

    rankings: dict[str, dict[str, list[str]]]
    failed: tuple[FailedCandidate, ...]


def first_found(
    dataset: Dataset,
    candidates: Sequence[str],
    workspace: Workspace,
    consent: Consent,
    on_progress: OnProgress = ignore,
) -> FirstFound:
    """Search for all queries of a dataset, judged or not; vectors come from the cache as far as they are there.

    A document that is the query itself is no answer to it and left out, as in an evaluation.

    Raises:
        SpecError, UserError: as `evaluate`.
        DatasetError: no documents, or no queries.
        AdvisorError: the failure of the first candidate, when every one failed.
    """
    parsed = retrieval.parse(candidates)
    if not dataset.documents or not dataset.queries:
        raise DatasetError(
            say("{name} has no documents or no queries, so there is nothing to judge.", name=dataset.summary.name),
            say("Add queries.jsonl (_id, text); judgments are not needed. See “Your data” in the README."),
        )
    treated = labels.treat(dataset)
    failures: dict[Candidate, AdvisorError] = {}
    resolved = resolve(parsed, workspace, consent, failures)
    session = Session(treated, dict(dataset.queries), workspace, resolved, DEPTH)
    session.on_progress = on_progress
    encode([c for c in parsed if c not in failures], session, failures, on_progress)
    found: dict[str, dict[str, list[str]]] = {}
    left = [c for c in parsed if c not in failures]
    with store_for(left, session) as store:
        for candidate in stoppably(left):
            try:
                by_query = ranked(candidate, session, store)[0]
            except AdvisorError as error:
                failures[candidate] = error
                continue
            found[candidate.spec] = {query: _others(query, rows, session) for query, rows in by_query.items()}
    if not found:
        raise next(failures[c] for c in parsed if c in failures)
    failed = (FailedCandidate(spec=c.spec, reason=e.cause, next_step=e.next_step) for c, e in failures.items())
    return FirstFound(found, tuple(failed))


def _others(query: str, ranking: labels.Ranking, session: Session) -> list[str]:
    asked = " ".join(session.queries[query].split())
    documents = session.dataset.documents
    return [d for d, _ in ranking[: SHOWN + 1] if " ".join(documents[d].split()) != asked][:SHOWN]
