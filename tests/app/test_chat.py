"""The web chat: its pure parts and its guard."""

import base64
import datetime as dt
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent import events
from agent.interview import asked_about, picked
from agent.settings import Settings
from agent.transcript import Opening, Transcript
from agent.understanding.findings import value_of
from agent.understanding.rules import RuleUnderstanding
from app.chat.guard import is_login
from app.chat.messages import Running, chat_messages, turn_at
from app.chat.panels import duel_html, head, needs_list, preview_html, thread_list
from app.chat.results import outdated, result_table
from app.chat.server import serve
from app.conversations import Message, Offer
from app.serving import accepted, is_local_name, is_loopback
from app.wording import Line, as_answer, as_markdown, as_text, code, escape, needs
from knowledge.errors import UserError
from knowledge.progress import Progress
from knowledge.requirements import Requirements
from knowledge.results import (
    DatasetSummary,
    HeadToHead,
    Interval,
    Plan,
    PlannedCandidate,
    Recommendation,
    Row,
    Shortlist,
)
from knowledge.wording import join, say
from tools.data_source import DataSource
from tools.datasets.preview import FilePreview, Preview, Problem

RULES = RuleUnderstanding()
LANGUAGES = ("en", "zh")
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
    assert as_markdown([Line("a\nb\n\nc")]) == "a  \nb\n\nc", "lines stay lines, and paragraphs paragraphs"


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
    assert [m["metadata"]["status"] for m in again[1:]] == ["pending"], "what a stopped server left is one step"
    later = [STARTED, events.Heard(text="go on", number=2), STARTED]
    assert [m["metadata"]["status"] for m in chat_messages(later, "en", busy=True) if "metadata" in m] == [
        "done",
        "pending",
    ]


def test_an_answer_is_in_the_language_of_the_message_and_not_of_the_page():
    yes = events.Said(text=say("yes"))
    question = events.Question(about="plan", text=say("Shall I measure them now?"), answers=(say("Yes, measure"),))
    told = [
        events.Heard(text="我想做中文客服检索", number=1),
        yes,
        events.Heard(text="German", about="languages", number=2),  # chosen from a list of the page's
        yes,
        events.Heard(text="3", number=3),  # a number speaks no language
        yes,
        events.Heard(text="and what if we had a GPU?", number=4),
        yes,
        events.Heard(text="中文回答吧", number=5),
        question,
    ]
    made = chat_messages(told, "en")
    assert made[0]["content"].startswith("Tell me"), "before anything is said, it is the page's"
    assert [m["content"] for m in made if m["content"] in ("yes", "是")] == ["是", "是", "是", "yes"]
    assert made[-1]["options"][0]["value"] == say("Yes, measure").render("zh")
    assert chat_messages([yes], "zh")[-1]["content"] == "是"


def test_only_the_open_question_has_buttons():
    question = events.Question(about="plan", text=say("Shall I measure them now?"), answers=(say("Yes, measure"),))
    assert chat_messages([question], "zh")[-1]["options"][0]["value"] == say("Yes, measure").render("zh")
    assert "options" not in chat_messages([question], "en", busy=True)[1]
    assert "options" not in chat_messages([question, events.Heard(text="yes")], "en")[1]
    failed = events.Failed(error="DatasetError", cause=say("yes"), next_step=say("yes"), exit_code=3)
    assert "options" in chat_messages([question, failed], "en")[1], "an upload that was not taken answers nothing"


def test_a_step_tells_what_it_took_so_far_and_what_was_planned():
    plan = Plan(
        candidates=(PlannedCandidate(spec="bm25", why=say("yes"), minutes=2.0, usd=0.5),), documents=3, queries=2
    )
    told = [events.Planned(plan=plan), STARTED]
    running = chat_messages(told, "en", busy=True, running=Running(PROGRESS, 75.2))[-1]
    assert running["metadata"]["log"] == "1 min 15 s · planned: 2 min 00 s · up to 0.50 US dollars"


def test_the_plan_says_what_a_yes_costs_right_above_the_buttons():
    sent = PlannedCandidate(
        spec="openai:x", why=say("yes"), minutes=2.0, download_gb=1.25, usd=0.5, sends_text_to="api.x"
    )
    card = chat_messages([events.Planned(plan=Plan(candidates=(sent,), documents=3, queries=2))], "en")[-1]["content"]
    for figure in ("about 2 min 00 s", "1.25 GB", "up to 0.50 US dollars", "api.x"):
        assert f"**{figure}**" in card.replace("\\", "")
    assert "would be sent to: api.x" in card


