"""One's own machines against an API: a month's cost of both over a range of volumes, and where the lines cross."""

from __future__ import annotations

from typing import Literal

from knowledge.results.cost import BreakEven, CostPoint, Crossing, Hosting, Volume
from tools.cost.known import Known
from tools.cost.month import month

Over = Literal["queries_per_month", "documents"]

#: the range: from so small to so large a part of the volume, and at least to so much
_FROM, _TO = 0.01, 100.0
_LEAST: dict[Over, float] = {"queries_per_month": 1e3, "documents": 1e3}
_REACH: dict[Over, float] = {"queries_per_month": 1e9, "documents": 1e9}
#: places that are drawn, and looked at between two of these
_DRAWN, _BETWEEN = 60, 20
_HALVINGS = 40


def break_even(own: Known, api: Known, volume: Volume, over: Over) -> BreakEven | None:
    """The curve; None where a price is not known.

    Lines are compared at some thousand places; between two where the cheaper one differs the crossing is halved down
    to. One's own machines come in whole numbers, so where both cost about the same there may be many crossings.
    """
    if _usd(own, volume) is None or _usd(api, volume) is None:
        return None
    now = float(getattr(volume, over))
    low, high = max(_LEAST[over], now * _FROM), max(_REACH[over], now * _TO)
    steps = _DRAWN * _BETWEEN
    places = [low * (high / low) ** (i / steps) for i in range(steps + 1)]
    ahead = [_ahead(own, api, _at(volume, over, x)) for x in places]
    crossings = [
        Crossing(x=_between(own, api, volume, over, places[i], places[i + 1]), cheaper_beyond=ahead[i + 1])
        for i in range(steps)
        if ahead[i] != ahead[i + 1]
    ]
    points = []
    for x in places[::_BETWEEN]:
        one, other = (_usd(known, _at(volume, over, x)) for known in (own, api))
        assert one is not None
        assert other is not None
        points.append(CostPoint(x=round(x), own_usd=round(one, 2), api_usd=round(other, 2)))
    return BreakEven(
        own=own.spec,
        api=api.spec,
        over=over,
        points=tuple(points),
        crossings=tuple(crossings),
        cheaper_now=_ahead(own, api, volume),
        equal_usd_per_hour=equal_usd_per_hour(own, api, volume),
    )


def equal_usd_per_hour(own: Known, api: Known, volume: Volume) -> float | None:
    """The price of a machine at which both cost the same; None where both take as many, or there is none above zero.

    Both costs are straight lines in that price: the API's index is on machines too.
    """
    if month(own, volume).machines == month(api, volume).machines:
        return None  # then it is the same on both sides, but for the hours of embedding
    at_zero, at_one = (volume.model_copy(update={"machine_usd_per_hour": price}) for price in (0.0, 1.0))
    costs = [_usd(known, of) for known in (own, api) for of in (at_zero, at_one)]
    if any(cost is None for cost in costs):
        return None
    own_zero, own_one, api_zero, api_one = (cost or 0.0 for cost in costs)
    slope = (own_one - own_zero) - (api_one - api_zero)
    found = (api_zero - own_zero) / slope if slope else -1.0
    return found if found > 0 else None


def _usd(known: Known, volume: Volume) -> float | None:
    return month(known, volume).usd


def _at(volume: Volume, over: Over, x: float) -> Volume:
    return volume.model_copy(update={over: round(x) if over == "documents" else x})


def _ahead(own: Known, api: Known, volume: Volume) -> Hosting:
    """The cheaper one; one's own where both cost the same."""
    mine, theirs = _usd(own, volume), _usd(api, volume)
    assert mine is not None
    assert theirs is not None
    return "own" if mine <= theirs else "api"


def _between(own: Known, api: Known, volume: Volume, over: Over, low: float, high: float) -> float:
    """Where the cheaper one changes between two places at which it differs."""
    first = _ahead(own, api, _at(volume, over, low))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _ahead(own, api, _at(volume, over, middle)) == first:
            low = middle
        else:
            high = middle
    return high
