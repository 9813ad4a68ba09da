"""GPU utilisation and memory while a step runs, as NVIDIA's driver tells them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self

from knowledge.results.load import GpuUse
from tools.hardware import gpu_parts


class GpuWatch:
    """The GPUs of this machine; of a divided one (MIG) its slices, whose utilisation the driver does not tell.

    Args:
        nvml: the module `pynvml`, started.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self._handles = gpu_parts(nvml)
        self._used: list[list[int]] = [[] for _ in self._handles]
        self._memory = [0.0 for _ in self._handles]

    @classmethod
    def here(cls) -> Self | None:
        """Of this machine; None without GPU, driver or library."""
        if find_spec("pynvml") is None:
            return None
        import pynvml

        try:
            pynvml.nvmlInit()
            watch = cls(pynvml)
        except pynvml.NVMLError:
            return None
        if watch._handles:
            return watch
        watch.close()
        return None

    def look(self) -> None:
        """Look once."""
        for i, handle in enumerate(self._handles):
            try:
                self._memory[i] = max(self._memory[i], self._nvml.nvmlDeviceGetMemoryInfo(handle).used / 2**20)
                self._used[i].append(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
            except self._nvml.NVMLError:  # not told of this one, or not now
                continue

    def take(self) -> tuple[GpuUse, ...]:
        """What was seen since the last time."""
        found = tuple(self._use(i) for i in range(len(self._handles)))
        self._used = [[] for _ in self._handles]
        self._memory = [0.0 for _ in self._handles]
        return found

    def close(self) -> None:
        """Let go of the driver."""
        self._nvml.nvmlShutdown()

    def _use(self, i: int) -> GpuUse:
        name = self._nvml.nvmlDeviceGetName(self._handles[i])
        used = self._used[i]
        return GpuUse(
            name=name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name),
            utilisation_mean=round(sum(used) / len(used), 1) if used else None,
            utilisation_max=max(used) if used else None,
            memory_mb=round(self._memory[i], 1),
        )
