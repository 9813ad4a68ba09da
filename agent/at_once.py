"""Messages that do not wait for their turn while something runs."""

from __future__ import annotations

from agent.answering.subjects import subject_of
from agent.understanding.lexicon import load_lexicon

#: characters of a question that is answered while something runs
SHORT = 100


def asks_to_stop(text: str) -> bool:
    """Whether a message that comes while something runs is meant to end that."""
    words = text.casefold().strip().strip(".!。！ ")
    return words in load_lexicon().tables["terms"]["stop"]["yes"]


def answers_at_once(text: str) -> bool:
    """Whether a message does not wait while something runs: it ends that, or asks how long it will take."""
    return asks_to_stop(text) or (len(text) <= SHORT and subject_of(text) == "duration")
