"""Understanding by rules: what people write, and what it means for their requirements."""

import json
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.understanding import Asked, RuleUnderstanding, detect_language
from agent.understanding.findings import SLOTS, value_of
from agent.understanding.utterance import readable
from knowledge.constraints import CONSTRAINTS, Answer, make_constraint
from knowledge.requirements import Requirements
from knowledge.wording import Text

RULES = RuleUnderstanding()


def read(text, requirements=None, asked=None):
    return RULES.understand(text, requirements or Requirements(), asked)


def facts(requirements):
    """Every slot's value, and every parameter of every constraint as kind.parameter."""
    found = {slot: value_of(requirements, slot) for slot in SLOTS}
    for kind in CONSTRAINTS:
        value = value_of(requirements, kind)
        found[kind] = value is not None
        found |= {f"{kind}.{name}": v for name, v in (value or {}).items()}
    return found


def langs(*codes):
    return {"languages.languages": list(codes)}


HOME = {"hosting.hosting": "self_hosted"}
ENGLISH = [
    (
        "Semantic search over 10M legal documents in English, German and Chinese, under 100 ms p95, no GPU",
        {
            "task": "search",
            "documents": 10_000_000,
            "domain": "legal",
            "latency.p95_ms": 100.0,
            "latency.gpu": False,
            "gpu": False,
            **langs("en", "de", "zh"),
        },
    ),
    ("We are building a RAG chatbot on our knowledge base; nothing may leave our VPC", {"task": "rag", **HOME}),
    (
        "RAG over internal wikis, self-hosted, 16GB of RAM, no GPU",
        {"task": "rag", **HOME, "hardware.ram_gb": 16.0, "memory": False, "gpu": False},
    ),
    ("I need a recommender system for an e-commerce shop", {"task": "recommendation", "domain": "e-commerce"}),
    ("Can you recommend an embedding model?", {"task": "search", "domain": None}),
    ("Please recommend a model for classifying emails", {"task": "classification"}),
    ("We want to cluster customer reviews by topic", {"task": "clustering"}),
    (
        "near-duplicate detection for 500k news articles",
        {"task": "deduplication", "documents": 500_000, "domain": "news"},
    ),
    ("Deduplicate our CRM records", {"task": "deduplication"}),
    ("sentence similarity for patents", {"task": "similarity", "domain": "patents"}),
    ("a reranker for the top 100 results", {"task": "reranking", "documents": None}),
    ("code search across our codebase", {"task": "code_search", "domain": "code"}),
    ("text-to-image retrieval for stock photos", {"task": "cross_modal", "modality.modalities": ["text", "image"]}),
    ("reverse image search", {"task": "cross_modal"}),
    ("question answering over medical guidelines", {"task": "rag", "domain": "medical"}),
    ("error codes must match exactly", {"keyword_match": True, "domain": None}),
    ("users look for part numbers and SKUs", {"keyword_match": True}),
    ("search in annual reports of banks", {"domain": "finance"}),
    ("a help desk with 20,000 support tickets", {"domain": "support", "documents": 20_000}),
    ("scientific papers, about 2 million abstracts", {"domain": "academic", "documents": 2_000_000}),
    ("half a million articles", {"documents": 500_000}),
    ("we have two hundred thousand contracts", {"documents": 200_000, "domain": "legal"}),
    ("5 to 10 million chunks of 512 tokens", {"documents": 10_000_000, "document_tokens": 512}),
    ("between 5 and 10 million passages", {"documents": 10_000_000}),
    ("1.5 million short product descriptions", {"documents": 1_500_000, "domain": "e-commerce"}),
    ("10M users and 3M products", {"documents": 3_000_000}),
    ("10k documents per day", {"documents": None}),
    ("documents of about 4k tokens, must handle 8192 tokens", {"document_tokens": 4000, "max_tokens.tokens": 8192}),
    ("context length 8192", {"max_tokens.tokens": 8192}),
    ("queries are around 12 tokens", {"query_tokens": 12, "max_tokens": False}),
    ("articles of 900 words", {"document_tokens": 1200}),
    ("100 qps", {"queries_per_second": 100.0}),
    ("50 queries per second at peak", {"queries_per_second": 50.0}),
    ("864,000 searches a day", {"queries_per_second": 10.0}),
    ("under 50ms", {"latency.p95_ms": 50.0}),
    ("within 2 seconds", {"latency.p95_ms": 2000.0}),
    ("p95 below 100 ms", {"latency.p95_ms": 100.0}),
    ("30 second audio clips", {"latency": False, "modality.modalities": ["text", "audio"]}),
    ("300M parameters at most", {"parameters.max_millions": 300.0}),
    ("no more than 0.6B params", {"parameters.max_millions": 600.0}),
    ("768 dimensions", {"dimension.max_dimension": 768}),
    ("vectors of at most 512 dims", {"dimension.max_dimension": 512}),
    ("at least 1024 dimensions", {"dimension": False}),
    ("a model under 500MB", {"memory.max_mb": 500.0}),
    ("a GPU with 24GB VRAM", {"gpu": True, "hardware.gpu_gb": 24.0, "memory": False}),
    ("40 GB of PDFs", {"memory": False}),
    ("two GPUs", {"gpu": True, "documents": None}),
    ("we have an A100", {"gpu": True}),
    ("without a GPU", {"gpu": False}),
    ("we don't have access to any GPU", {"gpu": False}),
    ("CPU only", {"gpu": False}),
    ("GPU: none", {"gpu": False}),
    ("budget $200/month", {"cost.max_usd_per_month": 200.0}),
    ("at most 2,400 dollars a year", {"cost.max_usd_per_month": 200.0}),
    ("$200", {"cost": False}),
    (
        "50M tokens per month and at most $20/month",
        {"cost.max_usd_per_month": 20.0, "cost.million_tokens_per_month": 50.0},
    ),
    ("$0.02 per million tokens", {"cost": False}),
    ("commercial use", {"license.commercial": True}),
    ("not commercial", {"license.commercial": False}),
    ("a non-commercial hobby project", {"license.commercial": False}),
    ("exclude non-commercial models", {"license.commercial": True}),
    ("We are a startup", {"license.commercial": True}),
    ("MIT or Apache licence only", {"license.allowed": ["mit", "apache-2.0"]}),
    ("no API", HOME),
    ("we can't use third-party APIs", HOME),
    ("on-premises deployment", HOME),
    ("the data must not leave our network", HOME),
    ("air-gapped environment", HOME),
    ("we'd like to use a hosted API", {"hosting.hosting": "api"}),
    ("we prefer a hosted API", {"hosting.hosting": "api", "hosting.hard": False}),
    ("API documentation search", {"hosting": False, "domain": "code"}),
    ("must be open source", {"open_weights": True, "open_weights.hard": True}),
    ("ideally open weights", {"open_weights": True, "open_weights.hard": False}),
    ("German support would be nice", {**langs("de"), "languages.hard": False}),
    ("must support Japanese, ideally also Korean", {**langs("ja"), "languages.hard": True}),
    ("documents are in German, users search in English", {**langs("de", "en"), "languages.cross_lingual": True}),
    ("German documents and German queries", {**langs("de"), "languages.cross_lingual": False}),
    ("no German, only English", langs("en")),
    ("Our customers sit in Berlin", {**langs("de"), "languages.hard": False}),
    ("FAQ search in Polish", langs("pl")),
    ("please polish the answer", {"languages": False}),
    ("we can accept a 3% loss", {"margin": 0.03}),
    ("We currently use text-embedding-ada-002", {"incumbent": "text-embedding-ada-002"}),
    ("migrating from BAAI/bge-m3", {"incumbent": "BAAI/bge-m3"}),
    ("recomendation for books", {"task": "recommendation"}),
    ("recomendations for books", {"task": "recommendation"}),
    ("germn documents", langs("de")),
    ("commerical use", {"license.commercial": True}),
    ("classifcation of emails", {"task": "classification"}),
    ("speed is not important but cost must stay under $50 a month", {"latency": False, "cost.max_usd_per_month": 50.0}),
    ("we have 200 of them in 3 rooms", {"documents": None, "latency": False}),
    ("The service runs 24/7 since 2019", {"documents": None}),
    (
        "Hi! I'm building an internal search engine for ~300k technical manuals (German + English). It should run "
        "on our own servers, we've got one RTX 4090, and answers need to come back in less than 200 milliseconds.",
        {"documents": 300_000, "gpu": True, "latency.p95_ms": 200.0, "latency.gpu": True, **HOME, **langs("de", "en")},
    ),
    (
        "A law firm, RAG on client files. Nothing may be sent to OpenAI or another cloud. Documents avg 3 pages.",
        {"task": "rag", "domain": "legal", "documents": None, **HOME},
    ),
    ("an online store with 2M SKUs", {"documents": 2_000_000, "domain": "e-commerce", "keyword_match": None}),
    (
        "switch from OpenAI ada-002 to something open source",
        {"incumbent": "text-embedding-ada-002", "open_weights": True},
    ),
    ("100k-200k docs", {"documents": 200_000}),
    ("We do not need German. French, Italian & Spanish are a must.", langs("fr", "it", "es")),
    ("GPU optional", {"gpu": None}),
    ("English and Chinese queries over Chinese documents", {"languages.cross_lingual": True}),
    ("MIT only", {"license.allowed": ["mit"], "license.commercial": True}),
    ("Apache 2.0", {"license.allowed": ["apache-2.0"], "license.commercial": True}),
    ("Apache-2.0 or MIT", {"license.allowed": ["apache-2.0", "mit"], "license.commercial": True}),
    ("German legal search, must be MIT", {"license.allowed": ["mit"], "domain": "legal"}),
    ("MIT, Apache-2.0, BSD-3-Clause", {"license.allowed": ["mit", "apache-2.0", "bsd-3-clause"]}),
    ("only MIT or Apache, no CC-BY-NC", {"license.allowed": ["mit", "apache-2.0"]}),
    ("MIT rather than GPL", {"license.allowed": ["mit"]}),
    ("cc-by-nc only", {"license.allowed": ["cc-by-nc-4.0"], "license.commercial": False}),
    ("GPL is not allowed", {"license.refused": ["gpl"]}),
    ("Licence: GPL-3.0 is forbidden", {"license.refused": ["gpl"]}),
    ("German search, no copyleft", {"license.refused": ["copyleft"]}),
    ("only MIT, no GPL or AGPL", {"license.allowed": ["mit"], "license.refused": ["gpl", "agpl"]}),
    ("no logs of an Apache web server", {"license": False}),
    ("we want to redistribute the model", {"license.redistribution": True}),
    ("we don't need redistribution", {"license": False}),
    ("derivative works must be allowed", {"license.derivative": True}),
    ("we are researchers at MIT", {"license": False}),
    ("logs of an Apache web server", {"license": False}),
    ("deutsche Dokumente mit Bildern", {"license": False}),
    ("vectors max 768", {"dimension.max_dimension": 768}),
    ("max vector size 768", {"dimension.max_dimension": 768}),
    ("768-d vectors", {"dimension.max_dimension": 768}),
    ("embeddings no larger than 1024", {"dimension.max_dimension": 1024}),
    ("we have 10M vectors max", {"dimension": False, "documents": 10_000_000}),
    ("a vector database with max 500 users", {"dimension": False}),
    ("3-d models of furniture", {"dimension": False}),
    (
        "budget 50 dollars a month for 100 million tokens",
        {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0},
    ),
    (
        "50 dollars for 100 million tokens a month",
        {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0},
    ),
    (
        "at most $600 a year, 1200M tokens",
        {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0, "max_tokens": False},
    ),
    ("budget $50 a month, documents of 512 tokens", {"cost.million_tokens_per_month": None, "document_tokens": 512}),
    ("100M tokens", {"max_tokens": False}),
    ("support tickets -> 30 categories", {"task": "classification", "domain": "support", "documents": None}),
    ("sort app store reviews into bugs, wishes and praise", {"task": "classification"}),
    ("each email gets one of 30 labels", {"task": "classification", "documents": None}),
    ("search 12k products in 30 categories", {"task": "search", "documents": 12_000}),
    ("I sort of went into details", {"task": "search"}),
    ("find similar recipes", {"task": "similarity"}),
    ("find similar products", {"task": "recommendation", "domain": "e-commerce"}),
    ("Search in Japanese manuals", {"task": "search", "domain": "technical", **langs("ja")}),
    ("we get 50 reviews a second", {"queries_per_second": 50.0, "documents": None}),
    ("5,000 emails a day", {"queries_per_second": None, "documents": None}),
    ("2 million part descriptions", {"documents": 2_000_000}),
    ("they type an exact part number or article code", {"keyword_match": True, "domain": None}),
    ("stores by zip code", {"domain": None, "keyword_match": None}),
    ("Parking costs 5 dollars per hour", {"cost": False}),
    (
        "search, 40 queries per second, a machine costs 0.40 dollars an hour",
        {"cost": False, "machine_usd_per_hour": 0.4, "queries_per_second": 40.0},
    ),
    ("a machine costs 0.40 USD an hour", {"cost": False, "machine_usd_per_hour": 0.4}),
    ("our server costs $1 per hour", {"cost": False, "machine_usd_per_hour": 1.0}),
    ("the machine may cost at most $1 an hour", {"cost.max_usd_per_month": 730.5, "machine_usd_per_hour": None}),
    ("The hotel was 100 euros per day", {"cost": False}),
    ("I read 3 books", {"documents": None}),
    ("I read 3000 papers", {"documents": 3000}),
    ("our budget is 10 dollars a day", {"cost.max_usd_per_month": 304.4}),
    ("hosting costs $50 per month", {"cost.max_usd_per_month": 50.0}),
]
CHINESE = [
    ("一台机器每小时 3 元，做检索", {"cost": False, "machine_usd_per_hour": 0.42}),
    ("每台机器每小时0.4美元", {"cost": False, "machine_usd_per_hour": 0.4}),
    (
        "我们要做知识库问答，大约1000万条中文文档，没有显卡，数据不能出内网",
        {"task": "rag", "documents": 10_000_000, "gpu": False, **HOME, **langs("zh")},
    ),
    (
        "3亿条商品数据，做商品推荐，延迟 50 毫秒以内，必须商用",
        {
            "task": "recommendation",
            "domain": "e-commerce",
            "documents": 300_000_000,
            "latency.p95_ms": 50.0,
            "license.commercial": True,
        },
    ),
    ("用 RAG 做法律问答", {"task": "rag", "domain": "legal"}),
    ("语义搜索", {"task": "search"}),
    ("推荐一个模型", {"task": "search"}),
    ("做个性化推荐", {"task": "recommendation"}),
    ("工单文本分类", {"task": "classification", "domain": "support"}),
    ("对用户评论做聚类", {"task": "clustering"}),
    ("新闻去重", {"task": "deduplication", "domain": "news"}),
    ("论文查重", {"task": "deduplication", "domain": "academic"}),
    ("计算句子相似度", {"task": "similarity"}),
    ("检索结果重排序", {"task": "reranking"}),
    ("代码检索", {"task": "code_search", "domain": "code"}),
    ("以图搜图", {"task": "cross_modal", "modality.modalities": ["image"]}),
    ("以文搜图", {"task": "cross_modal", "modality.modalities": ["text", "image"]}),
    ("医疗病历检索", {"domain": "medical"}),
    ("金融研报搜索", {"domain": "finance"}),
    ("不是法律，是医疗", {"domain": "medical"}),
    ("需要精确匹配型号", {"keyword_match": True}),
    ("按料号查询", {"keyword_match": True}),
    ("500万篇文章", {"documents": 5_000_000}),
    ("三百万篇论文", {"documents": 3_000_000}),
    ("二十万份合同", {"documents": 200_000, "domain": "legal"}),
    ("1.2亿条记录", {"documents": 120_000_000}),
    ("十万个商品", {"documents": 100_000}),
    ("几百万条数据", {"documents": None}),
    ("每天新增1万条文档", {"documents": None}),
    ("大概 50~80 万条", {"documents": 800_000}),
    ("每篇文档约 2000 字", {"document_tokens": 2000}),
    ("需要支持 8192 tokens", {"max_tokens.tokens": 8192}),
    ("上下文至少 8k", {"max_tokens.tokens": 8000}),
    ("分块 512 tokens", {"document_tokens": 512}),
    ("查询大约 10 个 token", {"query_tokens": 10}),
    ("QPS 100", {"queries_per_second": 100.0}),
    ("每秒 20 次查询", {"queries_per_second": 20.0}),
    ("每天 864000 次请求", {"queries_per_second": 10.0}),
    ("延迟不超过 100 毫秒", {"latency.p95_ms": 100.0}),
    ("两秒以内返回", {"latency.p95_ms": 2000.0}),
    ("半秒内响应", {"latency.p95_ms": 500.0}),
    ("p95 小于 80ms", {"latency.p95_ms": 80.0}),
    ("参数量不超过 3 亿", {"parameters.max_millions": 300.0}),
    ("3亿参数以内", {"parameters.max_millions": 300.0}),
    ("不超过 1024 维", {"dimension.max_dimension": 1024}),
    ("向量维度不超过768", {"dimension.max_dimension": 768}),
    ("内存 8G", {"hardware.ram_gb": 8.0, "memory": False}),
    ("模型不能超过 500MB", {"memory.max_mb": 500.0}),
    ("显存24G", {"hardware.gpu_gb": 24.0, "gpu": True}),
    ("有 40GB 数据", {"memory": False}),
    ("没有显卡", {"gpu": False}),
    ("没有 GPU", {"gpu": False}),
    ("GPU 没有", {"gpu": False}),
    ("纯CPU推理", {"gpu": False}),
    ("有一张 4090", {"gpu": True}),
    ("我们有GPU", {"gpu": True}),
    ("每月预算 500 美元", {"cost.max_usd_per_month": 500.0}),
    ("200美元/月", {"cost.max_usd_per_month": 200.0}),
    ("预算200元/月", {"cost.max_usd_per_month": 28.0}),
    ("商业用途", {"license.commercial": True}),
    ("非商用", {"license.commercial": False}),
    ("不商用", {"license.commercial": False}),
    ("不能商用的不要", {"license.commercial": True}),
    ("个人项目", {"license.commercial": False}),
    ("我们是创业公司", {"license.commercial": True}),
    ("数据不能出内网", HOME),
    ("需要私有化部署", HOME),
    ("本地部署", HOME),
    ("不能上云", HOME),
    ("不用API", HOME),
    ("数据不能外传", HOME),
    ("调用 API 就行", {"hosting.hosting": "api"}),
    ("必须开源", {"open_weights": True, "open_weights.hard": True}),
    ("最好开源", {"open_weights": True, "open_weights.hard": False}),
    ("中英文", langs("zh", "en")),
    ("支持中文、英文和日文", langs("zh", "en", "ja")),
    ("不需要支持德语，只要英语", langs("en")),
    ("用户用中文搜索英文文档", {**langs("zh", "en"), "languages.cross_lingual": True}),
    ("跨语言检索，中文和英文", {"languages.cross_lingual": True}),
    ("最好支持日语", {**langs("ja"), "languages.hard": False}),
    ("客户都在德国", {**langs("de"), "languages.hard": False}),
    ("我們需要語義檢索，繁體中文，500萬篇文章", {"documents": 5_000_000, **langs("zh")}),
    ("最多损失 3% 的质量", {"margin": 0.03}),
    ("目前用的是 bge-large-zh-v1.5", {"incumbent": "bge-large-zh-v1.5"}),
    ("用 GPU 跑 RAG，10M documents，英文", {"gpu": True, "task": "rag", "documents": 10_000_000, **langs("en")}),
    ("我有３个问题，共１０００万条文档", {"documents": 10_000_000}),
    ("第二个问题", {"documents": None}),
    (
        "你好，我想做一个公司内部文档的语义搜索，大概有20万份PDF，中英文都有，服务器没有GPU，内存32G",
        {"documents": 200_000, "gpu": False, "hardware.ram_gb": 32.0, **langs("zh", "en")},
    ),
    (
        "我们是做跨境电商的，商品标题有英语、西班牙语和日语，用户用中文搜",
        {"domain": "e-commerce", "languages.cross_lingual": True, **langs("en", "es", "ja", "zh")},
    ),
    ("数据比较敏感，不能传到第三方，最好能完全离线", HOME),
    ("预算有限，一个月不超过300块", {"cost.max_usd_per_month": 42.0}),
    ("我们有两张A100，并发大概每秒50", {"gpu": True, "queries_per_second": 50.0, "documents": None}),
    ("之前用的是OpenAI的text-embedding-3-small，太贵了想换", {"incumbent": "text-embedding-3-small"}),
    ("MIT 许可证", {"license.allowed": ["mit"], "license.commercial": True}),
    ("只要 MIT", {"license.allowed": ["mit"], "license.commercial": True}),
    ("只能用 MIT 或 Apache 2.0", {"license.allowed": ["mit", "apache-2.0"]}),
    ("仅限 Apache-2.0 协议", {"license.allowed": ["apache-2.0"]}),
    ("GPL 不行", {"license.refused": ["gpl"]}),
    ("不能用 GPL 协议", {"license.refused": ["gpl"]}),
    ("不要传染性协议", {"license.refused": ["copyleft"]}),
    ("要允许再分发", {"license.redistribution": True}),
    ("我在 MIT 读书", {"license": False}),
    ("向量不超过 768 维", {"dimension.max_dimension": 768}),
    ("向量最多768", {"dimension.max_dimension": 768}),
    ("768 维以内的向量", {"dimension.max_dimension": 768}),
    (
        "每月预算 50 美元，1亿 tokens",
        {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0, "max_tokens": False},
    ),
    (
        "每月50美元处理1亿token",
        {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0},
    ),
    ("六十多万种配件", {"documents": 600_000}),
    ("30余万篇论文", {"documents": 300_000}),
    ("我们有多余的显卡", {"gpu": True, "documents": None}),
    ("把邮件分到30个类别", {"task": "classification", "documents": None}),
    ("高峰期每秒大概100条", {"queries_per_second": 100.0, "documents": None}),
    ("我读了3本书", {"documents": None}),
]


