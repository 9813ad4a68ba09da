"""Asked for the report, it is told where it is; “just decide”, said to a decision, is answered too."""

from __future__ import annotations

import pytest

from agent import events
from agent.advisor import Advisor
from agent.report_wish import asks_for_report
from agent.settings import Settings


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    with Advisor(Settings(home=tmp_path_factory.mktemp("home"), offline=True)) as advisor:
        assert any(isinstance(e, events.Reported) for e in advisor.reply("t", "English search, just decide"))
        yield advisor


@pytest.mark.parametrize("words", ["where is the report?", "Report", "报告呢？"])
def test_the_report_is_told_of_again(decided, words):
    (told,) = (e for e in decided.reply("t", words) if not isinstance(e, events.Heard))
    assert isinstance(told, events.Reported)
    assert decided.state("t")["status"] == "done"


@pytest.mark.parametrize("words", ["just decide", "直接决定吧"])
def test_a_decision_that_is_asked_for_again_stands(decided, words):
    (told,) = (e for e in decided.reply("t", words) if not isinstance(e, events.Heard))
    assert "stands" in str(told.text)


@pytest.mark.parametrize(
    "words",
    [
        "can you send me the report, please?",
        "Show me the full report",
        "where can I read my report",
        "I'd like to see the report",
        "报告在哪里",
        "给我报告",
        "请把报告发给我",
        "报告怎么下载？",
        "我想看完整报告",
    ],
)
def test_ways_to_ask_for_it(words):
    assert asks_for_report(words)


@pytest.mark.parametrize(
    "words",
    [
        "search over annual reports",
        "we search medical reports",
        "report the p95 latency",
        "what does the report say of bge-m3?",
        "英文年度报告搜索",
        "报告里为什么没有 bge-m3？",
        "",
        "?",
    ],
)
def test_what_else_speaks_of_reports(words):
    assert not asks_for_report(words)
