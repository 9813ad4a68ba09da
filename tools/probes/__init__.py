"""Probes of correctness: does a candidate find what is true, or only what is about the same?

A probe is a query and two passages that differ in one fact; the candidate is right when it scores the true one higher.
They are made from the user's own passages by rules (one file a kind of fact, with word lists as data), in English and
Chinese; where no rule is sure, none is made. Half of them ask for the passage as it stands, half for the altered one:
whoever always prefers the shorter passage, the more usual number or the original is right in half of them, as chance.

Queries are statements of the passage, in other words where a rule knows some, and the user's own queries that have a
number, a unit or a name in common with a passage that answers them.
"""

from tools.probes.making import FEWEST, KINDS, MOST, Probe, make_probes

__all__ = ["FEWEST", "KINDS", "MOST", "Probe", "make_probes"]
