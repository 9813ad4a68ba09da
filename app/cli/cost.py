"""`advisor cost`: what a kept run's candidates cost a month, how that grows, and where an API is cheaper."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text as Plain

from agent.answering.cards import card_of
from agent.costing import costs_of, published_costs
from agent.settings import Settings
from app.cli.catalog import catalog_in_use
from app.cli.printed import print_json
from app.cli.terminal import console, shown
from knowledge.errors import UserError
from knowledge.quantities import digits, duration, estimated_milliseconds, many
from knowledge.results.cost import Assumption, CostOfCandidate, Costs
from knowledge.wording import Text, join, say
from tools.cost import Stated
from tools.cost.kept import kept
from tools.cost.point_words import each_points
from tools.cost.token_words import billed
from tools.cost.words import (
    HOLDINGS,
    NEEDS,
    ORIGINS,
    answer,
    as_value,
    basis,
    compared,
    dollars,
    gigabytes,
    one_machine,
)
from tools.data_source import DataSource, read_again
from tools.run_history import LATEST

#: what states a part of the volume
_OPTIONS = {
    "documents": "--documents",
    "queries_per_month": "--queries-per-month",
    "document_tokens": "--document-tokens",
    "query_tokens": "--query-tokens",
    "replicas": "--replicas",
    "changed_per_month": "--changed",
    "reembeddings_per_year": "--reembeddings",
    "peak": "--peak",
    "machine_memory_gb": "--machine-memory-gb",
}


def tell(
    settings: Settings,
    run: str | None,
    candidates: Sequence[str],
    api: str | None,
    source: DataSource | None,
    stated: Stated,
    *,
    as_json: bool,
) -> None:
    """Compute and print the costs: of a run, or of models by what is published.

    Lengths of texts are those of the data that is named, else of the run's, read again where it is still there.
    """
    catalog = catalog_in_use(settings).catalog
    other = card_of(api, catalog) if api else None
    if other is not None and (not other.is_api or other.price is None):
        raise UserError(
            say("{model} is no API with a price on file.", model=other.model),
            say("Name one that has: advisor models --show NAME tells its price."),
        )
    workspace, dataset = settings.workspace(), source.read() if source else None
    if candidates and run is None:
        found = published_costs(candidates, catalog, workspace, dataset=dataset, stated=stated, api=other)
    else:
        of = kept(workspace, run or LATEST)
        if dataset is None and of.evaluation is not None:
            dataset = read_again(of.evaluation.dataset)
        found = costs_of(
            of.requirements,
            of.profile,
            of.evaluation,
            of.benchmark,
            of.recommendation,
            catalog,
            workspace,
            dataset=dataset,
            stated=stated,
            specs=candidates,
            api=other,
            load=of.load,
        )
    if as_json:
        print_json(found)
    else:
        show(found)


def show(found: Costs) -> None:
    """The answer first, then the candidates, larger sizes, the comparison with an API, and what it all rests on."""
    first = found.candidates[0]
    for line in answer(found):
        sys.stdout.write(shown(line) + "\n")
    out = console()
    out.print(_candidates(found))
    for line in each_points(found):
        sys.stdout.write(shown(line) + "\n")
    if first.sizes:
        out.print(_sizes(first))
        sys.stdout.write(shown(one_machine(first)) + "\n")
    out.print(Plain(shown(say("Your own machines or an API?")), style="italic"))
    for line in compared(found):
        sys.stdout.write(shown(line) + "\n")
    for line in billed(found):
        sys.stdout.write(shown(line) + "\n")
    out.print(_assumptions(found))
    sys.stderr.write(shown(basis(found)) + "\n")
    sys.stderr.write(shown(say("EM1, EM2, ... are evidence: --json has each with its source.")) + "\n")
    left_out = join(list(found.not_counted), Text(template="; "))
    sys.stderr.write(shown(say("Not counted: {what}.", what=left_out)) + "\n")


def _table(title: str, first: str, others: Sequence[str]) -> Table:
    table = Table(title=Plain(title), title_justify="left")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _candidates(found: Costs) -> Table:
    volume = found.volume
    title = say(
        "A month at {documents} documents and {queries} queries",
        documents=many(volume.documents),
        queries=many(volume.queries_per_month),
    )
    heads = (say("a month"), say("machines"), say("memory of the index"), say("embedding once"), say("not measured"))
    table = _table(shown(title), shown(say("candidate")), [shown(head) for head in heads[:-1]])
    for one in found.candidates:
        name = one.spec if one.measured or not found.measured else f"{one.spec} ({shown(heads[-1])})"
        cells = (
            name,
            "–" if one.usd_per_month is None else dollars(one.usd_per_month),
            "–" if one.machines is None else f"{one.machines:,}",
            f"{shown(gigabytes(one.at.holding.memory_gb))}, {shown(HOLDINGS[one.at.chosen])}",
            _once(one),
        )
        table.add_row(*map(Plain, cells))
    return table


def _once(one: CostOfCandidate) -> str:
    parts = []
    if one.at.embed_hours is not None:
        parts.append(shown(duration(one.at.embed_hours * 3600)))
    if one.at.embed_usd is not None:
        parts.append(dollars(one.at.embed_usd))
    return ", ".join(parts) or "–"


def _sizes(one: CostOfCandidate) -> Table:
    heads = (
        say("hours to embed"),
        say("memory"),
        say("disk"),
        say("machines"),
        say("index build"),
        say("one search"),
    )
    title = shown(say("{spec} at larger sizes, extrapolated", spec=one.spec))
    table = _table(title, shown(say("documents")), [shown(head) for head in heads])
    table.add_column(shown(say("what it takes")), min_width=18)
    for size in one.sizes:
        cells = (
            shown(many(size.documents)),
            "–" if size.embed_hours is None else digits(size.embed_hours),
            shown(gigabytes(size.holding.memory_gb)),
            shown(gigabytes(size.holding.disk_gb)),
            f"{size.holding.machines:,}",
            "–" if size.build_hours is None else shown(duration(size.build_hours * 3600)),
            "–" if size.search_ms is None else shown(estimated_milliseconds(size.search_ms)),
            f"{shown(NEEDS[size.need])}\n{shown(HOLDINGS[size.chosen])}",
        )
        table.add_row(*map(Plain, cells))
    return table


def _assumptions(found: Costs) -> Table:
    table = _table(shown(say("What it rests on")), "", [shown(say("value"))])
    table.add_column(shown(say("from")), overflow="fold")
    for one in found.assumptions:
        table.add_row(*map(Plain, (shown(one.what), as_value(one.value, one.unit), shown(_from(one)))))
    return table


def _from(one: Assumption) -> Text:
    """Where a figure comes from; of one that nobody stated also how to state it."""
    if one.origin == "stated":
        return one.because
    if one.origin == "assumed" and one.key in _OPTIONS:
        return say("assumed; {option} states it", option=_OPTIONS[one.key])
    return say("{origin}: {because}", origin=ORIGINS[one.origin], because=one.because)
