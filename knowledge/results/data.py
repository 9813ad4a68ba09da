"""What the user's data is like."""

from __future__ import annotations

from typing import Literal

from knowledge.model_card import Modality
from knowledge.results.base import Record
from knowledge.results.silver import SilverQueries
from knowledge.wording import Text


class Lengths(Record):
    """Lengths in tokens as this program estimates them (see ``tools/profile.py``)."""

    mean: float
    p50: float
    p95: float
    max: int


class DatasetSummary(Record):
    """What a dataset holds and what was done to read it.

    Attributes:
        columns: role -> column it was read from (see ``tools/datasets/columns.py``).
        skipped: lines, rows and files left out because something was wrong with them; `problems` counts them by kind.
        notes: how it was read where that is not plain: an encoding that was guessed, columns that nothing is read from.
        labelled: texts with a class, of `classes` different ones.
        pairs: pairs of texts; `scores` says what is known of each: how alike the two are (graded), whether they are
            the same (binary), or that they belong together (translations).
        tested: texts or pairs that the data sets apart for testing; 0 where it does not say.
        silver: how the queries were made, where this program made them.
        original: hash of the data as it was read, where judgments given here were added to it (then `hash` is of both);
            empty where none were.
        given: how many of the judgments were given here.
    """

    name: str
    path: str
    hash: str
    format: str
    documents: int
    queries: int
    judgments: int
    columns: dict[str, str] = {}
    skipped: int = 0
    problems: dict[str, int] = {}
    labels: Literal["gold", "silver", "none"] = "none"
    label_origin: Text | None = None
    notes: tuple[Text, ...] = ()
    labelled: int = 0
    classes: int = 0
    pairs: int = 0
    scores: Literal["graded", "binary", "translations"] | None = None
    tested: int = 0
    silver: SilverQueries | None = None
    original: str = ""
    given: int = 0


class DataProfile(Record):
    """What the user's data is like. Shares run from 0 to 1."""

    dataset: DatasetSummary
    modality: Modality = "text"
    languages: dict[str, float] = {}
    query_languages: dict[str, float] = {}
    document_tokens: Lengths | None = None
    query_tokens: Lengths | None = None
    duplicate_share: float = 0.0
    word_overlap: float | None = None
    pii_share: float = 0.0
    warnings: tuple[Text, ...] = ()
