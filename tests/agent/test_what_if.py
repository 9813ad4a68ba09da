"""What-if: the stored measurements decide again, and nothing of the conversation is touched."""

import re

import pytest

from agent.answering.relative import Relative, read_relative
from agent.redo import asks_to_redo, means_other_data
from tests.animals import write_dataset
from tools.run_store import RunStore


@pytest.fixture
def advisor(answered):
    return answered


def said(advisor, thread, text, language="en"):
    events = list(advisor.reply(thread, text))
    return "\n".join(event.text.render(language) for event in events if event.kind == "said")


def recommended(advisor):
    found = advisor.state("decided")["recommendation"]
    assert found.winner
    return found


@pytest.mark.parametrize(
    "text",
    [
        "what if we get an A100?",
        "what if we need Apache?",
        "what if 20 ms?",
        "what if half the storage?",
        "what if the documents were German?",
        "如果存储减半呢？",
        "如果有一张 A100 呢？",
        "what if at most 1 MB of memory?",
    ],
)
def test_the_original_is_kept(advisor, text):
    before = dict(advisor.state("decided"))
    answer = said(advisor, "decided", text)
    assert recommended(advisor).winner in answer
    after = dict(advisor.state("decided"))
    for changing in ("message", "understood", "language", "more", "offered"):
        before.pop(changing, None), after.pop(changing, None)
    assert after == before


def fallen(answer):
    """Who falls out, by what is said."""
    lines = [line for line in answer.splitlines() if line.startswith(("Falls out: ", "Fall out: "))]
    named = [re.split(r": |; the first of them", line.split("out: ", 1)[1])[0] for line in lines]
    return [spec for names in named for spec in re.split(r", (?![^(]*\))", names)]


def test_a_limit_that_the_winner_breaks_gives_the_place_to_another(advisor):
    decided = recommended(advisor)
    winner = next(row for row in decided.rows if row.spec == decided.winner)
    lighter = [row for row in decided.rows if row.peak_memory_mb < winner.peak_memory_mb * 0.9]
    limit = winner.peak_memory_mb * 0.95
    answer = said(advisor, "decided", f"what if at most {limit:.0f} MB of memory?")
    assert winner.spec in fallen(answer)
    told = [
        f"measured peak {row.peak_memory_mb:,.0f} MB" in answer for row in decided.rows if row.spec in fallen(answer)
    ]
    assert any(told), "of several, the first is told with its figure"
    if lighter:
        assert f"instead of {winner.spec}" in answer
    else:
        assert "None of the 4 measured candidates would be left" in answer


def test_half_the_storage_is_half_of_what_the_winner_takes(advisor):
    decided = recommended(advisor)
    size = next(row.bytes_per_vector for row in decided.rows if row.spec == decided.winner)
    answer = said(advisor, "decided", "what if half the storage?")
    assert f"at most {size / 2:,.0f} bytes per document" in answer
    assert decided.winner in fallen(answer)
    assert f"{size:,.0f} bytes per document" in answer
    staying = [row.spec for row in decided.rows if row.bytes_per_vector <= size / 2]
    assert ("None of the 4" in answer) == (not staying)
    assert not set(staying) & set(fallen(answer))
    assert "Say “at most" in answer


def test_speed_on_another_machine_is_not_known(advisor):
    answer = said(advisor, "decided", "what if we get an A100?")
    assert "is not known" in answer
    assert "A100" in answer


def test_other_texts_are_not_decided_from_what_was_measured(advisor):
    answer = said(advisor, "decided", "what if the documents were German?")
    assert "on other texts it would have to be measured again" in answer
    assert "instead of" not in answer


def test_without_its_scores_nothing_is_decided_again(advisor, monkeypatch):
    monkeypatch.setattr(RunStore, "query_scores", lambda self, key, metric: {})
    answer = said(advisor, "decided", "what if 20 ms?")
    assert "are gone" in answer