def test_the_table_is_large_and_half_chinese():
    assert len(ENGLISH) + len(CHINESE) >= 160
    assert len(CHINESE) >= 80


@pytest.mark.parametrize(("text", "expected"), ENGLISH + CHINESE, ids=lambda v: v if isinstance(v, str) else "")
def test_what_people_write(text, expected):
    found = facts(read(text).requirements)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("text", [text for text, _ in ENGLISH + CHINESE])
def test_twice_is_once_and_words_are_the_users(text):
    first = read(text)
    second = read(text, first.requirements)
    assert second.changes == ()
    assert second.requirements == first.requirements
    for change in first.changes:
        assert change.words in text
    r = first.requirements
    for fact in [getattr(r, s) for s in SLOTS] + list(r.constraints):
        if fact is not None and fact.origin == "stated":
            assert fact.because in text


def test_an_inference_names_its_rule_in_the_language_of_the_message():
    english = read("Our customers sit in Berlin").requirements.constraint(CONSTRAINTS["languages"])
    assert (english.origin, english.because) == ("inferred", "“Berlin” suggests the language spoken there")
    chinese = read("我们是内网环境").requirements.constraint(CONSTRAINTS["hosting"])
    assert chinese.origin == "inferred"
    assert "内网" in chinese.because
    assert "外部服务" in chinese.because


