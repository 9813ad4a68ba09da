"""Which models are worth measuring: hard demands first, then what published scores let one expect.

Who makes the list, in this order:

1. A model must turn what the user has into a single vector, and meet every hard constraint.
2. It must have been run in the user's language: on two groups of tasks, or on one and on 15 overall. Otherwise a
   Japanese-only model could head an English list, placed there by its size and age.
3. Those left are ranked by predicted score, less `SOFT_PENALTY` for each wish (soft constraint) they miss.
4. From the top: at most two models of a publisher, two of a family, one of several copies of the same model, and,
   while others are left, one that this program cannot build: measuring is worth more than a better guess.
5. The last place goes to a broadly tested model, unless one is on the list already.

The rules 2, 4 and 5 and their figures come from the study that the ladder comes from; ``benchmarks/shortlist``
measures the whole. A tighter cap of one model a family costs 0.1 points of regret there; two costs nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations
from typing import get_args

from knowledge.catalog import Catalog
from knowledge.constraints import CONSTRAINTS, ConstraintBase, Verdict
from knowledge.constraints.modality import ModalityConstraint
from knowledge.errors import NothingLeftError, RequirementsError
from knowledge.evidence import RETRIEVAL_TASKS, Forecast, Pool, Scores, forecast, wanted_modalities
from knowledge.ladder import is_encoder
from knowledge.languages import language_names
from knowledge.model_card import Modality, ModelCard
from knowledge.requirements import Requirements, Task
from knowledge.results import Pick, Prediction, Rejection, Shortlist
from knowledge.wording import Text, join, say

#: ranked beside the list, never on it: it needs no model, and a model that does not beat it is not worth its cost
BASELINE = "mteb/baseline-bm25s"

# Entries of the benchmark that nobody would search with: human scores, random vectors, ready-made mixtures.
_YARDSTICKS = ("baseline/", "mteb/baseline-")

#: predicted points (0 to 1) that a missed wish costs: the smallest predicted gap that usually holds (79 % of pairs)
SOFT_PENALTY = 0.03

PER_PUBLISHER = 2
PER_FAMILY = 2
NOT_BUILT_HERE = 1

#: a shorter field than this relaxes the rule on evidence
_ENOUGH = 10

# How a publisher marks another copy of the same weights: settings in brackets, or a precision at the end.
_COPY = re.compile(r"(?: \(.*\)|[-_](?:int[48]|fp8|fp16|bf16|nvfp4|gguf|awq|gptq))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Ranked:
    """A model that may be measured: its forecast, the wishes it misses, and what decides its place."""

    card: ModelCard
    prediction: Prediction
    missed: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()

    @property
    def order(self) -> tuple[float, str]:
        """Sorts the best first, equals by name."""
        return (SOFT_PENALTY * len(self.missed) - self.prediction.mean, self.card.model)


def shortlist(requirements: Requirements, catalog: Catalog, scores: Scores, k: int = 5) -> Shortlist:
    """The models worth measuring, best prediction first, and for every other model what kept it out.

    Each card of the catalog is either kept or in `rejected`, once; `considered` counts them all. `rejected` names the
    constraint's kind, or one of ``architecture`` (no single vector), ``modality``, ``evidence`` (rule 2),
    ``rank`` (met everything, but others are placed before it) and ``baseline`` (BM25, measured beside the list).

    Args:
        requirements: hard constraints exclude, soft ones only cost places.
        catalog: every model there is.
        scores: what was published of them.
        k: places on the list.

    Raises:
        NothingLeftError: no model meets the hard constraints; names the smallest relaxations that would admit some.
        RequirementsError: `k` is not at least 1.
    """
    if k < 1:
        raise RequirementsError(
            say("A shortlist needs at least one place, not {k}.", k=k), say("Ask for 5, the usual number.")
        )
    seen = forecast(scores, requirements, catalog.cards)
    admitted, rejected = _screened(requirements, catalog.cards, seen)
    if not admitted:
        raise _nothing_left(requirements, catalog.cards)
    field, unproven, notes = proven(admitted, seen, requirements, k)
    ranked = sorted(field, key=lambda entry: entry.order)
    chosen, passed_over = choose(ranked, seen, k, {card.model: card for card in catalog.cards})
    return Shortlist(
        requirements=requirements,
        kept=tuple(_pick(entry, seen, requirements, broad) for entry, broad in chosen),
        rejected=tuple(sorted([*rejected, *unproven, *passed_over], key=lambda rejection: rejection.model)),
        considered=len(catalog.cards),
        notes=(*notes, *_notes(requirements, seen, len(chosen))),
    )


# ---------------------------------------------------------------- 1: demands


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
    return (ModalityConstraint(modalities=tuple(wanted), origin="inferred"), *others)


def _screened(
    requirements: Requirements, cards: tuple[ModelCard, ...], seen: Forecast
) -> tuple[list[Ranked], list[Rejection]]:
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


def _nothing_left(requirements: Requirements, cards: tuple[ModelCard, ...]) -> NothingLeftError:
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


# ---------------------------------------------------------------- 2: evidence


def proven(
    admitted: Sequence[Ranked], seen: Forecast, requirements: Requirements, k: int
) -> tuple[list[Ranked], list[Rejection], list[Text]]:
    """Those with enough evidence in the language, rejections for the rest, and a note where the rule was relaxed."""

    def in_language(entry: Ranked) -> int:
        return seen.groups_in_language[entry.card.model]

    def in_all(entry: Ranked) -> int:
        return seen.groups_in_all[entry.card.model]

    # Each step is taken while fewer models than this are left. Models never run in the language come in only where
    # the list could not be filled without them.
    steps: list[tuple[int, Callable[[Ranked], bool], Text | None]] = [
        (1, lambda e: in_language(e) >= 2 or (in_language(e) >= 1 and in_all(e) >= 15), None),
        (
            _ENOUGH,
            lambda e: in_language(e) >= 1,
            say("Few models are left, so one group of benchmark tasks in the language was enough evidence."),
        ),
        (
            k,
            lambda e: in_all(e) >= 1,
            say("Too few models were ever run in the language; some are placed by their scores in other languages."),
        ),
        (k, lambda e: True, say("Too few models were ever run on such tasks; some are placed by size and age alone.")),
    ]
    # A step that admits nobody new is no relaxation, and its note would say something untrue.
    field: list[Ranked] = []
    notes: list[Text] = []
    for enough, suffices, note in steps:
        wider = [entry for entry in admitted if suffices(entry)] if len(field) < enough else field
        if len(wider) > len(field):
            field, notes = wider, [note] if note else []
    kept = {entry.card.model for entry in field}
    language = _language(requirements, seen)
    rejected = [
        Rejection(
            model=entry.card.model,
            constraint="evidence",
            reason=say(
                "too few groups of benchmark tasks behind it: {found} in {language}, {all} in all",
                found=in_language(entry),
                language=language,
                all=in_all(entry),
            ),
        )
        for entry in admitted
        if entry.card.model not in kept
    ]
    return field, rejected, notes


def _language(requirements: Requirements, seen: Forecast) -> Text:
    if requirements.task.value == "code_search":
        return say("program code")
    return language_names(seen.languages) if seen.languages else say("all languages")


# ---------------------------------------------------------------- 3 to 5: places


def choose(
    ranked: Sequence[Ranked], seen: Forecast, k: int, cards: Mapping[str, ModelCard]
) -> tuple[list[tuple[Ranked, bool]], list[Rejection]]:
    """The first `k` of a ranking under the rules 4 and 5.

    Returns:
        The chosen, in order, each with whether it holds the place of a broadly tested model; and why the others, in
        order, are not among them.
    """
    chosen: list[Ranked] = []
    for not_built in (NOT_BUILT_HERE, k):
        for entry in ranked:
            # A model that is on the list is a copy of itself, so it is not taken twice.
            if len(chosen) < k and not _capped(entry, chosen, cards, not_built):
                chosen.append(entry)
    broad, slot = _broad(ranked, seen), None
    if 1 < k == len(chosen) and not any(entry.card.model in broad for entry in chosen):
        others = chosen[:-1]
        fitting = (e for e in ranked if e.card.model in broad and not _capped(e, others, cards, NOT_BUILT_HERE))
        slot = next(fitting, None)
        chosen = [*others, slot] if slot else chosen
    chosen.sort(key=lambda entry: entry.order)
    kept = {entry.card.model for entry in chosen}
    last = min(entry.prediction.mean for entry in chosen)
    rejected = [
        Rejection(
            model=entry.card.model,
            constraint="rank",
            reason=_capped(entry, chosen, cards, NOT_BUILT_HERE)
            or say(
                "number {place} of {total} that meet your demands: predicted {mean}, the last place has {last}",
                place=place,
                total=len(ranked),
                mean=f"{entry.prediction.mean:.2f}",
                last=f"{last:.2f}",
            ),
        )
        for place, entry in enumerate(ranked, 1)
        if entry.card.model not in kept
    ]
    return [(entry, entry is slot) for entry in chosen], rejected


def _capped(entry: Ranked, chosen: Sequence[Ranked], cards: Mapping[str, ModelCard], not_built: int) -> Text | None:
    """Why no more of this kind may join the chosen; None where it may."""
    card = entry.card
    for other in chosen:
        if _original(other.card.model) == _original(card.model):
            return say("another copy of {model}, which is on the list", model=other.card.model)
    if sum(other.card.organisation == card.organisation for other in chosen) >= PER_PUBLISHER:
        return say("two models of {publisher} are on the list already", publisher=card.organisation)
    root = _root(card, cards)
    if sum(_root(other.card, cards) == root for other in chosen) >= PER_FAMILY:
        return say("two models made from {model} are on the list already", model=root)
    if card.spec is None and sum(other.card.spec is None for other in chosen) >= not_built:
        return say("this program cannot build it, and one such model is on the list already")
    return None


@cache
def _original(model: str) -> str:
    """The name without what marks another copy of the same weights."""
    return _COPY.sub("", model)


def _root(card: ModelCard, cards: Mapping[str, ModelCard]) -> str:
    """The model of the catalog that a model was made from in the first place; itself if none."""
    passed = {card.model}
    while card.adapted_from and card.adapted_from in cards and card.adapted_from not in passed:
        card = cards[card.adapted_from]
        passed.add(card.model)
    return card.model


def _broad(ranked: Sequence[Ranked], seen: Forecast) -> frozenset[str]:
    """The models run on at least half as many groups of tasks in the language as any of these was."""
    most = max((seen.groups_in_language[entry.card.model] for entry in ranked), default=0)
    return frozenset(e.card.model for e in ranked if seen.groups_in_language[e.card.model] >= max(most / 2, 1))


# ---------------------------------------------------------------- reasons


def _pick(entry: Ranked, seen: Forecast, requirements: Requirements, broad: bool) -> Pick:
    card = entry.card
    reasons = [*_evidence(entry, seen, requirements), *_facts(card)]
    if broad:
        reasons.append(say("Holds the place of a broadly tested model, so that one of the list is sure to be."))
    reasons += [say("Misses a wish of yours: {reason}.", reason=reason) for reason in entry.missed]
    if card.superseded_by:
        reasons.append(say("Its publisher names {model} as its successor.", model=card.superseded_by))
    if card.spec is None:
        reasons.append(say("This program cannot build it: it can be judged by published figures only."))
    return Pick(
        spec=card.spec,
        model=card.model,
        predicted=entry.prediction,
        reasons=tuple(reasons),
        unknown=entry.unknown,
    )


def _evidence(entry: Ranked, seen: Forecast, requirements: Requirements) -> list[Text]:
    card, prediction = entry.card, entry.prediction
    if not prediction.tasks_in_all:
        return [say("No published score on such tasks: placed by size, age and dimension alone.")]
    tasks = seen.tasks[card.model]
    reasons = [
        say(
            "Predicted {metric} {mean}; benchmark tasks behind it: {tasks} in {language}, {all} in all.",
            metric=prediction.metric,
            mean=f"{prediction.mean:.2f}",
            tasks=len(tasks),
            language=_language(requirements, seen),
            all=prediction.tasks_in_all,
        )
    ]
    trained = len(set(tasks) & set(card.training_datasets))
    if trained:
        reasons.append(
            say(
                "Trained on benchmark tasks: {trained} of these {tasks}; its scores may flatter it.",
                trained=trained,
                tasks=len(tasks),
            )
        )
    elif not card.training_data_known:
        reasons.append(say("What it was trained on is not known: its scores may flatter it."))
    if card.model in seen.suspect:
        reasons.append(say("One of its published scores stands out so far that it may be a mistake."))
    return reasons


def _facts(card: ModelCard) -> list[Text]:
    license_name = card.license or "?"
    reasons = [
        say("An API: your texts leave this machine.")
        if card.is_api
        else say("Licence: {license}.", license=license_name)
    ]
    if card.parameters:
        millions = f"{card.parameters / 1e6:,.0f}"
        memory = f"{card.memory_at(4):,.0f}"
        reasons.append(say("{millions} M parameters ({memory} MB in fp32).", millions=millions, memory=memory))
    if card.max_tokens:
        reasons.append(say("Reads up to {tokens:,} tokens.", tokens=card.max_tokens))
    if card.dimension:
        reasons.append(say("{dimension:,} dimensions.", dimension=card.dimension))
    return reasons


def _notes(requirements: Requirements, seen: Forecast, kept: int) -> list[Text]:
    notes = []
    by_retrieval = requirements.task.value in RETRIEVAL_TASKS
    if not requirements.languages and seen.languages:
        notes.append(say("No language is known yet: predicted for {language}.", language=_language(requirements, seen)))
    if len(seen.languages) > 1:
        notes.append(say("Predicted scores are means over {languages}.", languages=language_names(seen.languages)))
    if kept > 1 and by_retrieval:
        notes.append(
            say("A predicted gap between two of these is good to ±7 points (80 %): measure before you choose.")
        )
    if BASELINE in seen.predictions and by_retrieval and "text" in wanted_modalities(requirements):
        notes.append(say("Measure BM25 beside them: a model that does not beat it is not worth its cost."))
    return notes
