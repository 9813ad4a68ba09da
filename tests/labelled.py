"""A dataset made in a test, from dictionaries."""

from knowledge.dataset import Dataset, content_hash
from knowledge.results import DatasetSummary


def as_dataset(documents, queries, judgments, name="test") -> Dataset:
    """Documents and queries by id, and {query: {document: grade}}."""
    summary = DatasetSummary(
        name=name,
        path="",
        hash=content_hash(documents, queries, judgments),
        format="beir",
        documents=len(documents),
        queries=len(queries),
        judgments=sum(map(len, judgments.values())),
        labels="gold",
    )
    return Dataset(summary, documents, queries, judgments)
