"""The web chat: its pure parts, its guard, and the whole journey in a real browser."""

import base64
import datetime as dt
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent import events
from agent.settings import Settings
from agent.transcript import Transcript
from app.chat.conversations import Message
from app.chat.guard import accepted, is_local_name, is_login
from app.chat.messages import Running, chat_messages, turn_at
from app.chat.results import pareto_figure, result_table
from app.chat.server import is_loopback, serve
from app.chat.uploads import Uploads
from app.wording import Line, as_markdown, as_text, code, escape, needs
from knowledge.errors import DatasetError, UserError
from knowledge.progress import Progress
from knowledge.requirements import Requirements
from knowledge.results import Interval, Recommendation, Row
from knowledge.wording import say
from tools.data_source import DataSource

ROOT = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>![x](http://evil.example/x.png)"


def recommendation() -> Recommendation:
    def row(spec, standing, quality, p95):
        interval = Interval(mean=quality, low=quality - 0.1, high=quality + 0.05)
        return Row(spec=spec, standing=standing, quality=interval, query_p95_ms=p95, on_pareto_front=True)

    return Recommendation(
        run_id="evaluation-1",
        created=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        measured=True,
        winner="bm25",
        best="bm25",
        headline=say("licence {license}", license=HOSTILE),
        reasons=(),
        confidence=say("yes"),
        rows=(row("bm25", "winner", 0.8, 1.0), row("static:<b>x</b>", "tied", 0.7, None)),
        evidence=(),
        not_measured=(),
        what_would_change_it=(),
        margin=0.02,
    )


# ---------------------------------------------------------------- words


@pytest.mark.parametrize("text", [HOSTILE, "# title", "1. list", "- list", "a_b*c*", "`x`", "| a |", "$$x$$", "[a](b)"])
def test_escaped_text_has_no_markup_left(text):
    written = escape(text)
    assert "<" not in written
    assert not re.search(r"(?<!\\)[`*_\[\]|$#]", written)
    assert not re.match(r"\s*(\d+\.|[-+=])", written)


def test_addresses_do_not_become_links():
    assert escape("http://a.example, www.b.example, c@d.example") == r"http\://a.example, www\.b.example, c\@d.example"


def test_code_stays_in_its_cell():
    assert code("a|b`c\nd") == "`a\\|b'c d`"


def test_the_same_lines_for_terminal_and_chat():
    lines = [Line("head"), Line("one", "·", 1), Line("model", "1."), Line("why", "?", 2)]
    assert as_text(lines) == "head\n  · one\n 1. model\n      ? why"
    assert as_markdown(lines) == "head\n\n- one\n1. model\n    - ❔ why"


def test_requirements_say_what_is_assumed_in_both_languages():
    english, chinese = (next(needs(Requirements(), language)) for language in ("en", "zh"))
    assert (english.name, english.value, english.origin, english.assumed) == (
        "Task",
        "semantic search",
        "assumed",
        True,
    )
    assert (chinese.name, chinese.value, chinese.origin) == ("任务", "语义搜索", "假设")


# ---------------------------------------------------------------- messages


STARTED = events.StageStarted(stage="evaluate", text=say("Measuring quality on your data"))
PROGRESS = Progress(
    stage="evaluate", label=say("Measuring quality on your data"), done=1, total=4, elapsed_seconds=2, eta_seconds=6
)


def test_a_running_step_shows_its_progress_a_finished_one_its_duration():
    running = chat_messages([STARTED], "en", busy=True, running=Running(PROGRESS, 2.4))[-1]
    assert running["metadata"]["status"] == "pending"
    assert "25%, about 6 s left" in running["content"]
    done = chat_messages([STARTED, events.StageDone(stage="evaluate", seconds=8.5)], "en")[-1]
    assert done["metadata"] == {"title": "Measuring quality on your data", "status": "done", "duration": 8.5}


def test_a_step_that_died_is_not_shown_as_running():
    dead = chat_messages([STARTED], "en")[-1]
    assert (dead["metadata"]["status"], dead["content"]) == ("done", "It was interrupted.")
    again = chat_messages([STARTED, STARTED], "en", busy=True)
    assert [m["metadata"]["status"] for m in again[1:]] == ["done", "pending"]


def test_only_the_open_question_has_buttons():
    question = events.Question(about="plan", text=say("Shall I measure them now?"), answers=(say("Yes, measure"),))
    assert chat_messages([question], "zh")[-1]["options"][0]["value"] == say("Yes, measure").render("zh")
    assert "options" not in chat_messages([question], "en", busy=True)[1]
    assert "options" not in chat_messages([question, events.Heard(text="yes")], "en")[1]


def test_words_waiting_and_words_heard_are_shown_once():
    shown = chat_messages([events.Heard(text="one")], "en", busy=True, waiting=[Message("two")])
    assert [m["content"] for m in shown if m["role"] == "user"] == ["one", "two"]


def test_nothing_untrusted_becomes_markup():
    failed = events.Failed(
        error="DatasetError",
        cause=say("{name} is of a kind that is not read.", name=HOSTILE),
        next_step=say("yes"),
        exit_code=3,
    )
    told = [
        events.Heard(text=HOSTILE, data=DataSource(path=f"/x/{HOSTILE.replace('/', '')}")),
        events.Recommended(recommendation=recommendation()),
        failed,
    ]
    for message in chat_messages(told, "en"):
        assert "<img" not in message["content"]
        assert "![" not in message["content"]


# ---------------------------------------------------------------- result


def test_the_table_sorts_by_numbers_and_leaves_out_empty_columns():
    table = result_table(recommendation(), "en")
    assert table.heads == ["Candidate", "Standing", "nDCG@10", "interval", "p95 latency (ms)"]
    assert table.kinds == ["str", "str", "number", "str", "number"]
    assert [row[2] for row in table.rows] == [0.8, 0.7]
    assert len(table.widths) == len(table.heads)


def test_the_plot_escapes_names_and_leaves_out_what_was_not_timed():
    figure = pareto_figure(recommendation(), "en")
    assert [list(trace.x) for trace in figure.data] == [[1.0], [None]]
    assert "<b>" not in figure.to_json().replace("<br>", "").replace("\\u003cbr", "")
    untimed = recommendation().model_copy(update={"rows": recommendation().rows[1:]})
    assert pareto_figure(untimed, "en") is None


# ---------------------------------------------------------------- uploads


def upload(folder: Path, **files: str) -> list[Path]:
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, "utf-8")
    return sorted(folder.iterdir())


