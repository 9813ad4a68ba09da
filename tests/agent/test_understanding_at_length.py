"""Answers as people give them: in whole sentences, with an excuse, with a change of mind. Without a language model."""

import pytest

from agent import interview
from agent.understanding.base import Asked
from agent.understanding.rules import RuleUnderstanding
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.requirements import Requirements


@pytest.fixture(scope="module")
def rules():
    return RuleUnderstanding()


def question(about):
    if about in ("data", "plan"):
        return interview.DATA if about == "data" else interview.PLAN
    return Asked(about=about, answers=CONSTRAINTS[about].answers)


def demand(found, kind, name):
    constraint = found.requirements.constraint(CONSTRAINTS[kind])
    return None if constraint is None else getattr(constraint, name)


@pytest.mark.parametrize(
    ("said", "milliseconds"),
    [
        ("half a second would do", 500),
        ("it should take less than half a second", 500),
        ("a second is fine", 1000),
        ("within a second", 1000),
        ("一秒以内", 1000),
        ("一两秒之内都可以", 2000),
        ("300 毫秒都能接受", 300),
        ("we get 20 queries a second", None),
        ("每秒一百次查询", None),
        ("the 50 ms don't matter", None),
    ],
)
def test_durations(rules, said, milliseconds):
    found = rules.understand(said, Requirements(), question("latency"))
    assert demand(found, "latency", "p95_ms") == milliseconds


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("dimension", "I have never thought about that, so pick whatever you think is best for us"),
        ("dimension", "这个我不太懂，你们看着办就好"),
        ("latency", "we are in no hurry, people will wait for it anyway"),
        ("hosting", "we wouldn't mind if the texts go to a service, they are public"),
        ("parameters", "as large as needed"),
        ("license", "no strong opinion on that one"),
    ],
)
def test_no_preference_at_some_length(rules, about, said):
    found = rules.understand(said, Requirements(), question(about))
    assert found.answered
    assert found.intent == "inform"
    assert not found.changes, "nothing is made up"


@pytest.mark.parametrize("said", ["up to you", "you decide", "你来定吧", "你看着办"])
def test_you_decide_leaves_the_open_question_to_us_and_no_more(rules, said):
    assert rules.understand(said, Requirements(), question("dimension")).intent == "inform"
    assert rules.understand(said, Requirements(), None).intent == "decide"
    assert rules.understand("just decide", Requirements(), question("dimension")).intent == "decide"


@pytest.mark.parametrize(
    "said",
    ["not yet", "maybe next week", "I'd have to clean it first", "none", "暂时没有", "还没整理好", "现在不方便给"],
)
def test_no_data_now(rules, said):
    assert rules.understand(said, Requirements(), question("data")).intent == "decline"


def test_a_reply_about_something_else_is_no_yes(rules):
    small = Requirements().with_constraint(make_constraint("memory", max_mb=100, weights_only=True))
    found = rules.understand("ok then drop the size limit", small, question("open_weights"))
    assert {change.slot for change in found.changes} == {"memory"}
    assert rules.understand("ok", small, question("open_weights")).changes[0].slot == "open_weights"


def test_a_reply_that_cannot_be_read_is_not_taken_for_a_question(rules):
    said = "well the thing is that our colleagues from the other floor look after it"
    found = rules.understand(said, Requirements(), question("hosting"))
    assert found.intent == "inform"
    assert not found.answered
    assert found.ignored


@pytest.mark.parametrize(
    ("said", "task"),
    [
        ("cluster the mails, no, actually classify them", "classification"),
        ("对邮件做分类，不对，应该是聚类", "clustering"),
        ("classify and then cluster the mails", "clustering"),
    ],
)
def test_the_task_after_a_correction_counts(rules, said, task):
    assert rules.understand(said, Requirements(), None).requirements.task.value == task


@pytest.mark.parametrize(
    ("said", "languages"),
    [
        ("search, de/fr/it", ("de", "fr", "it")),
        ("docs in en + de", ("en", "de")),
        ("is it/is good for search", ()),
        ("and/or", ()),
        ("one is it, no", ()),
    ],
)
def test_lists_of_codes(rules, said, languages):
    assert rules.understand(said, Requirements(), None).requirements.languages == languages


