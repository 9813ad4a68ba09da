"""Long answers: what answers the question and some lines of evidence, and the rest for who asks for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledge.guidance import load_notes
from knowledge.results import Row
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.state import State

LINES = Text(template="\n")
#: the answer itself and so many lines of what it rests on
MOST = 7


def lines_of(told: Text) -> list[Text]:
    """The lines that an answer was joined of; an answer is written with the most telling line first."""
    return [line for part in _parts(told, LINES.template) for line in lines_of(part)] or [told]


def sentences_of(told: Text) -> list[Text]:
    """The sentences that a paragraph was joined of."""
    return [sentence for part in _parts(told, " ") for sentence in sentences_of(part)] or [told]


def shortened(told: Text) -> tuple[Text, Text | None]:
    """An answer short enough to be read at once, and what was left out of it; None: nothing."""
    lines = lines_of(told)
    if len(lines) <= MOST + 1:  # the line that says how to have the rest is one too
        return told, None
    return join([*lines[:MOST], say("Say “more” for the rest.")], LINES), join(lines[MOST:], LINES)


def cite(row: Row, figure: str) -> str:
    """The evidence of a candidate's figure, to be written behind it; empty where there is none."""
    found = row.cites.get(figure)
    return f" ({found})" if found else ""


def background(note: str, state: State) -> Text:
    """The note that tells of the matter in general, by its title."""
    title = load_notes()[note].title.in_language(state.get("language", "en"))
    return say("In general: ask for “{title}” (note “{id}”).", title=Text.model_validate(title), id=note)


def _parts(told: Text, glue: str) -> list[Text]:
    """What `join` made the text of with this separator; nothing where it did not."""
    names = [f"p{i}" for i in range(len(told.values))]
    if not names or told.template != glue.join(f"{{{name}}}" for name in names):
        return []
    return [part for name in names if isinstance(part := told.values[name], Text)]
