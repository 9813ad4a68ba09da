"""Blocks of Slack's Block Kit. What is made here keeps Slack's limits, and shows text as text.

Words go into rich text and plain text, which Slack does not read for markup: there is nothing to escape in them. The
`text` that stands for the blocks in notifications and old clients is read for markup, and `escape` is for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Any

from app.wording import Line

Block = dict[str, Any]

#: Slack's limits: blocks of a message, characters of a text, of a button's text, value and action
MOST_BLOCKS, LONGEST_TEXT, LONGEST_LABEL, LONGEST_VALUE, LONGEST_ACTION = 50, 3000, 75, 2000, 255
#: buttons in a row of them; rows and columns of a table; characters of a cell, and of a table (Slack: 10,000)
MOST_BUTTONS, MOST_ROWS, MOST_COLUMNS, LONGEST_CELL, LONGEST_TABLE = 25, 100, 20, 200, 5000
#: characters in all the blocks of a message; Slack cuts `text` after 40,000, and one character may take five there
LONGEST_MESSAGE = 7500
_ZERO_WIDTH = "\u200b"


def escape(text: str) -> str:
    """Text for `text`: Slack finds no mention, link or markup in it."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # a mark means something only where it touches a word
    return "".join(f"{_ZERO_WIDTH}{c}{_ZERO_WIDTH}" if c in "*_~`" else c for c in safe)