def test_without_a_measurement_the_list_answers_with_reasons(advisor):
    answer = said(advisor, "unmeasured", "what if 20 ms?")
    assert "Gone: " in answer
    assert "estimated by its size; you allow 20 ms" in answer
    assert "Nothing was changed" in answer
    halved = said(advisor, "unmeasured", "what if half the storage?")
    first = advisor.state("unmeasured")["shortlist"].kept[0].model
    dimension = advisor.context.catalog.card(first).dimension
    assert f"at most {dimension // 2:,} dimensions instead of the {dimension:,} of {first}" in halved


def test_a_demand_that_nothing_meets(advisor):
    answer = said(advisor, "unmeasured", "what if Thai, at most 16 dimensions and 1 MB of memory?")
    assert "Nothing was changed" in answer
    assert "New, and" not in answer


def test_no_share_of_nothing(advisor):
    assert "neither a limit of yours nor a measured figure" in said(advisor, "unmeasured", "what if half the latency?")


def test_in_chinese(advisor):
    answer = said(advisor, "decided", "如果只要 20 毫秒呢？", "zh")
    assert answer.startswith("假设")
    assert "推荐仍是" in answer
    assert not any(word in answer for word in ("Supposing", "Gone", "measured"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("what if half the storage?", Relative("storage", 0.5)),
        ("what if we had a quarter of the memory", Relative("memory", 0.25)),
        ("what if it had to be twice as fast?", Relative("latency", 0.5)),
        ("如果索引只能有三分之一大呢", Relative("storage", 1 / 3)),
        ("如果内存减半呢？", Relative("memory", 0.5)),
        ("what if we had half the money?", None),
        ("what if 20 ms?", None),
        ("", None),
    ],
)
def test_relative_demands(words, expected):
    assert read_relative(words) == expected


@pytest.mark.parametrize(
    ("text", "redo", "other"),
    [
        ("redo it with my new data", True, True),
        ("measure everything again on our updated documents", True, True),
        ("用新数据重新测一遍", True, True),
        ("换成我的数据", True, True),
        ("run it again", True, False),
        ("再测一次", True, False),
        ("it is German", False, False),
        ("重要的是速度", False, False),
        ("yes, measure", False, False),
    ],
)
def test_which_messages_want_it_done_again(text, redo, other):
    assert (asks_to_redo(text), means_other_data(text)) == (redo, other)


@pytest.fixture
def thread(advisor, request):
    """A conversation of its own that has measured the same."""
    name, known = request.node.name, advisor.state("decided")
    list(advisor.reply(name, "English search, just decide", data=known["data"], specs=known["specs"]))
    list(advisor.reply(name, "yes"))
    return name


def test_redo_asks_for_the_data_and_measures_on_it(advisor, thread, tmp_path):
    first = advisor.state(thread)["recommendation"]
    events = list(advisor.reply(thread, "redo it with my new data"))
    assert [e.about for e in events if e.kind == "question"] == ["data"]
    assert advisor.state(thread)["recommendation"] == first, "the answer stays until the data comes"
    assert advisor.state(thread)["requirements"].domain is None, "new data is no news"
    new = write_dataset(tmp_path / "animals")
    _append(new, "newt")
    assert list(advisor.reply(thread, str(new)))[-1].about == "plan"
    list(advisor.reply(thread, "yes"))
    state = advisor.state(thread)
    assert state["evaluation"].dataset.documents == 31
    assert state["recommendation"].run_id != first.run_id
    _append(new, "toad")
    events = list(advisor.reply(thread, "run it again"))
    profiled = next(event.profile for event in events if event.kind == "profiled")
    assert profiled.dataset.documents == 32, "files of the same name are read anew"


def test_no_new_data_after_all(advisor, thread):
    first = advisor.state(thread)["recommendation"]
    list(advisor.reply(thread, "用我的新数据重做一遍"))
    assert advisor.state(thread)["asked"].about == "data"
    list(advisor.reply(thread, "I have none yet"))
    assert advisor.state(thread)["asked"] is None
    assert advisor.state(thread)["recommendation"] == first


def _append(folder, animal):
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as corpus:
        corpus.write(f'{{"_id": "{animal}", "title": "{animal}", "text": "About the {animal}: it sleeps in ponds."}}\n')
