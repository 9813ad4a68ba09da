"""The report's three forms: they agree, stand alone, escape everything, and are written whole or not at all."""

import errno
import itertools
import json
import math
import os
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from knowledge.errors import ResourceError
from knowledge.requirements import read_requirements
from knowledge.results import Report
from knowledge.wording import Text
from tools import whole_files
from tools.report import (
    figures,
    render_html,
    render_json,
    render_markdown,
    render_terminal,
    report_schema,
    write_report,
)
from tools.report.document import Fold, Table, mentions
from tools.report.drawings import Point, Scatter, bars
from tools.report.figures import NOTHING
from tools.report.markdown import code, escape
from tools.report.plane import Axis, linear_ticks, log_ticks
from tools.report.sections import make_document

SCHEMA = files("tools") / "templates" / "report.schema.json"
LANGUAGES = ("en", "zh")
GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
VOID = {"meta", "link", "input", "img", "br", "line", "rect", "circle", "path", "hr"}


def load_fixture():
    import importlib.util

    spec = importlib.util.spec_from_file_location("report_fixture", Path(__file__).with_name("report_fixture.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fixture = load_fixture()


class Page(HTMLParser):
    """What a browser would find: elements, scripts, text, sections, table rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.scripts, self.rows, self.ids, self.text = [], [], [], [], ""
        self._open, self._row = [], None
        self.feed(html)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append([attrs, ""])
        if tag == "tr":
            self._row = []
        if tag in ("td", "th") and self._row is not None:
            self._row.append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        if tag == "tr":
            self.rows.append(self._row)
            self._row = None

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts[-1][1] += data
            return
        if self._open and self._open[-1] == "style":
            return
        self.text += data
        if self._row:
            self._row[-1] += data

    @property
    def sections(self):
        return [attrs["id"] for tag, attrs in self.tags if tag == "section"]


@pytest.fixture(scope="module")
def report():
    return fixture.make_report()


@pytest.fixture(scope="module")
def pages(report):
    return {language: Page(render_html(report, language)) for language in LANGUAGES}


# ---------------------------------------------------------------- the forms agree


def number(text: str) -> float:
    """The figure at the start of a cell, in the unit that the record keeps it in."""
    value, unit = re.match(r"\s*([−+-]?[\d,.]+)\s*(GB|kB|s\b)?", text.replace("&lt;", "").replace("<", "")).groups()
    factor = {"GB": 1024, "kB": 1000, "s": 1000, None: 1}[unit]
    return float(value.replace(",", "").replace("−", "-")) * factor


def markdown_row(markdown: str, spec: str) -> list[str]:
    line = next(x for x in markdown.splitlines() if x.startswith("|") and f"`{spec}`" in x)
    return [re.sub(r"\[([^]]*)\]\(#[^)]*\)|\*\*", r"\1", cell).strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_of_the_json_rows_is_in_markdown_and_html(report, pages, language):
    markdown = render_markdown(report, language)
    data = json.loads(render_json(report, language))
    assert len(data["recommendation"]["rows"]) == 7
    for row in data["recommendation"]["rows"]:
        in_html = next(r for r in pages[language].rows if len(r) == 11 and r[1].strip().endswith(row["spec"]))
        for cells in (markdown_row(markdown, row["spec"]), in_html):
            assert number(cells[3]) == pytest.approx(row["quality"]["mean"], abs=0.00051)
            low, high = re.search(r"([\d.]+)–([\d.]+)", cells[3]).groups()
            assert float(low[-5:]) == pytest.approx(row["quality"]["low"], abs=0.00051)
            assert float(high) == pytest.approx(row["quality"]["high"], abs=0.00051)
            if row["difference"]:
                assert number(cells[4]) == pytest.approx(row["difference"]["mean"], abs=0.00051)
                assert number(cells[5]) == pytest.approx(row["p_different"], abs=0.001)
            for i, key in enumerate(
                ("query_p95_ms", "documents_per_second", "peak_memory_mb", "bytes_per_vector"), start=6
            ):
                assert number(cells[i]) == pytest.approx(row[key], rel=0.05), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_is_in_markdown_and_html(report, pages, language):
    markdown = render_markdown(report, language)
    for row in report.recommendation.rows:
        wanted = [f"{value:.3f}" for value in row.metrics.values()]
        name = markdown[markdown.index('<a id="metrics">') :]
        assert markdown_row(name, row.spec)[1:6] == wanted
        assert any([cell.strip() for cell in r[1:]] == wanted for r in pages[language].rows if len(r) == 6)


def test_same_winner_and_sections_everywhere(report, pages):
    spec = report.recommendation.winner
    sections = pages["en"].sections
    first = ["candidates", "tradeoff", "certainty", "parts", "side-by-side", "sensitivity", "rejected", "not-measured"]
    assert sections[: len(first) + 2] == [*first, "plan", "reproduce"]
    assert len(sections) == 19
    assert pages["zh"].sections == sections
    for language in LANGUAGES:
        markdown = render_markdown(report, language)
        assert re.findall(r'^<a id="([a-z-]+)"></a>$', markdown, re.MULTILINE) == sections
        assert markdown.splitlines()[0] == "# rrf(bm25, all-MiniLM-L6-v2)"
        assert f"`{spec}`" in markdown
        assert json.loads(render_json(report, language))["recommendation"]["winner"] == spec
        assert any(r[1].strip().startswith("rrf(bm25, all-MiniLM-L6-v2)") for r in pages[language].rows if len(r) == 11)


def test_chinese_is_chinese(report, pages):
    assert "什么会改变结论" in pages["zh"].text
    assert "Candidates compared" not in pages["zh"].text
    assert "## 未测量的内容" in render_markdown(report, "zh")
    assert ("html", {"lang": "zh-CN"}) in pages["zh"].tags


def cited_in(report: Report) -> set[str]:
    cited = {id for row in report.recommendation.rows for id in row.cites.values()}
    return cited | {id for part in report.slices.slices for score in part.scores for id in score.cites.values()}


def test_all_three_forms_have_the_same_evidence(report, pages):
    data = json.loads(render_json(report))
    kept = [e["id"] for e in data["recommendation"]["evidence"] + data["slices"]["evidence"]]
    assert cited_in(report) <= set(kept)
    for language in LANGUAGES:
        page, markdown = pages[language], render_markdown(report, language)
        assert [id.removeprefix("evidence-") for id in page.ids if re.match("evidence-E", id)] == kept
        shown = re.findall(r'<a id="evidence-([^"]+)"></a>', markdown)
        assert shown == [id for id in kept if id in set(shown)], "in the same order"
        assert set(shown) == set(re.findall(r"\]\(#evidence-([^)]+)\)", markdown)), "what is cited, and no more"
        assert len(shown) < len(kept)
        assert "report.json" in markdown
        rows = {r[0].strip(): r for r in page.rows if len(r) == 8}
        for one in report.recommendation.evidence + report.slices.evidence:
            assert number(rows[one.id][4].strip().removesuffix(f" {one.unit}")) == pytest.approx(one.value, rel=1e-5)
            assert one.source.render(language) in rows[one.id][5]
            assert rows[one.id][6].strip() == (one.run_id or "–")
            assert rows[one.id][7].strip() == (one.date.isoformat() if one.date else "–")


def test_ids_of_evidence_are_not_looked_for_in_names_of_models():
    found = mentions(["E5", "E12"])
    assert found.findall("better (E5, E12; E5).") == ["E5", "E12", "E5"]
    assert not found.findall("intfloat/E5, E5-mistral, multilingual-E5, E5x, E120")
    assert mentions([]) is None


def test_every_citation_leads_to_its_evidence(report, pages):
    page = pages["en"]
    links = [a["href"][1:] for tag, a in page.tags if tag == "a" and a.get("href", "").startswith("#")]
    assert set(links) <= set(page.ids)
    cited = cited_in(report)
    assert {f"evidence-{id}" for id in cited} <= set(links)
    assert len(page.ids) == len(set(page.ids))
    markdown = render_markdown(report)
    for id in set(re.findall(r"\]\(#evidence-([^)]+)\)", markdown)) | {
        id for row in report.recommendation.rows for id in row.cites.values()
    }:
        assert f"](#evidence-{id})" in markdown
        assert markdown.count(f'<a id="evidence-{id}"></a>') == 1


#: figures that are counts of what is shown, or numbers of rows
NOT_CITED = {
    ("candidates", "#"),
    ("candidates", "p"),
    ("rejected", "Models"),
    ("rounds", "Round"),
    ("evidence", "Value"),
}


def tables_of(blocks):
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Fold):
            yield from tables_of(block.blocks)


def test_each_figure_of_a_table_cites_its_evidence(report):
    document = make_document(report, "en")
    looked_at = 0
    for section in document.sections:
        for table in tables_of(section.blocks):
            for row in table.rows:
                for column, cell in zip(table.columns, row, strict=True):
                    if not column.numeric or cell.text in ("", NOTHING) or (section.id, column.title) in NOT_CITED:
                        continue
                    looked_at += 1
                    assert cell.cite in document.evidence, (section.id, table.title, column.title, cell.text)
    assert looked_at > 200
    data = next(s for s in document.sections if s.id == "data")
    cited = {row[0].text for table in tables_of(data.blocks) for row in table.rows if row[1].cite in document.evidence}
    assert {"Documents", "Queries", "Languages of the documents", "Duplicated documents"} <= cited
    assert all(fact.cite in document.evidence for fact in document.answer.facts)


def test_ids_in_sentences_are_links(report):
    assert 'nDCG@10 (<a class="cite" href="#evidence-E1">E1</a>)' in render_html(report)
    assert "([E10](#evidence-E10))" in render_markdown(report)


# ---------------------------------------------------------------- one page that stands alone


def test_html_loads_nothing(pages):
    for page in pages.values():
        for tag, attrs in page.tags:
            assert tag not in ("iframe", "object", "embed", "base", "form", "audio", "video"), tag
            for name, value in attrs.items():
                assert not name.startswith("on"), (tag, name)
                if name in ("src", "srcset", "href", "action", "data", "poster", "xlink:href"):
                    assert value.startswith(("#", "data:")), (tag, value)
        style = files("tools").joinpath("templates", "report.css").read_text("utf-8")
        assert "url(" not in style
        assert "@import" not in style


def test_html_has_one_script_and_a_strict_policy(pages):
    page = pages["en"]
    assert len(page.scripts) == 1
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "unsafe" not in policy
    assert not any("style" in attrs for _, attrs in page.tags), "the policy would not let them work"


@pytest.mark.parametrize("make", [fixture.make_report, fixture.unmeasured_report])
def test_a_report_fits_into_a_mail(make):
    assert len(render_html(make()).encode()) < 200_000
    assert len(render_markdown(make()).encode()) < 60_000


def test_the_first_screen_says_which_how_sure_why_and_at_what_cost(pages):
    text = pages["en"].text
    first = text[text.index("Recommendation, measured") : text.index("All candidates")]
    assert "How sure: some are not told apart." in first
    assert "1 of 6 others cannot be told from the best with 512 queries. About 1,400 would settle it." in first
    assert "The rest: 1 tied within 0.020, 3 measurably worse, 1 excluded by your limits" in first
    order = ["rrf(bm25, all-MiniLM-L6-v2)", "How sure", "What you get, and what it costs", "Why"]
    assert [first.index(part) for part in order] == sorted(first.index(part) for part in order)
    assert "14.7 ms" in first
    assert "912 MB" in first


def test_an_answer_with_nothing_open_says_so(report):
    rows = tuple(
        row.model_copy(update={"standing": "worse"}) if row.standing == "undecided" else row
        for row in report.recommendation.rows
    )
    closed = report.model_copy(update={"recommendation": report.recommendation.model_copy(update={"rows": rows})})
    markdown = render_markdown(closed)
    assert (
        "**How sure: settled.** 512 queries place each of 6 others: 1 tied within 0.020, 4 measurably worse" in markdown
    )
    rest = report.recommendation.model_copy(update={"rows": rows[:1]})
    assert "the others were left out in the rounds" in render_markdown(
        report.model_copy(update={"recommendation": rest})
    )


@pytest.mark.parametrize(
    ("language", "said", "never"),
    [
        (
            "en",
            ("How sure: nothing was compared.", "Measured alone, on stdlib-docs"),
            ("settled.", "Winner", "(winner)"),
        ),
        ("zh", ("没有作任何比较", "单独测量"), ("已有定论", "胜出")),
    ],
)
def test_what_was_measured_alone_is_called_no_winner(report, language, said, never):
    row = report.recommendation.rows[0].model_copy(update={"standing": "alone"})
    texts = {"reasons": (), "what_would_change_it": (), "next_steps": ()}
    advice = report.recommendation.model_copy(update={"rows": (row,), "winner": row.spec, "best": row.spec, **texts})
    alone = report.model_copy(update={"recommendation": advice, "slices": None, "head_to_head": None})
    shown = (Page(render_html(alone, language)).text, render_markdown(alone, language))
    for page in (*shown, shown_in_terminal(alone, 100, language)):
        assert not [word for word in never if word in page]
    assert all(words in page for page in shown for words in said)


def test_every_candidate_in_the_terminal_has_its_standing(report):
    shown = " ".join(shown_in_terminal(report, 120).split())
    assert shown.count("(worse)") == [row.standing for row in report.recommendation.rows].count("worse") > 0


def test_markdown_keeps_the_spaces_around_evidence(report):
    reason = Text.model_validate("cost (E10, E11); p = 0.004; E12 from E10")
    advice = report.recommendation.model_copy(update={"reasons": (reason,)})
    markdown = render_markdown(report.model_copy(update={"recommendation": advice}))
    link = "[{0}](#evidence-{0})".format
    assert f"cost ({link('E10')}, {link('E11')}); p = 0.004; {link('E12')} from {link('E10')}" in markdown
    assert not re.search(r"(from|[,;])\[E\d", markdown)


def test_a_duel_without_a_difference_says_so(report):
    even = report.head_to_head.model_copy(update={"wins": 0, "losses": 0, "draws": 35, "duels": ()})
    markdown = render_markdown(report.model_copy(update={"head_to_head": even}))
    assert "score the same on every one of 35 queries" in markdown
    assert "better on 0 queries" not in markdown


def test_p_values_lead_to_their_own_evidence(report):
    ids = {"p_different": "E12", "p_worse": "E13", "p_within": "E14"}
    rows = tuple(
        row.model_copy(update={"cites": row.cites | ids}) if row.difference else row
        for row in report.recommendation.rows
    )
    advice = report.recommendation.model_copy(update={"rows": rows})
    tested = tuple(c.model_copy(update={"p_within": 0.4}) for c in report.comparisons)
    markdown = render_markdown(report.model_copy(update={"recommendation": advice, "comparisons": tested}))
    spec = next(row.spec for row in rows if row.difference)
    for section, wanted in (("candidates", ["E12"]), ("certainty", list(ids.values()))):
        part = markdown[markdown.index(f'<a id="{section}">') :]
        line = next(x for x in part.splitlines() if x.startswith("|") and f"`{spec}`" in x)
        assert all(f"](#evidence-{id})" in line for id in wanted), section


# ---------------------------------------------------------------- plots and intervals


def test_each_cost_has_its_plot_in_two_sizes(report, pages):
    page = pages["en"]
    views = [a["data-axis"] for tag, a in page.tags if a.get("class") == "view"]
    assert views == [a["value"] for tag, a in page.tags if tag == "input"]
    assert views == ["query_p95_ms", "peak_memory_mb", "bytes_per_vector"]
    marks = [a for tag, a in page.tags if tag == "a" and a.get("class", "").startswith("point ")]
    assert len(marks) == 2 * 3 * len(report.recommendation.rows)
    told = next(a["aria-label"] for a in marks)
    assert told.startswith("1 rrf(bm25, all-MiniLM-L6-v2), Winner: nDCG@10 0.731 (0.710–0.750), p95 latency 14.7 ms")
    priced = tuple(r.model_copy(update={"usd_per_million_tokens": 0.02}) for r in report.recommendation.rows[:2])
    paid = report.recommendation.model_copy(update={"rows": priced + report.recommendation.rows[2:]})
    html = render_html(report.model_copy(update={"recommendation": paid}))
    assert 'data-axis="usd_per_million_tokens"' in html


def scatter(*points: tuple[float, float], tones: str = "") -> Scatter:
    made = tuple(
        Point(i, str(i), tone, tone, False, y, y - 0.05, y + 0.05, {"ms": x}, {})
        for i, ((x, y), tone) in enumerate(zip(points, tones.split() or ["other"] * len(points), strict=True))
    )
    return Scatter(Axis("quality", "", 0.0, 1.0, (), log=False), (Axis("ms", "", 1.0, 100.0, ()),), made)


def test_no_mark_covers_another():
    plot = scatter(*[(10.0, 0.5)] * 5, (10.1, 0.51), (1.0, 0.5), (100.0, 0.5))
    for canvas in (plot.wide, plot.narrow):
        marks = canvas.marks(plot.axes[0])
        assert len(marks) == 8
        for one, other in itertools.combinations(marks, 2):
            apart = math.hypot(one.shown_at - other.shown_at, one.y - other.y)
            assert apart >= 2 * canvas.RADIUS, (one, other)
        assert all(
            canvas.LEFT <= m.shown_at - canvas.RADIUS <= m.shown_at + canvas.RADIUS <= canvas.right for m in marks
        )


def test_the_frontier_is_the_best_at_each_cost():
    plot = scatter((10.0, 0.6), (1.0, 0.4), (20.0, 0.5), (5.0, 0.9), tones="other front front excluded")
    canvas, axis = plot.wide, plot.axes[0]
    corners = [(canvas.across(axis, 1.0), canvas.at_y(0.4)), (canvas.across(axis, 10.0), canvas.at_y(0.6))]
    (x1, y1), (x2, y2) = corners
    assert canvas.frontier(axis) == f"M{x1},{y1} H{x2} V{y2} H{canvas.right}"
    assert scatter((5.0, 0.9), tones="excluded").wide.frontier(axis) == ""


def test_bars_lie_on_one_scale():
    first, missing, second = bars([(0.2, 0.3, 0.4), None, (0.4, 0.5, 0.6)])
    assert (first.low, first.high, second.low, second.high) == pytest.approx((0.0, 0.5, 0.5, 1.0))
    assert missing is None
    assert bars([(-0.2, -0.1, -0.05)], zero=True)[0].zero == pytest.approx(1.0)
    assert bars([(0.5, 0.5, 0.5)]) == [None]
    assert bars([(0.5, float("nan"), 0.5)]) == [None]


# ---------------------------------------------------------------- behind the averages


@pytest.mark.parametrize("language", LANGUAGES)
def test_parts_of_the_queries_say_the_same_in_all_forms(report, pages, language):
    markdown = render_markdown(report, language)
    part = markdown[markdown.index('<a id="parts">') : markdown.index('<a id="side-by-side">')]
    for one in json.loads(render_json(report, language))["slices"]["slices"]:
        line = next(x for x in part.splitlines() if x.startswith(f"| {one['part']}"))
        row = next(r for r in pages[language].rows if r[0].startswith(one["part"]))
        for i, score in enumerate(one["scores"]):
            value = score["difference"] or score["quality"]
            for cell in (line.strip("|").split(" | ")[2 + i], row[2 + i]):
                shown = re.sub(r"\[([^]]*)\]\(#evidence-EQ\d+\)", r"\1", cell)
                assert number(shown) == pytest.approx(value["mean"], abs=0.00051)


def test_a_rival_that_is_better_on_some_queries_is_named(report):
    assert (
        "Shown to be better than the winner: all-MiniLM-L6-v2 on queries with length of the query: 9 to 38 tokens."
        in render_markdown(report)
    )
    parts = report.slices.model_copy(update={"slices": report.slices.slices[:1]})
    assert "On no part of the queries is a rival" in render_markdown(report.model_copy(update={"slices": parts}))
    assert "all 4 hold together in 95 of 100 cases" in render_markdown(report)


def test_a_routing_is_told_with_its_gain_its_cost_and_its_evidence(report, pages):
    route = report.slices.routing[0]
    for shown in (pages["en"].text, render_markdown(report)):
        assert "Two models instead of one:" in shown
        assert "send 9 to 38 tokens to all-MiniLM-L6-v2 (+5.0 points of nDCG@10 on those 252 of 512 queries" in shown
        assert "2 set-ups in memory at once (1.74 GB in all)" in shown
        assert "No routing is advised" not in shown
    links = [a["href"] for tag, a in pages["en"].tags if tag == "a" and "evidence" in a.get("href", "")]
    assert {f"#evidence-{id}" for id in route.cites.values()} <= set(links)
    assert "用两个模型代替一个" in pages["zh"].text
    none = report.slices.model_copy(
        update={
            "routing": (),
            "slices": tuple(s.model_copy(update={"at_query_time": True}) for s in report.slices.slices),
        }
    )
    assert "No routing is advised" in render_markdown(report.model_copy(update={"slices": none}))


def test_two_candidates_side_by_side(report, pages):
    page, markdown = pages["en"].text, render_markdown(report)
    for shown in (page, markdown):
        assert "is better on 60 queries, all-MiniLM-L6-v2 on 40; on 412 they are equal" in shown
        assert "how to sort a list" in shown
        assert "whoever gets this report can read them" in shown
    assert "Right answers that neither has among its first ten" in page
    assert "Right answers that neither has among its first ten" not in markdown, "whole texts of all queries fill it"
    assert "What each of them found is in report.html and report.json" in markdown
    classes = [a.get("class") for _, a in pages["en"].tags]
    assert classes.count("side won") == 2
    assert classes.count("side") == 2


def test_a_report_from_before_parts_and_duels_still_loads(report):
    old = json.loads(render_json(report))
    del old["slices"], old["head_to_head"]
    again = Report.model_validate(old)
    assert "parts" not in Page(render_html(again)).sections
    assert "side-by-side" not in Page(render_html(again)).sections


# ---------------------------------------------------------------- what comes from outside stays text


def test_hostile_text_is_only_text():
    page = Page(render_html(fixture.hostile_report()))
    assert not {tag for tag, _ in page.tags} & {"img", "b", "iframe"}
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[-1][1]
    for payload in ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{7*7}}"):
        assert payload in page.text
    assert not any("foreign" in str(v) for tag, a in page.tags for k, v in a.items() if k in ("href", "src"))
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_hostile_markdown_shows_what_was_said():
    markdown = render_markdown(fixture.hostile_report())
    tokens = GITHUB.parse(markdown)
    inline = [child for token in tokens if token.type == "inline" for child in token.children]
    html = {t.content for t in [*inline, *tokens] if t.type in ("html_inline", "html_block")}
    assert all(re.fullmatch(r'\s*(</?a( id="[\w-]+")?>|</?code>|</?details>|<summary>.*)+\s*', h) for h in html), html
    assert not any("<script" in h or "<img" in h for h in html)
    assert not any(t.type == "image" for t in inline)
    links = [t.attrs["href"] for t in inline if t.type == "link_open"]
    assert all(link.startswith("#evidence-") for link in links)
    outside_code = re.sub(r"^(`{3,})sh$.*?^\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    rows = [line for line in outside_code.splitlines() if line.startswith("|")]
    rules = [line for line in rows if re.fullmatch(r"\|( -+:? \|)+", line)]
    assert sum(t.type == "tr_open" for t in tokens) == len(rows) - len(rules)
    assert sum(t.type == "table_open" for t in tokens) == len(rules)


@pytest.mark.parametrize(
    "text",
    [*fixture.HOSTILE, "# no heading", "1. no list", "- no list", "--- no rule", "@somebody", "$x$ $y$", "0.731"],
)
def test_escaped_markdown_renders_as_the_text_itself(text):
    shown = []
    wanted = " ".join(text.replace("\udc80", "").replace("\x1b", "").split())
    for token in GITHUB.parse(escape(wanted)):
        for child in token.children or []:
            assert child.type in ("text", "text_special", "softbreak"), child
            shown.append(child.content)
    assert "".join(shown) == wanted


@pytest.mark.parametrize("spec", ["st:a/b?dim=2", "a|b", "`", "``a`", "a\\|b", "<x>", " "])
def test_code_never_breaks_a_table(spec):
    table = f"| a | b |\n|---|---|\n| {code(spec)} | 2 |\n"
    rows = [t for t in GITHUB.parse(table) if t.type == "inline"]
    assert len(rows) == 4
    assert rows[3].content == "2"
    assert "".join(c.content for c in rows[2].children if c.type != "html_inline").strip() == spec.strip()


def test_hostile_terminal_output_has_no_control_characters():
    shown = shown_in_terminal(fixture.hostile_report(), 80)
    assert "\x1b" not in shown
    assert "[bold red]markup[/bold red]" in shown.replace("\n", " ")


# ---------------------------------------------------------------- JSON


def test_the_schema_on_file_is_that_of_the_records():
    assert json.loads(SCHEMA.read_text("utf-8")) == report_schema(), (
        "the records changed: write json.dumps(tools.report.report_schema(), indent=1) to that file"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [fixture.make_report, fixture.unmeasured_report, fixture.hostile_report])
def test_json_follows_the_schema_and_reads_back(make, language):
    validators = pytest.importorskip("jsonschema_rs", reason="jsonschema_rs is not installed")
    data = render_json(make(), language)
    validators.validate(report_schema(), json.loads(data))
    again = Report.model_validate_json(data)
    assert render_json(again, language) == data


def test_json_has_no_nan_and_survives_half_characters(report):
    row = report.recommendation.rows[0].model_copy(update={"p_different": float("nan")})
    odd = report.model_copy(
        update={
            "made_by": "caf\udce9",
            "recommendation": report.recommendation.model_copy(update={"rows": (row,)}),
        }
    )
    data = json.loads(render_json(odd).encode())
    assert data["recommendation"]["rows"][0]["p_different"] is None
    assert data["made_by"] == "caf?"


# ---------------------------------------------------------------- reports with less in them


def test_a_report_without_measurement_says_so_first():
    report = fixture.unmeasured_report()
    markdown = render_markdown(report).splitlines()
    assert markdown[2].startswith("> **Nothing was measured.")
    page = Page(render_html(report))
    main = [(tag, a.get("class")) for tag, a in page.tags[[t for t, _ in page.tags].index("main") :]]
    assert main[2] == ("p", "warning")
    assert "method" not in page.sections
    assert "pipeline" not in page.sections
    assert not any("p95" in cell for row in page.rows for cell in row)
    assert "Nothing was measured." in shown_in_terminal(report, 80)


def test_a_report_without_rows_compares_predictions():
    report = fixture.unmeasured_report()
    winner = report.shortlist.kept[0].model
    bare = report.model_copy(
        update={
            "recommendation": report.recommendation.model_copy(
                update={"rows": (), "winner": winner, "best": winner, "tied": (), "evidence": ()}
            )
        }
    )
    page = Page(render_html(bare))
    assert page.sections[0] == "shortlist"
    assert "0.561" in page.text[: page.text.index("Why")]
    assert render_markdown(bare).startswith(f"# {winner}")
    assert winner in shown_in_terminal(bare, 80)


def test_what_is_beside_the_shortlist_is_shown_apart_from_it(report):
    pick = report.shortlist.kept[0]
    static = pick.model_copy(
        update={"model": "example/word-vectors", "reasons": (Text.model_validate("as fast as reading"),)}
    )
    more = report.model_copy(update={"shortlist": report.shortlist.model_copy(update={"beside": (static,)})})
    text = Page(render_html(more)).text
    assert text.index("Models kept") < text.index("To be measured too") < text.index("example/word-vectors")
    assert "as fast as reading" in render_markdown(more)
    assert "To be measured too" not in render_markdown(report)


def test_a_report_without_winner_has_its_verdict_as_title(report):
    headline = Text.model_validate("No candidate meets your limits.")
    empty = report.model_copy(
        update={
            "shortlist": report.shortlist.model_copy(update={"kept": (), "rejected": ()}),
            "recommendation": report.recommendation.model_copy(
                update={"winner": None, "best": None, "headline": headline, "rows": (), "evidence": (), "reasons": ()}
            ),
        }
    )
    for language in LANGUAGES:
        assert render_markdown(empty, language).startswith("# No candidate meets your limits.")
        assert "No candidate meets your limits." in Page(render_html(empty, language)).text
    assert "No candidate meets your limits." in shown_in_terminal(empty, 80)


def test_a_thousand_rejections_are_grouped_and_counted(report):
    page = Page(render_html(report))
    assert "commercial use allowed (license): 120 models" in page.text
    rejected = render_html(report).split('<section id="rejected"')[1].split("</section>")[0]
    assert rejected.count("<details>") == 3


# ---------------------------------------------------------------- terminal


def shown_in_terminal(report: Report, width: int, language="en") -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w"), color_system=None)  # noqa: SIM115
    with console.file:
        console.print(render_terminal(report, language))
    return console.export_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terminal_keeps_its_figures_whole_at_80_columns(report, language):
    shown = shown_in_terminal(report, 80, language)
    assert "…" not in shown
    for row in report.recommendation.rows:
        line = next(x for x in shown.splitlines() if figures.score(row.quality.mean) in x and "–" in x)
        for figure in (figures.interval(row.quality), figures.milliseconds(row.query_p95_ms)):
            assert figure in shown
        assert figures.megabytes(row.peak_memory_mb) in shown
        assert line
    for needed in (*report.recommendation.not_measured, *report.recommendation.what_would_change_it):
        assert needed.render(language).split()[0] in shown


# ---------------------------------------------------------------- files


def test_files_are_written_and_replaced(report, tmp_path):
    folder = tmp_path / "not" / "yet there"
    written = write_report(report, folder)
    first = written.html.read_bytes()
    assert write_report(report, folder) == written
    assert written.html.read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.json", "report.md", "requirements.json"]
    assert read_requirements(folder / "requirements.json") == report.requirements
    assert written.json.stat().st_mode & 0o444 == 0o444 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_full_disk_leaves_the_old_report_alone(report, tmp_path, monkeypatch, fails_at):
    for name in ("report.md", "report.html", "report.json"):
        (tmp_path / name).write_text("old")
    calls = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(ResourceError, match="No space left on device") as error:
        write_report(report, tmp_path)
    assert str(tmp_path) in str(error.value)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == dict.fromkeys(
        ("report.md", "report.html", "report.json"), "old"
    )


def test_a_folder_that_cannot_be_made_is_named(report, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ResourceError, match="taken"):
        write_report(report, tmp_path / "taken")
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ResourceError, match="folder of this name"):
        write_report(report, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "taken"]


def test_an_interrupted_write_leaves_nothing(report, tmp_path, monkeypatch):
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(whole_files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(report, tmp_path)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- figures and ticks


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (figures.score(0.71249), "0.712"),
        (figures.score(None), "–"),
        (figures.score(float("nan")), "–"),
        (figures.difference(-0.0312), "−0.031"),
        (figures.difference(0.0312), "+0.031"),
        (figures.difference(-0.0001), "0.000"),
        (figures.p_value(0.0), "<0.001"),
        (figures.p_value(1.0), "1.000"),
        (figures.milliseconds(0.8731), "0.87 ms"),
        (figures.milliseconds(14.72), "14.7 ms"),
        (figures.milliseconds(1234.5), "1,234 ms"),
        (figures.milliseconds(12_345), "12.3 s"),
        (figures.megabytes(912.3), "912 MB"),
        (figures.megabytes(2048), "2.00 GB"),
        (figures.size(1536), "1,536 B"),
        (figures.size(16384), "16.4 kB"),
        (figures.rate(3184), "3,184"),
        (figures.rate(8.25), "8.2"),
        (figures.share(0.012), "1.2%"),
        (figures.share(0.5), "50%"),
        (figures.money(0.02), "0.02 USD"),
        (figures.money(0), "0.00 USD"),
        (figures.seconds(0.0123), "12.3 ms"),
        (figures.seconds(300), "5.0 min"),
        (figures.exact(0.71249, ""), "0.71249"),
        (figures.exact(172.4, "1/s"), "172.4/s"),
        (figures.exact(1536, "B"), "1,536 B"),
        (figures.exact(float("inf")), "–"),
    ],
)
def test_figures(written, wanted):
    assert written == wanted


@pytest.mark.parametrize("values", [[0.5, 900.0], [3.0], [3.0, 3.0], [1e-3, 1e6], [1536.0, 1872.0, 336.0]])
def test_log_ticks_lie_within_the_range(values):
    low, high, ticks = log_ticks(values)
    assert low < min(values) <= max(values) < high
    assert all(low <= t <= high for t in ticks)
    assert len(ticks) <= 10


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], [0.0, 1.0], [0.71, 0.713]])
def test_linear_ticks_lie_within_the_range(values):
    low, high, ticks = linear_ticks(values)
    assert low < min(values) <= max(values) < high
    assert 2 <= len(ticks) <= 9
    assert all(low <= t <= high for t in ticks)


def test_only_known_figures_reach_the_page(report, pages):
    """No figure may be in the hero that is not in the winner's row."""
    row = report.recommendation.rows[0]
    shown = pages["en"].text
    hero = shown[shown.index("nDCG@10") : shown.index("Why")]
    allowed = {row.quality.mean, row.quality.low, row.quality.high, row.query_p95_ms, row.documents_per_second}
    allowed |= {row.peak_memory_mb, row.bytes_per_vector, 10, 95, 100}  # 95 of 100 queries take less
    for found in re.findall(r"(?<![\w.])[\d,]+\.?\d*", hero):
        value = float(found.replace(",", ""))
        assert any(value == pytest.approx(a, rel=0.05) for a in allowed), found


def test_rejected_models_are_folded_with_counts_and_examples_and_all_are_in_the_json(report):
    crowd = tuple(
        one.model_copy(update={"model": f"some-publisher/{one.model.replace('/', '-')}-{i}"})
        for one in report.shortlist.rejected
        for i in range(5)
    )
    assert len(crowd) > 900
    full = report.model_copy(update={"shortlist": report.shortlist.model_copy(update={"rejected": crowd})})
    markdown, page = render_markdown(full), render_html(full)
    part = markdown.split("## Rejected, and why")[1].split("\n## ")[0]
    assert len(part) < 5_000
    assert sum(one.model in part for one in crowd) <= 5 * 4
    assert "| 450 |" in part, "how many, whatever figures their reasons have"
    assert "with other figures" in part
    assert len(page) < 300_000
    named = {one["model"] for one in json.loads(render_json(full))["shortlist"]["rejected"]}
    assert named == {one.model for one in crowd}
