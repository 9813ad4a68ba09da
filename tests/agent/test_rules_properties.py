"""The rules under generated messages: whatever is written, nothing crashes and nothing is invented."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.understanding import Asked, RuleUnderstanding
from agent.understanding.findings import SLOTS, apply, value_of
from agent.understanding.half_read import half_read
from agent.understanding.lexicon import load_lexicon
from agent.understanding.utterance import LONGEST, readable
from knowledge.constraints import CONSTRAINTS
from knowledge.requirements import Requirements

RULES = RuleUnderstanding()
EMPTY = Requirements()
ABOUT = st.sampled_from([None, *SLOTS, *CONSTRAINTS, "plan"])


def repeatable(examples):
    """The same examples on every machine and in every run; how long one takes says nothing."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large],
    )


def read(text, requirements=EMPTY, about=None):
    answers = CONSTRAINTS[about].answers if about in CONSTRAINTS else ()
    return RULES.understand(text, requirements, Asked(about=about, answers=answers) if about else None)


def known(requirements):
    """What is said about the user's case: each fact by its slot or kind, without assumptions."""
    slots = {name: getattr(requirements, name) for name in SLOTS}
    facts = {name: slot for name, slot in slots.items() if slot is not None and slot.origin != "assumed"}
    return facts | {c.kind: c for c in requirements.constraints}


def values(requirements):
    return {about: value_of(requirements, about) for about in known(requirements)}


def sound(understood, text):
    """What holds of every reading: the record is valid, and every stated fact has words of this message."""
    said = readable(text)
    requirements = understood.requirements
    assert Requirements.model_validate(requirements.model_dump()) == requirements
    assert Requirements.model_validate_json(requirements.model_dump_json()) == requirements
    for change in understood.changes:
        assert change.before != change.after
        assert change.words in said
    changed = {change.slot for change in understood.changes}
    for about, fact in known(requirements).items():
        if about in changed and fact.origin == "stated":
            assert fact.because
            assert fact.because in said
    return requirements


# --- any text at all


SEPARATORS = [",", ".", " ", "'", "_", "٫", "٬", "\u202f", "\u00a0", "·", "/", ":", "-", "–", "e", "x", "^", "**"]
DIGITS = st.one_of(
    st.text(string.digits, min_size=1, max_size=25),
    st.text("٠١٢٣٤٥٦٧٨٩", min_size=1, max_size=6),
    st.text("०१२३४५६७८९", min_size=1, max_size=6),
    st.text("０１２３４５６７８９", min_size=1, max_size=6),
    st.text("一二三四五六七八九十百千万亿零两半", min_size=1, max_size=20),
    st.text("²³½¾①②Ⅷⅻ㊿", min_size=1, max_size=4),
    st.sampled_from(
        ["1e308", "9" * 400, "0x1F", "NaN", "inf", "-0", "1/0", "3.4.5", "1,2,3", "10,00,000", "1.000.000"]
    ),
)
UNITS = ["", "ms", "s", "秒", "GB", "MB", "TB", "documents", "条", "万条", "亿", "tokens", "dims", "维", "$", "元", "%"]
UNITS += ["/month", "每月", "qps", "parameters", "VRAM", "内存", "pages", "words", "字", "languages", "种语言", "€/day"]
NUMBERS = st.builds(
    lambda parts, joint, unit, space: joint.join(parts) + space + unit,
    st.lists(DIGITS, min_size=1, max_size=4),
    st.sampled_from(SEPARATORS),
    st.sampled_from(UNITS),
    st.sampled_from(["", " ", "\u00a0", "\n"]),
)
CHARACTERS = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(), max_size=40),  # surrogates too
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn"]), max_size=30),
    st.text(st.characters(categories=["Mn", "Me", "Mc", "Lm", "Sk"]), max_size=30),
    st.text("абвгдежз ابتثج אבגד ไทยภาษา हिन्दी 日本語 한국어 ελληνικά ", max_size=60),
)
WORDS = st.sampled_from(
    [*load_lexicon().vocabulary, "?", "？", "!", "。", "\n", "./a.csv", "BAAI/bge-m3", "https://a.b/c"]
)
ANYTHING = st.lists(st.one_of(CHARACTERS, NUMBERS, WORDS), max_size=12).map(" ".join)


