"""The plot of the result: quality with its interval against a cost, each candidate by its number."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from knowledge.results import Recommendation, Row
from knowledge.wording import Language, Text, say
from tools.report import figures
from tools.report.drawings import Point, Scatter
from tools.report.plane import Axis, linear_ticks, log_ticks
from tools.report.voice import cut, short_names

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: the costs of the plot: field of `Row`, title, unit
AXES: tuple[tuple[str, Text, str], ...] = (
    ("query_p95_ms", say("p95 latency"), "ms"),
    ("peak_memory_mb", say("Peak memory"), "MB"),
    ("bytes_per_vector", say("Bytes per vector"), "B"),
    ("usd_per_million_tokens", say("Price per million tokens"), "USD"),
)
#: colours that keep their contrast on white and on black, with white figures on them
COLOURS = {"winner": "#15803d", "alone": "#2563eb", "front": "#2563eb", "other": "#6b7280", "excluded": "#dc2626"}
GROUPS = {
    "winner": say("Winner"),
    "alone": say("Measured alone"),
    "front": say("On the Pareto front"),
    "other": say("Not on the front"),
    "excluded": say("Excluded"),
}
GREY, FAINT = "#808790", "rgba(128,135,144,0.25)"
#: pixels of the plot itself, and of each line of the key below it
_HEIGHT, _LINE = 330, 19
_NAME = 44


def pareto_figure(found: Recommendation, language: Language) -> Figure | None:
    """Quality against a cost, which a menu chooses; None where nothing was timed.

    Numbers stand for names, which would cover one another; the key below the plot has both. The winner is drawn last,
    so that no other mark covers it, and marks that would lie on one another stand beside each other.
    """
    from plotly.graph_objects import Figure, Scatter

    axes = [axis for axis in AXES if _known(found.rows, axis[0])]
    if not axes:
        return None
    order = sorted(range(len(found.rows)), key=lambda at: _group(found.rows[at]) in ("winner", "alone"))
    numbered = [(at + 1, found.rows[at]) for at in order]
    names = short_names(row.spec for row in found.rows)
    first = axes[0][0]
    shown = _places(numbered, first)
    figure = Figure()
    for (number, row), x in zip(numbered, shown, strict=True):
        group = _group(row)
        # plotly reads tags in its texts
        name = html.escape(f"{number}  {cut(names[row.spec], _NAME)}: {GROUPS[group].render(language)}")
        figure.add_trace(
            Scatter(
                name=name,
                x=[x],
                y=[row.quality.mean],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [row.quality.high - row.quality.mean],
                    "arrayminus": [row.quality.mean - row.quality.low],
                    "thickness": 1,
                },
                text=[f"<b>{number}</b>"],
                textfont={"color": "#ffffff", "size": 12},
                mode="markers+text",
                textposition="middle center",
                cliponaxis=False,
                marker={"size": 24 if group == "winner" else 20, "color": COLOURS[group], "symbol": _symbol(group)},
                legendrank=number,
                hovertext=[_told(row, names[row.spec], axes, language)],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    buttons = [
        {
            "label": title.render(language),
            "method": "update",
            "args": [
                {"x": [[x] for x in _places(numbered, field)]},
                {f"xaxis.{key}": value for key, value in _scale(found.rows, field).items()}
                | {"xaxis.title.text": f"{title.render(language)} ({unit})"},
            ],
        }
        for field, title, unit in axes
    ]
    below = 70 + _LINE * len(found.rows)
    low, high, _ = _quality(found.rows)
    figure.update_layout(
        xaxis={
            "type": "log",
            "title": {"text": f"{axes[0][1].render(language)} ({axes[0][2]})"},
            "gridcolor": FAINT,
            **_scale(found.rows, first),
        },
        yaxis={"title": {"text": found.primary}, "gridcolor": FAINT, "zeroline": False, "range": [low, high]},
        font={"color": GREY, "family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "v", "x": 0, "y": -0.2, "yanchor": "top", "itemsizing": "constant"},
        margin={"l": 60, "r": 30, "t": 50, "b": below},
        updatemenus=[
            {
                "buttons": buttons,
                "bgcolor": "rgba(128,135,144,0.15)",
                "bordercolor": FAINT,
                "x": 1,
                "xanchor": "right",
                "y": 1.02,
                "yanchor": "bottom",
            }
        ],
        height=50 + _HEIGHT + below,
    )
    return figure


def _group(row: Row) -> str:
    if row.standing in ("winner", "alone", "excluded"):
        return row.standing
    return "front" if row.on_pareto_front else "other"


def _symbol(group: str) -> str:
    """Shapes beside colours, for who cannot tell these apart."""
    return {"winner": "square", "excluded": "diamond"}.get(group, "circle")


def _told(row: Row, name: str, axes: Sequence[tuple[str, Text, str]], language: Language) -> str:
    """What a mark says when it is pointed at: its exact figures, wherever it had to be drawn."""
    lines = [html.escape(name), f"{figures.score(row.quality.mean)} ({figures.interval(row.quality)})"]
    for field, title, unit in axes:
        value = getattr(row, field)
        if value is not None:
            lines.append(f"{title.render(language)}: {value:,.4g} {unit}")
    return "<br>".join(lines)


def _known(rows: Sequence[Row], field: str) -> list[float]:
    return [value for row in rows if (value := getattr(row, field)) and value > 0]


def _quality(rows: Sequence[Row]) -> tuple[float, float, list[float]]:
    return linear_ticks([end for row in rows for end in (row.quality.low, row.quality.mean, row.quality.high)])


def _scale(rows: Sequence[Row], field: str) -> dict[str, Any]:
    """Range and round places on the logarithmic axis, as the report has them."""
    low, high, at = log_ticks(_known(rows, field))
    ticks = {"tickvals": at, "ticktext": [f"{value:,g}" for value in at]}
    return {**ticks, "range": [math.log10(low), math.log10(high)]}


def _places(numbered: Sequence[tuple[int, Row]], field: str) -> list[float | None]:
    """Where the marks stand on an axis: at their cost, beside it where another mark is; the last ones stay in place."""
    rows = [row for _, row in numbered]
    low, high, _ = log_ticks(_known(rows, field))
    bottom, top, _ = _quality(rows)
    points = tuple(
        Point(
            number=number,
            name="",
            tone="",
            group="",
            front=False,
            y=row.quality.mean,
            low=row.quality.low,
            high=row.quality.high,
            x={field: value} if (value := getattr(row, field)) and value > 0 else {},
            labels={},
        )
        for number, row in reversed(numbered)
    )
    axis = Axis(field, "", low, high, ())
    canvas = Scatter(Axis("quality", "", bottom, top, (), log=False), (axis,), points).wide
    placed: dict[int, float] = {}
    for mark in canvas.marks(axis):
        share = (mark.shown_at - canvas.LEFT) / (canvas.right - canvas.LEFT)
        exact = mark.point.x[field]
        placed[mark.point.number] = exact if mark.shown_at == mark.x else low * (high / low) ** share
    return [placed.get(number) for number, _ in numbered]
