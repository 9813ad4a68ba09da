"""Quantities in sentences: time, memory, storage and parameters, rounded as people read them, in both languages."""

from __future__ import annotations

import math

from knowledge.wording import Text, say, written

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def digits(value: float, significant: int = 3) -> str:
    """So many significant digits, thousands apart, never in the form 1e+03."""
    if value == 0 or not math.isfinite(value):
        return f"{value:,g}"
    rounded = float(f"{value:.{significant - 1}e}")
    places = max(0, significant - 1 - math.floor(math.log10(abs(rounded))))
    return _short(f"{rounded:,.{places}f}")


def _short(text: str) -> str:
    """Without zeros that say nothing."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def points(difference: float, *, signed: bool = True) -> str:
    """A difference of two scores from 0 to 1, in points; what rounds to nothing has no sign."""
    text = f"{100 * difference:+.1f}" if signed else f"{100 * difference:.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def milliseconds(value: float) -> Text:
    """A latency that was measured, given in milliseconds, as tables round it."""
    if value < 0.01:
        return say("under 0.01 ms")
    if value >= 10_000:
        return say("{count} s", count=_short(f"{value / 1000:,.1f}"))
    places = 0 if value >= 100 else 1 if value >= 1 else 2
    return say("{count} ms", count=_short(f"{value:,.{places}f}"))


def rate(value: float) -> str:
    """So many a second, as tables round it."""
    return f"{value:,.0f}" if value >= 100 else _short(f"{value:.1f}")


def estimated_milliseconds(value: float) -> Text:
    """A latency that is only estimated: two digits are more than is known of it."""
    if value < 1:
        return say("under 1 ms")
    return (
        say("{count} ms", count=digits(value, 2)) if value < 1000 else say("{count} s", count=digits(value / 1000, 2))
    )


def duration(seconds: float) -> Text:
    """How long something takes, from under a second to days."""
    if seconds < 1:
        return say("under a second")
    for limit, unit, template in (
        (90.0, 1.0, say("{count} seconds")),
        (90 * _MINUTE, _MINUTE, say("{count} minutes")),
        (48 * _HOUR, _HOUR, say("{count} hours")),
        (math.inf, _DAY, say("{count} days")),
    ):
        if seconds < limit:
            count = digits(seconds / unit, 2)
            return template.model_copy(update={"values": {"count": count}}) if count != "1" else _one(unit)
    raise AssertionError("the last limit is infinite")


def _one(unit: float) -> Text:
    return say("1 second") if unit == 1 else say("1 minute")


def memory(megabytes: float) -> Text:
    """Memory given in MB (2**20 bytes), as a machine's memory is counted."""
    if megabytes < 1:
        return say("under 1 MB")
    if megabytes < 1024:
        return say("{count} MB", count=f"{megabytes:,.0f}")
    return say("{count} GB", count=digits(megabytes / 1024))


def storage(size: float) -> Text:
    """A size on disk or in an index, given in bytes; its units are powers of ten, as those of disks are."""
    for limit, unit, template in (
        (1e4, 1.0, say("{count} bytes")),
        (1e6, 1e3, say("{count} kB")),
        (1e9, 1e6, say("{count} MB")),
        (math.inf, 1e9, say("{count} GB")),
    ):
        if size < limit:
            count = f"{size:,.0f}" if unit == 1 else digits(size / unit)
            return template.model_copy(update={"values": {"count": count}})
    raise AssertionError("the last limit is infinite")


def many(count: float) -> Text:
    """A large number: million and billion in English, 万 and 亿 in Chinese."""
    for limit, unit, name in ((1e6, 1.0, ""), (1e9, 1e6, " million"), (math.inf, 1e9, " billion")):
        if count < limit:
            english = digits(count / unit) + name
            break
    for limit, unit, name in ((1e4, 1.0, ""), (1e8, 1e4, "万"), (math.inf, 1e8, "亿")):
        if count < limit:
            chinese = f"{digits(count / unit)} {name}".strip()
            break
    return written(english, chinese)


def parameters(count: float) -> Text:
    """How large a model is."""
    return say("{many} parameters", many=many(count))
