"""The folder of a transformers model: found, and refused where loading it would run or unpickle what is in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from knowledge.candidate import Leg
from knowledge.errors import MissingExtraError, UnknownModelError
from knowledge.wording import Text, say
from tools import hub
from tools.encoders.base import Resolved, hash_folder
from tools.workspace import Workspace

#: names of other libraries' classes for which sentence-transformers has its own and takes that
ALIASED = frozenset({"pylate.models.Dense.Dense"})


def needs_library(leg: Leg) -> None:
    """Raise MissingExtraError where sentence-transformers is not installed."""
    if find_spec("sentence_transformers") is None:
        raise MissingExtraError(
            say("{spec} needs sentence-transformers, which is not installed.", spec=leg.spec),
            say("Install it with: pip install '{extra}'.", extra="embedding-advisor[local]"),
        )


def find(leg: Leg, workspace: Workspace) -> hub.Found:
    """The model's files: a folder the leg names, else what `hub.find` finds; never one that wants to run code.

    Raises:
        UnknownModelError: there is no such model, or not in a form that is safe to load.
        HubUnreachableError, ProviderError: as `hub.find`.
    """
    folder = Path(leg.name).expanduser()
    if folder.is_dir():
        found = hub.Found(folder.resolve(), "files:" + hash_folder(folder.resolve())[:16])
    elif leg.name.startswith((".", "/", "~")):
        raise UnknownModelError(
            say("There is no model folder {folder}.", folder=leg.name),
            say(
                "Give a folder that holds config.json and model.safetensors, or a hub id such as {example}.",
                example="intfloat/multilingual-e5-small",
            ),
        )
    else:
        found = hub.find(leg.name, leg.revision, workspace)
    if found.path is not None:
        _refuse_foreign_code(leg.name, found.path)
    return found


def must_be(resolved: Resolved, model_type: str, modules: str, architectures: Sequence[str], what: Text) -> None:
    """Refuse a model of another kind: loaded as this one it would get weights at random, and its figures be noise.

    Args:
        resolved: the model; one that is not on this disk yet is taken at its word.
        model_type: what sentence-transformers calls the kind in its own configuration.
        modules: what occurs in the names of the modules of such models.
        architectures: how the names of such models' classes end.
        what: the kind, in words.

    Raises:
        UnknownModelError: it is of another kind.
    """
    if resolved.path is None:
        return
    folder = Path(resolved.path)
    own = read_json(resolved.model, folder, "config_sentence_transformers.json", dict)
    types = [
        str(m.get("type", "")) for m in read_json(resolved.model, folder, "modules.json", list) if isinstance(m, dict)
    ]
    classes = read_json(resolved.model, folder, "config.json", dict).get("architectures") or []
    if (
        own.get("model_type") == model_type
        or any(modules in name or name in ALIASED for name in types)
        or (not types and any(str(name).endswith(tuple(architectures)) for name in classes))
    ):
        return
    raise UnknownModelError(
        say("{model} is not {what}: nothing in its files makes what one gives.", model=resolved.model, what=what),
        say("Measure it as what it is, such as {spec}.", spec=f"st:{resolved.model}"),
    )


def origin(model: str, found: hub.Found) -> Text | None:
    """What to say of where the weights came from; None where they are the model's own."""
    if found.package:
        return say(
            "{model}: not fetched from the hub; the weights in the installed package {package} are used.",
            model=model,
            package=found.revision,
        )
    return None


def read_json(model: str, folder: Path | None, name: str, form: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """One of the model's own files; an empty `form` where it is missing."""
    file = (folder or Path()) / name
    if folder is None or not file.is_file():
        return form()
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, form):
        raise UnknownModelError(
            say("{model}: {file} is broken.", model=model, file=str(file)),
            say("Fetch or save the model again."),
        )
    return found


def _refuse_foreign_code(model: str, folder: Path) -> None:
    """A local folder's modules.json can name any Python class, and `trust_remote_code=False` does not stop it."""
    weights = list(folder.rglob("*.safetensors"))
    types = [
        str(m.get("type", "") if isinstance(m, dict) else m) for m in read_json(model, folder, "modules.json", list)
    ]
    foreign = [name for name in types if not name.startswith("sentence_transformers.") and name not in ALIASED]
    if foreign:
        raise UnknownModelError(
            say("{model} wants to run code of its own ({name}), which is never done.", model=model, name=foreign[0]),
            say("Choose a model that needs no code of its own."),
        )
    pickled = [f for f in folder.rglob("pytorch_model*.bin") if not any(w.parent == f.parent for w in weights)]
    if pickled and weights:
        raise UnknownModelError(
            say("{model}: {file} holds pickled weights, which are never loaded.", model=model, file=str(pickled[0])),
            say("Save the model with save_pretrained(), which writes model.safetensors."),
        )
    if not weights:
        raise UnknownModelError(
            say("{model}: the folder {folder} holds no safetensors weights.", model=model, folder=str(folder)),
            say("Save the model with save_pretrained(), which writes model.safetensors."),
        )
