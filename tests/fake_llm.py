"""A chat model on loopback that says what its script says, over the real wire of OpenAI's API (and Ollama's list)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

#: what one request gets: the handler writes the answer itself
Turn = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """One connection; `send` writes a whole answer."""

    server: _Http

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        llm = self.server.llm
        llm.requests.append(body)
        llm.keys.append(self.headers.get("Authorization", ""))
        if self.path != "/v1/chat/completions":
            self.send({"error": {"message": "no such route"}}, 404)
            return
        turn = llm.script.pop(0) if llm.script else llm.otherwise
        turn(self, body)

    def do_GET(self) -> None:
        if self.path == "/api/tags" and self.server.llm.tags is not None:
            self.send(self.server.llm.tags)
        else:
            self.send({"error": "not found"}, 404)

    def send(self, content: object, status: int = 200, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        kinds = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (kinds | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    llm: FakeLLM

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has hung up is part of the script."""


class FakeLLM:
    """The server. `script` is answered first, one turn a request; then `otherwise`, again and again."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.script: list[Turn] = []
        self.otherwise: Turn = findings()
        self.tags: object = None
        self.over = threading.Event()
        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.llm = self
        self.address = f"127.0.0.1:{self._http.server_port}"
        self.base_url = f"http://{self.address}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def heard(self) -> str:
        """Everything that was sent to it."""
        return json.dumps(self.requests, ensure_ascii=False)

    def asked(self, number: int = -1) -> dict[str, Any]:
        """The data of a request, as the prompt holds it."""
        messages = self.requests[number]["messages"]
        found: dict[str, Any] = json.loads(next(m["content"] for m in messages if m["role"] == "user"))
        return found


def completion(model: str, message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": None} | message, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    found = {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "usage": usage}
    return found | {"choices": [choice]}


def message(handler: Handler, asked: dict[str, Any], content: dict[str, Any], finish: str = "stop") -> None:
    """A whole message, as events or at once, whichever was asked for."""
    if asked.get("stream"):
        _stream(handler, list(_chunks(asked["model"], content, finish)))
    else:
        handler.send(completion(asked["model"], content, finish))


def says(content: str, finish: str = "stop") -> Turn:
    """Any text."""
    return lambda handler, asked: message(handler, asked, {"content": content}, finish)


def answers(found: object) -> Turn:
    """JSON in the form that was asked for: as content, or as the arguments of the tool that must be called."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        content = json.dumps(found, ensure_ascii=False)
        tools = asked.get("tools")
        if not tools:
            says(content)(handler, asked)
            return
        calls(tools[0]["function"]["name"], content)(handler, asked)

    return turn


def calls(name: str, arguments: object, *more: tuple[str, object]) -> Turn:
    """Tool calls; arguments that are a string go out as they are."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        wanted = [
            {
                "id": f"call_{len(asked['messages'])}_{number}",
                "type": "function",
                "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
            }
            for number, (name, given) in enumerate([(name, arguments), *more])
        ]
        message(handler, asked, {"tool_calls": wanted}, "tool_calls")

    return turn


def finding(slot: str, value: str, words: str, *, hard: bool = True) -> dict[str, object]:
    return {"slot": slot, "value": value, "hard": hard, "words": words}


def findings(*found: dict[str, object]) -> Turn:
    """An extraction."""
    return answers({"findings": list(found)})


def quoting(by_words: dict[str, dict[str, object]]) -> Turn:
    """The findings whose key stands in the message."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        message = json.loads(next(m["content"] for m in asked["messages"] if m["role"] == "user"))["message"]
        findings(*(found for words, found in by_words.items() if words in message))(handler, asked)

    return turn


def refuses(text: str = "I'm sorry, I can't help with that.") -> Turn:
    return lambda handler, asked: message(handler, asked, {"refusal": text})


def fails(status: int, message: str = "failed", **headers: str) -> Turn:
    """An error; `headers` may say when to try again."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        error = {"message": message, "type": "error", "param": None, "code": None}
        handler.send({"error": error}, status, **{"retry-after-ms": "1", **headers})

    return turn


def no_schema(then: Turn) -> Turn:
    """An endpoint that knows tools, but no JSON schema."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        (fails(400, "response_format is not supported") if "response_format" in asked else then)(handler, asked)

    return turn


def only_model(name: str, then: Turn) -> Turn:
    """An endpoint with one model."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        unknown = fails(404, f"The model `{asked['model']}` does not exist")
        (then if asked["model"] == name else unknown)(handler, asked)

    return turn


def hangs(llm: FakeLLM) -> Turn:
    """No answer until the server is closed."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        llm.over.wait(30)

    return turn


def drips(llm: FakeLLM) -> Turn:
    """A byte now and then, never done: every single wait is short."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not llm.over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    return turn


def cut(content: str = '{"id": "c1", "choices": [{"mess') -> Turn:
    """An answer that ends in its middle."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content) + 1000))
        handler.end_headers()
        handler.wfile.write(content.encode())
        handler.close_connection = True

    return turn


def body(raw: bytes, status: int = 200, **headers: str) -> Turn:
    """Any bytes."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        handler.send(raw, status, **headers)

    return turn


def _chunks(model: str, content: dict[str, Any], finish: str) -> Iterator[str]:
    """The events of one message; texts and arguments come in pieces."""
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        return json.dumps(base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield event({"role": "assistant"})
    for key in ("content", "refusal"):
        text = content.get(key) or ""
        yield from (event({key: text[start : start + 7]}) for start in range(0, len(text), 7))
    for number, call in enumerate(content.get("tool_calls", ())):
        function = call["function"]
        yield event({"tool_calls": [call | {"index": number, "function": function | {"arguments": ""}}]})
        for start in range(0, len(function["arguments"]), 7):
            piece = {"arguments": function["arguments"][start : start + 7]}
            yield event({"tool_calls": [{"index": number, "function": piece}]})
    yield event({}, finish)


def stream(content: str, *, until: int | None = None, properly: bool = False) -> Turn:
    """Server-sent events, broken off after `until` of them; `properly`: as if that were the end."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        _stream(handler, list(_chunks(asked["model"], {"content": content}, "stop")), until, properly=properly)

    return turn


def babbles(llm: FakeLLM) -> Turn:
    """A stream without an end."""

    def turn(handler: Handler, asked: dict[str, Any]) -> None:
        _begin_stream(handler)
        piece = next(_chunks(asked["model"], {"content": "x" * 7}, "stop"))
        piece = piece.replace('"role": "assistant"', '"content": "' + "blah " * 200 + '"')
        while not llm.over.is_set():
            _event(handler, piece)

    return turn


def _stream(handler: Handler, chunks: list[str], until: int | None = None, *, properly: bool = False) -> None:
    _begin_stream(handler)
    for chunk in chunks[:until]:
        _event(handler, chunk)
    if until is None or properly:
        _event(handler, "[DONE]")
        handler.wfile.write(b"0\r\n\r\n")
    else:
        handler.close_connection = True


def _begin_stream(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def _event(handler: Handler, data: str) -> None:
    line = f"data: {data}\n\n".encode()
    handler.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
    handler.wfile.flush()
