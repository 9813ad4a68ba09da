"""Records as the tools return them."""

from __future__ import annotations

from collections import Counter

from agent.descriptions import describe_change
from agent.understanding.base import Understood
from app.mcp import records
from knowledge.catalog import Catalog
from knowledge.errors import AdvisorError
from knowledge.model_card import ModelCard
from knowledge.results import Evaluation, Interval, Pick, Plan, PlannedCandidate, Prediction, Recommendation, Shortlist
from knowledge.wording import Language, Text
from tools.report.comparison import VERDICTS
from tools.run_scores import RunsCompared


def card(found: ModelCard) -> records.Card:
    """The facts of a model."""
    return records.Card(
        model=found.model,
        spec=found.spec,
        license=found.license,
        commercial_use=found.commercial,
        parameters=found.parameters,
        dimension=found.dimension,
        max_tokens=found.max_tokens,
        languages=len(found.languages),
        is_api=found.is_api,
        usd_per_million_tokens=found.price.usd_per_million_tokens if found.price else None,
        note=found.note,
    )


def shortlist(
    found: Shortlist, understood: Understood | None, catalog: Catalog, language: Language
) -> records.ShortlistFound:
    """A shortlist; of the rejected only their number."""

    def listed(pick: Pick) -> records.Listed:
        try:
            known = catalog.card(pick.model)
        except AdvisorError:  # what comes in a package, such as bm25
            known = ModelCard(model=pick.model)
        return records.Listed(
            spec=pick.spec,
            card=card(known),
            predicted=estimate(pick.predicted),
            metric=pick.predicted.metric,
            reasons=texts(pick.reasons, language),
            unknown=texts(pick.unknown, language),
        )

    changes = understood.changes if understood else ()
    return records.ShortlistFound(
        understood=tuple(describe_change(change, found.requirements).render(language) for change in changes)
        or texts([constraint.describe() for constraint in found.requirements.constraints], language),
        not_understood=understood.ignored if understood else "",
        considered=found.considered,
        kept=tuple(map(listed, found.kept)),
        beside=tuple(map(listed, found.beside)),
        rejected=dict(sorted(Counter(r.constraint for r in found.rejected).items())),
        notes=texts(found.notes, language),
    )


def plan(found: Plan, language: Language) -> records.PlanShown:
    """What measuring would cost."""

    def planned(c: PlannedCandidate) -> records.Planned:
        return records.Planned(
            spec=c.spec,
            why=c.why.render(language),
            minutes=c.minutes,
            download_gb=c.download_gb,
            usd=c.usd,
            sends_text_to=c.sends_text_to,
            obstacle=c.obstacle.render(language) if c.obstacle else None,
        )

    return records.PlanShown(
        documents=found.documents,
        queries=found.queries,
        minutes=round(found.minutes, 1),
        download_gb=found.download_gb,
        usd=found.usd,
        hosts=hosts_of(found),
        candidates=tuple(map(planned, found.candidates)),
        not_measured=tuple(map(planned, found.not_measured)),
    )


def hosts_of(found: Plan) -> tuple[str, ...]:
    """Whom texts would be sent to."""
    return tuple(sorted({c.sends_text_to for c in found.candidates if c.sends_text_to}))


def evaluation(found: Evaluation, compared: RunsCompared | None, language: Language) -> records.EvaluationShown:
    """An evaluation, with what paired tests say where there are several candidates."""
    against = {c.spec: c for c in compared.comparisons} if compared else {}
    ranked = sorted(found.candidates, key=lambda c: -c.primary_mean)
    if compared:
        order = [c.label for c in compared.candidates]
        ranked.sort(key=lambda c: order.index(c.spec))
    return records.EvaluationShown(
        run_id=found.run_id,
        dataset=found.dataset.name,
        documents=found.dataset.documents,
        queries=found.judged_queries,
        labels=found.dataset.labels,
        label_origin=found.dataset.label_origin.render(language) if found.dataset.label_origin else None,
        metric=found.primary,
        candidates=tuple(
            records.Scored(
                spec=c.spec,
                quality=estimate(c.interval),
                metrics=c.metrics,
                verdict=VERDICTS[against[c.spec].verdict if c.spec in against else "best"].render(language),
                against_best=estimate(against[c.spec].difference) if place and c.spec in against else None,
            )
            for place, c in enumerate(ranked)
        ),
        failed=tuple(
            records.NotMeasured(spec=f.spec, reason=f.reason.render(language), next_step=f.next_step.render(language))
            for f in found.failed
        ),
        warnings=texts((*found.notes, *found.warnings), language),
    )


def recommendation(found: Recommendation, report: str | None, language: Language) -> records.RecommendationShown:
    """The decision with all that it cites."""
    return records.RecommendationShown(
        run_id=found.run_id,
        measured=found.measured,
        winner=found.winner,
        tied=found.tied,
        runner_up=found.runner_up,
        headline=found.headline.render(language),
        reasons=texts(found.reasons, language),
        confidence=found.confidence.render(language),
        rows=tuple(
            records.RowShown(
                spec=row.spec,
                standing=row.standing,
                quality=estimate(row.quality),
                query_p95_ms=row.query_p95_ms,
                peak_memory_mb=row.peak_memory_mb,
                bytes_per_vector=row.bytes_per_vector,
                usd_per_million_tokens=row.usd_per_million_tokens,
                excluded_by=row.excluded_by.render(language) if row.excluded_by else None,
            )
            for row in found.rows
        ),
        not_measured=texts(found.not_measured, language),
        what_would_change_it=texts(found.what_would_change_it, language),
        next_steps=texts(found.next_steps, language),
        evidence=tuple(
            records.EvidenceShown(
                id=e.id,
                kind=e.kind,
                about=e.about,
                what=e.what.render(language),
                value=e.value,
                unit=e.unit,
                source=e.source.render(language),
                date=e.date,
                run_id=e.run_id,
            )
            for e in found.evidence
        ),
        report=report,
    )


def estimate(found: Interval | Prediction) -> records.Estimate:
    """A figure with its interval."""
    return records.Estimate(mean=found.mean, low=found.low, high=found.high, level=found.level)


def texts(found: tuple[Text, ...] | list[Text], language: Language) -> tuple[str, ...]:
    """Sentences in a language."""
    return tuple(text.render(language) for text in found)
