"""A document as GitHub-flavoured Markdown. All text is escaped: none of it can become markup, a link or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tools.report.document import (
    Block,
    Bullets,
    Cell,
    Code,
    CurvesPlot,
    Diagram,
    Document,
    Fold,
    Paragraph,
    Plot,
    Side,
    SideBySide,
    Table,
    anchor,
    mentions,
)

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;", "$": "&#36;"}
_SPECIAL = re.compile(r"[&<>|\\$]|[`*\[\]~]|(?<!\w)_|_(?!\w)|(?<!\w)@(?=\w)|:(?=//)|(?<=www)\.")
_LEADING = re.compile(r"^(?:#{1,6}(?=\s|$)|[-+](?=\s|$)|--|=|\d+(?=[.)](?:\s|$)))")
_PLAIN_CODE = re.compile(r"[\w ./:@?=&,()+%~-]+")


def escape(text: str) -> str:
    """Text that GitHub shows as it is."""
    # what would start a heading, a list or a rule at the beginning of a line
    return _LEADING.sub(lambda m: f"&#{ord(m[0][0])};{m[0][1:]}", _inline(text.strip()))


def _inline(text: str) -> str:
    """A part of a line, its spaces kept."""

    def one(match: re.Match[str]) -> str:
        found = match.group()
        if found in _ENTITIES:
            return _ENTITIES[found]
        return f"&#{ord(found)};" if found in "@:." else f"\\{found}"

    return _SPECIAL.sub(one, text)


def code(text: str) -> str:
    """Text as code; where a code span could break the table around it, as an element with entities."""
    return f"`{text}`" if _PLAIN_CODE.fullmatch(text) and text.strip() else f"<code>{escape(text)}</code>"


class _Markdown:
    def __init__(self, document: Document) -> None:
        self.document = document
        self._ids = mentions(document.evidence)

    def text(self, text: str) -> str:
        """Escaped text, with the evidence ids in it as links."""
        if self._ids is None:
            return escape(text)
        first, *rest = self._ids.split(text.strip())  # every second part is an id
        linked = (self.link(part, part) if i % 2 else _inline(part) for i, part in enumerate(rest, 1))
        return (escape(first) + first[len(first.rstrip()) :] if first else "") + "".join(linked)

    def link(self, text: str, evidence: str) -> str:
        return f"[{escape(text)}](#{anchor(evidence)})"

    def whole(self) -> Iterable[str]:
        answer = self.document.answer
        yield f"# {escape(answer.title)}"
        if answer.warning:
            yield f"> **{escape(answer.warning)}**"
        yield f"*{escape(answer.kicker)}*"
        if answer.spec:
            yield code(answer.spec)
        if answer.headline != answer.title:
            yield self.text(answer.headline)
        labels = self.document.labels
        sure = answer.sureness
        yield f"**{escape(sure.label)}** {self.text(sure.text)}"
        if answer.facts:
            yield f"## {escape(labels['cost'])}"
            yield "\n".join(
                f"- {escape(f.label)}: **{self.link(f.value, f.cite) if f.cite else escape(f.value)}**"
                + (f" ({escape(f.note)})" if f.note else "")
                for f in answer.facts
            )
        if answer.reasons:
            yield f"## {escape(labels['why'])}"
            yield self.items(answer.reasons)
        for section in self.document.sections:
            yield f'<a id="{section.id}"></a>\n\n## {escape(section.title)}'
            for block in section.blocks:
                yield from self.block(block)
        yield f"---\n\n{escape(self.document.footer)}"

    def items(self, items: Iterable[str]) -> str:
        return "\n".join(f"- {self.text(item)}" for item in items)

    def block(self, block: Block) -> Iterable[str]:
        match block:
            case Paragraph():
                yield self.text(block.text)
            case Bullets():
                yield self.items(block.items)
            case Code():
                fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
                yield f"{fence}sh\n{block.text}\n{fence}"
            case Table():
                yield self.table(block)
            case SideBySide():
                yield from self.duel(block)
            case Fold():
                yield f"<details><summary>{escape(block.summary)}</summary>"
                for inner in block.blocks:
                    yield from self.block(inner)
                yield "</details>"
            case Diagram():
                yield escape(block.pipeline.description)
            case Plot():
                yield self.plot(block)
            case CurvesPlot():
                yield self.curves(block)

    def duel(self, block: SideBySide) -> Iterable[str]:
        """One list below the other: texts of documents are too long for the cells of a table."""
        first, second = block.sides
        scores = ", ".join(f"{side.name} {side.score}" for side in block.sides)
        yield f"<details><summary>{escape(block.query)} ({escape(scores)})</summary>"
        for side in (first, second):
            yield self.side(side)
        if block.missed:
            yield f"**{escape(block.missed_title)}**"
            yield self.items(block.missed)
        yield "</details>"

    def side(self, side: Side) -> str:
        lines = [f"**{escape(side.name)}: {escape(side.score)}**", ""]
        lines += [f"{i}. ({escape(judged)}) {escape(text)}" for i, (text, judged) in enumerate(side.found, 1)]
        return "\n".join(lines)

    def plot(self, block: Plot) -> str:
        """The plot's points in words: the numbers are rows of the table."""
        lines = []
        for point in block.scatter.points:
            where = ", ".join(f"{a.title} {point.labels[a.key]}" for a in block.scatter.axes if a.key in point.labels)
            told = f"{point.number} {point.name} ({point.group}): {block.scatter.y.title} {point.labels['quality']}"
            lines.append("- " + escape(f"{told}{', ' if where else ''}{where}"))
        return "\n".join(lines)

    def curves(self, block: CurvesPlot) -> str:
        """Each line at the round places of its axis: what a drawing shows at a glance."""
        x, lines = block.curves.x, block.curves.lines
        head = [x.title, *(line.name for line in lines)]
        rows = [[tick.label, *(f"{line.near(tick.value):,.2f}" for line in lines)] for tick in x.ticks]
        told = ["| " + " | ".join(map(escape, row)) + " |" for row in (head, *rows)]
        rule = "| --- |" + " ---: |" * len(lines)
        return "\n".join([f"**{escape(block.title)}** ({escape(block.curves.y.title)})", "", told[0], rule, *told[1:]])

    def table(self, table: Table) -> str:
        head = "| " + " | ".join(escape(c.title) or " " for c in table.columns) + " |"
        rule = "|" + "|".join(" ---: " if c.numeric else " --- " for c in table.columns) + "|"
        rows = ["| " + " | ".join(self.cell(cell) for cell in row) + " |" for row in table.rows]
        return "\n".join([f"**{escape(table.title)}**", "", head, rule, *rows])

    def cell(self, cell: Cell) -> str:
        if cell.code:
            return code(cell.text)
        if cell.anchor:
            return f'<a id="{cell.anchor}"></a>{escape(cell.text)}'
        text = self.link(cell.text, cell.cite) if cell.cite in self.document.evidence else self.text(cell.text)
        text = f"**{text}**" if cell.tone == "winner" and text else text
        return f"{text} ({self.text(cell.note)})" if cell.note else text


def as_markdown(document: Document) -> str:
    """The document in Markdown; it ends with a newline."""
    return "\n\n".join(_Markdown(document).whole()) + "\n"
