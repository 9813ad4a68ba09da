"""Anthropic's wire: what is read, how an answer is streamed, and how it fails. Only where its client is installed."""

import json

import pytest

pytest.importorskip("langchain_anthropic", reason="langchain-anthropic is not installed (extra anthropic)")

from pydantic import SecretStr

from agent.understanding import RuleUnderstanding
from agent.understanding.findings import value_of
from agent.understanding.llm import LlmUnderstanding
from agent.understanding.llm_model import Endpoint, LanguageModel
from knowledge.errors import ProviderError
from knowledge.requirements import Requirements
from tests.fake_http import Server, as_json

TEXT = "Our contracts dwell among our own four barns"
FOUND = {"slot": "hosting", "value": "self_hosted", "hard": True, "words": "dwell among our own four barns"}
USAGE = {"input_tokens": 10, "output_tokens": 5}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


class FakeAnthropic(Server):
    """Answers ``/v1/messages``: `content` blocks, `ending` as the stop reason; or an error of `status`."""

    def __init__(self) -> None:
        super().__init__()
        self.content: list[dict] = []
        self.ending, self.status, self.cut = "end_turn", 200, False
        self.asked: list[dict] = []

    def answer(self, method, path, body):
        assert (method, path) == ("POST", "/v1/messages")
        asked = json.loads(body)
        self.asked.append(asked)
        content = [b | {"name": asked["tools"][0]["name"]} if b["type"] == "tool_use" else b for b in self.content]
        if self.status != 200:
            error = {"type": "error", "error": {"type": "api_error", "message": "sk-ant-secret"}}
            return as_json(error, self.status, **{"retry-after": "0"})
        whole = {"id": "m", "type": "message", "role": "assistant", "model": asked["model"], "usage": USAGE}
        if not asked.get("stream"):
            return as_json(whole | {"content": content, "stop_reason": self.ending, "stop_sequence": None})
        events = [("message_start", {"message": whole | {"content": [], "stop_reason": None, "stop_sequence": None}})]
        for index, block in enumerate(content):
            is_text = block["type"] == "text"
            begun = block | ({"text": ""} if is_text else {"input": {}})
            part = {"type": "text_delta", "text": block["text"]} if is_text else None
            part = part or {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            events += [
                ("content_block_start", {"index": index, "content_block": begun}),
                ("content_block_delta", {"index": index, "delta": part}),
                ("content_block_stop", {"index": index}),
            ]
        if not self.cut:
            delta = {"stop_reason": self.ending, "stop_sequence": None}
            events += [("message_delta", {"delta": delta, "usage": {"output_tokens": 5}}), ("message_stop", {})]
        lines = (f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in events)
        return 200, {"Content-Type": "text/event-stream"}, "".join(lines).encode()


@pytest.fixture
def server():
    with FakeAnthropic() as found:
        yield found


@pytest.fixture
def model(server):
    endpoint = Endpoint("anthropic", "claude-x", server.url, SecretStr("sk-ant-secret"))
    return LanguageModel(endpoint, timeout_s=20, max_tokens=500)


def test_it_is_asked_by_tool_and_read(server, model):
    server.content = [{"type": "tool_use", "id": "t1", "input": {"findings": [FOUND]}}]
    server.ending = "tool_use"
    rules = RuleUnderstanding()
    assert value_of(rules.understand(TEXT, Requirements(), None).requirements, "hosting") is None
    understood = LlmUnderstanding(model, rules).understand(TEXT, Requirements(), None)
    assert understood.note is None, understood.note
    assert value_of(understood.requirements, "hosting")["hosting"] == "self_hosted"
    assert server.asked[0]["tools"]
    assert server.asked[0]["max_tokens"] == 500


@pytest.mark.parametrize(
    ("status", "why"),
    [(401, "refuses the key"), (404, "knows no such model"), (429, "takes no more requests"), (500, "HTTP 500")],
)
def test_a_failure_leaves_the_rules_reading_and_is_said(server, model, status, why):
    server.status = status
    understood = LlmUnderstanding(model, RuleUnderstanding()).understand(TEXT, Requirements(), None)
    assert why in understood.note.render()
    assert "sk-ant-secret" not in understood.note.render()


def test_an_answer_of_another_form_is_no_answer(server, model):
    server.content = [{"type": "text", "text": "I think they host it themselves."}]
    understood = LlmUnderstanding(model, RuleUnderstanding()).understand(TEXT, Requirements(), None)
    assert "did not have the form" in understood.note.render()
    assert len(server.asked) == 2, "it may answer once more"


def test_a_stream_is_read_with_its_calls(server, model):
    server.content = [
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "t1", "input": {"model": "bge-m3"}},
    ]
    server.ending = "tool_use"
    turn = model.turn([("system", "s"), ("human", "h")], [TOOL], seconds=20)
    assert turn.text == "Let me look."
    assert [(call["name"], call["args"]) for call in turn.tool_calls] == [("look_up", {"model": "bge-m3"})]
    assert server.asked[0]["stream"] is True


@pytest.mark.parametrize("how", [{"cut": True}, {"ending": "max_tokens"}, {"ending": "refusal"}])
def test_a_stream_without_an_end_is_a_failure(server, model, how):
    server.content = [{"type": "text", "text": "Take bge-"}]
    for name, value in how.items():
        setattr(server, name, value)
    with pytest.raises(ProviderError, match="no help"):
        model.turn([("human", "h")], [TOOL], seconds=20)
