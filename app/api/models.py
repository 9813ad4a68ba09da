"""`/v1/models`: the catalog, and the advisor itself for clients that look for a chat model."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.api.documented import problems
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import not_found
from app.api.records import ModelItem, ModelList, ModelRecord
from app.api.rendering import answer
from app.api.service import Lang, Reader, Use
from knowledge.errors import UnknownModelError
from knowledge.licensing import USES, license_chain
from knowledge.model_card import ModelCard
from knowledge.standing import standing_of
from knowledge.trust import trust_of

router = APIRouter(tags=["models"])
#: what the advisor is called where a chat model is wanted
ADVISOR = "embedding-advisor"
_ADVISOR = ModelItem(id=ADVISOR, created=0, owned_by=ADVISOR)


@router.get("/v1/models", responses={200: {"model": ModelList}, **problems()})
def list_models(
    service: Use,
    caller: Reader,
    language: Lang,
    q: str = Query("", max_length=200, description="Words of the name, publisher or base."),
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Search the catalog."""
    found = [*([] if q.strip() else [_ADVISOR]), *map(_item, service.advisor.context.catalog.search(q, 10**6))]
    start = place_of(cursor) or 0
    following = cursor_of(start + limit) if start + limit < len(found) else None
    return answer(ModelList(data=found[start : start + limit], next_cursor=following), language)


@router.get("/v1/openai/models", responses={200: {"model": ModelList}, **problems()})
def list_chat_models(caller: Reader, language: Lang) -> JSONResponse:
    """The models that `/v1/openai/chat/completions` serves: the advisor, for chat clients that list what there is."""
    return answer(ModelList(data=[_ADVISOR], next_cursor=None), language)


@router.get("/v1/models/{name:path}", responses={200: {"model": ModelRecord}, **problems(404)})
def show_model(name: str, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """All that is known of a model, by its name as the list has it."""
    catalog = service.advisor.context.catalog
    try:
        card = catalog.card(name)
    except UnknownModelError as error:
        refusal = not_found(error.cause)
        refusal.next_step = error.next_step
        raise refusal from error
    facts = card.model_dump(mode="json", exclude_defaults=True, exclude={"sources"})
    sources = {field: catalog.source_of(card, field) for field in facts}
    standing = standing_of(card, catalog, service.advisor.context.scores, dt.date.today())
    words = {"language": language}
    record = ModelRecord(
        card=facts,
        sources={f: {"title": s.title, "url": s.url or "", "date": str(s.date)} for f, s in sources.items()},
        license_chain=license_chain(card, catalog, tuple(USES)).model_dump(mode="json", context=words),
        trust=trust_of(card).model_dump(mode="json", context=words),
        standing=standing.model_dump(mode="json") | {"summary": standing.line().render(language)},
    )
    return answer(record, language)


def _item(card: ModelCard) -> ModelItem:
    released = card.release_date
    return ModelItem(
        id=card.model,
        created=int(dt.datetime.combine(released, dt.time(), dt.UTC).timestamp()) if released else 0,
        owned_by=card.organisation,
        parameters=card.parameters,
        dimension=card.dimension,
        max_tokens=card.max_tokens,
        license=card.license,
        languages=list(card.languages),
        is_api=card.is_api,
    )
