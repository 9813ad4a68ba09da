"""The section on load: the rate against p95, machines, where the time goes."""

from knowledge.results.service import RateHeld
from tests.tools.report_fixture import FOUND, make_report
from tests.tools.test_load_decision import under_load
from tools.report.document import CurvesPlot, Paragraph, Table
from tools.report.html import as_html
from tools.report.load import load
from tools.report.sections import make_document
from tools.report.voice import Voice

WINNER, TIED = FOUND[0][0], FOUND[1][0]


def loaded():
    found = under_load({WINNER: 60.0, TIED: None}, rate=100.0)
    curve = ((20.0, 8.0), (40.0, 12.0), (60.0, 30.0), (60.0, 20.0), (60.0, 25.0), (80.0, 200.0))
    parts = {"forward": (3.0, 5.0, 6.0), "queue": (0.0, 0.1, 0.2), "milvus": (1.0, 2.0, 3.0)}
    first = found.candidates[0].model_copy(update={"curve": curve, "parts": parts, "spread": 0.2})
    second = RateHeld(spec=TIED, run_id="load-1", holds_qps=None, p95_ms=400.0, curve=((5.0, 400.0), (10.0, 900.0)))
    return make_report().model_copy(
        update={"load": found.model_copy(update={"candidates": (first, second), "documents": 300})}
    )


def test_the_plot_has_both_the_limit_and_the_stated_rate():
    blocks = load(Voice(loaded(), "en"))
    (plot,) = [block for block in blocks if isinstance(block, CurvesPlot)]
    lines = plot.curves.lines
    assert lines[0].points == ((20.0, 8.0), (40.0, 12.0), (60.0, 25.0), (80.0, 200.0)), "of repeats the middle one"
    assert {y for _, y in lines[-1].points} == {100.0}
    assert [mark.x for mark in plot.curves.marks] == [100.0]
    assert plot.curves.x.low < 5
    assert plot.curves.x.high > 100


def test_the_tables_have_machines_and_the_parts_in_the_order_of_the_way():
    tables = [block for block in load(Voice(loaded(), "en")) if isinstance(block, Table)]
    held, parts = tables[0], tables[1]
    assert [row[2].text for row in held.rows] == ["2", "–"]
    assert held.rows[1][1].text == "none"
    assert [row[0].text for row in parts.rows] == ["queue", "forward", "Milvus"]


def test_it_stands_in_both_languages_and_nowhere_without_a_rate():
    assert load(Voice(make_report(), "en")) == ()
    for language, title in (("en", "Load"), ("zh", "负载")):
        document = make_document(loaded(), language)
        assert [section.title for section in document.sections if section.id == "load"] == [title]
    assert 'class="line limit"' in as_html(make_document(loaded(), "en"))


def test_one_rate_is_a_dot_beside_a_curve_and_a_sentence_where_it_is_all_there_is():
    report = loaded()
    first, second = report.load.candidates
    lone = second.model_copy(update={"curve": ((5.0, 400.0), (5.0, 380.0))})
    beside = report.load.model_copy(update={"candidates": (first, lone)})
    (plot,) = [b for b in load(Voice(report.model_copy(update={"load": beside}), "en")) if isinstance(b, CurvesPlot)]
    assert [len(line.points) for line in plot.curves.lines] == [4, 1, 2]
    assert [line.dots for line in plot.curves.lines] == [True, True, False], "the limit was not measured"
    page = as_html(make_document(report.model_copy(update={"load": beside}), "en"))
    assert page.count('<circle class="dot api"') == 2 + 1, "on both sheets, and in the key"
    alone = report.model_copy(update={"load": report.load.model_copy(update={"candidates": (lone,)})})
    blocks = load(Voice(alone, "en"))
    assert not [block for block in blocks if isinstance(block, CurvesPlot)]
    told = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert any("tried at one rate alone" in text and "p95 400 ms, above the 100 ms allowed" in text for text in told)
    assert "只试过一个速率" in as_html(make_document(alone, "zh"))
