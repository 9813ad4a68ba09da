"""Hard cases of a dataset, asked of candidates that were measured on it: probes of correctness, perturbed queries.

Both are made of the dataset's own texts (`tools.probes`, `tools.robustness`), encoded together so that each encoder is
loaded once, and kept in the run store candidate by candidate: the same data and candidate are asked once, and a killed
run goes on where it was. How many there are follows from a budget: together they add at most `SHARE` to the characters
that the evaluation encodes.
"""

from tools.hard_cases.asking import SHARE, Cases, HardCases, ask_hard_cases, make_hard_cases
from tools.hard_cases.contrast import ContrastSet, ask_contrasts, contrasts_of, read_contrasts
from tools.hard_cases.outcomes import THRESHOLD

__all__ = [
    "SHARE",
    "THRESHOLD",
    "Cases",
    "ContrastSet",
    "HardCases",
    "ask_contrasts",
    "ask_hard_cases",
    "contrasts_of",
    "make_hard_cases",
    "read_contrasts",
]
