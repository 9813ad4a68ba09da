"""What the HTTP API promises and keeps: jobs through kill -9, webhooks, chats of OpenAI's clients, its doors."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.api.hooks import check_hook
from app.api.problems import ProblemError
from app.api.sent import HookIn
from app.chat.guard import Guard
from app.webhooks import HookRefusedError, check_secret, checked, post, signature
from knowledge.errors import UserError
from tests.app.api import PATIENCE, Client, Server, add_key, tiny_dataset
from tests.fake_http import Server as FakeServer

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-the-tests"


class Listener(FakeServer):
    """Hears webhooks; `statuses` are its answers, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        super().__init__()
        self.statuses = list(statuses)
        self.heard: list[tuple[str, bytes]] = []

    def answer(self, method, path, body):
        self.heard.append((path, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return status, {"Location": f"{self.url}/elsewhere"} if status == 302 else {}, b""

    def wait(self, count: int) -> None:
        for _ in range(PATIENCE * 10):
            if len(self.heard) >= count:
                return
            time.sleep(0.1)
        raise AssertionError(f"heard {len(self.heard)}, not {count}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One without keys: whoever sits at the machine needs none."""
    made = Server(tmp_path_factory.mktemp("api") / "home", "--no-chat")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def client(server):
    with Client(server, None) as opened:
        yield opened


@pytest.fixture(scope="module")
def data(client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    tiny_dataset(folder)
    return client.upload(folder)


def test_accepted_jobs_end_once_whatever_happens_to_the_server(server, client, data):
    names = []
    for pause in (0.0, 0.7):
        for _ in range(2):
            body = {"dataset": data, "candidates": [f"bm25?k1={1 + len(names) / 10}"]}
            names.append(client.made("/v1/evaluations", body)["id"])
        wanted = {"text": "English search", "dataset": data, "candidates": ["bm25"], "consent": {"measure": True}}
        names.append(client.made("/v1/recommendations", wanted)["id"])
        time.sleep(pause)  # moments differ; whatever is done by then, all must end
        server.stop()  # kill -9
        server.start()
    ended = [client.ended(name) for name in names]
    assert {job["state"] for job in ended} == {"succeeded"}, ended
    with sqlite3.connect(server.home / "runs.sqlite") as store:
        events = Counter(store.execute("SELECT job FROM job_events WHERE kind = 'succeeded'").fetchall())
        measured = store.execute("SELECT count(*), count(DISTINCT key) FROM measurements").fetchone()
    assert {events[(name,)] for name in names} == {1}
    assert measured[0] == measured[1]
    assert not list((server.home / "locks").glob("*.job"))


def test_a_message_that_was_taken_is_answered_after_a_kill(server, client):
    thread = client.made("/v1/threads", {})
    sent = client.made(f"{thread['url']}/messages", {"text": "semantic search over English docs, just decide"})
    server.stop()  # kill -9
    server.start()
    for _ in range(PATIENCE * 10):
        message = client.get(sent["url"]).json()
        if message["answered"]:
            break
        time.sleep(0.1)
    kinds = [event["kind"] for event in message["events"]]
    assert kinds.count("recommended") == 1
    assert client.get(thread["url"]).json()["report"]


def test_a_webhook_is_signed_tried_again_and_follows_nobody(client, data):
    with Listener(500, 302, 204) as listener:
        hook = {"url": f"{listener.url}/hook", "secret": SECRET}
        job = client.made("/v1/evaluations", {"dataset": data, "candidates": ["bm25"], "webhook": hook})
        assert SECRET not in json.dumps(client.ended(job["id"]))
        listener.wait(3)
        assert {path for path, _ in listener.heard} == {"/hook"}  # not where the redirect leads
        told = json.loads(listener.heard[-1][1])
        assert (told["type"], told["data"]["id"]) == ("job.succeeded", job["id"])
        for _ in range(100):
            outcomes = [e["data"]["outcome"] for e in client.follow(job["events"]) if e["event"] == "webhook"]
            if len(outcomes) == 3:
                break
            time.sleep(0.1)
        assert outcomes == ["500", "302", "204"]


def test_the_signature_is_that_of_standard_webhooks():
    caught = {}

    def serve(listening):
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            head = [line.decode().strip() for line in iter(lines.readline, b"\r\n")]
            caught.update(line.split(": ", 1) for line in head[1:])
            caught["body"] = lines.read(int(caught["Content-Length"]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    from app.api.hooks import Hooks
    from app.api.metrics import Metrics

    told = []
    store = SimpleNamespace(tried=lambda job, due, outcome: told.append((due, outcome)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x?y=1"
        job = SimpleNamespace(id="job-1", state="succeeded", hook={"url": url, "secret": SECRET}, hook_tries=0)
        Hooks(store, lambda job: {"id": job.id}, Metrics(dict), True)._tell(job)
        thread.join()
    assert told == [(None, "200")]
    signed = f"{caught['webhook-id']}.{caught['webhook-timestamp']}.".encode() + caught["body"]
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert caught["webhook-signature"] == f"v1,{expected}"
    assert abs(int(caught["webhook-timestamp"]) - time.time()) < PATIENCE


def test_a_secret_of_standard_webhooks_is_read_as_its_libraries_do():
    """The example of the standard's own specification, which its libraries test themselves by."""
    secret, number, when = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    assert signature(secret, number, when, b'{"test": 2432232314}') == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    for wrong in ("whsec_", "whsec_not base64 at all", "whsec_é"):
        with pytest.raises(UserError, match="whsec_"):
            check_secret(wrong)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",  # not https
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://[fc00::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:a00:1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "ftp://example.com/",
        "https:///nowhere",
        "https://example.com:99999/",
        "https://[::1",
    ],
)
def test_webhooks_lead_nowhere_private(url):
    with pytest.raises(HookRefusedError):
        checked(url, local=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost:80/", "https://[::1]/", "https://127.9.9.9/"])
def test_webhooks_reach_this_machine_only_where_no_other_reaches_the_server(url):
    checked(url, local=True)
    with pytest.raises(ProblemError):
        check_hook(HookIn(url=url, secret="s" * 16), local=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.1.1", "::1", "fd00::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["innocent.example", "2130706433", "0x7f.1", "127.1"])
def test_a_name_that_leads_into_a_private_range_is_not_called(monkeypatch, address, host):
    """Names are looked up when they are called, odd spellings of numbers too."""
    found = [(None, None, None, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("it was called"))
    for local in (True, False):
        with pytest.raises(HookRefusedError):
            post(f"https://{host}/", (b"", {}), local)


# ---------------------------------------------------------------- as OpenAI's clients have it


@pytest.fixture(scope="module")
def openai(server):
    from openai import OpenAI

    with OpenAI(base_url=f"{server.url}/v1", api_key="none is needed", max_retries=0, timeout=PATIENCE) as made:
        yield made


def user(*said: str) -> list[dict]:
    """A conversation as a front end sends it: what the user said, with answers between."""
    made = []
    for text in said:
        made += [{"role": "user", "content": text}, {"role": "assistant", "content": "(an answer)"}]
    return [{"role": "system", "content": "You are a helpful assistant."}, *made[:-1]]


def test_a_chat_front_end_talks_with_the_advisor(openai, client):
    assert openai.models.list().data[0].id == "embedding-advisor"
    first = openai.chat.completions.create(model="embedding-advisor", messages=user("English docs search, just decide"))
    assert first.choices[0].finish_reason == "stop"
    assert "981" in first.choices[0].message.content
    before = len(client.get("/v1/threads", params={"limit": 100}).json()["data"])
    chunks = openai.chat.completions.create(
        model="embedding-advisor", messages=user("English docs search, just decide", "why?"), stream=True
    )
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert len(told) > 50
    # it went on in the same conversation; a message that was edited begins another
    assert len(client.get("/v1/threads", params={"limit": 100}).json()["data"]) == before
    edited = openai.chat.completions.create(
        model="embedding-advisor", messages=user("English docs search, just decide", "what is Matryoshka?")
    )
    assert "Matryoshka" in edited.choices[0].message.content
    assert len(client.get("/v1/threads", params={"limit": 100}).json()["data"]) == before + 1


def test_a_chat_front_end_is_answered_in_chinese_and_told_of_mistakes(openai):
    import openai as package

    chinese = openai.chat.completions.create(model="x", messages=user("什么是 Matryoshka？"))
    assert any("\u4e00" <= c <= "\u9fff" for c in chinese.choices[0].message.content)
    with pytest.raises(package.UnprocessableEntityError, match="last message"):
        openai.chat.completions.create(model="x", messages=[{"role": "assistant", "content": "hi"}])


# ---------------------------------------------------------------- which door is open


def test_a_page_of_another_site_cannot_use_a_server_without_keys(client):
    refused = client.get("/v1/jobs", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert refused.json()["type"] == "/v1/problems/foreign-origin"
    text = client.post("/v1/threads", content=b"{}", headers={"Content-Type": "text/plain"})
    assert text.status_code == 415  # what a form could send without being asked first is not read
    assert client.get("/v1/jobs", headers={"Origin": str(client.base_url).rstrip("/")}).status_code == 200


def test_a_key_closes_the_door_to_those_without(tmp_path):
    made = Server(tmp_path / "home", "--no-chat", ADVISOR_PASSWORD="of the pages")
    made.start()
    try:
        with Client(made, None) as nobody:
            basic = {"Authorization": "Basic " + base64.b64encode(b"advisor:of the pages").decode()}
            assert nobody.get("/v1/jobs").status_code == 401  # a password means that somebody is to be asked
            assert nobody.get("/v1/jobs", headers=basic).status_code == 401
            assert nobody.get("/health").status_code == 200
        with Client(made, add_key(made.home, "ann")) as ann:
            assert ann.get("/v1/jobs").status_code == 200
    finally:
        made.stop()


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("/v1/jobs", "api"),
        ("/v1", "api"),
        ("/health", "api"),
        ("/metrics", "api"),
        ("/v1x", "login"),
        ("/en/", "login"),
        ("/reports/x/report.html", "login"),
        ("/en/v1/jobs", "login"),
        ("/healthy", "login"),
        ("//v1/jobs", "login"),
    ],
)
def test_the_pages_stay_behind_their_password(path, goes_to):
    from app.api import is_ours

    reached, sent = [], []

    def app(name):
        async def called(scope, receive, send):
            reached.append(name)

        return called

    async def send(message):
        sent.append(message)

    guard = Guard(app("pages"), local=True, password="secret", language=None, api=app("api"), is_api=is_ours)
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [(b"host", b"localhost")]}
    asyncio.run(guard(scope, None, send))
    assert reached == (["api"] if goes_to == "api" else [])
    assert (sent[0]["status"] if sent else None) == (None if goes_to == "api" else 401)
    sent.clear()
    asyncio.run(guard(scope | {"headers": [(b"host", b"evil.example")]}, None, send))
    assert sent[0]["status"] == 421


# ---------------------------------------------------------------- what the documents show


def test_the_documents_curl_lines_run(server, tmp_path):
    doors = (ROOT / "docs" / "doors.md").read_text("utf-8")
    block = next(b for b in re.findall(r"```bash\n(.*?)```", doors, re.DOTALL) if "/v1/shortlists" in b)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env=os.environ | {"API": server.url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ('"kept":[', '"state":"ready"', "event: succeeded", '"state":"succeeded"', "event: recommended"):
        assert part in done.stdout, part


def test_the_example_client_gets_its_recommendation(server, tmp_path):
    folder = tmp_path / "data"
    tiny_dataset(folder)
    command = [sys.executable, str(ROOT / "examples" / "recommend_over_http.py"), "--api", server.url]
    command += ["--text", "English search", "--data", str(folder), "--candidate", "bm25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bm25" in done.stdout
    assert "/v1/reports/" in done.stdout
