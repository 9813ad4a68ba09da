"""How much the tasks of the score matrix are like each other, and like the user's: by language, lengths and domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from knowledge.columns import Columns
from knowledge.scores import CODE, Bools, Floats, Ints, Scores, times

#: marks a text as written, which nearly all are
_NO_DOMAIN = "Written"


@dataclass(frozen=True)
class Target:
    """The user's task as benchmarks describe theirs.

    Attributes:
        language: ISO code; None means any.
        document_chars, query_chars: mean lengths in characters; None where not known.
        domains: as the benchmark names them; empty where not known.
    """

    language: str | None = None
    document_chars: float | None = None
    query_chars: float | None = None
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Parts:
    """Likenesses, each 0 to 1; columns of the matrix in the last axis."""

    language: Floats
    foreign: Floats
    length: Floats
    domain: Floats


@dataclass(frozen=True, eq=False)
class Likeness:
    """What the columns are like, one row a column.

    Attributes:
        language: index; `english`, `code`: the indices of these two, -1 where there is no such column.
        lengths: log10 of mean characters of documents and queries; the median where not known.
        domains: the columns' domains, rows of length 1 (0 where a column names none).
        names: what the columns of `domains` stand for.
        languages: what the indices mean.
    """

    language: Ints
    lengths: Floats
    domains: Floats
    names: tuple[str, ...]
    languages: tuple[str, ...]
    foreign: Bools = field(init=False)

    def __post_init__(self) -> None:
        at_home = [i for i, name in enumerate(self.languages) if name in ("en", CODE)]
        object.__setattr__(self, "foreign", ~np.isin(self.language, at_home))

    def among(self, width: float) -> Parts:
        """Every column against every other, `width` being how far lengths reach in powers of ten."""
        same = (self.language[:, None] == self.language[None, :]).astype(float)
        return Parts(
            language=same,
            foreign=np.outer(self.foreign, self.foreign).astype(float),
            length=_near(self.lengths, self.lengths, width),
            domain=self.domains @ self.domains.T,
        )

    def to(self, target: Target, width: float) -> Parts:
        """The target against every column.

        What is not known of the target is taken as the average of the columns in its language.
        """
        known = target.language in self.languages
        mine = self.language == (self.languages.index(str(target.language)) if known else -1)
        typical = mine if mine.any() else np.ones(len(mine), dtype=bool)
        chars = (target.document_chars, target.query_chars)
        lengths: Floats = self.lengths[typical]
        for side, known_chars in enumerate(chars):
            if known_chars:
                lengths = lengths.copy()
                lengths[:, side] = np.log10(known_chars)
        wanted = np.array([name in target.domains for name in self.names], dtype=float)
        domains = wanted / np.sqrt(wanted.sum()) if wanted.any() else self.domains[typical].mean(axis=0)
        if target.language is None:
            language, abroad = self._share(), float(self.foreign.mean())
        else:
            language, abroad = mine.astype(float), float(target.language not in ("en", CODE))
        foreign = np.where(self.foreign, abroad, 0.0)
        return Parts(
            language=language,
            foreign=foreign,
            length=_near(lengths, self.lengths, width).mean(axis=0),
            domain=times(self.domains, domains),
        )

    def _share(self) -> Floats:
        """Of each column, the share of columns in its language."""
        _, place, count = np.unique(self.language, return_inverse=True, return_counts=True)
        share: Floats = count[place] / max(len(self.language), 1)
        return share


def likeness(scores: Scores, columns: Columns) -> Likeness:
    """What the columns are like."""
    tasks = [scores.tasks[t] for t in columns.task]
    names = tuple(sorted({d for task in tasks for d in task.domains} - {_NO_DOMAIN}))
    domains = np.array([[name in task.domains for name in names] for task in tasks], dtype=float)
    domains = domains.reshape(len(tasks), len(names))
    return Likeness(
        language=columns.language,
        lengths=np.column_stack(
            [_lengths([t.document_chars for t in tasks]), _lengths([t.query_chars for t in tasks])]
        ),
        domains=domains / np.maximum(np.sqrt((domains**2).sum(axis=1, keepdims=True)), 1e-9),
        names=names,
        languages=scores.languages,
    )


def _lengths(chars: Sequence[float | None]) -> Floats:
    """Logarithms to base 10; what is not known counts as the median, so that it does not tell columns apart."""
    found = np.array([np.log10(c) if c else np.nan for c in chars], dtype=float)
    known = found[np.isfinite(found)]
    filled: Floats = np.where(np.isfinite(found), found, np.median(known) if len(known) else 0.0)
    return filled


def _near(a: Floats, b: Floats, width: float) -> Floats:
    """Gaussian in the distance of lengths."""
    near: Floats = np.exp(-((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2) / (2 * width**2))
    return near
