"""What a decision costs: the calculation of `tools.cost` from what a conversation or a kept run knows."""

from __future__ import annotations

from collections.abc import Sequence

from agent.answering.cards import card_of
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.errors import UnknownModelError, UserError
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, DataProfile, Evaluation, Recommendation
from knowledge.results.cost import Costs
from knowledge.results.service import UnderLoad
from knowledge.wording import how_to, say
from tools.cost import Cards, Stated, Texts, TokenCounter, costs, volume_of
from tools.cost.reference import reference_api
from tools.hardware import this_machine
from tools.workspace import Workspace

#: nothing was said for this calculation
NOTHING_STATED = Stated()


def costs_of(
    requirements: Requirements,
    profile: DataProfile | None,
    evaluation: Evaluation | None,
    benchmark: Benchmark,
    recommendation: Recommendation | None,
    catalog: Catalog,
    workspace: Workspace,
    *,
    dataset: Dataset | None = None,
    stated: Stated = NOTHING_STATED,
    specs: Sequence[str] = (),
    api: ModelCard | None = None,
    load: UnderLoad | None = None,
) -> Costs:
    """What was timed costs, the recommended candidate first, beside an API where none was timed.

    Args:
        requirements: their volume; the API has to meet their demands.
        profile: token lengths, where the data is not at hand.
        evaluation: quality.
        benchmark: speed, memory and bytes.
        recommendation: what is recommended.
        catalog: prices.
        workspace: where tokenizers may be.
        dataset: the user's texts, whose tokens an API bills.
        stated: what was said for this calculation alone.
        specs: of the timed candidates those that count; none: the recommended one, the best and the runner-up.
        api: the one to compare with; None: the cheapest that meets the demands.
        load: what candidates held under load.

    Raises:
        UserError: a number or a candidate that is not possible.
    """
    texts = Texts.of(dataset) if dataset else None
    about = dataset.summary if dataset else evaluation.dataset if evaluation else None
    volume, assumptions = volume_of(stated, requirements, profile, about, benchmark.hardware, texts)
    compared = api or reference_api(requirements, catalog.cards)
    name = (compared.spec or compared.model) if compared else None
    return costs(
        volume,
        assumptions,
        evaluation=evaluation,
        benchmark=benchmark,
        specs=specs or worth_telling(benchmark, evaluation, recommendation),
        published={name: compared} if compared and name else {},
        cards=_cards(catalog),
        api=name,
        load=load,
        counter=TokenCounter(volume, assumptions, texts, workspace),
    )


def published_costs(
    models: Sequence[str],
    catalog: Catalog,
    workspace: Workspace,
    requirements: Requirements | None = None,
    *,
    dataset: Dataset | None = None,
    stated: Stated = NOTHING_STATED,
    api: ModelCard | None = None,
) -> Costs:
    """What models of the catalog cost by published facts alone, on a machine like this one.

    Args:
        models: their names.
        catalog: their facts.
        workspace: where tokenizers may be.
        requirements: an API to compare them with has to meet their demands.
        dataset: the user's texts, where there are some.
        stated: what was said for this calculation.
        api: the one to compare with; None: the cheapest that meets the demands.

    Raises:
        UnknownModelError: the catalog does not have one of them.
        UserError: a number that is not possible, or a model of which it is not known how large its vectors are.
    """
    texts, about = (Texts.of(dataset), dataset.summary) if dataset else (None, None)
    volume, assumptions = volume_of(stated, dataset=about, hardware=this_machine(), texts=texts)
    chosen = {model: card_of(model, catalog) for model in models}
    for model, card in chosen.items():
        if not card.dimension or "dense" not in card.architecture:
            raise UserError(
                say("How large the index of {model} is, is not published.", model=model[:200]),
                how_to("time", spec=model[:200]),
            )
    compared = api or reference_api(requirements or Requirements(), catalog.cards)
    name = (compared.spec or compared.model) if compared else None
    if compared and name and not any(card.is_api for card in chosen.values()):
        chosen[name] = compared
    counter = TokenCounter(volume, assumptions, texts, workspace)
    return costs(volume, assumptions, published=chosen, cards=_cards(catalog), api=name, counter=counter)


def worth_telling(
    benchmark: Benchmark, evaluation: Evaluation | None, recommendation: Recommendation | None
) -> tuple[str, ...]:
    """The recommended one, the best and the runner-up of those that were timed; else the best, else the first."""
    timed = [one.spec for one in benchmark.candidates]
    named: list[str | None] = []
    if recommendation is not None and recommendation.winner:
        named = [recommendation.winner, recommendation.best, recommendation.runner_up]
    elif evaluation is not None:
        named = [c.spec for c in sorted(evaluation.candidates, key=lambda c: -c.primary_mean)]
    found = tuple(dict.fromkeys(spec for spec in named if spec in timed and spec is not None))
    return found or tuple(timed)


def _cards(catalog: Catalog) -> Cards:
    """Cards by any of a model's names."""

    def find(name: str) -> ModelCard | None:
        try:
            return card_of(name, catalog)
        except UnknownModelError:
            return None

    return find
