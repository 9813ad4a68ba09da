"""Sentences, headings and questions of a text, in any script: no word lists, no ASCII, no blanks taken for granted."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: a full stop ends a sentence where a blank and no small letter follow: not inside 3.5, example.org or "J. Smith"
_STOP = r"(?<!\b\w)[.](?=\s+(?![a-zß-öø-ÿа-я])|\s*$)|[!?؟।॥።…]+(?=\s|$|[\"'”’»)\]])|[。！？]+[”’」』）》]*"
#: scripts whose sentences end in a blank: Thai, Lao, Khmer (which also has a mark of its own), Myanmar
_BLANK = r"(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\s+(?=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])|[។၊။]"
_END = re.compile(rf"(?:{_STOP}|{_BLANK}|\n+)[\"'”’»)\]]*")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(?P<text>\S.*?)(?:[ \t]+#+)?[ \t]*$", re.M)
_QUESTION_MARK = re.compile(r"[?？؟\u037e՞]\s*[\"'”’」』]?\s*$")
_LABEL = {
    "question": re.compile(r"^\s*(?:[QqF]|Question|Frage|Pregunta|问题?|問題?|提问|質問)\s*\d*\s*[:：.、]\s*"),
    "answer": re.compile(r"^\s*(?:A|Answer|Antwort|Respuesta|R[ée]ponse|答案?|回答|解答)\s*\d*\s*[:：.、]\s*"),
}


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a text begins and ends, without the white space around it."""
    start = 0
    for mark in _END.finditer(text):
        yield from _trimmed(text, start, mark.end())
        start = mark.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    part = text[start:end]
    if part.strip():
        yield start + len(part) - len(part.lstrip()), end - (len(part) - len(part.rstrip()))


def without(text: str, start: int, end: int) -> str:
    """The text without what stands there; what stood around it is still apart."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if not before or not after:
        return before or after
    gap = text[len(before) : start] + text[end : len(text) - len(after)]
    return before + ("\n" if "\n" in gap else " " if gap.strip() != gap else "") + after


def headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Markdown headings: where the line begins and ends, and what it says."""
    for mark in _HEADING.finditer(text):
        yield mark.start(), mark.end(), mark["text"].strip()


def opening_question(text: str) -> tuple[str, str] | None:
    """The question that a text opens with, and the text after it; None where it opens with none."""
    first = next(sentences(text), None)
    if first is None or not is_question(text[slice(*first)]):
        return None
    answer = _LABEL["answer"].sub("", text[first[1] :].strip(), count=1)
    return plain_question(text[slice(*first)]), answer.strip()


def is_question(text: str) -> bool:
    """Whether it ends in a question mark of any script."""
    return _QUESTION_MARK.search(text) is not None


def plain_question(text: str) -> str:
    """Without “Q:” and its like."""
    return _LABEL["question"].sub("", text, count=1).strip()
