"""What a model has to meet before anything is predicted: the architecture, and every hard constraint."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations
from typing import get_args

from knowledge.constraints import CONSTRAINTS, ConstraintBase, Verdict
from knowledge.constraints.latency import LatencyConstraint
from knowledge.constraints.memory import MemoryConstraint
from knowledge.constraints.modality import ModalityConstraint
from knowledge.constraints.parameters import ParametersConstraint
from knowledge.errors import NothingLeftError
from knowledge.evidence import RETRIEVAL_TASKS, Forecast, Pool, wanted_modalities
from knowledge.ladder import is_encoder
from knowledge.model_card import Modality, ModelCard
from knowledge.requirements import Requirements, Task
from knowledge.results import Prediction, Rejection
from knowledge.wording import Text, join, say
from tools.shortlist.ranked import Ranked

#: ranked beside the list, never on it: it needs no model, and a model that does not beat it is not worth its cost
BASELINE = "mteb/baseline-bm25s"
#: a model of this size answers a query of 32 tokens in 0.8 s on a CPU (2 operations a parameter and token, 50 GFLOP/s)
MILLIONS_ON_CPU = 600
_OWN_LIMITS = (LatencyConstraint, MemoryConstraint, ParametersConstraint)

# Entries of the benchmark that nobody would search with: human scores, random vectors, ready-made mixtures.
_YARDSTICKS = ("baseline/", "mteb/baseline-")


@lru_cache(maxsize=256)
def _verdicts(kind: str, parameters: str, pool: Pool) -> tuple[Verdict, ...]:
    constraint = CONSTRAINTS[kind].model_validate_json(parameters)
    return tuple(constraint.check(card) for card in pool.cards)


def _judged(constraint: ConstraintBase, cards: tuple[ModelCard, ...]) -> tuple[Verdict, ...]:
    """The constraint's verdict on each card; remembered, because an interview asks the same again and again."""
    parameters = constraint.model_dump_json(exclude={"hard", "origin", "because"})
    return _verdicts(constraint.kind, parameters, Pool(cards))


def _demands(requirements: Requirements) -> tuple[ConstraintBase, ...]:
    """The user's constraints, and first of all that the model takes what the task is about."""
    others = tuple(c for c in requirements.constraints if not (isinstance(c, ModalityConstraint) and c.hard))
    wanted = [modality for modality in get_args(Modality) if modality in wanted_modalities(requirements)]
    return (ModalityConstraint(modalities=tuple(wanted), origin="inferred"), *others, *_fit_for_cpu(requirements))


def _fit_for_cpu(requirements: Requirements) -> tuple[ConstraintBase, ...]:
    """Without a GPU, and without a limit of the user's own, models of a size that a CPU can answer with."""
    limited = any(isinstance(c, _OWN_LIMITS) for c in requirements.constraints)
    if limited or requirements.gpu is None or requirements.gpu.value:
        return ()
    return (ParametersConstraint(max_millions=MILLIONS_ON_CPU, origin="inferred", because="no GPU"),)


def is_limited_to_cpu(requirements: Requirements) -> bool:
    """Whether large models were left out because there is no GPU."""
    return bool(_fit_for_cpu(requirements))


def screened(
    requirements: Requirements, cards: tuple[ModelCard, ...], seen: Forecast
) -> tuple[list[Ranked], list[Rejection]]:
    """Those that take part, and every other with the first thing that kept it out."""
    constraints = _demands(requirements)
    verdicts = [_judged(constraint, cards) for constraint in constraints]
    admitted, rejected = [], []
    for row, card in enumerate(cards):
        prediction = seen.predictions[card.model]
        refused = _unfit(card, requirements.task.value, prediction)
        about = [(constraint, verdicts[i][row]) for i, constraint in enumerate(constraints)]
        for constraint, verdict in about:
            if refused is None and constraint.excludes(verdict):
                refused = Rejection(model=card.model, constraint=constraint.kind, reason=verdict.reason)
        if refused:
            rejected.append(refused)
            continue
        admitted.append(
            Ranked(
                card,
                prediction,
                missed=tuple(v.reason for c, v in about if v.outcome == "violated" and not c.hard),
                unknown=tuple(v.reason for _, v in about if v.outcome == "unknown"),
            )
        )
    return admitted, rejected


def _unfit(card: ModelCard, task: Task, prediction: Prediction) -> Rejection | None:
    """Why a model cannot be on the list whatever the user demands; None where it can."""
    if card.model.startswith(_YARDSTICKS) and card.model != BASELINE:
        return Rejection(
            model=card.model, constraint="baseline", reason=say("a yardstick of the benchmark, not a model to use")
        )
    if card.model == BASELINE and task in RETRIEVAL_TASKS:
        reason = say(
            "BM25 is measured beside the list as the baseline, with a predicted {metric} of {mean}",
            metric=prediction.metric,
            mean=f"{prediction.mean:.2f}",
        )
        return Rejection(model=card.model, constraint="baseline", reason=reason)
    if not is_encoder(card):
        reason = _ARCHITECTURES.get(card.architecture[0] if card.architecture else "", _NO_VECTOR)
        return Rejection(model=card.model, constraint="architecture", reason=reason)
    return None


_NO_VECTOR = say("it does not turn a text into one vector")
_ARCHITECTURES = {
    "cross-encoder": say("a cross-encoder: it scores pairs and makes no vector to search with"),
    "late-interaction": say("late interaction: it makes a vector for every token, which is not searched here"),
    "sparse": say("a sparse model: it makes weighted words, not one dense vector"),
    "hybrid": say("a ready-made mixture of two rankings; build it here from its parts instead"),
    "router": say("a router: it picks among other models"),
}


def nothing_left(requirements: Requirements, cards: tuple[ModelCard, ...]) -> NothingLeftError:
    """The error that names the fewest demands to drop, and how many models that would admit."""
    hard = [constraint for constraint in _demands(requirements) if constraint.hard]
    verdicts = [_judged(constraint, cards) for constraint in hard]
    # The first demand is what the task is about. Whoever drops a modality of their own still has that of the task.
    fits = _judged(_demands(requirements.without_constraint("modality"))[0], cards)
    own = requirements.constraint(ModalityConstraint)
    theirs = range(0 if own and own.hard else 1, len(hard))
    obstacles = Counter(
        (
            frozenset(i for i, constraint in enumerate(hard) if constraint.excludes(verdicts[i][row])),
            fits[row].outcome != "violated",
        )
        for row, card in enumerate(cards)
        if is_encoder(card) and not card.model.startswith(_YARDSTICKS)
    )

    def admitted(choice: tuple[int, ...]) -> int:
        dropped = set(choice)
        return sum(n for (blocked, fit), n in obstacles.items() if blocked <= dropped and (fit or 0 not in dropped))

    cause = say("No model meets all hard demands.")
    for size in range(1, len(hard) + 1):
        counts = [(admitted(choice), choice) for choice in combinations(theirs, size)]
        best = sorted((-count, choice) for count, choice in counts if count)[:3]
        if best:
            ways = [
                say(
                    "without “{demands}”: {count} models",
                    demands=join([hard[i].describe() for i in choice], Text(template=" + ")),
                    count=-count,
                )
                for count, choice in best
            ]
            return NothingLeftError(cause, say("Relax your demands; {ways}.", ways=join(ways, Text(template="; "))))
    return NothingLeftError(
        cause, say("Reinstall the program, or build the catalog again with python -m tools.catalog_build.")
    )