def test_a_conversion_of_currency_says_so():
    cost = read("预算200元/月").requirements.constraint(CONSTRAINTS["cost"])
    assert cost.origin == "inferred"
    assert "0.14" in cost.because
    assert "200元/月" in cost.because


def test_a_p99_is_taken_as_p95_and_says_so():
    latency = read("50ms at p99").requirements.constraint(CONSTRAINTS["latency"])
    assert (latency.p95_ms, latency.origin) == (50.0, "inferred")


CONVERSATIONS = [
    (["German contracts", "actually, make it French"], langs("fr")),
    (["German contracts", "also Polish"], langs("de", "pl")),
    (["English and German", "no German please"], langs("en")),
    (["English and German", "English only"], langs("en")),
    (["documents are in German", "users ask in English"], {**langs("de", "en"), "languages.cross_lingual": True}),
    (["under 50 ms", "forget the latency limit"], {"latency": False}),
    (["under 50 ms", "make it 80 ms"], {"latency.p95_ms": 80.0}),
    (["under 50 ms", "drop the 50 ms limit"], {"latency": False}),
    (["under 50 ms", "no GPU", "sorry, we do have a GPU"], {"latency.p95_ms": 50.0, "latency.gpu": True, "gpu": True}),
    (["no API", "actually an API is fine"], {"hosting": False}),
    (
        ["at most $50 a month, 10M tokens per month", "make it $80 a month"],
        {"cost.max_usd_per_month": 80.0, "cost.million_tokens_per_month": 10.0},
    ),
    (["search for legal texts", "it's medical, not legal"], {"domain": "medical"}),
    (["RAG over our docs", "people search a lot"], {"task": "rag"}),
    (["RAG over our docs", "actually it's classification"], {"task": "classification"}),
    (["non-commercial", "we are a startup"], {"license.commercial": False}),
    (["must be open source", "open source doesn't matter"], {"open_weights": False}),
    (["Our users are in Berlin", "all texts are English"], langs("en")),
    (["中文文档", "改成德语"], langs("de")),
    (["中文文档", "还有英文"], langs("zh", "en")),
    (["支持中文和德语", "不需要德语了"], langs("zh")),
    (["延迟 50 毫秒以内", "延迟无所谓"], {"latency": False}),
    (["延迟 50 毫秒以内", "改成 200 毫秒"], {"latency.p95_ms": 200.0}),
    (["内存 8G", "取消内存限制"], {"hardware": False}),
    (["预算每月 100 美元", "价格无所谓"], {"cost": False}),
    (["没有显卡，延迟 100 毫秒", "其实有 GPU"], {"gpu": True, "latency.gpu": True}),
    (["法律检索", "可以改成医疗吗？"], {"domain": "medical"}),
    (["1000万条文档", "应该是 500 万条文档"], {"documents": 5_000_000}),
]


