"""A document as GitHub-flavoured Markdown. All text is escaped: none of it can become markup, a link or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tools.report import figures
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
        #: ids that something led to so far: sections with what they lead to come last
        self._led_to: set[str] = set()
        self._shown: set[str] | None = None

    def text(self, text: str) -> str:
        """Escaped text, with the evidence ids in it as links."""
        if self._ids is None:
            return escape(text)
        first, *rest = self._ids.split(text.strip())  # every second part is an id
        linked = (
            self.link(part, part) if i % 2 and self.leads(part) else _inline(part) for i, part in enumerate(rest, 1)
        )
        return (escape(first) + first[len(first.rstrip()) :] if first else "") + "".join(linked)

    def leads(self, evidence: str) -> bool:
        """Whether an id leads somewhere: always, but in the rows themselves only where they are shown."""
        return self._shown is None or anchor(evidence) in self._shown

    def link(self, text: str, evidence: str) -> str:
        self._led_to.add(anchor(evidence))
        return f"[{escape(text)}](#{anchor(evidence)})"

    def whole(self) -> Iterable[str]:
        answer = self.document.answer
        yield f"# {escape(answer.title)}"
        if answer.warning:
            yield f"> **{escape(answer.warning)}**"
        yield f"*{escape(answer.kicker)}*"
        if answer.spec and answer.spec != answer.title:
            yield code(answer.spec)
        if answer.headline != answer.title:
            yield self.text(answer.headline)
        if answer.in_words:
            yield self.text(answer.in_words)
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
            if any(_is_cited(block) for block in section.blocks):
                yield f"*{escape(labels['cited'])}*"
            if any(isinstance(inner, SideBySide) for block in section.blocks for inner in _inner(block)):
                yield f"*{escape(labels['side_by_side'])}*"
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
                table = self.led_to(block) if block.cited else block
                if table.rows or not block.cited:
                    yield self.table(table)
            case SideBySide():
                yield self.duel(block)
            case Fold():
                inside = [part for inner in block.blocks for part in self.block(inner)]
                if inside:
                    yield f"<details><summary>{escape(block.summary)}</summary>"
                    yield from inside
                    yield "</details>"
            case Diagram():
                yield escape(block.pipeline.description)
            case Plot():
                yield self.plot(block)
            case CurvesPlot():
                yield self.curves(block)

    def duel(self, block: SideBySide) -> str:
        """The query and its scores: what was found for it is too long to be read from beginning to end."""
        return f"- {escape(block.query)} ({escape(', '.join(f'{side.name} {side.score}' for side in block.sides))})"

    def plot(self, block: Plot) -> str:
        """The plot's points in words: the numbers are rows of the table."""
        lines = []
        for point in block.scatter.points:
            where = ", ".join(f"{a.title} {point.labels[a.key]}" for a in block.scatter.axes if a.key in point.labels)
            told = f"{point.number} {point.name} ({point.group}): {block.scatter.y.title} {point.labels['quality']}"
            lines.append("- " + escape(f"{told}{', ' if where else ''}{where}"))
        return "\n".join(lines)

    def curves(self, block: CurvesPlot) -> str:
        """Measured points one by one; a line that was computed at the round places of its axis."""
        if any(line.dots for line in block.curves.lines):
            return self.dots(block)
        x, lines = block.curves.x, block.curves.lines
        head = [x.title, *(line.name for line in lines)]
        rows = [[tick.label, *(f"{line.near(tick.value):,.2f}" for line in lines)] for tick in x.ticks]
        told = ["| " + " | ".join(map(escape, row)) + " |" for row in (head, *rows)]
        rule = "| --- |" + " ---: |" * len(lines)
        return "\n".join([f"**{escape(block.title)}** ({escape(block.curves.y.title)})", "", told[0], rule, *told[1:]])

    def dots(self, block: CurvesPlot) -> str:
        """What was measured: each line's points."""
        curves = block.curves
        lines = [f"**{escape(block.title)}** ({escape(curves.x.title)}: {escape(curves.y.title)})", ""]
        for line in curves.lines:
            if line.dots:
                points = "; ".join(f"{x:,.4g}: {figures.rate(y)}" for x, y in line.points)
                lines.append(f"- {escape(line.name)}: {escape(points)}")
        return "\n".join(lines)

    def led_to(self, table: Table) -> Table:
        """The rows that something led to, without details."""
        self._shown = self._led_to
        shown = [i for i, column in enumerate(table.columns) if not column.detail]
        rows = [row for row in table.rows if any(cell.anchor in self._shown for cell in row)]
        return replace(
            table,
            columns=tuple(table.columns[i] for i in shown),
            rows=tuple(tuple(row[i] for i in shown) for row in rows),
        )

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


def _inner(block: Block) -> tuple[Block, ...]:
    return block.blocks if isinstance(block, Fold) else (block,)


def _is_cited(block: Block) -> bool:
    return any(isinstance(inner, Table) and inner.cited for inner in _inner(block))


def as_markdown(document: Document) -> str:
    """The document in Markdown; it ends with a newline."""
    return "\n\n".join(_Markdown(document).whole()) + "\n"
