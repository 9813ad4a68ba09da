"""Which protocol does a server speak, and which model does it serve: no text is sent to find out, nothing embedded."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pydantic import SecretStr

from knowledge.errors import ProviderError, UserError
from knowledge.wording import say
from tools.load.address import Address
from tools.load.endpoint import NO_KEY, Endpoint
from tools.load.http import Client
from tools.load.protocols import protocol_names, wire
from tools.load.protocols.base import Wire
from tools.load.target import RequestFailed

#: seconds a server has for each question
PATIENCE = 10.0
#: one that speaks several is asked in the one that tells most of its own time, then the commonest
ORDER = ("tei", "openai", "ollama", "infinity")


class KeyWanted(ProviderError):
    """The server tells nothing without a key, or with this one."""


def open_endpoint(
    url: str, *, protocol: str | None = None, model: str | None = None, key: SecretStr | None = None
) -> Endpoint:
    """An endpoint ready to be asked. What was not said is found out; no text is sent, and nothing is embedded.

    Args:
        url: of the server, with or without the path of its embedding requests.
        protocol: one of `protocol_names`; None: find out.
        model: as the server calls it; None: the only one it serves.
        key: of the endpoint.

    Raises:
        UserError: an address or a protocol that there is not; several models, and none was named.
        ProviderError: the server cannot be reached, or speaks none of the protocols.
    """
    address = Address.read(url)
    if protocol is None:  # the address itself may say it: that of the longest path that fits
        fits = [name for name in protocol_names() if address.path.endswith(wire(name).path)]
        protocol = max(fits, key=lambda name: len(wire(name).path), default=None)
    served: list[str] | None = None
    if protocol is None:
        protocol, served = asyncio.run(_find(address, key))
    spoken = wire(protocol)
    address = _below(address, spoken)
    if model is None:
        if served is None:
            served = asyncio.run(_ask(address, protocol, key))
        model = _only(served, spoken, address)
    return Endpoint(address, spoken, protocol, model, key)


def _below(address: Address, spoken: Wire) -> Address:
    """The address without what the protocol adds by itself: all of its path, or the beginning of that (/v1)."""
    beginning = "/" + spoken.path.split("/")[1] if spoken.path.count("/") > 1 else None
    for end in (spoken.path, beginning):
        if end and address.path.endswith(end):
            path = address.path.removesuffix(end)
            return Address(root=address.root, path=path, host=address.host, port=address.port)
    return address


async def _find(address: Address, key: SecretStr | None) -> tuple[str, list[str]]:
    """The first protocol in which the server tells what it serves."""
    known = protocol_names()
    names = (*(name for name in ORDER if name in known), *(name for name in known if name not in ORDER))
    locked: ProviderError | None = None
    lost: list[RequestFailed] = []
    async with Client(address, key) as client:
        for name in names:
            try:
                served = await _names(client, _below(address, wire(name)), wire(name))
            except KeyWanted as refused:  # one that guards one protocol may tell what it serves in another
                locked = locked or refused
                continue
            except RequestFailed as failed:
                if failed.kind in ("TLS", "no connection"):
                    raise
                lost.append(failed)
                continue
            if served is not None:
                return name, served
    if locked is not None:
        raise locked
    if len(lost) == len(names):  # it answers nothing at all: asked by http what wants https, for one
        raise lost[0]
    raise ProviderError(
        say("{url} speaks none of the protocols that are known here.", url=address.url),
        say("Name the one it speaks: --protocol {names}, and --model.", names=" | ".join(protocol_names())),
    )


async def _ask(address: Address, protocol: str, key: SecretStr | None) -> list[str]:
    async with Client(address, key) as client:
        return await _names(client, address, wire(protocol)) or []


async def _names(client: Client, address: Address, spoken: Wire) -> list[str] | None:
    """What it says that it serves; None where it does not answer in this protocol.

    Raises:
        KeyWanted: it wants a key, or another one.
        RequestFailed: it cannot be asked.
        ProviderError: it does not answer in time.
    """
    url = address.url + spoken.names_path
    try:
        async with asyncio.timeout(PATIENCE):
            reply = await client.ask("GET", address.path + spoken.names_path)
        if reply.status in NO_KEY:
            raise KeyWanted(
                say("{url} answered {status}: it wants a key, or another one.", url=url, status=reply.status),
                say("Set ADVISOR_ENDPOINT_API_KEY to a key that may use this endpoint."),
            )
        answer: Any = json.loads(reply.content) if reply.status == 200 else None
    except TimeoutError as error:
        raise ProviderError(
            say("{url} cannot be asked: {why}", url=url, why=type(error).__name__),
            say("Check that the server runs, and its address."),
        ) from error
    except (ValueError, RecursionError):
        return None
    try:
        return spoken.names(answer)
    except (KeyError, IndexError, TypeError):
        return None


def _only(served: list[str], spoken: Wire, address: Address) -> str:
    """The model, where there is no doubt which."""
    if len(served) == 1:
        return served[0]
    if not spoken.wants_model:
        return ""
    if not served:
        raise UserError(
            say("{url} does not say which models it serves.", url=address.url), say("Name one: --model NAME.")
        )
    raise UserError(
        say("{url} serves {count} models.", url=address.url, count=len(served)),
        say("Name one: --model {names}.", names=" | ".join(served[:10])),
    )