@pytest.mark.parametrize(
    ("said", "crosses"),
    [
        ("用日语提问也要能找到中文的资料", True),
        ("a French question should find German documents", True),
        ("it should find German and French documents", False),
        ("中文和英文的资料都要能找到", False),
    ],
)
def test_across_languages(rules, said, crosses):
    assert demand(rules.understand(said, Requirements(), None), "languages", "cross_lingual") is crosses


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("search in video titles", None),
        ("检索图片描述", None),
        ("search in videos", ("text", "video")),
        ("search images by their captions and the images themselves", ("text", "image")),
    ],
)
def test_words_about_pictures_are_words(rules, said, kinds):
    assert demand(rules.understand(said, Requirements(), None), "modality", "modalities") == kinds


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        ("4k tokens each, must not be split", 4000),
        ("每份 6000 个 token，要整篇入库", 6000),
    ],
)
def test_what_may_not_be_split_must_be_read_whole(rules, said, tokens):
    assert demand(rules.understand(said, Requirements(), None), "max_tokens", "tokens") == tokens


def test_the_search_of_today_demands_nothing(rules):
    assert (
        rules.understand("the keyword search we have is bad", Requirements(), None).requirements.keyword_match is None
    )
    wanted = rules.understand("keyword search must still work", Requirements(), None).requirements.keyword_match
    assert wanted is not None
    assert wanted.value


@pytest.mark.parametrize(
    ("said", "usd"), [("it must not cost anything", 0), ("最好不要花钱", 0), ("no budget limit", None)]
)
def test_nothing_to_pay(rules, said, usd):
    assert demand(rules.understand(said, Requirements(), None), "cost", "max_usd_per_month") == usd


def test_a_wish_for_a_licence_does_not_soften_the_demand(rules):
    found = rules.understand("commercial use has to be allowed, ideally Apache 2.0", Requirements(), None)
    license_ = found.requirements.constraint(CONSTRAINTS["license"])
    assert license_.hard
    assert license_.commercial
    assert not license_.allowed


def test_a_graphics_card_answers_a_question_about_memory(rules):
    found = rules.understand("we got an RTX 3090 with 24 GB", Requirements(gpu=False), question("memory"))
    assert demand(found, "hardware", "gpu_gb") == 24
    assert demand(found, "memory", "max_mb") is None
    assert found.requirements.gpu.value


@pytest.mark.parametrize(
    "said", ["患者数据绝对不能出院内网", "nothing may leave the hospital network", "keep it on my laptop"]
)
def test_texts_that_stay(rules, said):
    assert demand(rules.understand(said, Requirements(), question("hosting")), "hosting", "hosting") == "self_hosted"


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("semantic search, latency doesn't matter", ("latency",)),
        ("延迟就不用管了", ("latency",)),
        ("an API would be okay after all", ("hosting",)),
        ("semantic search in German", ()),
    ],
)
def test_what_does_not_matter_is_told_apart_from_what_was_not_said(rules, said, slots):
    assert rules.understand(said, Requirements(), None).indifferent_to == slots


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ("what if we need half the storage and Apache and 20 ms?", ("apache-2.0",)),
        ("what if Apache and 20 ms?", ("apache-2.0",)),
        ("what if half the storage and Apache?", ("apache-2.0",)),
        ("如果用 Apache 并且 20 毫秒呢？", ("apache-2.0",)),
        ("German and MIT and at most 768 dimensions", ("mit",)),
        ("Python and Apache and 20 ms", None),
        ("we run Apache and 20 ms is the limit", None),
        ("our Apache server and 20 ms", None),
        ("German documents about MySQL and Apache", None),
        ("students at MIT and 20 ms", None),
    ],
)
def test_a_licence_among_demands_is_one(rules, said, allowed):
    assert demand(rules.understand(said, Requirements(), None), "license", "allowed") == allowed


@pytest.mark.parametrize("said", ["\x1b[31m", "\x1b[1;31m\x1b[0m", "\x9b31m", "\x1b[", "\x1b[31"])
def test_what_a_terminal_obeys_is_no_number(rules, said):
    assert not rules.understand(said, Requirements(), Asked(about="documents")).changes


def test_a_coloured_message_is_read(rules):
    found = rules.understand("\x1b[1;31m50\x1b[0m ms, \x1b[32mGerman", Requirements(), None)
    assert demand(found, "latency", "p95_ms") == 50
    assert found.requirements.languages == ("de",)
    assert not found.ignored


