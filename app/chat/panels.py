"""The parts of the page that are HTML of our own: everything that is put in is escaped."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from urllib.parse import urlencode

from markupsafe import Markup

from agent.transcript import Opening
from app.wording import Need
from knowledge.wording import Language, Text, say

#: of a conversation's first words, so many characters are its title
TITLE = 60
#: what gradio's HTML component runs when it is shown: the theme that was chosen here before, or the system's
HEAD_SCRIPT = """
const root = document.body, key = 'advisor-theme';
const apply = dark => root.classList.toggle('dark', dark);
const kept = localStorage.getItem(key);
if (kept) apply(kept === 'dark');
element.addEventListener('click', event => {
  if (!event.target.closest('[data-theme]')) return;
  const dark = !root.classList.contains('dark');
  apply(dark);
  localStorage.setItem(key, dark ? 'dark' : 'light');
});
"""
#: a click on what changes a requirement tells which
NEEDS_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-about]');
  if (button) trigger('click', {about: button.dataset.about});
});
"""
_OTHER: dict[Language, tuple[Language, str]] = {"en": ("zh", "中文"), "zh": ("en", "English")}


def head(language: Language, thread: str | None) -> str:
    """The page's title, the way to the other language, and the switch between light and dark."""
    other, name = _OTHER[language]
    return Markup(
        '<div class="head"><h1>{title}</h1><p>{claim}</p><div class="choices">'
        '<a href="{link}" lang="{other}" hreflang="{other}">{name}</a>'
        '<button type="button" data-theme>{theme}</button></div></div>'
    ).format(
        title=_t(say("Embedding Advisor"), language),
        claim=_t(say("Which embedding model? Measured on your data, justified, and cheap enough."), language),
        link=address(other, thread),
        other=other,
        name=name,
        theme=_t(say("Light / dark"), language),
    )


def address(language: Language, thread: str | None) -> str:
    """Where a conversation is; without a name, a new one."""
    return f"/{language}/" + (f"?{urlencode({'thread': thread})}" if thread else "")


def thread_list(
    found: Iterable[Opening], here: str | None, busy: Collection[str], language: Language, now: float | None = None
) -> str:
    """The conversations as links, the latest first; `busy` are those in which something runs."""
    moment = time.time() if now is None else now
    items = Markup("").join(
        Markup('<li><a href="{link}"{here}>{title}<small>{when}</small></a></li>').format(
            link=address(language, opening.thread),
            here=Markup(' aria-current="page"') if opening.thread == here else "",
            title=_title(opening, language),
            when=Markup('<span class="busy">● {}</span>').format(_t(say("at work"), language))
            if opening.thread in busy
            else _t(_ago(moment - opening.changed), language),
        )
        for opening in found
    )
    none = Markup("<p>{}</p>").format(_t(say("None yet."), language))
    return Markup('<nav aria-label="{title}"><h2>{title}</h2>{items}</nav>').format(
        title=_t(say("Conversations"), language), items=Markup("<ul>{}</ul>").format(items) if items else none
    )


def needs_list(found: Iterable[Need], language: Language) -> str:
    """The requirements and assumptions, each with a way to change it."""
    change = _t(say("Change"), language)
    return Markup("<ul>{}</ul>").format(
        Markup("").join(
            Markup(
                '<li><span><span class="name">{name}:</span> <strong>{value}</strong></span>'
                '<span class="badge{assumed}" title="{because}">{origin}</span>'
                '<button type="button" data-about="{about}" aria-label="{change}: {name} {value}">{change}</button>'
                "</li>"
            ).format(
                name=need.name,
                value=need.value,
                assumed=Markup(" assumed") if need.assumed else "",
                because=need.because,
                origin=need.origin,
                about=need.about,
                change=change,
            )
            for need in found
        )
    )


def _title(opening: Opening, language: Language) -> str:
    words = opening.words or _t(say("Data without a word"), language)
    return words if len(words) <= TITLE else words[: TITLE - 1].rstrip() + "…"


def _ago(seconds: float) -> Text:
    minutes = int(seconds // 60)
    if minutes < 1:
        return say("just now")
    if minutes < 60:
        return say("{count} min ago", count=minutes)
    if minutes < 48 * 60:
        return say("{count} h ago", count=minutes // 60)
    return say("{count} days ago", count=minutes // (24 * 60))


def _t(text: Text, language: Language) -> str:
    return text.render(language)
