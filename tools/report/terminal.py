"""A document in the terminal: the answer and what bears on it, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from knowledge.results import Report
from knowledge.wording import Language, Text, say
from tools.report import figures
from tools.report.comparison import STANDINGS
from tools.report.document import Bullets, Document, plain
from tools.report.voice import short_names
from tools.report.wrapped import wrapped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_COLOURS = {"winner": "bold green", "alone": "bold", "tied": "cyan", "undecided": "yellow", "excluded": "dim"}


class Sentence:
    """A sentence, broken to the width it is given; rich by itself breaks Chinese at the few spaces that are in it."""

    def __init__(self, text: str, style: str = "") -> None:
        self._text, self._style = text, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich import text

        yield text.Text(wrapped(self._text, options.max_width), self._style)


def for_terminal(report: Report, document: Document, language: Language) -> Iterable[RenderableType]:
    """The parts to print, one after the other. Names fold; figures never do."""
    from rich import text
    from rich.rule import Rule

    answer = document.answer
    yield Rule(text.Text(answer.kicker), align="left", style="dim")
    if answer.warning:
        yield Sentence(answer.warning, "bold yellow")
    yield Sentence(answer.headline, "bold")
    if answer.spec and answer.spec not in answer.headline:  # a name that is its own spec was said
        yield text.Text(answer.spec, "green")
    if answer.in_words:
        yield Sentence(answer.in_words)
    yield Sentence(f"{answer.sureness.label} {answer.sureness.text}")
    if answer.reasons:
        yield _heading(document.labels["why"])
        yield _list(answer.reasons)
    if report.recommendation.rows:
        yield text.Text()
        yield _table(report, language)
    for id in ("certainty", "truth", "robustness", "sensitivity", "not-measured", "plan"):
        section = document.section(id)
        items = [i for b in section.blocks if isinstance(b, Bullets) for i in b.items] if section else []
        if section and items:
            yield _heading(section.title)
            yield _list(items)


def _heading(title: str) -> RenderableType:
    from rich import text

    return text.Text(f"\n{title}", "bold")


def _list(items: Iterable[str]) -> RenderableType:
    from rich import table

    grid = table.Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for item in items:
        grid.add_row("-", Sentence(item))
    return grid


def _table(report: Report, language: Language) -> RenderableType:
    from rich import box, table, text

    def t(sentence: Text) -> str:
        return plain(sentence.render(language))

    advice = report.recommendation
    names = short_names(row.spec for row in advice.rows)
    result = table.Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    result.add_column(t(say("Candidate")), overflow="fold", ratio=1, min_width=14)
    for title in (advice.primary, t(say("interval")), "p95", t(say("docs/s")), t(say("memory"))):
        result.add_column(title, justify="right", no_wrap=True)
    for row in advice.rows:
        name = text.Text(names[row.spec], _COLOURS.get(row.standing, ""))
        name.append(f" ({t(STANDINGS[row.standing]).lower()})", "dim")
        result.add_row(
            name,
            figures.score(row.quality.mean),
            figures.interval(row.quality),
            figures.milliseconds(row.query_p95_ms),
            figures.rate(row.documents_per_second),
            figures.megabytes(row.peak_memory_mb),
        )
    return result
