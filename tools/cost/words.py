"""Costs in sentences: what a month costs, what it is made of, where an API is cheaper, and what has to grow."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import digits, duration, many, milliseconds
from knowledge.results.cost import (
    BreakEven,
    CostOfCandidate,
    Costs,
    HoldingKind,
    Need,
    Origin,
    Size,
)
from knowledge.wording import Text, join, say
from tools.cost.range_words import COMMA, crossings, rounded

#: costs that differ by less of the higher one are about the same: what is assumed moves them by more
_SAME = 0.05
HOLDINGS: dict[HoldingKind, Text] = {
    "measured": say("as it was measured"),
    "hnsw": say("HNSW in memory"),
    "ivf_sq8": say("IVF_SQ8 in memory"),
    "diskann": say("DiskANN on disk"),
}
NEEDS: dict[Need, Text] = {
    "one machine": say("one machine"),
    "quantised": say("one machine, 8 bits a number"),
    "disk": say("one machine, DiskANN"),
    "cluster": say("a cluster, in shards"),
}
ORIGINS: dict[Origin, Text] = {
    "stated": say("stated"),
    "measured": say("measured"),
    "published": say("published"),
    "assumed": say("assumed"),
}


def dollars(value: float) -> str:
    """Money as people read it: cents below 100 dollars, three digits above."""
    if 0 < value < 0.01:
        return "<$0.01"
    return f"${value:,.2f}" if abs(value) < 100 else f"${digits(value)}"


def gigabytes(value: float) -> Text:
    """A size in GB, or TB from a thousand on."""
    return say("{n} TB", n=digits(value / 1000)) if value >= 1000 else say("{n} GB", n=digits(value))


def index_size(at: Size) -> Text:
    """How much memory the index takes, and in which form: the one figure for it in every answer."""
    return say("{memory} of memory ({kind})", memory=gigabytes(at.holding.memory_gb), kind=HOLDINGS[at.chosen])


def cited(cites: dict[str, str], name: str) -> str:
    """The evidence of a figure, to be written behind it; empty where there is none."""
    return f" ({cites[name]})" if name in cites else ""


def answer(found: Costs) -> list[Text]:
    """What the first candidate costs, what of, and what the numbers of it rest on."""
    first = found.candidates[0]
    lines = [_month(first, found)]
    lines += [_parts(first), _once(first.at, first)]
    return [line for line in lines if line.template]


def _month(one: CostOfCandidate, found: Costs) -> Text:
    volume = {"documents": many(found.volume.documents), "queries": many(found.volume.queries_per_month)}
    if one.missed_p95_ms is not None:
        return say(
            "What {spec} costs a month I can not tell: in the load test on this machine no rate kept p95 under {goal}, "
            "so no number of such machines answers your queries in time. A faster machine, a smaller model or a longer "
            "limit would have a price.",
            spec=one.spec,
            goal=milliseconds(one.missed_p95_ms),
        )
    if one.usd_per_month is None:
        return say(
            "What {spec} costs a month at {documents} documents and {queries} queries a month, I can not tell: say "
            "what a machine costs an hour. It takes {machines}.",
            spec=one.spec,
            machines=machines(one),
            **volume,
        )
    return say(
        "{spec} costs about {usd} a month{cite} at {documents} documents and {queries} queries a month.",
        spec=one.spec,
        usd=dollars(one.usd_per_month),
        cite=cited(one.cites, "usd_per_month"),
        **volume,
    )


def machines(one: CostOfCandidate) -> Text:
    """How many machines, and what decides that."""
    cite = cited(one.cites, "machines")
    assert one.machines is not None, "what no machine holds has no number of them"
    if one.machines == 1:
        return say("one machine{cite}", cite=cite)
    if one.machines_for_queries > one.machines_for_index:
        return say("{n:,} machines{cite}, for the queries", n=one.machines, cite=cite)
    return say("{n:,} machines{cite}, for the index", n=one.machines, cite=cite)


def _parts(one: CostOfCandidate) -> Text:
    parts: list[Text] = []
    if one.machines_usd_per_month is not None:
        parts.append(say("{machines}: {usd}", machines=machines(one), usd=dollars(one.machines_usd_per_month)))
    for name, what, usd in (
        ("query_tokens_usd_per_month", say("tokens of queries"), one.query_tokens_usd_per_month),
        ("disk_usd_per_month", say("disk"), one.disk_usd_per_month),
        ("changed_usd_per_month", say("embedding what changes"), one.changed_usd_per_month),
        ("reembed_usd_per_month", say("a month's share of embedding all anew"), one.reembed_usd_per_month),
    ):
        if usd:
            parts.append(say("{what}: {usd}{cite}", what=what, usd=dollars(usd), cite=cited(one.cites, name)))
    return (
        say("Of that {parts}.", parts=join(parts, COMMA))
        if parts and one.usd_per_month is not None
        else Text(template="")
    )


def _once(at: Size, one: CostOfCandidate) -> Text:
    """What comes before the first month: embedding everything."""
    if at.embed_hours is not None:
        usd = say(", {usd}", usd=dollars(at.embed_usd)) if at.embed_usd is not None else Text(template="")
        return say(
            "Once before: embedding all takes {time}{cite} of one machine{usd}; the index takes {memory} of memory.",
            time=duration(at.embed_hours * 3600),
            cite=cited(at.cites, "embed_hours"),
            usd=usd,
            memory=gigabytes(at.holding.memory_gb),
        )
    if at.embed_usd is not None:
        return say(
            "Once before: embedding all costs {usd}{cite}; the index takes {memory} of memory on machines of your own.",
            usd=dollars(at.embed_usd),
            cite=cited(at.cites, "embed_usd"),
            memory=gigabytes(at.holding.memory_gb),
        )
    return say("The index takes {memory} of memory.", memory=gigabytes(at.holding.memory_gb))


def compared(found: Costs) -> list[Text]:
    """One's own machines or an API: which is cheaper now, and where that changes."""
    if not found.break_even:
        return [_no_comparison(found)]
    lines = [_cheaper_now(found.break_even[0], found)]
    lines += [crossings(curve) for curve in found.break_even]
    equal = found.break_even[0].equal_usd_per_hour
    if equal is not None:
        lines.append(
            say("Both cost the same where a machine costs ${price} an hour, all else being equal.", price=digits(equal))
        )
    lines.append(say("Either way the index is on machines of your own: an API only embeds."))
    return lines


