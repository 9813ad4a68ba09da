"""Lines broken to the width of a terminal: between words, and between characters where a script has no spaces.

A terminal by itself breaks wherever a line is full: in the middle of a word, and back at its left edge. Chinese and
its like take two columns a character, and may be broken between any two of them, but not before a mark that closes
nor after one that opens (the core of JLREQ's and CLREQ's rules).
"""

from __future__ import annotations

import re

#: narrower than that, nothing is gained
NARROWEST = 20

_WIDE = r"\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
_CLOSES = r"，。、；：？！）】》」』〉”’…,.;:?!)\]}%"
_OPENS = r"（【《「『〈“‘(\[{"
#: what stays on one line: a wide character or a word, with the marks that belong to it; or the space between
_PIECE = re.compile(rf"[ \t]+|[{_OPENS}]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[{_CLOSES}]*|\S")
#: how a line begins: what its other lines are set in by
_MARK = re.compile(r"\s*(?:(?:[·?!+→–✓-]|\d+\.)\s+)?")


def wrapped(text: str, width: int) -> str:
    """The text with no line wider than `width` columns, but for words that are wider themselves."""
    if width < NARROWEST:
        return text
    return "\n".join("\n".join(_lines(line, width)) for line in text.split("\n"))


def _lines(line: str, width: int) -> list[str]:
    from rich.cells import cell_len

    if cell_len(line) <= width:
        return [line]
    mark = _MARK.match(line)
    head = mark[0] if mark else ""
    indent = " " * min(cell_len(head), width // 2)
    made, now, used = [], head, cell_len(head)
    for piece in _PIECE.findall(line[len(head) :]):
        size = cell_len(piece)
        if used + size > width and now.strip() and now != head:
            made.append(now.rstrip())
            now, used = indent, len(indent)
            if piece.isspace():
                continue
        now, used = now + piece, used + size
    return [*made, now.rstrip()]
