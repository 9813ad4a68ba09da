"""Answers to questions: from what is known, whatever stage the conversation is in."""

import pytest

from agent.answering.asked_here import asked_here, variants
from agent.answering.measured import corpus_rate, scores_of
from agent.answering.migration import on_migration
from agent.answering.subjects import subject_of
from agent.answers import answer, as_question_of_knowledge
from agent.descriptions import assumptions
from agent.graph import make_context
from agent.settings import Settings
from agent.state import State
from agent.understanding.base import Question, Understood
from agent.understanding.language import reply_language
from agent.understanding.rules import RuleUnderstanding
from knowledge import quantities
from knowledge.guidance import load_notes
from knowledge.requirements import Requirements
from knowledge.results import Interval, Plan, PlannedCandidate, Row
from knowledge.wording import say
from tools.shortlist import shortlist


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return make_context(Settings(home=tmp_path_factory.mktemp("home"), offline=True))


def ask(context, kind, *models, **state):
    understood = Understood(requirements=Requirements(), intent="question", question=Question(kind=kind, models=models))
    return answer(understood, State(requirements=Requirements(), **state), context)


def row(spec, standing, **more):
    return Row(spec=spec, standing=standing, quality=Interval(mean=0.5, low=0.4, high=0.6), **more)


class Decided:
    """As much of a recommendation as answers look at."""

    winner, best, runner_up, primary, margin, run_id = "rrf(bm25, st:BAAI/bge-m3)", None, None, "nDCG@10", 0.02, "R1"
    measured = True
    rows = (
        row("rrf(bm25, st:BAAI/bge-m3)", "winner"),
        row("st:BAAI/bge-m3?dim=256", "undecided"),
        row("st:BAAI/bge-m3", "worse", difference=Interval(mean=-0.1, low=-0.2, high=0.0), p_different=0.01),
        row("bm25", "excluded", excluded_by=say("too slow")),
    )


@pytest.mark.parametrize("kind", ["why_not", "why", "what_if", "show_model", "compare", "other"])
@pytest.mark.parametrize("models", [(), ("bge-m3",), ("no/such-model", "bge-m3"), ("<b>{x}</b>",)])
def test_every_question_has_an_answer_in_both_languages(context, kind, models):
    found = ask(context, kind, *models)
    assert found.render("en")
    assert found.render("zh")


def test_a_model_on_the_shortlist_and_one_that_is_not(context):
    found = shortlist(Requirements(), context.catalog, context.scores)
    first, rejected = found.kept[0].model, found.rejected[0]
    assert "1" in str(ask(context, "why_not", first, shortlist=found))
    assert str(rejected.reason) in str(ask(context, "why_not", rejected.model, shortlist=found))
    blocked = PlannedCandidate(spec="st:x", model=first, why=say("you named it"), obstacle=say("the hub is down"))
    plan = Plan(candidates=(), not_measured=(blocked,), documents=1, queries=1)
    assert "the hub is down" in str(ask(context, "why_not", first, shortlist=found, plan=plan))


def test_of_several_set_ups_the_plainest_answers_for_the_model(context):
    found = str(ask(context, "why_not", "bge-m3", recommendation=Decided))
    assert found.startswith("st:BAAI/bge-m3: measured")
    assert "0.100" in found
    assert "rrf" in str(ask(context, "why_not", "rrf(bm25, st:BAAI/bge-m3)", recommendation=Decided))
    assert "too slow" in str(ask(context, "why_not", "bm25", recommendation=Decided))


def asked(context, words, **state):
    """The answer to a question as the rules read it."""
    understood = RuleUnderstanding().understand(words, Requirements(), None)
    assert understood.intent == "question", words
    return answer(understood, State(requirements=Requirements(), **state), context)


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("what is Matryoshka?", "matryoshka"),
        ("什么是 Matryoshka？", "matryoshka"),
        ("how do I deploy it?", "deployment"),
        ("is the 2 % worth it?", "worth-it"),
        ("多花一倍的钱换 2% 值得吗？", "worth-it"),
        ("what is CLIP?", "multimodal"),
        ("what is bm25", "bm25"),
        ("explain RRF", "hybrid-rrf"),
        ("why do you correct for several comparisons?", "significance"),
        ("HNSW 和 IVF 的区别", "ann-index"),
        ("compare hnsw and ivf?", "ann-index"),
    ],
)
def test_questions_of_knowledge_are_answered_by_a_note_that_is_named(context, words, note):
    language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in words) else "en"
    found = asked(context, words, language=language).render(language)
    assert found.startswith(load_notes()[note].text.in_language(language))
    assert f"“{note}”" in found


def test_a_figure_of_a_note_is_cited_with_its_date(context):
    assert "2025-08-28" not in str(asked(context, "what is Matryoshka?"))
    assert "OpenAI, New embedding models and API updates, 2024-01-25" in str(asked(context, "what is Matryoshka?"))


