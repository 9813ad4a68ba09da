"""The web chat as people meet it: a server in a process of its own, and a real browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>![x](http://evil.example/x.png)"


class Server:
    """`advisor serve` in a process of its own."""

    def __init__(self, home: Path, *options: str, **environment: str) -> None:
        self.home, self.options, self.environment, self.port = home, options, environment, 0

    def start(self) -> None:
        environment = os.environ | {"ADVISOR_HOME": str(self.home), "ADVISOR_OFFLINE": "1"} | self.environment
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        if found is None:
            self.stop()
            raise AssertionError(f"the server did not start; what it printed: {line}")
        self.url = found.group()
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


#: what gradio's scripts say of a page that is left
LEAVING = ("AbortError", "Connection errored out", "ERR_NETWORK_CHANGED", "ERR_CONNECTION_REFUSED")


def open_page(browser, address: str, language: str = "en-GB", width: int = 1280, height: int = 900):
    """A page with the conversation of an address; it notes foreign requests and what the browser complains about."""
    page = browser.new_page(viewport={"width": width, "height": height}, locale=language)
    page.foreign, page.complaints = [], []

    def complain(text: str) -> None:
        if not any(words in text for words in LEAVING):
            page.complaints.append(text)

    own = address[: address.index("/", 8)]
    page.on("request", lambda r: None if r.url.startswith((own, "data:", "blob:")) else page.foreign.append(r.url))
    page.on("console", lambda m: complain(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complain(str(e)))
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


def until(page, found: Callable[[], object], seconds: int = 30) -> None:
    """Until something that the server keeps is so; what the page shows may be older or newer than that."""
    for _ in range(seconds * 10):
        if found():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about")


def say(page, text: str) -> None:
    """Type a message, and wait for what comes of it."""
    page.fill("#message textarea", text)
    page.keyboard.press("Enter")
    wait_for(page, text)
    settle(page)


def settle(page) -> None:
    """Until nothing is being worked on."""
    page.wait_for_function("!document.querySelector('#chat')?.innerText.match(/One moment|请稍候/)")
    page.wait_for_timeout(400)


def answer_until(page, wanted: str) -> None:
    """Have no preference until a certain answer is suggested."""
    for _ in range(8):
        settle(page)
        answers = page.locator("#chat button.option")
        answers.first.wait_for(timeout=60_000)
        if wanted in answers.all_inner_texts():
            return
        page.wait_for_timeout(300)
        answers.last.click()
        page.wait_for_timeout(500)
    raise AssertionError(f"never “{wanted}” in:\n{page.locator('#chat').inner_text()}")


def serious(page) -> list[str]:
    """What axe-core finds serious or critical about a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['html'][:200]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]


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
