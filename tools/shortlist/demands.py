"""What a model has to meet before anything is predicted: the architecture, and every hard constraint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import log2
from typing import NamedTuple, get_args

from knowledge.columns import is_encoder
from knowledge.constraints import CONSTRAINTS, ConstraintBase, Verdict
from knowledge.constraints.dimension import DimensionConstraint
from knowledge.constraints.hardware import HardwareConstraint
from knowledge.constraints.latency import LatencyConstraint
from knowledge.constraints.max_tokens import MaxTokensConstraint
from knowledge.constraints.memory import MemoryConstraint
from knowledge.constraints.modality import ModalityConstraint
from knowledge.constraints.parameters import ParametersConstraint
from knowledge.evidence import RETRIEVAL_TASKS, Forecast, Pool, wanted_modalities
from knowledge.languages import language_names
from knowledge.model_card import Modality, ModelCard
from knowledge.quantities import many, parameters
from knowledge.requirements import Requirements
from knowledge.results import Rejection
from knowledge.wording import Text, say
from tools.language_detection import UNSPACED
from tools.shortlist.ranked import Ranked
from tools.shortlist.vector_size import cut_for, loss_of, lowered, penalty_of

#: measured beside the list, never on it: it needs no model, and a model that does not beat it is not worth its cost
BASELINE = "mteb/baseline-bm25s"
#: what its published figures say nothing of: it took what is written without spaces for one long word (bm25s' own
#: tokenizer: nDCG@10 0.15 on CovidRetrieval), where bm25 here cuts it
BASELINE_UNREAD = UNSPACED
#: a model of this size answers a query of 32 tokens in 0.8 s on a CPU (2 operations a parameter and token, 50 GFLOP/s)
MILLIONS_ON_CPU = 600
#: predicted points for each time that an estimate, too rough to exclude a model, doubles a hard limit on latency:
#: whoever is over it fourfold has to promise ten points more to be measured before one that is expected to meet it
DOUBT = 0.05
_OWN_LIMITS = (LatencyConstraint, MemoryConstraint, ParametersConstraint)

# Entries of the benchmark that nobody would search with: human scores, random vectors, ready-made mixtures.
_YARDSTICKS = ("baseline/", "mteb/baseline-")


class Refusal(NamedTuple):
    """What keeps a model out; a list that nobody reads the reasons of makes no record of each."""

    model: str
    constraint: str
    reason: Text

    @property
    def rejection(self) -> Rejection:
        """The record."""
        return Rejection(model=self.model, constraint=self.constraint, reason=self.reason)


@lru_cache(maxsize=128)  # at most some 1 MB each
def _unmet(kind: str, parameters: str, pool: Pool) -> dict[int, Verdict]:
    constraint = CONSTRAINTS[kind].model_validate_json(parameters)
    found = ((row, constraint.check(card)) for row, card in enumerate(pool.cards))
    return {row: verdict for row, verdict in found if verdict.outcome != "met"}


def unmet(constraint: ConstraintBase, cards: tuple[ModelCard, ...]) -> Mapping[int, Verdict]:
    """The constraint's verdict on each card that does not meet it, or of which that is not known, by row.

    It is remembered, because an interview asks the same again and again.
    """
    parameters = constraint.model_dump_json(exclude={"hard", "origin", "because"})
    return _unmet(constraint.kind, parameters, Pool(cards))


def demands_of(requirements: Requirements) -> tuple[ConstraintBase, ...]:
    """The user's constraints, and first of all that the model takes what the task is about."""
    others = tuple(
        _with_context(c, requirements)
        for c in requirements.constraints
        if not (isinstance(c, ModalityConstraint) and c.hard)
    )
    own = requirements.constraint(ModalityConstraint)
    origin = own.origin if own and own.hard else "inferred"
    wanted = [modality for modality in get_args(Modality) if modality in wanted_modalities(requirements)]
    return (ModalityConstraint(modalities=tuple(wanted), origin=origin), *others, *_fit_for_cpu(requirements))


def _with_context(constraint: ConstraintBase, requirements: Requirements) -> ConstraintBase:
    """A machine that nobody said the length of texts for is asked to hold the longest that the user has."""
    if not isinstance(constraint, HardwareConstraint) or constraint.context is not None:
        return constraint
    longest = requirements.constraint(MaxTokensConstraint)
    usual = requirements.document_tokens
    tokens = longest.tokens if longest else usual.value if usual else None
    return constraint.model_copy(update={"context": tokens}) if tokens and tokens > 0 else constraint


def _fit_for_cpu(requirements: Requirements) -> tuple[ConstraintBase, ...]:
    """Without a GPU, and without a limit of the user's own, models of a size that a CPU can answer with."""
    limited = any(isinstance(c, _OWN_LIMITS) for c in requirements.constraints)
    machine = requirements.constraint(HardwareConstraint)
    stated = None if requirements.gpu is None else requirements.gpu.value
    only_cpu = stated is False or (stated is None and machine is not None and machine.gpu_gb is None)
    if limited or not only_cpu or (machine is not None and machine.gpu_gb is not None):
        return ()
    return (ParametersConstraint(max_millions=MILLIONS_ON_CPU, origin="inferred", because="no GPU"),)


def is_limited_to_cpu(requirements: Requirements) -> bool:
    """Whether large models were left out because there is no GPU."""
    return bool(_fit_for_cpu(requirements))


