"""Which types of vectors a Milvus has."""

from __future__ import annotations

import re

#: the first servers that have a type; those that are not here have always been there. Release notes of 2.4.0 and 2.6.0
#: (milvus.io/docs/release_notes.md); 2.3.5, tried 2026-11-29, refuses sparse and int8 vectors only when they are put
#: in, and takes half ones but finds them at an infinite distance
SINCE = {"FLOAT16_VECTOR": (2, 4), "SPARSE_FLOAT_VECTOR": (2, 4), "INT8_VECTOR": (2, 6)}
_LITE = ("FLOAT_VECTOR", "SPARSE_FLOAT_VECTOR")


def has(version: str | None, field: str) -> bool:
    """Whether a type is there.

    Args:
        version: as the server tells it; None: Milvus Lite. Of one that tells none it is taken so.
        field: the type by Milvus's name.
    """
    if version is None:
        return field in _LITE
    told = re.search(r"(\d+)\.(\d+)", version)
    return told is None or (int(told[1]), int(told[2])) >= SINCE.get(field, (0, 0))


def first(field: str) -> str:
    """The first version that has it, as it is written."""
    return ".".join(map(str, SINCE[field]))
