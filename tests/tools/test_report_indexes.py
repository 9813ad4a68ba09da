"""Searches a second against recall in the section on load, from a sweep as `advisor index` keeps it."""

import datetime as dt
import re

from knowledge.results import Hardware, Report
from knowledge.results.index_load import IndexLoad, IndexPoint
from tests.tools.report_fixture import MINILM, make_report
from tools.index_words import fastest, name, whole_name
from tools.report import render_json
from tools.report.document import CurvesPlot, Fold
from tools.report.html import as_html
from tools.report.indexes import indexes
from tools.report.markdown import as_markdown
from tools.report.sections import make_document
from tools.report.voice import Voice


def point(kind, recall, qps, clients=4, **parameters):
    return IndexPoint(
        kind=kind,
        parameters=parameters,
        recall=recall,
        index_seconds=1,
        concurrency=clients,
        qps=qps,
        p50_ms=2,
        p95_ms=3,
        p99_ms=4,
    )


POINTS = (
    point("flat", 1.0, 40),
    point("flat", 1.0, 20, clients=1),
    point("hnsw", 0.999, 900, m=16, ef=256),
    point("hnsw", 0.97, 2500, m=16, ef=64),
    point("hnsw", 0.97, 700, clients=1, m=16, ef=64),
)


def swept(points=POINTS, **changes):
    found = IndexLoad(
        run_id="index-1",
        started=dt.datetime(2026, 11, 29, tzinfo=dt.UTC),
        machine=Hardware(cpu="x", cores=2, memory_gb=16),
        spec=MINILM,
        vectors=10_000,
        real=300,
        dimension=384,
        queries=50,
        k=10,
        seconds=1,
        lite=False,
        points=points,
    )
    return make_report().model_copy(update={"index": found.model_copy(update=changes)})


def test_there_is_a_line_for_each_index_at_as_many_clients_as_gave_most():
    (plot,) = [block for block in indexes(Voice(swept(), "en")) if isinstance(block, CurvesPlot)]
    lines = {line.name: line.points for line in plot.curves.lines}
    assert lines == {"hnsw": ((0.97, 2500.0), (0.999, 900.0)), "flat": ((1.0, 40.0),)}
    assert all(line.dots for line in plot.curves.lines)
    assert "4 clients at a time" in plot.curves.description
    for sheet in (plot.curves.wide, plot.curves.narrow):
        places = [(sheet.at_x(x), sheet.at_y(y)) for line in plot.curves.lines for x, y in line.points]
        assert all(sheet.LEFT <= x <= sheet.right and sheet.TOP <= y <= sheet.bottom for x, y in places)
        assert places[0][0] < places[1][0], "more recall is to the right"
        assert places[0][1] < places[1][1], "more searches a second are higher"
    assert all(tick.value <= 1 for tick in plot.curves.x.ticks)


def test_it_stands_under_load_in_every_form_and_both_languages():
    report = swept()
    for language, title in (("en", "Load"), ("zh", "负载")):
        document = make_document(report, language)
        (section,) = [section for section in document.sections if section.id == "load"]
        assert section.title == title
        (fold,) = [block for block in section.blocks if isinstance(block, Fold)]
        assert len(fold.blocks[0].rows) == len(POINTS)
        page = as_html(document)
        assert page.count('class="line own"') >= 3
        text = as_markdown(document)
        assert re.search(r"- hnsw: 0\.97: 2,500; 0\.999: 900\n- flat: 1: 40\.0", text)
    assert Report.model_validate_json(render_json(report)).index.points == POINTS
    assert indexes(Voice(make_report(), "en")) == ()
    assert indexes(Voice(swept(points=()), "en")) == ()


def test_one_setting_or_rates_of_zero_draw_nothing_that_fails():
    assert not [b for b in indexes(Voice(swept(points=POINTS[:1]), "en")) if isinstance(b, CurvesPlot)]
    same = (point("hnsw", 1.0, 0.0, ef=1), point("flat", 1.0, 0.0))
    (plot,) = [b for b in indexes(Voice(swept(points=same), "en")) if isinstance(b, CurvesPlot)]
    assert "nan" not in plot.curves.wide.path(plot.curves.lines[0])


def test_what_is_fastest_is_said_once_where_it_is_one_setting():
    assert [str(line)[:22] for line in fastest(swept().index)] == ["At recall 0.99 or more", "At recall 0.95 or more"]
    both = swept(points=(point("hnsw", 0.995, 9000, m=16, ef=99), *POINTS)).index
    (line,) = fastest(both)
    assert str(line).startswith("At recall 0.99 or more: hnsw m=16 ef=99, 9,000")
    assert fastest(swept(points=(point("ivf_flat", 0.3, 5, nlist=9, nprobe=1),)).index) == []
    assert (name(POINTS[2]), whole_name(POINTS[2]), name(POINTS[0])) == ("hnsw ef=256", "hnsw m=16 ef=256", "flat")
