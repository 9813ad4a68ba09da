"""`advisor load` through its door, against servers that speak the real protocols."""

import json
import os
import signal
from functools import partial

import pytest

from app.cli.load import _cells, _why
from knowledge.results.load import Goal, Latency, LoadPoint
from knowledge.wording import say
from tests.animals import write_dataset
from tests.app.cli import Cli
from tests.fake_embedders import FakeEmbedder
from tests.fake_http import as_json

#: short steps, and a rate that is soon reached
QUICK = ("--seconds", "0.3", "--limit", "5", "--repeats", "2", "--goal-p95", "2000", "--quiet")


@pytest.fixture
def cli(monkeypatch, capsys):
    return Cli(monkeypatch, capsys)


@pytest.fixture
def data(tmp_path) -> str:
    return str(write_dataset(tmp_path / "animals"))


def test_a_server_is_tested_shown_listed_and_compared(cli, data):
    with FakeEmbedder("tei") as server:
        code, out, err = cli("load", "--target", server.url, "--data", data, "--rate", "200", *QUICK)
        assert code == 0, err
        assert out.startswith(f"{server.url} (tiny) holds 200 requests a second at p95 under 2,000 ms.")
        assert "✓" in out
        assert "forward" in out  # the server's own parts
        assert "60 different texts" in out
        code, out, err = cli("load", "--target", server.url, "--data", data, "--rate", "200", *QUICK, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["holds_qps"] == 200
    assert (found["protocol"], found["model"], found["data"]) == ("tei", "tiny", "animals")
    assert err == ""
    code, out, _ = cli("runs", "list", "--kind", "load", "--json")
    listed = json.loads(out)
    assert [run["kind"] for run in listed] == ["load", "load"]
    assert listed[0]["run_id"] == found["run_id"]
    assert listed[0]["candidates"] == [found["target"]]
    code, out, _ = cli("runs", "show", found["run_id"])
    assert out.startswith(found["target"])
    code, out, _ = cli("runs", "show", found["run_id"], "--json")
    assert json.loads(out) == found
    code, out, err = cli("runs", "compare", *(run["run_id"] for run in listed))
    assert code == 0, err
    assert "not ranked" in out
    code, out, _ = cli("runs", "compare", *(run["run_id"] for run in listed), "--json")
    assert [row["verdict"] for row in json.loads(out)["rows"]] == ["best", "unranked"]
    code, _, err = cli("runs", "compare", found["run_id"])
    assert code == 3
    assert "two load tests" in err


def test_a_missed_goal_at_a_given_rate_is_an_exit_code(cli, data):
    with FakeEmbedder("openai") as server:
        server.instead = [as_json({"data": [{"embedding": [1.0]}]})] * 25 + [as_json({"error": "busy"}, 503)] * 500
        code, out, _ = cli("load", "--target", server.url, "--data", data, "--rate", "200", *QUICK)
    assert code == 4
    assert "does not hold p95" in out
    assert "HTTP 503" in out


def test_ctrl_c_prints_and_keeps_what_was_measured(cli, data, request):
    # a test that runs beside others is in a process that ignores it
    request.addfinalizer(partial(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, signal.default_int_handler)

    class Pressed(FakeEmbedder):
        def answer(self, method, path, body):
            if len(self.bodies) == 20 + 60 + 30:  # warm-up, one step, and half of another
                os.kill(os.getpid(), signal.SIGINT)
            return super().answer(method, path, body)

    with Pressed("tei") as server:
        code, out, _ = cli("load", "--target", server.url, "--data", data, "--rate", "200", *QUICK, "--repeats", "9")
    assert code == 130
    assert "The search ended early: you ended it." in out
    assert "p95 ms" in out
    code, out, _ = cli("runs", "list", "--kind", "load", "--json")
    (kept,) = json.loads(out)
    _, out, _ = cli("runs", "show", kept["run_id"], "--json")
    assert json.loads(out)["ended"]


def test_a_dry_run_of_tuning_tells_the_settings(cli, data):
    arguments = ("load", "--target", "bm25", "--data", data, "--tune", "--dry-run", "--quiet")
    code, out, _ = cli(*arguments)
    assert code == 0
    assert "At most 6 settings" in out
    code, out, _ = cli(*arguments, "--json")
    assert json.loads(out)["settings"] == 6


def test_in_chinese(cli, data):
    cli.language = "zh"
    with FakeEmbedder("ollama") as server:
        _, out, err = cli("load", "--target", server.url, "--data", data, "--concurrency", "2", *QUICK)
    assert "可同时承载 2 个请求" in out, err
    assert "闭环" in out


def test_a_dry_run_contacts_nobody_and_tells_the_price(cli, data):
    arguments = ("load", "--target", "https://api.openai.com/v1", "--model", "text-embedding-3-small", "--data", data)
    code, out, _ = cli(*arguments, "--requests", "5000", "--dry-run")
    assert code == 0
    assert "5,000 requests" in out
    assert "$0.02 per million tokens" in out
    code, out, _ = cli(*arguments, "--dry-run", "--json")
    plan = json.loads(out)
    assert plan["sends_text_to"] == "api.openai.com"
    assert plan["usd"] > 0


def test_no_text_goes_elsewhere_without_consent(cli, data):
    target = ("--target", "http://embeddings.invalid:8080", "--protocol", "openai", "--model", "m")
    code, _, err = cli("load", *target, "--data", data)
    assert code == 5
    assert "--send-to embeddings.invalid" in err
    code, _, err = cli("load", *target, "--data", data, "--send-to", "embeddings.invalid", *QUICK)
    assert code == 7  # there is no such host
    assert "cannot be asked" in err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--target", "ftp://x"), 3, "not the address"),
        (("--target", "http://me:secret@localhost:1"), 3, "ADVISOR_ENDPOINT_API_KEY"),
        (("--target", "http://localhost:1", "--protocol", "grpc"), 3, "There are: infinity, ollama, openai, tei"),
        (("--target", "http://localhost:1"), 7, "Check that the server runs"),
        (("--target", "http://localhost:1", "--rate", "5", "--closed"), 2, "--rate is of an open loop"),
        (("--target", "http://localhost:1", "--requests", "5"), 3, "too few"),
        (("--target", "http://localhost:1", "--limit", "2"), 3, "no room for a step"),
    ],
)
def test_what_cannot_work_is_said_before_the_data_is_read(cli, arguments, code, told):
    found, out, err = cli("load", *arguments, "--data", "no-such-folder")
    assert found == code
    assert told in " ".join(err.split())
    assert "secret" not in err + out


