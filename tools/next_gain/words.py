"""Single changes in words, as every door shows them."""

from __future__ import annotations

from knowledge.quantities import digits, milliseconds, points, storage
from knowledge.results.next_gain import Change, NextGain
from knowledge.wording import Text, say

VERDICTS = {
    "gains": say("better"),
    "holds": say("no measurable loss"),
    "loses": say("worse"),
    "open": say("these queries cannot tell"),
}
#: milliseconds that no timing here tells apart
_NOTHING_MS = 0.05


def title(found: NextGain) -> Text:
    """What was compared with what."""
    return say(
        "Single changes to {base}, {count} queries of {dataset}",
        base=found.base,
        count=found.judged_queries,
        dataset=found.dataset.name,
    )


def answer(found: NextGain) -> list[Text]:
    """Which change buys most, and which saves most at no measurable loss."""
    most, per_ms = found.change(found.buys_most), found.change(found.buys_most_per_ms)
    if most is None or per_ms is None:
        sentences = [
            say(
                "None of the {tried} changes tried is shown to gain anything on these {count} queries.",
                tried=len(found.changes),
                count=found.judged_queries,
            )
        ]
    else:
        sentences = [_gain(most, found)]
        if per_ms.spec != most.spec:
            sentences.append(say("For the time it takes, this gains most: {change}", change=_gain(per_ms, found)))
    smaller, faster = found.change(found.saves_storage), found.change(found.saves_time)
    if smaller and smaller.bytes_per_document is not None and found.bytes_per_document is not None:
        sentences.append(
            say(
                "Most storage is saved by this: {what}: {less} a document instead of {now}, and {difference} points of "
                "{metric} ({low} to {high}), a loss of no more than your margin of {margin} ({spec}).",
                what=smaller.what,
                less=storage(smaller.bytes_per_document),
                now=storage(found.bytes_per_document),
                margin=points(found.margin, signed=False),
                spec=smaller.spec,
                **_difference(smaller, found),
            )
        )
    if faster and faster.query_ms is not None and found.query_ms is not None:
        sentences.append(
            say(
                "Most time is saved by this: {what}: {less} a query instead of {now}, and {difference} points of "
                "{metric} ({low} to {high}), a loss of no more than your margin of {margin} ({spec}).",
                what=faster.what,
                less=milliseconds(faster.query_ms),
                now=milliseconds(found.query_ms),
                margin=points(found.margin, signed=False),
                spec=faster.spec,
                **_difference(faster, found),
            )
        )
    if not smaller and not faster:
        sentences.append(
            say(
                "None is shown to save anything and lose no more than your margin of {margin} points.",
                margin=points(found.margin, signed=False),
            )
        )
    return sentences


def line(change: Change, found: NextGain) -> Text:
    """One change in one sentence."""
    parts: dict[str, Text | str] = {"what": change.what, "verdict": VERDICTS[change.verdict], "spec": change.spec}
    parts |= _difference(change, found)
    if change.bytes_per_document is None:
        return say("{what}: {difference} points of {metric} ({low} to {high}), {verdict} ({spec}).", **parts)
    return say(
        "{what}: {difference} points of {metric} ({low} to {high}), {verdict}; {size} a document ({spec}).",
        size=storage(change.bytes_per_document),
        **parts,
    )


def method(found: NextGain) -> Text:
    """How to read it."""
    return say(
        "Differences are paired by query, with 95 % intervals; “better”, “worse” and “no measurable loss” (by more "
        "than the margin of {margin} points) are tests at 5 %, Holm-corrected for all {count} changes. Milliseconds "
        "are those of one query over all documents in memory; an index's are a server's and not measured, and forms of "
        "fewer bits are scanned as float32 here.",
        margin=points(found.margin, signed=False),
        count=len(found.changes),
    )


def time_change(change: Change) -> Text | None:
    """How much longer or shorter one query takes; None where it was not timed."""
    if change.added_ms is None:
        return None
    if abs(change.added_ms) < _NOTHING_MS:
        return say("not longer")
    amount = milliseconds(abs(change.added_ms))
    return say("{amount} longer", amount=amount) if change.added_ms > 0 else say("{amount} shorter", amount=amount)


def _gain(change: Change, found: NextGain) -> Text:
    parts: dict[str, Text | str] = {"what": change.what, "spec": change.spec, **_difference(change, found)}
    longer = time_change(change)
    if longer is None:
        return say("{what} gains {difference} points of {metric} ({low} to {high}; {spec}).", **parts)
    if change.points_per_ms is not None:
        return say(
            "{what} gains {difference} points of {metric} ({low} to {high}; {spec}), and a query takes {longer}: "
            "{value}.",
            longer=longer,
            value=say("{points} points a millisecond", points=digits(change.points_per_ms)),
            **parts,
        )
    return say(
        "{what} gains {difference} points of {metric} ({low} to {high}; {spec}), and a query takes {longer}.",
        longer=longer,
        **parts,
    )


def _difference(change: Change, found: NextGain) -> dict[str, str]:
    ends = {"difference": change.difference.mean, "low": change.difference.low, "high": change.difference.high}
    return {"metric": found.primary, **{name: points(value) for name, value in ends.items()}}
