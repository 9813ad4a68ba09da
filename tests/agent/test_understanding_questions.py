"""The questions that a shortlist must answer well, and natural variants of each: exactly what they are read as."""

import pytest

from agent.understanding import Asked, RuleUnderstanding
from agent.understanding.findings import value_of
from knowledge.constraints import CONSTRAINTS
from knowledge.fit import known_gpus
from knowledge.requirements import Requirements

RULES = RuleUnderstanding()


def read(text, requirements=None, asked=None):
    return RULES.understand(text, requirements or Requirements(), asked)


def said(requirements):
    """Everything that is not the default, as slot: value and kind: parameters that are not the default."""
    plain = Requirements()
    found = {
        name: getattr(requirements, name).value
        for name in Requirements.model_fields
        if name not in ("version", "summary", "constraints") and getattr(requirements, name) != getattr(plain, name)
    }
    if found.get("task") == "search":
        del found["task"]
    hidden = {"kind", "origin", "because"}
    return found | {c.kind: c.model_dump(exclude=hidden, exclude_defaults=True) for c in requirements.constraints}


CHINESE_LAW = {"domain": "legal", "gpu": False, "license": {}, "languages": {"languages": ("zh",)}}
SHOP = {"domain": "e-commerce", "queries_per_second": 50.0, "latency": {"p95_ms": 20.0}}
HUGE = {"documents": 200_000_000, "dimension": {"max_dimension": 512, "hard": False}}
PARTS = {"keyword_match": True}
FAQ = {"domain": "support", "languages": {"at_least": 12}}
LONG = {
    "domain": "finance",
    "gpu": True,
    "max_tokens": {"tokens": 32_000},
    "hardware": {"gpu_gb": 24.0, "context": 32_000},
}
LONG_4090 = LONG | {"hardware": {"gpu_gb": 24.0, "gpu_name": "RTX 4090", "context": 32_000}}
EDGE = {
    "gpu": False,
    "hosting": {},
    "memory": {"max_mb": 50.0, "bytes_per_parameter": 1.0, "weights_only": True},
}
BIOMEDICAL = {"domain": "medical"}
CODE = {"task": "code_search", "domain": "code"}
PICTURES = {"task": "cross_modal", "modality": {"modalities": ("text", "image")}}
SOUNDS = {"domain": "sound", "task": "cross_modal", "modality": {"modalities": ("text", "audio")}}
SOUNDS_FOUND = {"task": "cross_modal", "domain": "sound", "modality": {"modalities": ("text", "audio")}}
HOME = {"hosting": {}}
BEST = {"margin": 0.0}

