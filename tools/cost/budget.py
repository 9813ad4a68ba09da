"""What the decision costs a month, among its reasons, and whether the budget pays for it.

The constraint alone looks at what an API charges: a model of one's own meets any budget by it, whatever the machine
costs that it runs on. So a budget is compared with the whole month, machines included.
"""

from __future__ import annotations

from knowledge.constraints.cost import CostConstraint
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.results.cost import Costs
from knowledge.wording import Text, say
from tools.cost.words import cited, dollars


def with_month(recommendation: Recommendation, requirements: Requirements, found: Costs | None) -> Recommendation:
    """The recommendation with what its winner costs a month: first where that is over the budget, else last.

    What cannot be computed is among what was not measured where there is a budget to compare it with.
    """
    if recommendation.winner is None:
        return recommendation
    limit = requirements.constraint(CostConstraint)
    budget = limit.max_usd_per_month if limit else None
    one = next((one for one in found.candidates if one.spec == recommendation.winner), None) if found else None
    if found is None or one is None or one.usd_per_month is None:
        if budget is None:
            return recommendation
        open_ = say("Whether your {budget} a month are enough: what it costs is not known.", budget=dollars(budget))
        return recommendation.model_copy(update={"not_measured": (*recommendation.not_measured, open_)})
    usd, cite = dollars(one.usd_per_month), cited(one.cites, "usd_per_month")
    if budget is None:
        told = say("It costs about {usd} a month{cite}: an estimate.", usd=usd, cite=cite)
    elif one.usd_per_month <= budget:
        told = say(
            "It costs about {usd} a month{cite}: an estimate, within your {budget}.",
            usd=usd,
            cite=cite,
            budget=dollars(budget),
        )
    else:
        over = say(
            "Over your budget: it costs about {usd} a month{cite}, an estimate, and you allow {budget}. {why}",
            usd=usd,
            cite=cite,
            budget=dollars(budget),
            why=_why(found),
        )
        return recommendation.model_copy(update={"reasons": (over, *recommendation.reasons)})
    return recommendation.model_copy(update={"reasons": (*recommendation.reasons, told)})


def _why(found: Costs) -> Text:
    """What would make it cheaper: first of all a price of the machine that is not taken from a list."""
    price = next((one for one in found.assumptions if one.key == "machine_usd_per_hour"), None)
    if price is None or price.value is None or price.origin == "stated":
        return say("A smaller machine, fewer documents or fewer queries would cost less.")
    return say(
        "It is counted with a machine at ${price:.2f} an hour, a listed price: say what yours costs an hour.",
        price=price.value,
    )
