"""How many tokens a text has, and which words, without a tokenizer.

Lengths are estimates: 1.1 tokens for each run of letters, run of digits or punctuation mark, and one for each
character of a script without spaces; `tools.profile` says how far off they are.
"""

from __future__ import annotations

import re

from tools.pipeline.scripts import UNSPACED as SCRIPTS

_PIECE = re.compile(rf"[{SCRIPTS}]|[^\W\d_{SCRIPTS}]+|\d+|[^\w\s]|_")
_UNSPACED_RUN = re.compile(rf"[{SCRIPTS}]+")
_WORD = re.compile(rf"[^\W_{SCRIPTS}]{{2,}}")


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, without a tokenizer (`tools.profile` says how far off it is)."""
    unspaced = sum(len(run) for run in _UNSPACED_RUN.findall(text))
    return round(unspaced + 1.1 * (len(_PIECE.findall(text)) - unspaced))


def terms(text: str) -> set[str]:
    """Words of two letters or more, and pairs of neighbouring characters where a script has no spaces."""
    pairs = {run[i : i + 2] for run in _UNSPACED_RUN.findall(text) for i in range(max(1, len(run) - 1))}
    return {word.lower() for word in _WORD.findall(text)} | pairs
