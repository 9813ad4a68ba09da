"""The advisor over MCP, with the SDK's own client: one engine, explicit consent, handles that outlive servers."""

import json
import subprocess

import anyio
import pytest

pytest.importorskip("mcp", reason="mcp is not installed (extra mcp)")

from knowledge.catalog import load_catalog
from knowledge.requirements import Requirements
from knowledge.scores import load_scores
from tests.app.cli import Cli
from tests.app.mcp_client import LIST, PATIENCE, ROOT, HttpServer, add_key, stdio, talk, talk_http
from tests.app.web import tiny_dataset
from tests.tools.test_silver import corpus
from tools.run_history import list_runs
from tools.shortlist import shortlist
from tools.workspace import Workspace

TOOLS = [
    "shortlist",
    "compare",
    "explain",
    "search_models",
    "start_evaluation",
    "get_evaluation",
    "cancel_evaluation",
    "recommend",
]
CHEAP = ["bm25", "static:wordllama"]
ENDED = {"succeeded", "failed", "cancelled"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("mcp") / "home"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mcp-data") / "tiny"
    tiny_dataset(folder)
    return str(folder)


@pytest.fixture(scope="module")
def server(home):
    """On loopback, without keys."""
    made = HttpServer(home)
    yield made
    made.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Open to other machines, so with keys only; with the keys of two callers and of one who may only look."""
    home = tmp_path_factory.mktemp("mcp-guarded") / "home"
    keys = {name: add_key(home, name) for name in ("alice", "bob")} | {"reader": add_key(home, "reader", "read")}
    made = HttpServer(home, "--host", "0.0.0.0")
    yield made, keys
    made.close()


# ---------------------------------------------------------------- the protocol


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_tools_in_today_s_protocol_and_the_last(server, mode):
    async def work(call):
        first, second = [await call.client.list_tools() for _ in range(2)]
        assert [tool.name for tool in first.tools] == [tool.name for tool in second.tools] == TOOLS
        for tool in first.tools:
            looks = tool.name not in ("start_evaluation", "cancel_evaluation", "recommend")
            assert tool.annotations.read_only_hint is looks
            assert tool.annotations.destructive_hint is False
            assert tool.annotations.open_world_hint is (tool.name in ("start_evaluation", "recommend"))
            assert tool.description
            assert tool.output_schema["type"] == "object"
            assert tool.input_schema["type"] == "object"
        found = await call("search_models", words="multilingual-e5-small", limit=1)
        assert found["models"][0]["model"] == "intfloat/multilingual-e5-small"

    talk(server.url, work, mode)


def test_nothing_but_the_protocol_goes_to_standard_output(home, data):
    """By hand, with a measurement, whose children and libraries print what they like."""
    version = "2025-06-18"
    start = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "by hand", "version": "1"}}
    arguments = {"candidates": ["bm25"], "data": data, "measure": True}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "start_evaluation", "arguments": arguments},
        },
    ]
    parameters = stdio(home)
    process = subprocess.Popen(
        [parameters.command, *parameters.args],
        cwd=ROOT,
        env=parameters.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []

    def ask(message):
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        if "id" in message:
            while True:
                lines.append(json.loads(process.stdout.readline()))
                if lines[-1].get("id") == message["id"]:
                    return lines[-1]
        return None

    answers = [ask(message) for message in messages]
    handle = answers[2]["result"]["structuredContent"]["handle"]
    look = {"name": "get_evaluation", "arguments": {"handle": handle, "wait_seconds": PATIENCE}}
    status = ask({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": look})
    assert status["result"]["structuredContent"]["state"] == "succeeded"
    rest, error = process.communicate(timeout=PATIENCE)  # it ends when the client hangs up
    assert process.returncode == 0, error
    assert rest == ""
    assert all(line["jsonrpc"] == "2.0" for line in lines)
    assert "Traceback" not in error


# ---------------------------------------------------------------- looking things up


def test_the_same_answers_as_everywhere(server):
    requirements = {
        "task": "search",
        "constraints": [{"kind": "languages", "languages": ["de"]}, {"kind": "open_weights"}],
    }

    async def work(call):
        found = await call("shortlist", requirements=requirements, k=4)
        same = shortlist(Requirements.model_validate(requirements), load_catalog(), load_scores(), 4)
        assert [kept["spec"] for kept in found["kept"]] == [pick.spec for pick in same.kept]
        assert [kept["predicted"]["mean"] for kept in found["kept"]] == [pick.predicted.mean for pick in same.kept]
        assert sum(found["rejected"].values()) == len(same.rejected)
        assert (found["considered"], len(found["beside"])) == (same.considered, len(same.beside))
        spoken = await call("shortlist", need="中文法律检索，商用", language=None)
        assert any("\u4e00" <= c <= "\u9fff" for c in spoken["kept"][0]["reasons"][0])
        assert spoken["understood"]
        answer = await call("explain", question="what is nDCG?")
        assert answer["known"]
        assert "note “ndcg”" in answer["answer"]
        assert not (await call("explain", question="what is the capital of France?"))["known"]
        compared = await call("compare", models=["intfloat/multilingual-e5-small", "BAAI/bge-m3"], about="German")
        assert [card["model"] for card in compared["cards"]] == ["intfloat/multilingual-e5-small", "BAAI/bge-m3"]
        assert "German" in compared["answer"]

    talk(server.url, work)


def test_mistakes_are_told_with_a_way_on(server, data, tmp_path):
    binary = tmp_path / "binary.bin"
    binary.write_bytes(bytes(range(256)) * 100)
    ok = {"documents": {"d": "one"}, "queries": {"q": "one?"}, "judgments": {"q": {"d": 1}}}

    async def work(call):
        for tool, arguments, words in (
            ("shortlist", {}, "need"),
            ("shortlist", {"need": "x", "requirements": {"task": "search"}}, "need"),
            ("shortlist", {"need": "asdf qwer"}, "no demand"),
            ("shortlist", {"requirements": {"task": "dancing"}}, "task"),
            ("shortlist", {"requirements": {"tusk": "search"}}, "tusk"),
            ("shortlist", {"need": "Thai, commercial, at most 16 dimensions, self-hosted"}, "16 dimensions"),
            ("shortlist", {"need": "x" * 5000}, ""),
            ("shortlist", {"need": "English search", "k": 0}, ""),
            ("compare", {"models": ["one"]}, ""),
            ("explain", {"question": "   "}, ""),
            ("explain", {"question": "why?", "handle": "job-000000000000000000000000"}, "no handle"),
            ("get_evaluation", {"handle": "../../etc/passwd"}, "no handle"),
            ("cancel_evaluation", {"handle": "' OR 1=1 --"}, "no handle"),
            ("start_evaluation", {"candidates": ["bm25"], "measure": True}, "needs data"),
            ("start_evaluation", {"candidates": [], "data": data}, ""),
            ("start_evaluation", {"candidates": ["word2vec:x"], "data": data}, "word2vec"),
            ("start_evaluation", {"candidates": ["bm25"], "data": "/nowhere"}, "/nowhere"),
            ("start_evaluation", {"candidates": ["bm25"], "data": str(binary)}, "binary"),
            ("start_evaluation", {"candidates": ["bm25"], "data": "nul\0"}, ""),
            ("start_evaluation", {"candidates": ["bm25"], "data": data, "inline": ok}, "two data sets"),
            ("start_evaluation", {"candidates": ["bm25"], "data": data, "metrics": ["niceness@10"]}, "niceness"),
            ("start_evaluation", {"candidates": ["bm25"], "inline": ok | {"judgments": {"q": {"x": 1}}}}, "judgments"),
            ("start_evaluation", {"candidates": ["bm25"], "inline": ok | {"documents": {}}}, ""),
            (
                "start_evaluation",
                {"candidates": ["bm25"], "inline": ok | {"documents": ["one"]}},
                "it must be an object",
            ),
            (
                "start_evaluation",
                {"candidates": ["bm25"], "data": data, "task": "dancing"},
                "it must be one of 'ranking'",
            ),
            ("recommend", {"data": data}, "need"),
            ("recommend", {"need": "x", "data": data}, "no demand"),
            ("recommend", {"need": "English search", "messure": True}, "measure"),
            ("shortlist", {"need": "English search", "zzz": 1}, "zzz"),
        ):
            said = await call.refused(tool, **arguments)
            assert words in said, (tool, arguments, said)
            assert "Traceback" not in said
            assert "bug" not in said, said
            assert "pydantic" not in said, said
        assert (await call("search_models", words="nothing is called like this"))["models"] == []

    talk(server.url, work)


# ---------------------------------------------------------------- what costs


def test_nothing_is_measured_without_consent(server, data, home):
    before = list_runs(Workspace(home=home))

    async def work(call):
        status = await call("start_evaluation", candidates=[*CHEAP, "openai:text-embedding-3-small"], data=data)
        assert (status["state"], status["handle"]) == ("needs_consent", None)
        assert [c["spec"] for c in status["plan"]["candidates"]] == [*CHEAP, "openai:text-embedding-3-small"]
        assert status["plan"]["hosts"] == ["api.openai.com"]
        assert "measure=true" in status["next_step"]
        assert "api.openai.com" in status["next_step"]
        advice = await call("recommend", need="English search", data=data, wait_seconds=PATIENCE)
        assert advice["state"] == "succeeded"
        assert advice["recommendation"]["measured"] is False
        assert advice["recommendation"]["rows"] == []
        assert advice["plan"]["candidates"]
        assert "measure=true" in advice["next_step"]

    talk(server.url, work)
    assert list_runs(Workspace(home=home)) == before


def test_an_evaluation_under_its_handle(server, data, home):
    async def work(call):
        candidates = [*CHEAP, "openai:text-embedding-3-small"]
        begun = await call(
            "start_evaluation", candidates=candidates, data=data, metrics=["nDCG@10", "AP"], measure=True
        )
        assert begun["state"] in ("queued", "running", "succeeded")
        status = await call("get_evaluation", handle=begun["handle"], wait_seconds=PATIENCE)
        assert status["state"] == "succeeded", status
        found = status["evaluation"]
        assert {c["spec"] for c in found["candidates"]} == set(CHEAP)
        assert set(found["candidates"][0]["metrics"]) == {"nDCG@10", "AP"}
        assert found["candidates"][0]["verdict"] == "highest score"
        assert found["candidates"][1]["against_best"]["mean"] <= 0
        assert [f["spec"] for f in found["failed"]] == ["openai:text-embedding-3-small"], "nobody agreed to send texts"
        assert 'hosts=["api.openai.com"]' in found["failed"][0]["next_step"]
        chinese = await call("get_evaluation", handle=begun["handle"], language="zh")
        assert chinese["evaluation"]["candidates"][0]["verdict"] == "得分最高"
        assert "decides nothing" in await call.refused("explain", question="why?", handle=begun["handle"])
        assert (await call("cancel_evaluation", handle=begun["handle"]))["state"] == "succeeded", "it has ended already"
        return found

    found = talk(server.url, work)
    kept = {run.run_id: run for run in list_runs(Workspace(home=home))}
    assert set(kept[found["run_id"]].candidates) == set(CHEAP)


def test_labels_that_were_made_here_are_called_silver(server):
    async def work(call):
        asked = {"candidates": ["bm25"], "inline": {"documents": corpus().documents}, "measure": True}
        begun = await call("start_evaluation", **asked)
        status = await call("get_evaluation", handle=begun["handle"], wait_seconds=PATIENCE)
        assert (status["evaluation"]["labels"], status["evaluation"]["queries"]) == ("silver", 64)
        assert "silver" in status["next_step"]
        assert status["evaluation"]["label_origin"]

    talk(server.url, work)


def test_an_evaluation_for_another_task(server, tmp_path):
    classes = [(i, name) for i in range(15) for name in ("cat", "ship")]
    rows = [{"_id": f"{name}{i}", "text": f"{name} {name}s number {i}", "label": name} for i, name in classes]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    asked = {"candidates": ["static:wordllama", "static:wordllama?dim=64"], "data": str(tmp_path / "texts.jsonl")}

    async def calls(call):
        plan = await call("start_evaluation", **asked, task="clustering")
        begun = await call("start_evaluation", **asked, task="clustering", measure=True)
        status = await call("get_evaluation", handle=begun["handle"], wait_seconds=PATIENCE)
        return plan, status, await call.refused("start_evaluation", **asked, task="poetry")

    plan, status, refused = talk_http(server, calls)
    assert plan["state"] == "needs_consent"
    assert status["state"] == "succeeded", status
    assert status["evaluation"]["metric"] == "V-measure"
    assert len(status["evaluation"]["candidates"]) == 2
    assert "clustering" in refused


def test_a_recommendation_and_questions_about_it(server):
    inline = {
        "documents": {f"d{i}": f"Document {i} about topic{i}" for i in range(12)},
        "queries": {f"q{i}": f"topic{i}" for i in range(12)},
        "judgments": {f"q{i}": {f"d{i}": 1} for i in range(12)},
    }

    async def work(call):
        status = await call(
            "recommend", need="English search", inline=inline, candidates=CHEAP, measure=True, wait_seconds=PATIENCE
        )
        advice = status["recommendation"]
        assert advice["measured"]
        told = [progress for progress, _ in call.progress]
        assert told == sorted(set(told)), "it only grows"
        assert len(told) > 1
        assert {row["spec"] for row in advice["rows"]} == set(CHEAP)
        by_id = {e["id"] for e in advice["evidence"]}
        assert by_id
        assert advice["winner"] in CHEAP
        assert advice["report"].endswith("report.html")
        why = await call("explain", question="why?", handle=status["handle"])
        assert advice["winner"] in why["answer"]
        assert why["known"]
        compared = await call("compare", models=CHEAP, handle=status["handle"])
        assert advice["run_id"] in compared["answer"]

    talk(server.url, work)


def test_what_a_handle_names_survives_the_server(tmp_path, data):
    home = tmp_path / "home"
    first = HttpServer(home)
    try:

        async def begin(call):
            handles = []
            for seed in range(2):
                begun = await call(
                    "recommend",
                    need=f"English search number {seed}",
                    data=data,
                    candidates=["bm25"],
                    measure=True,
                    wait_seconds=0,
                )
                handles.append(begun["handle"])
            return handles

        handles = talk(first.url, begin)
    finally:
        first.kill()

    async def look(call):
        assert [tool.name for tool in (await call.client.list_tools()).tools] == TOOLS
        return [await call("get_evaluation", handle=handle, wait_seconds=PATIENCE * 2) for handle in handles]

    for status in talk(stdio(home), look):  # through the other transport, too
        assert status["state"] == "succeeded", status
        assert status["recommendation"]["measured"]


def test_an_evaluation_is_ended(server):
    async def work(call):
        begun = await call(
            "start_evaluation",
            candidates=[f"bm25?k1=0.{k}" for k in range(1, 10)],
            data="stdlib",
            sample_documents=2000,
            sample_queries=50,
            measure=True,
        )
        status = await call("cancel_evaluation", handle=begun["handle"])
        assert status["state"] in ENDED or "being ended" in status["next_step"]
        while status["state"] not in ENDED:
            status = await call("get_evaluation", handle=begun["handle"], wait_seconds=1)
        assert status["state"] == "cancelled"
        assert "kept" in status["next_step"]

    talk(server.url, work)


def test_several_calls_at_once(server):
    inline = {
        "documents": {f"d{i}": f"Paper {i} about thing{i}" for i in range(10)},
        "queries": {f"q{i}": f"thing{i}" for i in range(10)},
        "judgments": {f"q{i}": {f"d{i}": 1} for i in range(10)},
    }

    async def one(call):
        begun = await call("start_evaluation", candidates=CHEAP, inline=inline, measure=True)
        status = await call("get_evaluation", handle=begun["handle"], wait_seconds=PATIENCE)
        return begun["handle"], [c["metrics"]["nDCG@10"] for c in status["evaluation"]["candidates"]]

    async def all_of_them(call):
        found = []

        async def keep():
            found.append(await one(call))

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(keep)
        return found

    found = talk(server.url, all_of_them)
    assert len({handle for handle, _ in found}) == 4
    assert len({tuple(scores) for _, scores in found}) == 1


# ---------------------------------------------------------------- who may call


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost.evil.example:7862"}, 421),
        ({"Host": ""}, 421),
    ],
)
def test_pages_from_elsewhere_are_refused(server, headers, status):
    assert server.post(**headers).status_code == status


def test_a_page_of_the_server_itself_is_not_refused(server):
    origin = server.url.removesuffix("/mcp")
    assert server.post(Origin=origin).status_code == 200


def test_broken_and_huge_requests_are_refused_and_the_server_lives(server):
    assert server.post(b"{").status_code == 400
    assert server.post(b"").status_code == 400
    assert server.post(b"\xff\xfe").status_code == 400
    assert server.post(b" " * (5 * 2**20)).status_code == 413
    assert server.post(b"[" * 100_000).status_code in (400, 413)
    assert server.post(**{"Content-Type": "text/plain"}).status_code in (400, 415)
    assert server.post().status_code == 200


def test_without_a_good_key_nobody_comes_in_from_elsewhere(guarded):
    server, keys = guarded
    for given in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer adv_x_y"},
        {"Authorization": "Basic x"},
    ):
        refused = server.post(**given)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert "advisor keys add" in refused.json()["next_step"]
    assert server.post(Authorization=f"Bearer {keys['alice']}").status_code == 200
    assert server.post(Authorization=f"Bearer {keys['alice']}", Origin="http://evil.example").status_code == 403


def test_a_handle_is_its_owners(guarded):
    server, keys = guarded
    inline = {"documents": {"d": "one"}, "queries": {"q": "one"}, "judgments": {"q": {"d": 1}}}

    async def begin(call):
        begun = await call("start_evaluation", candidates=["bm25"], inline=inline, measure=True)
        return (await call("get_evaluation", handle=begun["handle"], wait_seconds=PATIENCE))["handle"]

    handle = talk_http(server, begin, keys["alice"])

    async def steal(call):
        for tool in ("get_evaluation", "cancel_evaluation"):
            assert "no handle" in await call.refused(tool, handle=handle)
        assert "no handle" in await call.refused("explain", question="why?", handle=handle)
        assert "no handle" in await call.refused("compare", models=CHEAP, handle=handle)
        for path in (str(ROOT), "/etc", "~", "README.md"):
            assert "cannot name files" in await call.refused(
                "start_evaluation", candidates=["bm25"], data=path, measure=True
            )
        assert "file of the server" in await call.refused(
            "start_evaluation", candidates=[f"st:{ROOT}"], inline=inline, measure=True
        )

    talk_http(server, steal, keys["bob"])

    async def only_look(call):
        assert (await call("search_models", words="e5"))["models"]
        for tool, arguments in (
            ("start_evaluation", {"candidates": ["bm25"], "inline": inline, "measure": True}),
            ("recommend", {"need": "English search"}),
        ):
            assert "measure" in await call.refused(tool, **arguments)

    talk_http(server, only_look, keys["reader"])


def test_it_does_not_open_to_other_machines_without_a_key(monkeypatch, capsys):
    advisor = Cli(monkeypatch, capsys)
    code, out, err = advisor("mcp", "--transport", "http", "--host", "0.0.0.0", "--port", "0")
    assert (code, out) == (3, "")
    assert "advisor keys add" in err


def test_a_made_key_is_asked_for_at_once_here_too(tmp_path):
    home = tmp_path / "home"
    server = HttpServer(home)
    try:
        assert server.post().status_code == 200
        key = add_key(home, "me")
        assert server.post().status_code == 401
        assert server.post(LIST, Authorization=f"Bearer {key}").status_code == 200
    finally:
        server.close()
