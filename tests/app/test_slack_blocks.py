"""What is built for Slack keeps its limits whatever is in it; deliveries and payloads, each by itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import events
from app.slack import blocks, buttons, reading
from app.slack.deliveries import KEYS_KEPT, Deliveries, Told
from app.slack.messages import groups, outgoing
from app.slack.records import Commanded, Place, Said, SlackFile
from app.wording import Line
from knowledge.progress import Progress
from knowledge.wording import Text
from tests.app.fake_slack import ME, TOKEN, FakeSlack, check_message

PLACE = Place(team="T01", channel="C01", ts="1.000001")
#: words of any length and any characters; some that Slack reads as marks
WORDS = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="ab \n<>&*_~`!@#|:", max_size=400),
    st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=20), st.integers(1, 2000)),
).map(lambda text: text.encode("utf-8", "replace").decode())
LINES = st.lists(
    st.builds(Line, WORDS, st.sampled_from(["", "·", "?", "!", "1.", "12."]), st.integers(0, 12)), max_size=60
)


def check(made) -> None:
    for message in made:
        check_message(message.text, message.blocks)
        for mark in ("<!", "<#", "<http"):
            assert mark not in message.text


@settings(max_examples=40, deadline=None)
@given(LINES, st.lists(st.lists(WORDS, max_size=25), max_size=120), st.lists(WORDS, max_size=70), WORDS)
def test_messages_of_blocks_keep_the_limits(lines, rows, labels, words):
    found = [blocks.Button(label, buttons.action("answer"), json.dumps({"label": label})) for label in labels]
    built = [*blocks.lines(lines), *blocks.paragraphs(words, bold=True), *blocks.small(words), *blocks.table(rows)]
    built += [*blocks.table(rows), *blocks.buttons(found), *[blocks.opinion("yes", "no", "a")] * 60]
    made = blocks.messages(blocks.addressed(built, "U0ANN"))
    texts = ["\n".join(filter(None, map(blocks.text_of, message))) or "-" for message in made]
    for message, text in zip(made, texts, strict=True):
        check_message(text, message)
    said = "".join(blocks.escape(words).split())
    assert said in "".join("".join(texts).split())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["said", "question", "failed", "heard"]), WORDS, st.lists(WORDS))), WORDS)
def test_messages_of_events_keep_the_limits(told, user):
    def event(kind, words, answers):
        text = Text.model_validate(words)
        made = {
            "said": lambda: events.Said(text=text),
            "question": lambda: events.Question(
                about="data", text=text, answers=tuple(map(Text.model_validate, answers))
            ),
            "failed": lambda: events.Failed(error="DatasetError", cause=text, next_step=text, exit_code=3),
            "heard": lambda: events.Heard(text=words, number=1),
        }
        return made[kind]()

    found = groups([event(*one) for one in told])
    assert [len(group.events) for group in found if not group.events] == []
    assert sum(len(group.events) for group in found) == len(told)
    for group in found:
        check(outgoing(group.events, "zh", begun=False, user="U0BOB"))


def test_what_belongs_together_is_one_message():
    words = Text(template="words")
    heard, word, stop = events.Heard(text="x", number=1), events.Said(text=words), events.Heard(text="stop")
    asked = events.Question(about="latency", text=words)
    job = events.StageStarted(stage="evaluate", text=words)
    found = groups([heard, word, word, asked, job, stop, word, word])
    assert [(group.end, group.closed) for group in found] == [
        (1, True),
        (4, True),
        (5, True),
        (6, True),
        (7, True),  # the answer to “stop” does not wait for what runs
        (8, False),
    ]


@given(WORDS)
def test_pieces_lose_nothing(words):
    made = list(blocks.pieces(words, 50))
    assert all(0 < len(piece) <= 50 for piece in made)
    assert "".join("".join(made).split()) == "".join(words.split())


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (f"<@{ME}> hello", "hello"),
        (f"hello <@{ME}|advisor>: there", "hello there"),
        ("<!channel> <#C1|general> &lt;b&gt; &amp;amp;", "general <b> &amp;"),
        (f"<@U0ANN>, <@U0BOT> <!here> hello <@{ME}>", "hello"),
        ("see <https://a.example/x|a page> and <https://b.example>", "see a page and https://b.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
    ],
)
def test_slacks_marks_are_taken_off(text, plain):
    assert reading.plain(text, ME) == plain


@settings(max_examples=100)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.sampled_from(["C01", "1.1", "U1"])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["event", "user", "ts", "channel", "team_id", "files", "actions", "message", "text", "id", "name"]
                ),
                inner,
                max_size=6,
            ),
        ),
        max_leaves=30,
    ).filter(lambda found: isinstance(found, dict))
)
def test_no_payload_breaks_the_reading(body):
    for read in (lambda b: reading.said(b, ME), reading.clicked, reading.commanded, reading.opened):
        read(body)


# ---- deliveries


def said(ts="1.000002", text="hello", files=()):
    return Said(place=PLACE, user="U0ANN", ts=ts, text=text, files=files)


FILE = SlackFile(id="F1", name="a.csv", size=1, url="https://files.slack.com/a.csv")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def two(tmp_path, clock):
    made = [Deliveries(tmp_path / "slack.sqlite", clock) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def test_what_comes_again_is_not_kept_again(two):
    first, second = two
    assert first.accept(said(), "line", "event:1")
    assert not second.accept(said(), "line", "event:1")
    assert not second.accept(said(), "line", "event:2")  # the same message, as another event
    assert first.id == second.id


def test_files_that_come_with_the_second_event_are_kept(two):
    first, _ = two
    assert first.accept(said(), "line", "event:1")
    assert first.accept(said(files=(FILE,)), "line", "event:2")
    kept = first.take("line")
    first.done(kept.number)
    assert kept.delivery.text == "hello"
    assert kept.delivery.files == ()
    kept = first.take("line")
    assert (kept.delivery.text, kept.delivery.files) == ("", (FILE,))
    assert not first.accept(said(files=(FILE,)), "line", "event:3")


def test_a_line_is_dealt_with_in_order_and_by_one(two):
    first, second = two
    for number in range(3):
        first.accept(said(f"1.{number}", f"word {number}"), "line", f"event:{number}")
    taken = first.take("line")
    assert taken.delivery.text == "word 0"
    assert second.take("line") is None
    assert second.left() == ["line"]  # what waits behind it belongs to nobody yet
    first.done(taken.number)
    assert second.take("line").delivery.text == "word 1"


def test_what_a_dead_process_left_is_taken_over(two):
    first, second = two
    first.accept(said(), "line", "event:1")
    taken = first.take("line")
    assert second.left() == []
    assert second.take("line") is None
    assert not second.bury()
    first._life.release()  # as the system does when a process ends
    assert second.left() == ["line"]
    assert second.bury()
    assert not second.bury()
    again = second.take("line")
    assert again == taken
    # what is done once is done by this delivery, whoever deals with it
    assert first.claim("click", taken.number)
    assert second.claim("click", again.number)
    assert not second.claim("click", again.number + 1)
    second.done(again.number)
    assert first.take("line") is None


def test_keys_are_forgotten_after_a_while(two, clock):
    first, _ = two
    first.accept(said(), "line", "event:1")
    first.done(first.take("line").number)
    clock.now += KEYS_KEPT + 1
    assert first.accept(said("1.3"), "line", "event:2")
    assert first.accept(said(), "line", "event:1")


def test_what_was_told_is_known(two):
    first, second = two
    first.know(PLACE)
    assert second.place(PLACE.thread) == PLACE
    assert second.told(PLACE.thread) == Told(0, 0)
    first.tell(PLACE.thread, Told(10, 2))
    assert second.told(PLACE.thread) == Told(10, 2)
    first.spoke(PLACE.thread, 7, "U0ANN")
    assert second.speakers(PLACE.thread) == {7: "U0ANN"}
    first.keep_job(PLACE.thread, {"ts": "1.1"})
    assert second.job(PLACE.thread) == {"ts": "1.1"}
    first.keep_job(PLACE.thread, None)
    assert second.job(PLACE.thread) is None
    assert second.threads() == [PLACE.thread]


def test_a_command_knows_its_thread_once_it_is_posted(two):
    first, second = two
    command = Commanded(team="T01", channel="C01", user="U0ANN", text="x", trigger="1.1")
    first.accept(command, "command 1.1", "command:1.1")
    taken = first.take("command 1.1")
    first.change(taken.number, command.model_copy(update={"place": PLACE}))
    assert first.take("command 1.1").delivery.place == PLACE
    assert second.take("command 1.1") is None


@pytest.mark.parametrize(
    "ids", [("T01", "../x", "1.1"), ("T01", "C01", "1.1/.."), (None, "C01", "1.1"), ("t", "C", "1")]
)
def test_only_slacks_ids_name_a_place(ids):
    assert Place.of(*ids) is None


def test_a_status_that_the_workspace_does_not_have_is_not_tried_again(tmp_path):
    pytest.importorskip("slack_sdk", reason="slack-bolt is not installed (extra slack)")
    from agent.settings import Settings
    from app.slack.teller import Teller, _Turn
    from app.slack.web import Web, make_client

    slack = FakeSlack()
    try:
        web = Web(make_client(Settings(slack_bot_token=TOKEN, slack_api_url=slack.api_url)))
        teller = Teller(None, None, web, tmp_path)
        for _ in range(2):
            teller._show_status(PLACE, _Turn(), "is thinking")
        assert len(slack.calls) == 2  # only not here, or not now
        slack.refuse["assistant.threads.setStatus"] = "missing_scope"
        for _ in range(3):
            teller._show_status(PLACE, _Turn(), "is thinking")
        assert len(slack.calls) == 3
    finally:
        slack.close()


# ---- a long job


@pytest.fixture
def job(two, clock):
    pytest.importorskip("slack_sdk", reason="slack-bolt is not installed (extra slack)")
    from agent.settings import Settings
    from app.slack.job import Job
    from app.slack.web import Web, make_client

    slack = FakeSlack()
    web = Web(make_client(Settings(slack_bot_token=TOKEN, slack_api_url=slack.api_url)))
    two[0].know(PLACE)
    yield slack, lambda: Job(web, two[0], PLACE, "en", "U0ANN", clock)
    slack.close()


BEGUN = events.StageStarted(stage="evaluate", text=Text(template="Measuring"))


def come(done):
    label = Text(template="documents")
    return Progress(stage="evaluate", label=label, done=done, total=100, elapsed_seconds=done, eta_seconds=100 - done)


def changes(slack, method="chat.update"):
    return [arguments for name, arguments in slack.calls if name == method]


def test_a_job_is_shown_in_one_message_that_changes_now_and_then(job, clock):
    slack, make = job
    shown = make()
    shown.note(BEGUN)
    (message,) = slack.messages.values()
    assert "[Stop]" in message["text"]
    for done in range(50):
        clock.now += 0.3
        shown.progress(come(done))
    assert 4 <= len(changes(slack)) <= 6  # fifteen seconds
    assert "%" in message["text"]
    again = make()  # as after a kill
    assert again.open
    again.note(events.StageDone(stage="evaluate", seconds=20))
    again.end()
    assert message["text"] == "✓ Measuring (20 s)"
    assert len(slack.messages) == 1
    assert not make().open


def test_a_job_that_was_stopped_says_so(job):
    slack, make = job
    shown = make()
    shown.note(BEGUN)
    shown.end()
    (message,) = slack.messages.values()
    assert message["text"] == "✗ Measuring: It was interrupted."


def test_a_stream_that_ends_by_itself_goes_on_as_a_message(job, clock):
    slack, make = job
    slack.can = {"streams"}
    shown = make()
    shown.note(BEGUN)
    (message,) = slack.messages.values()
    clock.now += 5
    shown.progress(come(10))
    assert message["chunks"][-1]["details"]
    message["streaming"] = False
    clock.now += 5
    shown.progress(come(20))
    assert "20%" in message["text"]
    shown.end()
    assert len(slack.messages) == 1


def test_a_job_whose_message_was_deleted_gets_another(job, clock):
    slack, make = job
    shown = make()
    shown.note(BEGUN)
    slack.messages.clear()
    clock.now += 5
    shown.progress(come(10))
    assert len(slack.messages) == 1
