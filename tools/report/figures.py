"""How figures are written: one helper per unit, used alike by every form of the report."""

from __future__ import annotations

import math

from knowledge.results import Interval

#: stands where there is no figure
NOTHING = "–"
_MINUS = "−"


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def score(value: float | None) -> str:
    """A quality score from 0 to 1, three decimals."""
    return _signed(f"{value:.3f}") if _known(value) else NOTHING


def difference(value: float | None) -> str:
    """A difference of two scores, with its sign."""
    if not _known(value):
        return NOTHING
    text = f"{value:+.3f}"
    return "0.000" if text in ("+0.000", "-0.000") else _signed(text)


def interval(value: Interval | None) -> str:
    """The two ends of a score's interval."""
    return f"{score(value.low)}–{score(value.high)}" if value else NOTHING


def difference_interval(value: Interval | None) -> str:
    """The two ends of a difference's interval; dots, because a dash would be read as a sign."""
    return f"{difference(value.low)} … {difference(value.high)}" if value else NOTHING


def p_value(value: float | None) -> str:
    """A p value, never written as zero."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def milliseconds(value: float | None) -> str:
    """A latency given in milliseconds: two to four digits, seconds from ten seconds on."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"


def seconds(value: float | None) -> str:
    """A duration given in seconds."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value >= 120:
        return f"{value / 60:,.1f} min"
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def megabytes(value: float | None) -> str:
    """Memory given in MB (2**20 bytes), as MB or GB."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value / 1024:,.2f} GB" if value >= 1024 else f"{value:.0f} MB"


def size(value: float | None) -> str:
    """A size given in bytes, as B or kB (1000 bytes)."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value / 1000:,.1f} kB" if value >= 10_000 else f"{value:,.0f} B"


def rate(value: float | None) -> str:
    """Units per second."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def count(value: float | None) -> str:
    """A number of things."""
    return f"{value:,.0f}" if _known(value) else NOTHING


def share(value: float | None) -> str:
    """A share from 0 to 1, as per cent."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:.1%}" if 0 < value < 0.1 or 0.99 < value < 1 else f"{value:.0%}"


def money(value: float | None) -> str:
    """US dollars; the code instead of the sign, which some Markdown readers take for mathematics."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.2f} USD" if value == 0 or value >= 1 else f"{value:.4g} USD"


def exact(value: float, unit: str = "") -> str:
    """A figure as evidence keeps it: six digits and its unit (``1/s`` is written as ``/s``)."""
    if not math.isfinite(value):
        return NOTHING
    whole = value == int(value) and abs(value) < 1e15
    text = f"{value:,.0f}" if whole else f"{value:,.6g}"
    return _signed(text) + (unit[1:] if unit.startswith("1/") else f" {unit}" if unit else "")
