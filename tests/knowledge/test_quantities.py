"""Quantities as sentences write them."""

import pytest

from knowledge import quantities as q
from knowledge.wording import Text, join, say, written


@pytest.mark.parametrize(
    ("found", "english", "chinese"),
    [
        (q.milliseconds(0.004), "under 0.01 ms", "不到 0.01 毫秒"),
        (q.milliseconds(0.117), "0.12 ms", "0.12 毫秒"),
        (q.milliseconds(30.64), "30.6 ms", "30.6 毫秒"),
        (q.milliseconds(446.7), "447 ms", "447 毫秒"),
        (q.milliseconds(12_345), "12.3 s", "12.3 秒"),
        (q.estimated_milliseconds(0.02), "under 1 ms", "不到 1 毫秒"),
        (q.estimated_milliseconds(446.7), "450 ms", "450 毫秒"),
        (q.estimated_milliseconds(5_123), "5.1 s", "5.1 秒"),
        (q.duration(2.69e-05 * 60), "under a second", "不到 1 秒"),
        (q.duration(1), "1 second", "1 秒"),
        (q.duration(600), "10 minutes", "10 分钟"),
        (q.duration(3 * 3600), "3 hours", "3 小时"),
        (q.duration(1e6), "12 days", "12 天"),
        (q.memory(0.4883 * 1024), "500 MB", "500 MB"),
        (q.memory(67.8), "68 MB", "68 MB"),
        (q.memory(0.2), "under 1 MB", "不到 1 MB"),
        (q.memory(8192), "8 GB", "8 GB"),
        (q.storage(4330), "4,330 bytes", "4,330 字节"),
        (q.storage(43_300), "43.3 kB", "43.3 kB"),
        (q.storage(999.9), "1,000 bytes", "1,000 字节"),
        (q.storage(43.3e6), "43.3 MB", "43.3 MB"),
        (q.storage(1.536e9), "1.54 GB", "1.54 GB"),
        (q.parameters(7_953e6), "7.95 billion parameters", "79.5 亿参数"),
        (q.parameters(118e6), "118 million parameters", "1.18 亿参数"),
        (q.parameters(22.7e6), "22.7 million parameters", "2,270 万参数"),
    ],
)
def test_quantities_are_rounded_as_people_read_them(found, english, chinese):
    assert (found.render("en"), found.render("zh")) == (english, chinese)
    assert Text.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("value", [0.00001, 0.9999, 9.996, 99.96, 999.6, 12345.6, 0.0, 7e12])
def test_no_quantity_is_written_with_an_exponent(value):
    assert "e" not in q.digits(value)
    assert float(q.digits(value).replace(",", "")) == pytest.approx(value, rel=0.005)


def test_joined_parts_get_the_punctuation_of_their_language():
    parts = [say("1 minute"), Text.model_validate("bm25"), say("1 second")]
    assert join(parts, Text(template="; ")).render("zh") == "1 分钟；bm25；1 秒"
    assert join(parts, Text(template=", ")).render("zh") == "1 分钟，bm25，1 秒"
    assert join([say("Chinese"), say("German")], Text(template=", ")).render("zh") == "中文、德语"
    latin = [Text.model_validate(name) for name in ("a/b", "c")]
    assert join(latin, Text(template=", ")).render("zh") == "a/b, c", "names stay as they are"
    assert join(parts, Text(template="; ")).render("en") == "1 minute; bm25; 1 second"


def test_a_quantity_is_written_in_the_reader_s_language_after_any_journey():
    kept = Text.model_validate_json(say("{many} parameters", many=written("8", "八")).model_dump_json())
    assert (kept.render("en"), kept.render("zh")) == ("8 parameters", "八参数")