@pytest.mark.parametrize(
    ("turns", "expected"), CONVERSATIONS, ids=lambda v: " / ".join(v) if isinstance(v, list) else ""
)
def test_corrections(turns, expected):
    requirements = Requirements()
    for turn in turns:
        requirements = read(turn, requirements).requirements
    found = facts(requirements)
    assert {name: found.get(name) for name in expected} == expected


def test_a_change_has_before_after_and_words():
    first = read("under 50 ms").requirements
    (change,) = read("actually 80 ms", first).changes
    assert change.slot == "latency"
    assert (change.before["p95_ms"], change.after["p95_ms"], change.words) == (50.0, 80.0, "80 ms")


YES_NO = (
    Answer(label=Text(template="Yes"), parameters={"value": True}),
    Answer(label=Text(template="No"), parameters={"value": False}),
)
ANSWERS = [
    ("license", "yes", {"license.commercial": True}),
    ("license", "no", {"license.commercial": False}),
    ("license", "是", {"license.commercial": True}),
    ("license", "不是", {"license.commercial": False}),
    ("license", "no, it's research", {"license.commercial": False}),
    ("license", "yes, and 2M docs in German", {"license.commercial": True, "documents": 2_000_000, **langs("de")}),
    ("hosting", "no", HOME),
    ("hosting", "不可以", HOME),
    ("hosting", "yes", {"hosting": False}),
    ("hosting", "I'd rather use our own card, but nothing in it is secret, so either is okay.", {"hosting": False}),
    ("hosting", "Our own card, nothing else.", HOME),
    ("hardware", "We could rent whatever GPU is needed, up to 80 GB.", {"gpu": True, "hardware.gpu_gb": 80.0}),
    ("hardware", "显卡随便租，80G的也行。", {"gpu": True, "hardware.gpu_gb": 80.0}),
    ("hardware", "a server with 64 GB, no GPU", {"gpu": False, "hardware.ram_gb": 64.0, "hardware.gpu_gb": None}),
    ("hosting", "the third one", {"hosting.hosting": "api"}),
    ("hosting", "第三个", {"hosting.hosting": "api"}),
    ("hosting", "选1", HOME),
    ("hosting", "option 1", HOME),
    ("open_weights", "yes", {"open_weights": True}),
    ("open_weights", "no", {"open_weights": False}),
    ("languages", "de, fr", langs("de", "fr")),
    ("languages", "en", langs("en")),
    ("languages", "Sardinian", langs("sc")),
    ("languages", "英文", langs("en")),
    ("documents", "200", {"documents": 200}),
    ("documents", "about 200 thousand", {"documents": 200_000}),
    ("documents", "50万", {"documents": 500_000}),
    ("documents", "三百万", {"documents": 3_000_000}),
    ("documents", "a million", {"documents": 1_000_000}),
    ("documents", "don't know", {"documents": None}),
    ("latency", "2", {"latency.p95_ms": 100.0}),
    ("latency", "30", {"latency.p95_ms": 30.0}),
    ("latency", "2 s", {"latency.p95_ms": 2000.0}),
    ("latency", "200毫秒", {"latency.p95_ms": 200.0}),
    ("memory", "16", {"memory.max_mb": 16384.0}),
    ("memory", "500", {"memory.max_mb": 500.0}),
    ("memory", "8G", {"memory.max_mb": 8192.0}),
    ("cost", "$30", {"cost.max_usd_per_month": 30.0}),
    ("cost", "300", {"cost.max_usd_per_month": 300.0}),
    ("cost", "no preference", {"cost": False}),
    ("dimension", "512", {"dimension.max_dimension": 512}),
    ("parameters", "300", {"parameters.max_millions": 300.0}),
    ("max_tokens", "1000", {"max_tokens.tokens": 1000}),
    ("document_tokens", "300 tokens", {"document_tokens": 300, "max_tokens": False}),
    ("query_tokens", "20", {"query_tokens": 20}),
    ("queries_per_second", "50", {"queries_per_second": 50.0}),
    ("margin", "3%", {"margin": 0.03}),
    ("margin", "0.05", {"margin": 0.05}),
    ("gpu", "yes", {"gpu": True}),
    ("gpu", "没有", {"gpu": False}),
    ("gpu", "有", {"gpu": True}),
    ("gpu", "nope", {"gpu": False}),
    ("keyword_match", "yes", {"keyword_match": True}),
    ("task", "RAG", {"task": "rag"}),
    ("task", "分类", {"task": "classification"}),
    ("domain", "legal", {"domain": "legal"}),
    ("license", "MIT or Apache-2.0", {"license.allowed": ["mit", "apache-2.0"]}),
    ("license", "只要 MIT", {"license.allowed": ["mit"]}),
    ("cost", "$50 for 100 million tokens", {"cost.max_usd_per_month": 50.0, "cost.million_tokens_per_month": 100.0}),
]