def test_what_is_said_beside_the_chat_names_its_requirement():
    said = chat_messages([events.Heard(text="50", about="latency", number=1)], "en")[-1]
    assert said["content"] == "*latency:* 50"


def test_messages_know_which_turn_they_are():
    told = [
        events.Heard(text="one", number=1),
        events.Said(text=say("yes")),
        events.Heard(text="stop"),
        events.Shortlisted(shortlist=Shortlist(requirements=Requirements(), kept=(), rejected=(), considered=0)),
        events.Heard(text="two", number=2),
    ]
    messages = chat_messages(told, "en")
    turns = {m["content"]: turn_at(told, place, "en") for place, m in enumerate(messages) if m["role"] == "user"}
    assert turns == {"one": 1, "stop": None, "two": 2}
    assert [turn_at(told, place, "en") for place in (-1, 0, 2, 99)] == [None] * 4


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
    assert table.heads == ["#", "Candidate", "Standing", "nDCG@10", "interval", "p95 latency (ms)"]
    assert table.kinds == ["number", "str", "str", "number", "str", "number"]
    assert [(row[0], row[3]) for row in table.rows] == [(1, 0.8), (2, 0.7)], "the plot has the numbers"
    assert len(table.widths) == len(table.heads)
    assert [row[3] for row in table.shown] == ["0.800", "0.700"], "figures of a column have as many digits"
    assert [row[5] for row in table.shown] == ["1.00", ""]


def test_a_result_says_when_it_is_of_an_earlier_question():
    decided = events.Recommended(recommendation=recommendation())
    listed = events.Shortlisted(shortlist=Shortlist(requirements=Requirements(), kept=(), rejected=(), considered=0))
    measuring = "This result is of the earlier question; a new one is being measured."
    assert outdated([], busy=False) is None
    assert outdated([listed, STARTED], busy=True) is None
    assert outdated([STARTED, decided], busy=False) is None
    assert outdated([decided, events.Heard(text="why?"), events.Said(text=say("yes"))], busy=True) is None
    assert str(outdated([decided, listed, STARTED], busy=True)) == measuring
    assert "not been decided" in str(outdated([decided, listed], busy=False))
    planned = events.Planned(plan=Plan(candidates=(), documents=0, queries=0))  # same demands, others measured
    assert "not been decided" in str(outdated([decided, planned], busy=False))
    assert outdated([decided, listed, STARTED, decided], busy=False) is None


def test_nothing_is_promised_of_a_result_that_was_not_measured():
    def where(measured):
        found = recommendation().model_copy(update={"measured": measured})
        told = [events.Recommended(recommendation=found), events.Reported(markdown="m", html="h", json_file="j")]
        return chat_messages(told, "en")[-1]["content"]

    assert "what was measured" in where(True)
    assert "published figures alone" in where(False)
    assert "plot" not in where(False)


def test_query_by_query_says_where_all_queries_are_equal():
    even = HeadToHead.model_construct(
        first="st:a/b", second="st:a/b?precision=bf16", metric="nDCG@10", wins=0, losses=0, draws=35, duels=()
    )
    assert "score the same on every one of 35 queries" in duel_html(even, None, "en")


# ---------------------------------------------------------------- beside the chat


def test_the_list_of_conversations_is_escaped_links_with_the_one_shown_marked():
    openings = [Opening("a", HOSTILE, 1000.0), Opening("b", "", 0.0), Opening("c", "x" * 200, 900.0)]
    made = thread_list(openings, "b", {"a"}, "en", now=1000.0)
    assert "<img" not in made
    assert made.count("<a ") == 3
    assert '<a href="/en/?thread=b" aria-current="page">Data without a word<small>16 min ago' in made
    assert "at work" in made
    assert "x" * 59 + "…" in made


def test_requirements_can_be_changed_one_by_one():
    made = needs_list(needs(Requirements(summary=HOSTILE), "en"), "en")
    assert made.count("data-about=") == 2
    assert 'data-about="task"' in made
    assert "assumed" in made


