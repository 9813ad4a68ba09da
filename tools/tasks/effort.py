"""How long scoring labelled texts takes, once they are encoded: an estimate for plans.

Counted are the multiplications of what takes nearly all of it (L-BFGS for classification, k-means for clustering), at
the rate that both reached on 1,000 to 10,000 texts of 10 and 77 classes in 384 and 1024 dimensions (2026-11-29, two
shared server cores; 1.1e9 to 4.2e9 a second). Pairs take next to nothing.
"""

from __future__ import annotations

from knowledge.measured_task import MeasuredTask
from knowledge.results import DatasetSummary
from tools.tasks import classification, clustering

#: multiplications and additions a second
RATE = 2.2e9
#: of each text, dimension and class, in a step of L-BFGS and in one of k-means
_LBFGS, _KMEANS = 4, 2


def scoring_seconds(data: DatasetSummary, task: MeasuredTask, dimension: int) -> float:
    """Seconds of scoring one candidate.

    Args:
        data: how many texts, classes and texts to test there are.
        task: what is measured.
        dimension: of the candidate's vectors.
    """
    if task == "classification":
        steps = classification.STEPS * _learnt(data) + classification.MTEB_STEPS * classification.DRAWS * (
            classification.FEW * data.classes
        )
        return _LBFGS * steps * dimension * data.classes / RATE
    if task == "clustering":
        texts = min(data.labelled, clustering.MOST)
        return _KMEANS * clustering.STARTS * clustering.STEPS * texts * dimension * data.classes / RATE
    return 0.0


def _learnt(data: DatasetSummary) -> int:
    """Texts that are learnt from, counted as often as they are."""
    if data.tested:
        divisions, learnt = 1, data.labelled - data.tested
    else:
        divisions = 5 if data.labelled <= classification.MOST_IN_TURN else 1
        learnt = round(0.8 * data.labelled)
    learnt = min(learnt, classification.MOST_TRAINING)
    choosing = min(learnt, classification.CHOOSING)
    return divisions * learnt + len(classification.PENALTIES) * round(0.8 * choosing)
