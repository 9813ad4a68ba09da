"""The user's texts as a calculation of tokens needs them: how long they are in characters, and some to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from knowledge.candidate import Leg
from knowledge.dataset import Dataset
from tools.chunking import cut, rules_of
from tools.sampling import within
from tools.text_counts import estimated_tokens

Kind = Literal["document", "query"]

#: characters of either kind that are counted, evenly spread: about a second of a tokenizer's work
CHARACTERS = 1_000_000


@dataclass(frozen=True)
class Some:
    """Texts of one kind: mean characters of all, and those that are counted."""

    characters: float
    counted: tuple[str, ...]

    @property
    def counted_characters(self) -> int:
        """Of those that are counted."""
        return sum(map(len, self.counted))

    @cached_property
    def estimated_tokens(self) -> float:
        """Mean of a text, without a tokenizer."""
        counted = self.counted_characters
        return self.characters * sum(map(estimated_tokens, self.counted)) / counted if counted else 0.0


@dataclass(frozen=True)
class Texts:
    """A dataset's documents and queries; either may be none. `name` is that of the dataset."""

    name: str
    document: Some
    query: Some

    @classmethod
    def of(cls, dataset: Dataset) -> Texts:
        """Those of a dataset."""
        return cls(dataset.summary.name, _some(list(dataset.documents.values())), _some(list(dataset.queries.values())))

    def read_by(self, leg: Leg | None) -> Texts:
        """What a leg reads of them: chunks, some of which may overlap, count as the documents they are cut from."""
        rules = rules_of(leg) if leg is not None else None
        if rules is None or not self.document.counted:
            return self
        chunks = tuple(cut(self.document.counted, rules).texts)
        grown = sum(map(len, chunks)) / max(1, self.document.counted_characters)
        return Texts(self.name, Some(self.document.characters * grown, chunks), self.query)


def _some(texts: Sequence[str]) -> Some:
    mean = sum(map(len, texts)) / len(texts) if texts else 0.0
    return Some(mean, tuple(within(texts, CHARACTERS)))