def cut(text: str, most: int) -> str:
    """Text that is no longer than this."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def pieces(text: str, most: int = LONGEST_TEXT) -> Iterable[str]:
    """A text in pieces that are no longer than this, broken at lines or words where there are any."""
    rest = text
    while len(rest) > most:
        at = max(rest.rfind("\n", 1, most + 1), 0) or max(rest.rfind(" ", 1, most + 1), 0) or most
        yield rest[:at]
        rest = rest[at:].lstrip(" \n") if rest[at : at + 1] in (" ", "\n") else rest[at:]
    if rest.strip():
        yield rest


def words(text: str, *, bold: bool = False) -> Block:
    """A stretch of rich text."""
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if bold else {})


def paragraphs(text: str, *, bold: bool = False) -> list[Block]:
    """Text, in as many blocks as it takes."""
    return [_rich([_section([words(piece, bold=bold)])]) for piece in pieces(text)]


def small(text: str) -> list[Block]:
    """Text in small grey letters."""
    return [{"type": "context", "elements": [_plain(piece)]} for piece in pieces(text)]


def lines(found: Iterable[Line]) -> list[Block]:
    """Lines as paragraphs and lists, in as many blocks as it takes."""
    made: list[Block] = []
    elements: list[Block] = []
    length = 0

    def close() -> None:
        nonlocal elements, length
        if elements:
            made.append(_rich(elements))
        elements, length = [], 0

    for line in found:
        mark = {"?": "❔ ", "!": "⚠️ "}.get(line.mark, "")
        for piece in pieces(mark + line.text, LONGEST_TEXT):
            if length + len(piece) > LONGEST_TEXT:
                close()
            length += len(piece)
            _add(elements, line, piece)
    close()
    return made


def _add(elements: list[Block], line: Line, piece: str) -> None:
    last = elements[-1] if elements else None
    if not (line.mark or line.depth):
        if last is not None and last["type"] == "rich_text_section":
            last["elements"].append(words(f"\n{piece}"))
        else:
            elements.append(_section([words(piece)]))
        return
    style = "ordered" if line.mark.rstrip(".").isdigit() else "bullet"
    indent = min(max(line.depth - 1, 0), 8)
    if last is None or last.get("style") != style or last.get("indent") != indent:
        last = {"type": "rich_text_list", "style": style, "indent": indent, "elements": []}
        if style == "ordered" and int(line.mark.rstrip(".")) > 1:
            last["offset"] = int(line.mark.rstrip(".")) - 1
        elements.append(last)
    last["elements"].append(_section([words(piece)]))


def addressed(blocks: Sequence[Block], user: str) -> list[Block]:
    """Blocks with who is meant before them."""
    return [_rich([_section([{"type": "user", "user_id": user}])]), *blocks]


@dataclass(frozen=True)
class Button:
    """A button; `style` is primary or danger."""

    label: str
    action: str
    value: str
    style: str | None = None


def buttons(found: Sequence[Button]) -> list[Block]:
    """Buttons in rows; what does not fit a label is cut, and a button whose value does not fit is left out."""
    made = [
        {
            "type": "button",
            "text": _plain(cut(button.label, LONGEST_LABEL)),
            "action_id": f"{cut(button.action, LONGEST_ACTION - 10)}:{number}",
            "value": button.value,
        }
        | ({"style": button.style} if button.style else {})
        for number, button in enumerate(found)
        if button.label.strip() and len(button.value) <= LONGEST_VALUE
    ]
    rows = [made[start : start + MOST_BUTTONS] for start in range(0, len(made), MOST_BUTTONS)]
    return [{"type": "actions", "elements": row} for row in rows]


def opinion(good: str, bad: str, action: str) -> Block:
    """Two thumbs."""

    def thumb(label: str, value: str) -> Block:
        return {"text": _plain(cut(label, LONGEST_LABEL)), "value": value}

    element = {
        "type": "feedback_buttons",
        "action_id": action,
        "positive_button": thumb(good, "good"),
        "negative_button": thumb(bad, "bad"),
    }
    return {"type": "context_actions", "elements": [element]}


def table(rows: Sequence[Sequence[str]]) -> list[Block]:
    """A table; the first row is its head, and figures stand on the right. What is too much of it is left out."""
    kept = [[cut(cell, LONGEST_CELL) or " " for cell in row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    width = max((len(row) for row in kept), default=0)
    if not width:
        return []
    lengths = accumulate(sum(map(len, row)) + width for row in kept)
    kept = [row for row, length in zip(kept, lengths, strict=True) if length <= LONGEST_TABLE]
    cells = [[{"type": "raw_text", "text": cell} for cell in [*row, *[" "] * (width - len(row))]] for row in kept]
    settings = [{"is_wrapped": column == 0, "align": "left" if column == 0 else "right"} for column in range(width)]
    return [{"type": "table", "column_settings": settings, "rows": cells}]


def text_of(block: Block) -> str:
    """All that a block says, for who sees no blocks; escaped."""
    match block["type"]:
        case "rich_text":
            return "\n".join(_text_of_rich(element) for element in block["elements"])
        case "context":
            return " ".join(escape(element["text"]) for element in block["elements"])
        case "actions":
            return " ".join(f"[{escape(button['text']['text'])}]" for button in block["elements"])
        case "table":
            head, *rows = ([escape(cell["text"]).strip() for cell in row] for row in block["rows"])
            return "\n".join(
                " · ".join(cell if not i else f"{head[i]} {cell}" for i, cell in enumerate(row) if cell) for row in rows
            )
        case _:
            return ""


def _text_of_rich(element: Block) -> str:
    if element["type"] == "rich_text_list":
        marks = ("•" if element["style"] == "bullet" else f"{n}." for n in count(element.get("offset", 0) + 1))
        indent = "    " * element["indent"]
        items = (_text_of_rich(item) for item in element["elements"])
        return "\n".join(f"{indent}{mark} {item}" for mark, item in zip(marks, items, strict=False))
    return "".join(f"<@{e['user_id']}> " if e["type"] == "user" else escape(e["text"]) for e in element["elements"])


def size(block: Block) -> int:
    """Characters that a block shows."""
    return len(text_of(block).replace(_ZERO_WIDTH, ""))


def messages(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks as messages that Slack takes: not too many, not too long, and one table in each at most."""
    made: list[list[Block]] = []
    length = tables = 0
    for block in blocks:
        own, is_table = size(block), block["type"] == "table"
        full = not made or len(made[-1]) >= MOST_BLOCKS or length + own > LONGEST_MESSAGE or (is_table and tables)
        if full:
            made.append([])
            length = tables = 0
        made[-1].append(block)
        length += own
        tables += is_table
    return made


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _section(elements: list[Block]) -> Block:
    return {"type": "rich_text_section", "elements": elements}


def _rich(elements: list[Block]) -> Block:
    return {"type": "rich_text", "elements": elements}
