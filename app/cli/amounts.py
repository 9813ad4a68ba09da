"""Numbers as people write them behind an option: 10M, 1.5k, 2B, 300万, 1亿, 10,000,000."""

from __future__ import annotations

import re

from knowledge.wording import say

_SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8}
_AMOUNT = re.compile(r"\s*(\d+(?:[,_]\d{3})*(?:\.\d+)?|\.\d+)(e\d{1,2})?\s*(k|m|b|g|t|万|百万|千万|亿)?\s*", re.I)


def amount(text: str) -> float:
    """The number.

    Raises:
        typer.BadParameter: it is none.
    """
    from app.cli.mistyped import usage_error

    found = _AMOUNT.fullmatch(text[:50])
    if found is None:
        raise usage_error(say("“{text}” is no number: write it like 10M, 1.5k, 2B or 300000", text=text[:50]))
    return float(re.sub("[,_]", "", found[1]) + (found[2] or "")) * _SCALES[(found[3] or "").lower()]
