"""What matters beside quality: queries with mistakes in them, facts that must not be mixed up."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.findings import Finding
from agent.understanding.negation import dropped, negated
from agent.understanding.reading import Reading
from knowledge.wording import Text, say

#: what counts beside quality, which counts 1, where somebody says that it matters and not how much
WEIGHT = 0.3
_SIGNS: dict[str, tuple[str, Text]] = {
    "mistyped": (
        "robustness",
        say("“{words}”: what mistakes in queries cost counts {weight:g}, where quality counts 1"),
    ),
    "facts": (
        "correctness",
        say("“{words}”: whether a true passage is told from an altered one counts {weight:g}, where quality counts 1"),
    ),
}


def read_weights(reading: Reading) -> Iterator[Finding]:
    """Weights of robustness and correctness; a question about them demands nothing."""
    u = reading.utterance
    for category, (about, rule) in _SIGNS.items():
        for hit in u.of_category(category):
            sentence = u.sentences[hit.start]
            of_it = [i for i, number in enumerate(u.sentences) if number == sentence]
            asks = any(u.tokens[i].text in ("?", "？", "吗", "呢") for i in of_it)
            asks = asks or any(other.start == of_it[0] for other in u.of_category("interrogative"))
            if asks:
                continue
            words = reading.use(hit)
            if dropped(u, hit) or negated(u, hit):
                yield Finding(about, None, words)
            else:
                told = rule.model_copy(update={"values": {"words": words, "weight": WEIGHT}})
                yield Finding(about, WEIGHT, words, reading.because(told))