@pytest.mark.parametrize(("about", "text", "expected"), ANSWERS, ids=lambda v: v if isinstance(v, str) else "")
def test_replies_to_a_question(about, text, expected):
    answers = (
        CONSTRAINTS[about].answers if about in CONSTRAINTS else YES_NO if about in ("gpu", "keyword_match") else ()
    )
    understood = read(text, asked=Asked(about=about, answers=answers))
    found = facts(understood.requirements)
    assert {name: found.get(name) for name in expected} == expected
    assert understood.answered
    assert understood.intent == "inform"


def test_an_answer_to_another_question_leaves_this_one_open():
    assert not read("the documents are German", asked=Asked(about="latency")).answered
    assert not read("why not bge-m3?", asked=Asked(about="latency")).answered


QUESTIONS = [
    ("why not bge-m3?", "why_not", ("bge-m3",)),
    ("Why wasn't intfloat/multilingual-e5-small chosen?", "why_not", ("intfloat/multilingual-e5-small",)),
    ("what about jina-embeddings-v3?", "why_not", ("jina-embeddings-v3",)),
    ("why isn't LaBSE in the list", "why_not", ("LaBSE",)),
    ("why did you choose this one?", "why", ()),
    ("why all-MiniLM-L6-v2?", "why", ("all-MiniLM-L6-v2",)),
    ("what if we had a GPU?", "what_if", ()),
    ("suppose we also needed Japanese", "what_if", ()),
    ("And if we had 64 GB of memory?", "what_if", ()),
    ("compare bge-m3 and multilingual-e5-small", "compare", ("bge-m3", "multilingual-e5-small")),
    ("bge-m3 vs gte-large-en-v1.5", "compare", ("bge-m3", "gte-large-en-v1.5")),
    ("tell me about multilingual-e5-small", "show_model", ("multilingual-e5-small",)),
    ("what is bge-m3?", "show_model", ("bge-m3",)),
    ("What is nDCG?", "other", ()),
    ("Is 512 tokens enough?", "other", ()),
    ("how does Matryoshka work", "other", ()),
    ("为什么不选 bge-m3？", "why_not", ("bge-m3",)),
    ("怎么没有BAAI/bge-m3", "why_not", ("BAAI/bge-m3",)),
    ("为什么选这个？", "why", ()),
    ("理由是什么？", "why", ()),
    ("如果我们有 GPU 呢？", "what_if", ()),
    ("假如延迟放宽到 200 毫秒会怎样", "what_if", ()),
    ("bge-m3 和 multilingual-e5-large 哪个好？", "compare", ("bge-m3", "multilingual-e5-large")),
    ("对比 bge-m3 和 gte-multilingual-base", "compare", ("bge-m3", "gte-multilingual-base")),
    ("介绍一下 bge-m3", "show_model", ("bge-m3",)),
    ("什么是 MTEB？", "other", ()),
    ("那换成英文呢", "what_if", ()),
]