@pytest.mark.parametrize(
    ("said", "milliseconds"),
    [
        ("alert(1)", None),
        ("rows[2, 3]", None),
        ("alert(1", 1),
        ("(200)", 200),
        ("200 (or so)", 200),
        ("at most (200)", 200),
        ("p95(200 ms)", 200),
    ],
)
def test_the_argument_of_a_call_is_no_answer(rules, said, milliseconds):
    found = rules.understand(said, Requirements(), question("latency"))
    assert demand(found, "latency", "p95_ms") == milliseconds


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("no gpu", {"gpu"}),
        ("没有显卡", {"gpu"}),
        ("no GPL", {"license"}),
        ("no commercial use", {"license"}),
        ("no budget limit", set()),
        ("no", {"hosting"}),
        ("no, no gpu", {"hosting", "gpu"}),
        ("no api", {"hosting"}),
        ("no gpu, and nothing may leave our network", {"hosting", "gpu"}),
    ],
)
def test_the_no_of_another_demand_answers_nothing(rules, said, slots):
    found = rules.understand(said, Requirements(), question("hosting"))
    assert {change.slot for change in found.changes} == slots
    assert found.answered == ("hosting" in slots)


@pytest.mark.parametrize(
    ("said", "millions"),
    [
        ("max 600M, german, cpu, commercial", 600),
        ("最多 600M，德语", 600),
        ("no gpu, model under 1B", 1000),
        ("at most 600M", None),
        ("600M, german", None),
        ("max 600 MB, german", None),
        ("max 600k, german", None),
        ("max $600M, german", None),
        ("max 600M/month, german", None),
        ("german documents, max 600M", None),
        ("german search over max 600M", None),
    ],
)
def test_the_size_of_a_model_in_a_list_of_demands(rules, said, millions):
    found = rules.understand(said, Requirements(), None)
    assert demand(found, "parameters", "max_millions") == millions
    if millions:
        assert demand(found, "parameters", "origin") == "inferred"


@pytest.mark.parametrize(
    ("said", "margin", "asks"),
    [
        ("what if the margin were 10 points?", 0.1, True),
        ("what if the margin was 0.1?", 0.1, True),
        ("如果容差是 10 个点", 0.1, True),
        ("如果容差是 10 个点呢？", 0.1, True),
        ("a margin of 3 points", 0.03, False),
        ("our profit margin is 10 percent", 0.02, False),
    ],
)
def test_the_margin_by_name(rules, said, margin, asks):
    found = rules.understand(said, Requirements(), None)
    assert found.requirements.margin.value == margin
    assert (found.question is not None and found.question.kind == "what_if") == asks


@pytest.mark.parametrize("said", ["如果有 GPU 就用 GPU", "如果可以用 MIT", "如果用德语，用 MIT"])
def test_a_chinese_if_that_goes_on_states_something(rules, said):
    found = rules.understand(said, Requirements(), None)
    assert found.question is None
    assert found.changes


