"""Whether to train the encoder on the user's own pairs.

Worth a try where even the best candidate leaves room (the whole interval of its quality lies below `ROOM_BELOW`) and
there are pairs to train with, real or made: at least `PAIRS`, of which one in ten is set apart for looking how the
training goes. These two numbers are rules of this program: above the one, what is left to gain is of the size of what
labels miss; below the other, fewer than 100 pairs would be set apart, and their interval would be wider than any likely
gain. The evaluation's own queries are never trained on, or the figure after it would mean nothing.
"""

from __future__ import annotations

from knowledge.candidate import parse_candidate
from knowledge.dataset import Dataset
from knowledge.results import Report
from knowledge.results.deployment import FineTuning
from knowledge.wording import Text, say
from tools.deployment.facts import facts

ROOM_BELOW = 0.8
PAIRS = 1_000
#: more are not trained on by the estimate: gains flatten
MOST_PAIRS = 10_000
#: texts read for a pair: query, right answer, one hard negative
TEXTS = 3
#: of all documents: before the training and after it
READINGS = 2
_TRAINABLE = ("st",)


def fine_tuning(report: Report, spec: str, dataset: Dataset | None) -> FineTuning | None:
    """The verdict; None where nothing was measured.

    Args:
        report: of the decision.
        spec: what is deployed.
        dataset: that it was measured on; None: counts are taken from its summary, and no pair is known to be spare.
    """
    evaluation = report.evaluation
    if evaluation is None or not evaluation.candidates or evaluation.task != "ranking":
        return None
    best = max(evaluation.candidates, key=lambda c: c.primary_mean)
    documents = len(dataset.documents) if dataset else evaluation.dataset.documents
    known, room = facts()["fine_tuning"], best.interval.high < ROOM_BELOW
    trainable = any(leg.backend in _TRAINABLE for leg in parse_candidate(spec).searched)
    enough = documents >= PAIRS
    verdict = "impossible" if not trainable else "no" if not room else "try" if enough else "later"
    row = next((row for row in report.recommendation.rows if row.spec == spec), None)
    speed = row.documents_per_second if row else None
    pairs = min(documents, MOST_PAIRS)
    return FineTuning(
        verdict=verdict,
        quality=best.interval,
        room_below=ROOM_BELOW,
        pairs=0,
        pairs_needed=PAIRS,
        documents=documents,
        points_low=None,
        points_high=known["points_high"] if trainable else None,
        gain_source=Text.model_validate(f"{known['gain_source']} ({known['gain_url']}, {known['gain_date']})"),
        hours=(pairs * TEXTS * known["step_factor"] + READINGS * documents) / speed / 3600
        if speed and trainable
        else None,
        hours_basis=say(
            "{pairs:,} pairs of {texts} texts once, at {speed:,.0f} documents a second measured here; training reads a "
            "text and goes back, {factor:g} times the work ({source}); all documents are read before and after it",
            pairs=pairs,
            texts=TEXTS,
            speed=speed,
            factor=known["step_factor"],
            source=f"{known['step_source']}, {known['step_url']}",
        )
        if speed and trainable
        else None,
    )