def _no_comparison(found: Costs) -> Text:
    if found.candidates[0].missed_p95_ms is not None:
        return say("Nothing is compared in money: {spec} has no price for queries here.", spec=found.candidates[0].spec)
    if all(one.usd_per_month is None for one in found.candidates):
        return say("I can not compare them in money: say what a machine costs an hour.")
    return say("There is nothing of the other kind to compare it with: no API with a price meets what is demanded.")


def _cheaper_now(curve: BreakEven, found: Costs) -> Text:
    own, api = found.candidate(curve.own), found.candidate(curve.api)
    assert own
    assert api
    figures = {
        "own": own.spec,
        "mine": dollars(own.usd_per_month or 0.0),
        "mine_cite": cited(curve.cites, "own"),
        "api": api.spec,
        "theirs": dollars(api.usd_per_month or 0.0),
        "theirs_cite": cited(curve.cites, "api"),
    }
    how = Text(template="") if api.measured else say(" The API's quality on your data was not measured.")
    if _about_the_same(own, api):
        return say(
            "About the same: {own} on your own machines {mine} a month{mine_cite}, {api} {theirs}{theirs_cite}.{how}",
            how=how,
            **figures,
        )
    if curve.cheaper_now == "own":
        return say(
            "Your own machines: {own} costs {mine} a month{mine_cite}, {api} {theirs}{theirs_cite}.{how}",
            how=how,
            **figures,
        )
    return say(
        "The API: {api} costs {theirs} a month{theirs_cite}, {own} on your own machines {mine}{mine_cite}.{how}",
        how=how,
        **figures,
    )


def _about_the_same(one: CostOfCandidate, other: CostOfCandidate) -> bool:
    costs = (one.usd_per_month or 0.0, other.usd_per_month or 0.0)
    return max(costs) - min(costs) <= _SAME * max(costs)


def growing(one: CostOfCandidate) -> Iterator[Text]:
    """What this number of documents takes, and larger ones."""
    for size in (one.at, *(size for size in one.sizes if size.documents > one.at.documents)):
        time = (
            say(", {time} of one machine to embed", time=duration(size.embed_hours * 3600))
            if size.embed_hours is not None
            else Text(template="")
        )
        count = size.holding.machines
        yield say(
            "{documents} documents: {need} ({kind}, {memory} of memory and {disk} of disk a copy{machines}){time}.",
            documents=many(size.documents),
            need=NEEDS[size.need],
            kind=HOLDINGS[size.chosen],
            memory=gigabytes(size.holding.memory_gb),
            disk=gigabytes(size.holding.disk_gb),
            machines=Text(template="") if count == 1 else say(", {n:,} machines", n=count),
            time=time,
        )


def one_machine(one: CostOfCandidate) -> Text:
    """How many documents one machine holds."""
    parts = [
        say("{count}, {kind}", count=rounded(float(documents)), kind=HOLDINGS[kind])
        if kind == "measured"
        else say("{count} with {kind}", count=rounded(float(documents)), kind=HOLDINGS[kind])
        for kind, documents in one.limits.items()
        if documents > 0
    ]
    if not parts:
        return say("One such machine has no memory left for an index beside the encoder.")
    return say("One such machine holds about this many documents: {parts}.", parts=join(parts, COMMA))


def resting_on(found: Costs) -> Text:
    """What was assumed, in one sentence, so that the figures can be set right."""
    parts = [
        say("{what} {value}", what=one.what, value=as_value(one.value, one.unit))
        for one in found.assumptions
        if one.origin == "assumed" and one.value is not None
    ]
    if not parts:
        return Text(template="")
    return say("Assumed, as nobody said otherwise: {parts}.", parts=join(parts, COMMA))


def as_value(value: float | None, unit: str) -> str:
    """A figure of the volume with its unit."""
    if value is None:
        return "–"
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
    return f"{number} {unit}".strip()


def basis(found: Costs) -> Text:
    """What was measured and what was not."""
    if found.measured:
        return say(
            "Speed, memory and bytes as measured on this machine (run {run}); prices and rules as published.",
            run=found.run_id or "",
        )
    return say("Published facts alone: nothing was measured, and hours follow from the number of parameters.")
