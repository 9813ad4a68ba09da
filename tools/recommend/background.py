"""What a decision rests on besides its table: predictions, the data's figures, the plan, the rounds of screening."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.catalog import Source
from knowledge.results import DataProfile, Lengths, Pick, Plan, Recommendation, Screening, Shortlist
from knowledge.wording import Text, say
from tools.evidence_list import EvidenceList


def with_background(
    recommendation: Recommendation,
    shortlist: Shortlist,
    scores: Source,
    profile: DataProfile | None = None,
    plan: Plan | None = None,
    screening: Screening | None = None,
) -> Recommendation:
    """The recommendation with evidence for these, too; `scores` is where the published scores come from."""
    evidence = EvidenceList(found=recommendation.evidence)
    cites: dict[str, str] = {}
    for pick in (*shortlist.kept, *shortlist.beside):
        cites[f"predicted/{pick.model}"] = _prediction(evidence, pick, scores)
    if profile:
        cites |= {f"data/{name}": id for name, id in _data(evidence, profile)}
    if plan:
        cites |= {f"plan/{name}": id for name, id in _planned(evidence, plan)}
    if screening:
        cites |= {f"screening/{name}": id for name, id in _screened(evidence, screening, recommendation.run_id)}
    return recommendation.model_copy(update={"evidence": tuple(evidence.found), "cites": cites})


def _prediction(evidence: EvidenceList, pick: Pick, scores: Source) -> str:
    title = Text.model_validate(scores.title)
    published = tuple(
        evidence.add(
            "published",
            pick.model,
            say("{metric}, {task} ({language})", metric=f.metric, task=f.task, language=f.language),
            f.score,
            source=title,
            date=scores.date,
        )
        for f in pick.figures
    )
    return evidence.add(
        "computed",
        pick.model,
        say("predicted {metric}", metric=pick.predicted.metric),
        pick.predicted.mean,
        source=say("prediction from published scores: {title}", title=scores.title),
        date=scores.date,
        computed_from=published,
    )


def _data(evidence: EvidenceList, profile: DataProfile) -> Iterator[tuple[str, str]]:
    """Names of the profile's figures, and their evidence; that of several parts cites the first of them."""
    data = profile.dataset
    counted = say("counted in {dataset}", dataset=data.name)
    looked_at = say("looked at a sample of {dataset}, evenly spread", dataset=data.name)

    def add(what: Text, value: float, source: Text = looked_at, unit: str = "") -> str:
        return evidence.add("measured", data.name, what, value, unit, source=source)

    yield "documents", add(say("documents"), data.documents, counted)
    yield "queries", add(say("queries"), data.queries, counted)
    yield "judgments", add(say("judgments"), data.judgments, counted)
    for name, what in (
        ("labelled", say("texts with a class")),
        ("classes", say("classes")),
        ("pairs", say("pairs")),
        ("tested", say("texts or pairs for testing")),
    ):
        if getattr(data, name):
            yield name, add(what, getattr(data, name), counted)
    yield "skipped", add(say("rows left out while reading"), data.skipped, counted)
    yield "duplicate_share", add(say("share of duplicated documents"), profile.duplicate_share, counted)
    yield "pii_share", add(say("share of texts that look like personal data"), profile.pii_share)
    if profile.word_overlap is not None:
        yield "word_overlap", add(say("query words found in the right document"), profile.word_overlap)
    for name, of, shares in (
        ("languages", say("documents"), profile.languages),
        ("query_languages", say("queries"), profile.query_languages),
    ):
        ids = [add(say("share of {of} in “{code}”", of=of, code=code), part) for code, part in _largest(shares)]
        if ids:
            yield name, ids[0]
    for name, of, lengths in (
        ("document_tokens", say("documents"), profile.document_tokens),
        ("query_tokens", say("queries"), profile.query_tokens),
    ):
        if lengths:
            ids = [add(what, value, unit="tokens") for what, value in _lengths(of, lengths)]
            yield name, ids[0]


def _largest(shares: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(shares.items(), key=lambda share: -share[1])[:8]


def _lengths(of: Text, lengths: Lengths) -> tuple[tuple[Text, float], ...]:
    return (
        (say("length of {of}, mean", of=of), lengths.mean),
        (say("length of {of}, median", of=of), lengths.p50),
        (say("length of {of}, 95th percentile", of=of), lengths.p95),
        (say("length of {of}, longest", of=of), lengths.max),
    )


def _planned(evidence: EvidenceList, plan: Plan) -> Iterator[tuple[str, str]]:
    source = say("estimate of the plan, before anything was measured")
    for candidate in plan.candidates:
        for field, what, unit in (
            ("minutes", say("planned time"), "min"),
            ("download_gb", say("planned download"), "GB"),
            ("usd", say("planned cost"), "USD"),
        ):
            value = getattr(candidate, field)
            id = evidence.add("computed", candidate.spec, what, value, unit, source=source)
            yield f"{field}/{candidate.spec}", id


def _screened(evidence: EvidenceList, screening: Screening, run_id: str) -> Iterator[tuple[str, str]]:
    metric = screening.primary
    for gone in screening.eliminated:
        source = say("round {number} of screening, {count} queries", number=gone.round, count=gone.queries)
        what = say("difference in {metric} to {spec}", metric=metric, spec=gone.against)
        found = evidence.add("measured", gone.spec, what, gone.difference, source=source, run_id=run_id)
        yield f"difference/{gone.spec}", found
        bound = say("bound of the difference in {metric} to {spec}", metric=metric, spec=gone.against)
        yield (
            f"bound/{gone.spec}",
            evidence.add(
                "computed", gone.spec, bound, gone.bound, source=source, run_id=run_id, computed_from=(found,)
            ),
        )
    for pair in screening.parities:
        source = say("{count} queries among {documents} documents", count=pair.queries, documents=pair.documents)
        for name, what, value in (
            ("overlap", say("first ten places that {spec} fills alike", spec=pair.fast), pair.overlap),
            ("parity", say("difference in {metric} of {spec}", metric=metric, spec=pair.fast), pair.difference.mean),
        ):
            yield (
                f"{name}/{pair.spec}",
                evidence.add("measured", pair.spec, what, value, source=source, run_id=run_id),
            )
    for number, of in enumerate(screening.rounds, 1):
        source = say("round {number} of screening, {count} queries", number=of.number, count=of.queries)
        what = say("encoding until the end of the round")
        yield (
            f"seconds/{number}",
            evidence.add("measured", "screening", what, of.seconds, "s", source=source, run_id=run_id),
        )
