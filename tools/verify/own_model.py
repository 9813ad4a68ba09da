"""The recommended encoder, where it is on this machine: what a deployment's vectors are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.candidate import Leg, parse_candidate
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import AdvisorError, UnknownModelError
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say
from tools import encoders
from tools.encoders import Kind, Resolved, Vectors
from tools.encoding import ensure, vectors
from tools.preflight.model_files import ModelFiles
from tools.preflight.prompts import prompts_of
from tools.workspace import Workspace


@dataclass(frozen=True)
class OwnModel:
    """One encoder of single vectors.

    Attributes:
        leg: how it is used.
        prompts: that it puts before queries and before documents.
    """

    leg: Leg
    resolved: Resolved
    prompts: tuple[str, str]
    workspace: Workspace

    def decided(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Finished vectors as the evaluation had them, not cut; most are in the cache."""
        return self._made(self.resolved, texts, kind)

    def with_prompts(self, prompts: Sequence[str], texts: Sequence[str]) -> dict[str, Vectors]:
        """The same with other prompts, by prompt; all are encoded at once."""
        bare = self.resolved.model_copy(update={"prompts": {"query": "", "document": ""}})
        ensure(bare, {"document": [prompt + text for prompt in prompts for text in texts]}, self.workspace)
        return {prompt: self._made(bare, [prompt + text for text in texts], "document") for prompt in prompts}

    def used(self, made: Vectors) -> Vectors:
        """Vectors as they are searched: cut to the leg's dimension."""
        return encoders.finish(made, self.leg, self.resolved)

    def prompt(self, kind: Kind) -> str:
        """That it puts before a kind of text."""
        return self.prompts[kind == "document"]

    def _made(self, resolved: Resolved, texts: Sequence[str], kind: Kind) -> Vectors:
        ensure(resolved, {kind: list(texts)}, self.workspace)
        return encoders.cut(vectors(resolved, texts, kind, self.workspace), None, normalise=resolved.normalise)


def own_model(spec: str, workspace: Workspace) -> OwnModel | Text:
    """The encoder of a set-up, or why there is none to compare with; nothing is downloaded or asked for."""
    candidate = parse_candidate(spec)
    legs = [leg for leg in candidate.searched if leg.backend != "bm25" and _is_dense(leg)]
    if len(legs) != 1:
        return say("{spec} has not one encoder of single vectors, so no vectors can be compared.", spec=spec)
    try:
        resolved = encoders.resolve(legs[0], replace(workspace, offline=True))
    except AdvisorError as error:
        return error.cause
    if not resolved.local or not resolved.on_disk:
        return say("{spec} is not on this machine, so its vectors cannot be compared.", spec=legs[0].spec)
    files = ModelFiles(Path(resolved.path) if resolved.path else None)
    found = prompts_of(resolved, files, _card(resolved.model, workspace), None)
    return OwnModel(legs[0], resolved, found.used, workspace)


def _is_dense(leg: Leg) -> bool:
    return encoders.backend(leg.backend).FORM == "dense"


def _card(model: str, workspace: Workspace) -> ModelCard | None:
    try:
        return usable_catalog(workspace.home).catalog.card(model)
    except UnknownModelError:
        return None
