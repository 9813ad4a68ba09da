"""Are the vectors short enough for the index?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Verdict
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say


class DimensionConstraint(ConstraintBase):
    """The vectors must have at most `max_dimension` numbers; a Matryoshka dimension at or under it will do."""

    kind: Literal["dimension"] = "dimension"
    max_dimension: int = Field(gt=0)

    question: ClassVar[Text] = say("How long may a vector be?")
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Up to 384 dimensions (least storage)"), parameters={"max_dimension": 384}),
        Answer(label=say("Up to 1,024 dimensions"), parameters={"max_dimension": 1024}),
        Answer(label=say("No limit"), parameters=None, likelihood=6.0),
    )

    def describe(self) -> Text:
        return say("at most {limit:,} dimensions", limit=self.max_dimension)

    def check(self, card: ModelCard) -> Verdict:
        if card.architecture == ("sparse",):
            return Verdict(outcome="met", reason=say("its vectors are sparse: only the words that occur are stored"))
        if card.architecture == ("cross-encoder",):
            return Verdict(outcome="met", reason=say("a reranker stores no vectors"))
        fitting = [d for d in card.matryoshka_dimensions if d <= self.max_dimension]
        if card.dimension is not None and card.dimension <= self.max_dimension:
            return Verdict(outcome="met", reason=say("{dimension:,} dimensions", dimension=card.dimension))
        if fitting:
            return Verdict(
                outcome="met", reason=say("made to be cut to {dimension:,} dimensions", dimension=max(fitting))
            )
        if card.dimension is None:
            return Verdict(outcome="unknown", reason=say("its dimension is not known"))
        if card.matryoshka_dimensions:
            return Verdict(
                outcome="violated",
                reason=say(
                    "made to be cut to {smallest:,} dimensions at least, you allow {limit:,}",
                    smallest=min(card.matryoshka_dimensions),
                    limit=self.max_dimension,
                ),
            )
        return Verdict(
            outcome="violated",
            reason=say(
                "{dimension:,} dimensions, you allow {limit:,}, and it is not known to be made for cutting",
                dimension=card.dimension,
                limit=self.max_dimension,
            ),
        )