def test_a_preview_escapes_what_strangers_wrote():
    file = FilePreview(
        name=HOSTILE,
        part="table",
        columns=(HOSTILE, "text"),
        rows=((HOSTILE, HOSTILE),),
        guessed={"text": "text"},
        problem=Problem(cause=say("licence {license}", license=HOSTILE), next_step=say("yes")),
    )
    made = preview_html(Preview(name="x", files=(file,)), "en")
    assert "<img" not in made
    assert "document: text" in made


def test_a_preview_of_data_without_judged_queries_says_that_some_are_made():
    bare = DatasetSummary(name="d", path="d", hash="0", format="x", documents=40, queries=0, judgments=0)
    assert "silver queries" in preview_html(Preview(name="d", summary=bare), "en")
    assert "银标查询" in preview_html(Preview(name="d", summary=bare), "zh")
    judged = bare.model_copy(update={"queries": 3, "judgments": 3})
    assert "silver" not in preview_html(Preview(name="d", summary=judged), "en")


def test_a_preview_says_each_problem_once_and_how_it_was_read():
    first = Problem(cause=say("licence {license}", license="BAD"), next_step=say("yes"))
    more = Problem(cause=join([first.cause, say("no")]), next_step=say("yes"))
    other = Problem(cause=say("licence {license}", license="OTHER"), next_step=say("yes"))
    note = say("{file} is not UTF-8; it was read as {encoding}.", file="a.csv", encoding="Big5")
    files = tuple(
        FilePreview(name="a.csv", part="table", columns=("text",), rows=(("x",),), notes=(note,), problem=problem)
        for problem in (first, other)
    )
    for whole in (first, more):
        made = preview_html(Preview(name="x", files=files[:1], problem=whole), "zh")
        assert (made.count("BAD"), made.count("→")) == (1, 1)
    made = preview_html(Preview(name="x", files=files, problem=more), "zh")
    assert (made.count("BAD"), made.count("OTHER")) == (1, 1)
    assert note.render("zh") in made


@pytest.mark.parametrize("readable", [True, False])
def test_data_that_cannot_be_read_cannot_be_used(readable):
    view = pytest.importorskip("app.chat.view", reason="gradio is not installed (extra ui)")
    problem = None if readable else Problem(cause=say("yes"), next_step=say("yes"))
    made = view.offer_parts(Offer(DataSource(path="x"), Preview(name="x", problem=problem)), "en")
    assert len(made) == view.OFFER
    assert made[-1]["interactive"] is readable


def test_what_is_demanded_is_offered_as_an_answer_that_means_the_same():
    demands = RULES.understand(
        "English texts on our own servers, p95 under 70 ms, 1M documents, no GPU", Requirements(), None
    )
    before = demands.requirements
    for about in (*(c.kind for c in before.constraints), "documents", "gpu", "task", "margin"):
        for language in LANGUAGES:
            words = as_answer(before, about, language)
            asked = asked_about(about)
            choice = picked(words, asked)
            if choice is None:
                after = RULES.understand(words, before, asked).requirements
                assert value_of(after, about) == value_of(before, about), (about, words)
    assert as_answer(before, "languages", "zh") == "英语"
    assert as_answer(before, "cost", "en") is None


def test_labels_that_gradio_leaves_in_english_are_said_in_the_pages_language():
    assert "复制消息" in head("zh", None)
    assert "Copy message" not in head("en", None)


# ---------------------------------------------------------------- transcript


def test_conversations_are_listed_by_their_first_words_the_latest_first(tmp_path):
    transcript = Transcript(tmp_path / "threads")
    assert transcript.recent() == []
    transcript.add("old", events.Said(text=say("yes")))
    transcript.add("old", events.Heard(text="", data=DataSource(path="x"), number=1))
    transcript.add("old", events.Heard(text="  first\n words ", number=2))
    transcript.add("silent", events.Said(text=say("yes")))
    transcript.add("data", events.Heard(text="", data=DataSource(path="x"), number=1))
    for number, name in enumerate(("old", "silent", "data")):
        os.utime(tmp_path / "threads" / f"{name}.jsonl", (number, number))
    assert [(o.thread, o.words, o.changed) for o in transcript.recent()] == [
        ("data", "", 2.0),
        ("old", "first words", 0.0),
    ]
    assert len(transcript.recent(1)) == 1


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