def is_beside(card: ModelCard, requirements: Requirements) -> bool:
    """Whether it is the sparse baseline, and the task one that word matching can do."""
    if card.model != BASELINE:
        return False
    return requirements.task.value in RETRIEVAL_TASKS and wanted_modalities(requirements) == {"text"}


def unread(model: str, languages: Iterable[str]) -> tuple[str, ...]:
    """Those of the languages of which a model's published figures say nothing: none but for the baseline's."""
    return tuple(language for language in languages if language in BASELINE_UNREAD) if model == BASELINE else ()


def unread_note(languages: Sequence[str]) -> Text:
    """That published figures of word matching do not count in these languages, and what does."""
    return say(
        "Published scores of BM25 in {languages} do not count: that program cut no words there, as bm25 here does. "
        "Only a measurement tells.",
        languages=language_names(tuple(languages)),
    )


def is_yardstick(card: ModelCard) -> bool:
    """Whether it is an entry of the benchmark that nobody would use; BM25 is one that people do use."""
    return card.model.startswith(_YARDSTICKS) and card.model != BASELINE


def is_candidate(card: ModelCard) -> bool:
    """Whether it could be on a list at all: a trained model that makes one vector of what it is given."""
    return is_encoder(card) and card.pretrained and not card.model.startswith(_YARDSTICKS)


def screened(
    requirements: Requirements, cards: tuple[ModelCard, ...], seen: Forecast
) -> tuple[list[Ranked], list[Refusal]]:
    """Those that take part, and every other with the first thing that kept it out; the baseline is neither."""
    cards_unfit = _unfit_cards(Pool(cards))
    constraints = demands_of(requirements)
    verdicts: dict[int, list[tuple[ConstraintBase, Verdict]]] = {}  # most cards meet most demands
    for constraint in constraints:
        for row, verdict in unmet(constraint, cards).items():
            verdicts.setdefault(row, []).append((constraint, verdict))
    short = requirements.constraint(DimensionConstraint)
    documents = requirements.documents.value if requirements.documents else 0
    admitted, rejected = [], []
    for row, card in enumerate(cards):
        if card.model == BASELINE and is_beside(card, requirements):
            continue
        about = verdicts.get(row, [])
        broken = [(c.kind, _too_large(c, card) or verdict.reason) for c, verdict in about if c.excludes(verdict)]
        # the length of its vectors comes last: whoever cuts them can do something about it, so it must be all there is
        refused = cards_unfit.get(row) or min(broken, key=lambda found: found[0] == "dimension", default=None)
        if refused:
            rejected.append(Refusal(card.model, *refused))
            continue
        missed = [(c, v.reason) for c, v in about if v.outcome == "violated" and not c.hard]
        cut = cut_for(card, short)
        loss, doubt = loss_of(card, cut), _doubt(card, about)
        admitted.append(
            Ranked(
                card,
                lowered(seen.predictions[card.model], loss),
                missed=tuple(reason for _, reason in missed),
                unknown=tuple(v.reason for _, v in about if v.outcome == "unknown"),
                penalty=sum(penalty_of(c, card, documents) for c, _ in missed) + doubt,
                doubt=doubt,
                cut=cut,
                loss=loss,
            )
        )
    return admitted, rejected


def _doubt(card: ModelCard, about: list[tuple[ConstraintBase, Verdict]]) -> float:
    """Predicted points that it costs to break a hard limit on latency probably, but not by so much that it is told."""
    limits = (c for c, verdict in about if isinstance(c, LatencyConstraint) and c.hard and verdict.outcome == "unknown")
    over = ((limit.estimate_ms(card) or 0.0) / limit.p95_ms for limit in limits)
    return max((DOUBT * log2(times) for times in over if times > 1), default=0.0)


def _too_large(constraint: ConstraintBase, card: ModelCard) -> Text | None:
    """What is said of a limit that is not the user's but ours."""
    if not isinstance(constraint, ParametersConstraint) or constraint.origin == "stated" or card.parameters is None:
        return None
    return say(
        "{size}: on a CPU more than {limit} are slow (a rule of thumb; name a latency limit of yours to replace it)",
        size=parameters(card.parameters),
        limit=many(constraint.max_millions * 1e6),
    )


@lru_cache(maxsize=4)
def _unfit_cards(pool: Pool) -> dict[int, tuple[str, Text]]:
    """What keeps models out whatever is demanded, by row."""
    return {row: found for row, card in enumerate(pool.cards) if (found := _unfit(card))}


def _unfit(card: ModelCard) -> tuple[str, Text] | None:
    """Why a model cannot be on the list whatever the user demands; None where it can."""
    if is_yardstick(card):
        return "baseline", _YARDSTICK
    if not card.pretrained:
        return "architecture", _UNTRAINED
    if not is_encoder(card):
        return "architecture", _ARCHITECTURES.get(card.architecture[0] if card.architecture else "", _NO_VECTOR)
    return None


_YARDSTICK = say("a yardstick of the benchmark, not a model to use")
_UNTRAINED = say("a way to train and no trained model: it learns from what your own users chose")
_NO_VECTOR = say("it does not turn a text into one vector")
_ARCHITECTURES = {
    "cross-encoder": say("a cross-encoder: it scores pairs and makes no vector to search with"),
    "late-interaction": say("late interaction: it makes a vector for every token, which is not searched here"),
    "sparse": say("a sparse model: it makes weighted words, not one dense vector"),
    "hybrid": say("a ready-made mixture of two rankings; build it here from its parts instead"),
    "router": say("a router: it picks among other models"),
}
