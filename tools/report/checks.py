"""What was found of the candidates before they were measured, and who went in the rounds of screening."""

from __future__ import annotations

from knowledge.results import MeasuredCandidate, Screening
from knowledge.wording import Text, say
from tools.report import figures
from tools.report.document import Block, Cell, Fold, Paragraph
from tools.report.figures import NOTHING
from tools.report.voice import Voice

CHECKS = {
    "run": say("running it"),
    "prompts": say("prompts"),
    "pooling": say("pooling and metric"),
    "limits": say("token limits"),
    "truncation": say("truncation"),
    "parity": say("same text, same vector"),
    "served": say("served model"),
    "sanity": say("sanity"),
    "language": say("language"),
    "dimension": say("dimension"),
}
SEVERITIES = {"fails": say("fails"), "warns": say("warns"), "notes": say("note")}
ENDS = {
    "settled": say("nothing was left open"),
    "budget": say("the time allowed was used up"),
    "stopped": say("it was stopped"),
}


def checks(voice: Voice) -> tuple[Block, ...]:
    """Findings on each encoder: what is wrong first, what is only good to know folded away."""
    evaluation = voice.report.evaluation
    if evaluation is None:
        return ()
    titles = (say("Candidate"), say("Check"), say("Found"), say("What to do"))
    found = [(checked.spec, finding) for checked in evaluation.preflight for finding in checked.findings]
    rows = {
        grave: [
            (
                voice.spec_cell(spec),
                Cell(f"{voice.named(CHECKS, f.check)}: {voice.named(SEVERITIES, f.severity)}"),
                Cell(voice.t(f.finding)),
                Cell(voice.t(f.remedy) if f.remedy else NOTHING),
            )
            for spec, f in found
            if (f.severity != "notes") == grave
        ]
        for grave in (True, False)
    }
    blocks: tuple[Block, ...] = ()
    if rows[True]:
        blocks += (voice.table(say("Mistakes and warnings"), voice.heads(*titles), rows[True]),)
    elif found:
        blocks += (Paragraph(voice.t(say("Every encoder passed every check."))),)
    if rows[False]:
        table = voice.table(say("Good to know"), voice.heads(*titles), rows[False])
        blocks += (Fold(voice.t(say("Good to know ({count})", count=len(rows[False]))), (table,)),)
    return (*blocks, *_recall_by_cut(voice, evaluation.candidates))


def _recall_by_cut(voice: Voice, candidates: tuple[MeasuredCandidate, ...]) -> tuple[Block, ...]:
    split = [(c.spec, c.recall_by_cut) for c in candidates if c.recall_by_cut and c.recall_by_cut.cut is not None]
    if not split:
        return ()
    cites = {row.spec: row.cites for row in voice.advice.rows}
    rows = (
        (
            voice.spec_cell(spec),
            *(
                Cell(
                    figures.score(getattr(found, part)),
                    note=figures.count(getattr(found, f"{part}_pairs")),
                    sort=getattr(found, part),
                    cite=cites.get(spec, {}).get(f"recall_{part}"),
                )
                for part in ("whole", "cut")
            ),
        )
        for spec, found in split
    )
    k = split[0][1].k
    heads = voice.heads(say("Candidate"), say("R@{k}, read whole", k=k), say("R@{k}, cut off", k=k), numeric=(1, 2))
    explained = say(
        "Relevant documents that the model read whole, against those it read only the beginning of; small print: pairs "
        "of query and document."
    )
    table = voice.table(say("What cutting off costs"), heads, rows, sortable=True)
    return (table, Paragraph(voice.t(explained), aside=True))


def rounds(voice: Voice) -> tuple[Block, ...]:
    """The rounds of an adaptive evaluation: what they cost, who went and why."""
    found = voice.report.screening
    if found is None:
        return ()
    table = voice.table(
        say("Rounds"),
        voice.heads(
            say("Round"),
            say("Queries"),
            say("Documents"),
            say("Share of the corpus"),
            say("Candidates"),
            say("Encoding"),
            numeric=range(6),
        ),
        (
            (
                Cell(str(r.number), sort=r.number),
                Cell(figures.count(r.queries), sort=r.queries, cite=cite),
                Cell(figures.count(r.documents), sort=r.documents, cite=cite),
                Cell(figures.share(r.pool_share), sort=r.pool_share, cite=cite),
                Cell(figures.count(len(r.taking_part)), sort=len(r.taking_part), cite=cite),
                Cell(figures.seconds(r.seconds), sort=r.seconds, cite=cite),
            )
            for n, r in enumerate(found.rounds, 1)
            for cite in (voice.cited("screening", "seconds", str(n)),)
        ),
    )
    return (Paragraph(voice.t(_summary(found))), table, *_eliminated(voice, found), *_parities(voice, found))


def _summary(found: Screening) -> Text:
    share = found.work.share
    if share is None:
        return say("Rounds of screening: {rounds}; {end}.", rounds=len(found.rounds), end=ENDS[found.end])
    return say(
        "Rounds of screening: {rounds}; {end}. Encoding took {share} of what encoding everything for everyone would "
        "have.",
        rounds=len(found.rounds),
        end=ENDS[found.end],
        share=figures.share(share),
    )


def _eliminated(voice: Voice, found: Screening) -> tuple[Block, ...]:
    if not found.eliminated:
        return ()
    rows = (
        (
            voice.spec_cell(e.spec),
            Cell(str(e.round), sort=e.round),
            Cell(voice.t(e.reason)),
            Cell(
                figures.difference(e.difference), sort=e.difference, cite=voice.cited("screening", "difference", e.spec)
            ),
            Cell(figures.difference(e.bound), sort=e.bound, cite=voice.cited("screening", "bound", e.spec)),
            Cell(figures.count(e.queries), sort=e.queries, cite=voice.cited("screening", "difference", e.spec)),
        )
        for e in found.eliminated
    )
    heads = voice.heads(
        say("Candidate"),
        say("Round"),
        say("Why it went"),
        say("Difference"),
        say("Its bound"),
        say("Queries"),
        numeric=(1, 3, 4, 5),
    )
    explained = say(
        "Bounds are one-sided; together they are wrong in fewer than 5 of 100 such evaluations. A candidate that read "
        "only a pool of documents scores too high there, so a loss against one that read everything is real."
    )
    table = voice.table(say("Left out in the rounds"), heads, rows)
    return (table, Paragraph(voice.t(explained), aside=True))


def _parities(voice: Voice, found: Screening) -> tuple[Block, ...]:
    if not found.parities:
        return ()
    rows = (
        (
            voice.spec_cell(p.spec),
            voice.spec_cell(p.fast),
            Cell(figures.share(p.overlap), sort=p.overlap, cite=voice.cited("screening", "overlap", p.spec)),
            Cell(
                figures.difference(p.difference.mean),
                figures.difference_interval(p.difference),
                p.difference.mean,
                voice.cited("screening", "parity", p.spec),
            ),
            Cell(voice.t(say("yes") if p.accepted else say("no"))),
        )
        for p in found.parities
    )
    heads = voice.heads(
        say("Candidate"),
        say("Faster stand-in"),
        say("Same first ten"),
        say("Difference"),
        say("Accepted"),
        numeric=(2, 3),
    )
    return (voice.table(say("Faster precision in the rounds"), heads, rows),)