QUESTIONS = [
    ("Chinese legal search, commercial, CPU only", CHINESE_LAW),
    ("Chinese law search for our product, commercial use, no GPU", CHINESE_LAW),
    ("legal search in Chinese; commercial; we only have CPUs", CHINESE_LAW),
    ("a commercial search for Chinese court rulings that runs on a CPU server", CHINESE_LAW),
    ("中文法律检索,商用,只有CPU", CHINESE_LAW),
    ("中文法律检索，商业使用，没有显卡", CHINESE_LAW),
    ("中文判决书搜索，必须商用，纯CPU", CHINESE_LAW),
    ("e-commerce product search at 50 QPS under 20 ms", SHOP),
    ("product search for an online shop, 50 queries per second, below 20 ms", SHOP),
    ("webshop search: 50 qps, p95 under 20ms", SHOP),
    ("电商商品搜索，QPS 50，延迟 20 毫秒以内", SHOP),
    ("电商搜索，每秒50次查询，20ms以内", SHOP),
    ("网店商品检索，50 QPS，不超过20毫秒", SHOP),
    ("cost-sensitive index of 200 million vectors", HUGE),
    ("an index of 200M vectors, must be cost-effective", HUGE),
    ("we have 200M passages and a tight budget", HUGE),
    ("200 million documents, low cost storage", HUGE),
    ("2亿条向量,成本敏感", HUGE),
    ("2亿条向量，控制成本", HUGE),
    ("2亿条数据，存储成本要低", HUGE),
    ("keyword and semantic search over part numbers", PARTS),
    ("hybrid keyword + semantic search over part numbers", PARTS),
    ("exact and semantic search for part numbers and SKUs", PARTS),
    ("按零件号做关键词和语义检索", PARTS),
    ("料号检索，关键词和语义都要", PARTS),
    ("型号的混合检索", PARTS),
    ("multilingual support FAQ in 12 languages", FAQ),
    ("support FAQ in twelve languages", FAQ),
    ("a help desk FAQ in 12 European languages", FAQ),
    ("a multilingual help desk", FAQ | {"languages": {"at_least": 10}}),
    ("12种语言的客服常见问题", FAQ),
    ("支持十二种语言的帮助中心", FAQ),
    ("多语言客服FAQ", FAQ | {"languages": {"at_least": 10}}),
    ("long financial documents (32k tokens) on one 24 GB GPU", LONG),
    ("32k token annual reports on a 24GB GPU", LONG),
    ("long bank reports of 32k tokens, one RTX 4090", LONG_4090),
    ("一张24GB显卡,3.2万token的财务长文档", LONG),
    ("单张24G显卡，财报长文档32k tokens", LONG),
    ("一块4090，3.2万字的长篇财务文档", LONG_4090),
    ("edge device with 50 MB for the model", EDGE),
    ("a model of at most 50 MB for an embedded device", EDGE),
    ("runs on a phone, model under 50MB", EDGE),
    ("手机端模型不超过50MB", EDGE),
    ("边缘设备，模型50MB以内", EDGE),
    ("端侧运行，模型最多 50 MB", EDGE),
    ("biomedical claims", BIOMEDICAL),
    ("verify biomedical claims against abstracts", BIOMEDICAL),
    ("fact-checking of medical claims", BIOMEDICAL),
    ("生物医学声明检索", BIOMEDICAL),
    ("医学文本检索", BIOMEDICAL),
    ("临床内容搜索", BIOMEDICAL),
    ("code search", CODE),
    ("search our codebase", CODE),
    ("semantic code search in Python repositories", CODE),
    ("代码搜索", CODE),
    ("代码检索", CODE),
    ("搜代码", CODE),
    ("text-to-image catalogue", PICTURES),
    ("text to image search in a catalogue", PICTURES),
    ("image search in our photo catalogue", PICTURES),
    ("以文搜图的图库", PICTURES),
    ("图片目录,文字搜图", PICTURES),
    ("图文检索", PICTURES),
    ("sound effects search by description", SOUNDS),
    ("search sound effects by text", SOUNDS),
    ("find sound effects by text", SOUNDS_FOUND),
    ("音效检索", SOUNDS),
    ("音效搜索，按描述", SOUNDS),
    ("用文字描述搜索音效", SOUNDS_FOUND),
    ("regulated data that may not leave the house", HOME),
    ("regulated data, nothing may leave our premises", HOME),
    ("our data must not leave the building", HOME),
    ("it must stay in house", HOME),
    ("数据不能出内网", HOME),
    ("受监管的数据，不能离开公司", HOME),
    ("数据不得外传，受监管", HOME),
    ("just the best, money is no object", BEST),
    ("best possible quality, money is no object", BEST),
    ("the very best quality, cost doesn't matter", BEST),
    ("只要效果最好，不差钱", BEST),
    ("效果第一，预算不限", BEST),
    ("质量第一，不计成本", BEST),
]


