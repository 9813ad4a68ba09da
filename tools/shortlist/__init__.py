"""Which models are worth measuring: hard demands first, then what published scores let one expect.

Who makes the list, in this order:

1. A model must turn what the user has into a single vector, and meet every hard constraint.
2. It must have been run in the user's language: on two groups of tasks, or on one and on 15 overall. Otherwise a
   Japanese-only model could head an English list, placed there by its size and age.
3. Those left are ranked by predicted score, less `SOFT_PENALTY` for each wish (soft constraint) they miss, and
   `DOUBT` for each time that a rough estimate doubles the user's limit on latency; a wish for
   short vectors costs that for each time that storage doubles, and 10 points more from 10 million vectors on. Where
   short vectors are demanded, hard or soft, a model made to be cut is predicted at the size it would be cut to,
   `LOSS_PER_HALVING` lower for each halving.
4. From the top: at most two models of a publisher, two of a family, one of several copies of the same model, and,
   while others are left, one that this program cannot build: measuring is worth more than a better guess.
5. The last place goes to a broadly tested model, unless one is on the list already.
6. One place goes to a model of at most a quarter of the largest one's size, unless one is on the list already or none
   is predicted within 10 points of the first: models of one size class leave nothing to trade quality against.

Beside the list, in none of its places: BM25 where texts are searched, and the cheapest static model that meets the
demands. What does not beat these is not worth its cost.

The rules 2, 4 and 5 and their figures come from the study that the ladder comes from; ``benchmarks/shortlist``
measures the whole. A tighter cap of one model a family costs 0.1 points of regret there; two costs nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from knowledge.catalog import Catalog
from knowledge.errors import RequirementsError
from knowledge.evidence import Forecast, Scores, forecast
from knowledge.requirements import Requirements
from knowledge.results import Pick, Rejection, Shortlist
from knowledge.wording import Text, say
from tools.shortlist.beside import BM25, STATIC, baseline, cheapest_static, why_none
from tools.shortlist.clash import nothing_left
from tools.shortlist.demands import BASELINE, Refusal, demands_of, screened, unread, unread_note
from tools.shortlist.places import (
    PER_FAMILY,
    PER_PUBLISHER,
    SMALL,
    WITHIN,
    choose,
    chosen_of,
    field_of,
    proven,
    roots_of,
)
from tools.shortlist.ranked import SOFT_PENALTY, Ranked
from tools.shortlist.reasons import Reasons, notes_on
from tools.shortlist.vector_size import LOSS_PER_HALVING

__all__ = [
    "BASELINE",
    "LOSS_PER_HALVING",
    "PER_FAMILY",
    "PER_PUBLISHER",
    "SMALL",
    "SOFT_PENALTY",
    "WITHIN",
    "Ranked",
    "choose",
    "listed",
    "names",
    "proven",
    "shortlist",
    "unread",
    "unread_note",
]


class Listed(NamedTuple):
    """A shortlist before it is a record: to make one of each of some 900 rejections takes longer than all the rest."""

    kept: tuple[Pick, ...]
    beside: tuple[Pick, ...]
    rejected: tuple[Refusal | Rejection, ...]
    notes: tuple[Text, ...]
    considered: int

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        """Every model that is left out, by name, with its reason."""
        made = (r if isinstance(r, Rejection) else r.rejection for r in self.rejected)
        return tuple(sorted(made, key=lambda rejection: rejection.model))


def shortlist(requirements: Requirements, catalog: Catalog, scores: Scores, k: int = 5) -> Shortlist:
    """The models worth measuring, best prediction first, and for every other model what kept it out.

    Each card of the catalog is kept, beside the list or in `rejected`, once; `considered` counts them all. `rejected`
    names the constraint's kind, or one of ``architecture`` (no single vector), ``modality``, ``evidence`` (rule 2),
    ``rank`` (met everything, but others are placed before it) and ``baseline`` (a yardstick of the benchmark).

    Args:
        requirements: hard constraints exclude, soft ones only cost places.
        catalog: every model there is.
        scores: what was published of them.
        k: places on the list.

    Raises:
        NothingLeftError: no model meets the hard constraints; says which clash, and what the smallest relaxations
            would admit.
        RequirementsError: `k` is not at least 1.
    """
    found = listed(requirements, catalog, scores, k)
    return Shortlist(
        requirements=requirements,
        kept=found.kept,
        beside=found.beside,
        rejected=found.rejections,
        considered=found.considered,
        notes=found.notes,
    )


def listed(requirements: Requirements, catalog: Catalog, scores: Scores, k: int = 5) -> Listed:
    """What `shortlist` finds, for those who may not want each rejection; arguments and errors are the same."""
    if k < 1:
        raise RequirementsError(
            say("A shortlist needs at least one place, not {k}.", k=k), say("Ask for 5, the usual number.")
        )
    seen = forecast(scores, requirements, catalog.cards)
    admitted, rejected = screened(requirements, catalog.cards, seen)
    if not admitted:
        raise nothing_left(requirements, catalog.cards, seen)
    static, others = _apart(admitted, seen, k)
    field, unproven, notes = proven(others, seen, requirements, k)
    chosen, passed_over = choose(
        sorted(field, key=lambda entry: entry.order), seen, k, {card.model: card for card in catalog.cards}
    )
    reasons = Reasons(requirements, catalog, scores, seen)
    words = baseline(requirements, catalog.cards, seen)
    beside: list[Pick] = [reasons.beside(words, BM25)] if words else []
    told: list[Text] = [*notes, *notes_on(reasons, [entry for entry, _ in chosen])]
    if static and len(others) < len(admitted):
        beside.append(reasons.beside(static, STATIC))
    elif static is None:
        demands = {constraint.kind: constraint.describe() for constraint in demands_of(requirements)}
        missing = why_none(requirements, catalog.cards, rejected, demands)
        told += [missing] if missing else []
    return Listed(
        kept=tuple(reasons.pick(entry, slot) for entry, slot in chosen),
        beside=tuple(beside),
        rejected=(*rejected, *unproven, *passed_over),
        notes=tuple(told),
        considered=len(catalog.cards),
    )


def names(requirements: Requirements, catalog: Catalog, scores: Scores, k: int = 5) -> tuple[str, ...]:
    """The models that `shortlist` would keep, in its order, and nothing else: none where no model is left.

    It makes no reasons and no rejections, for those who make many lists to see what an answer would change.
    """
    seen = forecast(scores, requirements, catalog.cards)
    admitted, _ = screened(requirements, catalog.cards, seen)
    _, others = _apart(admitted, seen, k)
    field = sorted(field_of(others, seen, k)[0], key=lambda entry: entry.order)
    if not field:
        return ()
    roots = roots_of(field, {card.model: card for card in catalog.cards})
    return tuple(entry.card.model for entry in chosen_of(field, seen, k, roots)[0])


def _apart(admitted: list[Ranked], seen: Forecast, k: int) -> tuple[Ranked | None, list[Ranked]]:
    """The static model to measure beside the list, and those who compete for a place: it too, where one is free."""
    static = cheapest_static(admitted, seen)
    return static, [entry for entry in admitted if not (len(admitted) > k and entry is static)]