def test_an_upload_is_kept_by_its_content(tmp_path):
    uploads = Uploads(tmp_path / "kept")
    files = {"corpus_jsonl": "{}", "qrels_tsv": "x"}
    first = uploads.keep(upload(tmp_path / "a", **files))
    second = uploads.keep(upload(tmp_path / "b", **files))
    assert first == second
    assert Path(first.path).name == "corpus+qrels"
    assert sorted(p.name for p in Path(first.path).iterdir()) == ["corpus.jsonl", "qrels.tsv"]
    other = uploads.keep(upload(tmp_path / "c", corpus_jsonl="{}"))
    assert Path(other.path).name == "corpus.jsonl"
    assert Path(other.path).is_file()
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize("name", ["model_pkl", "page_html", "archive_zip"])
def test_other_kinds_are_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="kind"):
        Uploads(tmp_path / "kept").keep(upload(tmp_path / "a", **{name: "x"}))


def test_too_much_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="more than"):
        Uploads(tmp_path / "kept", most_bytes=3).keep(upload(tmp_path / "a", a_txt="xx", b_txt="xx"))
    assert not (tmp_path / "kept").exists()


# ---------------------------------------------------------------- transcript


def test_a_transcript_survives_a_line_cut_short(tmp_path):
    transcript = Transcript(tmp_path)
    transcript.add("t", events.Heard(text="你好\n\r\u2028"))
    with (tmp_path / "t.jsonl").open("ab") as file:
        file.write(b'{"kind": "heard", "te')
    transcript.add("t", STARTED)
    transcript.add("t", events.Progressed(progress=PROGRESS))
    told, offset = transcript.read("t")
    assert told == [events.Heard(text="你好\n\r\u2028"), STARTED]
    assert transcript.read("t", offset) == ([], offset)
    assert transcript.size("t") == offset


# ---------------------------------------------------------------- guard


def test_languages_as_the_browser_prefers_them():
    assert accepted("zh-CN,zh;q=0.9,en;q=0.8") == "zh"
    assert accepted("de,en;q=0.5,zh;q=0.4") == "en"
    assert accepted("fr;q=x, ;;") == "en"
    assert accepted(None) == "en"


