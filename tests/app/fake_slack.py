"""Slack as the app meets it: a Web API, a file host and a socket on loopback, as strict as Slack itself."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN, APP_TOKEN, SECRET, ME, TEAM = "xoxb-token", "xapp-token", "signing-secret", "U0ME", "T01"
#: who is patient: a busy machine may take long
PATIENCE = 120


class FakeSlack:
    """A workspace.

    Attributes:
        calls: what the app asked of the Web API, in order: the method and its arguments.
        messages: by channel and time stamp; each with its text, blocks, thread and whether it was changed.
        can: what the plan has: streams, status.
        refuse: method -> Slack's word for why it refuses.
        too_many: so many of the next requests are answered with 429.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict]] = []
        self.messages: dict[tuple[str, str], dict] = {}
        self.files: dict[str, dict] = {}
        self.uploaded: dict[str, dict] = {}
        self.can: set[str] = set()
        self.refuse: dict[str, str] = {}
        self.too_many = 0
        self.down = False
        self._ts = itertools.count(1)
        self._base = int(time.time())
        self._lock = threading.RLock()
        self.socket_url = ""
        slack = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path.startswith("/upload/"):
                    slack._receive(self.path.rpartition("/")[2], self.headers, body)
                    self._answer(200, b"OK", "text/plain")
                    return
                status, found, more = slack._called(self.path.removeprefix("/api/"), self.headers, body)
                self._answer(status, json.dumps(found).encode(), "application/json", more)

            def do_GET(self) -> None:
                status, content, kind, more = slack._handed_out(self.path, self.headers)
                self._answer(status, content, kind, more)

            def _answer(self, status, content, kind, more=None) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                for name, value in (more or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api_url = f"{self.url}/api/"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_ts(self) -> str:
        return f"{self._base}.{next(self._ts):06d}"

    # ---- the Web API

    def _called(self, method, headers, body):
        with self._lock:
            if self.down:
                return 503, {"ok": False, "error": "service_unavailable"}, {}
            if self.too_many:
                self.too_many -= 1
                self.calls.append(("429", {"method": method}))
                return 429, {"ok": False, "error": "ratelimited"}, {"retry-after": "1"}
            arguments = self._arguments(headers, body)
            token = headers.get("authorization", "").removeprefix("Bearer ") or arguments.pop("token", "")
            if token != (APP_TOKEN if method == "apps.connections.open" else TOKEN):
                return 200, {"ok": False, "error": "invalid_auth"}, {}
            self.calls.append((method, arguments))
            if method in self.refuse:
                return 200, {"ok": False, "error": self.refuse[method]}, {}
            try:
                found = getattr(self, "_" + method.replace(".", "_"))(**arguments)
            except Wrong as error:
                return 200, {"ok": False, "error": str(error)}, {}
            return 200, {"ok": True} | (found or {}), {}

    def _arguments(self, headers, body):
        if headers.get_content_type() == "application/json":
            return json.loads(body or b"{}")
        found = {k: v[0] for k, v in urllib.parse.parse_qs(body.decode(), keep_blank_values=True).items()}
        for name in ("blocks", "chunks", "files", "prompts"):
            if isinstance(found.get(name), str):
                found[name] = json.loads(found[name])
        return found

    def _auth_test(self, **_):
        return {"user_id": ME, "team_id": TEAM, "bot_id": "B0ME", "user": "advisor", "team": "team", "url": self.url}

    def _api_test(self, **_):
        return {}

    def _chat_postMessage(self, channel, text="", blocks=(), thread_ts=None, **more):
        check_message(text, blocks)
        if thread_ts and not isinstance(thread_ts, str):
            raise Wrong("invalid_thread_ts")
        if more.get("unfurl_links") not in (False, "false", "0", 0):
            raise Wrong("test_links_would_unfold")
        ts = self.next_ts()
        self._keep(channel, ts, text, blocks, thread_ts)
        return {"channel": channel, "ts": ts, "message": self.messages[channel, ts]}

    def _chat_update(self, channel, ts, text="", blocks=(), **_):
        check_message(text, blocks)
        found = self.messages.get((channel, ts))
        if found is None:
            raise Wrong("message_not_found")
        if found.get("streaming"):
            raise Wrong("streaming_state_conflict")
        found["history"].append((found["text"], found["blocks"]))
        found.update(text=text, blocks=list(blocks))
        return {"channel": channel, "ts": ts, "text": text}

    def _chat_postEphemeral(self, channel, user, text, thread_ts=None, **_):
        return {"message_ts": self.next_ts()}

    def _reactions_add(self, channel, timestamp, name):
        return None

    def _conversations_open(self, users):
        return {"channel": {"id": f"D{users}"}}

    def _assistant_threads_setStatus(self, channel_id, thread_ts, status, **_):
        if "status" not in self.can:
            raise Wrong("channel_type_not_supported")

    def _assistant_threads_setSuggestedPrompts(self, channel_id, thread_ts, prompts, **_):
        if "status" not in self.can:
            raise Wrong("missing_scope")
        assert all(len(p["title"]) <= 75 and p["message"] for p in prompts)

    def _chat_startStream(self, channel, thread_ts, chunks=(), recipient_user_id=None, recipient_team_id=None, **_):
        if "streams" not in self.can:
            raise Wrong("missing_scope")
        if not channel.startswith("D") and not (recipient_user_id and recipient_team_id):
            raise Wrong("missing_recipient_user_id")
        ts = self.next_ts()
        self._keep(channel, ts, "", [], thread_ts)
        self.messages[channel, ts].update(streaming=True, chunks=[])
        self._append(channel, ts, chunks)
        return {"channel": channel, "ts": ts}

    def _chat_appendStream(self, channel, ts, chunks=(), **_):
        if not self.messages.get((channel, ts), {}).get("streaming"):
            raise Wrong("message_not_in_streaming_state")
        self._append(channel, ts, chunks)
        return {"channel": channel, "ts": ts}

    def _chat_stopStream(self, channel, ts, chunks=(), **_):
        self._chat_appendStream(channel, ts, chunks)
        self.messages[channel, ts]["streaming"] = False
        return {"channel": channel, "ts": ts}

    def _append(self, channel, ts, chunks) -> None:
        for chunk in chunks:
            if chunk["type"] == "markdown_text" and len(chunk["text"]) <= 12_000:
                continue
            if chunk["type"] != "task_update" or chunk["status"] not in ("pending", "in_progress", "complete", "error"):
                raise Wrong("invalid_chunks")
            self.messages[channel, ts]["chunks"].append(chunk)

    def _files_getUploadURLExternal(self, filename, length, **_):
        name = f"F{next(self._ts)}"
        self.uploaded[name] = {"name": filename, "length": int(length)}
        return {"upload_url": f"{self.url}/upload/{name}", "file_id": name}

    def _files_completeUploadExternal(self, files, channel_id=None, thread_ts=None, initial_comment="", **_):
        for file in files:
            found = self.uploaded[file["id"]]
            assert len(found["content"]) == found["length"]
            found.update(channel=channel_id, thread=thread_ts, comment=initial_comment)
        return {"files": [{"id": file["id"], "title": file["title"]} for file in files]}

    def _apps_connections_open(self, **_):
        return {"url": self.socket_url}

    def _keep(self, channel, ts, text, blocks, thread) -> None:
        self.messages[channel, ts] = {
            "type": "message",
            "ts": ts,
            "channel": channel,
            "text": text,
            "blocks": list(blocks),
            "thread_ts": thread or ts,
            "history": [],
        }

    # ---- files

    def _receive(self, name, headers, body) -> None:
        if headers.get_content_type() == "multipart/form-data":
            parsed = BytesParser().parsebytes(b"content-type: " + headers["content-type"].encode() + b"\n\n" + body)
            body = parsed.get_payload()[0].get_payload(decode=True)
        self.uploaded[name]["content"] = body

    def share(self, name: str, content: bytes, *, size: int | None = None, url: str | None = None) -> dict:
        """A file that somebody added to a message."""
        key = f"F{next(self._ts)}"
        self.files[key] = {"content": content}
        where = url or f"{self.url}/files-pri/{TEAM}-{key}/download/{urllib.parse.quote(name)}"
        return {"id": key, "name": name, "size": len(content) if size is None else size, "url_private_download": where}

    def _handed_out(self, path, headers):
        key = path.split("/")[2].rpartition("-")[2] if path.startswith("/files-pri/") else ""
        if key not in self.files:
            return 404, b"", "text/plain", {}
        if headers.get("authorization") != f"Bearer {TOKEN}" or self.files[key].get("html"):
            return 200, b"<html>sign in</html>", "text/html", {}
        if "elsewhere" in self.files[key]:
            return 302, b"", "text/plain", {"location": self.files[key]["elsewhere"]}
        return 200, self.files[key]["content"], "application/octet-stream", {}


class Wrong(Exception):
    """What Slack calls a mistake."""


def check_message(text, blocks) -> None:
    """What Slack says of a message: the limits that its documentation gives for each block."""
    if not text and not blocks:
        raise Wrong("no_text")
    if len(text) > 40_000:
        raise Wrong("msg_too_long")
    if len(blocks) > 50:
        raise Wrong("invalid_blocks")
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise Wrong("only_one_table_allowed")
    for block in blocks:
        try:
            _CHECKS[block["type"]](block)
        except (AssertionError, KeyError, TypeError) as error:
            raise Wrong("invalid_blocks") from error


def _text(found, most, kinds=("plain_text",)) -> None:
    assert found["type"] in kinds
    assert 1 <= len(found["text"]) <= most


def _context(block) -> None:
    assert 1 <= len(block["elements"]) <= 10
    for element in block["elements"]:
        _text(element, 3000, ("plain_text", "mrkdwn"))


def _actions(block) -> None:
    elements = block["elements"]
    assert 1 <= len(elements) <= 25
    assert len({e["action_id"] for e in elements}) == len(elements)
    for element in elements:
        assert element["type"] == "button"
        _text(element["text"], 75)
        assert len(element["action_id"]) <= 255
        assert len(element["value"]) <= 2000
        assert element.get("style") in (None, "primary", "danger")


def _context_actions(block) -> None:
    (element,) = block["elements"]
    assert element["type"] == "feedback_buttons"
    for name in ("positive_button", "negative_button"):
        _text(element[name]["text"], 75)
        assert len(element[name]["value"]) <= 2000


def _rich(block) -> None:
    length = 0
    assert block["elements"]
    for element in block["elements"]:
        if element["type"] == "rich_text_list":
            assert element["style"] in ("bullet", "ordered")
            assert 0 <= element["indent"] <= 8
            assert all(item["type"] == "rich_text_section" for item in element["elements"])
            length += sum(map(_section, element["elements"]))
        else:
            assert element["type"] == "rich_text_section"
            length += _section(element)
    assert length <= 3000


def _section(element) -> int:
    assert element["elements"]
    length = 0
    for part in element["elements"]:
        assert part["type"] in ("text", "user")
        if part["type"] == "text":
            assert part["text"]
            length += len(part["text"])
    return length


def _table(block) -> None:
    rows = block["rows"]
    assert 1 <= len(rows) <= 100
    assert len({len(row) for row in rows}) == 1
    assert 1 <= len(rows[0]) <= 20
    assert len(block["column_settings"]) <= 20
    assert sum(len(cell["text"]) for row in rows for cell in row) <= 10_000
    for row in rows:
        for cell in row:
            assert cell["type"] == "raw_text"
            assert cell["text"]


_CHECKS = {
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "rich_text": _rich,
    "table": _table,
}


class People:
    """People in the workspace, and what they see; `send` hands a payload to the app, as Slack would."""

    def __init__(self, slack: FakeSlack, send) -> None:
        self.slack, self.send = slack, send
        self._events = itertools.count(1)

    def event(self, event: dict, event_id: str | None = None) -> dict:
        """An event as Slack wraps it."""
        return {
            "type": "event_callback",
            "token": "x",
            "team_id": TEAM,
            "api_app_id": "A1",
            "event_id": event_id or f"Ev{next(self._events)}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": ME, "is_bot": True}],
            "event": event,
        }

    def message(self, text: str, *, channel="C01", user="U0ANN", thread=None, files=(), kind=None, **more) -> dict:
        """A message's event, not sent yet: naming the app in a channel, plain in a direct message."""
        ts = more.pop("ts", None) or self.slack.next_ts()
        direct = channel.startswith("D")
        kind = kind or ("message" if direct else "app_mention")
        said = text if direct or kind == "message" else f"<@{ME}> {text}"
        event = {"type": kind, "channel": channel, "user": user, "text": said, "ts": ts}
        event |= {"channel_type": "im"} if direct else {}
        event |= {"thread_ts": thread} if thread else {}
        event |= {"files": list(files), "subtype": "file_share"} if files else {}
        return event | more

    def say(self, text: str, **more) -> str:
        """Say something to the app; returns the thread's time stamp."""
        event = self.message(text, **more)
        self.send(self.event(event))
        return event.get("thread_ts") or event["ts"]

    def seen(self, thread: str, channel: str = "C01") -> list[dict]:
        """What the app posted in a thread, oldest first."""
        found = [m for (c, ts), m in list(self.slack.messages.items()) if c == channel and m["thread_ts"] == thread]
        return sorted(found, key=lambda m: m["ts"])

    def wait(self, found, what: str = ""):
        """Until something is so; returns it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = found()
            if value:
                return value
            time.sleep(0.02)
        seen = [(m["channel"], m["thread_ts"], m["text"]) for m in list(self.slack.messages.values())[-8:]]
        raise AssertionError(f"never {what}; the last messages: {json.dumps(seen, ensure_ascii=False, indent=1)}")

    def read(self, thread: str, words: str, channel: str = "C01", after: int = 0) -> dict:
        """Wait for a message with these words."""
        return self.wait(
            lambda: next((m for m in self.seen(thread, channel)[after:] if words in m["text"]), None), f"“{words}”"
        )

    def click(self, message: dict, label: str, user: str = "U0ANN", trigger: str | None = None) -> dict:
        """Press a button of a message; returns the payload."""
        element = next(e for e in buttons_of(message) if e["text"]["text"] == label)
        action = {"type": "button", "action_id": element["action_id"], "value": element["value"], "block_id": "b"}
        return self.act(message, action, user, trigger)

    def act(self, message: dict, action: dict, user: str = "U0ANN", trigger: str | None = None) -> dict:
        """Send what an action in a message makes Slack send."""
        body = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "api_app_id": "A1",
            "trigger_id": trigger or f"{next(self._events)}.1",
            "channel": {"id": message["channel"]},
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": message["channel"]},
            "message": message | {"history": None},
            "actions": [action],
        }
        self.send(body)
        return body

    def command(self, text: str, *, channel="C01", user="U0ANN") -> dict:
        """The slash command, as the form that Slack sends."""
        return {
            "command": "/embedding",
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "trigger_id": f"{next(self._events)}.2",
            "response_url": f"{self.slack.url}/api/api.test",
        }


def buttons_of(message: dict) -> list[dict]:
    """The buttons of a message."""
    return [e for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]


def labels_of(message: dict) -> list[str]:
    """What the buttons of a message say."""
    return [e["text"]["text"] for e in buttons_of(message)]


def signed(body: bytes, seconds: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers with which Slack signs a request."""
    stamp = str(int(time.time() if seconds is None else seconds))
    found = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={found}"}


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """A request to the app; status and answer."""
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def encoded(payload: dict) -> tuple[bytes, str]:
    """A payload as Slack sends it, with its content type: events as JSON, clicks and commands as forms."""
    if payload.get("type") == "block_actions":
        form = {"payload": json.dumps(payload)}
    elif "command" in payload:
        form = payload
    else:
        return json.dumps(payload).encode(), "application/json"
    return urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"


def deliver(url: str, payload: dict, **headers: str) -> tuple[int, bytes]:
    """Send a payload as Slack does, signed."""
    body, kind = encoded(payload)
    return post(url, body, {"content-type": kind} | signed(body) | headers)
