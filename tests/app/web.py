"""The web chat as people meet it: a server in a process of its own, and a real browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>![x](http://evil.example/x.png)"


class Server:
    """`advisor serve` in a process of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.environment, self.port = home, environment, 0

    def start(self) -> None:
        environment = os.environ | {"ADVISOR_HOME": str(self.home), "ADVISOR_OFFLINE": "1"} | self.environment
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        self.url = re.search(r"http://\S+:\d+", self.process.stdout.readline()).group()
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def request(self, path: str, **headers: str):
        for _ in range(100):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()
            except ConnectionError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise AssertionError("the server does not answer")


def open_page(browser, address: str, language: str = "en-GB"):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale=language)
    page.foreign, page.complaints = [], []
    own = address[: address.index("/", 8)]
    page.on("request", lambda r: None if r.url.startswith((own, "data:", "blob:")) else page.foreign.append(r.url))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.complaints.append(str(e)))
    page.on("dialog", lambda d: (page.complaints.append(f"dialog {d.message}"), d.dismiss()))
    page.goto(address)
    page.wait_for_selector("#chat .message")
    return page


def wait_for(page, text: str, seconds: int = 60) -> None:
    from playwright.sync_api import TimeoutError as TookTooLong

    try:
        page.wait_for_function(
            "text => document.querySelector('#chat')?.innerText.includes(text)", arg=text, timeout=seconds * 1000
        )
    except TookTooLong as error:
        raise AssertionError(f"no “{text}” in:\n{page.locator('#chat').inner_text()}") from error


def tiny_dataset(folder: Path) -> list[Path]:
    """30 documents of three words each of its own, 10 queries; one id is hostile."""
    folder.mkdir()
    things = ["sort a list", "open a file", "lock a thread", "match a pattern", "join two paths"]
    documents = [{"_id": f"d{i}", "text": f"How to {things[i % 5]}, variant {i}."} for i in range(30)]
    documents[0]["_id"] = HOSTILE
    queries = [{"_id": f"q{i}", "text": f"{things[i % 5]} variant {i}"} for i in range(10)]
    judgments = [f"q{i}\t{documents[i]['_id']}\t1" for i in range(10)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judgments]), "utf-8")
    return sorted(folder.iterdir())
