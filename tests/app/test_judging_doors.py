"""What each door makes of the offer to judge pairs, and of a pair whose texts are hostile."""

import json

from agent import events
from agent.judging import pair_answers, pair_words
from agent.understanding.base import Asked
from app.api.rendering import event_json
from app.chat.messages import chat_messages
from app.slack.messages import outgoing
from knowledge.results import PairToJudge
from knowledge.wording import say
from tests.app.fake_slack import check_message
from tools.active_labels.passage import plain

OFFER = events.Reported(
    markdown="/home/reports/run-1/report.md",
    html="/home/reports/run-1/report.html",
    json_file="/home/reports/run-1/report.json",
    offer=say("The labels leave it open. Shall I show you a few passages to judge, where the candidates disagree?"),
    answers=(say("Judge a few pairs"),),
)
HOSTILE = PairToJudge(
    query="q",
    document="d",
    query_text=plain("<img src=x onerror=alert(1)> [a](javascript:alert(1))", 400),
    text=plain("</script><script>alert(1)</script> *bold* <@U123> {curly} \x1b[2J" + "x" * 10**6, 1000),
)


def test_an_offer_is_shown_with_what_to_say_to_it_while_it_is_the_last():
    (shown,) = chat_messages([OFFER], "zh")[-1:]
    assert "现有标注还分不出高下" in shown["content"]
    assert [option["value"] for option in shown["options"]] == ["判断几对"]
    passed = chat_messages([OFFER, events.Heard(text="thanks", number=2)], "en")
    assert not any(message.get("options") for message in passed if "labels leave it open" in str(message["content"]))
    (message,) = outgoing([OFFER], "en", begun=True)
    check_message(message.text, message.blocks)
    buttons = [e for block in message.blocks if block["type"] == "actions" for e in block["elements"]]
    assert json.loads(buttons[0]["value"]) == {"label": "Judge a few pairs"}
    told = event_json(OFFER, "en")
    assert (told["report"], told["answers"]) == ("run-1", ["Judge a few pairs"])
    assert "/home" not in json.dumps(told)


def test_hostile_texts_are_shortened_and_shown_as_they_are():
    asked = events.question(Asked(about="pair-1", answers=pair_answers(HOSTILE), words=pair_words(HOSTILE)))
    (shown,) = chat_messages([asked], "en")[-1:]
    assert "<" not in shown["content"]
    assert "&lt;script&gt;" in shown["content"]
    assert "\\[a\\]" in shown["content"]
    assert len(shown["content"]) < 3000
    assert "\x1b" not in shown["content"]
    for message in outgoing([asked], "en", begun=True):
        check_message(message.text, message.blocks)
        assert "<@U123>" not in message.text
