"""The web chat in a real server and a real browser: guards, and the whole journey."""

import base64
import re

import pytest

from tests.app.web import Server, open_page, tiny_dataset, wait_for


@pytest.mark.integration
def test_the_server_guards_its_pages_and_reports(server, tmp_path):
    status, headers, _ = server.request("/", **{"Accept-Language": "zh-CN"})
    assert status == 307
    assert re.fullmatch(r"/zh/\?thread=chat-[0-9a-f]{16}", headers["location"])
    assert server.request("/en/?thread=../../x")[0] == 307
    assert server.request("/en/?lang=zh&thread=mine")[1]["location"] == "/zh/?thread=mine"
    status, headers, body = server.request("/zh/?thread=mine")
    assert status == 200
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "试用示例" in body.decode()
    assert server.request("/", Host="evil.example")[0] == 421
    run = server.home / "reports" / "run-1"
    run.mkdir(parents=True)
    (run / "report.html").write_text("<p>hi", "utf-8")
    (server.home / "secret.json").write_text("not for you", "utf-8")
    status, headers, body = server.request("/reports/run-1/report.html")
    assert (status, body) == (200, b"<p>hi")
    assert "sandbox" in headers["content-security-policy"]
    assert "attachment" in server.request("/reports/run-1/report.html?download=1")[1]["content-disposition"]
    for path in (
        "/reports/run-1/report.md",
        "/reports/run-1/other.html",
        "/reports/../secret.json",
        "/reports/%2e%2e/secret.json",
        "/reports/run-1/%2e%2e%2f%2e%2e%2fsecret.json",
        f"/en/gradio_api/file={server.home}/secret.json",
    ):
        status, _, body = server.request(path)
        assert status >= 400, path
        assert b"not for you" not in body


@pytest.mark.integration
def test_everything_asks_for_the_password(tmp_path):
    made = Server(tmp_path / "home", ADVISOR_PASSWORD="geheim")
    made.start()
    try:
        login = {"Authorization": "Basic " + base64.b64encode(b"advisor:geheim").decode()}
        for path in ("/", "/en/?thread=x", "/reports/a/report.html", "/en/gradio_api/info", "/en/config"):
            assert made.request(path)[0] == 401
            assert made.request(path, **login)[0] != 401
    finally:
        made.stop()


@pytest.mark.integration
def test_from_the_first_words_to_the_report(server, browser, tmp_path):
    page = open_page(browser, server.url + "/")
    page.fill("#message textarea", "semantic search over English API documentation, no GPU, self-hosted")
    page.keyboard.press("Enter")
    wait_for(page, "semantic search over English API documentation, no GPU, self-hosted")
    page.wait_for_selector("#chat button.option:not(:has-text('RAG over'))")
    page.locator("#chat button.option").first.click()

    # a hostile file first: cause and next step, and the conversation goes on
    bad = tmp_path / "x.jsonl"
    bad.write_bytes(b"\x00\xff\xfe<img src=x onerror=alert(1)>" * 50)
    page.set_input_files("input[type=file]", bad)
    page.wait_for_selector("#preview .problem")
    page.set_input_files("input[type=file]", tiny_dataset(tmp_path / "tiny"))
    page.wait_for_selector("#preview h3:has-text('corpus.jsonl')")
    assert "30 documents, 10 queries, 10 judgments." in page.locator("#preview").inner_text()
    page.click("#use")
    wait_for(page, "30 documents")
    for _ in range(8):
        page.wait_for_function("!document.querySelector('#chat').innerText.includes('One moment')")
        answers = page.locator("#chat button.option")
        answers.first.wait_for()
        if answers.first.inner_text() == "Yes, measure":
            break
        page.wait_for_timeout(300)
        answers.last.click()
        page.wait_for_timeout(300)
    assert not page.complaints
    page.locator("#chat button.option", has_text="Yes, measure").click()
    wait_for(page, "Measuring quality on your data")

    # the server dies in the middle and starts again; another page opened on the same address sees it go on
    address = page.url
    page.close()
    server.stop()
    server.start()
    page = open_page(browser, address)
    wait_for(page, "30 documents")
    page.wait_for_selector("#table", timeout=300_000)
    wait_for(page, "Use ")
    assert page.locator("#table").get_by_text("bm25").count()
    page.wait_for_selector("#plot .main-svg")
    link = page.locator("#result a", has_text="Open the report").get_attribute("href")
    status, _, body = server.request(link)
    assert status == 200
    assert b"<html" in body
    for kind in ("md", "json"):
        assert server.request(link.replace(".html", f".{kind}?download=1"))[0] == 200
    assert "semantic search over English API documentation" in page.locator("#chat").inner_text()
    assert not page.foreign
    assert not page.complaints

    report = open_page_of_report(browser, server.url + link)
    assert not report
    chinese = open_page(browser, address.replace("/en/", "/zh/"), "zh-CN")
    chinese.wait_for_selector("#table")
    assert "结果" in chinese.locator("#result").inner_text()
    assert "必须" in chinese.locator("#needs").inner_text()
    assert not chinese.foreign
    assert not chinese.complaints


def open_page_of_report(browser, address: str) -> list[str]:
    """What a browser complains about when the report is opened from the server."""
    complaints: list[str] = []
    page = browser.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(address)
    page.wait_for_selector("h1")
    page.close()
    return complaints
