"""The plan: what is settled for production, each with its reason and the evidence for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge import quantities
from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.constraints.latency import LatencyConstraint
from knowledge.dataset import Dataset
from knowledge.errors import SpecError
from knowledge.results import MeasuredCandidate, Report, Row
from knowledge.results.deployment import Decision, DeploymentPlan, FineTuning
from knowledge.wording import Text, join, say
from tools import chunking, leg_use, retrieval
from tools.deployment.differs import differences, pins
from tools.deployment.fine_tuning import fine_tuning
from tools.deployment.possible import obstacle
from tools.evidence_list import EvidenceList
from tools.setups import K, setup_of

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
    making = _Making(report, candidate, measured, row, tuning)
    decisions = tuple(making.decisions())
    stuck = obstacle(report, spec)
    return DeploymentPlan(
        run_id=evaluation.run_id,
        created=now,
        spec=spec,
        decisions=decisions,
        fine_tuning=tuning,
        differs=tuple(differences(candidate)),
        obstacle=join([stuck.cause, stuck.next_step]) if stuck else None,
        evidence=tuple(making.evidence.found),
    )


@dataclass
class _Making:
    report: Report
    candidate: Candidate
    measured: MeasuredCandidate
    row: Row | None
    tuning: FineTuning | None
    evidence: EvidenceList = field(default_factory=lambda: EvidenceList("ED"))

    def decisions(self) -> Iterator[Decision]:
        """All of them, in the order in which they matter."""
        base = self.candidate.base if isinstance(self.candidate, Rerank) else self.candidate
        if self.tuning:
            weights = self._weights(self.tuning)
            yield weights.model_copy(update={"reason": join([weights.reason, *pins(self.measured)])})
        yield self._hosting()
        yield self._chunking()
        yield from self._encoders()
        yield self._caching()
        yield from self._vectors()
        yield self._hybrid(base)
        yield self._reranking()
        yield self._monitoring()
        yield Decision(
            about="rollback",
            choice=say("Keep the former collection, and let the alias point back."),
            reason=say(
                "Other settings make another collection beside the one that is searched; an alias decides which one "
                "that is, so the way back is one command and costs no encoding. rollback.md has the steps."
            ),
        )

    def _cites(self, *columns: str) -> tuple[str, ...]:
        cites = self.row.cites if self.row else {}
        return tuple(cites[column] for column in columns if column in cites)

    @property
    def _primary(self) -> str:
        assert self.report.evaluation
        return self.report.evaluation.primary

    def _weights(self, tuning: FineTuning) -> Decision:
        quality = say(
            "the best candidate has {metric} {mean:.3f} ({low:.3f} to {high:.3f})",
            metric=self._primary,
            mean=tuning.quality.mean,
            low=tuning.quality.low,
            high=tuning.quality.high,
        )
        cites = self._cites(self._primary)
        if tuning.verdict == "impossible":
            return Decision(
                about="weights",
                choice=say("As they are."),
                reason=say("Nothing in this set-up can be trained here: words, a table or a service."),
                cites=cites,
            )
        if tuning.verdict == "no":
            return Decision(
                about="weights",
                choice=say("As they are."),
                reason=say(
                    "Fine-tuning has little room: {quality}, and from {limit:g} on what is left is of the size of what "
                    "labels miss (a rule of this program).",
                    quality=quality,
                    limit=tuning.room_below,
                ),
                cites=cites,
            )
        gain, cost = self._gain(tuning), self._cost(tuning)
        if tuning.verdict == "later":
            return Decision(
                about="weights",
                choice=say("As they are, for now."),
                reason=say(
                    "There is room ({quality}), but too few pairs to train with: {count:,} documents make as many "
                    "queries, and fewer than {needed:,} pairs are not tried (a rule of this program). {gain}",
                    quality=quality,
                    count=tuning.documents,
                    needed=tuning.pairs_needed,
                    gain=gain,
                ),
                cites=cites,
            )
        return Decision(
            about="weights",
            choice=say("As they are first; then try fine-tuning with finetune.py, and keep it only if it is better."),
            reason=say(
                "There is room: {quality}; your {count:,} documents make enough pairs (advisor silver), and "
                "{needed:,} are needed. {gain} {cost}",
                quality=quality,
                count=tuning.documents,
                needed=tuning.pairs_needed,
                gain=gain,
                cost=cost,
            ),
            cites=(*cites, *self._cites("documents_per_second")),
        )

    def _gain(self, tuning: FineTuning) -> Text:
        if tuning.points_high is None:
            return say("What it would gain is unknown.")
        return say(
            "What it gains here is unknown until it is tried; published: up to {high:g} points, and no lower end "
            "({source}).",
            high=tuning.points_high,
            source=tuning.gain_source,
        )

    def _cost(self, tuning: FineTuning) -> Text:
        if tuning.hours is None or tuning.hours_basis is None:
            return say("How long it takes is unknown: no speed was measured.")
        time = quantities.duration(tuning.hours * 3600)
        return say("It takes about {time} on this machine: {basis}.", time=time, basis=tuning.hours_basis)

    def _hosting(self) -> Decision:
        endpoints = [leg for leg in self.candidate.legs if leg.backend == "openai"]
        if endpoints:
            usd = self.row.usd_per_million_tokens if self.row else None
            return Decision(
                about="hosting",
                choice=say("By API: {names}.", names=", ".join(leg.name for leg in endpoints)),
                reason=say("It was measured so, at {price}.", price=say("{usd:g} USD a million tokens", usd=usd))
                if usd is not None
                else say("It was measured so; what it costs is not on file."),
                cites=self._cites("usd_per_million_tokens"),
            )
        memory = self.row.peak_memory_mb if self.row else None
        return Decision(
            about="hosting",
            choice=say("On your own machines."),
            reason=say("No text leaves them, and it took {memory} as measured.", memory=quantities.memory(memory))
            if memory
            else say("No text leaves them."),
            cites=self._cites("peak_memory_mb"),
        )

    def _chunking(self) -> Decision:
        cut = {leg: rules for leg in self.candidate.legs if (rules := chunking.rules_of(leg)) is not None}
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
                cites=self._cites(self._primary),
            )
        assert self.report.evaluation
        read = {p.spec: p.truncation for p in self.report.evaluation.preflight if p.truncation}
        worst = max((read[leg.spec] for leg in self.candidate.legs if leg.spec in read), key=_lost, default=None)
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
            about="chunking", choice=say("Documents whole."), reason=reason, cites=self._cites(self._primary)
        )

    def _encoders(self) -> Iterator[Decision]:
        encoders = [leg for leg in self.candidate.legs if leg.backend not in _WITHOUT_PROMPTS]
        none = [leg for leg in encoders if leg.options.get("prompts") == "none"]
        if not encoders:
            yield Decision(
                about="prompts", choice=say("None."), reason=say("Nothing in this set-up was made for prompts.")
            )
        else:
            yield Decision(
                about="prompts",
                choice=say("None, left out on purpose: {specs}.", specs=", ".join(leg.spec for leg in none))
                if none
                else say("Those that the model was trained with, for queries and documents each its own."),
                reason=say("It was measured so; config.yaml has them in full, so that no server adds or forgets one."),
                cites=self._cites(self._primary),
            )
        speed = self.row.documents_per_second if self.row else None
        yield Decision(
            about="batching",
            choice=say("Documents in batches, queries one at a time (a server may batch those that come together)."),
            reason=say(
                "Measured: {rate} documents a second in batches, a query alone within {p95} at p95.",
                rate=quantities.rate(speed),
                p95=quantities.milliseconds(self.row.query_p95_ms),
            )
            if self.row and speed and self.row.query_p95_ms
            else say("No speed was measured; start with the batch of config.yaml."),
            cites=self._cites("documents_per_second", "query_p95_ms"),
        )

    def _caching(self) -> Decision:
        assert self.report.evaluation
        repeated = sum(len(group) - 1 for group in self.report.evaluation.same_queries)
        share = repeated / max(self.report.evaluation.judged_queries, 1)
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

    def _vectors(self) -> Iterator[Decision]:
        legs = [leg for leg in self.candidate.searched if leg.backend not in ("bm25", "splade")]
        for leg in legs:
            setup = setup_of(leg)
            dimension = setup.dim or (self.measured.dimension if len(legs) == 1 else None)
            size = self.row.bytes_per_vector if self.row else None
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
                cites=self._cites(self._primary, "bytes_per_vector"),
            )
            engine, precision = leg_use.engine_of(leg)
            yield Decision(
                about="precision",
                choice=say(
                    "The model in {precision} ({engine}), vectors in {store}.",
                    precision=precision,
                    engine=engine,
                    store=setup.store,
                ),
                reason=say(
                    "It was measured so; the best {count} are ranked again by the whole vectors.",
                    count=setup.rescore * K,
                )
                if setup.rescore
                else say("It was measured so."),
                cites=self._cites(self._primary),
            )
            yield self._index(leg)

    def _index(self, leg: Leg) -> Decision:
        setup, gap = setup_of(leg), self.measured.index_gap
        if setup.index is None:
            return Decision(
                about="index",
                choice=say("FLAT: every vector is compared."),
                reason=say(
                    "It was measured so, and loses nothing. Its time grows with the documents: where p95 nears your "
                    "limit, measure index=hnsw beside it and deploy that."
                ),
                cites=self._cites(self._primary),
            )
        named = ", ".join(f"{name}={value}" for name, value in setup.index.parameters.items() if value is not None)
        told = say("{kind} with {parameters}.", kind=setup.index.kind.upper(), parameters=named or "-")
        if gap is None:
            return Decision(
                about="index", choice=told, reason=say("It was measured so."), cites=self._cites(self._primary)
            )
        assert self.report.evaluation
        cite = self.evidence.add(
            "measured",
            leg.spec,
            say("share of the ten nearest that the index finds"),
            gap.recall,
            source=say("evaluation on {dataset}", dataset=self.report.evaluation.dataset.name),
            date=self.report.evaluation.started.date(),
            run_id=self.report.evaluation.run_id,
        )
        return Decision(
            about="index",
            choice=told,
            reason=say(
                "Measured: it finds {recall:.1%} of the ten nearest, and loses {points} points.",
                recall=gap.recall,
                points=quantities.points(-gap.difference.mean, signed=False),
            ),
            cites=(cite, *self._cites(self._primary)),
        )

    def _hybrid(self, base: Candidate) -> Decision:
        if not isinstance(base, Fusion):
            return Decision(
                about="hybrid",
                choice=say("None: one leg searches."),
                reason=say("It was measured so; advisor gains tells what a second leg would add."),
                cites=self._cites(self._primary),
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
            cites=self._cites(self._primary),
        )

    def _reranking(self) -> Decision:
        if not isinstance(self.candidate, Rerank):
            return Decision(
                about="reranking",
                choice=say("None."),
                reason=say("It was measured so; advisor gains tells what a reranker would add."),
                cites=self._cites(self._primary),
            )
        return Decision(
            about="reranking",
            choice=say(
                "{spec} reads the first {top} documents.",
                spec=self.candidate.reranker.spec,
                top=retrieval.top_of(self.candidate),
            ),
            reason=say("It was measured so; its time grows with that number."),
            cites=self._cites(self._primary, "query_p95_ms"),
        )

    def _monitoring(self) -> Decision:
        limit, stated = latency_limit(self.report, self.row)
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
            cites=self._cites("query_p95_ms"),
        )


def _lost(truncation: object) -> float:
    return float(getattr(truncation, "tokens_lost", 0.0))


def latency_limit(report: Report, row: Row | None) -> tuple[float | None, bool]:
    """Milliseconds at p95 from which on somebody should look, and whether the user stated them."""
    stated = report.requirements.constraint(LatencyConstraint)
    if stated is not None:
        return stated.p95_ms, True
    return (ALARM * row.query_p95_ms, False) if row and row.query_p95_ms else (None, False)
