"""The web chat's controls, by mouse and keyboard in a real browser: what they do is in the conversation afterwards."""

import re

import pytest

from agent.transcript import Transcript, shown
from tests.app.web import open_page, say, serious, settle, until, wait_for
from tools.run_store import RunStore

pytestmark = pytest.mark.integration
OPENING = "semantic search over English API documentation, no GPU, self-hosted"


def told(server, page):
    thread = re.search(r"thread=([\w-]+)", page.url).group(1)
    return thread, shown(Transcript(server.home / "threads").read(thread)[0])


def heard(server, page):
    return [event.text for event in told(server, page)[1] if event.kind == "heard"]


@pytest.fixture
def page(server, browser):
    opened = open_page(browser, server.url + "/en/")
    yield opened
    assert not opened.foreign
    assert not opened.complaints
    opened.close()


def test_requirements_are_changed_beside_the_chat_by_keyboard(server, page):
    say(page, OPENING)
    page.locator("#needs button[data-about=languages]").press("Enter")
    value = page.locator("#value input")
    value.wait_for()
    page.wait_for_function(
        "i => document.activeElement === i && i.value && i.selectionEnd === i.value.length", arg=value.element_handle()
    )
    page.keyboard.type("German, French")
    page.keyboard.press("Enter")
    page.locator("#set").press("Enter")
    page.wait_for_selector("#needs :text('German, French')")
    assert heard(server, page) == [OPENING, "German, French"]
    wait_for(page, "language: German, French")
    settle(page)
    # a demand is taken back with what is offered
    page.locator("#needs button[data-about=languages]").click()
    page.locator("#value input").click()
    page.get_by_role("option", name="It does not matter").click()
    page.click("#set")
    page.wait_for_selector("#needs button[data-about=languages]", state="detached")


def test_messages_are_edited_and_answered_again(server, page):
    say(page, OPENING)
    say(page, "within 100 ms")
    page.get_by_label("Edit", exact=True).last.click()
    box = page.locator("#chat textarea")
    box.fill("within 30 ms")
    page.get_by_label("Submit").click()
    page.wait_for_selector("#needs :text('30 ms')")
    settle(page)
    assert heard(server, page) == [OPENING, "within 30 ms"]

    def numbers():
        return [event.number for event in told(server, page)[1] if event.kind == "heard"]

    before = numbers()
    page.get_by_label("Retry").last.click()
    until(page, lambda: numbers()[-1] > before[-1])  # it was answered again
    settle(page)
    assert heard(server, page) == [OPENING, "within 30 ms"]
    assert numbers()[0] == before[0]


def test_likes_are_kept_and_shown_again(server, browser, page):
    say(page, OPENING)
    page.get_by_label("Like", exact=True).last.click()
    thread, _ = told(server, page)

    def kept():
        runs = RunStore(server.home / "runs.sqlite")
        found = runs.feedback(thread)
        runs.close()
        return found

    until(page, kept)
    (feedback,) = kept()
    assert feedback.liked
    assert feedback.answer
    again = open_page(browser, page.url)
    again.get_by_label("Liked", exact=True).wait_for()
    again.close()
    page.get_by_label("Dislike", exact=True).last.click()
    until(page, lambda: not kept()[0].liked)
    assert len(kept()) == 1


def test_conversations_are_listed_from_the_server(server, browser, page):
    say(page, OPENING)
    other = open_page(browser, server.url + "/en/")
    other.get_by_label("Toggle Sidebar").first.click()
    name, _ = told(server, page)
    link = other.locator(f"#threads a[href$='{name}']")
    link.wait_for()
    assert link.inner_text().startswith("semantic search over English API documentation")
    assert other.locator("#threads [aria-current]").count() == 0
    link.click()
    other.wait_for_url(re.compile(name))
    wait_for(other, OPENING)
    other.wait_for_selector("#threads [aria-current]", state="attached")
    other.close()


def test_an_open_page_goes_on_when_the_server_was_restarted(server, page):
    say(page, OPENING)
    server.stop()
    page.wait_for_selector("#pulse p:visible")
    server.start()
    page.wait_for_selector("#pulse p", state="hidden")
    say(page, "within 30 ms")
    page.wait_for_selector("#needs :text('30 ms')")
    assert heard(server, page) == [OPENING, "within 30 ms"]
    page.complaints.clear()  # a browser complains about a server that is gone


def test_two_pages_show_the_same_conversation(server, browser, page):
    other = open_page(browser, page.url)
    say(page, OPENING)
    wait_for(other, OPENING)
    other.fill("#message textarea", "why?")
    other.keyboard.press("Enter")
    wait_for(page, "why?")
    settle(page)
    assert heard(server, page) == [OPENING, "why?"]
    wait_for(other, "why?")
    settle(other)
    messages = [shown.locator("#chat .message").all_inner_texts() for shown in (page, other)]
    assert messages[0] == messages[1]
    other.close()


def test_light_and_dark_and_the_other_language(page):
    assert not serious(page)
    page.get_by_role("button", name="Light / dark").click()
    assert "dark" in page.locator("body").get_attribute("class")
    page.wait_for_timeout(800)  # colours fade
    assert not serious(page)
    page.reload()
    page.wait_for_selector("#chat .message")
    page.wait_for_function("document.body.classList.contains('dark')")
    thread = re.search(r"thread=([\w-]+)", page.url).group(1)
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("#head :text('嵌入模型顾问')")
    assert page.url.endswith(f"/zh/?thread={thread}")


def test_a_conversation_by_keyboard_alone(server, page):
    """From the message box by Tab and Enter: an answer is picked, the sample handed over, the plan declined."""
    page.locator("#message textarea").press_sequentially(
        "semantic search in English documentation, no GPU, just decide"
    )
    page.keyboard.press("Enter")
    wait_for(page, "just decide")
    settle(page)
    tab_to(page, "#sample")
    page.keyboard.press("Enter")
    wait_for(page, "1200 documents", 240)
    page.locator("#chat button.option", has_text="No, decide without").wait_for(timeout=60_000)
    page.locator("#head a").focus()
    tab_to(page, "#chat button.option", "No, decide without")
    page.keyboard.press("Enter")
    # the suggestion has the same words, and "just decide" had shown a result already: only what was heard tells
    until(page, lambda: heard(server, page)[-1] == "No, decide without")
    settle(page)
    page.wait_for_selector("#result a:has-text('Open the report')")
    tab_to(page, "#open")


def tab_to(page, selector: str, text: str = "") -> None:
    """Press Tab until a control, with this text, has the focus."""
    reached = "([s, t]) => document.activeElement.matches(s) && document.activeElement.innerText.includes(t)"
    for _ in range(150):
        if page.evaluate(reached, [selector, text]):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab")
