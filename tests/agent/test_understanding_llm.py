"""The language model beside the rules, over the real wire: what it adds, what it may not, and how it fails."""

import json

import pytest

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed (extra llm)")

from agent.advisor import Advisor
from agent.settings import Settings
from agent.understanding import Asked, RuleUnderstanding
from agent.understanding.choice import choose_understanding
from agent.understanding.findings import value_of
from agent.understanding.llm import LlmUnderstanding
from agent.understanding.llm_model import REST, Endpoint, LanguageModel
from agent.understanding.llm_nearby import nearby_models, notice
from knowledge.constraints import make_constraint
from knowledge.errors import UserError
from knowledge.requirements import Requirements
from tests import fake_llm
from tests.fake_llm import FakeLLM, finding, findings

WALLS = "Our contracts dwell among our own four walls"
STAYS = finding("hosting", "self_hosted", "dwell among our own four walls")
KEY = "sk-very-secret-0123456789"
RULES = RuleUnderstanding()


@pytest.fixture(scope="module")
def server():
    with FakeLLM() as found:
        yield found


@pytest.fixture
def llm(server):
    server.script.clear()
    server.otherwise = findings()
    server.requests.clear()
    return server


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def client(server):
    """One client for the module: connecting imports a second's worth of libraries."""
    settings = Settings(llm="openai:fake-1", openai_base_url=server.base_url, openai_api_key=KEY)
    return choose_understanding(settings).model._connect()


@pytest.fixture
def understanding(llm, client):
    endpoint = Endpoint("openai", "fake-1", llm.base_url)
    model = LanguageModel(endpoint, timeout_s=20, max_tokens=500, clock=Clock())
    model._client = client
    return LlmUnderstanding(model, RULES)


def read(understanding, text, requirements=None, asked=None):
    return understanding.understand(text, requirements or Requirements(), asked)


# what it adds


def test_it_reads_what_the_rules_could_not(understanding, llm):
    llm.script = [findings(STAYS)]
    found = read(understanding, WALLS)
    assert value_of(found.requirements, "hosting")["hosting"] == "self_hosted"
    (constraint,) = found.requirements.constraints
    assert constraint.origin == "inferred"
    assert "dwell among our own four walls" in constraint.because
    assert (found.intent, found.ignored, found.note) == ("inform", "", None)
    words = {change.slot: change.words for change in found.changes}
    assert words == {"domain": "contracts", "hosting": "dwell among our own four walls"}


def test_it_reads_chinese(understanding, llm):
    llm.script = [findings(finding("hosting", "self_hosted", "别跑到四面墙外头"))]
    found = read(understanding, "材料别跑到四面墙外头")
    assert found.requirements.constraints[0].because == "语言模型对“别跑到四面墙外头”的理解"


def test_a_number_goes_to_the_slot_it_names_and_is_read_by_our_own_parser(understanding, llm):
    llm.script = [findings(finding("documents", "3000000", "3 million of these things"))]
    found = read(understanding, "we've got 3 million of these things")
    assert found.requirements.documents.value == 3_000_000
    assert found.requirements.documents.origin == "stated"


def test_a_wish_is_soft(understanding, llm):
    llm.script = [findings(finding("hosting", "self_hosted", "dwell among our own four walls", hard=False))]
    assert value_of(read(understanding, WALLS).requirements, "hosting")["hard"] is False


def test_a_language_the_rules_overlooked_joins_those_they_read(understanding, llm):
    text = "German texts, some Sardinian-ish ones"
    llm.script = [findings(finding("languages", "sc", "Sardinian"))]
    rules = value_of(read(RULES, text).requirements, "languages")["languages"]
    languages = value_of(read(understanding, text).requirements, "languages")["languages"]
    assert set(rules) <= set(languages)
    assert set(languages) <= {"de", "sc"}


def test_the_model_in_use_must_be_named(understanding, llm):
    text = "our stack grew around e5-base-v2 over the years"
    llm.script = [findings(finding("incumbent", "e5-base-v2", "grew around e5-base-v2"))]
    assert read(understanding, text).requirements.incumbent.value == "e5-base-v2"
    llm.script = [findings(finding("incumbent", "bge-m3", "our stack grew"))]
    assert read(understanding, text).requirements.incumbent is None


