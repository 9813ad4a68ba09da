"""`/v1/models`: the catalog, and the advisor itself for clients that look for a chat model."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.api.documented import problems
from app.api.given import ModelItem, ModelList
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import ProblemError
from app.api.rendering import answer
from app.api.service import Lang, Reader, Use
from app.model_view import ModelShown, shown_model
from knowledge.errors import UnknownModelError
from knowledge.licensing import USES
from knowledge.model_card import ModelCard

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


@router.get("/v1/models/{name:path}", responses={200: {"model": ModelShown}, **problems(404)})
def show_model(name: str, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """All that is known of a model, by its name as the list has it."""
    context = service.advisor.context
    try:
        found = shown_model(context.catalog, context.scores, name, tuple(USES), language, dt.date.today())
    except UnknownModelError as error:
        raise ProblemError("not-found", error.cause, error.next_step) from error
    return answer(found, language)


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
