"""The HTTP API as other programs meet it: a server in a process of its own, keys, and a client that waits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

from tests.app.web import Server, tiny_dataset
from tools.key_store import KeyStore

#: seconds for what takes one on an idle machine
PATIENCE = 90


def add_key(home: Path, name: str, scopes=("read", "write", "measure", "metrics"), rate: int = 10**6) -> str:
    """A new key for the servers of a home."""
    store = KeyStore(home / "runs.sqlite")
    try:
        return store.add(name, scopes, rate)[1]
    finally:
        store.close()


class Client(httpx.Client):
    """Calls with a key, and waits for jobs and messages."""

    def __init__(self, server: Server, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(base_url=server.url, headers=headers, timeout=PATIENCE)

    def made(self, path: str, body: Any, **headers: str) -> dict:
        """What a request has made."""
        response = self.post(path, json=body, headers=headers)
        assert response.status_code in (200, 201, 202), response.text
        return response.json()

    def ended(self, job: str) -> dict:
        """A job once it has ended."""
        for _ in range(PATIENCE * 5):
            found = self.get(f"/v1/jobs/{job}").json()
            if found["state"] not in ("queued", "running"):
                return found
            time.sleep(0.2)
        raise AssertionError(f"not ended: {found}")

    def running(self, job: str) -> dict:
        """A job once somebody works on it."""
        for _ in range(PATIENCE * 20):
            found = self.get(f"/v1/jobs/{job}").json()
            if found["state"] != "queued":
                return found
            time.sleep(0.05)
        raise AssertionError(f"not begun: {found}")

    def upload(self, folder: Path) -> str:
        """A dataset of a folder's files."""
        dataset = self.made("/v1/datasets", {})["url"]
        for file in sorted(folder.iterdir()):
            sent = self.patch(f"{dataset}/files/{file.name}", content=file.read_bytes())
            assert sent.status_code == 200, sent.text
        return self.made(f"{dataset}/complete", {})["id"]

    def follow(self, path: str, **headers: str) -> list[dict]:
        """The server-sent events of an address, until it ends."""
        with self.stream("GET", path, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            return events(response)

    def say(self, thread: str, text: str, **more: Any) -> list[dict]:
        """Say something, and hear the answer's events."""
        body = {"text": text, "stream": True, **more}
        with self.stream("POST", f"/v1/threads/{thread}/messages", json=body) as response:
            assert response.status_code == 200, response.read()
            return [event["data"] for event in events(response)]


def events(response: httpx.Response) -> list[dict]:
    """Server-sent events: their fields, the data read."""
    found: list[dict] = []
    current: dict = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if not line:
            if "data" in current:
                found.append(current)
            current = {}
        elif name == "data":
            current["data"] = json.loads(value)
        elif name:
            current[name] = value
    return found


__all__ = ["PATIENCE", "Client", "Server", "add_key", "events", "tiny_dataset"]