@pytest.mark.parametrize(
    ("said", "task"),
    [
        ("show me how they fixed this boiler the last time", "search"),
        ("what cured the same fault last time", "search"),
        ('the clerk mumbles "thin brass thing" and should land on the right part', "search"),
        ("finding the old ruling that fits", "search"),
        ("把对得上的验收报告翻出来", "search"),
        ("从一堆老图集里把那张配方捞出来", "search"),
        ("大海捞针一样从登记簿里把那件找出来", "search"),
        ("each letter has to go into one of the five trays", "classification"),
        ("the boss wants fixed bins after all", "classification"),
        ("不管哪封来信，都得丢给对的科室", "classification"),
        ("the same supplier is in there three times", "deduplication"),
        ("spot entries that were keyed in more than once", "deduplication"),
        ("揪出照抄前一天的日报", "deduplication"),
        ("ask it anything and it replies and cites the paragraph", "rag"),
        ("a figure between 0 and 100 for how closely the summary matches the original", "similarity"),
        ("译文跟原文贴不贴，给个评分", "similarity"),
        ("steer guests towards another tour they might like", "recommendation"),
        ("看完一集，底下再推几部合他口味的", "recommendation"),
        ("首页放个猜他想看", "recommendation"),
        ('someone types "rusty hinge, creaking slowly" and is handed the sounds', "cross_modal"),
        ('嘴里说一句"海边黄昏，人少一点"，合适的照片自己跳出来', "cross_modal"),
        ("用大白话说一句，就跳到那段程序", "code_search"),
        ("we want to know who fits whom", "recommendation"),
        ("把病历和合适的临床试验对上号", "recommendation"),
        ("昨天把灯泡跟灯座对上了", None),
        ("I matched my socks with the tie", None),
        # what is not wanted, and what is something else
        ("把相关的报告找出来，不用生成回答", "search"),
        ("find the papers, without writing an answer", "search"),
        ("can you find a good embedding model for me", None),
        ("show me what you found earlier", None),
        ("I put it into one of those boxes", None),
        ("she'll love it", None),
        ("people love our coffee", None),
        ("I had a proper answer ready", None),
        ("what did you do last time", None),
        ("这个对我胃口", None),
        ("between 10 and 100 people work here", None),
    ],
)
def test_tasks_told_by_what_is_done(rules, said, task):
    found = rules.understand(said, Requirements(), None).requirements.task
    assert (found.value if found.origin != "assumed" else None) == task


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("domain", "I travel a lot"),
        ("domain", "not a word may ever travel outside"),
        ("domain", "小程序首页"),
        ("cost", "he gave me the book for free"),
        ("cost", "everything we write gets published for free"),
        ("cost", "我们的资料免费开放下载"),
        ("document_tokens", "一个字都不许外传"),
        ("document_tokens", "数据一个字节都不许上公网"),
        ("memory", "the server has an A10 in it btw, 24 GB"),
        ("gpu", "I was on the phone with my mother"),
        ("gpu", "drivers ask the rulebook on their tablet"),
        ("gpu", "people here carry tablets"),
        ("gpu", "背后用的啥显卡"),
        ("hosting", "hits need to be on screen within a fifth of a second"),
        ("hosting", "同事在手机上看电视"),
        ("license", "我们公司三百来号人"),
        ("license", "客户拿阿拉伯语来问"),
        ("task", "the kids got a surprise for Christmas"),
    ],
)
def test_a_word_in_passing_demands_nothing(rules, about, said):
    assert about not in {change.slot for change in rules.understand(said, Requirements(), None).changes}


def test_a_word_of_a_trade_in_an_answer_about_something_else_is_no_domain(rules):
    found = rules.understand("we bill for it in our hotel, so yes", Requirements(), question("license"))
    assert {change.slot for change in found.changes} == {"license"}
    assert demand(found, "license", "commercial") is True
    found = rules.understand("hotel reviews", Requirements(), None)
    assert found.requirements.domain.value == "travel"


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        ("Nothing may leave the machine", "stated"),
        ("数据不能出内网", "stated"),
        ("self-hosted only", "stated"),
        ("our server", "inferred"),
        ("it will run on our own servers", "inferred"),
        ("我们是内网环境", "inferred"),
        ("就用自己的电脑", "inferred"),
    ],
)
def test_where_it_runs_is_stated_where_it_is_said_what_may_leave(rules, said, origin):
    found = rules.understand(said, Requirements(), None)
    assert demand(found, "hosting", "hosting") == "self_hosted"
    assert demand(found, "hosting", "origin") == origin


def test_an_own_machine_that_is_not_there_says_nothing(rules):
    assert (
        demand(rules.understand("we have no own servers", Requirements(), None), "hosting", "hosting") != "self_hosted"
    )


@pytest.mark.parametrize("said", ["Multilingual product search", "多语言商品搜索"])
def test_how_many_languages_many_are_is_inferred(rules, said):
    found = rules.understand(said, Requirements(), None)
    assert (demand(found, "languages", "at_least"), demand(found, "languages", "origin")) == (10, "inferred")
    more = rules.understand("also Thai, please", found.requirements, None)
    assert (demand(more, "languages", "at_least"), demand(more, "languages", "languages")) == (10, ("th",))
    stated = rules.understand(
        "make it multilingual", rules.understand("German", Requirements(), None).requirements, None
    )
    assert demand(stated, "languages", "at_least") == 10


def test_a_latency_names_no_machine_that_nobody_named(rules):
    found = rules.understand("an API that answers under 50 ms", Requirements(), None)
    assert "on a CPU" not in found.requirements.constraint(CONSTRAINTS["latency"]).describe().render("en")
    found = rules.understand("no GPU", found.requirements, None)
    assert "on a CPU" in found.requirements.constraint(CONSTRAINTS["latency"]).describe().render("en")


