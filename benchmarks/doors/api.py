"""How does the HTTP API bear many callers, a long day, and being killed?

    python -m benchmarks.doors.api > benchmarks/doors/api.txt           # about half an hour on two cores
    python -m benchmarks.doors.api --short                              # the same on a small scale, some minutes

`chats`: conversations at once, ten turns each, every turn streamed, with 40 s between an answer and the next message on
average (less where there are fewer, so that as much is said a second). Each speaks of a project of its own, so that a
word of one in another's transcript is seen. A turn's overhead is what the door adds to the engine: from the request
until the message is in the transcript, and from the last word in the transcript until its caller has it.
`shortlists`: an open loop of requests at a fixed rate; a request's time counts from when it was due, so that waiting
in the caller is not left out. Once with questions that come again, and once with questions that are all different.
`soak`: chats, shortlists and jobs for minutes; the server's resident memory after a fifth of the time and at the end.
`kills`: jobs are accepted while the server is killed (SIGKILL) again and again at random moments.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).parents[2]
SUBJECTS = ("legal", "medical", "financial", "product", "support", "code", "news", "patent", "chemistry", "travel")
LANGUAGES = ("German", "French", "Spanish", "Italian", "Polish", "Dutch", "Swedish", "Czech", "Danish", "Finnish")
TURNS = (
    "{language} {subject} search for project {name}, at most {size}M parameters",
    "commercial use",
    "just decide",
    "why?",
    "no GPU",
    "actually, at most {size}0M parameters",
    "what is Matryoshka?",
    "what if we had a GPU?",
    "what is nDCG?",
    "compare BAAI/bge-m3 and intfloat/multilingual-e5-small",
)


#: seconds between an answer and the next message, on average
PAUSE = 40.0


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    options = argparse.ArgumentParser()
    options.add_argument("--short", action="store_true")
    options.add_argument("--only", action="append", choices=[part.__name__ for part in PARTS])
    given = options.parse_args()
    cores = psutil.cpu_count()
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f} at the start{', on a small scale' if given.short else ''}\n")
    missed: list[str] = []
    for part in PARTS:
        if not given.only or part.__name__ in given.only:
            with tempfile.TemporaryDirectory() as home:
                missed += part(Path(home), given.short)
            print(flush=True)
    print("all goals met" if not missed else "missed: " + "; ".join(missed))
    return 1 if missed else 0


class Served:
    """`advisor serve --no-chat`, to be killed and started again at one address."""

    def __init__(self, home: Path) -> None:
        self.home, self.port, self.process = home, 0, None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = os.environ | {"ADVISOR_HOME": str(self.home), "ADVISOR_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "app", "serve", "--no-chat", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        found = re.search(r":(\d+)/v1", self.process.stdout.readline())
        assert found
        self.port = int(found.group(1))
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("it does not get ready")

    def kill(self) -> None:
        """As the kernel would where memory runs out."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    @property
    def resident(self) -> float:
        """MiB."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@contextmanager
def served(home: Path) -> Iterator[Served]:
    """A server that is there as long as the block."""
    made = Served(home)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def row(values: list[float]) -> str:
    """Median, p95 and worst, in ms."""
    median, worst = statistics.median(values), max(values)
    return f"median {1000 * median:5.0f} ms   p95 {1000 * p95(values):5.0f}   worst {1000 * worst:5.0f}"


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[max(int(len(values) * 0.95 + 0.999) - 1, 0)]


# ---------------------------------------------------------------- chats


def chats(home: Path, short: bool) -> Iterator[str]:
    """100 conversations at once, ten turns each."""
    count = 20 if short else 100
    print(f"chats ({count} at once, {len(TURNS)} turns each, streamed; rules mode)")
    with served(home) as server:
        begun = time.monotonic()
        overheads, problems, turns = asyncio.run(_all_chats(server, count))
        seconds = time.monotonic() - begun
    before, after = ([pair[side] for pair in overheads] for side in (0, 1))
    overhead = [a + b for a, b in overheads]
    print(f"  {turns} turns in {seconds:.0f} s; lost or leaked: {len(problems)}")
    print(f"  overhead         {row(overhead)}")
    print(f"  before, after    {row(before)} | {row(after)}")
    for problem in problems[:5]:
        print(f"  {problem}")
    if problems:
        yield f"{len(problems)} turns lost or leaked"
    if p95(overhead) > 1:
        yield f"p95 overhead {p95(overhead):.2f} s (1)"


async def _all_chats(server: Served, count: int) -> tuple[list[tuple[float, float]], list[str], int]:
    limits = httpx.Limits(max_connections=count + 10, max_keepalive_connections=count + 10)
    overheads: list[tuple[float, float]] = []
    problems: list[str] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=600, limits=limits) as client:
        done = await asyncio.gather(
            *(_chat(client, server.home, i, overheads, problems, PAUSE * count / 100) for i in range(count))
        )
        names = [f"Project{chr(65 + i // 26)}{chr(97 + i % 26)}x{i}" for i in range(count)]
        for i, thread in enumerate(done):
            text = json.dumps((await client.get(f"/v1/threads/{thread}/events")).json())
            heard = [e for e in json.loads(text)["data"] if e["kind"] == "heard"]
            if len(heard) != len(TURNS):
                problems.append(f"{len(TURNS) - len(heard)} messages lost in {thread}")
            problems += [f"{other} in the chat of {names[i]}" for other in names if other != names[i] and other in text]
            if names[i] not in text:
                problems.append(f"{names[i]} is not in its own chat")
    return overheads, problems, count * len(TURNS)


async def _chat(
    client: httpx.AsyncClient,
    home: Path,
    i: int,
    overheads: list[tuple[float, float]],
    problems: list[str],
    pause: float,
) -> str:
    name = f"Project{chr(65 + i // 26)}{chr(97 + i % 26)}x{i}"
    words = {"language": LANGUAGES[i % 10], "subject": SUBJECTS[(i // 10) % 10], "name": name, "size": 100 + i}
    await asyncio.sleep(random.uniform(0, pause))
    thread = str((await client.post("/v1/threads", json={"note": name})).json()["id"])
    transcript = home / "threads" / f"{thread}.jsonl"
    for turn in TURNS:
        text = turn.format(**words)
        sent = time.monotonic()
        moments: list[float] = []
        watch = asyncio.create_task(_growth(transcript, moments))
        body = {"text": text, "stream": True}
        kinds = []
        async with client.stream("POST", f"/v1/threads/{thread}/messages", json=body) as response:
            if response.status_code != 200:
                problems.append(f"{response.status_code} for “{text}”")
                watch.cancel()
                continue
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    kinds.append(line.removeprefix("event: "))
        ended = time.monotonic()
        watch.cancel()
        heard, last = (moments[0], moments[-1]) if moments else (ended, ended)
        overheads.append((max(heard - sent, 0), max(ended - last, 0)))
        if kinds[-1:] != ["done"] or "heard" not in kinds or "failed" in kinds:
            problems.append(f"“{text}” was answered by {kinds}")
        await asyncio.sleep(random.uniform(0, 2 * pause))
    return thread


async def _growth(transcript: Path, moments: list[float]) -> None:
    """Note each moment at which a transcript is seen to have grown."""
    size = _size(transcript)
    while True:
        now = _size(transcript)
        if now != size:
            size = now
            moments.append(time.monotonic())
        await asyncio.sleep(0.02)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


# ---------------------------------------------------------------- shortlists


def shortlists(home: Path, short: bool) -> Iterator[str]:
    """An open loop at 100 requests a second and more."""
    seconds = 10 if short else 60
    print(f"shortlists (open loop, {seconds} s each; a request's time counts from when it was due)")
    with served(home) as server:
        asyncio.run(_load(server, _repeated, 20, 5))  # warm
        for name, question, rates in (
            ("20 questions again and again", _repeated, (50, 100, 200)),
            ("all different", _different, (5, 10, 20)),
        ):
            for rate in rates:
                times, failed = asyncio.run(_load(server, question, rate, seconds))
                print(f"  {name}, {rate:3}/s   {row(times)}   failed {failed}")
                if rate == 100 and (failed or p95(times) > 0.05):
                    yield f"shortlists, {name}: p95 {1000 * p95(times):.0f} ms at 100/s (50), {failed} failed"


def _repeated(i: int) -> str:
    return f"{LANGUAGES[i % 10]} {SUBJECTS[i % 2]} search, commercial"


def _different(i: int) -> str:
    return (
        f"{LANGUAGES[i % 10]} {SUBJECTS[(i // 10) % 10]} search, at most {50 + i % 977}M parameters, "
        f"vectors of at most {64 + i % 4001} numbers"
    )


async def _load(server: Served, question: Any, rate: int, seconds: float) -> tuple[list[float], int]:
    times: list[float] = []
    failed = 0
    offset = random.randrange(10**6)
    async with httpx.AsyncClient(
        base_url=server.url, timeout=120, limits=httpx.Limits(max_connections=64, max_keepalive_connections=64)
    ) as client:

        async def one(i: int, due: float) -> None:
            nonlocal failed
            response = await client.post("/v1/shortlists", json={"text": question(i + offset)})
            times.append(time.monotonic() - due)
            failed += response.status_code not in (200, 422) or not response.content

        begun = time.monotonic()
        tasks = []
        for i in range(int(rate * seconds)):
            due = begun + i / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            tasks.append(asyncio.create_task(one(i, due)))
        await asyncio.gather(*tasks)
    return times, failed


# ---------------------------------------------------------------- soak


def soak(home: Path, short: bool) -> Iterator[str]:
    """Memory after a fifth of the time, and at the end."""
    minutes = 2 if short else 15
    print(f"soak ({minutes} min of chats, shortlists and jobs; memory of the server's process)")
    with served(home) as server:
        seen, counts = asyncio.run(_soak(server, 60 * minutes))
    first, last = statistics.median(seen[len(seen) // 5 : len(seen) // 5 + 5]), statistics.median(seen[-5:])
    growth = last / first - 1
    print(f"  {counts['chats']} chats, {counts['shortlists']} shortlists, {counts['jobs']} jobs")
    print(f"  {first:.0f} MiB after a fifth, {last:.0f} MiB at the end: {growth:+.1%}; peak {max(seen):.0f}")
    if growth > 0.1:
        yield f"memory grew by {growth:.1%} (10 %)"


async def _soak(server: Served, seconds: float) -> tuple[list[float], Counter[str]]:
    seen: list[float] = []
    counts: Counter[str] = Counter()
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=server.url, timeout=600) as client:

        async def talk(number: int) -> None:
            while time.monotonic() < until:
                await _chat(client, server.home, number, [], [], 0.5)
                counts["chats"] += 1

        async def ask() -> None:
            while time.monotonic() < until:
                await client.post("/v1/shortlists", json={"text": _different(random.randrange(10**6))})
                counts["shortlists"] += 1
                await asyncio.sleep(0.2)

        async def work() -> None:
            while time.monotonic() < until:
                spec = f"bm25?k1={1 + random.random():.6f}"
                body = {"dataset": "stdlib", "documents": 60, "queries": 20, "candidates": [spec]}
                job = (await client.post("/v1/evaluations", json=body)).json()
                while (await client.get(job["url"])).json()["state"] in ("queued", "running"):
                    await asyncio.sleep(0.3)
                counts["jobs"] += 1

        async def watch() -> None:
            while time.monotonic() < until:
                seen.append(server.resident)
                await asyncio.sleep(seconds / 120)

        await asyncio.gather(*(talk(i) for i in range(3)), ask(), work(), watch())
    return seen, counts


# ---------------------------------------------------------------- kills


def kills(home: Path, short: bool) -> Iterator[str]:
    """The server is killed during jobs."""
    count = 4 if short else 20
    print(f"kills ({count} times SIGKILL, at random moments, jobs being accepted and worked on)")
    server = Served(home)
    server.start()
    accepted: list[str] = []
    for number in range(count):
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for i in range(3):
                spec = f"bm25?k1={1 + len(accepted) / 1000}"
                body: dict[str, Any] = {"dataset": "stdlib", "documents": 80, "queries": 20, "candidates": [spec]}
                path = "/v1/evaluations"
                if i == 2:
                    path, body = "/v1/recommendations", body | {"consent": {"measure": True}}
                accepted.append(client.post(path, json=body, headers={"Idempotency-Key": f"{number}-{i}"}).json()["id"])
            time.sleep(random.uniform(0, 5))
        server.kill()
        server.start()
    jobs: list[dict[str, Any]] = []
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for name in accepted:
            while (job := client.get(f"/v1/jobs/{name}").json())["state"] in ("queued", "running"):
                time.sleep(0.3)
            jobs.append(job)
    server.kill()
    with sqlite3.connect(home / "runs.sqlite") as store:
        ends = Counter(name for (name,) in store.execute("SELECT job FROM job_events WHERE kind = 'succeeded'"))
        begun = Counter(name for (name,) in store.execute("SELECT job FROM job_events WHERE kind = 'running'"))
        measured, distinct = store.execute("SELECT count(*), count(DISTINCT key) FROM measurements").fetchone()
    states = Counter(job["state"] for job in jobs)
    twice = sum(count > 1 for count in ends.values()) + measured - distinct
    again = sum(count > 1 for count in begun.values())
    print(f"  {len(accepted)} accepted: {dict(states)}; taken up again {again}; ended or measured twice {twice}")
    if states["succeeded"] != len(accepted) or twice:
        yield f"of {len(accepted)} accepted jobs {states['succeeded']} ended with a result, {twice} twice"


PARTS = (chats, shortlists, soak, kills)


if __name__ == "__main__":
    sys.exit(main())
