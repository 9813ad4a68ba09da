"""What a verification would ask at most, before anything is contacted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from knowledge.catalog import Catalog
from knowledge.results.handover import Handover
from knowledge.results.verification import VerificationPlan
from tools.sending import price_of
from tools.text_counts import estimated_tokens
from tools.verify.corpus import BEGINNING, MOST_ASKED, MOST_IDS
from tools.verify.hardness import EDGES, perturbed_of
from tools.verify.identity import TEXTS, sample
from tools.verify.speed import SECONDS, limits_of

#: that a question takes, for the estimate: more than most searches need, less than one who waits would bear
SECONDS_EACH = 0.1


@dataclass(frozen=True)
class Target:
    """A pipeline as it is named.

    Attributes:
        name: hosts and collection.
        served: whether a server answers queries; else a model here makes their vectors, each once.
        sends_text_to: the host that gets them; None where they stay on this machine.
        collection: whether its collection can be looked into.
        model: as the host calls it, where that was said.
    """

    name: str
    served: bool
    sends_text_to: str | None
    collection: bool
    model: str | None = None


def plan_verification(
    handover: Handover,
    target: Target,
    catalog: Catalog,
    *,
    documents: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    subjects: Collection[str],
) -> VerificationPlan:
    """What `tools.verify.verify` would do with the same arguments.

    Args:
        handover: what it should be.
        target: what would be asked.
        catalog: where prices are.
        documents: id -> text, where they are at hand.
        seconds: of the load step.
        subjects: what would be looked at.
    """
    texts = _texts(handover, target, documents, subjects)
    limits = limits_of(handover.requirements, seconds)
    timed = "speed" in subjects and target.served
    asks = {name: len(of) for name, of in texts.items() if of}
    queries = [query.text for query in handover.queries]
    tokens = float(sum(estimated_tokens(text) for of in texts.values() for text in of))
    if timed and queries:
        asks["speed"] = limits.requests
        tokens += limits.requests * sum(map(estimated_tokens, queries)) / len(queries)
    one_by_one = sum(count for name, count in asks.items() if name != "speed")
    usd, price = price_of(target.model, catalog) if target.sends_text_to else (0.0, None)
    return VerificationPlan(
        decision=handover.run_id,
        spec=handover.spec,
        pipeline=target.name,
        sends_text_to=target.sends_text_to,
        asks=asks,
        requests=sum(asks.values()),
        lookups=_lookups(handover, target, documents, subjects),
        seconds=round(one_by_one * SECONDS_EACH + (limits.seconds if timed else 0.0), 1),
        tokens=round(tokens),
        usd=None if usd is None else usd * tokens / 1e6,
        price=price,
    )


def _texts(
    handover: Handover, target: Target, documents: Mapping[str, str] | None, subjects: Collection[str]
) -> dict[str, list[str]]:
    """What is asked one by one, by what it is for."""
    queries = [query.text for query in handover.queries]
    found = {"answers": queries}
    if "identity" in subjects and target.collection and target.served:
        chosen = [text for _, text in sample([(query.id, query.text) for query in handover.queries])]
        found["identity"] = [*queries[:1], *chosen]  # the first: whether its vectors fit at all
    if "corpus" in subjects and not target.collection and documents:
        longest = sorted(documents.values(), key=len, reverse=True)
        found["corpus"] = [text[:BEGINNING] for text in longest[:MOST_ASKED]]
    if "robustness" in subjects:
        found["robustness"] = [one.text for one in perturbed_of(handover.queries)]
    if "edges" in subjects:
        found["edges"] = [*EDGES.values(), *queries[:1]]
    return found


def _lookups(handover: Handover, target: Target, documents: Mapping[str, str] | None, subjects: Collection[str]) -> int:
    if not target.collection:
        return 0
    count = len(documents) if documents is not None else handover.documents
    ids = min(count, MOST_IDS) if "corpus" in subjects else 0
    return ids + (min(count, TEXTS) if "identity" in subjects and documents is not None else 0)
