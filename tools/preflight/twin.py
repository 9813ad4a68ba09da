"""The model behind an endpoint, where a copy of it is on this machine."""

from __future__ import annotations

from dataclasses import replace

from knowledge.candidate import Leg
from knowledge.errors import AdvisorError
from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import say
from tools import encoders, encoding
from tools.encoders import Encoder, Resolved
from tools.preflight.parity import served_findings
from tools.preflight.prompts import Prompts
from tools.workspace import Workspace


def twin_of(resolved: Resolved, card: ModelCard | None, workspace: Workspace) -> Resolved | None:
    """The same model on this disk; nothing is downloaded or asked for."""
    if resolved.local:
        return None
    for name in dict.fromkeys((resolved.model, card.model if card else resolved.model)):
        if name.startswith((".", "/", "~")):
            continue  # a name that somebody else chose is no path of this machine
        try:
            found = encoders.resolve(Leg(backend="st", name=name), replace(workspace, offline=True))
        except AdvisorError:
            continue
        if found.on_disk:
            return found
    return None


def compare_with_twin(
    encoder: Encoder, twin: Resolved, prompts: Prompts, texts: list[str], workspace: Workspace
) -> list[Finding]:
    """What an endpoint serves, against the model here; with and without the model's prompt for documents.

    Raises:
        AdvisorError: either of the two failed.
    """
    served = encoder.embed(texts, kind="document")
    bare = twin.model_copy(update={"prompts": {"query": "", "document": ""}})
    findings = _against(bare, served, texts, workspace)
    prompt = prompts.used[1]
    if not prompt:
        return findings
    with_prompt = _against(twin, served, texts, workspace)
    if not with_prompt:
        return []
    if not findings:
        return [
            Finding(
                check="served",
                severity="warns",
                finding=say(
                    "The endpoint serves {model} without the prompt “{prompt}” that it wants before documents.",
                    model=twin.model,
                    prompt=prompt,
                ),
                remedy=say("Find out whether the endpoint adds prompts; many servers add none unless told to."),
                figures=with_prompt[0].figures,
            )
        ]
    return findings


def _against(model: Resolved, served: encoders.Vectors, texts: list[str], workspace: Workspace) -> list[Finding]:
    encoding.ensure(model, {"document": texts}, workspace)
    return served_findings(model.model, served, encoding.vectors(model, texts, "document", workspace))
