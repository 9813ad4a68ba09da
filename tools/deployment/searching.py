"""How vectors are kept and searched, and what is searched beside them."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge import quantities
from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.errors import SpecError
from knowledge.results.deployment import Decision
from knowledge.wording import Text, say
from tools import leg_use, retrieval
from tools.deployment.grounds import Grounds
from tools.setups import K, Store, setup_of


def vectors(grounds: Grounds) -> Iterator[Decision]:
    """Dimension, precision and index of each leg that has vectors."""
    legs = [leg for leg in grounds.candidate.searched if leg.backend not in ("bm25", "splade")]
    for leg in legs:
        setup = setup_of(leg)
        dimension = setup.dim or (grounds.measured.dimension if len(legs) == 1 else None)
        size = grounds.row.bytes_per_vector if grounds.row else None
        yield Decision(
            about="dimension",
            choice=say("{count}, searched by the first {first}.", count=dimension or "?", first=setup.first)
            if setup.first
            else say("{count}.", count=dimension or "?")
            if setup.dim
            else say("{count}, the model's own.", count=dimension or "?"),
            reason=say("It was measured so; {size} a document.", size=quantities.storage(size))
            if size
            else say("It was measured so."),
            cites=grounds.cites(grounds.primary, "bytes_per_vector"),
        )
        yield Decision(
            about="precision",
            choice=_kept_in(leg, setup.store),
            reason=say(
                "It was measured so; the best {count} are ranked again by the whole vectors.",
                count=setup.rescore * K,
            )
            if setup.rescore
            else say("It was measured so."),
            cites=grounds.cites(grounds.primary),
        )
        yield _index(grounds, leg)


def _kept_in(leg: Leg, store: Store) -> Text:
    """Of a table of words or a service there is no precision to choose."""
    if leg.backend in ("static", "openai"):
        return say("Vectors in {store}.", store=store)
    engine, precision = leg_use.engine_of(leg)
    return say(
        "The model in {precision} ({engine}), vectors in {store}.", precision=precision, engine=engine, store=store
    )


def _index(grounds: Grounds, leg: Leg) -> Decision:
    setup, gap = setup_of(leg), grounds.measured.index_gap
    if setup.index is None:
        return Decision(
            about="index",
            choice=say("FLAT: every vector is compared."),
            reason=say(
                "It was measured so, and loses nothing. Its time grows with the documents: where p95 nears your "
                "limit, measure index=hnsw beside it and deploy that."
            ),
            cites=grounds.cites(grounds.primary),
        )
    named = ", ".join(f"{name}={value}" for name, value in setup.index.parameters.items() if value is not None)
    told = say("{kind} with {parameters}.", kind=setup.index.kind.upper(), parameters=named or "-")
    if gap is None:
        return Decision(
            about="index", choice=told, reason=say("It was measured so."), cites=grounds.cites(grounds.primary)
        )
    cite = grounds.evidence.add(
        "measured",
        leg.spec,
        say("share of the ten nearest that the index finds"),
        gap.recall,
        source=say("evaluation on {dataset}", dataset=grounds.evaluation.dataset.name),
        date=grounds.evaluation.started.date(),
        run_id=grounds.evaluation.run_id,
    )
    return Decision(
        about="index",
        choice=told,
        reason=say(
            "Measured: it finds {recall:.1%} of the ten nearest, and loses {points} points.",
            recall=gap.recall,
            points=quantities.points(-gap.difference.mean, signed=False),
        ),
        cites=(cite, *grounds.cites(grounds.primary)),
    )


def hybrid(grounds: Grounds, base: Candidate) -> Decision:
    """What is searched together, and how that is fused."""
    if not isinstance(base, Fusion):
        return _without(
            grounds,
            Decision(
                about="hybrid",
                choice=say("None: one leg searches."),
                reason=say("It was measured so; advisor gains tells what a second leg would add."),
                cites=grounds.cites(grounds.primary),
            ),
            Fusion,
        )
    if base.method == "weighted":
        weights = ":".join(f"{weight:.2g}" for weight in retrieval.weights_of(base))
        how = say("scores from 0 to 1, added by weight {weights}", weights=weights)
    else:
        how = say("reciprocal ranks, k = {k}", k=base.options.get("k", retrieval.RRF_K))
    return Decision(
        about="hybrid",
        choice=say("{specs}: {how}.", specs=", ".join(part.spec for part in base.parts), how=how),
        reason=say("It was measured so."),
        cites=grounds.cites(grounds.primary),
    )


def reranking(grounds: Grounds) -> Decision:
    """What reads the first documents again."""
    if not isinstance(grounds.candidate, Rerank):
        return _without(
            grounds,
            Decision(
                about="reranking",
                choice=say("None."),
                reason=say("It was measured so; advisor gains tells what a reranker would add."),
                cites=grounds.cites(grounds.primary),
            ),
            Rerank,
        )
    return Decision(
        about="reranking",
        choice=say(
            "{spec} reads the first {top} documents.",
            spec=grounds.candidate.reranker.spec,
            top=retrieval.top_of(grounds.candidate),
        ),
        reason=say("It was measured so; its time grows with that number."),
        cites=grounds.cites(grounds.primary, "query_p95_ms"),
    )


def _without(grounds: Grounds, decision: Decision, kind: type[Fusion | Rerank]) -> Decision:
    """A decision against something, by the best that has it on top of the same encoder, where that was measured."""
    own = _encoders(grounds.candidate)
    others = [row for row in grounds.report.recommendation.rows if _builds_on(row.spec, own, kind)]
    best = max(others, key=lambda row: row.quality.mean, default=None)
    if best is None:
        return decision
    reason = say(
        "It was measured so, and beside it {spec}: {metric} {mean:.3f} against {own:.3f}.",
        spec=best.spec,
        metric=grounds.primary,
        mean=best.quality.mean,
        own=grounds.measured.primary_mean,
    )
    cited = (best.cites[grounds.primary],) if grounds.primary in best.cites else ()
    return decision.model_copy(update={"reason": reason, "cites": (*decision.cites, *cited)})


def _encoders(candidate: Candidate) -> frozenset[str]:
    return frozenset(leg.name or leg.backend for leg in candidate.searched)


def _builds_on(spec: str, encoders: frozenset[str], kind: type[Fusion | Rerank]) -> bool:
    try:
        candidate = parse_candidate(spec)
    except SpecError:
        return False
    return isinstance(candidate, kind) and encoders <= _encoders(candidate)
