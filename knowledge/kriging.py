"""Kriging: what a model scored on the tasks that are most like the user's, each task counting by its likeness.

A Gaussian process for each model over the columns, around the model's prior: two columns are expected to agree by
what they share (anything at all, the language, being foreign to English, lengths of texts, domain, near-duplicates).
This is Bayesian regression with the covariance below; for the method see Rasmussen and Williams, "Gaussian Processes
for Machine Learning" (2006), chapter 2. The constants were chosen on other groups of tasks than those they were judged
on (``benchmarks/shortlist``, nested choice).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.columns import Columns
from knowledge.likeness import Likeness, Parts, Target
from knowledge.scores import Floats, times


@dataclass(frozen=True)
class Covariance:
    """Variances in units of z squared; `width` is how far lengths of texts reach, in powers of ten."""

    common: float = 0.3
    language: float = 0.1
    foreign: float = 0.05
    length: float = 0.2
    domain: float = 0.03
    group: float = 0.15
    noise: float = 0.3
    width: float = 1.0

    def __call__(self, parts: Parts) -> Floats:
        """The covariance that columns with these likenesses have, near-duplicates aside."""
        return (
            self.common
            + self.language * parts.language
            + self.foreign * parts.foreign
            + self.length * parts.length
            + self.domain * parts.domain
        )


COVARIANCE = Covariance()


def krige(columns: Columns, like: Likeness, covariance: Covariance = COVARIANCE) -> Floats:
    """The weights that `kriged` multiplies with likenesses: model x column, 0 where a model was not run."""
    from scipy.linalg import cho_factor, cho_solve

    shared = covariance(like.among(covariance.width))
    shared = shared + covariance.group * (columns.group[:, None] == columns.group[None, :])
    weights = np.zeros(columns.has.shape)
    noise = np.where(columns.trained, 2.0, 1.0) * covariance.noise
    for row in np.nonzero(columns.has.any(axis=1))[0]:
        run = np.nonzero(columns.has[row])[0]
        matrix = shared[np.ix_(run, run)]
        matrix[np.diag_indices(len(run))] += noise[row, run]
        surprise = columns.excess[row, run] - columns.prior[row]
        weights[row, run] = cho_solve(cho_factor(matrix, lower=True, check_finite=False), surprise, check_finite=False)
    return weights


def kriged(
    weights: NDArray[np.floating], columns: Columns, like: Likeness, target: Target, covariance: Covariance = COVARIANCE
) -> Floats:
    """Where the models stand on the target, in units of z."""
    return columns.prior + times(weights, covariance(like.to(target, covariance.width)))
