"""Hard cases in the report, in every form and language."""

import importlib.util
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from knowledge.results import (
    Interval,
    Perturbation,
    ProbeExample,
    ProbeKind,
    Probes,
    ProbeScore,
    QueryChange,
    Report,
    Robustness,
)
from knowledge.wording import say
from tests.xss_payloads import PAYLOADS
from tools.report import render_html, render_json, render_markdown, render_terminal
from tools.report.sections import make_document


def _fixture():
    spec = importlib.util.spec_from_file_location("report_fixture", Path(__file__).with_name("report_fixture.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def report() -> Report:
    made = _fixture().make_report()
    winner, rival = made.recommendation.rows[0].spec, made.recommendation.rows[1].spec
    shares = {winner: 0.55, rival: 0.9}
    scores = tuple(
        ProbeScore(spec=spec, accuracy=Interval(mean=share, low=share - 0.1, high=share + 0.08))
        for spec, share in shares.items()
    )
    nasty = PAYLOADS[0]
    probes = Probes(
        threshold=0.75,
        fewest=20,
        kinds=(
            ProbeKind(
                kind="negation",
                name=say("negation"),
                probes=40,
                reworded=9,
                scores=scores,
                example=ProbeExample(query=nasty, right="good for the gut", wrong="bad for the gut"),
            ),
        ),
        left_out=(say("unit"),),
    )
    changes = tuple(
        QueryChange(spec=spec, before=0.7, change=Interval(mean=-loss, low=-loss - 0.02, high=-loss + 0.02), p=p)
        for spec, loss, p in ((winner, 0.123, 0.001), (rival, 0.004, 0.8))
    )
    robustness = Robustness(
        metric="nDCG@10",
        fewest=15,
        kinds=(
            Perturbation(
                kind="typos", name=say("typing mistakes"), queries=50, changes=changes, example=("sort a list", nasty)
            ),
        ),
    )
    return made.model_copy(update={"probes": probes, "robustness": robustness})


@pytest.mark.parametrize(
    ("language", "topic", "title"),
    [("en", "finds the topic, not the truth", "True or only"), ("zh", "分不清真假", "是真的")],
)
def test_every_form_says_whether_it_is_true_and_what_mistakes_cost(report, language, topic, title):
    for form in (render_markdown, render_html):
        shown = form(report, language)
        assert topic in shown
        assert title in shown
        for figure in ("55", "90", "0.123"):
            assert figure in shown
    terminal = Console(width=100, record=True, file=io.StringIO())
    terminal.print(render_terminal(report, language))
    assert topic in terminal.export_text()
    data = json.loads(render_json(report, language))
    assert data["probes"]["kinds"][0]["scores"][0]["accuracy"]["mean"] == 0.55
    assert Report.model_validate_json(render_json(report, language)).robustness.kinds[0].queries == 50


def test_texts_of_the_user_stay_texts(report):
    assert PAYLOADS[0] not in render_html(report)


def test_without_hard_cases_there_are_no_such_sections(report):
    without = report.model_copy(update={"probes": None, "robustness": None})
    ids = {section.id for section in make_document(without, "en").sections}
    assert not {"truth", "robustness"} & ids
    assert {"truth", "robustness"} <= {section.id for section in make_document(report, "en").sections}
