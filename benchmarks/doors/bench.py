"""How fast is the web chat, for one visitor and for fifty, and while something is being measured?

    python -m benchmarks.doors.bench > benchmarks/doors/result.txt

`start`: `advisor serve` from nothing until its page answers, and its resident memory when nobody is there; beside it a
bare gradio chat of ten lines, which is the limit. `page`: in headless Chromium, from the address until one can type,
and from Enter until the words are in the chat. `clients`: fifty pages at once; each listens to its pulse, fetches what
is new when told, and says two things at moments of its own within a minute. A turn's overhead is what the door adds to
the engine: from the request until the message is in the transcript, and from the last word in the transcript until the
client has it. `measuring`: first turns of conversations while another one measures; beside them the same turns before.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).parents[2]
CLIENTS, MINUTE = 50, 60
OPENING = "semantic search over English API documentation, no GPU, self-hosted"
QUESTION = "what is Matryoshka?"
#: notes when Enter was pressed, and when the words stood in the chat
WATCH = """words => {
  const look = () => {
    if (document.querySelector('#chat').innerText.includes(words)) window.seen = performance.now();
    else setTimeout(look, 4);
  };
  const press = () => { window.pressed = performance.now(); look(); };
  document.addEventListener('keydown', press, {capture: true, once: true});
}"""
#: gradio alone: the least that such a page costs
BARE = """
import gradio as gr
with gr.Blocks(analytics_enabled=False) as page:
    chat, text = gr.Chatbot(), gr.Textbox()
    text.submit(lambda said: [{"role": "user", "content": said}], text, chat)
