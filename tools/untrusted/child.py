"""The child's side: limits itself, parses what strangers handed over, and writes the copy that others read."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from knowledge.results import DatasetSummary
from tools.datasets import preview_dataset, read_dataset
from tools.untrusted.copy import Damaged, read_summary, write_copy
from tools.untrusted.task import ADDRESS_MB, FILE_BYTES, LIMITS, PROCESSOR_SECONDS, Task


def work(payload: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Make the copy, or a preview; raises DatasetError for what is wrong with the data, a preview says it."""
    del tell
    limit_process()
    gc.disable()  # nothing here is circular, and looking for it in ten million parsed objects takes longer than parsing
    task = Task.model_validate(payload)
    os.chdir(task.folder)
    path = Path(task.name)

    def copied() -> DatasetSummary:
        with contextlib.suppress(Damaged):
            return read_summary(task.copy_to)
        found = read_dataset(path, columns=task.columns, skip_bad=task.skip_bad, limits=LIMITS)
        write_copy(found, task.copy_to)
        return found.summary

    if not task.look:
        copied()
        return {}
    seen = preview_dataset(path, columns=task.columns, skip_bad=task.skip_bad, limits=LIMITS, read=copied)
    return seen.model_dump(mode="json")


def limit_process() -> None:
    """Give this process only so much memory, processor time and disk, where the system can (Windows cannot)."""
    if sys.platform == "win32":
        return
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, ADDRESS_MB * 2**20),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS knows some of them by name only
            resource.setrlimit(kind, (least, least))
