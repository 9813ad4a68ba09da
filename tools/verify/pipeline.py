"""A deployed pipeline as it is asked: a text in, ids of documents out. It is a search address, or two parts of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from pydantic import SecretStr

from knowledge.wording import Text, say
from tools.deployed_collection import DeployedCollection
from tools.encoders import Vectors
from tools.encoders.base import cut
from tools.verify.calls import host_of, post
from tools.verify.embedding import Embedder, OddAnswerError, RefusedError

#: where ids are looked for in an answer, where the user does not say; a list of ids, or of objects with one
LISTS = ("ids", "results", "hits", "documents", "matches", "data")
IDS = ("id", "document", "document_id", "doc_id", "_id")


class Pipeline(Protocol):
    """Anything that searches."""

    @property
    def name(self) -> str:
        """Hosts and collection, without credentials."""
        ...

    @property
    def timed(self) -> bool:
        """Whether the time of a search is that of the deployment."""
        ...

    def prepare(self, texts: Sequence[str]) -> None:
        """These will be searched for, one by one; a model on this machine reads them together."""
        ...

    def search(self, text: str, k: int) -> list[str]:
        """Ids of at most k documents, best first.

        Raises:
            RefusedError: it answered that it will not.
            OddAnswerError: it answered nothing that can be read.
            ProviderError: it did not answer.
        """
        ...


@dataclass(frozen=True)
class SearchAddress:
    """A search service: ``POST URL {"query": TEXT, "limit": K}``, and ids in its answer.

    Attributes:
        query_field, limit_field: how the service calls the two.
        ids: where the ids are in its answer, such as ``hits.id``; None: where they usually are.
        extra: sent with every request.
    """

    url: str
    query_field: str = "query"
    limit_field: str = "limit"
    ids: str | None = None
    key: SecretStr | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    timed = True

    @property
    def name(self) -> str:
        """The host."""
        return host_of(self.url)

    def prepare(self, texts: Sequence[str]) -> None:
        """Nothing: a service takes one query at a time."""

    def search(self, text: str, k: int) -> list[str]:
        headers = {"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {}
        answer = post(self.url, {**self.extra, self.query_field: text, self.limit_field: k}, headers)
        if not answer.ok:
            raise RefusedError(self.name, answer)
        found = ids_in(answer.body, self.ids)
        if found is None:
            raise OddAnswerError(
                say("No list of ids is in what {host} answers: {text}", host=self.name, text=answer.text[:120]),
                say("Say where they are: --ids hits.id for objects with an id in a list called hits."),
            )
        return found[:k]


#: of vectors that do not fit a collection
MISFIT_REMEDY = say("Embed queries with the model that filled the collection, or fill it with the one that is used.")


@dataclass(frozen=True)
class Parts:
    """What makes vectors, and the collection that is searched with them: what an application puts together.

    Attributes:
        prompt: put before queries.
        normalise: whether vectors are brought to unit length before they are searched with; they are whenever they
            have to be cut to the collection's dimension.
    """

    embedder: Embedder
    collection: DeployedCollection
    prompt: str = ""
    normalise: bool = True

    @property
    def name(self) -> str:
        """Both."""
        return f"{self.embedder.name} + {self.collection.about.name}"

    @property
    def timed(self) -> bool:
        """A model here answers from a cache."""
        return self.embedder.served

    def prepare(self, texts: Sequence[str]) -> None:
        if not self.embedder.served:
            self.embedder.embed([self.prompt + text for text in texts])

    def asked(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries as they are searched with."""
        made = self.embedder.embed([self.prompt + text for text in texts])
        return cut(made, self.collection.about.dimension, normalise=self.normalise)

    def misfit(self, vectors: Vectors) -> Text:
        """What is said of vectors that are too short for the collection."""
        return say(
            "Queries get vectors of {has} numbers from {name}, and the collection holds vectors of {wanted}: another "
            "model filled it.",
            has=vectors.shape[1],
            name=self.embedder.name,
            wanted=self.collection.about.dimension,
        )

    def search(self, text: str, k: int) -> list[str]:
        vector = self.asked([text])
        if vector.shape[1] != self.collection.about.dimension:
            raise OddAnswerError(self.misfit(vector), MISFIT_REMEDY)
        if not np.isfinite(vector).all():
            raise OddAnswerError(
                say("The vector of a query is not made of numbers."), say("Look at the embedding server's log.")
            )
        return self.collection.search(vector, k)[0]


def ids_in(body: Any, path: str | None = None) -> list[str] | None:
    """The ids in an answer; None where there is no list of them."""
    if path is not None:
        names = path.split(".")
        return _at(body, names)
    if isinstance(body, list):
        return _listed(body)
    if isinstance(body, dict):
        for name in LISTS:
            if isinstance(body.get(name), list):
                return _listed(body[name])
    return None


def _at(body: Any, names: Sequence[str]) -> list[str] | None:
    if isinstance(body, list):
        if not names:
            return _listed(body)
        inner = [_at(one, names) for one in body]
        return None if any(one is None for one in inner) else [id for one in inner for id in one or ()]
    if not names:
        return None if body is None or isinstance(body, dict | bool) else [str(body)]
    return _at(body.get(names[0]), names[1:]) if isinstance(body, dict) else None


def _listed(items: Sequence[Any]) -> list[str] | None:
    found = []
    for item in items:
        one = next((item[name] for name in IDS if name in item), None) if isinstance(item, dict) else item
        if isinstance(one, bool) or not isinstance(one, str | int):
            return None
        found.append(str(one))
    return found
