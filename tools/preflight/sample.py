"""The few texts an encoder is tried on, the same for every candidate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from knowledge.dataset import Dataset
from tools.sampling import spread

#: documents looked at, and at most so many queries
DOCUMENTS = 48
QUERIES = 24
#: characters of a document's beginning that stand for it as a query: about 60 English tokens
OPENING = 240


@dataclass(frozen=True)
class Sample:
    """Some documents, some queries, and which row of `documents` is relevant for which row of `queries`."""

    documents: list[str]
    queries: list[str]
    relevant: list[list[int]]

    @property
    def judged(self) -> list[int]:
        """Rows of the queries that have a relevant document here."""
        return [row for row, found in enumerate(self.relevant) if found]

    @property
    def openings(self) -> list[str]:
        """Each document's beginning."""
        return [text[:OPENING].strip() for text in self.documents]


def draw(dataset: Dataset, documents: int = DOCUMENTS, queries: int = QUERIES) -> Sample:
    """A sample: judged queries evenly spread, for each a relevant document, and other documents up to the number.

    Blank texts and copies are left out: they can show nothing about an encoder.
    """
    texts = {name: text for name, text in dataset.documents.items() if text.strip()}
    right = {
        query: [name for name, grade in judged.items() if grade > 0 and name in texts]
        for query, judged in dataset.judgments.items()
        if dataset.queries.get(query, "").strip()
    }
    asked = spread([query for query, names in right.items() if names], queries)
    asked += spread([q for q, text in dataset.queries.items() if text.strip() and q not in right], queries - len(asked))
    wanted = [right[query][0] for query in asked if right.get(query)]
    rows: dict[str, int] = {}
    for name in chain(wanted, spread(list(texts), documents), texts):  # the last where there are few or many alike
        rows.setdefault(texts[name], len(rows))
        if len(rows) >= documents:
            break
    relevant = [sorted({rows[texts[name]] for name in right.get(query, ()) if texts[name] in rows}) for query in asked]
    return Sample(list(rows), [dataset.queries[query] for query in asked], relevant)
