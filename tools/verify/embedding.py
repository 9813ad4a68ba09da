"""What makes vectors of queries in a deployment: an embedding server (protocols of `tools.load`), or a model here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from pydantic import SecretStr

from knowledge.candidate import Leg
from knowledge.errors import ProviderError
from knowledge.wording import say
from tools.encoders import Resolved, Vectors, finish
from tools.encoding import ensure, vectors
from tools.load.endpoint import NO_KEY, Endpoint
from tools.load.protocols import wire
from tools.verify.calls import Answer, post
from tools.workspace import Workspace


class RefusedError(ProviderError):
    """A server answered that it will not; `status` is what it answered with."""

    def __init__(self, host: str, answer: Answer) -> None:
        super().__init__(
            say("{host} answered {status}: {text}", host=host, status=answer.status, text=answer.text[:200]),
            say("Set ADVISOR_ENDPOINT_API_KEY to a key that may use this endpoint.")
            if answer.status in NO_KEY
            else say("Check the address, the model's name and the key."),
        )
        self.status = answer.status


class OddAnswerError(ProviderError):
    """A server answered with something that cannot be used."""


#: that somebody is there, whatever is wrong
ANSWERED = (RefusedError, OddAnswerError)


class Embedder(Protocol):
    """What makes vectors."""

    @property
    def name(self) -> str:
        """As it is shown."""
        ...

    @property
    def served(self) -> bool:
        """Whether a server makes them, so that its time counts."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors as they are made, shape (texts, dimension): not cut, not normalised, no prompt put before."""
        ...


class Served:
    """A server that makes vectors of texts as they are sent, one a request."""

    served = True

    def __init__(self, endpoint: Endpoint, key: SecretStr | None) -> None:
        self._wire, self._model = wire(endpoint.protocol), endpoint.model
        self._url, self.name = endpoint.address.url + self._wire.path, endpoint.name
        self._host = endpoint.address.host
        self._headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = [self._ask(text) for text in texts]
        if len({len(row) for row in rows}) > 1:
            raise self._odd()
        return np.asarray(rows, dtype=np.float32)

    def _ask(self, text: str) -> Vectors:
        answer = post(self._url, self._wire.request(text, self._model), self._headers)
        if not answer.ok:
            raise RefusedError(self._host, answer)
        try:
            found = np.asarray(self._wire.vector(answer.body), dtype=np.float32)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise self._odd() from error
        if found.ndim != 1 or not len(found):
            raise self._odd()
        return found

    def _odd(self) -> OddAnswerError:
        return OddAnswerError(
            say("What {host} answers is no vector of a text, or vectors of several lengths.", host=self._host),
            say("Check the address, --protocol and --model."),
        )


class Here:
    """A model on this machine, through the vector cache, cut as its leg says; prompts are the caller's."""

    served = False

    def __init__(self, leg: Leg, resolved: Resolved, workspace: Workspace) -> None:
        self._leg, self._workspace = leg, workspace
        self._bare = resolved.model_copy(update={"prompts": {"query": "", "document": ""}})
        self.name = leg.spec

    def embed(self, texts: Sequence[str]) -> Vectors:
        ensure(self._bare, {"query": list(texts)}, self._workspace)
        return finish(vectors(self._bare, texts, "query", self._workspace), self._leg, self._bare)
