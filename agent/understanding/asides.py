"""What somebody tells by the way: what a colleague once tried, what they learnt at school, "unrelated, sorry".

Nothing that is told so is a demand. The words for it are data (``aside`` of the lexicon and of the shapes).
"""

from __future__ import annotations

from agent.understanding.utterance import Utterance

#: words of a clause that calls nothing but the sentence before it an aside
_REMARK = 4


def read_asides(utterance: Utterance) -> list[tuple[int, int]]:
    """Where the clauses stand that are told by the way, in characters."""
    spans = []
    for hit in utterance.of_category("aside"):
        clause = [i for i, number in enumerate(utterance.clauses) if number == utterance.clauses[hit.start]]
        if not hit.shaped and len(clause) <= _REMARK:
            sentence = utterance.sentences[hit.start]
            here = [i for i, number in enumerate(utterance.sentences) if number == sentence and i < hit.start]
            before = [i for i, number in enumerate(utterance.sentences) if number == sentence - 1]
            clause = [*(here or before), *clause]
        spans.append(utterance.span(clause[0], clause[-1] + 1))
    return spans