@pytest.mark.parametrize(("text", "expected"), QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_the_questions(text, expected):
    understood = read(text)
    assert said(understood.requirements) == expected
    assert understood.changes
    again = read(text, understood.requirements)
    assert (again.requirements, again.changes) == (understood.requirements, ())


HARDWARE = [
    ("we have one A10G", {"gpu_gb": 24.0, "gpu_name": "A10G"}),
    ("NVIDIA T4", {"gpu_gb": 16.0, "gpu_name": "T4"}),
    ("an L4 in the cloud", {"gpu_gb": 24.0, "gpu_name": "L4"}),
    ("two A100 80GB", {"gpu_gb": 80.0, "gpu_name": "A100"}),
    ("an A100", {"gpu_gb": 40.0, "gpu_name": "A100"}),
    ("RTX 4090 (24GB)", {"gpu_gb": 24.0, "gpu_name": "RTX 4090"}),
    ("有一张 4090", {"gpu_gb": 24.0, "gpu_name": "RTX 4090"}),
    ("GPU memory: 24GB", {"gpu_gb": 24.0}),
    ("显存不超过24G", {"gpu_gb": 24.0}),
    ("a GPU server with one L4 and 64GB RAM", {"gpu_gb": 24.0, "gpu_name": "L4", "ram_gb": 64.0}),
    ("内存 64G 显卡 24G", {"gpu_gb": 24.0, "ram_gb": 64.0}),
    ("显卡 24G 内存 64G", {"gpu_gb": 24.0, "ram_gb": 64.0}),
    ("64G内存 24G显存", {"gpu_gb": 24.0, "ram_gb": 64.0}),
    ("24 GB GPU 64 GB RAM", {"gpu_gb": 24.0, "ram_gb": 64.0}),
    ("8 GB RAM, no GPU", {"ram_gb": 8.0}),
    ("16GB, no GPU", {"ram_gb": 16.0}),
    ("no GPU, 8 vCPU, 32 GB", {"ram_gb": 32.0}),
    ("Raspberry Pi 5 8GB", {"ram_gb": 8.0}),
    ("树莓派5 8GB", {"ram_gb": 8.0}),
    ("没有显卡, 16GB内存", {"ram_gb": 16.0}),
    ("服务器内存 512 MB", {"ram_gb": 0.5}),
]


@pytest.mark.parametrize(("text", "expected"), HARDWARE, ids=[h[0] for h in HARDWARE])
def test_a_stated_machine(text, expected):
    assert said(read(text).requirements)["hardware"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "we don't have an A100",
        "at most 4 GB of memory",
        "a model under 500MB",
        "40 GB of PDFs",
        "500 GB disk",
        "Raspberry Pi 5",
        "a GPU",
        "CPU only",
        "we sell graphics cards",
    ],
)
def test_no_machine_was_stated(text):
    assert value_of(read(text).requirements, "hardware") is None


def test_a_limit_and_a_machine_in_one_sentence():
    found = said(read("a model under 500MB on a machine with 8GB RAM").requirements)
    assert found == {"memory": {"max_mb": 500.0, "weights_only": True}, "hardware": {"ram_gb": 8.0}}


def test_a_limit_of_memory_replaces_one_of_the_model():
    assert after("a model under 500MB", "actually at most 4 GB of memory") == {"memory": {"max_mb": 4096.0}}
    edge = after("edge device with 50 MB for the model", "make it 100 MB for the model")
    assert edge["memory"] == EDGE["memory"] | {"max_mb": 100.0}


def test_where_its_size_is_open_the_smaller_card_is_assumed_and_this_is_said():
    hardware = read("我们有一张A100").requirements.constraint(CONSTRAINTS["hardware"])
    assert (hardware.origin, hardware.gpu_gb) == ("inferred", 40.0)
    assert "40/80 GB" in hardware.because
    assert read("one A10G").requirements.constraint(CONSTRAINTS["hardware"]).origin == "stated"


def after(*turns):
    requirements = Requirements()
    for turn in turns:
        requirements = read(turn, requirements).requirements
    return said(requirements)


def test_the_machine_follows_the_rest_of_the_conversation():
    assert after("one A10G", "documents of 8k tokens")["hardware"]["context"] == 8000
    assert after("documents must be read to 8192 tokens", "one A10G")["hardware"]["context"] == 8192
    assert "hardware" not in after("one A10G", "sorry, we have no GPU")
    both = after("one A10G and 64 GB RAM", "sorry, we have no GPU")
    assert (both["hardware"], both["gpu"]) == ({"ram_gb": 64.0}, False)
    assert after("one A10G", "actually an RTX 4090")["hardware"] == {"gpu_gb": 24.0, "gpu_name": "RTX 4090"}
    assert after("one A10G", "actually a GPU with 40 GB")["hardware"] == {"gpu_gb": 40.0}
    assert "hardware" not in after("8 GB RAM", "forget the memory limit")


