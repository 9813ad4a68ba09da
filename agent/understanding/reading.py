"""What every reader of one message needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agent.understanding.findings import Finding
from agent.understanding.numbers import Quantity
from agent.understanding.utterance import Hit, Utterance
from knowledge.requirements import Requirements
from knowledge.wording import Language, Text


@dataclass
class Reading:
    """One message while it is read.

    Attributes:
        requirements: those before it.
        asked: what the open question is about, if one is.
    """

    utterance: Utterance
    requirements: Requirements
    asked: str | None
    language: Language
    quantities: list[Quantity]
    _counted: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for quantity in self.quantities:
            self._counted.update(range(quantity.start, quantity.end))

    def counted(self, hit: Hit) -> bool:
        """Whether a word only says what a number counts: "1M searches per day"."""
        return (hit.end - 1 if hit.shaped else hit.start) in self._counted

    def use(self, hit: Hit) -> str:
        """Mark a hit as understood; its words."""
        self.utterance.use(hit.start, hit.end)
        return self.utterance.words(hit.start, hit.end)

    def because(self, rule: Text) -> str:
        """A rule in the language of the message."""
        return rule.render(self.language)


Reader = Callable[[Reading], Iterator[Finding]]
