"""What the web server lets in and hands out."""

import base64
import json
import re

import pytest

from tests.app.web import Server


@pytest.mark.integration
def test_the_server_guards_its_pages_and_reports(server, tmp_path):
    status, headers, _ = server.request("/", **{"Accept-Language": "zh-CN"})
    assert status == 307
    assert re.fullmatch(r"/zh/\?thread=chat-[0-9a-f]{16}", headers["location"])
    assert server.request("/en/?thread=../../x")[0] == 307
    assert server.request("/en/?lang=zh&thread=mine")[1]["location"] == "/zh/?thread=mine"
    # the other language of a page whose link did not name the conversation yet; the same language: a new one
    assert server.request("/zh/", Referer=f"{server.url}/en/?thread=mine")[1]["location"] == "/zh/?thread=mine"
    assert server.request("/en/", Referer=f"{server.url}/en/?thread=mine")[1]["location"] != "/en/?thread=mine"
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
    assert json.loads(server.request("/manifest.json")[2])["start_url"] == "/", "gradio's pages ask for it"
    assert server.request("/samples/faq_zh.csv")[2].decode("utf-8-sig").startswith("编号,问题,答案")
    for path in (
        "/samples/faq_de.csv",
        "/samples/%2e%2e/page.py",
        "/pulse/..%2f..%2fx",
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
        assert made.request("/pulse/x")[0] == 401
    finally:
        made.stop()
