"""F1 at a cut-off: the harmonic mean of precision and recall over the first k."""

from __future__ import annotations


def f1(precision: float, recall: float) -> float:
    """F1 from precision and recall at the same cut-off; 0 where both are 0 (van Rijsbergen, 1979, ch. 7)."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
