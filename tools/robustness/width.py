"""Full and half width: ＡＢＣ１２３ for ABC123, as Chinese and Japanese keyboards give them."""

from __future__ import annotations

import random
import re

from knowledge.wording import say
from tools.robustness.base import HAN, KANA

NAME = say("full or half width")
_FULL = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_HALF = {full: half for half, full in _FULL.items()} | {0x3000: 0x20, ord("。"): ord(".")}


def perturb(query: str, chance: random.Random) -> str:
    """Letters, digits and marks of a Chinese or Japanese query in the other width; nobody types German so."""
    if not (HAN.search(query) or KANA.search(query)):
        return query
    if re.search("[A-Za-z0-9]", query):
        return query.translate(_FULL)
    return query.translate(_HALF)
