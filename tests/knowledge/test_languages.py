"""Names and codes of languages."""

import pytest

from knowledge.languages import language_code, language_name, language_names


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("German", "de"), ("deu-Latn", "de"), ("德语", "de"), ("德文", "de"), ("de", "de"), ("Deutsch", "de"),
        ("de-AT", "de"), ("pt_BR", "pt"), (" ENGLISH ", "en"), ("英文", "en"), ("日文", "ja"), ("韩文", "ko"),
        ("中文", "zh"), ("汉语", "zh"), ("cmn", "zh"), ("zho-Hans", "zh"), ("zh-Hant", "zh"), ("Mandarin", "zh"),
        ("粤语", "yue"), ("arb", "ar"), ("ara-Latn", "ar"), ("swh", "sw"), ("pes", "fa"), ("farsi", "fa"),
        ("nob", "no"), ("nb", "no"), ("nno", "nn"), ("fil", "tl"), ("ceb", "ceb"), ("français", "fr"),
    ],
)  # fmt: skip
def test_a_language_has_one_code_however_it_is_written(text, code):
    assert language_code(text) == code


@pytest.mark.parametrize("text", ["", "  ", "python", "Klingonese", "文", "语", "-", "x" * 100_000, "en en", "go"])
def test_what_is_no_language_has_no_code(text):
    assert language_code(text) is None


def test_names_in_both_languages():
    assert (language_name("de"), language_name("de", "zh")) == ("German", "德语")
    assert (language_name("arz"), language_name("arz", "zh")) == ("Egyptian Arabic", "Egyptian Arabic")
    assert language_name("nonsense") == "nonsense"


def test_several_names_are_shown_in_the_readers_language():
    names = language_names(["de", "zh"])
    assert (names.render("en"), names.render("zh")) == ("German, Chinese", "德语、中文")
    assert names.render("zh") == type(names).model_validate_json(names.model_dump_json()).render("zh")
    assert str(language_names(["{0}"])) == "{0}"
