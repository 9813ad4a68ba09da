"""What an approximate index loses, apart from the model's own error."""

from __future__ import annotations

from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Interval


class IndexGap(Record):
    """A candidate's index against comparing every document, all else being the same. Scores are the primary metric's.

    Attributes:
        kind, parameters: of the index, as it was built and searched.
        exact: the score with every document compared: what it lacks is the model's error.
        found: the score by the index.
        difference: the index's score minus the exact one, paired by query, with its bootstrap interval.
        recall: of the ten best documents the share that the index finds, mean over queries; of equally good ones any.
    """

    kind: Literal["hnsw", "ivf_flat", "ivf_sq8"]
    parameters: dict[str, int]
    exact: float
    found: float
    difference: Interval
    recall: float
