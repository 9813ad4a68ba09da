"""The evidence of a calculation: each computed figure with what it was computed from, and how."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.results.cost import Size, Volume
from knowledge.sizing import sizing
from knowledge.wording import Text, say
from tools.cost.growth import largest
from tools.cost.known import Known
from tools.cost.month import HOURS, Month
from tools.evidence_list import EvidenceList

_OF_BYTES = say("documents times bytes of each, times copies; by the rules of the index ({source})")


class Ledger:
    """Writes down what was computed for one candidate."""

    def __init__(self, evidence: EvidenceList, known: Known, volume: Volume) -> None:
        self._evidence, self._known, self._volume = evidence, known, volume

    def size(self, found: Size) -> Size:
        """The size with its figures in the evidence."""
        cites: dict[str, str] = {}
        at = say("at {documents:,} documents", documents=found.documents)
        held = found.holding
        rules = _OF_BYTES.model_copy(update={"values": {"source": _rules_of(held.kind)}})
        base = self._from("bytes_per_vector")
        for name, what, value, unit in (
            ("memory_gb", say("memory of the index, {at}", at=at), held.memory_gb, "GB"),
            ("disk_gb", say("disk of the index, {at}", at=at), held.disk_gb, "GB"),
        ):
            cites[name] = self._add(what, value, unit, rules, base)
        if found.embed_hours is not None:
            how = say("documents over documents per second of one machine")
            what = say("hours to embed, {at}", at=at)
            cites["embed_hours"] = self._add(what, found.embed_hours, "h", how, self._from("documents_per_second"))
        if found.embed_usd is not None:
            own = self._known.hosting == "own"
            how = say("hours times the price of a machine") if own else say("tokens times the price of a million")
            base = (cites["embed_hours"],) if own else self._from("usd_per_million_tokens", "document_tokens")
            cites["embed_usd"] = self._add(say("embedding once, {at}", at=at), found.embed_usd, "USD", how, base)
        growth = sizing().growth
        if growth is not None:
            how = say(
                "from indexes of up to {most:,} vectors that were measured ({source})",
                most=largest(growth),
                source=sizing().source(growth).cited,
            )
            for name, what, measured, unit in (
                ("build_hours", say("hours to build the index, {at}", at=at), found.build_hours, "h"),
                ("search_ms", say("search in the index, {at}", at=at), found.search_ms, "ms"),
            ):
                if measured is not None:
                    cites[name] = self._add(what, measured, unit, how, ())
        return found.model_copy(update={"cites": cites})

    def month(self, found: Month, at: Size) -> dict[str, str]:
        """The evidence of a month's figures, by field of `CostOfCandidate`."""
        cites = dict(self._known.cites)
        rate = self._from("queries_per_second")
        how = say("the more of: busiest second over queries a second of one machine; memory of the index over its own")
        if found.machines is not None:
            cites["machines"] = self._add(say("machines"), found.machines, "", how, (*rate, at.cites["memory_gb"]))
        parts: list[str] = []
        for name, what, value, formula, base in (
            (
                "machines_usd_per_month",
                say("machines, a month"),
                found.machines_usd,
                say("machines times {hours:g} hours times the price of an hour", hours=HOURS),
                self._of(cites, "machines"),
            ),
            (
                "disk_usd_per_month",
                say("disk, a month"),
                found.disk_usd,
                say("disk of all copies times the price of a GB"),
                (at.cites["disk_gb"],),
            ),
            (
                "query_tokens_usd_per_month",
                say("tokens of queries, a month"),
                found.tokens_usd if self._known.usd_per_million_tokens else None,
                say("queries times tokens times the price of a million"),
                self._from("usd_per_million_tokens", "query_tokens"),
            ),
            (
                "changed_usd_per_month",
                say("embedding what changes, a month"),
                found.changed_usd or None,
                say("share that changes, times embedding once"),
                self._of(at.cites, "embed_usd"),
            ),
            (
                "reembed_usd_per_month",
                say("embedding all anew, a month's share"),
                found.reembed_usd,
                say("times a year, times embedding once, over 12"),
                self._of(at.cites, "embed_usd"),
            ),
        ):
            if value is not None:
                cites[name] = self._add(what, value, "USD", formula, base)
                parts.append(cites[name])
        if found.usd is not None:
            cites["usd_per_month"] = self._add(
                say("a month"), found.usd, "USD", say("the sum of its parts"), tuple(parts)
            )
        return cites

    def _add(self, what: Text, value: float, unit: str, how: Text, base: tuple[str, ...]) -> str:
        about = self._known.spec
        return self._evidence.add("computed", about, what, value, unit, source=how, computed_from=base)

    def _from(self, *names: str) -> tuple[str, ...]:
        return tuple(id for name in names for id in self._of(self._known.cites, name))

    @staticmethod
    def _of(cites: Mapping[str, str], name: str) -> tuple[str, ...]:
        return (cites[name],) if name in cites else ()


def _rules_of(kind: str) -> Text:
    rules = sizing()
    return rules.source(rules.diskann).cited if kind == "diskann" else rules.sources["milvus-capacity"].cited
