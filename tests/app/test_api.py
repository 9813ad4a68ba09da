"""The HTTP API over its real transport: what it lets in, what it answers, and what it keeps."""

import hashlib
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.app.api import Client, Server, add_key, tiny_dataset
from tests.tools.test_silver import corpus

ROOT = Path(__file__).parents[2]
JSON = {"Content-Type": "application/json"}
SPECS = ["bm25", "static:wordllama"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests of this file."""
    made = Server(tmp_path_factory.mktemp("api") / "home", "--no-chat", ADVISOR_JOBS="1", ADVISOR_UPLOAD_MB="1")
    made.keys = {name: add_key(made.home, name) for name in ("ann", "bob")}
    made.keys["reader"] = add_key(made.home, "reader", ("read",))
    made.keys["slow"] = add_key(made.home, "slow", rate=10)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def ann(server):
    with Client(server, server.keys["ann"]) as client:
        yield client


@pytest.fixture(scope="module")
def bob(server):
    with Client(server, server.keys["bob"]) as client:
        yield client


@pytest.fixture(scope="module")
def dataset(ann, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "tiny"
    tiny_dataset(folder)
    return ann.upload(folder)


@pytest.fixture(scope="module")
def recommended(ann, dataset):
    """A recommendation that was measured on uploaded data."""
    body = {"text": "English search", "dataset": dataset, "candidates": SPECS, "consent": {"measure": True}}
    return ann.ended(ann.made("/v1/recommendations", body)["id"])


def operations(openapi):
    return [(m.upper(), path) for path, methods in openapi["paths"].items() for m in methods]


OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/v1/problems"), ("GET", "/v1/problems/{name}")}


def is_problem(response, kind: str, status: int) -> bool:
    found = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "next_step"} <= set(found)
    assert (found["type"], found["status"], response.status_code) == (f"/v1/problems/{kind}", status, status), found
    return True


# ---------------------------------------------------------------- who may do what


def test_every_route_asks_for_a_key_and_hides_what_is_anothers(server, ann, bob, dataset, recommended):
    """The authorisation matrix: every route x no key, a bad one, another tenant's."""
    thread = ann.made("/v1/threads", {})["id"]
    message = ann.post(f"/v1/threads/{thread}/messages", json={"text": "hello"}).json()["number"]
    run = recommended["report"].rpartition("/")[2]
    known = {
        "{dataset}": dataset,
        "{job}": recommended["id"],
        "{thread}": thread,
        "{number}": str(message),
        "{run}": run,
        "{name}": "corpus.jsonl",
        "{name:path}": "intfloat/e5-small",
    }
    bodies = {
        "/v1/threads/{thread}/messages": {"text": "mine now"},
        "/v1/recommendations": {"text": "search", "dataset": dataset},
        "/v1/evaluations": {"dataset": dataset, "candidates": ["bm25"]},
        "/v1/benchmarks": {"dataset": dataset, "candidates": ["bm25"]},
        "/v1/jobs/{job}/judgments": {"judgments": [{"query": "q0", "document": "d0", "grade": 1}]},
    }
    checked = set()
    with Client(server, None) as nobody, Client(server, "adv_000000000000_" + "x" * 43) as stranger:
        for method, path in operations(ann.get("/v1/openapi.json").json()):
            address = path
            for name, value in known.items():
                address = address.replace(name, value)
            assert "{" not in address, path
            body = {"json": bodies.get(path, {})} if method == "POST" else {}
            for client in (nobody, stranger):
                response = client.request(method, address, **body)
                if (method, path) in OPEN:
                    assert response.status_code in (200, 404)
                    continue
                assert is_problem(response, "no-key", 401), (method, path)
                assert response.headers["www-authenticate"].startswith("Bearer")
                # whoever has no key learns nothing by a broken body either
                assert client.request(method, address, content=b"{", headers=JSON).status_code == 401
            names_a_thing = any(part in path for part in ("{dataset}", "{job}", "{thread}", "{run}"))
            if names_a_thing or path in bodies:
                assert is_problem(bob.request(method, address, **body), "not-found", 404), (method, path)
                checked.add((method, path))
    assert len(checked) >= 16
    for kind in ("jobs", "datasets", "threads", "reports"):
        assert bob.get(f"/v1/{kind}").json()["data"] == []
        assert ann.get(f"/v1/{kind}").json()["data"] != []
    assert ann.get(f"/v1/threads/{thread}").status_code == 200  # nobody has deleted or stopped anything


def test_the_files_that_deploy_a_decision_come_as_one_archive(ann, bob, recommended):
    """As written beside the report; whatever the address asks for, nothing but that run's own file is given."""
    address = recommended["report"]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: ann.get(address, params={"format": "deployment"}), range(2))
    assert (first.status_code, first.headers["content-type"]) == (200, "application/zip")
    assert "sandbox" in first.headers["content-security-policy"]
    assert first.content == second.content
    with zipfile.ZipFile(BytesIO(first.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        plan = json.loads(archive.read("deployment/plan.json"))
        config = yaml.safe_load(archive.read("deployment/config.yaml"))
    assert all(re.fullmatch(r"deployment/(?!.*\.\.)[\w./-]+", name) for name in names), names
    assert {"deployment/README.md", "deployment/compose.yaml", "deployment/pipeline/ingest.py"} <= set(names)
    winner = ann.get(address).json()["recommendation"]["winner"]
    assert plan["spec"] == config["spec"] == winner
    assert is_problem(bob.get(address, params={"format": "deployment"}), "not-found", 404)
    for form in ("zip", "../deployment.zip", "deployment.zip\x00"):
        assert ann.get(address, params={"format": form}).status_code == 422, form
    for run in ("..%2f..%2fetc%2fpasswd", "nobody-s-run"):
        assert ann.get(f"/v1/reports/{run}", params={"format": "deployment"}).status_code in (404, 422), run
    unmeasured = ann.ended(ann.made("/v1/recommendations", {"text": "English search"})["id"])
    assert is_problem(ann.get(unmeasured["report"], params={"format": "deployment"}), "not-found", 404)


def test_a_key_is_good_for_its_scopes_only(server):
    with Client(server, server.keys["reader"]) as reader:
        assert reader.get("/v1/jobs").status_code == 200
        assert is_problem(reader.post("/v1/threads", json={}), "missing-scope", 403)
        assert is_problem(reader.post("/v1/benchmarks", json={"candidates": ["bm25"]}), "missing-scope", 403)
        assert is_problem(reader.get("/metrics"), "missing-scope", 403)


def test_too_many_requests_are_told_when_to_come_back(server):
    with Client(server, server.keys["slow"]) as slow:
        answers = [slow.get("/v1/models?limit=1") for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert is_problem(refused[0], "too-many-requests", 429)
    assert 1 <= int(refused[0].headers["retry-after"]) <= 6


def test_a_revoked_key_is_good_for_nothing(server):
    from tools.key_store import KeyStore

    key = add_key(server.home, "short-lived")
    with Client(server, key) as client:
        assert client.get("/v1/jobs").status_code == 200
        store = KeyStore(server.home / "runs.sqlite")
        store.revoke("short-lived")
        store.close()
        assert is_problem(client.get("/v1/jobs"), "no-key", 401)


def test_other_names_of_this_machine_are_refused(ann):
    assert is_problem(ann.get("/health", headers={"Host": "evil.example"}), "misdirected", 421)


# ---------------------------------------------------------------- what is answered


def test_the_committed_openapi_file_is_the_one_that_is_served(ann):
    committed = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    assert ann.get("/v1/openapi.json").json() == committed, "write it anew with: make openapi"


def test_problems_say_what_to_do_in_the_callers_language(ann):
    assert is_problem(ann.get("/v1/nothing"), "not-found", 404)
    refused = ann.put("/v1/jobs")
    assert is_problem(refused, "method-not-allowed", 405)
    assert "GET" in refused.headers["allow"]
    wrong = ann.post("/v1/shortlists", json={"text": 5})
    assert is_problem(wrong, "invalid-request", 422)
    assert wrong.json()["errors"][0]["where"] == "body/text"
    assert is_problem(ann.post("/v1/shortlists", content=b"{", headers=JSON), "invalid-request", 422)
    assert is_problem(ann.post("/v1/shortlists", content=b"x" * 2**21, headers=JSON), "body-too-large", 413)
    asked = {"text": "German search"}
    for request in ({"content": json.dumps(asked)}, {"data": asked}, {}):  # as curl -d and a forgotten body come
        unmarked = ann.post("/v1/shortlists", **request)
        assert is_problem(unmarked, "unsupported-media-type", 415)
        assert "Content-Type: application/json" in unmarked.json()["next_step"]
    assert ann.post("/v1/shortlists", content=b"", headers=JSON).json()["detail"] == "The request has no body."
    for body, words in (
        ({"tekst": "German search"}, "At body/tekst: there is no such name; the nearest is “text”."),
        ({**asked, "k": 0}, "At body/k: it must be at least 1."),
        ({"text": 5}, "At body/text: it must be a string."),
    ):
        assert ann.post("/v1/shortlists", json=body).json()["detail"] == words
    chinese = ann.post("/v1/evaluations", json={"webhook": {"uri": "x"}}, headers={"Accept-Language": "zh"}).json()
    said = {error["where"]: error["what"] for error in chinese["errors"]}
    assert (said["body/webhook/uri"], said["body/candidates"]) == ("没有这个名称；最接近的是“url”", "缺少这一项")
    assert "character 8" in ann.post("/v1/shortlists", content=b'{"text":', headers=JSON).json()["detail"]
    assert ann.post("/v1/shortlists", json={}).json()["detail"].startswith("At body: give requirements or text")
    gone = ann.post("/v1/evaluations", json={"dataset": f"data-{'0' * 24}", "candidates": ["bm25"]})
    assert is_problem(gone, "not-found", 404)
    assert f"data-{'0' * 24}" in gone.json()["detail"]
    assert "GET /v1/datasets" in gone.json()["next_step"]
    empty = ann.post(f"{ann.made('/v1/datasets', {})['url']}/complete", json={}).json()
    assert "PATCH /v1/datasets/data-" in empty["next_step"]
    chinese = ann.get("/v1/nothing", headers={"Accept-Language": "zh-CN"}).json()
    assert re.search(r"[\u4e00-\u9fff]", chinese["detail"] + chinese["next_step"] + chinese["title"])
    for kind in ann.get("/v1/problems").json()["data"]:
        assert ann.get(kind["type"]).json() == kind


def test_a_dataset_and_all_of_a_caller_have_a_largest_size(server, bob):
    from app.api.datasets import MOST_TIMES

    def send(size):
        made = bob.made("/v1/datasets", {})["url"]
        return made, bob.patch(f"{made}/files/corpus.jsonl", content=b"x" * size)

    url, refused = send(2**20 + 1)
    assert is_problem(refused, "body-too-large", 413)
    assert bob.get(url).json()["files"][0]["size"] <= 2**20, "what is too much is not kept"
    assert bob.delete(url).status_code == 204
    for _ in range(MOST_TIMES):
        assert send(2**20)[1].status_code == 200
    assert is_problem(send(2**20)[1], "body-too-large", 413)
    for found in bob.get("/v1/datasets", params={"limit": 100}).json()["data"]:
        assert bob.delete(found["url"]).status_code == 204
    assert send(2**20)[1].status_code == 200, "there is room again"


def test_a_shortlist_is_the_engines(ann):
    from agent.understanding.rules import RuleUnderstanding
    from knowledge.catalog import load_catalog
    from knowledge.requirements import Requirements
    from knowledge.scores import load_scores
    from tools.shortlist import shortlist

    words = "Chinese legal search, commercial, at most 600M parameters"
    found = ann.post("/v1/shortlists", json={"text": words, "k": 3, "rejected": True}).json()
    wanted = RuleUnderstanding().understand(words, Requirements(summary=words), None).requirements
    own = shortlist(wanted, load_catalog(), load_scores(), 3)
    assert [pick["model"] for pick in found["kept"]] == [pick.model for pick in own.kept]
    assert found["requirements"] == wanted.model_dump(mode="json")
    assert len(found["rejected"]) == sum(found["rejected_by"].values()) == len(own.rejected)
    again = ann.post("/v1/shortlists", json={"requirements": found["requirements"], "k": 3}).json()
    assert again["kept"] == found["kept"]
    assert again["rejected"] == []


def test_demands_that_clash_are_told_with_what_could_give(ann):
    body = {
        "requirements": {
            "constraints": [
                {"kind": "languages", "languages": ["th"]},
                {"kind": "parameters", "max_millions": 1},
                {"kind": "max_tokens", "tokens": 8192},
            ]
        }
    }
    clash = ann.post("/v1/shortlists", json=body)
    assert is_problem(clash, "nothing-left", 422)
    assert clash.json()["clash"]["relaxations"]
    for path in ("/v1/shortlists", "/v1/recommendations"):
        assert is_problem(ann.post(path, json={"text": "qwertz uiop"}), "requirements", 422)


def test_models_are_listed_page_by_page_each_once(ann):
    seen, cursor = [], None
    while True:
        page = ann.get("/v1/models", params={"limit": 100} | ({"cursor": cursor} if cursor else {})).json()
        seen += [model["id"] for model in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) > 900
    assert seen[0] == "embedding-advisor"
    shown = ann.get("/v1/models/intfloat/multilingual-e5-small").json()
    assert shown["license"] == "MIT"
    assert shown["sources"]["license"]["title"]
    near = ann.get("/v1/models/intfloat/multilingual-e5-smal")
    assert is_problem(near, "not-found", 404)
    assert "multilingual-e5-small" in near.json()["next_step"]
    assert is_problem(ann.get("/v1/models?cursor=AAAA"), "invalid-request", 422)


# ---------------------------------------------------------------- data


def test_a_dataset_comes_in_chunks_and_goes_on_where_it_broke_off(ann, tmp_path):
    content = "\n".join(f'{{"_id": "{i}", "text": "document {i}"}}' for i in range(500)).encode()
    made = ann.post("/v1/datasets", json={"note": "mine"})
    assert made.status_code == 201
    url = made.headers["location"]
    file = f"{url}/files/corpus.jsonl"
    assert ann.patch(file, content=content[:1000]).status_code == 200
    again = ann.patch(file, content=content[:1000])  # sent twice
    assert is_problem(again, "upload-conflict", 409)
    assert again.json()["offset"] == int(again.headers["upload-offset"]) == 1000
    assert ann.patch(file, content=content[1000:], headers={"Upload-Offset": "1000"}).status_code == 200
    assert ann.get(url).json()["files"] == [{"name": "corpus.jsonl", "size": len(content), "sha256": None}]
    job = {"dataset": made.json()["id"], "candidates": ["bm25"]}
    assert is_problem(ann.post("/v1/evaluations", json=job), "not-ready", 409)
    wrong = ann.post(f"{url}/complete", json={"sha256": {"corpus.jsonl": "0" * 64}})
    assert is_problem(wrong, "dataset", 422)
    right = hashlib.sha256(content).hexdigest()
    ready = ann.made(f"{url}/complete", {"sha256": {"corpus.jsonl": right}})
    assert (ready["state"], ready["files"][0]["sha256"], len(ready["hash"])) == ("ready", right, 16)
    assert ready["preview"]["files"][0]["columns"] == ["_id", "text"]
    assert is_problem(ann.patch(file, content=b"more"), "upload-conflict", 409)
    assert ann.delete(url).status_code == 204
    assert is_problem(ann.get(url), "not-found", 404)


@pytest.mark.parametrize("name", ["..%2Fx.csv", "x.exe", ".hidden.csv", "CON.csv", "a%00.csv", "%2e%2e"])
def test_hostile_names_of_files_are_refused(ann, server, name):
    url = ann.made("/v1/datasets", {})["url"]
    assert ann.patch(f"{url}/files/{name}", content=b"a,b").status_code in (404, 422)
    assert not [path for path in server.home.rglob("x.*") if "site-packages" not in str(path)]


# ---------------------------------------------------------------- jobs


def test_a_recommendation_is_a_job_with_events_a_result_and_a_report(ann, recommended):
    assert recommended["state"] == "succeeded", recommended
    assert recommended["result"]["measured"]
    assert recommended["result"]["winner"] in SPECS
    schemas = ann.get("/v1/openapi.json").json()
    jsonschema.Draft202012Validator({"$ref": "#/components/schemas/JobRecord", **schemas}).validate(recommended)
    told = ann.follow(recommended["events"])
    assert told[0]["event"] == "queued"
    assert told[-1]["event"] == "succeeded"
    numbers = [int(event["id"]) for event in told]
    assert numbers == sorted(set(numbers))
    later = ann.follow(recommended["events"], **{"Last-Event-ID": str(numbers[3])})
    assert later == told[4:]
    assert ann.get(recommended["events"], headers={"Last-Event-ID": str(numbers[-1])}).status_code == 204
    report = ann.get(recommended["report"]).json()
    assert report["recommendation"]["winner"] == recommended["result"]["winner"]
    assert ann.get(f"{recommended['report']}?format=markdown").text.startswith("#")
    page = ann.get(f"{recommended['report']}?format=html")
    assert page.headers["content-security-policy"].startswith("sandbox")
    # the conversation goes on where the job left it
    assert any(event["kind"] == "said" for event in ann.say(recommended["thread"], "why?"))


def test_no_answer_names_the_folders_of_the_server(ann, server, recommended):
    for address in (recommended["url"], recommended["events"], f"/v1/threads/{recommended['thread']}/events"):
        assert str(server.home) not in ann.get(address).text


def test_a_repeated_request_is_done_once(ann, dataset):
    body = {"dataset": dataset, "candidates": ["bm25"]}
    key = {"Idempotency-Key": "abc-1"}
    first, second = (ann.made("/v1/evaluations", body, **key) for _ in range(2))
    assert first["id"] == second["id"]
    other = ann.post("/v1/evaluations", json=body | {"candidates": ["bm25?k1=2"]}, headers=key)
    assert is_problem(other, "key-used-otherwise", 422)
    assert ann.ended(first["id"])["result"]["candidates"][0]["spec"] == "bm25"
    thread = ann.made("/v1/threads", {})["id"]
    said = [ann.made(f"/v1/threads/{thread}/messages", {"text": "hello"}, **{"Idempotency-Key": "m"}) for _ in range(2)]
    assert said[0]["number"] == said[1]["number"]


def test_jobs_are_refused_before_they_are_accepted_where_they_cannot_work(ann, dataset):
    for body, kind in (
        ({"candidates": ["st"]}, "spec"),
        ({"candidates": ["bm25?k1=x"]}, "spec"),
        ({"candidates": ["bm25"], "metrics": ["nonsense"]}, "user"),
    ):
        assert is_problem(ann.post("/v1/evaluations", json={"dataset": dataset, **body}), kind, 422)
    hook = {"url": "http://169.254.169.254/latest", "secret": "s" * 20}
    refused = ann.post("/v1/evaluations", json={"dataset": dataset, "candidates": ["bm25"], "webhook": hook})
    assert is_problem(refused, "invalid-request", 422)


def test_a_complete_dataset_is_read_otherwise_where_its_caller_says_so(ann):
    """As the next step of what is wrong with it says."""
    url = ann.made("/v1/datasets", {})["url"]
    content = b"id,body,text\n1,one,x\n2,caf\xe9,y\n3,three,z\n"
    ann.patch(f"{url}/files/corpus.csv", content=content)
    wrong = ann.made(f"{url}/complete", {})["preview"]
    assert "not UTF-8" in wrong["problem"]["cause"]
    assert "skip_bad" in wrong["problem"]["next_step"]
    mended = ann.made(f"{url}/complete", {"skip_bad": True, "columns": {"text": "body"}})["preview"]
    assert (mended["problem"], mended["summary"]["documents"], mended["summary"]["skipped"]) == (None, 2, 1)
    assert mended["files"][0]["guessed"]["text"] == "body"
    assert ann.get(url).json()["preview"] == mended
    hashes = {"sha256": {"corpus.csv": "0" * 64}}
    assert is_problem(ann.post(f"{url}/complete", json=hashes), "dataset", 422)


def test_a_job_that_fails_says_why(ann):
    url = ann.made("/v1/datasets", {})["url"]
    ann.patch(f"{url}/files/corpus.csv", content=b"id,text\n1,one\n2,two\n")
    data = ann.made(f"{url}/complete", {})["id"]
    failed = ann.ended(ann.made("/v1/evaluations", {"dataset": data, "candidates": ["bm25"]})["id"])
    assert (failed["state"], failed["result"]) == ("failed", None)
    assert failed["problem"]["type"] == "/v1/problems/dataset"
    assert failed["problem"]["next_step"]
    assert "No silver queries can be made" in failed["problem"]["detail"]
    assert "silver" not in failed["problem"]["next_step"]


def test_the_next_step_is_a_callers_and_not_the_command_lines(ann, dataset):
    asked = {"dataset": dataset, "candidates": ["bm25", "openai:text-embedding-3-small"], "consent": {"measure": True}}
    found = ann.ended(ann.made("/v1/evaluations", asked)["id"])["result"]
    assert [f["next_step"] for f in found["failed"]] == [
        'Agree to it in the request\'s “consent”, with “hosts”: ["api.openai.com"].'
    ]
    unknown = ann.get("/v1/models/nobody-has-this-one").json()
    assert "GET /v1/models?q=" in unknown["next_step"]


def test_documents_without_queries_are_measured_with_silver_ones(ann):
    url = ann.made("/v1/datasets", {})["url"]
    rows = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in corpus().documents.items())
    ann.patch(f"{url}/files/corpus.jsonl", content=rows.encode())
    data = ann.made(f"{url}/complete", {})["id"]
    found = ann.ended(ann.made("/v1/evaluations", {"dataset": data, "candidates": ["bm25"]})["id"])["result"]
    assert (found["dataset"]["labels"], found["judged_queries"]) == ("silver", 64)
    assert sum(found["dataset"]["silver"]["kinds"].values()) == 64


def test_cancelling_ends_what_waits_at_once_and_what_runs_soon(ann):
    long = {"candidates": ["static:wordllama"], "documents": 400, "queries": 100, "repeats": 10_000}
    running = ann.made("/v1/benchmarks", long)
    waiting = ann.made("/v1/benchmarks", long)
    ann.running(running["id"])
    assert ann.delete(waiting["url"]).json()["state"] == "cancelled"
    cancelled = ann.delete(running["url"])
    assert cancelled.status_code == 202
    assert ann.ended(running["id"])["state"] == "cancelled"
    assert ann.delete(running["url"]).json()["state"] == "cancelled"
    listed = ann.get("/v1/jobs", params={"kind": "benchmark", "limit": 1}).json()
    assert listed["data"][0]["id"] == waiting["id"]
    more = ann.get("/v1/jobs", params={"kind": "benchmark", "cursor": listed["next_cursor"]}).json()
    assert more["data"][0]["id"] == running["id"]


# ---------------------------------------------------------------- conversations


def test_a_conversation_is_streamed_and_can_be_read_again(ann):
    thread = ann.made("/v1/threads", {"note": "docs"})
    told = ann.say(thread["id"], "semantic search over English docs, just decide")
    kinds = [event["kind"] for event in told]
    assert kinds[0] == "heard"
    assert kinds[-1] == "done"
    assert "recommended" in kinds
    shown = ann.get(thread["url"]).json()
    assert shown["status"] == "done"
    assert shown["report"]
    first = ann.get(thread["events"]).json()
    assert [event["kind"] for event in first["data"]] == [k for k in kinds[:-1] if k not in ("progressed", "queued")]
    taken = ann.post(f"{thread['url']}/messages", json={"text": "what is Matryoshka?", "language": "en"})
    assert taken.status_code == 202
    for _ in range(300):
        message = ann.get(taken.headers["location"]).json()
        if message["answered"]:
            break
    assert message["events"][-1]["kind"] == "said"
    new = ann.get(thread["events"], params={"cursor": first["next_cursor"]}).json()
    assert new["data"] == message["events"]
    assert is_problem(ann.get(f"{thread['url']}/messages/999999999"), "not-found", 404)


def test_visitors_name_no_files_and_say_stop_in_vain_where_nothing_runs(ann):
    thread = ann.made("/v1/threads", {})
    assert ann.post(f"{thread['url']}/stop").json() == {"stopping": False}
    assert ann.say(thread["id"], "stop")[-1]["kind"] == "done"


# ---------------------------------------------------------------- the server itself


def test_health_readiness_and_metrics(ann, recommended):
    assert ann.get("/health").json()["status"] == "ok"
    assert all(ann.get("/ready").json()["checks"].values())
    text = ann.get("/metrics").text
    assert re.search(r'^advisor_jobs_ended_total\{kind="recommendation",state="succeeded"\} \d', text, re.MULTILINE)
    assert re.search(r'advisor_requests_total\{.*route="/v1/jobs/\{job\}"', text)
    assert recommended["id"] not in text
    assert "adv_" not in text


def test_pairs_are_judged_and_count_for_whoever_judged_them(ann, bob, dataset, recommended):
    questions = f"{recommended['url']}/questions"
    look = ann.get(questions, params={"count": 2}).json()
    assert look["answered"] == 0
    assert {look["winner"], *(gap["spec"] for gap in look["gaps"])} == set(SPECS)
    pair = look["next"][0]
    given = {"query": pair["query"], "document": pair["document"], "grade": 1, "who": "Ada"}
    judged = ann.made(f"{recommended['url']}/judgments", {"judgments": [given]})
    assert judged["answered"] == 1
    assert (pair["query"], pair["document"]) not in {(p["query"], p["document"]) for p in judged["next"]}
    changed = ann.made(f"{recommended['url']}/judgments", {"judgments": [given | {"grade": 0}]})
    assert changed["answered"] == 1
    (kept,) = ann.get(f"{recommended['url']}/judgments").json()["data"]
    assert {name: kept[name] for name in given} == given | {"grade": 0}
    assert ann.made(f"{recommended['url']}/rescored", {})["dataset"]["given"] == 1
    evaluation = {"dataset": dataset, "candidates": ["bm25"]}
    assert ann.ended(ann.made("/v1/evaluations", evaluation)["id"])["result"]["dataset"]["given"] == 1
    assert bob.get(questions).status_code == 404
    wrong = ann.post(f"{recommended['url']}/judgments", json={"judgments": [given | {"query": "nobody's"}]})
    assert wrong.status_code == 422
    alone = ann.ended(ann.made("/v1/benchmarks", evaluation)["id"])
    assert is_problem(ann.get(f"{alone['url']}/questions"), "not-ready", 409)
