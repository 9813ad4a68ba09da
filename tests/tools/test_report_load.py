"""The section on load: the rate against p95, machines, where the time goes."""

from knowledge.results.service import RateHeld
from tests.tools.report_fixture import FOUND, make_report
from tests.tools.test_load_decision import under_load
from tools.report.document import CurvesPlot, Table
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
