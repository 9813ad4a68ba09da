"""Ways of saying something that have a gap in them: “match ... with”, “把 ... 归到一起”.

The lexicon holds words that stand side by side; a shape holds words with others between them. In a shape ``<name>`` is
any word of that class, ``a|b`` one of two, ``..`` up to two and ``...`` up to six other words of the same clause,
``~`` up to twelve of the same sentence, and ``!a|b`` says what may not follow. A quotation counts as one word of a
gap. They are data: ``shapes.json`` of ``knowledge/data``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.understanding.tokens import Token, tokenise

_BREAK = "\u00b6"
#: no gap goes over the end of a clause
_ENDS = r".;:!?。；！？：()（）\u00b6"
#: what somebody is quoted with, as one word of a gap
_QUOTED = r'(?:" (?:[^ "\u00b6]+ ){1,30}" )'
#: a gap, what it does not go over, and how many words it has at most
_GAPS = {"..": (_ENDS + ",，", 2), "...": (_ENDS + ",，", 6), "~": (_ENDS, 12)}


@dataclass(frozen=True)
class _Shape:
    """One shape, and the words one of which it begins with."""

    category: str
    value: str
    written: str
    first: frozenset[str]
    pattern: re.Pattern[str]


class Shapes:
    """All shapes by category and value.

    Args:
        tables: category to value to shapes.
        classes: the words of each class, joined by ``|``.
        stops: words that no gap goes over.
    """

    def __init__(
        self, tables: Mapping[str, Mapping[str, Sequence[str]]], classes: Mapping[str, str], stops: Sequence[str]
    ) -> None:
        self._classes = classes
        stopping = "|".join(re.escape(" ".join(token.stem for token in tokenise(words))) for words in stops)
        self._gaps = {
            part: rf"(?:{_QUOTED}|(?!(?:{stopping}) )[^ {ends}][^ ]* ){{0,{most}}}?"
            for part, (ends, most) in _GAPS.items()
        }
        self._shapes = [
            self._compiled(category, value, written)
            for category, table in tables.items()
            for value, shapes in table.items()
            for written in shapes
        ]
        #: every word of every shape
        self.vocabulary = {
            word
            for text in (*classes.values(), *(shape.written for shape in self._shapes))
            for token in tokenise(text)
            for word in (token.text, token.stem)
        }

    def _compiled(self, category: str, value: str, written: str) -> _Shape:
        parts = written.split()
        first = frozenset(words.split(" ")[0] for words in self._words(parts[0]))
        written_out = (self._part(part, then) for part, then in zip(parts, [*parts[1:], ""], strict=True))
        pattern = re.compile("(?<![^ ])" + "".join(written_out))
        return _Shape(category, value, written, first, pattern)

    def _part(self, part: str, then: str) -> str:
        if part in self._gaps:
            return self._gaps[part]
        forbidden = part.startswith("!")
        words = "|".join(re.escape(word) for word in sorted(self._words(part.lstrip("!")), key=len, reverse=True))
        if forbidden:
            return rf"(?!(?:{words}) )"
        whole = "(?>" if then.startswith("!") else "(?:"  # 图片!描述 does not begin with 图 instead
        return f"{whole}{words}) "

    def _words(self, part: str) -> list[str]:
        """The words that a part stands for, each as its stems joined by spaces."""
        named = [self._classes[word[1:-1]] if word[0] == "<" else word for word in part.split("|")]
        written = (word.replace("_", " ") for words in named for word in words.split("|"))
        return [" ".join(token.stem for token in tokenise(word)) for word in written]

    def find(self, tokens: Sequence[Token], sentences: Sequence[int]) -> Iterator[tuple[str, str, str, int, int]]:
        """(category, value, shape, start, end) of the shapes in a text."""
        pieces: list[str] = []
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        at = 0
        for i, token in enumerate(tokens):
            if i and sentences[i] != sentences[i - 1]:
                pieces.append(_BREAK)
                at += 2
            starts[at] = i
            pieces.append(token.stem)
            at += len(token.stem) + 1
            ends[at] = i + 1
        text, present = " ".join((*pieces, "")), {token.stem for token in tokens}
        for shape in self._shapes:
            if shape.first.isdisjoint(present):
                continue
            for match in shape.pattern.finditer(text):
                yield shape.category, shape.value, shape.written, starts[match.start()], ends[match.end()]