@pytest.mark.parametrize("words", ["what is the capital of France?", "红烧肉怎么做？", "how do I center a div in CSS?"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_nobody_knows_is_said_to_be_unknown(context, words, language):
    found = asked(context, words, language=language).render(language)
    assert found.startswith("我不知道" if language == "zh" else "I do not know")
    assert "note “" not in found
    assert "笔记“" not in found


def test_models_are_still_models(context):
    assert "568 million parameters" in str(asked(context, "tell me about bge-m3"))
    assert str(asked(context, "why not CLIP?")) != str(asked(context, "what is CLIP?"))
    assert str(asked(context, "explain your choice")) == "Nothing is decided yet."
    assert str(asked(context, "why?")) == "Nothing is decided yet."


class Measured(Decided):
    """A decision with figures."""

    winner, best, runner_up, primary, margin, run_id = "bm25", "st:BAAI/bge-m3", None, "nDCG@10", 0.02, "R7"
    rows = (
        row("bm25", "winner", query_p95_ms=1.25, documents_per_second=900.0, bytes_per_vector=321.0),
        row("st:BAAI/bge-m3", "tied", query_p95_ms=88.0),
    )


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("is it worth it?", ("run R7", "nDCG@10", "0.500", "0.02", "p95 88 ms against p95 1.2 ms")),
        ("how do I deploy it?", ("Recommended here: bm25", "p95 1.2 ms", "900 documents", "321 bytes")),
        ("why p99 and not the average?", ()),
        ("what does p95 mean?", ("run R7", "p95 1.2 ms")),
        ("how much memory does the index take?", ("321 bytes",)),
    ],
)
def test_what_was_measured_here_stands_beside_the_note(context, words, figures):
    class Reasons(Measured):
        headline, reasons, confidence = say("It is the recommendation."), (), say("It is the recommendation.")

    found = str(asked(context, words, recommendation=Reasons))
    assert all(figure in found for figure in figures), found
    assert "321 bytes" not in str(asked(context, words)), "nothing of it without a measurement"


@pytest.mark.parametrize(
    "text", ["ColBERT", "mrr", "切块", "cosine vs dot product", "ndcg怎么看", "reranker or bigger model"]
)
def test_a_term_alone_asks_for_it(context, text):
    found = as_question_of_knowledge(Understood(requirements=Requirements()), text, context)
    assert found.question
    assert found.question.words == text


@pytest.mark.parametrize("text", ["test", "数据", "thanks", "", "???", "qwertz uiop", "the data", "你好", "ok cool"])
def test_other_words_ask_nothing(context, text):
    found = as_question_of_knowledge(Understood(requirements=Requirements()), text, context)
    assert found.question is None


@pytest.mark.parametrize(
    ("text", "asks"), [("这个工具怎么决定谁赢", True), ("我们的客服同事平时都是自己翻文档找答案", False)]
)
def test_a_long_reply_is_a_question_only_where_it_asks(context, text, asks):
    understood = Understood(requirements=Requirements(), intent="inform")
    assert (as_question_of_knowledge(understood, text, context).question is not None) is asks


@pytest.mark.parametrize("intent", ["inform", "decide", "confirm", "decline", "stop", "greeting"])
def test_what_was_understood_otherwise_stays_so(context, intent):
    understood = Understood(requirements=Requirements(), intent=intent)
    assert as_question_of_knowledge(understood, "ColBERT", context) is understood


def test_the_question_carries_its_own_words():
    understood = RuleUnderstanding().understand("We need German. What is MRR? Thanks.", Requirements(), None)
    assert understood.question.words == "What is MRR?"


def test_what_if_names_what_would_change(context):
    def what_if(text):
        return str(answer(RuleUnderstanding().understand(text, Requirements(), None), state, context))

    state = State(requirements=Requirements(), shortlist=shortlist(Requirements(), context.catalog, context.scores))
    assert "New, and to be measured: " in what_if("what if the documents were Chinese?")
    assert "without" in what_if("what if it were Thai, commercial, at most 2 dimensions?")
    assert "New, " not in what_if("what if?")


@pytest.mark.parametrize(
    ("known", "text", "language"),
    [
        (None, "", "en"),
        (None, "我要搜索中文文档", "zh"),
        (None, "search", "en"),
        ("zh", "", "zh"),
        ("zh", "2", "zh"),
        ("zh", "/data/some folder/corpus.jsonl", "zh"),
        ("zh", "bge-m3", "zh"),
        ("zh", "yes please", "zh"),
        ("zh", "please answer in English now", "en"),
        ("en", "", "en"),
        ("en", "直接决定", "zh"),
    ],
)
def test_the_language_of_the_reply(known, text, language):
    assert reply_language(text, known) == language


def told(answered, words, name="decided"):
    """What a conversation answers, read as its own node reads it."""
    state, context = answered.state(name), answered.context
    understood = RuleUnderstanding().understand(words, state["requirements"], None)
    understood = as_question_of_knowledge(understood, words, context)
    assert understood.intent == "question", words
    return str(answer(understood, state, context))


