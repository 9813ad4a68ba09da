"""What a “what if …?” supposes: other demands, in figures where it says them as a share of what there is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.answering.measured import row_of
from agent.answering.relative import Relative
from agent.descriptions import describe_change
from agent.understanding.base import Understood
from knowledge.candidate import Leg, parse_candidate
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.constraints.hardware import HardwareConstraint
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.results import Shortlist
from knowledge.wording import Text, say
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

BYTES_PER_NUMBER = 4  # float32, as benchmarks store vectors


@dataclass(frozen=True)
class Supposed:
    """What is supposed, against what is.

    Attributes:
        demands: what is different, in words.
        slots: what of the requirements is different.
        relative: whether it is a share of what there is, so that the words alone say nothing later.
        too_large: measured candidates over a relative limit on storage, with the reason.
        smaller: a set-up that would keep that limit and was not measured.
    """

    before: Requirements
    after: Requirements
    demands: tuple[Text, ...]
    slots: frozenset[str]
    relative: bool = False
    too_large: dict[str, Text] = field(default_factory=dict)
    smaller: Text | None = None

    @property
    def on_another_machine(self) -> bool:
        """Whether a GPU is supposed: what was timed here says nothing of its speed."""
        machine = self.after.constraint(HardwareConstraint)
        named = "hardware" in self.slots and machine is not None and machine.gpu_gb is not None
        return named or ("gpu" in self.slots and self.after.gpu is not None and self.after.gpu.value)


def what_is_supposed(
    understood: Understood, wish: Relative | None, state: State, context: Context
) -> Supposed | Text | None:
    """What is supposed; a sentence where that cannot be told, None where nothing was understood."""
    before, after = state["requirements"], understood.requirements
    slots = frozenset(change.slot for change in understood.changes)
    # who names a GPU says that there is one
    told = [change for change in understood.changes if not (change.slot == "gpu" and "hardware" in slots)]
    demands = tuple(describe_change(change, after) for change in told)
    if wish is None:
        return Supposed(before, after, demands, slots) if understood.changes else None
    recommendation = state.get("recommendation")
    winner = row_of(recommendation.winner, recommendation) if recommendation and recommendation.winner else None
    if wish.of == "storage":
        base = winner.bytes_per_vector if winner else None
        if base is None:
            return _shorter_vectors(before, after, wish, state, context)
        limit = base * wish.share
        sizes = {row.spec: row.bytes_per_vector for row in (recommendation.rows if recommendation else ())}
        too_large = {
            spec: say("{count:,.0f} bytes per document, you would allow {limit:,.0f}", count=size, limit=limit)
            for spec, size in sizes.items()
            if size is not None and size > limit
        }
        dimension = max(1, int(limit / BYTES_PER_NUMBER))
        assert winner
        demand = say(
            "at most {limit:,.0f} bytes per document in the index, instead of the {now:,.0f} of {model} "
            "({dimension:,} dimensions)",
            limit=limit,
            now=base,
            model=winner.spec,
            dimension=dimension,
        )
        made = after.with_constraint(make_constraint("dimension", max_dimension=dimension, because=str(demand)))
        smaller = _smaller(winner.spec, dimension, set(sizes), context)
        return Supposed(
            before, made, (*demands, demand), slots | {"dimension"}, relative=True, too_large=too_large, smaller=smaller
        )
    name, parameter = {"memory": ("memory", "max_mb"), "latency": ("latency", "p95_ms")}[wish.of]
    held = before.constraint(CONSTRAINTS[name])
    now = getattr(winner, {"memory": "peak_memory_mb", "latency": "query_p95_ms"}[wish.of]) if winner else None
    now = now if now is not None else getattr(held, parameter, None)
    if now is None:
        return say(
            "There is nothing yet that it could be a share of: neither a limit of yours nor a measured figure. Say it "
            "as a number, such as “what if 50 ms were enough?”."
        )
    limit = float(f"{now * wish.share:.3g}")
    made = after.with_constraint(make_constraint(name, **{parameter: limit}, because="relative"))
    demand = next(c.describe() for c in made.constraints if c.kind == name)
    return Supposed(before, made, (*demands, demand), slots | {name}, relative=True)


def _shorter_vectors(
    before: Requirements, after: Requirements, wish: Relative, state: State, context: Context
) -> Supposed | Text:
    """A share of the vectors' length, where no index was measured: of the limit there is, or of the first model's."""
    held = before.constraint(CONSTRAINTS["dimension"])
    listed = state.get("shortlist") or list_for(before, context)
    first = context.catalog.card(listed.kept[0].model) if listed else None
    now = getattr(held, "max_dimension", None) or (first.dimension if first else None)
    if now is None:
        return say("How long the vectors are now is not known. Say it as a number, such as “at most 512 dimensions”.")
    limit = max(1, int(now * wish.share))
    demand = say("at most {limit:,} dimensions instead of {now:,}", limit=limit, now=now)
    if held is None and first is not None:
        demand = say(
            "at most {limit:,} dimensions instead of the {now:,} of {model}", limit=limit, now=now, model=first.model
        )
    made = after.with_constraint(make_constraint("dimension", max_dimension=limit, because=str(demand)))
    return Supposed(before, made, (demand,), frozenset(("dimension",)), relative=True)


def _smaller(spec: str, dimension: int, measured: set[str], context: Context) -> Text | None:
    """The same model with its vectors cut to fit, which would have to be measured."""
    leg = parse_candidate(spec)
    if not isinstance(leg, Leg) or leg.backend == "bm25":
        return None
    cut = leg.model_copy(update={"options": leg.options | {"dim": str(dimension)}}).spec
    if cut in measured:
        return None
    card = next((c for c in context.catalog.cards if c.model == leg.name), None)
    if card and any(size <= dimension for size in card.matryoshka_dimensions):
        return say(
            "The same model with shorter vectors, which it is made for, would have to be measured: {spec}.", spec=cut
        )
    return say(
        "The same model with shorter vectors, which it is not known to be made for, would have to be measured: {spec}.",
        spec=cut,
    )


def list_for(requirements: Requirements, context: Context) -> Shortlist | None:
    """The shortlist for these demands; None where nothing meets them."""
    try:
        return shortlist(requirements, context.catalog, context.scores)
    except NothingLeftError:
        return None
