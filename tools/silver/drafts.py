"""What a document could be asked by its own words, and the document that is then left to be found.

Most drafts take a part out of their document, so that the query is no piece of its answer:

- ``title``: the title, for the text below it;
- ``heading``: a section's heading, for the document without that line;
- ``question``: a question that a document opens with (FAQ), or has for its title, for the answer;
- ``sentence``: a sentence, for the document without it (the inverse cloze task; Lee, Chang and Toutanova, "Latent
  Retrieval for Weakly Supervised Open Domain Question Answering", ACL 2019).

A ``phrase``, a few words in a row, stays in its document, as in a search for something that one remembers (known-item
queries; Azzopardi, de Rijke and Balog, "Building Simulated Queries for Known-Item Topics", SIGIR 2007).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Literal

from tools.pipeline.scripts import UNSPACED
from tools.profile import estimated_tokens, terms
from tools.silver.sentences import headings, is_question, opening_question, plain_question, sentences, without

Kind = Literal["title", "heading", "question", "sentence", "phrase", "written"]
#: estimated tokens that must be left of a document, that a sentence has at least, and that a query has at most
LEAST_LEFT, SHORTEST, LONGEST = 16, 6, 64
#: words of a phrase, at least and at most; twice as many characters where a script has no blanks
WORDS = (4, 9)
#: a document is looked at for sentences no further than this
CHARACTERS = 20_000
_PIECE = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True)
class Draft:
    """A query, the document that answers it, and what is left of that document without the query."""

    document: str
    kind: Kind
    query: str
    left: str


@dataclass(frozen=True)
class Part:
    """A part of a document that could be a query; `left` makes the text without it, which may be long."""

    document: str
    kind: Kind
    query: str
    left: Callable[[], str]

    def draft(self) -> Draft | None:
        """The draft, if what is left is enough to be found."""
        draft = Draft(self.document, self.kind, self.query, self.left())
        length = estimated_tokens(draft.left[:CHARACTERS])
        return draft if length >= max(LEAST_LEFT, estimated_tokens(self.query)) else None


def parts(document: str, text: str, title: str = "") -> Iterator[Part]:
    """The parts of a document that are no fragments, of every kind but phrases.

    Args:
        document: its id.
        text: the whole text, a title first where there is one.
        title: that title, or nothing.
    """
    for kind, query, left in _taken_out(text, title):
        shortest = SHORTEST if kind == "sentence" else 2
        if shortest <= estimated_tokens(query) <= LONGEST and terms(query):
            yield Part(document, kind, query, left)


def _taken_out(text: str, title: str) -> Iterator[tuple[Kind, str, Callable[[], str]]]:
    body = text[len(title) :].strip() if title and text.startswith(title) else text
    if title and body:
        yield "question" if is_question(title) else "title", plain_question(title), lambda: body
    opening = opening_question(body)
    if opening is not None:
        question, answer = opening
        yield "question", question, lambda: f"{title} {answer}".strip()
    looked_at = body[:CHARACTERS]
    lines = []
    for start, end, words in headings(looked_at):
        lines.append((start, end))
        kind: Kind = "question" if is_question(words) else "heading"
        yield kind, plain_question(words), partial(without, text, *_shifted(text, body, start, end))
    for start, end in sentences(looked_at):
        if not any(a <= start and end <= b for a, b in lines):
            yield "sentence", body[start:end], partial(without, text, *_shifted(text, body, start, end))


def _shifted(text: str, body: str, start: int, end: int) -> tuple[int, int]:
    """Where in the whole text stands what stands there in its body, the end of it."""
    before = len(text.rstrip()) - len(body.rstrip())
    return start + before, end + before


def phrase(document: str, text: str, chosen: Random, telling: Callable[[str], int]) -> Draft | None:
    """A phrase of one of a document's sentences, the stretch of it that tells most; None where no sentence has one.

    Args:
        document: its id.
        text: its text.
        chosen: chooses the sentence and the phrase's length.
        telling: how many words of a text tell of what it is about.
    """
    looked_at = text[:CHARACTERS]
    found = [looked_at[a:b] for a, b in sentences(looked_at) if estimated_tokens(looked_at[a:b]) >= SHORTEST]
    if not found:
        return None
    sentence = chosen.choice(found)
    pieces = [match.span() for match in _PIECE.finditer(sentence)]
    unspaced = sum(_UNSPACED.match(sentence, start) is not None for start, _ in pieces) > len(pieces) / 2
    length = chosen.randint(*WORDS) * (2 if unspaced else 1)
    stretches = [
        sentence[pieces[first][0] : pieces[first + length - 1][1]] for first in range(len(pieces) - length + 1)
    ]
    best = max(stretches, key=telling, default="")
    return Draft(document, "phrase", best, text) if telling(best) >= 2 else None