@pytest.mark.parametrize(("text", "kind", "models"), QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_questions(text, kind, models):
    understood = read(text)
    assert understood.intent == "question"
    assert (understood.question.kind, understood.question.models) == (kind, models)
    if kind != "what_if":
        assert understood.requirements == Requirements()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what if the budget were $1000 per month?", {"cost.max_usd_per_month": 1000.0}),
        ("what if we had no GPU?", {"gpu": False}),
        ("假如延迟放宽到 200 毫秒会怎样", {"latency.p95_ms": 200.0}),
        ("What if latency didn't matter?", {"latency": False}),
        ("如果不限语言呢？", {"languages": False}),
    ],
)
def test_a_what_if_carries_what_would_be(text, expected):
    before = Requirements(
        constraints=(make_constraint("latency", p95_ms=50), make_constraint("languages", languages=("de",)))
    )
    found = facts(read(text, before).requirements)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "Which embedding model should I use for German legal texts without a GPU?",
        "有没有适合德语法律文本、不需要GPU的模型？",
    ],
)
def test_asking_for_a_model_states_requirements(text):
    understood = read(text)
    assert understood.intent == "inform"
    found = facts(understood.requirements)
    assert (found["languages.languages"], found["domain"], found["gpu"]) == (["de"], "legal", False)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("just decide", "decide"),
        ("you decide!", "decide"),
        ("直接决定", "decide"),
        ("你看着办吧", "decide"),
        ("别再问了", "decide"),
        ("stop", "stop"),
        ("quit", "stop"),
        ("退出", "stop"),
        ("算了", "stop"),
        ("hi", "greeting"),
        ("你好！", "greeting"),
        ("yes", "confirm"),
        ("go ahead", "confirm"),
        ("好的", "confirm"),
        ("可以", "confirm"),
        ("no", "decline"),
        ("not now", "decline"),
        ("不用了", "decline"),
        ("asdf qwer", "unknown"),
        ("嘟嘟嘟", "unknown"),
        ("200", "unknown"),
        ("", "unknown"),
        ("German, and then just decide", "decide"),
        ("no GPU", "inform"),
    ],
)
def test_intents(text, intent):
    assert read(text).intent == intent


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("my data is in ./data/corpus.jsonl, please", "./data/corpus.jsonl"),
        ("see file:///tmp/My%20Data/x.csv", "/tmp/My Data/x.csv"),
        ("数据在 /data/语料 。", "/data/语料"),
        ('use "/srv/my files/docs"', "/srv/my files/docs"),
        (r"C:\Users\me\docs.csv", r"C:\Users\me\docs.csv"),
        ("corpus.parquet", "corpus.parquet"),
        ("~/docs", "~/docs"),
        ("$200/month and/or 5 €/month", None),
        ("200 元 /月", None),
        ("see https://example.org/data.csv", None),
        ("BAAI/bge-m3", None),
    ],
)
def test_paths(text, path):
    assert read(text).data_path == path