def test_a_misread_task_is_corrected_where_the_words_say_so(understanding, llm):
    text = "Searching for near-identical tickets to fold them into one"
    assert read(RULES, text).requirements.task.value == "search"
    llm.script = [findings(finding("task", "deduplication", text))]
    found = read(understanding, text)
    assert found.requirements.task.value == "deduplication"
    llm.script = [findings(finding("task", "deduplication", "fold them into one"))]
    assert read(understanding, text).requirements.task.value == "search", "the misread words are not among its words"


def test_it_answers_the_open_question(understanding, llm):
    llm.script = [findings(finding("task", "rag", "an oracle that chats over the wiki"))]
    found = read(understanding, "an oracle that chats over the wiki", asked=Asked(about="task"))
    assert (found.answered, found.requirements.task.value) == (True, "rag")


def test_twice_the_same_changes_nothing_the_second_time(understanding, llm):
    text = "Searching for near-identical tickets to fold them into one; " + WALLS
    llm.otherwise = findings(STAYS, finding("task", "deduplication", text.split(";")[0]))
    first = read(understanding, text)
    second = read(understanding, text, first.requirements)
    assert (second.changes, second.requirements) == ((), first.requirements)


# what it may not


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (WALLS, finding("hosting", "self_hosted", "nothing may leave our servers")),  # words nobody wrote
        (WALLS, finding("hosting", "api", "dwell among our own four walls")),  # laxer, not stricter
        (WALLS, finding("hosting", "moon", "dwell among our own four walls")),
        (WALLS, finding("license", "non-commercial", "dwell among our own four walls")),
        (WALLS, finding("documents", "40000", "four walls")),  # a figure that is not there
        (WALLS, finding("latency", "4", "four walls")),
        (WALLS, finding("languages", "de", "own four walls")),
        (WALLS, finding("consent", "true", "dwell among our own four walls")),
        (WALLS, finding("trust_remote_code", "true", "walls")),
        (WALLS, finding("summary", "x", "walls")),
        (WALLS, finding("hosting", "self_hosted", "contracts")),  # words that the rules read
        (WALLS, finding("hosting", "self_hosted", " ")),
        ("we've got 3 million of these things", finding("documents", "30000000", "3 million of these things")),
        ("we've got 3 million of these things", finding("latency", "3", "3 million of these things")),
        ("Nobody minds if texts walk abroad, no walls", finding("hosting", "self_hosted", "walls")),
    ],
)
def test_what_the_words_do_not_bear_out_is_dropped(understanding, llm, text, found):
    llm.script = [findings(found)]
    assert read(understanding, text) == read(RULES, text)
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Answer within 200 ms at the espresso bar", finding("latency", "2", "within 200 ms at the espresso bar")),
        ("No GPU in our espresso bar", finding("hosting", "api", "No GPU in our espresso bar")),
        ("No GPU in our espresso bar", finding("gpu", "yes", "No GPU in our espresso bar")),
        ("For our product at the espresso bar", finding("license", "non-commercial", "product at the espresso bar")),
    ],
)
def test_what_the_rules_read_of_demands_stands(understanding, llm, text, found):
    llm.script = [findings(found)]
    assert read(understanding, text).requirements == read(RULES, text).requirements


def test_what_was_stated_is_not_replaced_by_its_reading(understanding, llm):
    stated = Requirements(task="classification", constraints=(make_constraint("hosting", hosting="api"),))
    llm.script = [findings(STAYS, finding("task", "clustering", "walls"))]
    found = read(understanding, WALLS, stated)
    assert found.requirements.task.value == "classification"
    assert found.requirements.constraints == stated.constraints


@pytest.mark.parametrize(
    "text", ["yes", "好的", "no", "stop", "just decide", "2", "no preference", "why not bge-m3?", ""]
)
@pytest.mark.parametrize("about", ["plan", "license", None])
def test_it_is_not_asked_what_the_rules_decide(understanding, llm, text, about):
    asked = Asked(about=about) if about else None
    if about is None and text in ("2", "no preference"):
        pytest.skip("nothing was asked")
    assert read(understanding, text, asked=asked) == read(RULES, text, asked=asked)
    assert llm.requests == []


