"""What to do next, and what this run was agreed to cost."""

from __future__ import annotations

from knowledge.wording import say
from tools.report import figures
from tools.report.document import Block, Cell, Paragraph, plain
from tools.report.figures import NOTHING
from tools.report.voice import Voice


def plan(voice: Voice) -> tuple[Block, ...]:
    """Next steps first."""
    steps = voice.bullets(voice.advice.next_steps)
    agreed = voice.report.plan
    if agreed is None or not agreed.candidates:
        return steps
    places = sorted({c.sends_text_to for c in agreed.candidates if c.sends_text_to})
    told = say(
        "The plan for this run: about {minutes}, {download} GB to download, {money}; texts sent to: {places}.",
        minutes=figures.seconds(agreed.minutes * 60),
        download=f"{agreed.download_gb:.2f}",
        money=figures.money(agreed.usd),
        places=", ".join(places) if places else say("nobody"),
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