page.launch(server_name="127.0.0.1", server_port=0 or None, quiet=True, prevent_thread_lock=True)
print(page.local_url, flush=True)
import time; time.sleep(600)
"""


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    with tempfile.TemporaryDirectory() as home:
        missed = [*start(Path(home)), *page(Path(home)), *clients(Path(home)), *measuring(Path(home))]
    print("\nall goals met" if not missed else "\nmissed: " + "; ".join(missed))
    return 1 if missed else 0


# ---------------------------------------------------------------- start


def start(home: Path) -> Iterator[str]:
    """Seconds until a page answers, and memory when idle."""
    print("start (cold: a process of its own; three times each)")
    rows = {}
    for name, run in (("advisor serve", lambda: serve(home)), ("bare gradio", bare)):
        seconds, memory = [], []
        for _ in range(3):
            begun = time.monotonic()
            with run() as (url, process):
                httpx.get(url, follow_redirects=True, timeout=60).raise_for_status()
                seconds.append(time.monotonic() - begun)
                time.sleep(2)
                memory.append(resident(process))
        rows[name] = statistics.median(seconds), statistics.median(memory)
        print(f"  {name:14} ready in {rows[name][0]:5.1f} s   idle {rows[name][1]:4.0f} MiB")
    if rows["advisor serve"][0] > 8:
        yield f"ready in {rows['advisor serve'][0]:.1f} s (8)"
    if rows["advisor serve"][1] > 600:
        yield f"{rows['advisor serve'][1]:.0f} MiB idle (600)"


@contextmanager
def serve(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The web chat, in a process of its own."""
    environment = os.environ | {"ADVISOR_HOME": str(home), "ADVISOR_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    yield from _started([sys.executable, "-m", "app", "serve", "--port", "0"], environment)


@contextmanager
def bare() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A bare gradio chat."""
    yield from _started([sys.executable, "-c", BARE], os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"})


def _started(command: list[str], environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        line = next(line for line in process.stdout if "http://" in line)
        found = re.search(r"http://[\w.]+:\d+", line)
        assert found
        yield found.group() + "/", process
    finally:
        process.kill()
        process.wait()


def resident(process: subprocess.Popen[str]) -> float:
    """MiB of a process and its children."""
    whole = psutil.Process(process.pid)
    return sum(p.memory_info().rss for p in (whole, *whole.children(recursive=True))) / 2**20


# ---------------------------------------------------------------- one visitor


def page(home: Path) -> Iterator[str]:
    """In a real browser."""
    from playwright.sync_api import sync_playwright

    usable, echoed = [], []
    with serve(home) as (url, _), sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for _ in range(6):
            tab = browser.new_page()
            begun = time.monotonic()
            tab.goto(url)
            tab.wait_for_selector("#chat .message")
            tab.wait_for_selector("#message textarea:enabled")
            usable.append(time.monotonic() - begun)
            tab.fill("#message textarea", OPENING)
            tab.evaluate(WATCH, OPENING)
            tab.keyboard.press("Enter")
            for _ in range(500):
                if tab.evaluate("window.seen || 0"):
                    break
                tab.wait_for_timeout(20)
            echoed.append(tab.evaluate("window.seen - window.pressed"))
            tab.close()
        browser.close()
    print("\npage (headless Chromium; the first of six left out)")
    usable, echoed = usable[1:], echoed[1:]
    print(f"  usable after                    {statistics.median(usable):5.2f} s   (most {max(usable):.2f})")
    print(f"  first visible output of a turn  {statistics.median(echoed):5.0f} ms  (most {max(echoed):.0f})")
    if statistics.median(usable) > 2:
        yield f"usable after {statistics.median(usable):.2f} s (2)"
    if statistics.median(echoed) > 300:
        yield f"first output after {statistics.median(echoed):.0f} ms (300)"


# ---------------------------------------------------------------- fifty at once


class Client:
    """What a browser does, without drawing anything: loads the page, listens to the pulse, asks what is new."""

    def __init__(self, http: httpx.AsyncClient, home: Path) -> None:
        self.http, self.thread, self.session = http, f"bench-{secrets.token_hex(6)}", secrets.token_hex(6)
        self.file = home / "threads" / f"{self.thread}.jsonl"
        self.functions: dict[str, int] = {}
        self.shown = ""

    async def open(self) -> None:
        """Load the page, and find out which of its functions does what."""
        (await self.http.get(f"/en/?thread={self.thread}")).raise_for_status()
        config = (await self.http.get("/en/config", params={"thread": self.thread})).json()
        for dependency in config["dependencies"]:
            self.functions.setdefault(dependency["api_name"], dependency["id"])

    async def listen(self) -> None:
        """Fetch the chat whenever the pulse beats."""
        async with self.http.stream("GET", f"/pulse/{self.thread}") as beats:
            async for line in beats.aiter_lines():
                if line.startswith("data:"):
                    found = await self.call("show_chat", [None])
                    self.shown = json.dumps(found, ensure_ascii=False)
                    await self.call("show_beside", [None])

    async def call(self, function: str, data: list[Any]) -> Any:
        """One event of the page."""
        body = {"data": data, "fn_index": self.functions[function], "session_hash": self.session, "event_data": None}
        found = await self.http.post("/en/gradio_api/run/predict", params={"thread": self.thread}, json=body)
        return found.raise_for_status().json()["data"]

    async def turn(self, text: str) -> tuple[float, float, float]:
        """Say something and wait for the answer; seconds until it is seen, the door's share of them, and in all."""
        before = self.lines()
        begun = time.monotonic()
        await self.call("send", [text])
        heard, written, seen = 0.0, 0.0, 0.0
        while not seen:
            now, lines = time.monotonic(), self.lines()
            told = [json.loads(line)["kind"] for line in lines[len(before) :]]
            heard = heard or (now if "heard" in told else 0.0)
            written = written or (now if "heard" in told and told[-1] == "question" else 0.0)
            if written and "One moment" not in self.shown and text in self.shown:
                seen = now
            await asyncio.sleep(0.01)
            if now - begun > 120:
                raise AssertionError(f"no answer to {text!r} in {self.thread}")
        return heard - begun, (heard - begun) + (seen - written), seen - begun

    def lines(self) -> list[bytes]:
        """What is in the transcript."""
        try:
            return [
                line for line in self.file.read_bytes().split(b"\n") if line.startswith(b"{") and line.endswith(b"}")
            ]
        except FileNotFoundError:
            return []


@asynccontextmanager
async def visitors(url: str, home: Path, count: int) -> AsyncIterator[list[Client]]:
    """So many pages, open and listening."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=180, limits=limits) as http:
        found = [Client(http, home) for _ in range(count)]
        await asyncio.gather(*(client.open() for client in found))
        listening = [asyncio.create_task(client.listen()) for client in found]
        try:
            while not all(client.shown for client in found):
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            yield found
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)


def clients(home: Path) -> Iterator[str]:
    """All pages open at once, each saying two things at moments of its own."""

    async def speak(client: Client, moments: list[float]) -> list[Any]:
        begun, found = time.monotonic(), []
        for moment, text in zip(moments, (OPENING, QUESTION), strict=True):
            await asyncio.sleep(max(0.0, moment - (time.monotonic() - begun)))
            try:
                found.append(await client.turn(text))
            except (AssertionError, httpx.HTTPError) as error:
                found.append(error)
        return found

    async def run(url: str) -> list[Any]:
        chance = random.Random(0)
        async with visitors(url, home, CLIENTS) as found:
            moments = [sorted(chance.uniform(0, MINUTE) for _ in range(2)) for _ in found]
            turns = await asyncio.gather(*map(speak, found, moments))
        return [turn for client in turns for turn in client]

    with serve(home) as (url, process):
        found = asyncio.run(run(url))
        memory = resident(process)
    lost = [turn for turn in found if isinstance(turn, BaseException)]
    kept = [turn for turn in found if not isinstance(turn, BaseException)]
    print(f"\n{CLIENTS} clients at once, two turns each within {MINUTE} s")
    print(f"  answered {len(kept)} of {len(found)}; memory {memory:.0f} MiB")
    for name, values in zip(
        ("heard after", "overhead of the door", "whole turn"), zip(*kept, strict=True), strict=True
    ):
        print(f"  {name:22} p50 {statistics.median(values):6.2f} s   p95 {p95(values):6.2f} s")
    if lost:
        yield f"{len(lost)} turns lost ({lost[0]!r})"
    if p95([overhead for _, overhead, _ in kept]) >= 1:
        yield f"p95 overhead {p95([overhead for _, overhead, _ in kept]):.2f} s (1)"


# ---------------------------------------------------------------- while something is measured


def measuring(home: Path) -> Iterator[str]:
    """A turn while another conversation measures the sample."""

    async def run(url: str) -> tuple[list[float], list[float]]:
        async with visitors(url, home, 7) as (busy, *others):
            idle = [(await client.turn(OPENING))[2] for client in others[:3]]
            await busy.turn(OPENING)
            await busy.call("take_sample", [])
            await until(busy, "plan")
            await busy.call("send", ["yes"])
            await until(busy, "evaluate")
            during = [(await client.turn(OPENING))[2] for client in others[3:]]
        return idle, during

    async def until(client: Client, what: str) -> None:
        """Answer what is asked until a plan is put, or wait for a stage to begin."""
        for _ in range(3000):
            last = json.loads(client.lines()[-1])
            if what in (last.get("about"), last.get("stage")):
                return
            if last["kind"] == "question" and what == "plan" and last["about"] != "data":
                await client.call("send", ["no preference"])
                await asyncio.sleep(1)
            await asyncio.sleep(0.1)
        raise AssertionError(f"never came to {what}")

    with serve(home) as (url, _):
        idle, during = asyncio.run(run(url))
    print("\na first turn beside a measurement")
    print(f"  before  p50 {statistics.median(idle):5.2f} s   most {max(idle):5.2f} s")
    print(f"  during  p50 {statistics.median(during):5.2f} s   most {max(during):5.2f} s")
    blocked = max(during) - statistics.median(idle)
    if blocked > 2:
        yield f"a measurement holds a turn up for {blocked:.1f} s (2)"


def p95(values: Any) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[18]


if __name__ == "__main__":
    raise SystemExit(main())
