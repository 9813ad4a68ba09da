"""What the routes work with, and who calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from agent.advisor import Advisor
from app.api.metrics import Metrics
from app.api.problems import ProblemError, not_found
from app.api.turns import Turns
from app.jobs import Jobs
from app.uploads import Uploads
from knowledge.wording import Language, say
from tools.job_store import JobStore, MadeAlreadyError, Once, Thing
from tools.key_store import SCOPES, KeyStore


@dataclass
class Service:
    """The one engine, and what belongs to whom.

    Attributes:
        local: whether only this machine reaches the server.
        keyless: whether whoever reaches it needs no key, as long as none was made.
        uploads: where finished uploads are kept; unfinished ones are beside them.
        warm: set once the first caller would not wait for anything to be loaded.
    """

    advisor: Advisor
    store: JobStore
    keys: KeyStore
    jobs: Jobs
    turns: Turns
    uploads: Uploads
    metrics: Metrics
    local: bool
    keyless: bool
    warm: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Caller:
    """Who calls; `rate`: requests a minute, None: as many as he likes."""

    owner: str
    scopes: frozenset[str]
    rate: int | None = None


#: on a machine that has made no keys, whoever sits at it
LOCAL = Caller(owner="local", scopes=frozenset(SCOPES))
_BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key made with `advisor keys add NAME`.")


# these are coroutines, although they wait for nothing: FastAPI would call others in a thread each


async def service_of(request: Request) -> Service:
    """The service of this application."""
    found: Service = request.app.state.service
    return found


def needing(scope: str) -> Callable[..., Awaitable[Caller]]:
    """Whoever calls, if his key is good for this. That it is a key was seen before (`Gate`)."""

    async def caller(request: Request, _: Annotated[Any, Security(_BEARER)]) -> Caller:
        found: Caller = request.scope["state"]["caller"]
        if scope not in found.scopes:
            raise ProblemError(
                "missing-scope",
                say("Your key lacks the scope “{scope}”.", scope=scope),
                say("Ask for a key with it: advisor keys add NAME --scope {scope}.", scope=scope),
            )
        return found

    return caller


async def language_of(request: Request) -> Language:
    """The language of the answer, by Accept-Language."""
    found: Language = request.scope["state"]["language"]
    return found


Use = Annotated[Service, Depends(service_of)]
Reader = Annotated[Caller, Depends(needing("read"))]
Writer = Annotated[Caller, Depends(needing("write"))]
Measurer = Annotated[Caller, Depends(needing("measure"))]
Observer = Annotated[Caller, Depends(needing("metrics"))]
Lang = Annotated[Language, Depends(language_of)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Name of this request: sent again with the same name, it is done once.",
    ),
]


def once(key: str | None, request: Request, body: BaseModel) -> Once | None:
    """What makes a request the same as another one of its key."""
    if key is None:
        return None
    # a secret is hashed with the rest and shows in no dump
    content = json.dumps([request.url.path, body.model_dump(mode="json", context={"secrets": True})], sort_keys=True)
    return Once(key, hashlib.sha256(content.encode()).hexdigest())


def made_before(service: Service, caller: Caller, wanted: Once | None) -> str | None:
    """The id of what the same request made before; a problem where the key was used for another one."""
    found = service.store.made(caller.owner, wanted.key) if wanted else None
    if wanted is None or found is None:
        return None
    if found.fingerprint != wanted.fingerprint:
        raise ProblemError(
            "key-used-otherwise",
            say("This Idempotency-Key came with another request before."),
            say("Use a new key for a new request, and the same only to repeat one unchanged."),
        )
    return found.id


def make_once(service: Service, caller: Caller, wanted: Once | None, make: Callable[[], str]) -> str:
    """Make something unless the same request has made it; returns its id."""
    found = made_before(service, caller, wanted)
    if found is not None:
        return found
    try:
        return make()
    except MadeAlreadyError:  # in this moment
        found = made_before(service, caller, wanted)
        if found is None:
            raise
        return found


def own(service: Service, caller: Caller, kind: str, name: str) -> Thing:
    """Something of the caller's; a problem where there is none, or it is another's."""
    found = service.store.thing(kind, name, caller.owner)
    if found is None:
        raise not_found(name, f"/v1/{kind}s")
    return found
