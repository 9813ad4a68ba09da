"""May a faster precision stand in for the one asked for? Looked at on this data, before it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from knowledge.candidate import Leg
from knowledge.results import Interval, Parity
from tools.encoders import Vectors
from tools.fast import options_here
from tools.statistics import Scores, bootstrap_interval

#: documents read in both precisions, at most; of the queries as many
DOCUMENTS = 64
#: of the corpus, at most: on a small corpus the look must not cost more than it saves
LARGEST_SHARE = 0.02
#: with fewer documents nothing can be said
FEWEST_DOCUMENTS = 20
#: slack of a stand-in that could still show somebody to be far behind, in margins
MOST_SLACK = 5
#: what one query loses (nDCG) when the first two places change: 1 - 1/log2(3)
SWAP = 0.37
#: first places compared, and how many of them must be the same on average
FIRST, OVERLAP = 10, 0.9


@dataclass(frozen=True)
class Sample:
    """What one precision made of the sample: unit vectors, and per-query scores among the sample's documents."""

    documents: Vectors
    queries: Vectors
    scores: Scores


def fast_leg(leg: Leg) -> Leg | None:
    """The same model in a faster precision; None where there is none, or the candidate has chosen one itself."""
    return next(iter(fast_legs(leg)), None)


def fast_legs(leg: Leg) -> list[Leg]:
    """All the faster precisions, the most promising first."""
    here = {(v.options.get("backend"), v.options.get("precision")): v for v in options_here(leg)}
    # bf16 first: where the processor has it, it is about as fast as int8 and ranks closer to the model itself
    order = (("openvino", "bf16"), (None, "bf16"), ("onnx", "int8"))
    return [here[kind] for kind in order if kind in here]


def compare(asked: Leg, fast: str, full: Sample, quick: Sample, margin: float, speed_up: float | None) -> Parity:
    """How alike two precisions rank the sample.

    Accepted where it is faster here and, on average, 9 of the first 10 places are the same. How far the scores may
    differ all the same is the slack that eliminations leave to the stand-in; where that is far beyond the margin, it is
    of no use.
    """
    difference = _at_least(bootstrap_interval(quick.scores - full.scores), SWAP * 3 / len(full.queries))
    overlap = _overlap(full.queries @ full.documents.T, quick.queries @ quick.documents.T)
    within = slack(difference) < MOST_SLACK * margin
    faster = speed_up is None or speed_up > 1
    return Parity(
        spec=asked.spec,
        fast=fast,
        documents=len(full.documents),
        queries=len(full.queries),
        overlap=overlap,
        difference=difference,
        speed_up=speed_up,
        accepted=overlap >= OVERLAP and within and faster,
    )


def slack(difference: Interval) -> float:
    """How far a mean may be off because of the stand-in."""
    return max(abs(difference.low), abs(difference.high))


def _at_least(difference: Interval, half: float) -> Interval:
    """The interval, no shorter than n queries allow.

    Among so few documents both precisions mostly score 1, and no difference seen is none shown: up to 3/n of all
    queries may differ (the rule of three, 95 %).
    """
    low, high = min(difference.low, difference.mean - half), max(difference.high, difference.mean + half)
    return difference.model_copy(update={"low": low, "high": high})


def _overlap(one: Vectors, other: Vectors) -> float:
    k = min(FIRST, one.shape[1])
    a, b = np.argsort(-one, axis=1, kind="stable")[:, :k], np.argsort(-other, axis=1, kind="stable")[:, :k]
    return float(np.mean([len(set(x) & set(y)) / k for x, y in zip(a.tolist(), b.tolist(), strict=True)]))
