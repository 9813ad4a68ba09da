"""The machine a message speaks of: GPUs by name or memory, main memory, devices at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from agent.understanding.findings import Finding
from agent.understanding.negation import dropped, negated
from agent.understanding.numbers import Quantity
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit, Utterance
from knowledge.fit import KnownGpu, known_gpus
from knowledge.wording import say

Place = Literal["gpu", "ram", "model"]

#: tokens between an amount of memory and what has it, within a clause and beyond it: "RTX 4090 (24 GB)"
_NEAR = 8
_NEXT = 2
#: units of an amount of memory
_MEMORY = frozenset({"mb", "gb", "tb"})
#: what people have in their hands, and the questions whose answer it is all the same
_HAND_HELD = frozenset({"phone", "phones", "mobile", "smartphone", "smartphones", "tablet", "tablets", "平", "机"})
_ABOUT_MACHINES = frozenset({"hardware", "gpu", "memory", "parameters"})
#: words between a card and an amount that has a clause of its own: "an A10 in it btw, 24 GB"
_OWN = 6


def _known(utterance: Utterance, hit: Hit) -> KnownGpu | None:
    """The card that a hit names; of a shape ("a single 4090", "3090, 24G") one of its words does."""
    cards = known_gpus()
    words = [f"rtx {utterance.tokens[i].text}" for i in range(hit.start, hit.end)] if hit.shaped else [hit.term]
    return next((card for name in words if (card := cards.get(name) or cards.get(name.removesuffix("s")))), None)


def _distance(hit: Hit, quantity: Quantity) -> int:
    return max(hit.start - quantity.end, quantity.start - hit.end, 0)


def _stands_alone(utterance: Utterance, quantity: Quantity) -> bool:
    """Whether an amount is all that its clause says, so that it tells of what was named before."""
    clause = utterance.clauses[quantity.start]
    own = (i for i, c in enumerate(utterance.clauses) if c == clause and not quantity.start <= i < quantity.end)
    return quantity.limit is None and all(utterance.lexicon.says_nothing(utterance.tokens[i]) for i in own)


def _within_reach(utterance: Utterance, hit: Hit, quantity: Quantity) -> bool:
    if utterance.sentences[hit.start] != utterance.sentences[quantity.start]:
        return False
    same = utterance.clauses[hit.start] == utterance.clauses[quantity.start]
    reach = _NEAR if same else _OWN if _stands_alone(utterance, quantity) else _NEXT
    return _distance(hit, quantity) <= reach


def place_of(reading: Reading, quantity: Quantity) -> Place | None:
    """What has an amount of memory: the nearest of GPU, machine and model; None where none is near.

    Of two as near, that on the side where the first of them stands: "RAM 64 GB GPU 24 GB", "64 GB RAM 24 GB GPU".
    """
    utterance = reading.utterance
    hits = [h for h in utterance.of_category("gpu", "device", "edge") if _within_reach(utterance, h, quantity)]
    first = min((q.start for q in reading.quantities if q.unit in _MEMORY), default=0)
    named_first = any(h.start < first for h in hits)
    found: list[tuple[int, bool, bool, Place]] = []
    for hit in hits:
        place: Place = "ram"
        if hit.category == "gpu" and hit.value == "yes" and not negated(utterance, hit):
            place = "gpu"
        elif hit.value == "model" or (hit.category == "edge" and quantity.unit == "mb"):
            place = "model"
        other_side = (hit.start < quantity.start) != named_first
        found.append((_distance(hit, quantity), other_side, place != "gpu", place))
    if not found:
        absent = (h for h in utterance.of_category("gpu") if h.value == "no" or negated(utterance, h))
        alone = quantity.limit is None and quantity.unit != "mb"
        same = any(utterance.sentences[h.start] == utterance.sentences[quantity.start] for h in absent)
        return "ram" if alone and same else None
    return min(found)[3]


def gpu_name_near(utterance: Utterance, quantity: Quantity) -> str:
    """The name of the GPU that has an amount of memory; empty where it was not said."""
    named = [(h, known) for h in utterance.of_category("gpu") if (known := _known(utterance, h))]
    near = [(h, known) for h, known in named if _within_reach(utterance, h, quantity)]
    return min(near, key=lambda pair: _distance(pair[0], quantity))[1].name if near else ""


def read_named_gpu(reading: Reading) -> Iterator[Finding]:
    """A GPU known by its name, where no amount of memory was said of it; the largest of several."""
    u = reading.utterance
    if any(q.unit in _MEMORY and place_of(reading, q) == "gpu" for q in reading.quantities):
        return
    named = [
        (known, hit)
        for hit in u.of_category("gpu")
        if (known := _known(u, hit)) and not negated(u, hit) and not dropped(u, hit)
    ]
    if not named:
        return
    known, hit = max(named, key=lambda pair: pair[0].memory_gb[0])
    words = reading.use(hit)
    value = {"gpu_gb": known.memory_gb[0], "gpu_name": known.name}
    rule = None
    if len(known.memory_gb) > 1:
        sizes = "/".join(f"{size:g}" for size in known.memory_gb)
        rule = reading.because(
            say("“{words}” comes with {sizes} GB; the smallest is assumed", words=words, sizes=sizes)
        )
    yield Finding("hardware", value, words, rule)


def _is_held(reading: Reading, hit: Hit) -> bool:
    """Whether people only hold it while they ask, read or talk: "on their tablet", "I was on the phone"."""
    u = reading.utterance
    if reading.asked in _ABOUT_MACHINES or not any(u.tokens[i].text in _HAND_HELD for i in range(hit.start, hit.end)):
        return False
    sentence = u.sentences[hit.start]
    near = (h for h in u.of_category("runs", "device") if u.sentences[h.start] == sentence)
    sizes = (q for q in reading.quantities if q.unit in _MEMORY and u.sentences[q.start] == sentence)
    return not any(near) and not any(sizes)


def read_edge(reading: Reading) -> Iterator[Finding]:
    """A device at the edge: no GPU, and no service beyond it."""
    u = reading.utterance
    hits = (h for h in u.of_category("edge") if not negated(u, h) and not dropped(u, h))
    hit = next((h for h in hits if not _is_held(reading, h)), None)
    if hit is None:
        return
    words = reading.use(hit)
    rule = reading.because(say("“{words}” suggests that the model runs on it, without a GPU", words=words))
    yield Finding("hosting", {"hosting": "self_hosted"}, words, rule)
    if not any(h.value == "yes" for h in u.of_category("gpu")):
        yield Finding("gpu", False, words, rule)
