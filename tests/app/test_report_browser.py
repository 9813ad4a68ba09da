"""The report in a real browser: nothing asked of anyone, nothing run, from the keyboard, on a phone and on paper."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.app.web import serious
from tests.xss_payloads import HOST, PAYLOADS
from tools.report import write_report

pytestmark = pytest.mark.integration
LANGUAGES = ("en", "zh")


def load_fixture():
    path = Path(__file__).parents[1] / "tools" / "report_fixture.py"
    spec = importlib.util.spec_from_file_location("report_fixture", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fixture = load_fixture()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The reports' files, by maker and language, each written once."""
    found = {}

    def write(make, language="en") -> Path:
        key = make.__name__, language
        if key not in found:
            found[key] = write_report(make(), tmp_path_factory.mktemp("report"), language).html
        return found[key]

    return write


class Visit:
    """A page opened from disk, with all it asked for and complained about."""

    def __init__(self, browser, file: Path, width=1280, height=800, scheme="light", anchor="") -> None:
        self.requests, self.complaints = [], []
        self.page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("dialog", lambda d: (self.complaints.append(f"dialog {d.message}"), d.dismiss()))
        self.address = file.as_uri()
        self.page.goto(self.address + anchor)

    def unfold(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")

    def close(self) -> None:
        """Leave, after a look at what happened."""
        requests, complaints = self.requests, self.complaints
        self.page.close()
        assert requests == [self.address]
        assert not complaints


@pytest.fixture
def visit(browser, written):
    visits = []

    def open_report(make=fixture.make_report, language="en", **how) -> Visit:
        visits.append(Visit(browser, written(make, language), **how))
        return visits[-1]

    yield open_report
    for one in visits:
        one.close()


# ---------------------------------------------------------------- strangers' texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hundred_hostile_texts_ask_for_nothing_and_run_nothing(visit, language):
    """As names of models, files and data, as queries and documents, and wherever else text from outside can get to."""
    page = visit(fixture.hostile_report, language).page
    page.evaluate(
        """document.querySelectorAll('*').forEach(element => {
             if (element.tagName === 'DETAILS') element.open = true;
             for (const name of ['mouseover', 'mouseenter', 'pointerenter', 'focus', 'toggle', 'load', 'error'])
               element.dispatchEvent(new Event(name));
           })"""
    )
    page.wait_for_timeout(200)
    shown = " ".join(page.inner_text("body").split())
    missing = [p for p in PAYLOADS if " ".join(re.sub("[\u202a-\u202e]", "\ufffd", p).split()) not in shown]
    assert not missing, "each is there, as text"
    markup = "img, iframe, object, embed, base, form, body style, [onerror], [onload], [onfocus], body a[href*=':']"
    assert page.locator(markup).count() == 0
    assert page.locator("script").count() == 1
    assert HOST in shown


# ---------------------------------------------------------------- the first screen


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_holds_answer_certainty_reasons_and_cost(visit, language, width, height):
    page = visit(language=language, width=width, height=height).page
    for selector in ("h1", ".lead", ".sure", ".cost .facts > div:last-child", ".why li:first-child"):
        box = page.locator(selector).bounding_box()
        assert box["y"] >= 0, selector
        assert box["y"] + box["height"] <= height, selector
        assert box["x"] + box["width"] <= width, selector


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [fixture.make_report, fixture.unmeasured_report, fixture.hostile_report])
def test_nothing_overflows_a_phone(visit, make, language):
    opened = visit(make, language, width=360)
    opened.unfold()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize(
    ("make", "width", "scheme"),
    [
        (fixture.make_report, 1280, "light"),
        (fixture.make_report, 390, "dark"),
        (fixture.unmeasured_report, 1280, "dark"),
    ],
)
def test_axe_finds_nothing_serious(visit, make, width, scheme):
    opened = visit(make, width=width, scheme=scheme)
    opened.unfold()
    assert serious(opened.page) == []


