"""Texts of a like length together, as many as a budget of tokens holds: little padding, and batches of a like cost."""

from __future__ import annotations

from collections.abc import Sequence

#: tokens in a batch, padding counted. On a CPU small batches stay in its caches: MiniLM's documents of 237 tokens a
#: second of one core in ONNX Runtime fp32 at 512, 1,024 and 4,096 tokens: 27, 25 and 23; int8: 54, 51, 43; torch fp32
#: at 1,024 and 4,096: 13.2 and 12.4. A GPU wants to be filled: no measurement of ours yet.
CPU_TOKENS, GPU_TOKENS = 1024, 32_768


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
