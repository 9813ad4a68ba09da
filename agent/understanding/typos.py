"""Slips of the finger in the words that matter: germn, recomendation, commerical."""

from __future__ import annotations

from agent.understanding.lexicon import Lexicon
from agent.understanding.tokens import Token, stem


def edits(a: str, b: str, limit: int) -> int:
    """Optimal string alignment distance of two words; anything above `limit` is limit + 1."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        before, row = row, new
        if min(row) > limit:
            return limit + 1
    return row[-1]


def corrected(token: Token, lexicon: Lexicon) -> Token:
    """The token as the one term it is surely meant to be, or as it is.

    A word of 5 to 8 letters may have one slip, a longer one two; the first letter must be right, and a second term
    as near makes it unsure.
    """
    word = token.text
    if not 5 <= len(word) <= 24 or not (word.isascii() and word.isalpha()):
        return token
    if word in lexicon.vocabulary or token.stem in lexicon.vocabulary:
        return token
    limit = 1 if len(word) <= 8 else 2
    near = {t: d for t in lexicon.typo_targets if t[0] == word[0] and (d := edits(word, t, limit)) <= limit}
    best = [t for t, d in near.items() if d == min(near.values())]
    return Token(best[0], stem(best[0]), token.start, token.end) if len(best) == 1 else token