def test_every_link_leads_somewhere_and_opens_what_is_folded(visit):
    page = visit().page
    targets = page.eval_on_selector_all("a[href^='#']", "links => links.map(a => a.getAttribute('href').slice(1))")
    assert len(targets) > 150
    ids = set(page.eval_on_selector_all("[id]", "all => all.map(e => e.id)"))
    assert set(targets) <= ids
    folded = page.locator("#evidence-EQ1")
    assert not folded.is_visible()
    page.locator("#parts a[href='#evidence-EQ1']").first.click()
    folded.wait_for(state="visible")
    assert page.evaluate("document.querySelector(':target').id") == "evidence-EQ1"


def test_a_permalink_opens_what_is_folded(visit):
    page = visit(anchor="#evidence-EQ3").page
    page.locator("#evidence-EQ3").wait_for(state="visible")


def test_the_table_sorts_from_the_keyboard(visit):
    page = visit().page
    table = page.locator("#candidates table")

    def names() -> list[str]:
        return table.locator("tbody th .name").all_text_contents()

    button = table.get_by_role("button", name="p95 latency")
    button.focus()
    page.keyboard.press("Enter")
    assert names()[-1] == "bm25"
    assert names()[0] == "all-MiniLM-L6-v2 (bf16)"
    assert len(names()) == len(fixture.FOUND)
    assert table.locator("th[aria-sort=descending]").count() == 1
    page.keyboard.press("Enter")
    assert names()[0] == "bm25"
    assert table.locator("th[aria-sort=ascending]").count() == 1
    table.get_by_role("button", name="Candidate").click()
    assert names() == sorted(names(), key=str.lower)
    table.get_by_role("button", name="Difference to best").click()
    assert names()[-1] == "rrf(bm25, all-MiniLM-L6-v2)"  # it has no difference, so it stays last


def test_ties_are_marked_and_intervals_drawn(visit):
    page = visit().page
    mark = "getComputedStyle(document.querySelector('#candidates .tone.{}'), '::before').content"
    assert page.evaluate(mark.format("tied")).startswith('"≈')
    assert page.evaluate(mark.format("undecided")).startswith('"?')
    assert page.locator("#candidates tbody .bar").count() == len(fixture.FOUND)


def test_the_plot_is_chosen_and_read_from_the_keyboard(visit):
    page = visit(scheme="dark").page
    shown = page.locator(".view:visible")
    assert shown.count() == 1
    assert shown.locator("svg:visible a.point").count() == 7
    page.locator("input[value=query_p95_ms]").focus()
    page.keyboard.press("ArrowRight")
    assert shown.get_attribute("data-axis") == "peak_memory_mb"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("1 rrf(bm25")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#candidate-1"
    page.locator("#candidate-1").wait_for(state="visible")


def test_without_scripts_everything_is_there(browser, written):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written(fixture.make_report).as_uri())
    assert page.locator(".view:visible").count() == 3
    assert not page.locator(".plot fieldset").is_visible()
    assert page.locator("#candidates tbody tr").count() == 7
    context.close()


# ---------------------------------------------------------------- on paper


def test_print_is_light_whole_and_still(visit):
    opened = visit(scheme="dark")
    page = opened.page
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins
    assert page.locator(".view:visible").count() == 3, "all costs, whichever was chosen"
    assert page.locator(".view svg.narrow:visible").count() == 3
    assert not page.locator(".plot fieldset").is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    wide = "[...document.querySelectorAll('table')].filter(t => t.offsetWidth && t.getBoundingClientRect().right > 690)"
    assert page.evaluate(f"{wide}.map(t => t.caption.innerText)") == [], "no table is cut"


def test_what_is_folded_is_printed_too(visit):
    page = visit().page
    assert not page.locator("#evidence-EQ1").is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#evidence-EQ1").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#evidence-EQ1").is_visible()