@pytest.mark.parametrize("words", ["how confident are you", "how sure are you?", "有多大把握"])
def test_how_sure_is_told_by_the_tests(answered, context, words):
    first, sample, *lines = told(answered, words).splitlines()
    winner = answered.state("decided")["recommendation"].winner
    assert sample.startswith(f"It rests on 60 queries over 30 documents: {winner} scores nDCG@10 1.000 (E")
    assert first == "Not very: your queries are too few to tell any of the 3 others compared from the best."
    assert " ".join(lines) == str(answered.state("decided")["recommendation"].confidence)
    assert told(answered, words, "unmeasured").startswith("Not sure: nothing was measured here")
    read = as_question_of_knowledge(RuleUnderstanding().understand(words, Requirements(), None), words, context)
    assert str(answer(read, State(requirements=Requirements()), context)) == "Nothing is decided yet."


def test_what_is_assumed_and_what_was_asked_for(answered):
    for words in ("what did you assume?", "你假设了什么"):
        assert told(answered, words) == str(assumptions(answered.state("decided")["requirements"]))
    for words in ("what did I ask for?", "我的要求是什么"):
        found = told(answered, words)
        assert "English search, just decide" in found
        assert "- languages: English" in found
    question = Question(kind="other", words="what did I ask for?")
    nothing = asked_here(question, State(requirements=Requirements()), answered.context)
    assert str(nothing) == "You have asked for nothing particular yet."


@pytest.mark.parametrize("words", ["tell me about the winner", "the recommended one", "介绍一下推荐的模型"])
def test_the_winner_goes_by_that_name(answered, words):
    winner = answered.state("decided")["recommendation"].winner
    assert f"{winner}: measured" in told(answered, words)
    assert answered.state("unmeasured")["recommendation"].winner in told(answered, words, "unmeasured")


@pytest.mark.parametrize("words", ["how do I migrate to another model?", "how long would changing the model take?"])
def test_another_model_is_told_by_what_was_timed(answered, words):
    state = answered.state("decided")
    recommendation, found = state["recommendation"], told(answered, words)
    assert found.startswith(f"Another model than {recommendation.winner} means a second collection")
    assert "note “model-change”" in found
    assert "no other model was timed here" in found, "all of them are WordLlama's, cut or not"
    words_won = State(**state | {"recommendation": recommendation.model_copy(update={"winner": "bm25"})})
    changed = str(on_migration(words_won, answered.context))
    row = next(row for row in recommendation.rows if row.spec == "static:wordllama?dim=64")
    took = quantities.duration(30 / corpus_rate(row, state))
    assert f"To {row.spec}: {took}, at" in changed
    assert f"and {quantities.storage(30 * row.bytes_per_vector)} in the index" in changed
    assert "To bm25:" not in changed
    unmeasured = told(answered, words, "unmeasured")
    assert unmeasured.startswith("Vectors of two models"), unmeasured


def test_evidence_is_shown_by_its_id(answered):
    known = answered.state("decided")["recommendation"].evidence
    for words in (f"what does {known[-1].id} mean?", f"{known[-1].id} 是什么意思"):
        found = told(answered, words)
        assert found.startswith(f"{known[-1].id}: {known[-1].about}")
        assert str(known[-1].source) in found
    assert f"There is no evidence E9999 behind this recommendation; it has {len(known)}" in told(
        answered, "what does E9999 mean?"
    )


def test_the_queries_that_found_nothing_are_counted(answered):
    state = answered.state("decided")
    found = told(answered, "which queries did it get wrong?")
    scores = scores_of(state["evaluation"], answered.context)[state["recommendation"].winner]
    zero = [query for query, score in scores.items() if score == 0]
    assert f"on {len(zero)} of {len(scores)} queries" in found
    assert all(query in found for query in zero[:5])
    assert "No query was measured" in told(answered, "which queries did it get wrong?", "unmeasured")


@pytest.mark.parametrize("words", ["why not dim=64?", "why not wordllama with 64 dimensions?", "为什么不用 64 维"])
def test_a_measured_variant_goes_by_its_options(answered, words):
    assert told(answered, words).startswith("static:wordllama?dim=64: measured")


def test_options_are_not_found_in_other_words():
    class Variants:
        rows = (row("st:a/b?precision=int8&backend=onnx", "tied"), row("st:a/b?dim=64", "tied"), row("bm25", "tied"))

    assert [r.spec for r in variants("why not int8?", (), Variants)] == ["st:a/b?precision=int8&backend=onnx"]
    assert not variants("why not int8?", ("bge-m3",), Variants)
    assert not variants("why not 64 GB?", (), Variants)
    assert not variants("why not paint8?", (), Variants)


@pytest.mark.parametrize(
    "words",
    [
        "what is E5?",
        "what if I assume 512 dimensions?",
        "how sure is the privacy of an API?",
        "go with the recommended one",
        "有什么假设检验方法",
        "what is e5-base",
        "",
    ],
)
def test_other_questions_are_not_about_the_conversation(words):
    assert subject_of(words) is None


def test_a_reply_that_picks_the_recommended_one_stays_a_reply(context):
    picked = Understood(requirements=Requirements(), intent="confirm")
    assert as_question_of_knowledge(picked, "the recommended one", context) is picked
