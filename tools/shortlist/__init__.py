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

from knowledge.catalog import Catalog
from knowledge.errors import RequirementsError
from knowledge.evidence import Scores, forecast
from knowledge.requirements import Requirements
from knowledge.results import Shortlist
from knowledge.wording import say
from tools.shortlist.demands import BASELINE, nothing_left, screened
from tools.shortlist.places import PER_FAMILY, PER_PUBLISHER, choose, proven
from tools.shortlist.ranked import SOFT_PENALTY, Ranked
from tools.shortlist.reasons import notes_on, pick

__all__ = ["BASELINE", "PER_FAMILY", "PER_PUBLISHER", "SOFT_PENALTY", "Ranked", "choose", "proven", "shortlist"]


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
    admitted, rejected = screened(requirements, catalog.cards, seen)
    if not admitted:
        raise nothing_left(requirements, catalog.cards)
    field, unproven, notes = proven(admitted, seen, requirements, k)
    ranked = sorted(field, key=lambda entry: entry.order)
    chosen, passed_over = choose(ranked, seen, k, {card.model: card for card in catalog.cards})
    return Shortlist(
        requirements=requirements,
        kept=tuple(pick(entry, seen, requirements, broad) for entry, broad in chosen),
        rejected=tuple(sorted([*rejected, *unproven, *passed_over], key=lambda rejection: rejection.model)),
        considered=len(catalog.cards),
        notes=(*notes, *notes_on(requirements, seen, len(chosen))),
    )
