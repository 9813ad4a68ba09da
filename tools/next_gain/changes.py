"""Single changes to a candidate that can be measured from what is encoded already, or with little more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from knowledge.candidate import Candidate, Fusion, Leg, Rerank
from knowledge.errors import SpecError
from knowledge.results.next_gain import ChangeKind
from knowledge.wording import Text, say
from tools import encoders, retrieval
from tools.fast import options_here
from tools.setups import OPTIONS, Setup, Store, setup_of
from tools.setups.matryoshka import card_of
from tools.setups.options import INDEXES
from tools.workspace import Workspace

BM25 = Leg(backend="bm25")
#: of two hybrids, what words weigh in the one by scores: a choice, for vectors are mostly the better half
WORDS_WEIGHT = "0.3:0.7"
#: with fewer documents every one is compared in no time, and no index is worth its loss
FEWEST_FOR_INDEX = 1_000
#: shorter vectors than this are not tried
SHORTEST = 32


class Planned(NamedTuple):
    """A change: its kind, the candidate that it makes, and in words what it is."""

    kind: ChangeKind
    candidate: Candidate
    what: Text


def changes(base: Candidate, lengths: Mapping[Leg, int], documents: int, workspace: Workspace) -> list[Planned]:
    """All single changes, each candidate once.

    A set-up is changed in all of a candidate's vectors at once.

    Args:
        base: what is changed.
        lengths: of the vectors of its legs as their encoders give them.
        documents: how many there are.
        workspace: where models are, whose cards say which lengths they are made for.
    """
    found: list[Planned] = [
        *_lengths(base, lengths, workspace),
        *_stores(base),
        *_stages(base, lengths, workspace),
        *(_indexes(base) if documents >= FEWEST_FOR_INDEX else ()),
        *_fusions(base),
        *_precisions(base),
    ]
    by_spec = {planned.candidate.spec: planned for planned in reversed(found) if _possible(planned.candidate)}
    return [
        planned for planned in found if planned.candidate != base and by_spec.get(planned.candidate.spec) is planned
    ]


def with_options(leg: Leg, without: frozenset[str], **options: str) -> Leg:
    """The leg without some options and with others."""
    kept = {k: v for k, v in leg.options.items() if k not in without}
    return leg.model_copy(update={"options": kept | options})


def _with(without: frozenset[str], options: Mapping[str, str] | None = None) -> Callable[[Leg], Leg]:
    """`with_options`, still to be given its leg."""

    def change(leg: Leg) -> Leg:
        return with_options(leg, without, **(options or {}))

    return change


def dense_legs(candidate: Candidate) -> list[Leg]:
    """The legs with one vector a text."""
    return [
        leg for leg in candidate.searched if leg.backend != "bm25" and encoders.backend(leg.backend).FORM == "dense"
    ]


def _possible(candidate: Candidate) -> bool:
    try:
        retrieval.check(candidate)
    except SpecError:
        return False
    return True


def _each(candidate: Candidate, change: Callable[[Leg], Leg | None]) -> Candidate | None:
    """The candidate with every dense leg changed; None where one of them cannot be, or there is none."""
    new = {leg: change(leg) for leg in dense_legs(candidate)}
    if not new or any(leg is None for leg in new.values()):
        return None

    def put(part: Candidate) -> Candidate:
        if isinstance(part, Leg):
            return new.get(part) or part
        if isinstance(part, Rerank):
            return part.model_copy(update={"base": put(part.base)})
        return part.model_copy(update={"parts": tuple(map(put, part.parts))})

    return put(candidate)


def _setups(candidate: Candidate) -> list[Setup]:
    return [setup_of(leg) for leg in dense_legs(candidate)]


def _made(kind: ChangeKind, candidate: Candidate | None, what: Text) -> Iterator[Planned]:
    if candidate is not None:
        yield Planned(kind, candidate, what)


def _steps(leg: Leg, full: int, workspace: Workspace) -> list[int]:
    """Lengths worth trying, the longest first: those that the card lists, else halves."""
    card = card_of(leg, workspace)
    listed = sorted({*(card.matryoshka_dimensions if card else ()), full}, reverse=True)
    if len(listed) > 1:
        return [length for length in listed if length <= full]
    return [full // 2**power for power in range(8) if full // 2**power >= SHORTEST] or [full]


def _lengths(base: Candidate, lengths: Mapping[Leg, int], workspace: Workspace) -> Iterator[Planned]:
    """The next shorter, the one after it, and the next longer."""
    if any(setup.first for setup in _setups(base)):
        return

    def moved(by: int) -> Callable[[Leg], Leg | None]:
        def change(leg: Leg) -> Leg | None:
            full = lengths.get(leg)
            if full is None:
                return None
            now = setup_of(leg).dim or full
            steps = sorted({*_steps(leg, full, workspace), now}, reverse=True)
            place = steps.index(now) + by
            if not 0 <= place < len(steps) or steps[place] < SHORTEST:
                return None
            bare = frozenset({"dim"})
            return with_options(leg, bare) if steps[place] == full else with_options(leg, bare, dim=str(steps[place]))

        return change

    for by in (1, 2, -1):
        changed = _each(base, moved(by))
        if changed is not None:
            sizes = ", ".join(str(setup_of(leg).dim or lengths[old]) for old, leg in _pairs(base, changed))
            what = say("shorter vectors: {dim} dimensions", dim=sizes)
            yield from _made(
                "dimension", changed, what if by > 0 else say("longer vectors: {dim} dimensions", dim=sizes)
            )


def _pairs(base: Candidate, changed: Candidate) -> list[tuple[Leg, Leg]]:
    return list(zip(dense_legs(base), dense_legs(changed), strict=True))


def _stores(base: Candidate) -> Iterator[Planned]:
    setups = _setups(base)
    if any(setup.index or setup.first for setup in setups):
        return
    now = {setup.store for setup in setups}
    bare = frozenset({"store", "rescore"})
    if now != {"float32"}:
        yield from _made("storage", _each(base, _with(bare)), say("stored in float32"))
    stores: tuple[tuple[Store, str], ...] = (("float16", ""), ("int8", ""), ("binary", ""), ("binary", "4"))
    for store, again in stores:
        more = {"store": store} | ({"rescore": again} if again else {})
        what = say("stored in {store}", store=store)
        if again:
            what = say("stored in {store}, the best {n} x 10 ranked again by float32", store=store, n=again)
        yield from _made("storage", _each(base, _with(bare, more)), what)


def _stages(base: Candidate, lengths: Mapping[Leg, int], workspace: Workspace) -> Iterator[Planned]:
    if not all(setup.plain for setup in _setups(base)):
        return

    def change(leg: Leg) -> Leg | None:
        full = setup_of(leg).dim or lengths.get(leg, 0)
        steps = [step for step in _steps(leg, full, workspace) if SHORTEST <= step <= full // 2] if full else []
        if not steps:
            return None
        return with_options(leg, frozenset(), first=str(min(steps, key=lambda step: abs(step - full / 4))))

    changed = _each(base, change)
    if changed is not None:
        firsts = ", ".join(str(setup.first) for setup in _setups(changed))
        what = say("two stages: searched by the first {first} dimensions, ranked again by all", first=firsts)
        yield from _made("two stages", changed, what)


def _indexes(base: Candidate) -> Iterator[Planned]:
    if not all(setup.plain for setup in _setups(base)):
        return
    for kind in INDEXES:
        yield from _made(
            "index",
            _each(base, _with(frozenset(), {"index": kind})),
            say("an approximate index: {kind}", kind=kind.upper()),
        )


def _fusions(base: Candidate) -> Iterator[Planned]:
    if isinstance(base, Fusion):
        other = base.model_copy(update={"method": "weighted" if base.method == "rrf" else "rrf", "options": {}})
        by = say("fused by scores instead of places") if base.method == "rrf" else say("fused by places, not by scores")
        yield Planned("fusion", other, by)
        for part in base.parts:
            yield Planned("fusion", part, say("{part} alone", part=part.spec))
    elif not isinstance(base, Rerank) and BM25.backend not in {leg.backend for leg in base.legs}:
        yield Planned("fusion", Fusion(parts=(BM25, base)), say("fused with word matching, by places"))
        weighted = Fusion(method="weighted", parts=(BM25, base), options={"w": WORDS_WEIGHT})
        yield Planned("fusion", weighted, say("fused with word matching, by scores ({weights})", weights=WORDS_WEIGHT))


def _precisions(base: Candidate) -> Iterator[Planned]:
    """Each faster way to run the encoder; none where there are several encoders: to change one is no single change."""
    legs = dense_legs(base)
    if len(legs) != 1:
        return
    bare = with_options(legs[0], OPTIONS)
    for variant in options_here(bare):
        more = {k: v for k, v in variant.options.items() if k not in bare.options}
        shown = " ".join(f"{k}={v}" for k, v in sorted(more.items()))
        changed = _each(base, _with(frozenset(), more))
        yield from _made("precision", changed, say("the encoder run with {options}", options=shown))
