"""Near-duplicate tasks: translations, subsets, corrected versions and rerankings of one source, in one group.

A model trained on one of them has seen the others, and a figure on one says little that the others do not. The groups
that are known stay as they are; a task that is new joins one by rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tools.catalog_build.rows import Row

#: what the names of near-duplicates differ in, from their ends
_TAILS = re.compile(
    r"(\.?v\d+|HardNegatives|Decontaminated|Lite|Retrieval|Reranking|Multilingual|RR|-?reranking"
    r"|[-_.]?(?:Fa|NL|PL|VN|KR|ko|Ko|Ja|ja|zh|Zh|ar|Ar|de|De|fr|Fr|es|Es|ru|Ru|tr|Tr|en|En))$",
    re.IGNORECASE,
)
_HEADS = re.compile(r"^(MultilingualNano|Nano|HUME|Multilingual)")


def root(name: str) -> str:
    """A task's name without what near-duplicates differ in.

    ``NanoSciFactRetrieval``, ``SciFact-PL`` and ``SciFactHardNegatives.v2`` are all ``scifact``. Suffixes that may be
    part of a word (``en`` of ``Kitchen``) only count after a hyphen, underscore or dot.
    """
    left = _HEADS.sub("", name)
    while True:
        match = _TAILS.search(left)
        if not match or match.start() == 0 or not _is_suffix(match.group()):
            return left.casefold()
        left = left[: match.start()].rstrip("-_.")


def _is_suffix(tail: str) -> bool:
    return len(tail) > 2 or not tail.isalpha() or tail == "RR"


def grouped(tasks: Sequence[Row], known: Mapping[str, str]) -> dict[str, str]:
    """Every task's group: the known one, else that of what it was adapted from or replaces, else of its name's root.

    Args:
        tasks: rows with `task`, `adapted_from` and `superseded_by`.
        known: task -> group, as decided before.
    """
    groups = dict(known)
    by_root: dict[str, str] = {}
    for name in sorted(known):
        by_root.setdefault(root(name), known[name])
    relatives: dict[str, set[str]] = {}
    for row in tasks:
        for other in (*(row["adapted_from"] or ()), row["superseded_by"]):
            if other:
                relatives.setdefault(row["task"], set()).add(other)
                relatives.setdefault(other, set()).add(row["task"])
    new = sorted(row["task"] for row in tasks if row["task"] not in known)
    waiting = list(new)
    while waiting:  # relatives of relatives: until nobody finds a group any more
        settled = [name for name in waiting if any(other in groups for other in relatives.get(name, ()))]
        if not settled:  # the first that is left founds or joins a group by its name
            settled = [waiting[0]]
            groups[waiting[0]] = by_root.setdefault(root(waiting[0]), waiting[0])
        for name in settled:
            if name not in groups:
                groups[name] = groups[min(other for other in relatives[name] if other in groups)]
            by_root.setdefault(root(name), groups[name])
        waiting = [name for name in waiting if name not in groups]
    return {row["task"]: groups[row["task"]] for row in tasks}