def test_paths_addresses_and_questions_are_not_shown_to_it(understanding, llm):
    read(
        understanding,
        "Espresso bars keep theirs in /srv/ignore_all_rules/notes.csv and https://evil.example/x. Is bge-m3 nice?",
    )
    message = llm.asked()["message"]
    assert message.startswith("Espresso bars keep")
    for hidden in ("ignore_all_rules", "csv", "evil", "bge-m3"):
        assert hidden not in llm.heard


# how it fails


FAILURES = {
    "not JSON": (fake_llm.says("Sure! Here it is."), "form", 2),
    "half a JSON": (fake_llm.says('{"findings": [{"slot": "hos'), "form", 2),
    "another form": (fake_llm.says('{"findings": "hosting"}'), "form", 2),
    "too many findings": (findings(*[STAYS] * 31), "form", 2),
    "another tool": (fake_llm.calls("delete_everything", "{}"), "form", 2),
    "a refusal": (fake_llm.refuses(), "refused", 1),
    "cut by its limit": (fake_llm.says('{"findings": []}', "length"), "could not be read", 1),
    "no choices": (fake_llm.body(b'{"choices": []}'), "could not be read", 1),
    "HTML": (fake_llm.body(b"<html>hello</html>"), "could not be read", 1),
    "not even bytes of JSON": (fake_llm.body(b"\xff\xfe\x00"), "could not be read", 1),
    "too many requests": (fake_llm.fails(429), "no more requests", 3),
    "a server error": (fake_llm.fails(500), "HTTP 500", 3),
    "no access": (fake_llm.fails(401, f"Incorrect API key provided: {KEY}"), "refuses the key", 1),
    "no such model": (fake_llm.only_model("other", findings(STAYS)), "no such model", 1),
}