def test_what_was_not_understood_is_said():
    assert read("German contracts for our zeppelin workshop").ignored == "zeppelin workshop"
    assert "200" in read("we have 200").ignored
    assert read("德语合同").ignored == ""
    assert len(read("zeppelin " * 2_000).ignored) < 400


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("我们要做中文客服知识库的语义搜索，没有 GPU", ""),
        ("我们想搭建一个企业内部知识库搜索系统", ""),
        ("我们想搭建一个古筝指法知识库的语义搜索", "我们想搭建一个古筝指法知识库的语义搜索"),
        ("product search for support articles", ""),
        ("semantic search in product docs", ""),
        ("search for the internal website of our company", ""),
        ("RAG with retrieval over articles", ""),
        ("MIT only", ""),
        ("Apache-2.0 or MIT", ""),
        ("vectors max 768", ""),
        ("768-d vectors", ""),
        ("budget 50 dollars a month for 100 million tokens", ""),
        ("做知识库问答检索", ""),
        ("公司产品文档检索，支持中文", ""),
        ("MIT 许可证", ""),
        ("只要 MIT", ""),
        ("向量不超过 768 维", ""),
        ("no GPL", ""),
        ("GPL is not allowed", ""),
        ("GPLv3 is forbidden", ""),
        ("不要 GPL", ""),
        ("MIT is fine", "MIT"),
        ("100M tokens per month", "100M tokens per month"),
        ("$0.02 per million tokens, 10M tokens a month", "0.02 per million tokens; 10M tokens a month"),
        ("Klingon", "Klingon"),
        ("support for Klingon", "Klingon"),
        ("Klingon and German documents", "Klingon"),
        ("支持克林贡语", "支持克林贡语"),
        ("asdf qwer", "asdf qwer"),
        ("asdf qwer German", "asdf qwer"),
        ("嘟嘟嘟", "嘟嘟嘟"),
        ("We run a bike shop with 12 stores, and want legal search", "bike shop with 12 stores"),
        ("a search over German contracts on an old laptop with 4 cores", "old laptop with 4 cores"),
        ("our users write German and know the handbook, search in it", ""),
        ("给客户做问答助手，大概几千篇文章", "大概几千篇文章"),
        ("我们公司的客户想用中文检索说明书，自己查", ""),
    ],
)
def test_ignored_holds_what_may_be_a_demand_and_nothing_else(text, ignored):
    assert read(text).ignored == ignored


