"""The report's section on cost and size: figures that are cited, two curves, and the same in Chinese."""

import re

import pytest

from knowledge.catalog_in_use import usable_catalog
from tests.tools.report_fixture import make_report
from tools.cost import Stated, costs, volume_of
from tools.report import render_html, render_json, render_markdown
from tools.report.curves import Curves, Line, Mark
from tools.report.plane import Axis


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    made = make_report()
    catalog = usable_catalog(tmp_path_factory.mktemp("home")).catalog
    stated = Stated(machine_memory_gb=32, machine_usd_per_hour=0.26)
    volume, assumptions = volume_of(stated, made.requirements, made.profile, None, made.benchmark.hardware)
    api = catalog.card("openai/text-embedding-3-small")
    found = costs(
        volume,
        assumptions,
        evaluation=made.evaluation,
        benchmark=made.benchmark,
        specs=[made.recommendation.winner],
        published={"openai:text-embedding-3-small": api},
        cards={card.model: card for card in catalog.cards}.get,
    )
    return made.model_copy(update={"costs": found})


def section(html):
    return re.search(r'<section id="cost".*?</section>', html, re.S)[0]


def test_it_is_there_with_two_curves_and_what_they_rest_on(report):
    html = section(render_html(report))
    assert html.count('<svg class="canvas curves wide"') == 2
    assert html.count('class="line own"') == html.count('class="line api"')
    assert ">now<" in html
    assert "What these figures rest on" in html
    assert "10 million" in html
    assert "1 billion" in html
    cited = set(re.findall(r'href="#evidence-(EM\d+)"', html))
    assert len(cited) > 10
    assert cited <= {one.id for one in report.costs.evidence}
    whole = render_html(report)
    assert all(f'id="evidence-{id}"' in whole for id in cited)


def test_the_other_forms_say_the_same(report):
    markdown, chinese = render_markdown(report), render_markdown(report, "zh")
    usd = report.costs.candidates[0].usd_per_month
    assert f"about &#36;{usd:,.0f}" in markdown
    assert "## 费用与规模" in chinese
    assert "| 10,000 |" in markdown, "a curve in words"
    assert '"break_even"' in render_json(report)


def test_without_a_timing_there_is_none():
    assert 'id="cost"' not in render_html(make_report())


def test_places_and_steps_of_a_curve():
    curves = Curves(
        x=Axis("x", "x", 1, 100, ()),
        y=Axis("y", "y", 1, 10, ()),
        lines=(Line("a", "own", ((1, 1), (10, 1), (100, 10))),),
        marks=(Mark(1, "low"), Mark(10, "middle"), Mark(100, "high")),
        description="",
    )
    sheet = curves.wide
    start, middle, end = re.findall(r"([\d.]+),([\d.]+)", sheet.path(curves.lines[0]))
    assert (float(start[0]), float(end[0])) == (sheet.LEFT, sheet.right)
    assert float(middle[0]) == pytest.approx((sheet.LEFT + sheet.right) / 2, abs=0.1)
    assert (float(start[1]), float(end[1])) == (sheet.bottom, sheet.TOP)
    assert [sheet.anchor(mark) for mark in curves.marks] == ["start", "middle", "end"]
    assert curves.lines[0].near(12) == 1


def test_names_that_would_lie_on_each_other_are_in_two_rows():
    axis = Axis("x", "x", 1e3, 1e9, ())
    marks = (Mark(4.1e8, "410 million"), Mark(8.1e8, "810 million"), Mark(8.2e8, "820 million"), Mark(1e4, "now"))
    sheet = Curves(x=axis, y=axis, lines=(), marks=marks, description="").wide
    heights = {mark.name: height for mark, height in sheet.named()}
    assert heights["410 million"] > heights["810 million"] > 10
    assert "820 million" not in heights, "there is no third row"
    assert heights["now"] == heights["410 million"]
