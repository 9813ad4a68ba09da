"""All that is known of one model, as a record that doors hand out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from pydantic import RootModel, SerializerFunctionWrapHandler, model_serializer

from knowledge.catalog import Catalog
from knowledge.licensing import Chain, Use, license_chain
from knowledge.model_card import ModelCard
from knowledge.results import Record
from knowledge.scores import Scores
from knowledge.standing import Standing, standing_of
from knowledge.trust import Trust, trust_of
from knowledge.wording import Language


class CitedSource(Record):
    """Where a fact comes from, and the day it was known to hold."""

    title: str
    url: str | None
    date: dt.date


class StandingShown(Standing):
    """How established a model is, with one line that sums it up."""

    summary: str


class ModelShown(ModelCard):
    """A model's card, what is not known of it left out; `sources` has the source of each fact."""

    sources: dict[str, CitedSource]  # type: ignore[assignment] # the source itself instead of its id
    license_chain: Chain
    trust: Trust
    standing: StandingShown

    @model_serializer(mode="wrap")
    def _known(self, write: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def] # noqa: ANN202
        # without a return type, so that the JSON schema stays that of the fields
        written: dict[str, Any] = write(self)
        fields = type(self).model_fields
        return {name: v for name, v in written.items() if getattr(self, name) != fields[name].default}


class ModelsFound(RootModel[tuple[ModelCard, ...]]):
    """The cards of the models that were looked for."""


def shown_model(
    catalog: Catalog, scores: Scores, name: str, uses: Sequence[Use], language: Language, today: dt.date
) -> ModelShown:
    """All that is known of a model; raises UnknownModelError with the nearest names."""
    card = catalog.card(name)
    standing = standing_of(card, catalog, scores, today)
    known = [field for field, about in ModelCard.model_fields.items() if getattr(card, field) != about.default]
    sources = {field: catalog.source_of(card, field) for field in known if field != "sources"}
    facts = {field: getattr(card, field) for field in ModelCard.model_fields if field != "sources"}
    return ModelShown(
        **facts,
        sources={f: CitedSource(title=s.title, url=s.url, date=s.date) for f, s in sources.items()},
        license_chain=license_chain(card, catalog, tuple(uses)),
        trust=trust_of(card),
        standing=StandingShown(**standing.model_dump(), summary=standing.line().render(language)),
    )
