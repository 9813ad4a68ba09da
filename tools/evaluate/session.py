"""What one evaluation has at hand, and how it comes by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError
from knowledge.progress import OnProgress, ignore
from knowledge.results import Consent, Preflight
from knowledge.wording import Text, how_to, join, say
from tools import bm25, encoders, hub, retrieval
from tools.chunking import Chunks, cut, rules_of
from tools.encoders import Kind, Resolved
from tools.encoding import Cost
from tools.metrics import judgments as labels
from tools.pipeline.chunks import Rules
from tools.workspace import Workspace

_LABELS = say("Add judgments (qrels.tsv: query-id, doc-id, grade); 50 queries are a start, 300 are good.")


@dataclass(frozen=True)
class Search:
    """What a leg is asked for: the best `depth` of these documents (rows count through them) for each query.

    The documents are not always the dataset's: a leg that cuts them into chunks searches those.
    """

    documents: Sequence[str]
    queries: Sequence[str]
    depth: int


@dataclass(frozen=True)
class Searched:
    """One leg, searched: its rankings and what they cost.

    Attributes:
        exact: the rankings with every document compared, where an index found others.
    """

    rankings: retrieval.Rankings
    dimension: int | None = None
    cost: Cost = field(default_factory=Cost)
    index_seconds: float = 0.0
    search_seconds: float = 0.0
    notes: tuple[Text, ...] = ()
    exact: retrieval.Rankings | None = None


@dataclass
class Session:
    """What one evaluation has at hand; legs shared by several candidates are encoded and searched once."""

    treated: labels.Treated
    queries: dict[str, str]
    workspace: Workspace
    resolved: dict[Leg, Resolved]
    depth: int
    costs: dict[str, Cost] = field(default_factory=dict)
    legs: dict[Leg, Searched] = field(default_factory=dict)
    checked: dict[Leg, Preflight] = field(default_factory=dict)
    cuts: dict[str, dict[str, bool] | None] = field(default_factory=dict)
    chunked: dict[Rules, Chunks] = field(default_factory=dict)
    on_progress: OnProgress = ignore

    @property
    def dataset(self) -> Dataset:
        return self.treated.dataset

    def texts(self, kind: Kind) -> list[str]:
        return list((self.dataset.documents if kind == "document" else self.queries).values())

    @cached_property
    def words(self) -> str | None:
        """The language that the documents are in, which decides how words are read."""
        return bm25.language_of(self.texts("document"))

    def chunks(self, leg: Leg) -> Chunks | None:
        """The documents as a leg cuts them; None where it takes them whole."""
        rules = rules_of(leg)
        if rules is None:
            return None
        if rules not in self.chunked:
            self.chunked[rules] = cut(self.texts("document"), rules)
        return self.chunked[rules]

    def documents(self, leg: Leg) -> list[str]:
        """What a leg reads: the documents, or their chunks."""
        chunks = self.chunks(leg)
        return self.texts("document") if chunks is None else chunks.texts


def judged(dataset: Dataset) -> dict[str, dict[str, int]]:
    """The judgments that can be scored: of known queries and documents, where at least one document is relevant."""
    if not dataset.documents:
        raise DatasetError(
            say("The dataset {name} has no documents.", name=dataset.summary.name),
            say("See “Your data” in the README for the forms that are read."),
        )
    known = {
        query: {document: grade for document, grade in judged.items() if document in dataset.documents}
        for query, judged in dataset.judgments.items()
        if query in dataset.queries
    }
    judgments = {query: judged for query, judged in known.items() if any(grade > 0 for grade in judged.values())}
    if not judgments:
        raise DatasetError(
            # with why no silver queries were made, or which columns might hold queries
            join(
                [
                    say(
                        "The dataset {name} has no query with a relevant document, so quality cannot be measured.",
                        name=dataset.summary.name,
                    ),
                    *dataset.summary.notes,
                ]
            ),
            _LABELS if dataset.no_silver else join([_LABELS, how_to("silver")]),
        )
    return judgments


def resolve(
    parsed: Sequence[Candidate], workspace: Workspace, consent: Consent, failures: dict[Candidate, AdvisorError]
) -> dict[Leg, Resolved]:
    """Find every encoder, downloading what may be downloaded; what cannot be had fails its candidates only."""
    found: dict[Leg, Resolved] = {}
    for candidate in parsed:
        try:
            for leg in candidate.legs:
                if leg.backend != "bm25" and leg not in found:
                    found[leg] = obtain(encoders.resolve(leg, workspace), leg, workspace, consent)
        except AdvisorError as error:
            failures[candidate] = error
    return found


def obtain(resolved: Resolved, leg: Leg, workspace: Workspace, consent: Consent) -> Resolved:
    """The encoder ready to use: agreed to where it is an endpoint, downloaded where it must and may be."""
    if resolved.endpoint and resolved.endpoint not in consent.hosts:
        raise ConsentNeeded(
            say("{spec} would send your texts to {host}.", spec=resolved.spec, host=resolved.endpoint),
            how_to("send_to", host=resolved.endpoint),
        )
    if resolved.on_disk:
        return resolved
    if not consent.download:
        raise ConsentNeeded(
            say(
                "{spec} has to be downloaded first ({size} GB).",
                spec=resolved.spec,
                size=round((resolved.download_bytes or 0) / 1e9, 2),
            ),
            how_to("download"),
        )
    hub.download(resolved.model, leg.revision, workspace)
    return encoders.resolve(leg, workspace)