@pytest.mark.parametrize("text", ["no GPL", "不要 GPL"])
def test_refusing_a_license_declines_no_plan(text):
    assert read(text, asked=Asked(about="plan")).intent == "inform"


def test_an_endless_list_of_licenses_is_read():
    assert facts(read("only " + "MIT or " * 1_400).requirements)["license.allowed"] == ["mit"]
    assert read("zeppelin " + "MIT or " * 1_400).changes == ()


def test_a_volume_of_tokens_joins_the_budget_stated_before():
    before = read("at most $50 a month").requirements
    found = facts(read("100M tokens per month", before).requirements)
    assert (found["cost.max_usd_per_month"], found["cost.million_tokens_per_month"]) == (50.0, 100.0)


def test_the_summary_is_the_first_thing_said():
    first = read("  German legal search ").requirements
    assert first.summary == "German legal search"
    assert read("also French", first).requirements.summary == "German legal search"
    assert read("what if we had a GPU?").requirements.summary == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("semantic search", "en"),
        ("语义搜索", "zh"),
        ("用 RAG 做知识库问答, 部署在 GPU 上", "zh"),
        ("we need 中文 support in our product", "en"),
        ("", "en"),
        ("123 !?", "en"),
        ("検索システムを作りたい", "zh"),
    ],
)
def test_the_language_to_answer_in(text, language):
    assert detect_language(text) == language


PIECES = st.lists(
    st.sampled_from(
        """
        no not 没有 不 German 德语 中英文 , 。 and or 和 actually also forget latency 延迟 doesn't matter 0 1 2
        10M 1000 万 亿 documents 条 ms 毫秒 GB $ 元 /month 每月 tokens dimensions 维 parameters qps % loss GPU
        显卡 API VPC 内网 commercial 商用 must ideally 最好 why what if 如果 呢 ? bge-m3 ./a.csv yes 第二个
        legal RAG 推荐 999999999999999 - 24 RAM 内存 显存 A100 A10G multilingual languages 种语言 cost-sensitive
        成本敏感 edge device 手机端 the best 效果最好 long document model machine 200
        """.split()  # noqa: SIM905
    ),
    max_size=14,
)
ABOUT = st.sampled_from([None, *CONSTRAINTS, *SLOTS, "plan"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(PIECES, PIECES, ABOUT)
def test_any_mixture_of_known_words_is_read_without_contradiction(first, second, about):
    start = read(" ".join(first)).requirements
    asked = Asked(about=about, answers=CONSTRAINTS[about].answers if about in CONSTRAINTS else ()) if about else None
    text = " ".join(second)
    understood = read(text, start, asked)
    assert Requirements.model_validate(understood.requirements.model_dump()) == understood.requirements
    for change in understood.changes:
        assert change.before != change.after
        assert change.words in text
    assert read(text, understood.requirements, asked).changes == ()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_is_read(text):
    understood = read(text)
    assert all(change.words in readable(text) for change in understood.changes)


def test_the_lexicon_is_consistent():
    tables = json.loads((files("knowledge") / "data" / "lexicon.json").read_text("utf-8"))
    for category, table in tables["terms"].items():
        for value, terms in table.items():
            assert terms, (category, value)
            assert all(term == term.lower().strip() for term in terms), (category, value)
    assert set(tables["terms"]["noun"]) <= {*SLOTS, *CONSTRAINTS}


@pytest.mark.parametrize("text", ["用我的新数据重做一遍", "看一下", "再说一遍", "等一会儿", "做一个搜索"])
@pytest.mark.parametrize("about", ["latency", "documents", "dimension"])
def test_a_one_that_counts_nothing_answers_no_question(text, about):
    assert RuleUnderstanding().understand(text, Requirements(), Asked(about=about)).changes == ()
    assert RuleUnderstanding().understand("一千", Requirements(), Asked(about="documents")).changes


@pytest.mark.parametrize(
    ("before", "text", "because"),
    [
        ("texts in English and German", "forget the german, english only", "english only"),
        ("texts in English and German", "no german any more", "English and German"),
        (None, "forget the german, english only", "english only"),
    ],
)
def test_the_words_that_are_kept_are_those_that_say_it(before, text, because):
    known = make_constraint("languages", languages=("en", "de"), origin="inferred", because="the documents are so")
    said = read(before).requirements if before else Requirements(constraints=(known,))
    (found,) = (c for c in read(text, said).requirements.constraints if c.kind == "languages")
    assert (found.languages, found.origin, found.because) == (("en",), "stated", because)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("We want product recommendations and also to classify products into categories", "recommending similar items"),
        ("给商品做推荐，同时给商品分类", "recommending similar items"),
        ("RAG over our handbook, and cluster the tickets", "retrieval for generation"),
        ("classify our support tickets by topic; people also search them", None),
        ("semantic search for our RAG chatbot", None),
        ("cluster the mails, no, actually classify them", None),
        ("no classification, just recommend similar products", None),
        ("semantic search over English docs, at most 20 ms", None),
    ],
)
def test_who_names_two_tasks_is_told_that_one_is_decided(text, others):
    note = RuleUnderstanding().understand(text, Requirements(), None).note
    assert (others in str(note)) if others else note is None, note
