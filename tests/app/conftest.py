"""A server and a browser for the tests of the web chat and of reports."""

import shutil

import pytest

from tests.app.web import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests of a file: each has a conversation of its own."""
    pytest.importorskip("gradio", reason="gradio is not installed (extra ui)")
    made = Server(tmp_path_factory.mktemp("server") / "home")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
