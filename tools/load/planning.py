"""What a load test would do and cost, and the key that it may use."""

from __future__ import annotations

from pydantic import SecretStr

from knowledge.catalog import Catalog
from knowledge.errors import UserError
from knowledge.results.load import Limits, LoadPlan
from knowledge.wording import say
from tools.encoders.openai import DEFAULT_BASE_URL
from tools.load.address import Address
from tools.load.steps import WARM_REQUESTS
from tools.load.texts import Texts
from tools.profile import estimated_tokens
from tools.sending import price_of
from tools.workspace import Workspace


def plan_load(
    url: str, texts: Texts, limits: Limits, catalog: Catalog, *, protocol: str | None = None, model: str | None = None
) -> LoadPlan:
    """What testing an endpoint would do at most; it is not contacted.

    A price is looked up in the catalog where the endpoint is on another machine. One that is here, or whose model is on
    no price list, costs what its machine costs.

    Args:
        url: of the endpoint.
        texts: what would be sent.
        limits: of the test.
        catalog: where prices are.
        protocol: as far as it is known.
        model: as far as it is known.
    """
    address = Address.read(url)
    tokens = sum(map(estimated_tokens, texts.texts)) / len(texts.texts) * limits.requests
    usd, price = (0.0, None) if address.is_here else price_of(model, catalog)
    return LoadPlan(
        target=address.url,
        protocol=protocol,
        model=model,
        sends_text_to=None if address.is_here else address.host,
        origin=texts.origin,
        texts=len(texts.texts),
        requests=limits.requests,
        seconds=limits.seconds,
        tokens=round(tokens),
        usd=None if usd is None else usd * tokens / 1e6,
        price=price,
    )


def key_for(address: Address, workspace: Workspace) -> SecretStr | None:
    """The key that this endpoint may be given: the one for named endpoints, or OpenAI's where it is that endpoint."""
    if workspace.endpoint_api_key is not None:
        return workspace.endpoint_api_key
    try:
        known = Address.read(workspace.openai_base_url or DEFAULT_BASE_URL)
    except UserError:
        return None
    return workspace.openai_api_key if (known.root, known.port) == (address.root, address.port) else None


def enough(limits: Limits) -> None:
    """Raise UserError where the limits leave no room for a single step."""
    if limits.requests <= WARM_REQUESTS:
        raise UserError(
            say("{count} requests are too few: warming up takes {warm} of them.", count=limits.requests, warm=20),
            say("Allow more: --requests 1000."),
        )
    if limits.seconds < limits.step_seconds:
        raise UserError(
            say(
                "A limit of {limit:g} s leaves no room for a step of {step:g} s.",
                limit=limits.seconds,
                step=limits.step_seconds,
            ),
            say("Allow more time, or shorten the step: --seconds 2."),
        )