@pytest.mark.parametrize(
    ("said", "about", "value"),
    [
        ("we take a commission on every sale, so yes", "license", True),
        ("it is for the drawer, so no", "license", False),
        ("盒子是卖钱的", "license", True),
        ("内部用", "license", True),
        ("Research only", "license", False),
        ("nobody makes a penny out of it", "license", False),
        ("it's a present for my uncle, nobody will ever pay for it", "license", False),
    ],
)
def test_what_a_reply_draws_to(rules, said, about, value):
    assert demand(rules.understand(said, Requirements(), question(about)), about, "commercial") is value


@pytest.mark.parametrize("said", ["GPL, AGPL: won't touch those", "GPL和AGPL一概不碰", "GPL、AGPL沾都不沾"])
def test_a_list_of_licences_is_refused_as_a_whole(rules, said):
    found = rules.understand(said, Requirements(), None)
    assert demand(found, "license", "refused") == ("gpl", "agpl")
    assert not demand(found, "license", "allowed")


@pytest.mark.parametrize(
    ("said", "hard"),
    [
        ("最好200毫秒以内，这是硬指标", True),
        ("ideally 200 ms, and that's a hard limit", True),
        ("最好200毫秒以内，一定要支持中文", False),
    ],
)
def test_a_wish_may_be_called_a_must(rules, said, hard):
    assert demand(rules.understand(said, Requirements(), None), "latency", "hard") is hard


@pytest.mark.parametrize(
    ("said", "kind", "name", "value"),
    [
        ("the model may take 2 GB of RAM", "memory", "max_mb", 2048.0),
        ("模型最多占2G内存", "memory", "max_mb", 2048.0),
        ("column is halfvec(512), cannot change it", "dimension", "max_dimension", 512),
        ("answers within a second and a half", "latency", "p95_ms", 1500.0),
        ("english + polish", "languages", "languages", ("en", "pl")),
        ("polish the wording", "languages", "languages", None),
        ("source is en, targets sv, da", "languages", "languages", ("en", "sv", "da")),
        ("every page is in Hungarian. I'm only typing English because you do", "languages", "languages", ("hu",)),
        ("4090两张", "hardware", "gpu_gb", 24),
    ],
)
def test_amounts_and_languages_in_passing_forms(rules, said, kind, name, value):
    assert demand(rules.understand(said, Requirements(), None), kind, name) == value


def test_a_budget_is_forgotten_by_its_sum(rules):
    known = rules.understand("Budget $40/month", Requirements(), None).requirements
    found = rules.understand("you can forget the 40 dollars", known, None)
    assert demand(found, "cost", "max_usd_per_month") is None
    assert rules.understand("you can forget the 40 dollars", Requirements(), None).changes == ()


def test_the_length_of_what_people_type_is_a_query(rules):
    assert (
        rules.understand(
            "our users paste whole logs, roughly 400 tokens", Requirements(), None
        ).requirements.query_tokens.value
        == 400
    )
    found = rules.understand("long reports (32k tokens)", Requirements(), None)
    assert demand(found, "max_tokens", "tokens") == 32000


@pytest.mark.parametrize("said", ["forget about CUDA, nothing but Xeons", "全是CPU，没别的", "清一色CPU，别惦记卡了"])
def test_no_gpu_in_other_words(rules, said):
    assert rules.understand(said, Requirements(), None).requirements.gpu.value is False


@pytest.mark.parametrize(
    ("said", "hosting"),
    [
        ("no need to keep it in house, no need to send it out either", None),
        ("不用非得放本地，云上也行", None),
        ("on the box in the back room", "self_hosted"),
        ("自有机房", "self_hosted"),
        ("数据绝对不能出内网，所以云服务就不用考虑了", "self_hosted"),
        ("no", "self_hosted"),
        ("no, nothing goes out", "self_hosted"),
    ],
)
def test_a_no_that_refuses_nothing(rules, said, hosting):
    assert demand(rules.understand(said, Requirements(), question("hosting")), "hosting", "hosting") == hosting


def test_vectors_so_long(rules):
    found = rules.understand("Vectors 1024 long at most", Requirements(), None)
    assert demand(found, "dimension", "max_dimension") == 1024
    assert rules.understand("tables 120 long at most", Requirements(), None).changes == ()


def test_a_source_and_its_targets_are_compared_across_languages(rules):
    found = rules.understand("source is en, targets sv, da", Requirements(), None)
    assert demand(found, "languages", "cross_lingual") is True
    assert rules.understand("the source is open, the target is Friday", Requirements(), None).changes == ()
