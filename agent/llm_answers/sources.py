"""The sources that a templated answer cites: they go with the answer, whoever words it."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.wording import Text

#: the sentence that names them, as ``agent.note_answers`` says it
_CITES = "Source: {sources}."


def sources_of(answer: Text) -> Iterator[Text]:
    """The sentences of an answer that cite, in order."""
    if answer.template == _CITES:
        yield answer
        return
    for value in answer.values.values():
        if isinstance(value, Text):
            yield from sources_of(value)
