"""When no model is left: which demands clash, and what giving up the least would admit. Nothing is given up here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from knowledge.constraints import ConstraintBase
from knowledge.constraints.modality import ModalityConstraint
from knowledge.errors import NothingLeftError
from knowledge.evidence import Forecast
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.results import Admitted, Clash, Obstacle, Relaxation
from knowledge.wording import Text, join, say
from tools.shortlist.demands import demands_of, is_candidate, unmet
from tools.shortlist.loosening import loosened

#: so many sets of demands to drop are told of, those that admit most first, and so many models of each
_WAYS, _MODELS, _NAMED = 3, 3, 2

_PLUS, _COMMA, _NEXT = Text(template=" + "), Text(template=", "), Text(template="\n    · ")


@dataclass(frozen=True)
class _Blocked:
    """A model, and the numbers of the demands that it breaks."""

    card: ModelCard
    by: frozenset[int]
    reasons: dict[int, Text]


def nothing_left(requirements: Requirements, cards: tuple[ModelCard, ...], seen: Forecast) -> NothingLeftError:
    """The error that names who clashes, and for each smallest relaxation what it would admit."""
    hard = [constraint for constraint in demands_of(requirements) if constraint.hard]
    every, possible = _blocked(requirements, hard, cards)
    if not every:
        return NothingLeftError(
            say("The catalog holds no model for this."),
            say("Reinstall the program, or build the catalog again with: advisor catalog build."),
        )
    together = _together(every, len(hard))
    clash = Clash(
        considered=len(every),
        obstacles=tuple(
            Obstacle(
                kind=constraint.kind, demand=constraint.describe(), excluded=sum(i in blocked.by for blocked in every)
            )
            for i, constraint in enumerate(hard)
        ),
        together=tuple(hard[i].kind for i in together),
        relaxations=tuple(_relaxations(hard, possible, seen)),
    )
    return NothingLeftError(_cause(clash, [hard[i] for i in together]), _ways_out(clash), clash)


def _blocked(
    requirements: Requirements, hard: Sequence[ConstraintBase], cards: tuple[ModelCard, ...]
) -> tuple[list[_Blocked], list[_Blocked]]:
    """All models with what they break, and those of them that some relaxation would admit.

    The first demand is what the task is about. Whoever drops a modality of their own still has that of the task.
    """
    own = requirements.constraint(ModalityConstraint)
    verdicts = [unmet(constraint, cards) for constraint in hard]
    of_task = unmet(demands_of(requirements.without_constraint("modality"))[0], cards)
    every, possible = [], []
    for row, card in enumerate(cards):
        if not is_candidate(card):
            continue
        by = frozenset(
            i for i, constraint in enumerate(hard) if row in verdicts[i] and constraint.excludes(verdicts[i][row])
        )
        every.append(_Blocked(card, by, {i: verdicts[i][row].reason for i in by}))
        if 0 not in by or (own is not None and own.hard and (row not in of_task or of_task[row].outcome != "violated")):
            possible.append(every[-1])
    return every, possible


def _together(every: Iterable[_Blocked], n: int) -> tuple[int, ...]:
    """The smallest set of demands that nobody meets: it has one that each model breaks."""
    distinct = {blocked.by for blocked in every}
    fewest = [by for by in distinct if not any(other < by for other in distinct)]
    for size in range(1, n + 1):
        for chosen in combinations(range(n), size):
            if all(by.intersection(chosen) for by in fewest):
                return chosen
    return ()


def _relaxations(hard: Sequence[ConstraintBase], possible: Sequence[_Blocked], seen: Forecast) -> Iterator[Relaxation]:
    """The fewest demands to give up, in every way that admits somebody: by degree where numbers decide, then whole."""
    smallest = min((len(blocked.by) for blocked in possible), default=0)
    sets: dict[frozenset[int], list[_Blocked]] = {}
    for blocked in possible:
        if len(blocked.by) == smallest:
            sets.setdefault(blocked.by, []).append(blocked)
    for dropped, admits in sorted(sets.items(), key=lambda way: (-len(way[1]), sorted(way[0])))[:_WAYS]:
        ranked = sorted(admits, key=lambda blocked: _worth(blocked.card, seen))
        by_degree = _by_degree([hard[i] for i in sorted(dropped)], ranked, seen)
        if by_degree:
            yield by_degree
        if by_degree is None or by_degree.models < len(admits):
            demands = join([_shown(hard[i]) for i in sorted(dropped)], _PLUS)
            yield Relaxation(
                kinds=tuple(hard[i].kind for i in sorted(dropped)),
                how="drop",
                change=say("without {demands}", demands=demands),
                models=len(admits),
                best=_best(ranked, seen),
            )


def _worth(card: ModelCard, seen: Forecast) -> tuple[bool, float, str]:
    """Sorts those that were run in the language first, and the best prediction first among them."""
    return (seen.groups_in_language[card.model] == 0, -seen.predictions[card.model].mean, card.model)


def _by_degree(given: Sequence[ConstraintBase], ranked: Sequence[_Blocked], seen: Forecast) -> Relaxation | None:
    """The smallest change of the numbers that admits a model, the other demands dropped; None where none has one."""
    nearest: tuple[bool, float, float, list[ConstraintBase | None]] | None = None
    for blocked in ranked:
        steps = [loosened(constraint, blocked.card) for constraint in given]
        if not any(steps):
            continue
        moved = [step[0] if step else None for step in steps]
        unscored, worth, _ = _worth(blocked.card, seen)
        found = (unscored, sum(step[1] for step in steps if step), worth, moved)
        if nearest is None or found[:3] < nearest[:3]:
            nearest = found
    if nearest is None:
        return None
    moved = nearest[-1]
    admits = [b for b in ranked if not any(c is not None and c.excludes(c.check(b.card)) for c in moved)]
    parts = [
        say("“{now}” instead of {before}", now=now.describe(), before=_shown(before))
        if now
        else say("without {demands}", demands=_shown(before))
        for before, now in zip(given, moved, strict=True)
    ]
    return Relaxation(
        kinds=tuple(constraint.kind for constraint in given),
        how="loosen",
        change=join(parts, _PLUS),
        models=len(admits),
        best=_best(admits, seen),
    )


def _best(ranked: Sequence[_Blocked], seen: Forecast) -> tuple[Admitted, ...]:
    return tuple(
        Admitted(
            model=blocked.card.model,
            predicted=seen.predictions[blocked.card.model],
            breaks=tuple(blocked.reasons[i] for i in sorted(blocked.by)),
        )
        for blocked in ranked[:_MODELS]
    )


def _shown(constraint: ConstraintBase) -> Text:
    """A demand in quotes, marked where the user did not state it."""
    if constraint.origin == "stated":
        return say("“{demand}”", demand=constraint.describe())
    return say("“{demand}” (inferred)", demand=constraint.describe())


def _cause(clash: Clash, together: Sequence[ConstraintBase]) -> Text:
    """Who clashes, in words."""
    parts = [say("No model meets all hard demands.")]
    if len(together) == 1:
        parts.append(say("{demand} alone leaves none.", demand=_shown(together[0])))
    elif together:
        demands = join([_shown(constraint) for constraint in together], _PLUS)
        parts.append(say("Together these already leave none: {demands}.", demands=demands))
    if len(clash.obstacles) > 1:
        alone = [
            say("“{demand}” {count}", demand=one.demand, count=one.excluded)
            for one in sorted(clash.obstacles, key=lambda one: -one.excluded)
            if one.excluded
        ]
        excluded = join(alone, _COMMA)
        parts.append(
            say("Of {all} models, each demand alone leaves out: {excluded}.", all=clash.considered, excluded=excluded)
        )
    return join(parts)


def _ways_out(clash: Clash) -> Text:
    """What could be given up, in words."""
    if not clash.relaxations:
        return say("Ask for something else: no model of the catalog does this, whatever else is given up.")
    ways = [_way(relaxation) for relaxation in clash.relaxations]
    return say(
        "Nothing was relaxed. Each of these would be enough:{ways}", ways=join([Text(template=""), *ways], _NEXT)
    )


def _way(relaxation: Relaxation) -> Text:
    named = [
        say(
            "{model} (predicted {mean:.2f}; {facts})",
            model=one.model,
            mean=one.predicted.mean,
            facts=join(one.breaks, Text(template="; ")),
        )
        for one in relaxation.best[:_NAMED]
    ]
    models = join(named, _COMMA)
    if relaxation.models == 1:
        return say("{change}: 1 model, {models}", change=relaxation.change, models=models)
    return say(
        "{change}: {count} models, first {models}", change=relaxation.change, count=relaxation.models, models=models
    )