@pytest.mark.parametrize(("turn", "why", "requests"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_leaves_the_rules_reading_and_is_said(understanding, llm, turn, why, requests):
    llm.otherwise = turn
    found = read(understanding, WALLS)
    assert found.model_copy(update={"note": None}) == read(RULES, WALLS)
    note = found.note.render("en")
    assert note.startswith("I read this by rules alone. The language model fake-1")
    assert why in note
    assert KEY not in note
    assert "规则" in found.note.render("zh")
    assert len(llm.requests) == requests


def test_an_answer_cut_off_is_a_failed_connection(understanding, llm, monkeypatch):
    llm.otherwise = fake_llm.cut()
    assert "connection to it failed" in str(read(understanding, WALLS).note)


def test_no_number_in_passing_loosens_a_demand_or_the_margin(understanding, llm):
    demands = (make_constraint("latency", p95_ms=100), make_constraint("languages", languages=("de",)))
    stated = Requirements(constraints=demands)
    text = "Croissants take 9 seconds, half of 50 percent of Sardinian bakers say"
    found = [finding("latency", "9000", "take 9 seconds"), finding("margin", "50", "half of 50 percent")]
    llm.script = [findings(*found)]
    assert read(understanding, text, stated).requirements == read(RULES, text, stated).requirements
    assert "margin" not in json.dumps(llm.requests)
    llm.script = [findings(*found)]
    assert value_of(read(understanding, "Croissants take 9 seconds").requirements, "latency")["p95_ms"] == 9000
    llm.script = [findings(finding("languages", "sc", "Sardinian"))]
    assert read(understanding, "Sardinian bakery notes too", stated).requirements.languages[0] == "de"


def test_a_correction_of_the_user_is_not_taken_for_a_slip_of_the_rules(understanding, llm):
    text = "No exact match for the espresso team"
    stated = Requirements(keyword_match=True)
    assert read(RULES, text, stated).requirements.keyword_match.value is False
    llm.script = [findings(finding("keyword_match", "yes", text))]
    assert read(understanding, text, stated) == read(RULES, text, stated)
    assert len(llm.requests) == 1


@pytest.mark.parametrize("text", ["yes, the croissant", "no croissant", "ok croissant", "好的 croissant"])
def test_a_yes_or_no_to_a_plan_is_for_the_rules_whatever_else_is_said(understanding, llm, text):
    llm.script = [findings(finding("domain", "travel", "croissant"))]
    found = read(understanding, text, asked=Asked(about="plan"))
    assert found.intent in ("confirm", "decline")
    assert (found.changes, llm.requests) == ((), [])


@pytest.mark.parametrize("turn", [fake_llm.says("nonsense"), fake_llm.fails(429), fake_llm.fails(503)])
def test_it_is_tried_again(understanding, llm, turn):
    llm.script = [turn, findings(STAYS)]
    found = read(understanding, WALLS)
    assert found.note is None
    assert value_of(found.requirements, "hosting")


@pytest.mark.parametrize("turn", [fake_llm.hangs, fake_llm.drips])
def test_a_model_that_never_answers_is_left_alone_in_time(llm, client, turn):
    llm.otherwise = turn(llm)
    model = LanguageModel(Endpoint("openai", "slow", llm.base_url), timeout_s=0.5, max_tokens=500)
    model._client = client
    found = read(LlmUnderstanding(model, RULES), WALLS)
    assert "did not answer within 0.5 s" in str(found.note)
    assert found.changes == read(RULES, WALLS).changes


def test_nobody_waits_again_for_one_that_is_down(understanding, llm):
    llm.otherwise = fake_llm.fails(503)
    assert read(understanding, WALLS).note
    asked = len(llm.requests)
    assert "HTTP 503" in str(read(understanding, WALLS).note)
    assert len(llm.requests) == asked
    understanding.model._clock.now = REST + 1
    llm.otherwise = findings(STAYS)
    assert read(understanding, WALLS).note is None


def test_an_endpoint_without_json_schema_is_asked_by_tool(understanding, llm):
    llm.otherwise = fake_llm.no_schema(findings(STAYS))
    for requests in (2, 3):  # and not tried in vain again
        assert value_of(read(understanding, WALLS).requirements, "hosting")
        assert len(llm.requests) == requests
    assert llm.requests[-1]["tool_choice"]["function"]["name"] == "Extraction"


def test_the_schema_names_the_registry_and_nothing_else(understanding, llm):
    from agent.understanding.findings import SLOTS
    from knowledge.constraints import CONSTRAINTS

    registry = [*SLOTS, *CONSTRAINTS]
    for slot in ("margin", "robustness", "correctness"):  # what counts in the decision is the user's word alone
        registry.remove(slot)

    read(understanding, WALLS)
    asked = llm.requests[-1]
    form = asked["response_format"]["json_schema"]
    slot = form["schema"]["properties"]["findings"]["items"]["properties"]["slot"]
    assert (form["strict"], slot["enum"]) == (True, registry)
    assert asked["max_completion_tokens"] == 2000
    assert "tools" not in asked


def test_streams_are_read_and_a_cut_one_is_an_error(llm, client):
    """The wire that worded answers will come over."""
    llm.script = [fake_llm.stream("A stream of some words.")]
    assert "".join(str(part.content) for part in client.stream("hello")) == "A stream of some words."
    llm.script = [fake_llm.stream("A stream of some words.", until=2)]
    with pytest.raises(Exception, match=r"(?i)incomplete|closed|connection"):
        list(client.stream("hello"))


# which one is used


def test_without_a_setting_the_rules_read_alone():
    assert isinstance(choose_understanding(Settings()), RuleUnderstanding)


@pytest.mark.parametrize(
    ("more", "host", "key"),
    [
        ({"llm": "openai:m", "openai_api_key": KEY}, "api.openai.com", KEY),
        ({"llm": "openai:m", "openai_api_key": KEY, "openai_base_url": "http://a:1/v1"}, "a:1", KEY),
        ({"llm": "openai:m", "openai_api_key": KEY, "llm_base_url": "http://u:pw@b:2/v1"}, "b:2", None),
        ({"llm": "openai:m", "openai_api_key": "x", "llm_base_url": "http://b/v1", "llm_api_key": KEY}, "b", KEY),
        ({"llm": "ollama:llama3.1:8b", "openai_api_key": KEY, "ollama_host": "0.0.0.0"}, "127.0.0.1:11434", None),
        ({"llm": "anthropic:m", "anthropic_api_key": KEY, "openai_base_url": "http://a/v1"}, "anthropic", KEY),
        ({"llm": "anthropic:m", "anthropic_api_key": KEY, "llm_base_url": "http://b/v1"}, "b", None),
        ({"llm": "mistralai:m", "openai_api_key": KEY}, "mistralai", None),
    ],
)
def test_a_key_goes_only_where_it_belongs(more, host, key):
    endpoint = choose_understanding(Settings(**more)).model.endpoint
    assert endpoint.host == host
    assert (endpoint.api_key and endpoint.api_key.get_secret_value()) == key
    assert KEY not in repr(endpoint) + repr(Settings(**more))
    assert "pw" not in repr(endpoint)
    if more["llm"].startswith("ollama"):
        assert endpoint.model == "llama3.1:8b"


@pytest.mark.parametrize("more", [{"openai_base_url": "http://elsewhere.example/v1"}, {"llm_api_key": "its-own"}])
def test_an_address_of_its_own_never_gets_another_key(llm, monkeypatch, more):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = Settings(llm="openai:fake-1", llm_base_url=llm.base_url, **more)
    llm.keys.clear()
    assert read(choose_understanding(settings), WALLS).note is None
    assert llm.keys == [f"Bearer {more.get('llm_api_key', 'none')}"]


@pytest.mark.parametrize("name", ["gpt-x", ":x", "openai:", "openai: ", "a b:c", "../x:y"])
def test_what_names_no_model_is_refused(name):
    with pytest.raises(UserError, match="does not name a language model"):
        choose_understanding(Settings(llm=name))


def test_a_client_that_is_missing_is_named_with_its_extra():
    pytest.importorskip("langchain", reason="langchain is not installed")
    found = read(choose_understanding(Settings(llm="bedrock_nowhere:m")), WALLS)
    assert "I read this by rules alone." in str(found.note)


# through the doors


def test_a_conversation_goes_on_when_the_model_fails(llm, tmp_path):
    llm.otherwise = fake_llm.fails(500)
    settings = Settings(home=tmp_path, llm="openai:fake-1", openai_base_url=llm.base_url, openai_api_key=KEY)
    with Advisor(settings) as advisor:
        said = list(advisor.reply("t", WALLS))
        assert [e.kind for e in said][:3] == ["heard", "noted", "noted"]
        assert "I read this by rules alone." in str(said[1].note)
        assert said[-1].kind == "question"
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in kept


def test_the_command_line_says_what_failed_and_doctor_why(llm, monkeypatch, capsys):
    from app.cli.commands import make_app
    from app.cli.failures import run_to_exit_code

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["advisor", "--lang", "en", *arguments])
        return run_to_exit_code(make_app()), *capsys.readouterr()

    monkeypatch.setenv("ADVISOR_LLM", "openai:fake-1")
    monkeypatch.setenv("OPENAI_BASE_URL", llm.base_url)
    llm.otherwise = fake_llm.fails(404)
    for command in (("shortlist",), ("recommend", "--no-input")):
        code, out, err = run(*command, "--text", f"{WALLS}, German")
        assert code == 0
        assert "it knows no such model. Check the model's name in ADVISOR_LLM." in err
        assert "no such model" not in out
    code, out, _ = run("doctor", "--json")
    (found,) = [row for row in json.loads(out) if row["about"] == "conversation"]
    assert (found["fine"], "no such model" in found["seen"]) == (False, True)
    llm.otherwise = findings()
    _, out, _ = run("doctor", "--json")
    (found,) = [row for row in json.loads(out) if row["about"] == "conversation"]
    assert found["fine"]
    assert found["seen"].startswith("openai:fake-1 helps the rules to understand")


def test_ollama_is_noticed_and_not_used(llm):
    llm.tags = {"models": [{"name": "llama3.1:8b"}, {"name": "qwen3"}]}
    settings = Settings(ollama_host=llm.address)
    assert nearby_models(settings) == ("llama3.1:8b", "qwen3")
    assert "ADVISOR_LLM=ollama:llama3.1:8b" in str(notice(settings))
    assert isinstance(choose_understanding(settings), RuleUnderstanding)
    assert notice(Settings(ollama_host=llm.address, llm="openai:m")) is None


@pytest.mark.parametrize("tags", [None, [], {"models": None}, {"models": [{}]}, {"other": 1}, b"\xff", b"[[[["])
def test_another_server_in_its_place_is_not_taken_for_it(llm, tags):
    llm.tags = tags
    assert nearby_models(Settings(ollama_host=llm.address)) == ()


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "ollama.example", "https://127.0.0.1:1", "127.0.0.1:9", "[", "x y", "[::1"]
)
def test_only_this_machine_is_looked_at(host):
    assert nearby_models(Settings(ollama_host=host)) == ()
