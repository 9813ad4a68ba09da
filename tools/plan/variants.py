"""Cheaper or better set-ups of models that run here, measured beside them."""

from __future__ import annotations

from collections.abc import Iterable

from knowledge.candidate import Candidate, Fusion, Leg
from knowledge.model_card import ModelCard
from knowledge.wording import Text, say
from tools.encoders import Resolved
from tools.fast import options_here
from tools.hardware import gpus
from tools.plan.minutes import BENCHMARK_SECONDS, FASTER, minutes_of, way_of
from tools.plan.wanted import BM25

#: a model with fewer parameters is fast anyway, and a variant that takes more minutes is not worth the wait
TINY, LONGEST_VARIANT = 10_000_000, 30.0


def variants_of(
    bases: list[tuple[Leg, Resolved, ModelCard | None]], tokens: float
) -> Iterable[tuple[Candidate, Text, float]]:
    """Cheaper or better set-ups of the models that run here; most share vectors with them and cost next to nothing."""
    searching = BENCHMARK_SECONDS / 60
    bm25 = Leg(backend=BM25)
    yield from _faster(bases, tokens)
    for leg, resolved, _ in bases:
        if resolved.local:
            yield Fusion(parts=(bm25, leg)), say("words and meaning together"), searching
    for leg, _, card in bases:
        smaller = _smaller_dimension(card)
        if smaller and "dim" not in leg.options:  # else it is cut to what was demanded already
            cut = leg.model_copy(update={"options": leg.options | {"dim": str(smaller)}})
            yield cut, say("a smaller index: the first {dim} dimensions", dim=smaller), searching


def _faster(
    bases: list[tuple[Leg, Resolved, ModelCard | None]], tokens: float
) -> Iterable[tuple[Candidate, Text, float]]:
    """The fastest way to run the first encoder that is worth it: measured like any other, so its loss is known too."""
    on_gpu = bool(gpus())
    for leg, resolved, card in bases:
        tiny = card is not None and (card.active_parameters or card.parameters or TINY) < TINY
        ways = [way for way in options_here(leg) if way_of(way) in FASTER]
        if not resolved.local or tiny or not ways:
            continue
        fastest = max(ways, key=lambda way: FASTER[way_of(way)])
        minutes = minutes_of(fastest, card, tokens)
        if minutes > LONGEST_VARIANT:
            continue
        backend, precision = way_of(fastest)
        why = (
            say("the same model in {precision}: half the memory, and faster on a GPU", precision=precision)
            if on_gpu
            else say(
                "the same model run by {backend} in {precision}: about {times:g} times as fast on such a processor",
                backend=backend,
                precision=precision,
                times=FASTER[way_of(fastest)],
            )
        )
        yield fastest, why, round(minutes, 2)
        return


def _smaller_dimension(card: ModelCard | None) -> int | None:
    """A dimension worth trying: the model's own Matryoshka step, else a third (rarely trained for, so measured)."""
    if card is None or not card.dimension:
        return 128 if card is None else None
    steps = [d for d in card.matryoshka_dimensions if card.dimension / 4 <= d < card.dimension]
    return max(steps, default=card.dimension // 3 // 32 * 32 or None)
