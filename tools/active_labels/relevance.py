"""How likely it is that a document nobody has judged is relevant, learnt from what was judged.

A logistic regression on the places that the candidates give a document, as Carterette (SIGIR 2007, "Robust test
collections for retrieval evaluation") lets retrieval systems testify to relevance; its uncertainty is that of Laplace's
approximation. Which pairs are asked about follows from places and earlier answers alone, both of which the regression
has, so that the choice does not distort it (missing at random; Rubin 1976, Biometrika 63).

It decides which question comes next and when to stop. No score and no recommendation has a figure from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.active_labels.pool import Pool

Array = NDArray[np.float64]
#: where nothing was judged yet: about one in ten relevant at place 10, one in three at the first place
_BASE, _BASE_SD = -2.3, 1.5
_PLACE, _PLACE_SD = 1.5, 1.5
#: with a right answer known already, another one is less likely
_KNOWN, _KNOWN_SD = -1.0, 1.5
#: judged pairs that are learnt from; more add nothing
_MOST = 20_000
_STEPS, _SHORTEST, _NEAR = 50, 1e-6, 1e-6


@dataclass(frozen=True)
class Relevance:
    """The regression.

    Attributes:
        features: of each pooled document, shape (queries, documents, features).
        weights: the most likely ones.
        covariance: of the weights.
    """

    features: Array
    weights: Array
    covariance: Array

    @property
    def probability(self) -> Array:
        """Of each pooled document, shape (queries, documents)."""
        return likely(self.features, self.weights)

    def drawn(self, count: int, rng: np.random.Generator) -> Array:
        """Weights as likely as the judgments make them, shape (count, features)."""
        root = np.linalg.cholesky(self.covariance)
        found: Array = self.weights + rng.standard_normal((count, len(self.weights))) @ root.T
        return found


def learn(pool: Pool, taught: NDArray[np.bool_]) -> Relevance:
    """The regression from the pooled documents that are `taught`, shape (queries, documents).

    Those must be judged either way: where only right answers are labelled, the labels teach nothing of wrong ones.
    """
    features = _features(pool)
    x, y = features[taught], (pool.gains[taught] > 0).astype(float)
    if len(x) > _MOST:
        step = -(-len(x) // _MOST)
        x, y = x[::step], y[::step]
    candidates = len(pool.specs)
    mean = np.array([_BASE, *[_PLACE / candidates] * candidates, _KNOWN])
    precision = 1 / np.array([_BASE_SD, *[_PLACE_SD] * candidates, _KNOWN_SD]) ** 2

    def curvature(weights: Array) -> Array:
        p = likely(x, weights)
        found: Array = (x * (p * (1 - p))[:, None]).T @ x + np.diag(precision)
        return found

    def loss(weights: Array) -> float:
        z = x @ weights
        prior = 0.5 * precision @ (weights - mean) ** 2
        return float(np.logaddexp(0, z).sum() - y @ z + prior)

    weights, reached = mean, loss(mean)
    for _ in range(_STEPS):  # Newton's method, each step shortened until it leads down; the prior keeps it convex
        slope = x.T @ (y - likely(x, weights)) - precision * (weights - mean)
        ahead = np.linalg.solve(curvature(weights), slope)
        length = 1.0
        while loss(weights + length * ahead) > reached and length > _SHORTEST:
            length /= 2
        weights = weights + length * ahead
        reached = loss(weights)
        if np.abs(length * ahead).max() < _NEAR:
            break
    covariance: Array = np.linalg.inv(curvature(weights)).astype(np.float64)
    return Relevance(features, weights, covariance)


def _features(pool: Pool) -> Array:
    """One, how high each candidate places it (1 at the first place, 0 where it is not found), and right answers known.

    Of the right answers the document itself does not count.
    """
    places = np.where(pool.places > 0, 1 / np.log2(1 + np.maximum(pool.places, 1)), 0.0)
    others = (pool.relevant[:, None] - (pool.gains > 0)) > 0
    ones = np.ones(pool.unknown.shape)
    return np.stack([ones, *places, others.astype(float)], axis=-1)


def likely(features: Array, weights: Array) -> Array:
    """Probabilities of relevance of documents with these features, shape (..., features)."""
    found: Array = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
    return found
