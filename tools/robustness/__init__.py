"""Robustness: the user's own queries as they come in real life, with typing mistakes, in capitals, cut short.

One file a kind. Every kind decides for itself which queries it touches, by their script and language; a kind that
changes too few of them is left out. Seeded by the query: the same data gives the same queries.
"""

from tools.robustness.making import FEWEST, KINDS, MOST, Perturbed, perturb_queries

__all__ = ["FEWEST", "KINDS", "MOST", "Perturbed", "perturb_queries"]
