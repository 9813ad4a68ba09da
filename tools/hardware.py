"""The machine we are on: cores, memory (a container's limit counts), GPUs."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from knowledge.fit import Gpu, Machine
from knowledge.results import Hardware

#: what MiniLM-sized encoders reach on common server cores; halved or doubled by the machine, so an estimate only
FLOPS_PER_CORE = 25e9


def seconds_to_encode(parameters: float, tokens: float, cores: int) -> float:
    """About how long an encoder of so many running parameters takes: two operations for each of them and each token."""
    return 2 * parameters * tokens / (FLOPS_PER_CORE * cores)


def this_machine() -> Hardware:
    """Describe this machine."""
    return Hardware(
        cpu=_cpu_name(),
        cores=usable_cores(),
        memory_gb=round(memory_limit_bytes() / 2**30, 1),
        gpus=tuple(gpu.name for gpu in gpus()),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def machine() -> Machine:
    """This machine as what a model may or may not fit (``knowledge.fit``)."""
    return Machine(ram_gb=round(memory_limit_bytes() / 1e9, 1), gpus=gpus())


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_limit_bytes(root: Path = Path("/")) -> int:
    """Memory of the machine, or of the container where that is less.

    Args:
        root: where the system's files are looked for.
    """
    import psutil

    total = int(psutil.virtual_memory().total)
    return min([total, *_control_group_limits(root)])


def _control_group_limits(root: Path) -> Iterator[int]:
    """The limits of the control groups this process is in, and of those around them; version 2 and version 1."""
    groups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers == "":
            yield from _limits(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits(groups / "memory", path, "memory.limit_in_bytes")
    # inside a container the group's own path may be that of the host, while its files are mounted at the top
    yield from _limits(groups, "/", "memory.max")
    yield from _limits(groups / "memory", "/", "memory.limit_in_bytes")


def _limits(mount: Path, group: str, name: str) -> Iterator[int]:
    parts = [part for part in group.split("/") if part not in ("", ".", "..")]
    for depth in range(len(parts), -1, -1):
        text = _text(mount.joinpath(*parts[:depth]) / name).strip()
        if text.isdecimal() and int(text) > 0:
            yield int(text)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@cache
def cpu_features(info: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the processor's instruction set has, in the kernel's words; empty where that is not told.

    Args:
        info: the kernel's description of the processors.
    """
    lines = (line.partition(":") for line in _text(info).splitlines())
    named = (value for name, _, value in lines if name.strip() in ("flags", "Features"))  # x86 and ARM
    return frozenset(next(named, "").split())


def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs that a process here could use, as their driver tells; none without driver or library."""
    if find_spec("pynvml") is None:
        return ()
    import pynvml

    return read_gpus(pynvml)


def read_gpus(nvml: Any) -> tuple[Gpu, ...]:
    """The GPUs that an NVML library tells of; of a divided one (MIG) its slices, each a GPU of its own.

    Args:
        nvml: the module `pynvml`.
    """
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return ()
    try:
        return tuple(found for part in gpu_parts(nvml) if (found := _gpu(nvml, part)) is not None)
    except nvml.NVMLError:
        return ()
    finally:
        nvml.nvmlShutdown()


def gpu_parts(nvml: Any) -> list[Any]:
    """Handles of the GPUs, and of the slices of those that are divided (MIG).

    Args:
        nvml: the module `pynvml`, started.
    """
    handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    return [part for handle in handles for part in _parts(nvml, handle)]


def _parts(nvml: Any, handle: Any) -> list[Any]:
    try:
        divided = nvml.nvmlDeviceGetMigMode(handle)[0] == nvml.NVML_DEVICE_MIG_ENABLE
    except nvml.NVMLError:  # most cards cannot be divided
        divided = False
    if not divided:
        return [handle]
    slices = []
    for i in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            slices.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, i))
        except nvml.NVMLError:  # an unused place
            continue
    return slices


def _gpu(nvml: Any, handle: Any) -> Gpu | None:
    """One GPU; None where its memory is not told, as of a broken one."""
    try:
        name, memory = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError:
        return None
    name = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
    if memory.total <= 0:
        return None
    return Gpu(name=name, memory_gb=round(memory.total / 1e9, 1), free_gb=round(memory.free / 1e9, 1))
