"""The result as a table and a plot: pure functions of the recommendation."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent import events
from knowledge.results import Recommendation, Row
from knowledge.wording import Language, Text, say
from tools.report import figures
from tools.report.comparison import STANDINGS
from tools.report.drawings import log_ticks
from tools.report.voice import short_names

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: the costs of the plot: field of `Row`, title, unit
AXES: tuple[tuple[str, Text, str], ...] = (
    ("query_p95_ms", say("p95 latency"), "ms"),
    ("peak_memory_mb", say("Peak memory"), "MB"),
    ("bytes_per_vector", say("Bytes per vector"), "B"),
    ("usd_per_million_tokens", say("Price per million tokens"), "USD"),
)
#: colours that keep their contrast on white and on black
COLOURS = {"winner": "#16a34a", "front": "#2563eb", "other": "#9ca3af", "excluded": "#dc2626"}
GROUPS = {
    "winner": say("Winner"),
    "front": say("On the Pareto front"),
    "other": say("Not on the front"),
    "excluded": say("Excluded"),
}
GREY = "#808790"


@dataclass(frozen=True)
class Table:
    """Heads, the kind of each column (``str`` or ``number``), and rows."""

    heads: list[str]
    kinds: list[str]
    rows: list[list[Any]]

    @property
    def widths(self) -> list[str]:
        """Of the columns: names need room, figures as much as their heads."""
        return ["180px", *["110px"] * (len(self.heads) - 1)]


def last_result(told: Sequence[events.Event]) -> Recommendation | None:
    """The decision that stands."""
    found = (event.recommendation for event in reversed(told) if isinstance(event, events.Recommended))
    return next(found, None)


def result_table(found: Recommendation, language: Language) -> Table:
    """The candidates, best first; figures are numbers, so that the table sorts by them."""
    names = short_names(row.spec for row in found.rows)
    columns: list[tuple[str, str, list[Any]]] = [
        (_t(say("Candidate"), language), "str", [names[row.spec] for row in found.rows]),
        (_t(say("Standing"), language), "str", [_t(STANDINGS[row.standing], language) for row in found.rows]),
        (found.primary, "number", [_rounded(row.quality.mean) for row in found.rows]),
        (_t(say("interval"), language), "str", [figures.interval(row.quality) for row in found.rows]),
        (
            _t(say("Difference to best"), language),
            "number",
            [_rounded(row.difference.mean if row.difference else None) for row in found.rows],
        ),
        ("p", "number", [_rounded(row.p_different) for row in found.rows]),
        (f"{_t(AXES[0][1], language)} (ms)", "number", [_rounded(row.query_p95_ms, 2) for row in found.rows]),
        (
            _t(say("Documents per second"), language),
            "number",
            [_rounded(row.documents_per_second, 0) for row in found.rows],
        ),
        (f"{_t(AXES[1][1], language)} (MB)", "number", [_rounded(row.peak_memory_mb, 0) for row in found.rows]),
        (_t(AXES[2][1], language), "number", [_rounded(row.bytes_per_vector, 0) for row in found.rows]),
        (
            f"{_t(AXES[3][1], language)} (USD)",
            "number",
            [_rounded(row.usd_per_million_tokens) for row in found.rows],
        ),
    ]
    kept = [column for column in columns if any(value not in (None, "") for value in column[2])]
    return Table(
        heads=[head for head, _, _ in kept],
        kinds=[kind for _, kind, _ in kept],
        rows=[list(row) for row in zip(*(values for _, _, values in kept), strict=True)],
    )


def pareto_figure(found: Recommendation, language: Language) -> Figure | None:
    """Quality with its interval against a cost, which a menu chooses; None where nothing was timed."""
    from plotly.graph_objects import Figure, Scatter

    axes = [axis for axis in AXES if any((getattr(row, axis[0]) or 0) > 0 for row in found.rows)]
    if not axes:
        return None
    # plotly reads tags in its texts
    names = {spec: html.escape(name) for spec, name in short_names(row.spec for row in found.rows).items()}
    groups = {key: [row for row in found.rows if _group(row) == key] for key in GROUPS}
    groups = {key: rows for key, rows in groups.items() if rows}
    figure = Figure()
    for key, rows in groups.items():
        figure.add_trace(
            Scatter(
                name=_t(GROUPS[key], language),
                x=_costs(rows, axes[0][0]),
                y=[row.quality.mean for row in rows],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [row.quality.high - row.quality.mean for row in rows],
                    "arrayminus": [row.quality.mean - row.quality.low for row in rows],
                    "thickness": 1,
                },
                text=[names[row.spec] for row in rows],
                mode="markers+text",
                textposition=_sides(rows, found.rows, axes[0][0]),
                cliponaxis=False,
                marker={"size": 12, "color": COLOURS[key], "symbol": "star" if key == "winner" else "circle"},
                hovertemplate="%{text}<br>%{y:.3f}<br>%{x:,.4g}<extra></extra>",
            )
        )
    buttons = [
        {
            "label": _t(title, language),
            "method": "update",
            "args": [
                {
                    "x": [_costs(rows, field) for rows in groups.values()],
                    "textposition": [_sides(rows, found.rows, field) for rows in groups.values()],
                },
                {f"xaxis.{name}": value for name, value in _ticks(found.rows, field).items()}
                | {"xaxis.title.text": f"{_t(title, language)} ({unit})"},
            ],
        }
        for field, title, unit in axes
    ]
    figure.update_layout(
        xaxis={
            "type": "log",
            "title": {"text": f"{_t(axes[0][1], language)} ({axes[0][2]})"},
            "gridcolor": _faint(),
            **_ticks(found.rows, axes[0][0]),
        },
        yaxis={"title": {"text": found.primary}, "gridcolor": _faint(), "zeroline": False},
        font={"color": GREY, "family": "system-ui, sans-serif"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
        margin={"l": 60, "r": 30, "t": 50, "b": 90},
        updatemenus=[
            {
                "buttons": buttons,
                "bgcolor": "rgba(128,135,144,0.15)",
                "bordercolor": _faint(),
                "x": 1,
                "xanchor": "right",
                "y": 1.02,
                "yanchor": "bottom",
            }
        ],
        height=420,
    )
    return figure


def _group(row: Row) -> str:
    if row.standing in ("winner", "excluded"):
        return row.standing
    return "front" if row.on_pareto_front else "other"


def _costs(rows: Sequence[Row], field: str) -> list[float | None]:
    return [value if (value := getattr(row, field)) and value > 0 else None for row in rows]


def _known(rows: Sequence[Row], field: str) -> list[float]:
    return [value for value in _costs(rows, field) if value is not None]


def _ticks(rows: Sequence[Row], field: str) -> dict[str, Any]:
    """Round places on the logarithmic axis, as the report has them."""
    _, _, at = log_ticks(_known(rows, field))
    return {"tickvals": at, "ticktext": [f"{value:,g}" for value in at]}


def _sides(rows: Sequence[Row], all_rows: Sequence[Row], field: str) -> list[str]:
    """On which side of its point a name stands: where there is more room."""
    logs = [math.log(value) for value in _known(all_rows, field)]
    middle = min(logs) + 0.6 * (max(logs) - min(logs))
    costs = _costs(rows, field)
    return ["middle left" if cost and math.log(cost) > middle else "middle right" for cost in costs]


def _rounded(value: float | None, digits: int = 3) -> float | int | None:
    if value is None:
        return None
    return round(value, digits) if digits else round(value)


def _faint() -> str:
    return "rgba(128,135,144,0.25)"


def _t(text: Text, language: Language) -> str:
    return text.render(language)