@repeatable(200)
@given(ANYTHING, ABOUT)
def test_any_text_is_read_and_every_stated_fact_has_words_of_it(text, about):
    understood = read(text, about=about)
    sound(understood, text)
    again = read(text, understood.requirements, about)
    assert again.changes == ()
    assert again.requirements == understood.requirements


@repeatable(150)
@given(ANYTHING, st.sampled_from([*SLOTS, *CONSTRAINTS]))
def test_what_is_half_read_has_words_of_the_message_and_may_be_confirmed(text, about):
    half = half_read([text], about)
    assert "".join(half.words.split()) in "".join(readable(text).split())
    if half.likely is not None:
        assert half.likely.about == about
        assert set(values(apply(EMPTY, [half.likely])[0])) <= {about, "gpu", "hardware"}


@pytest.mark.parametrize(
    "piece",
    ["no ", "cpu ", "not ", "10", "万", "GPU, ", "MIT or ", "( ", "«", "a/", "?", "\ud800", "\u0301", "ﷺ", "e-"],
)
def test_endless_repetition_is_read(piece):
    text = piece * (2 * LONGEST // len(piece))
    understood = read(text)
    sound(understood, text)
    assert understood.ignored.endswith("…") or not understood.ignored


# --- sentences that ask for nothing


THINGS = ["house", "car", "garden", "bridge", "river", "kitchen", "lamp", "roof", "bicycle", "chair", "window", "sofa"]
PEOPLE = ["he", "she", "my brother", "my aunt", "the neighbour", "our cousin", "the plumber", "my daughter"]
DONE = ["painted", "sold", "borrowed", "bought", "repaired", "moved", "lost", "found", "cleaned", "forgot"]
WHEN = ["yesterday", "last week", "in 1998", "on 3 May 2021", "at 10:30", "after 20 minutes", "2 hours ago", ""]
COUNTS = st.one_of(st.integers(2, 90).map(str), st.sampled_from(["two", "seven", "a dozen", "some", "no", "both"]))
SMALL_TALK_EN = """
thanks a lot
nice weather today
my phone number is 555 0199
the score was 3:2
version 3.2 came out in 2021
I will be back in 2 seconds
wait a second
the meeting lasted 45 minutes
the train had a delay of 90 seconds
it rained all day
our revenue is $5M per year
my salary is 3000 euros a month
the rent is 900 dollars per month
sales drop by 10% in winter
about 30% of us were late
we talked about it in layers and contrasts
our contact was recommended by my parents
I like French fries and Danish pastry
never mind
no problem at all
do not worry
he ran 100 metres in 9.8 seconds
the shipping of two lamps took 30 days
we hire 5 people per month
in the morning we answer the phone within 30 seconds
chapter 4, page 12
room 24, third floor
""".strip().splitlines()
SMALL_TALK_ZH = """
今天天气很好
午饭花了12块钱
火车晚点了两个小时
这栋楼有12层
我等了30分钟
会议持续了45分钟
我的电话是5550199
比分是3比2
谢谢
没问题
明天再说吧
房租每月900元
我月薪五千元
气温是21度
他跑了一百米
火车延误了90秒
上周下了三天雨
销售额下降了10%
营收每年五百万元
等我两秒
千万别忘了
万一下雨呢
他们来了一百多人
门牌号是24
十分感谢
我们谈了三次
""".strip().splitlines()
ENGLISH_NEUTRAL = st.one_of(
    st.builds(
        lambda who, did, count, thing, when: f"{who} {did} {count} {thing}s {when}".strip(),
        st.sampled_from(PEOPLE),
        st.sampled_from(DONE),
        COUNTS,
        st.sampled_from(THINGS),
        st.sampled_from(WHEN),
    ),
    st.builds(
        lambda thing, n, unit: f"the {thing} is {n} {unit}",
        st.sampled_from(THINGS),
        st.integers(2, 900),
        st.sampled_from(["cm wide", "metres long", "years old", "degrees warm", "kg", "km away", "litres"]),
    ),
    st.builds(
        lambda n, sign, thing: f"the {thing} cost us {sign}{n}",
        st.integers(2, 9000),
        st.sampled_from("$€£¥"),
        st.sampled_from(THINGS),
    ),
    st.sampled_from(SMALL_TALK_EN),
)
CHINESE_NEUTRAL = st.one_of(
    st.builds(
        lambda who, when, did, n, thing: f"{who}{when}{did}{n}{thing}",
        st.sampled_from(["他", "她", "我哥哥", "邻居", "阿姨", "师傅"]),
        st.sampled_from(["昨天", "上周", "三点半", "2021年", "早上", "两个小时前", ""]),
        st.sampled_from(["买了", "卖了", "修了", "搬走了", "弄丢了", "擦了"]),
        st.sampled_from(["两", "3", "七", "十二", "一百"]),
        st.sampled_from(["把椅子", "辆自行车", "盏灯", "扇窗户", "块地毯", "座桥"]),
    ),
    st.builds(lambda n, unit: f"那座桥有{n}{unit}", st.integers(2, 900), st.sampled_from(["米长", "年了", "公里远"])),
    st.sampled_from(SMALL_TALK_ZH),
)
NEUTRAL = st.one_of(ENGLISH_NEUTRAL, CHINESE_NEUTRAL)
ENDS = st.sampled_from([". ", "! ", "\n", "。", "；", ".\n\n", "!! ", "。\n"])


def joined(sentences, ends):
    return "".join(sentence + end for sentence, end in zip(sentences, ends, strict=True))


def texts_of(sentence, least=1, most=6):
    return st.lists(st.tuples(sentence, ENDS), min_size=least, max_size=most).map(
        lambda parts: joined(*zip(*parts, strict=True)) if parts else ""
    )


@repeatable(100)
@given(texts_of(NEUTRAL))
def test_small_talk_states_nothing(text):
    understood = read(text)
    assert understood.changes == ()
    assert understood.requirements == EMPTY


@repeatable(100)
@given(texts_of(NEUTRAL), st.sampled_from(["hosting", "license", "task", "modality", "open_weights", "gpu"]))
def test_small_talk_answers_no_question_about_something_else(text, about):
    assert {change.slot for change in read(text, about=about).changes} <= {about}


@repeatable(60)
@given(
    st.integers(2, 400), st.integers(50, 5000), st.sampled_from(["folders", "boxes", "branches", "个文件夹", "个箱子"])
)
def test_what_each_of_many_holds_is_multiplied(holders, held, holder):
    text = (
        f"we have {holders} {holder} with {held} letters each"
        if holder.isascii()
        else f"{holders}{holder}，每个里头{held}份文件"
    )
    assert values(read(text).requirements).get("documents") == holders * held


# --- known phrases in any order


GPU, NO_GPU = {"gpu": True}, {"gpu": False}
PHRASES = {
    "gpu": [
        ("no GPU", False),
        ("we have no GPU", False),
        ("without a GPU", False),
        ("CPU only", False),
        ("we have a GPU", True),
        ("没有显卡", False),
        ("我们有GPU", True),
        ("纯CPU推理", False),
    ],
    "documents": [
        ("about 300,000 documents", 300_000),
        ("10M documents", 10_000_000),
        ("half a million passages", 500_000),
        ("大约1000万条数据", 10_000_000),
        ("二十万份文件", 200_000),
        ("5 million texts", 5_000_000),
    ],
    "latency": [
        ("under 50 ms", 50.0),
        ("p95 below 100 ms", 100.0),
        ("within 2 seconds", 2000.0),
        ("延迟不超过 80 毫秒", 80.0),
        ("两秒以内返回", 2000.0),
    ],
    "cost": [
        ("budget $200/month", 200.0),
        ("at most 2,400 dollars a year", 200.0),
        ("每月预算 500 美元", 500.0),
        ("no more than $30 per month", 30.0),
    ],
    "task": [
        ("we want to cluster them by topic", "clustering"),
        ("we build a recommender system", "recommendation"),
        ("it is for deduplication", "deduplication"),
        ("做聚类", "clustering"),
        ("文本分类", "classification"),
        ("检索结果重排序", "reranking"),
    ],
    "domain": [
        ("legal texts", "legal"),
        ("medical guidelines", "medical"),
        ("patents", "patents"),
        ("医疗病历", "medical"),
        ("金融研报", "finance"),
    ],
    "languages": [
        ("all of it is in German", ["de"]),
        ("English and French", ["en", "fr"]),
        ("must support Japanese", ["ja"]),
        ("中英文都有", ["zh", "en"]),
        ("支持法语和德语", ["fr", "de"]),
    ],
    "license": [
        ("commercial use", True),
        ("it must be allowed to be used commercially", True),
        ("必须商用", True),
        ("a non-commercial hobby project", False),
        ("非商用", False),
    ],
    "hosting": [
        ("self-hosted", "self_hosted"),
        ("we can't use third-party APIs", "self_hosted"),
        ("私有化部署", "self_hosted"),
        ("we'd like to use a hosted API", "api"),
    ],
    "open_weights": [("must be open source", True), ("ideally open weights", True), ("必须开源", True)],
    "dimension": [("vectors of at most 512 dims", 512), ("不超过 1024 维", 1024), ("max vector size 768", 768)],
    "parameters": [("300M parameters at most", 300.0), ("参数量不超过 3 亿", 300.0)],
    "max_tokens": [("must handle 8192 tokens", 8192), ("需要支持 4096 tokens", 4096)],
    "queries_per_second": [("100 qps", 100.0), ("50 queries per second at peak", 50.0), ("每秒 20 次查询", 20.0)],
    "keyword_match": [("error codes must match exactly", True), ("需要精确匹配型号", True)],
    "margin": [("we can accept a 3% loss", 0.03), ("最多损失 3% 的质量", 0.03)],
    "memory": [("the model has to stay under 500MB", 500.0), ("模型不能超过 500MB", 500.0)],
}
PARAMETER = {
    "latency": "p95_ms",
    "cost": "max_usd_per_month",
    "languages": "languages",
    "license": "commercial",
    "hosting": "hosting",
    "dimension": "max_dimension",
    "parameters": "max_millions",
    "max_tokens": "tokens",
    "memory": "max_mb",
}


def said_of(requirements, about):
    """The one figure or word that a phrase of the table gives for a slot or kind; True for a kind without any."""
    value = value_of(requirements, about)
    if about not in CONSTRAINTS or value is None:
        return value
    return value[PARAMETER[about]] if about in PARAMETER else True


@st.composite
def dressed(draw, phrase):
    """A phrase in another case, with other spaces and full-width signs."""
    spaces = draw(st.sampled_from([" ", "  ", "\t", "\u00a0", " \u200b"]))
    text = phrase.replace(" ", spaces)
    case = draw(st.sampled_from(["as is", "upper", "capital"]))
    if case == "upper":
        text = text.upper()
    elif case == "capital":
        text = text[:1].upper() + text[1:]
    if draw(st.booleans()):
        text = text.translate({ord(c): ord(c) + 0xFEE0 for c in string.digits})
    return draw(st.sampled_from(["", " ", "… ", "- ", "* ", "“"])) + text


@st.composite
def statements(draw, least=1, most=5):
    """(text, what it states): sentences of the table in any order, of one slot each at most, amid small talk."""
    abouts = draw(st.lists(st.sampled_from(sorted(PHRASES)), min_size=least, max_size=most, unique=True))
    sentences, expected = [], {}
    for about in abouts:
        phrase, value = draw(st.sampled_from(PHRASES[about]))
        sentences.append(draw(dressed(phrase)))
        expected[about] = value
        if draw(st.integers(0, 3)) == 0:
            sentences.append(draw(NEUTRAL))
    return joined(sentences, [draw(ENDS) for _ in sentences]), expected


@repeatable(200)
@given(statements())
def test_known_phrases_state_what_they_say_and_nothing_else(case):
    text, expected = case
    understood = read(text)
    requirements = sound(understood, text)
    assert {about: said_of(requirements, about) for about in known(requirements)} == expected
    assert read(text, requirements).changes == ()


@repeatable(100)
@given(statements(least=2), st.randoms(use_true_random=False))
def test_the_order_of_statements_says_nothing(case, random):
    text, _ = case
    sentences = [s for s in text.replace("。", "\n").replace("；", "\n").replace(". ", "\n").split("\n") if s.strip()]
    first = values(read("\n".join(sentences)).requirements)
    random.shuffle(sentences)
    assert values(read("\n".join(sentences)).requirements) == first


# --- what is said later


@repeatable(200)
@given(st.sampled_from(sorted(PHRASES)), st.data())
def test_the_last_correction_wins_whatever_was_said_before(about, data):
    before = read(data.draw(statements(least=0))[0]).requirements
    leads = ["actually, ", "no wait, ", "其实", "sorry, ", "改成"]
    lead = data.draw(st.sampled_from(leads if about == "domain" else [*leads, ""]))  # a domain named in passing stays
    (one, _), (two, expected) = (data.draw(st.sampled_from(PHRASES[about])) for _ in range(2))
    first = read(one, before).requirements
    last = read(lead + two, first).requirements
    if about == "languages" and not lead:  # languages named later come on top of those named before
        assert set(expected) <= set(said_of(last, about))
    else:
        assert said_of(last, about) == expected
    others = {name: value for name, value in values(before).items() if name not in (about, "latency", "hardware")}
    assert {name: values(last).get(name) for name in others} == others


NEGATIONS = [
    ("we have a GPU", "we don't have a GPU", "gpu"),
    ("with a GPU", "without a GPU", "gpu"),
    ("有显卡", "没有显卡", "gpu"),
    ("commercial use", "no commercial use", "license"),
    ("可以商用", "不商用", "license"),
    ("part numbers must match exactly", "part numbers need not match exactly", "keyword_match"),
    ("需要精确匹配", "不需要精确匹配", "keyword_match"),
    ("we use a hosted API", "we can't use a hosted API", "hosting"),
]


@repeatable(100)
@given(st.sampled_from(NEGATIONS), st.booleans(), st.data())
def test_a_negated_phrase_never_says_what_the_plain_one_says(pair, negative_first, data):
    plain, negative, about = pair
    around = data.draw(texts_of(NEUTRAL, least=0, most=2))
    before = read(data.draw(statements(least=0))[0]).requirements
    yes, no = (said_of(read(around + text, before).requirements, about) for text in (plain, negative))
    assert yes != no
    order = (negative, plain) if negative_first else (plain, negative)
    state = before
    for text in order:
        state = read(data.draw(dressed(text)), state).requirements
    assert said_of(state, about) == (yes if negative_first else no)


# --- slips of the finger


#: "searches" alone is a unit, and without its e the plural of a task
LONG_WORDS = sorted({word for word in load_lexicon().typo_targets if len(word) >= 6} - {"searches"})


@st.composite
def slipped(draw, word):
    """A word with one letter doubled, left out, wrong, or two of them swapped; never the first."""
    at = draw(st.integers(1, len(word) - 2))
    kind = draw(st.sampled_from(["double", "omit", "wrong", "swap"]))
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    if kind == "omit":
        return word[:at] + word[at + 1 :]
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + draw(st.sampled_from(string.ascii_lowercase)) + word[at + 1 :]


@repeatable(100)
@given(st.sampled_from(LONG_WORDS), st.data())
def test_a_slip_loses_a_requirement_but_states_no_other(word, data):
    wrong = data.draw(slipped(word))
    right, seen = (set(known(read(f"it is about {said}").requirements)) for said in (word, wrong))
    if wrong not in load_lexicon().vocabulary:
        assert seen <= right


#: words that are one slip from a word of the lexicon, and mean something else
ORDINARY = [
    "parents",
    "parent",
    "layers",
    "layer",
    "contact",
    "contrast",
    "simple",
    "shipping",
    "reputation",
    "recommended",
    "throughout",
    "martin",
    "victor",
    "statue",
    "curse",
    "massage",
    "mortality",
    "morality",
    "perimeter",
    "construct",
    "listening",
    "barking",
    "coarse",
    "banning",
    "stature",
    "hearth",
    "contest",
    "resort",
    "retain",
    "spreading",
    "lasting",
    "georgia",
    "persia",
    "categories",
    "classified",
    "ponds",
    "ticked",
    "potent",
    "patiently",
]


@pytest.mark.parametrize("word", ORDINARY)
def test_an_ordinary_word_is_no_slip(word):
    assert read(f"it is about {word}").changes == ()
    assert read(f"it is about {word.upper()}").changes == ()


def test_a_slip_is_mended():
    for wrong, about in [("recomendation", "task"), ("germn", "languages"), ("clasification", "task")]:
        assert set(known(read(wrong).requirements)) == {about}
