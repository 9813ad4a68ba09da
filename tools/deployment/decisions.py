"""The plan: what is settled for production, each with its reason and the evidence for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from knowledge import quantities
from knowledge.candidate import Rerank, parse_candidate
from knowledge.constraints.latency import LatencyConstraint
from knowledge.dataset import Dataset
from knowledge.errors import SpecError
from knowledge.results import Report, Row
from knowledge.results.deployment import Decision, DeploymentPlan
from knowledge.wording import Text, join, say
from tools import chunking
from tools.deployment.differs import differences, pins
from tools.deployment.fine_tuning import fine_tuning
from tools.deployment.grounds import Grounds
from tools.deployment.possible import obstacle
from tools.deployment.searching import hybrid, reranking, vectors
from tools.deployment.weights import weights

#: what reads texts as they are
_WITHOUT_PROMPTS = ("bm25", "static", "m3", "ce", "openai")
#: a limit that nobody gave: a tail of so many times what was measured is worth a look
ALARM = 2.0


def deployment_plan(
    report: Report, spec: str | None, dataset: Dataset | None, now: dt.datetime
) -> DeploymentPlan | None:
    """The plan for a measured candidate; None where nothing was measured, or it cannot be read.

    Args:
        report: of the decision.
        spec: of the candidate; None: the winner.
        dataset: that it was measured on, where it is at hand.
        now: when it is made.
    """
    spec = spec or report.recommendation.winner
    evaluation = report.evaluation
    if spec is None or evaluation is None or evaluation.task != "ranking":
        return None
    measured = next((c for c in evaluation.candidates if c.spec == spec), None)
    if measured is None:
        return None
    try:
        candidate = parse_candidate(spec)
    except SpecError:
        return None
    row = next((row for row in report.recommendation.rows if row.spec == spec), None)
    tuning = fine_tuning(report, spec, dataset)
    grounds = Grounds(report, evaluation, candidate, measured, row, tuning)
    decisions = tuple(_decisions(grounds))
    stuck = obstacle(report, spec)
    return DeploymentPlan(
        run_id=evaluation.run_id,
        created=now,
        spec=spec,
        decisions=decisions,
        fine_tuning=tuning,
        differs=tuple(differences(candidate)),
        obstacle=join([stuck.cause, stuck.next_step]) if stuck else None,
        evidence=tuple(grounds.evidence.found),
    )


def _decisions(grounds: Grounds) -> Iterator[Decision]:
    """All of them, in the order in which they matter."""
    base = grounds.candidate.base if isinstance(grounds.candidate, Rerank) else grounds.candidate
    if grounds.tuning:
        decided = weights(grounds, grounds.tuning)
        yield decided.model_copy(update={"reason": join([decided.reason, *pins(grounds.candidate, grounds.measured)])})
    yield _hosting(grounds)
    yield _chunking(grounds)
    yield from _encoders(grounds)
    yield _caching(grounds)
    yield from vectors(grounds)
    yield hybrid(grounds, base)
    yield reranking(grounds)
    yield _monitoring(grounds)
    yield Decision(
        about="rollback",
        choice=say("Keep the former collection, and let the alias point back."),
        reason=say(
            "Other settings make another collection beside the one that is searched; an alias decides which one "
            "that is, so the way back encodes only what has changed since. rollback.md has the steps."
        ),
    )


def _hosting(grounds: Grounds) -> Decision:
    endpoints = [leg for leg in grounds.candidate.legs if leg.backend == "openai"]
    if endpoints:
        usd = grounds.row.usd_per_million_tokens if grounds.row else None
        return Decision(
            about="hosting",
            choice=say("By API: {names}.", names=", ".join(leg.name for leg in endpoints)),
            reason=say("It was measured so, at {price}.", price=say("{usd:g} USD a million tokens", usd=usd))
            if usd is not None
            else say("It was measured so; what it costs is not on file."),
            cites=grounds.cites("usd_per_million_tokens"),
        )
    memory = grounds.row.peak_memory_mb if grounds.row else None
    return Decision(
        about="hosting",
        choice=say("On your own machines."),
        reason=say("No text leaves them, and it took {memory} as measured.", memory=quantities.memory(memory))
        if memory
        else say("No text leaves them."),
        cites=grounds.cites("peak_memory_mb"),
    )


def _chunking(grounds: Grounds) -> Decision:
    cut = {leg: rules for leg in grounds.candidate.legs if (rules := chunking.rules_of(leg)) is not None}
    if cut:
        leg, rules = next(iter(cut.items()))
        return Decision(
            about="chunking",
            choice=say(
                "Chunks of {size} tokens, {overlap} shared with the next, cut by {by}: {spec}.",
                size=rules.size or "∞",
                overlap=rules.overlap,
                by=rules.by,
                spec=leg.spec,
            ),
            reason=say("It was measured so; a document is as good as its best chunk."),
            cites=grounds.cites(grounds.primary),
        )
    read = {p.spec: p.truncation for p in grounds.evaluation.preflight if p.truncation}
    worst = max((read[leg.spec] for leg in grounds.candidate.legs if leg.spec in read), key=_lost, default=None)
    if worst is not None and worst.share_cut.mean > 0:
        reason = say(
            "It was measured so. {share:.0%} of the documents are longer than the {limit:,} tokens that are read: "
            "what is behind is not found. Compare with chunks: {spec}.",
            share=worst.share_cut.mean,
            limit=worst.effective_limit or 0,
            spec="?chunk=200&overlap=40&by=sentence",
        )
    else:
        reason = (
            say("It was measured so, and none of them is longer than what is read.")
            if worst
            else say("It was measured so.")
        )
    return Decision(
        about="chunking", choice=say("Documents whole."), reason=reason, cites=grounds.cites(grounds.primary)
    )


def _encoders(grounds: Grounds) -> Iterator[Decision]:
    encoders = [leg for leg in grounds.candidate.legs if leg.backend not in _WITHOUT_PROMPTS]
    none = [leg for leg in encoders if leg.options.get("prompts") == "none"]
    if not encoders:
        yield Decision(about="prompts", choice=say("None."), reason=say("Nothing in this set-up was made for prompts."))
    else:
        yield Decision(
            about="prompts",
            choice=say("None, left out on purpose: {specs}.", specs=", ".join(leg.spec for leg in none))
            if none
            else say("Those that the model was trained with, for queries and documents each its own."),
            reason=say("It was measured so; config.yaml has them in full, so that no server adds or forgets one."),
            cites=grounds.cites(grounds.primary),
        )
    speed = grounds.row.documents_per_second if grounds.row else None
    yield Decision(
        about="batching",
        choice=say("Documents in batches, queries one at a time (a server may batch those that come together)."),
        reason=say(
            "Measured: {rate} documents a second in batches, a query alone within {p95} at p95.",
            rate=quantities.rate(speed),
            p95=quantities.milliseconds(grounds.row.query_p95_ms),
        )
        if grounds.row and speed and grounds.row.query_p95_ms
        else say("No speed was measured; start with the batch of config.yaml."),
        cites=grounds.cites("documents_per_second", "query_p95_ms"),
    )


def _caching(grounds: Grounds) -> Decision:
    repeated = sum(len(group) - 1 for group in grounds.evaluation.same_queries)
    share = repeated / max(grounds.evaluation.judged_queries, 1)
    return Decision(
        about="caching",
        choice=say(
            "Vectors of documents by the hash of their text (the files do it). Answers to queries by query, "
            "blanks trimmed, and the collection's name."
        ),
        reason=say(
            "The name changes with model, revision, prompts, dimension, form and index, so nothing stale is ever "
            "answered. {share:.0%} of your queries repeat another: that share is what a cache of answers saves.",
            share=share,
        ),
    )


def _monitoring(grounds: Grounds) -> Decision:
    limit, stated = latency_limit(grounds.report, grounds.row)
    parts = [
        say("errors above 1 %, queries that find nothing"),
        say("p95 above {limit}", limit=quantities.milliseconds(limit)) if limit else say("p95"),
        say("the quality of this evaluation's own queries, asked again each week (advisor verify)"),
    ]
    return Decision(
        about="monitoring",
        choice=say("Watch {what}.", what=join(parts, Text(template="; "))),
        reason=say("The limit is your own demand.")
        if stated
        else say("The limit is {factor:g} times what was measured; nobody stated one.", factor=ALARM)
        if limit
        else say("No speed was measured and no limit stated: set one in alerts.yaml."),
        cites=grounds.cites("query_p95_ms"),
    )


def _lost(truncation: object) -> float:
    return float(getattr(truncation, "tokens_lost", 0.0))


def latency_limit(report: Report, row: Row | None) -> tuple[float | None, bool]:
    """Milliseconds at p95 from which on somebody should look, and whether the user stated them."""
    stated = report.requirements.constraint(LatencyConstraint)
    if stated is not None:
        return stated.p95_ms, True
    return (ALARM * row.query_p95_ms, False) if row and row.query_p95_ms else (None, False)