def test_host_names_and_addresses():
    assert all(map(is_local_name, ["localhost", "LOCALHOST:7860", "127.0.0.1:80", "[::1]:7860"]))
    assert not any(map(is_local_name, ["", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"]))
    assert all(map(is_loopback, ["127.0.0.1", "localhost", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org"]))


def test_login():
    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    assert is_login(basic("advisor:pässwort"), "pässwort")
    for wrong in ("", "Basic", "Basic ???", "Bearer x", basic("advisor:"), basic("admin:pässwort"), basic("advisor:p")):
        assert not is_login(wrong, "pässwort")


def test_no_other_machine_comes_in_without_a_password(tmp_path):
    with pytest.raises(UserError, match="no password is set"):
        serve(Settings(home=tmp_path), "0.0.0.0", 0)


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="Cannot listen"):
        serve(Settings(home=tmp_path), "127.0.0.1", taken.getsockname()[1])


def test_importing_the_chat_imports_no_gradio():
    code = "import sys, app.chat; sys.exit('gradio' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# ---------------------------------------------------------------- a real server, a real browser


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
        import http.client

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


@pytest.fixture
def server(tmp_path):
    pytest.importorskip("gradio", reason="gradio is not installed (extra ui)")
    made = Server(tmp_path / "home")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


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
            "text => document.querySelector('#chat').innerText.includes(text)", arg=text, timeout=seconds * 1000
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


@pytest.mark.integration
def test_the_server_guards_its_pages_and_reports(server, tmp_path):
    status, headers, _ = server.request("/", **{"Accept-Language": "zh-CN"})
    assert status == 307
    assert re.fullmatch(r"/zh/\?thread=chat-[0-9a-f]{16}", headers["location"])
    assert server.request("/en/?thread=../../x")[0] == 307
    assert server.request("/en/?lang=zh&thread=mine")[1]["location"] == "/zh/?thread=mine"
    status, headers, body = server.request("/zh/?thread=mine")
    assert status == 200
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "试用示例" in body.decode()
    assert server.request("/", Host="evil.example")[0] == 421
    run = server.home / "reports" / "run-1"
    run.mkdir(parents=True)
    (run / "report.html").write_text("<p>hi", "utf-8")
    (server.home / "secret.json").write_text("not for you", "utf-8")
    status, headers, body = server.request("/reports/run-1/report.html")
    assert (status, body) == (200, b"<p>hi")
    assert "sandbox" in headers["content-security-policy"]
    assert "attachment" in server.request("/reports/run-1/report.html?download=1")[1]["content-disposition"]
    for path in (
        "/reports/run-1/report.md",
        "/reports/run-1/other.html",
        "/reports/../secret.json",
        "/reports/%2e%2e/secret.json",
        "/reports/run-1/%2e%2e%2f%2e%2e%2fsecret.json",
        f"/en/gradio_api/file={server.home}/secret.json",
    ):
        status, _, body = server.request(path)
        assert status >= 400, path
        assert b"not for you" not in body


@pytest.mark.integration
def test_everything_asks_for_the_password(tmp_path):
    made = Server(tmp_path / "home", ADVISOR_PASSWORD="geheim")
    made.start()
    try:
        login = {"Authorization": "Basic " + base64.b64encode(b"advisor:geheim").decode()}
        for path in ("/", "/en/?thread=x", "/reports/a/report.html", "/en/gradio_api/info", "/en/config"):
            assert made.request(path)[0] == 401
            assert made.request(path, **login)[0] != 401
    finally:
        made.stop()


@pytest.mark.integration
def test_from_the_first_words_to_the_report(server, browser, tmp_path):
    page = open_page(browser, server.url + "/")
    page.fill("#message textarea", "semantic search over English API documentation, no GPU, self-hosted")
    page.keyboard.press("Enter")
    wait_for(page, "semantic search over English API documentation, no GPU, self-hosted")
    page.wait_for_selector("#chat button.option:not(:has-text('RAG over'))")
    page.locator("#chat button.option").first.click()

    # a hostile file first: cause and next step, and the conversation goes on
    bad = tmp_path / "x.jsonl"
    bad.write_bytes(b"\x00\xff\xfe<img src=x onerror=alert(1)>" * 50)
    page.set_input_files("input[type=file]", bad)
    wait_for(page, "→")
    page.set_input_files("input[type=file]", tiny_dataset(tmp_path / "tiny"))
    wait_for(page, "30 documents")
    for _ in range(8):
        page.wait_for_function("!document.querySelector('#chat').innerText.includes('One moment')")
        answers = page.locator("#chat button.option")
        answers.first.wait_for()
        if answers.first.inner_text() == "Yes, measure":
            break
        page.wait_for_timeout(300)
        answers.last.click()
        page.wait_for_timeout(300)
    assert not page.complaints
    page.locator("#chat button.option", has_text="Yes, measure").click()
    wait_for(page, "Measuring quality on your data")

    # the server dies in the middle and starts again; another page opened on the same address sees it go on
    address = page.url
    page.close()
    server.stop()
    server.start()
    page = open_page(browser, address)
    wait_for(page, "30 documents")
    page.wait_for_selector("#table", timeout=300_000)
    wait_for(page, "Use ")
    assert page.locator("#table").get_by_text("bm25").count()
    page.wait_for_selector("#plot .main-svg")
    link = page.locator("#result a", has_text="Open the report").get_attribute("href")
    status, _, body = server.request(link)
    assert status == 200
    assert b"<html" in body
    for kind in ("md", "json"):
        assert server.request(link.replace(".html", f".{kind}?download=1"))[0] == 200
    assert "semantic search over English API documentation" in page.locator("#chat").inner_text()
    assert not page.foreign
    assert not page.complaints

    report = open_page_of_report(browser, server.url + link)
    assert not report
    chinese = open_page(browser, address.replace("/en/", "/zh/"), "zh-CN")
    chinese.wait_for_selector("#table")
    assert "结果" in chinese.locator("#result").inner_text()
    assert "必须" in chinese.locator("#needs").inner_text()
    assert not chinese.foreign
    assert not chinese.complaints


def open_page_of_report(browser, address: str) -> list[str]:
    """What a browser complains about when the report is opened from the server."""
    complaints: list[str] = []
    page = browser.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(address)
    page.wait_for_selector("h1")
    page.close()
    return complaints
