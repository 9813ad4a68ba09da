"""Texts of a like length together, as many as a budget of tokens holds: little padding, and batches of a like cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def batches(lengths: Sequence[int], budget: int, most: int | None = None) -> list[list[int]]:
    """Group texts by length.

    Args:
        lengths: tokens of each text.
        budget: most tokens in a batch, each text counted as long as the longest beside it; a longer one goes alone.
        most: most texts in a batch; None for as many as the budget holds.

    Returns:
        positions in `lengths`, longest texts first.
    """
    found: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        batch = found[-1] if found else []
        full = bool(batch) and (len(batch) + 1) * lengths[batch[0]] > budget
        if not batch or full or len(batch) == most:
            found.append([row])
        else:
            batch.append(row)
    return found


def part_of(features: dict[str, Any], rows: list[int]) -> dict[str, Any]:
    """Some rows of tokenised texts, without the columns that are padding in all of them."""
    import torch

    mask = features["attention_mask"]
    used = mask[rows].any(dim=0).nonzero().flatten().tolist() or [0]
    columns = slice(used[0], used[-1] + 1)

    def cut(value: Any) -> Any:
        if not torch.is_tensor(value) or not value.ndim or len(value) != len(mask):
            return value
        return value[rows][:, columns] if value.shape[:2] == mask.shape else value[rows]

    return {name: cut(value) for name, value in features.items()}
