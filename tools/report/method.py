"""How the figures came about, and each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.results import Evidence, FailedCandidate
from knowledge.wording import Text, say
from tools.report import figures
from tools.report.document import (
    Block,
    Cell,
    Code,
    Fold,
    Paragraph,
    Table,
    anchor,
    plain,
)
from tools.report.figures import NOTHING
from tools.report.voice import LABELS, Voice, when

EVIDENCE_KINDS = {"published": say("published"), "measured": say("measured"), "computed": say("computed")}


def method(voice: Voice) -> tuple[Block, ...]:
    """Under which conditions, with how much work, and what failed."""
    if not (voice.report.evaluation or voice.report.benchmark):
        return ()
    facts = [(say("Program"), voice.report.made_by)]
    evaluation, benchmark = voice.report.evaluation, voice.report.benchmark
    if evaluation:
        data = evaluation.dataset
        facts += [
            (say("Quality run"), f"{evaluation.run_id}, {when(evaluation.started)}"),
            (say("Dataset"), f"{data.name} ({data.format}, {data.hash[:16]})"),
            (say("Judged queries"), figures.count(evaluation.judged_queries)),
            (say("Labels"), voice.t(data.label_origin) if data.label_origin else voice.named(LABELS, data.labels)),
            (say("Store"), evaluation.store),
        ]
    if benchmark:
        machine = benchmark.hardware
        sizes = say(
            "{documents} documents, {queries} queries",
            documents=figures.count(benchmark.documents),
            queries=figures.count(benchmark.queries),
        )
        facts += [
            (say("Speed run"), f"{benchmark.run_id}, {when(benchmark.started)}"),
            (say("Speed measured on"), voice.t(sizes)),
            (say("Processor"), voice.t(say("{cpu}, {n} cores", cpu=machine.cpu, n=machine.cores))),
            (say("Memory"), f"{machine.memory_gb:.1f} GB"),
            (say("GPU"), ", ".join(machine.gpus) or voice.t(say("none"))),
        ]
        facts += [(say("Platform"), machine.platform)] if machine.platform else []
    blocks: tuple[Block, ...] = (voice.fact_table(say("Conditions"), facts), *_work(voice), *_speed(voice))
    failed = (*(evaluation.failed if evaluation else ()), *(benchmark.failed if benchmark else ()))
    return (*blocks, *_failures(voice, failed))


def _work(voice: Voice) -> tuple[Block, ...]:
    if not voice.report.evaluation:
        return ()
    rows = (
        (
            voice.spec_cell(c.spec),
            Cell(figures.count(c.dimension), sort=c.dimension),
            Cell(figures.count(c.encoded_texts), sort=c.encoded_texts),
            Cell(figures.count(c.cached_texts), sort=c.cached_texts),
            Cell(figures.seconds(c.encode_seconds), sort=c.encode_seconds),
            Cell(figures.seconds(c.search_seconds), sort=c.search_seconds),
            Cell(plain(c.revision[:12]) if c.revision else NOTHING),
            Cell(voice.sentence(c.notes) or NOTHING),
        )
        for c in voice.report.evaluation.candidates
    )
    titles = (
        say("Candidate"),
        say("Dimensions"),
        say("Texts encoded"),
        say("From the cache"),
        say("Encoding"),
        say("Searching"),
        say("Revision"),
        say("Notes"),
    )
    explained = say(
        "Quality: every judged query is scored by itself, and the table shows means. Intervals come from a "
        "bootstrap over queries; differences are tested with paired randomisation, Holm-corrected for all pairs."
    )
    heads = voice.heads(*titles, numeric=range(1, 6))
    notes = voice.bullets(voice.report.evaluation.notes)
    table = voice.table(say("Work done for the quality run"), heads, rows)
    return (table, Paragraph(voice.t(explained), aside=True), *notes)


def _speed(voice: Voice) -> tuple[Block, ...]:
    if not voice.report.benchmark:
        return ()
    cites = {row.spec: row.cites for row in voice.advice.rows}
    rows = (
        (
            voice.spec_cell(c.spec),
            Cell(figures.milliseconds(c.query_p50_ms), sort=c.query_p50_ms),
            Cell(
                figures.milliseconds(c.query_p95_ms),
                sort=c.query_p95_ms,
                cite=cites.get(c.spec, {}).get("query_p95_ms"),
            ),
            Cell(figures.milliseconds(c.query_p99_ms), sort=c.query_p99_ms),
            Cell(figures.milliseconds(c.encode_p50_ms), sort=c.encode_p50_ms),
            Cell(
                figures.rate(c.documents_per_second),
                sort=c.documents_per_second,
                cite=cites.get(c.spec, {}).get("documents_per_second"),
            ),
            Cell(figures.count(c.best_batch), sort=c.best_batch),
            Cell(figures.seconds(c.load_seconds), sort=c.load_seconds),
            Cell(
                figures.megabytes(c.peak_memory_mb),
                sort=c.peak_memory_mb,
                cite=cites.get(c.spec, {}).get("peak_memory_mb"),
            ),
            Cell(figures.count(c.repeats), sort=c.repeats),
        )
        for c in voice.report.benchmark.candidates
    )
    titles: tuple[Text | str, ...] = (
        say("Candidate"),
        "p50",
        "p95",
        "p99",
        say("of it encoding (p50)"),
        say("Documents per second"),
        say("Best batch"),
        say("Load time"),
        say("Peak memory"),
        say("Repeats"),
    )
    explained = say(
        "Speed: each candidate in a process of its own, one query at a time, from text to ranked ids. The search "
        "in it is an exact scan in memory, so an index would change that part."
    )
    heads = voice.heads(*titles, numeric=range(1, 10))
    return (
        voice.table(say("Speed in detail"), heads, rows, sortable=True),
        Paragraph(voice.t(explained), aside=True),
    )


def _failures(voice: Voice, failed: Sequence[FailedCandidate]) -> tuple[Block, ...]:
    if not failed:
        return ()
    rows = ((voice.spec_cell(f.spec), Cell(voice.t(f.reason)), Cell(voice.t(f.next_step))) for f in failed)
    heads = voice.heads(say("Candidate"), say("What went wrong"), say("What to do"))
    return (voice.table(say("Candidates that failed"), heads, rows),)


def evidence(voice: Voice) -> tuple[Block, ...]:
    """All figures an answer cites; tables and texts link here. Those of parts of the queries are many: folded."""
    costs = {key: voice.t(title) for key, title, _, _ in voice.costs}
    table = _evidence_table(voice, say("Every figure an answer cites"), voice.advice.evidence, costs)
    blocks: tuple[Block, ...] = (table,) if table.rows else ()
    found = voice.report.slices
    if found and found.evidence:
        parts = {
            id: f"{found.metric}, {voice.t(part.trait)}: {voice.t(part.part)}"
            for part in found.slices
            for score in part.scores
            for id in score.cites.values()
        }
        title = say("Figures on parts of the queries")
        by_id = {e.id: parts.get(e.id, e.what) for e in found.evidence}
        blocks += (Fold(voice.t(title), (_evidence_table(voice, title, found.evidence, by_id),)),)
    return blocks


def _evidence_table(voice: Voice, title: Text, found: Sequence[Evidence], written: Mapping[str, str]) -> Table:
    """`written` is how figures are called here, by their name or their id."""
    rows = (
        (
            Cell(plain(e.id), anchor=anchor(e.id)),
            Cell(voice.named(EVIDENCE_KINDS, e.kind)),
            Cell(plain(e.about)),
            Cell(plain(written.get(e.id) or written.get(e.what) or e.what)),
            Cell(figures.exact(e.value, plain(e.unit)), sort=e.value),
            Cell(plain(_source(voice, e.source, e.computed_from))),
            Cell(plain(e.run_id or NOTHING)),
            Cell(e.date.isoformat() if e.date else NOTHING),
        )
        for e in found
    )
    titles = (
        say("Id"),
        say("Kind"),
        say("About"),
        say("Figure"),
        say("Value"),
        say("Source"),
        say("Run"),
        say("Date"),
    )
    return voice.table(title, voice.heads(*titles, numeric=(4,)), rows, compact=True)


def _source(voice: Voice, source: str, computed_from: Sequence[str]) -> str:
    parts = [source] if source else []
    if computed_from:
        parts.append(voice.t(say("from {ids}", ids=", ".join(computed_from))))
    return "; ".join(parts)


def reproduce(voice: Voice) -> tuple[Block, ...]:
    """The command that does it again."""
    return (Code("\n".join(map(plain, voice.report.reproduce.splitlines()))),)
