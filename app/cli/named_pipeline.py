"""A deployed pipeline as `advisor verify` is told of it: a search address, or what embeds and a collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from app.cli.mistyped import usage_error
from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import SpecError
from knowledge.results import Consent
from knowledge.results.handover import Handover
from knowledge.wording import say
from tools import encoders
from tools.deployed_collection import deployed_collection
from tools.encoders import Resolved
from tools.evaluate import obtain
from tools.load.address import Address
from tools.load.planning import key_for
from tools.load.probing import open_endpoint
from tools.verify.embedding import Embedder, Here, Served
from tools.verify.own_model import OwnModel, own_model
from tools.verify.pipeline import Parts, Pipeline, SearchAddress
from tools.verify.planning import Target
from tools.workspace import Workspace


@dataclass(frozen=True)
class Service:
    """A search address, and how it is spoken to."""

    url: str
    query_field: str
    limit_field: str
    ids: str | None

    @cached_property
    def address(self) -> Address:
        """Where it is."""
        return Address.read(self.url)

    def target(self, handover: Handover, workspace: Workspace) -> Target:
        """What would be asked; nothing is contacted."""
        return Target(self.address.authority, served=True, sends_text_to=_away(self.address), collection=False)

    def check(self, workspace: Workspace) -> None:
        """Refuse what its words alone show to be wrong."""
        _ = self.address

    @contextmanager
    def opened(self, handover: Handover, workspace: Workspace, consent: Consent) -> Iterator[Pipeline]:
        """Ready to be asked."""
        key = key_for(self.address, workspace)
        yield SearchAddress(self.url, self.query_field, self.limit_field, self.ids, key)


@dataclass(frozen=True)
class Built:
    """An embedding server, or a model here, and a collection."""

    endpoint: str | None
    encoder: str | None
    protocol: str | None
    model: str | None
    query_prompt: str | None
    milvus: str | None
    collection: str | None
    vector_field: str | None
    id_field: str | None

    def target(self, handover: Handover, workspace: Workspace) -> Target:
        """What would be asked; nothing is contacted.

        Raises:
            SpecError: the decision is more than one search.
            MistypedError: no collection, or no Milvus.
        """
        _, collection = self._collection(handover, workspace)
        if self.endpoint:
            address = Address.read(self.endpoint)
            name, served, host, model = address.authority, True, _away(address), self.model
        else:
            leg, resolved = self._encoder(workspace)
            name, served, host, model = leg.spec, False, resolved.endpoint, resolved.model
        return Target(f"{name} + {collection}", served=served, sends_text_to=host, collection=True, model=model)

    def check(self, workspace: Workspace) -> None:
        """Refuse what its words alone show to be wrong."""
        if self.endpoint:
            Address.read(self.endpoint)
        else:
            self._encoder(workspace)

    @contextmanager
    def opened(self, handover: Handover, workspace: Workspace, consent: Consent) -> Iterator[Pipeline]:
        """Ready to be asked, the collection loaded."""
        uri, name = self._collection(handover, workspace)
        embedder = self._embedder(workspace, consent)
        token = workspace.milvus_token.get_secret_value() if workspace.milvus_token else ""
        prompt = self.query_prompt
        if prompt is None:
            own = own_model(handover.spec, workspace)
            prompt = own.prompts[0] if isinstance(own, OwnModel) else ""
        normalise = all(leg.normalised for leg in handover.legs)
        with deployed_collection(
            uri, name, token=token, vector_field=self.vector_field, id_field=self.id_field
        ) as collection:
            yield Parts(embedder, collection, prompt, normalise)

    def _collection(self, handover: Handover, workspace: Workspace) -> tuple[str, str]:
        if not isinstance(parse_candidate(handover.spec), Leg):
            raise SpecError(
                say("{spec} is more than one search, and a collection is one.", spec=handover.spec),
                say("Give the address of the whole: --search-url."),
            )
        uri, name = self.milvus or workspace.milvus_uri, self.collection or handover.collection
        if not uri or not name:
            raise usage_error(say("name the Milvus and the collection: --milvus and --collection"))
        return uri, name

    def _embedder(self, workspace: Workspace, consent: Consent) -> Embedder:
        if self.endpoint:
            key = key_for(Address.read(self.endpoint), workspace)
            return Served(open_endpoint(self.endpoint, protocol=self.protocol, model=self.model, key=key), key)
        leg, resolved = self._encoder(workspace)
        return Here(leg, obtain(resolved, leg, workspace, consent), workspace)

    def _encoder(self, workspace: Workspace) -> tuple[Leg, Resolved]:
        leg = parse_candidate(self.encoder or "")
        if not isinstance(leg, Leg) or leg.backend == "bm25" or encoders.backend(leg.backend).FORM != "dense":
            raise SpecError(
                say("{spec} does not make one vector of a text.", spec=(self.encoder or "")[:200]),
                say("Name an encoder such as st:MODEL or static:MODEL."),
            )
        encoders.check(leg)
        return leg, encoders.resolve(leg, workspace)


def only_one(search_url: str | None, endpoint: str | None, encoder: str | None, collection: str | None) -> None:
    """One way to reach a pipeline has to be named, and no two."""
    if search_url is not None and (endpoint or encoder or collection):
        raise usage_error(say("--search-url is a whole pipeline: leave out --endpoint, --encoder and --collection"))
    if search_url is None and bool(endpoint) == bool(encoder):
        raise usage_error(say("name the pipeline: --search-url, or --endpoint (or --encoder) with --collection"))


def _away(address: Address) -> str | None:
    return None if address.is_here else address.host