def test_the_key_is_sent_and_never_shown(cli, data, monkeypatch):
    monkeypatch.setenv("ADVISOR_ENDPOINT_API_KEY", "key-of-mine")
    with FakeEmbedder("tei") as server:
        server.instead = [as_json({"error": "unauthorised"}, 401)]
        code, out, err = cli("load", "--target", server.url, "--data", data, *QUICK)
        assert set(server.keys) == {"Bearer key-of-mine"}
    assert code == 7
    assert "key-of-mine" not in out + err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--target", "http://localhost:9", "--tune"), 2, "--tune is of a candidate on this machine"),
        (("--target", "http://localhost:9", "--max-batch", "4", "--in-memory"), 2, "--in-memory, --max-batch is of"),
        (("--target", "bm25", "--model", "x", "--protocol", "tei"), 2, "--model, --protocol is of an embedding server"),
        (("--target", "bm25", "--tune", "--rate", "3"), 2, "leave out --rate"),
        (("--target", "bm25", "--rate", "3", "--closed"), 2, "--rate is of an open loop"),
        (("--target", "localhost:8080"), 3, "--target http://localhost:8080"),
        (("--target", "bm25", "--rate", "3", "--open", "--dry-run"), 0, "no text leaves this machine"),
    ],
)
def test_options_that_would_be_ignored_are_refused(cli, data, arguments, code, told):
    got, out, err = cli("load", *arguments, "--data", data)
    assert got == code
    assert told in " ".join((out + err).replace("│", "").split())


@pytest.mark.parametrize(
    ("failed", "broke", "mark", "why"),
    [
        (0, "p95 was 113 ms", "✗", None),
        (3, "20 % failed", "✗", "3 requests a second: 20 % failed."),
        (0, None, "✓", None),
    ],
)
def test_why_a_row_broke_is_told_beneath_unless_its_p95_shows_it(failed, broke, mark, why):
    times = Latency(count=9, p50_ms=50, p95_ms=113 if broke else 20, p99_ms=114, p999_ms=114, max_ms=114)
    point = LoadPoint.model_construct(
        rate=3.0,
        concurrency=None,
        achieved=3.6,
        latency=times,
        errors={"503": failed},
        timeouts=0,
        dropped=0,
        broke=broke and say(broke),
    )
    assert _cells(point, Goal(p95_ms=50), again=False)[-1] == mark
    assert _why(point, Goal(p95_ms=50)) == why
