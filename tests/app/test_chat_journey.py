"""The whole way in a real browser: from the first words to the downloaded report, with what goes wrong on the way."""

import json
import re
import zipfile

import pytest

from tests.app.web import answer_until, open_page, say, serious, settle, wait_for

pytestmark = pytest.mark.integration
#: what is measured: enough to compare, and soon done
FEW = "just compare bm25 with static:wordllama"


def download(page, name):
    with page.expect_download() as found:
        page.locator("#result a", has_text=f"Download {name}").click()
    return found.value.path().read_text("utf-8")


def test_from_the_first_words_to_the_downloaded_report(server, browser, tmp_path):
    """On Python's documentation; a bad file, a reload and the server's death on the way."""
    page = open_page(browser, server.url + "/")
    say(page, "semantic search over English API documentation, no GPU, self-hosted")
    page.wait_for_selector("#chat button.option:not(:has-text('RAG over'))")
    page.locator("#chat button.option").first.click()
    settle(page)

    # a hostile file first: cause and next step, and the conversation goes on
    bad = tmp_path / "x.jsonl"
    bad.write_bytes(b"\x00\xff\xfe<img src=x onerror=alert(1)>" * 50)
    page.set_input_files("input[type=file]", bad)
    page.wait_for_selector("#preview .problem")
    page.click("#discard")
    page.wait_for_selector("#preview", state="hidden")

    say(page, FEW)
    page.click("#sample")
    wait_for(page, "1200 documents", 240)
    answer_until(page, "Yes, measure")
    assert not serious(page)
    assert not page.complaints
    page.locator("#chat button.option", has_text="Yes, measure").click()
    wait_for(page, "Measuring quality on your data")
    assert page.locator("#stop").is_visible()
    page.wait_for_url(re.compile(r"thread=[\w-]+&job=\d+$"))

    # a reload, then the server dies in the middle and starts again; a page on the same address sees it go on
    address = page.url
    page.reload()
    wait_for(page, "Measuring quality on your data")
    page.close()
    server.stop()
    server.start()
    page = open_page(browser, address)
    wait_for(page, "1200 documents")
    page.wait_for_selector("#table", timeout=300_000)
    wait_for(page, "Use ")
    page.wait_for_selector("#stop", state="hidden")
    page.wait_for_url(re.compile(r"thread=[\w-]+$"))
    assert page.locator("#table").get_by_text("wordllama").count()
    assert not serious(page)

    page.get_by_role("tab", name="Quality against cost").click()
    page.wait_for_selector("#plot .main-svg")
    page.get_by_role("tab", name="Query by query").click()
    page.wait_for_selector("#side-by-side li.relevant")
    assert "is better on" in page.locator("#side-by-side").inner_text()
    page.get_by_role("tab", name="Left out").click()
    page.wait_for_function("document.querySelector('#left-out').innerText.includes('AQ-MedAI')")
    assert not serious(page)

    figures = json.loads(download(page, "JSON"))
    winner = figures["recommendation"]["winner"]
    assert winner in ("bm25", "static:wordllama")
    assert winner in download(page, "Markdown")
    assert winner in download(page, "HTML")
    with page.expect_download() as found:
        page.locator("#result a", has_text="Download deployment.zip").click()
    assert "deployment/README.md" in zipfile.ZipFile(found.value.path()).namelist()
    assert winner in page.locator("#chat").inner_text()
    assert "advisor recommend" in page.locator("#permalink").inner_text()
    assert not page.foreign
    assert not page.complaints

    link = page.locator("#result a", has_text="Open the report").get_attribute("href")
    assert not complaints_of_report(browser, server.url + link)


def test_in_chinese_with_the_file_that_is_offered_to_try(server, browser, tmp_path):
    page = open_page(browser, server.url + "/", "zh-CN")
    assert "/zh/" in page.url
    page.fill(
        "#message textarea", "中文客服问答的语义搜索，没有 GPU，数据不能离开公司，只比较 bm25 和 static:wordllama"
    )
    page.keyboard.press("Enter")
    page.wait_for_selector("#needs :text('语言')")
    settle(page)
    link = page.locator("#sample-file").get_attribute("href")
    file = tmp_path / "faq.csv"
    file.write_bytes(server.request(link)[2])
    page.set_input_files("input[type=file]", file)
    page.wait_for_selector("#preview th :text('查询：文本')")
    page.click("#use")
    wait_for(page, "60 个查询")
    answer_until(page, "好，开始实测")
    assert not serious(page)
    page.locator("#chat button.option", has_text="好，开始实测").click()
    page.wait_for_selector("#table", timeout=300_000)
    page.wait_for_selector("#stop", state="hidden")
    assert "结果" in page.locator("#result").inner_text()
    assert "必须" in page.locator("#needs").inner_text()
    english = set(page.locator("#result, #needs, #head").all_inner_texts()) & {"Result", "must", "Stop"}
    assert not english
    assert not page.foreign
    assert not page.complaints


def test_a_running_measurement_is_stopped(server, browser):
    page = open_page(browser, server.url + "/en/")
    say(page, "semantic search over English API documentation, no GPU, just decide, commercial")
    page.click("#sample")
    wait_for(page, "1200 documents", 240)
    answer_until(page, "Yes, measure")
    page.locator("#chat button.option", has_text="Yes, measure").click()
    wait_for(page, "Measuring quality on your data")
    page.click("#stop")
    wait_for(page, "Stopped. What is done so far is kept")
    page.wait_for_selector("#stop", state="hidden")
    assert not page.complaints


def test_on_a_phone(server, browser):
    page = open_page(browser, server.url + "/en/", width=390, height=844)
    say(page, "semantic search over English API documentation, no GPU")
    page.wait_for_selector("#stop", state="hidden")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("#message", "#upload", "#needs"):
        assert page.locator(part).bounding_box()["width"] > 250
    assert not serious(page)
    assert not page.complaints


def complaints_of_report(browser, address: str) -> list[str]:
    """What a browser complains about when the report is opened from the server."""
    complaints: list[str] = []
    page = browser.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(address)
    page.wait_for_selector("h1")
    page.close()
    return complaints
