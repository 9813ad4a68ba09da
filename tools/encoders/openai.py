"""`openai:` any OpenAI-compatible embeddings endpoint. The texts leave this machine for `Workspace.openai_base_url`.

A smaller dimension is cut from the full vector here, which is what the API's own ``dimensions`` parameter does to the
text-embedding-3 models (OpenAI, "New embedding models and API updates", 2024-01-25), so every dimension costs one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import numpy as np

from knowledge.candidate import Leg
from knowledge.errors import ProviderError, UserError
from knowledge.wording import say
from tools import editions
from tools.encoders.base import Form, Kind, Resolved, Vectors, hash_files
from tools.stopping import unless_stopped
from tools.workspace import Workspace

FORM: Form = "dense"
OPTIONS: frozenset[str] = frozenset()
DEFAULT_BASE_URL = "https://api.openai.com/v1"
#: the API's limits: 2,048 inputs and about 300,000 tokens a request; a token is at least one character
MAX_CHARACTERS = 250_000
MAX_RETRIES = 6


def check(leg: Leg) -> None:
    """See `Backend`: no option of its own, so nothing more to check."""


def resolve(leg: Leg, workspace: Workspace) -> Resolved:
    """Name the endpoint; it is not contacted before there is consent."""
    base_url = workspace.openai_base_url or DEFAULT_BASE_URL
    return Resolved(
        spec=leg.spec,
        backend=leg.backend,
        model=leg.name,
        revision=None,
        # nothing tells which weights answer there: where it was seen that they changed, another edition began
        fingerprint=editions.current(hash_files([("openai", leg.name), ("url", base_url)]), workspace.home),
        prompts={"query": "", "document": ""},
        endpoint=_host(base_url),
    )


def lacks_key(resolved: Resolved, workspace: Workspace) -> bool:
    """Whether it is OpenAI's own endpoint, which answers nobody without a key; others may want none."""
    return resolved.endpoint == _host(DEFAULT_BASE_URL) and workspace.openai_api_key is None


def _host(base_url: str) -> str:
    """Who would receive the texts: host and port, without a password that the address may hold."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise UserError(
            say("“{url}” is not the address of an endpoint.", url=base_url),
            say("Set OPENAI_BASE_URL to an address such as {example}.", example="http://localhost:11434/v1"),
        )
    return f"{host}:{port}" if port else host


class OpenAIEncoder:
    """An endpoint, through the openai SDK (which waits as long as Retry-After says before it tries again)."""

    def __init__(self, model: str, workspace: Workspace) -> None:
        from openai import OpenAI

        key = workspace.openai_api_key
        self._host = _host(workspace.openai_base_url or DEFAULT_BASE_URL)
        self._model = model
        self.tokens: int = 0
        # endpoints on one's own machines often need no key, but the SDK insists on a string
        self._client = OpenAI(
            base_url=workspace.openai_base_url or DEFAULT_BASE_URL,
            api_key=key.get_secret_value() if key else "none",
            max_retries=MAX_RETRIES,
            timeout=60.0,
        )

    def embed(self, texts: Sequence[str], *, kind: Kind, batch_size: int = 256) -> Vectors:
        batches: list[list[str]] = [[]]
        for text in texts:
            full = len(batches[-1]) >= batch_size or sum(map(len, batches[-1])) + len(text) > MAX_CHARACTERS
            if batches[-1] and full:
                batches.append([])
            batches[-1].append(text or " ")  # the API refuses empty strings
        vectors = [vector for batch in batches if batch for vector in self._ask(batch)]
        try:
            return np.asarray(vectors, dtype=np.float32)
        except (ValueError, TypeError) as error:  # vectors of several lengths, or not of numbers
            raise _failed(self._model, self._host, error) from error

    def _ask(self, batch: list[str]) -> list[list[float]]:
        import openai

        try:
            # "float" rather than the SDK's default base64, which not every compatible server speaks
            response = unless_stopped(
                lambda: self._client.embeddings.create(model=self._model, input=batch, encoding_format="float"),
                abandon=self._client.close,  # or its SDK would go on trying
            )
            found = [item.embedding for item in sorted(response.data, key=lambda item: item.index)]
            self.tokens += response.usage.total_tokens if response.usage else 0
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:  # the latter: not such an answer
            raise _failed(self._model, self._host, error) from error
        if len(found) != len(batch):
            raise ProviderError(
                say(
                    "{host} returned {got} vectors for {sent} texts.", host=self._host, got=len(found), sent=len(batch)
                ),
                say("Check that {model} is an embedding model of this endpoint.", model=self._model),
            )
        return found


def _failed(model: str, host: str, error: Exception) -> ProviderError:
    import openai

    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        hint = say("Set OPENAI_API_KEY to a key that may use this model.")
    elif isinstance(error, openai.NotFoundError):
        hint = say("Check the model's name, and OPENAI_BASE_URL.")
    elif isinstance(error, openai.BadRequestError):
        hint = say("Most likely a text is too long for this model: split the documents, and try again.")
    elif isinstance(error, openai.RateLimitError):
        hint = say("Wait, or raise the quota, and try again: what was encoded is kept.")
    else:
        hint = say("Check OPENAI_BASE_URL and the network, and try again: what was encoded is kept.")
    why = (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(".")
    return ProviderError(say("{host} failed for {model}: {why}.", host=host, model=model, why=why), hint)


def load(resolved: Resolved, workspace: Workspace | None = None) -> OpenAIEncoder:
    """Open the endpoint with the workspace's key."""
    assert workspace
    return OpenAIEncoder(resolved.model, workspace)
