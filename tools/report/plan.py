"""What to do next, and what this run was agreed to cost."""

from __future__ import annotations

from knowledge.results.deployment import SETTLED
from knowledge.wording import say
from tools.report import figures
from tools.report.document import Block, Cell, Paragraph, plain
from tools.report.figures import NOTHING
from tools.report.voice import Voice


def settled(voice: Voice) -> tuple[Block, ...]:
    """What is settled for production, and why; and where the files are that carry it out."""
    found = voice.report.deployment
    if found is None:
        return ()
    rows = (
        (
            Cell(voice.t(SETTLED[decision.about])),
            Cell(voice.t(decision.choice)),
            Cell(voice.t(decision.reason), cite=decision.cites[0] if decision.cites else None),
        )
        for decision in found.decisions
    )
    told = found.obstacle or say(
        "The files that carry this out (Milvus schema, ingest, search, containers, checks): advisor deploy {run} --out "
        "FOLDER; those of the winner are in deployment.zip, beside this report.",
        run=found.run_id,
    )
    heads = voice.heads(say("What"), say("Settled"), say("Why"))
    table = voice.table(say("For production"), heads, rows)
    return (table, Paragraph(voice.t(told)), *voice.bullets(found.differs))


def plan(voice: Voice) -> tuple[Block, ...]:
    """Next steps first."""
    steps = (*voice.bullets(voice.advice.next_steps), *settled(voice))
    agreed = voice.report.plan
    if agreed is None or not agreed.candidates:
        return steps
    places = sorted({c.sends_text_to for c in agreed.candidates if c.sends_text_to})
    told = say(
        "What measuring was planned to take: about {minutes}, {download} GB to download, {money}; {texts}.",
        minutes=figures.seconds(agreed.minutes * 60),
        download=f"{agreed.download_gb:.2f}",
        money=figures.money(agreed.usd),
        texts=say("texts to {places}, if agreed to", places=", ".join(places))
        if places
        else say("no text leaves this machine"),
    )
    rows = (
        (
            voice.spec_cell(c.spec),
            Cell(voice.t(c.why)),
            *(
                Cell(text, sort=getattr(c, field), cite=voice.cited("plan", field, c.spec) if text != NOTHING else None)
                for field, text in (
                    ("minutes", figures.seconds(c.minutes * 60)),
                    ("download_gb", f"{c.download_gb:.2f} GB" if c.download_gb else NOTHING),
                    ("usd", figures.money(c.usd) if c.usd else NOTHING),
                )
            ),
            Cell(plain(c.sends_text_to or NOTHING)),
        )
        for c in agreed.candidates
    )
    heads = voice.heads(
        say("Candidate"),
        say("Why it was measured"),
        say("Time"),
        say("Download"),
        say("Money"),
        say("Texts sent to"),
        numeric=(2, 3, 4),
    )
    return (*steps, Paragraph(voice.t(told)), voice.table(say("Planned, by estimate"), heads, rows))
