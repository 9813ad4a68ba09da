"""The machine we are on: cores, memory (a container's limit counts), GPUs."""

from __future__ import annotations

import os
import platform
from importlib.util import find_spec
from pathlib import Path

from knowledge.results import Hardware


def this_machine() -> Hardware:
    """Describe this machine."""
    return Hardware(
        cpu=_cpu_name(),
        cores=usable_cores(),
        memory_gb=round(memory_limit_bytes() / 2**30, 1),
        gpus=_gpus(),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    )


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_limit_bytes() -> int:
    """Memory of the machine, or of the container where that is less."""
    import psutil

    total = int(psutil.virtual_memory().total)
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        limit = Path(path)
        text = limit.read_text("ascii").strip() if limit.is_file() else ""
        if text.isdecimal():
            total = min(total, int(text))
    return total


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    if find_spec("pynvml") is None:
        return ()
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(pynvml.nvmlDeviceGetCount())
        ]
        return tuple(n.decode() if isinstance(n, bytes) else n for n in names)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()
