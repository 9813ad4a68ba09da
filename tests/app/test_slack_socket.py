"""The Slack app as a command in a process of its own: Socket Mode, and what a kill -9 leaves."""

from __future__ import annotations

import json
import queue
import sys
import threading

import pytest

from tests.app.fake_slack import PATIENCE, FakeSlack, People, deliver
from tests.app.slack_app import Command

pytest.importorskip("slack_bolt", reason="slack-bolt is not installed (extra slack)")
exceptions = pytest.importorskip("websockets.exceptions", reason="websockets is not installed")
server = pytest.importorskip("websockets.sync.server", reason="websockets is not installed")


class Socket:
    """Slack's end of the socket."""

    def __init__(self, slack: FakeSlack) -> None:
        self.connected: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        self._server = server.serve(self._serve, "127.0.0.1", 0)
        slack.socket_url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._number = 0

    def _serve(self, connection) -> None:
        connection.send(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}}))
        self.connected.put(connection)
        try:
            for message in connection:
                self.answers.put(json.loads(message))
        except exceptions.ConnectionClosed:
            return

    def connect(self) -> None:
        """Wait for the app."""
        self.connection = self.connected.get(timeout=PATIENCE)

    def send(self, payload: dict) -> None:
        """Hand over a payload, and wait until the app says that it has it."""
        kinds = {"block_actions": "interactive", "event_callback": "events_api"}
        self._number += 1
        envelope = {
            "envelope_id": f"E{self._number}",
            "type": kinds.get(payload.get("type"), "slash_commands"),
            "payload": payload,
            "accepts_response_payload": False,
        }
        self.connection.send(json.dumps(envelope))
        assert self.answers.get(timeout=PATIENCE)["envelope_id"] == envelope["envelope_id"]

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def slack():
    made = FakeSlack()
    yield made
    made.close()


def test_a_socket_is_enough(slack, tmp_path):
    socket = Socket(slack)
    command = Command(slack, tmp_path / "home")
    people = People(slack, socket.send)
    try:
        assert "Connected" in command.start()
        socket.connect()
        thread = people.say("what is nDCG?")
        people.click(people.read(thread, "nDCG"), "Measure on my data")
        people.read(thread, "How fast")
        socket.send(people.command("what is MRR?", channel="C09"))
        people.wait(lambda: any(c == "C09" and "MRR" in m["text"] for (c, _), m in slack.messages.items()), "a thread")
        # Slack closes sockets now and then; the app comes back
        socket.connection.send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
        socket.connect()
        people.read(people.say("what is recall?"), "ecall")
    finally:
        command.kill()
        socket.close()


def test_a_kill_loses_nothing(slack, tmp_path):
    command = Command(slack, tmp_path / "home", "--http", "--port", "0")
    people = People(slack, lambda payload: deliver(command.url, payload))
    try:
        assert "/slack/events" in command.start()
        thread = people.say("We build semantic search over English API documentation, no GPU")
        event = people.event(people.message("what is precision?"), "Ev-again")
        people.send(event)
        command.kill()
        command.start()
        people.read(thread, "How fast must one query be answered?")
        other = event["event"]["ts"]
        people.read(other, "recision")
        people.send(event)  # Slack did not get to hear that it arrived
        people.say("what is MAP?", thread=other)
        people.read(other, "MAP", after=1)
        # at worst, the message that was under way came twice
        assert len(people.seen(thread)) <= 2
        assert len(people.seen(other)) <= 3
    finally:
        command.kill()


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        ([], {}, "There is no token"),
        ([], {"SLACK_APP_TOKEN": "xapp-token"}, "There is no token of a Slack app"),
        (["--http"], {"SLACK_BOT_TOKEN": "xoxb-token"}, "There is no signing secret"),
        (["--http"], {"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_SIGNING_SECRET": "s"}, "invalid_auth"),
    ],
)
def test_what_is_missing_is_named(slack, tmp_path, monkeypatch, capsys, options, environment, told):
    from app.cli import terminal
    from app.cli.commands import make_app
    from app.cli.failures import run_to_exit_code

    for name, value in {"ADVISOR_SLACK_API_URL": slack.api_url, **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["advisor", "slack", "--port", "0", *options])
    terminal.choose_language("en")
    assert run_to_exit_code(make_app()) in (3, 7)
    assert told in capsys.readouterr().err


def test_the_manifest_is_what_the_app_does(capsys):
    from app.slack import manifest
    from knowledge.errors import UserError

    socket = json.loads(manifest())
    assert socket["settings"]["socket_mode_enabled"]
    events = socket["settings"]["event_subscriptions"]["bot_events"]
    assert {"app_mention", "message.im", "message.channels"} <= set(events)
    assert "assistant:write" not in socket["oauth_config"]["scopes"]["bot"]
    assert len(socket["display_information"]["name"]) <= 35
    assert len(socket["display_information"]["description"]) <= 140
    http = json.loads(manifest("https://advisor.example/", assistant=True))
    assert http["settings"]["interactivity"]["request_url"] == "https://advisor.example/slack/events"
    assert not http["settings"]["socket_mode_enabled"]
    assert "assistant_thread_started" in http["settings"]["event_subscriptions"]["bot_events"]
    with pytest.raises(UserError, match="https"):
        manifest("http://advisor.example/")


def test_the_command_prints_the_manifest(monkeypatch, capsys):
    from app.cli.commands import make_app
    from app.cli.failures import run_to_exit_code

    monkeypatch.setattr(sys, "argv", ["advisor", "slack", "--manifest"])
    assert run_to_exit_code(make_app()) == 0
    assert json.loads(capsys.readouterr().out)["features"]["slash_commands"][0]["command"] == "/embedding"