def test_a_change_that_follows_from_another_has_its_words():
    before = read("one A10G").requirements
    changes = {c.slot: c.words for c in read("it must read 8192 tokens", before).changes}
    assert changes == {"max_tokens": "8192 tokens", "hardware": "8192 tokens"}


def test_the_answer_about_the_machine_says_that_there_is_a_gpu():
    asked = Asked(about="hardware", answers=CONSTRAINTS["hardware"].answers)
    found = said(read("2", asked=asked).requirements)
    assert (found["hardware"], found["gpu"]) == ({"gpu_gb": 24.0}, True)
    assert said(read("A100 80GB", asked=asked).requirements)["hardware"]["gpu_gb"] == 80.0
    assert said(read("4 GB", asked=asked).requirements) == {"hardware": {"ram_gb": 4.0}}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["German FAQ", "now it must be multilingual"], {"languages": ("de",), "at_least": 10}),
        (["现在必须支持多语言"], {"at_least": 10}),
        (["multilingual, ideally"], {"at_least": 10, "hard": False}),
        (["multilingual", "actually only English"], {"languages": ("en",)}),
        (["multilingual: English, German and French"], {"languages": ("en", "de", "fr")}),
        (["12 languages, among them Thai"], {"languages": ("th",), "at_least": 12}),
        (["20种语言", "跨语言检索"], {"at_least": 20, "cross_lingual": True}),
        (["multilingual", "no longer multilingual"], None),
        (["not multilingual, only English"], {"languages": ("en",)}),
        (["across languages"], None),
        (["20 programming languages"], None),
        (["we currently use multilingual-e5-small"], None),
        (["one language"], None),
    ],
    ids=str,
)
def test_many_languages(turns, expected):
    assert after(*turns).get("languages") == expected


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (["5M vectors, cost-sensitive"], None),
        (["200M vectors"], None),
        (["cost-sensitive, 200M vectors of 768 dimensions"], {"max_dimension": 768}),
        (["200M vectors", "it is cost-sensitive"], {"max_dimension": 512, "hard": False}),
        (["200M vectors, not cost-sensitive"], None),
    ],
    ids=str,
)
def test_short_vectors_are_wished_for_only_where_storage_counts(turns, expected):
    assert after(*turns).get("dimension") == expected


def test_the_rule_about_storage_names_its_figures():
    dimension = read("cost-sensitive index of 200 million vectors").requirements.constraint(CONSTRAINTS["dimension"])
    assert (dimension.origin, dimension.hard) == ("inferred", False)
    # 200e6 x 1024 x 4 and x 512 x 4 bytes
    assert "819 GB at 1,024 dimensions, 410 GB at 512" in dimension.because


def test_a_stated_loss_outweighs_the_best():
    assert after("just the best, but we can accept a 3% loss")["margin"] == 0.03


@pytest.mark.parametrize("text", ["best embedding model for German?", "not just the best", "the best of three"])
def test_the_best_is_no_demand_where_it_only_asks(text):
    assert "margin" not in said(read(text).requirements)


def test_every_known_gpu_is_a_word_that_means_a_gpu():
    for term, known in known_gpus().items():
        found = said(read(f"we have {term}").requirements)
        assert found["gpu"] is True, term
        assert found["hardware"] == {"gpu_gb": known.memory_gb[0], "gpu_name": known.name}, term


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("我们公司做自行车网店，想让客服机器人根据顾客的问题找到对应的帮助文档", "support"),
        ("We run an online shop for bikes, and a help desk bot should find the right help article", "support"),
        ("we are a hospital; we need a search over legal contracts", "legal"),
        ("we run an online shop and want product search", "e-commerce"),
    ],
)
def test_the_domain_is_that_of_the_texts_and_not_of_the_firm(text, domain):
    assert read(text).requirements.domain.value == domain
