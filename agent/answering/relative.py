"""Demands that are relative to what there is: “half the storage”, “twice as fast”, “内存减半”."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Of = Literal["storage", "memory", "latency"]

#: what of it is left, by how it is said
_SHARES = (
    (0.1, r"\b(?:a|one) tenth\b|十分之一"),
    (0.25, r"\b(?:a |one )?(?:quarter|fourth)\b|四分之一"),
    (1 / 3, r"\b(?:a |one )?third\b|三分之一"),
    (0.5, r"\bhal(?:f|ves?|ved|ving)\b|\b50 ?%|一半|减半|砍半|折半|半价|\btwice as (?:fast|small|quick)|快一倍|两倍快"),
)
_OF: tuple[tuple[Of, str], ...] = (
    ("storage", r"storage|\bdis[ck]\b|\bindex|vectors?\b|dimensions?\b|\bspace\b|存储|磁盘|硬盘|索引|空间|向量|维度"),
    ("memory", r"\bmemory\b|\bram\b|内存|显存"),
    ("latency", r"latency|\btime\b|\bfast|\bquick|响应|延迟|时延|快一倍|两倍快|\bms\b"),
)


@dataclass(frozen=True)
class Relative:
    """So much of what there is now.

    Attributes:
        share: 0 to 1.
    """

    of: Of
    share: float


def read_relative(words: str) -> Relative | None:
    """What a sentence demands in terms of what there is; None where it does not."""
    lowered = words.lower()
    share = next((share for share, pattern in _SHARES if re.search(pattern, lowered)), None)
    of = next((of for of, pattern in _OF if re.search(pattern, lowered)), None)
    return Relative(of, share) if of and share else None
