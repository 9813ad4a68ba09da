"""The plot of the result: nothing covers the winner, numbers stand for names, nothing untrusted is markup."""

from types import SimpleNamespace

import pytest

from app.chat.plot import pareto_figure
from app.chat.view import RESULT, View
from knowledge.results import Interval, Recommendation, Row
from knowledge.wording import say


def made(*rows):
    return Recommendation(
        run_id="r",
        created="2026-03-14T09:26:00Z",
        measured=True,
        winner=rows[0].spec,
        best=rows[0].spec,
        headline=say("yes"),
        reasons=(),
        confidence=say("yes"),
        rows=rows,
        evidence=(),
        not_measured=(),
        what_would_change_it=(),
        primary="nDCG@10",
        margin=0.02,
    )


def row(spec, standing, mean, ms, **more):
    quality = Interval(mean=mean, low=mean - 0.05, high=mean + 0.05)
    return Row(spec=spec, standing=standing, quality=quality, query_p95_ms=ms, peak_memory_mb=100.0 * mean, **more)


HOSTILE = "<img src=x onerror=alert(1)>"

ROWS = (
    row("st:a/best", "winner", 0.80, 10.0, on_pareto_front=True),
    row("st:a/best?precision=bf16", "tied", 0.80, 10.1),
    row("bm25", "worse", 0.50, 0.4, on_pareto_front=True),
    row("st:a/untimed", "undecided", 0.70, None),
    row("st:a/slow", "excluded", 0.82, 900.0),
)


def test_numbers_stand_for_names_and_the_key_has_both():
    figure = pareto_figure(made(*ROWS), "en")
    assert [trace.text[0] for trace in figure.data] == ["<b>2</b>", "<b>3</b>", "<b>4</b>", "<b>5</b>", "<b>1</b>"]
    assert figure.data[0].name == "2  best (bf16): Not on the front"
    assert figure.data[-1].name == "1  best: Winner", "drawn last, so that nothing covers it"
    assert [trace.legendrank for trace in figure.data] == [2, 3, 4, 5, 1]
    zh = pareto_figure(made(*ROWS), "zh")
    assert zh.data[-1].name == "1  best: 胜出"


def test_marks_that_would_lie_on_one_another_stand_apart_and_the_winner_stays():
    figure = pareto_figure(made(*ROWS), "en")
    x = {trace.legendrank: trace.x[0] for trace in figure.data}
    assert x[1] == 10.0
    assert abs(x[2] / 10.1 - 1) > 0.2, "its place is taken"
    assert "10.1 ms" in figure.data[0].hovertext[0], "what it says is exact all the same"
    assert (x[3], x[4], x[5]) == (0.4, None, 900.0)
    (menu,) = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == ["p95 latency", "Peak memory"]
    assert len(menu.buttons[1].args[0]["x"]) == len(ROWS)


@pytest.mark.parametrize("standing", ["alone", "winner"])
def test_what_was_measured_alone_is_called_no_winner(standing):
    figure = pareto_figure(made(row("bm25", standing, 0.5, 1.0)), "en")
    assert ("Winner" in figure.data[0].name) == (standing == "winner")


def test_names_are_escaped_and_what_was_not_timed_makes_no_plot():
    hostile = pareto_figure(made(row(HOSTILE, "winner", 0.5, 1.0)), "en").to_json()
    assert "<img" not in hostile
    assert "\\u003cimg" not in hostile
    assert (
        pareto_figure(made(row("bm25", "winner", 0.5, None).model_copy(update={"peak_memory_mb": None})), "en") is None
    )


def test_a_result_without_measurements_says_why_there_is_no_table_and_no_plot():
    conversations = SimpleNamespace(advisor=SimpleNamespace(report=lambda thread: None))
    view = View(conversations, "t", "en")
    *_, no_table, no_plot = view._result(made(*ROWS).model_copy(update={"rows": (), "measured": False}))
    assert "Nothing was measured" in no_table
    assert "nothing was timed" in no_plot
    parts = view._result(made(*ROWS))
    assert parts[-2:] == ["", ""]
    assert len(parts) == RESULT
    assert [view._result(made(*ROWS), deployable)[5]["visible"] for deployable in (False, True)] == [False, True]
