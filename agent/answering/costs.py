"""“What does it cost a month at 10 million documents?”, “self-host or API?”, “what do 1 billion vectors take?”.

A question may suppose other numbers than those that were stated; they count for its answer alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from agent.answering.brief import LINES, background
from agent.costing import costs_of, published_costs
from agent.loading import load_of
from agent.reporting import data_of
from agent.understanding.lexicon import load_lexicon
from agent.understanding.numbers import NumberReader, Quantity
from agent.understanding.utterance import Utterance
from knowledge.errors import AdvisorError, UserError
from knowledge.results import Recommendation
from knowledge.results.cost import Costs
from knowledge.wording import Text, join, say
from tools.cost import Stated
from tools.cost.point_words import each_points
from tools.cost.token_words import billed, tokens_of
from tools.cost.words import answer, basis, compared, growing, one_machine, resting_on

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

CostSubject = Literal["money", "hosting", "size"]

#: of a rate: how many there are in a month of 730 hours
_IN_A_MONTH = {"s": 730 * 3600.0, "min": 730 * 60.0, "h": 730.0, "day": 730 / 24, "month": 1.0, "year": 1 / 12}
#: a number of these kept things is a number of documents
_DOCUMENTS, _QUERIES, _DOLLARS = "documents", ("queries", "qps"), "usd"


def on_costs(
    subject: CostSubject,
    words: str,
    models: tuple[str, ...],
    recommendation: Recommendation,
    state: State,
    context: Context,
) -> Text | None:
    """The costs of what is recommended, or of the model that is named, as far as the question goes.

    None where nothing is known that they could follow from.
    """
    try:
        stated = supposed(words).checked()
        found = costs_in(recommendation, state, context, stated=stated, models=models)
    except UserError as error:
        return join([error.cause, error.next_step])
    if found is None:
        return None
    if stated != Stated() or models:
        found = found.uncited()  # no report has these
    lines = list(_lines(subject, found))
    return join([*lines, background("total-cost", state)], LINES)


def costs_in(
    recommendation: Recommendation,
    state: State,
    context: Context,
    *,
    stated: Stated,
    models: tuple[str, ...] = (),
) -> Costs | None:
    """The costs as a conversation knows them: by what was timed, else by what is published of the recommended model."""
    benchmark, evaluation = state.get("benchmark"), state.get("evaluation")
    timed = [one.spec for one in benchmark.candidates] if benchmark else []
    if benchmark and evaluation and all(model in timed for model in models):
        return costs_of(
            state["requirements"],
            state.get("profile"),
            evaluation,
            benchmark,
            recommendation,
            context.catalog,
            context.workspace,
            dataset=data_of(state, context),
            stated=stated,
            specs=models,
            load=load_of(state),
        )
    volume = _with_the_conversation(stated, state)
    try:
        named = models or (recommendation.winner or "",)
        return published_costs(
            named,
            context.catalog,
            context.workspace,
            state["requirements"],
            dataset=data_of(state, context),
            stated=volume,
        )
    except UserError:
        raise
    except AdvisorError:
        return None


def _with_the_conversation(stated: Stated, state: State) -> Stated:
    """What was said, and beside it what is stated in the conversation."""
    needs = state["requirements"]
    documents, rate, price = needs.documents, needs.queries_per_second, needs.machine_usd_per_hour
    if rate and stated.queries_per_month is None:
        stated = replace(stated, queries_per_month=rate.value * _IN_A_MONTH["s"], peak=stated.peak or 1.0)
    if price and stated.machine_usd_per_hour is None:
        stated = replace(stated, machine_usd_per_hour=price.value)
    return replace(stated, documents=stated.documents or (documents.value if documents else None))


def _lines(subject: CostSubject, found: Costs) -> Iterator[Text]:
    """The most telling line first."""
    first = found.candidates[0]
    if subject == "hosting":
        yield from compared(found)
        yield from billed(found)
    elif subject == "size":
        yield from growing(first)
        yield one_machine(first)
        yield say("Of that size: {why}.", why=first.at.why)
    else:
        yield from answer(found)
        yield from tokens_of(first) if first.tokens else ()
        yield from each_points(found)
    assumed = resting_on(found)
    if assumed.template:
        yield assumed
    yield basis(found)


# ---------------------------------------------------------------- what a question supposes


def supposed(words: str) -> Stated:
    """The numbers in a question: documents, queries by their rate, and the price of a machine by the hour."""
    documents: int | None = None
    queries: float | None = None
    price: float | None = None
    peak: float | None = None
    for quantity in NumberReader(Utterance(words, load_lexicon())).read():
        if quantity.unit == _DOCUMENTS and quantity.value >= 1:
            documents = round(quantity.value)  # with a rate too: “10M documents a month” is about the money a month
        elif quantity.unit in _QUERIES:
            queries = _a_month(quantity) or queries
            if queries and _rate(quantity) == "s":
                peak = 1.0  # that is what has to be held: no busier second beside it
        elif quantity.unit == _DOLLARS and quantity.rate == "h":
            price = quantity.value
    return Stated(documents=documents, queries_per_month=queries, peak=peak, machine_usd_per_hour=price)


def _a_month(quantity: Quantity) -> float | None:
    """Queries a month."""
    factor = _IN_A_MONTH.get(_rate(quantity))
    return quantity.value * factor if factor else None


def _rate(quantity: Quantity) -> str:
    """A number of queries without a rate is a month's."""
    return "s" if quantity.unit == "qps" else quantity.rate or "month"
