"""Hostile texts in everything that strangers write: no dialog, no request to another machine, no markup of theirs."""

import datetime as dt
import json

import pytest

from agent import events
from agent.transcript import Transcript
from knowledge.requirements import Requirements
from knowledge.results import (
    Interval,
    Pick,
    Plan,
    PlannedCandidate,
    Prediction,
    Recommendation,
    Row,
    Shortlist,
)
from knowledge.wording import Text, say
from tests.app.web import open_page, wait_for
from tests.xss_payloads import PAYLOADS
from tools.data_source import DataSource

pytestmark = pytest.mark.integration


#: what no text of a stranger may become; gradio's own page has one base
MARKUP = "[onerror], [onload], [onfocus], [onbegin], [ontoggle], iframe, object, embed, base:not([href='./'])"


def hostile_events():
    """One of each kind that shows a stranger's words, for every payload."""
    for number, payload in enumerate(PAYLOADS):
        words = Text(template="{x}", values={"x": payload})
        yield events.Heard(text=payload, data=DataSource(path=f"/x/{payload.replace('/', '_')}"), number=number)
        yield events.Said(text=words)
        yield events.Failed(error="DatasetError", cause=words, next_step=words, exit_code=3)
    prediction = Prediction(mean=0.5, low=0.4, high=0.6)
    picks = tuple(
        Pick(spec=None, model=p, predicted=prediction, reasons=(say("licence {license}", license=p),)) for p in PAYLOADS
    )
    yield events.Shortlisted(
        shortlist=Shortlist(requirements=Requirements(), kept=picks, rejected=(), considered=len(picks))
    )
    candidates = tuple(PlannedCandidate(spec=p, why=say("licence {license}", license=p), minutes=1) for p in PAYLOADS)
    yield events.Planned(plan=Plan(candidates=candidates, documents=1, queries=1))
    quality = Interval(mean=0.5, low=0.4, high=0.6)
    yield events.Recommended(
        recommendation=Recommendation(
            run_id="evaluation-1",
            created=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            measured=True,
            winner=PAYLOADS[0],
            best=PAYLOADS[0],
            headline=say("licence {license}", license=PAYLOADS[0]),
            reasons=tuple(say("licence {license}", license=p) for p in PAYLOADS),
            confidence=say("yes"),
            rows=tuple(
                Row(spec=p, standing="tied", quality=quality, query_p95_ms=1.0 + n) for n, p in enumerate(PAYLOADS)
            ),
            evidence=(),
            not_measured=(),
            what_would_change_it=(),
            margin=0.02,
        )
    )


def check(page):
    assert not page.foreign
    assert not [said for said in page.complaints if "dialog" in said]
    strange = page.evaluate(
        "selector => [...document.querySelectorAll(selector)].map(e => e.outerHTML.slice(0, 200))", MARKUP
    )
    assert not strange
    links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    assert not [link for link in links if link.startswith(("javascript:", "data:")) or "evil.example" in link]


def test_a_hundred_payloads_as_words_models_and_files(server, browser):
    transcript = Transcript(server.home / "threads")
    for event in hostile_events():
        transcript.add("hostile", event)
    page = open_page(browser, f"{server.url}/en/?thread=hostile")
    wait_for(page, PAYLOADS[0])
    page.wait_for_selector("#table")
    page.wait_for_timeout(1500)
    for step in page.locator("#chat .thought-group .title").all():
        step.click()
    page.get_by_role("tab", name="Quality against cost").click()
    page.wait_for_selector("#plot .main-svg")
    page.wait_for_timeout(1000)
    check(page)
    page.get_by_label("Toggle Sidebar").first.click()
    check(page)
    page.close()


def test_a_hundred_payloads_in_uploaded_files(server, browser, tmp_path):
    rows = [{"doc_id": payload, "text": payload, "query": payload, PAYLOADS[18]: payload} for payload in PAYLOADS]
    file = tmp_path / "<img src=x onerror=alert(1)>.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    page = open_page(browser, server.url + "/en/")
    page.set_input_files("input[type=file]", file)
    page.wait_for_selector("#preview .problem")
    check(page)
    page.locator("#skip-bad input").check()  # some make no id
    page.wait_for_selector("#preview .problem", state="detached")
    page.click("#use")
    wait_for(page, "documents, ")
    page.wait_for_timeout(1000)
    check(page)
    page.close()
