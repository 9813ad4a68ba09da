"""The Slack app for tests: the real one, its HTTP server in this process or its command in another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from tests.app.fake_slack import APP_TOKEN, PATIENCE, SECRET, TOKEN, FakeSlack, People, deliver

ROOT = Path(__file__).parents[2]


@contextmanager
def served(slack: FakeSlack, home: Path):
    """The app in this process, listening on loopback: people whose messages reach it, and its address."""
    import uvicorn

    from agent.settings import Settings
    from app.serving import listen
    from app.slack import server

    settings = Settings(
        home=home,
        offline=True,
        slack_bot_token=TOKEN,
        slack_signing_secret=SECRET,
        slack_api_url=slack.api_url,
    )
    with server.running(settings, SECRET) as bolt:
        config = uvicorn.Config(server.make_app(bolt), log_level="warning", access_log=False, lifespan="off")
        made = uvicorn.Server(config)
        listener = listen("127.0.0.1", 0)
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{server.PATH}"
        people = People(slack, lambda payload: accepted(url, payload))
        people.wait(lambda: made.started, "a server")
        try:
            yield people, url
        finally:
            made.should_exit = True
            thread.join(PATIENCE)
            listener.close()


def accepted(url: str, payload: dict) -> None:
    """Deliver a payload that the app must take."""
    status, answer = deliver(url, payload)
    assert status == 200, answer


class Command:
    """`advisor slack` in a process of its own."""

    def __init__(self, slack: FakeSlack, home: Path, *options: str) -> None:
        self.slack, self.home, self.options = slack, home, options

    def start(self) -> str:
        """Start it; returns what it says when it is ready."""
        environment = os.environ | {
            "ADVISOR_HOME": str(self.home),
            "ADVISOR_OFFLINE": "1",
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "ADVISOR_SLACK_API_URL": self.slack.api_url,
        }
        command = [sys.executable, "-m", "app", "slack", *self.options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        self.url = found.group() if found else ""
        return line

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.process.communicate()
