"""A conversation about RAG: what a language model would get to read is told, asked about and reported."""

import json
from pathlib import Path

from tests.conversations.conftest import Talk
from tools.data_source import DataSource

SPECS = ["bm25", "bm25?b=0"]


def decided(talk: Talk, data: Path, words: str) -> Talk:
    talk.say(words, data=DataSource(path=str(data)), specs=SPECS)
    return talk.say("yes", specs=SPECS) if talk.question == "plan" else talk


def test_of_rag_it_is_said_what_a_language_model_would_read(talk, data):
    decided(talk, data, "English RAG over our docs, just decide")
    advice = talk.state["recommendation"]
    (reason,) = [str(r) for r in advice.reasons if "For the language model" in str(r)]
    row = next(row for row in advice.rows if row.spec == advice.winner)
    assert f"recall {row.metrics['ContextRecall@5']:.3f}" in reason
    assert row.cites["ContextRecall@5"] in reason
    report = json.loads(Path(talk.event("reported").json_file).read_text("utf-8"))
    scores = report["contexts"]["scores"]
    assert [score["spec"] for score in scores] == [advice.winner, *(set(SPECS) - {advice.winner})]
    shown = Path(talk.event("reported").markdown).read_text("utf-8")
    assert "## What a language model gets to read" in shown
    assert "were not judged" in shown

    talk.say("how good is the context?", specs=SPECS)
    told = str(talk.event("said").text)
    assert f"context recall {row.metrics['ContextRecall@5']:.3f} (EX2)" in told
    assert "were not judged" in told
    talk.say("what is EX2?", specs=SPECS)
    assert "ContextRecall@5" in str(talk.event("said").text)
    talk.say("上下文质量怎么样？", specs=SPECS)
    assert "上下文召回率" in talk.event("said").text.render("zh")
