"""The parts of the page that are HTML of our own: everything that is put in is escaped."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable
from urllib.parse import urlencode

from markupsafe import Markup

from agent.transcript import Opening
from app.wording import Need, dataset_counts
from knowledge.measured_task import measurable
from knowledge.results import HeadToHead, Hit
from knowledge.wording import Language, Text, say
from tools.datasets.preview import FilePreview, Preview, Problem
from tools.report.closer_look import wins_and_losses
from tools.report.voice import short_names

#: said of data that nothing can be measured with as it is
WITHOUT_LABELS = say(
    "It has no queries with judgments: I make some from the documents where they lend themselves to it (silver "
    "queries), and say so."
)
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
// for screen readers: gradio's steps are buttons with a nameless button inside, its tables' searches have no label, and
// many of its labels are English in every language; and once something was said, the box asks for more
const mend = () => {
  document.querySelectorAll('#chat .thought-group .title button').forEach(b => { b.inert = true; });
  document.querySelectorAll('.search-input:not([aria-label])').forEach(i => { i.ariaLabel = i.placeholder; });
  const words = element.querySelector('.head').dataset, names = JSON.parse(words.names);
  for (const kind of ['aria-label', 'title'])
    document.querySelectorAll(`:is(button, [role])[${kind}]`).forEach(b => {
      const name = names[b.getAttribute(kind)];
      if (name) b.setAttribute(kind, name);
    });
  const box = document.querySelector('#message textarea');
  if (box && document.querySelector('#chat .message.user') && box.placeholder !== words.more)
    box.placeholder = words.more;
};
new MutationObserver(mend).observe(root, {childList: true, subtree: true});
mend();
"""
#: a click on what changes a requirement tells which
NEEDS_SCRIPT = """
element.addEventListener('click', event => {
  const button = event.target.closest('[data-about]');
  if (!button) return;
  trigger('click', {about: button.dataset.about});
  const shown = document.querySelector('#value input')?.value ?? '';
  let tries = 0;
  const focus = () => {  // once the present value is there: what is typed replaces it
    const input = document.querySelector('#value input');
    if (input && (input.value !== shown || tries > 9)) { input.focus(); input.select(); }
    else if (tries++ < 30) setTimeout(focus, 100);
  };
  focus();
});
"""
ROLE_NAMES: dict[str, Text] = {
    "id": say("document: id"),
    "title": say("document: title"),
    "text": say("document: text"),
    "query": say("query: text"),
    "query_id": say("query: id"),
    "relevant": say("query: ids of the right documents"),
    "judged_query": say("judgment: id of the query"),
    "judged_document": say("judgment: id of the document"),
    "grade": say("judgment: grade"),
    "label": say("text: class"),
    "text1": say("pair: first text"),
    "text2": say("pair: second text"),
    "score": say("pair: score"),
    "split": say("training or test"),
    "source": say("where it comes from"),
}
PARTS: dict[str, Text] = {
    "table": say("one table"),
    "documents": say("documents"),
    "queries": say("queries"),
    "judgments": say("judgments"),
}
#: labels of gradio's own that it does not translate
LABELS: tuple[Text, ...] = (
    say("Copy message"),
    say("Copied message"),
    say("Edit"),
    say("Retry"),
    say("Like"),
    say("Dislike"),
    say("Clicked like"),
    say("Clicked dislike"),
    say("Submit"),
    say("Cancel"),
    say("Toggle Sidebar"),
    say("Resize sidebar"),
    say("chatbot conversation"),
    say("Scroll to bottom"),
    say("More tabs"),
    say("Dataframe"),
    say("Open cell menu"),
)
_OTHER: dict[Language, tuple[Language, str]] = {"en": ("zh", "中文"), "zh": ("en", "English")}


def head(language: Language, thread: str | None) -> str:
    """The page's title, the way to the other language, and the switch between light and dark."""
    other, name = _OTHER[language]
    return Markup(
        '<div class="head" data-names="{names}" data-more="{more}"><h1>{title}</h1><p>{claim}</p><div class="choices">'
        '<a href="{link}" lang="{other}" hreflang="{other}">{name}</a>'
        '<button type="button" data-theme>{theme}</button></div></div>'
    ).format(
        names=json.dumps(
            {} if language == "en" else {name.render("en"): _t(name, language) for name in LABELS}, ensure_ascii=False
        ),
        more=_t(say("Answer, ask, or change something"), language),
        title=_t(say("Embedding Advisor"), language),
        claim=_t(say("Which embedding model? Measured on your data, justified, and cheap enough."), language),
        link=address(other, thread),
        other=other,
        name=name,
        theme=_t(say("Light / dark"), language),
    )


def connection_lost(language: Language) -> str:
    """What an open page says while it cannot reach the server."""
    words = say("The connection is lost. This page tries again by itself; nothing that was said is lost.")
    return Markup('<p role="status" hidden>{}</p>').format(_t(words, language))


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
                '<span><span class="badge{assumed}" title="{because}">{origin}</span>'
                '<button type="button" data-about="{about}" aria-label="{change}: {name} {value}">{change}</button>'
                "</span></li>"
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


def preview_html(found: Preview, language: Language) -> str:
    """What uploaded files look like: their first rows, what each column was taken for, and what is wrong, once."""
    parts = [_file_html(file, found.problem, language) for file in found.files]
    if found.summary is not None:
        read = dataset_counts(found.summary)
        parts.append(Markup("<p><strong>{}</strong></p>").format(_t(read, language)))
        if found.summary.documents and not measurable(found.summary):
            parts.append(_note_html(WITHOUT_LABELS, language))
    said = {note for file in found.files for note in file.notes}
    read_so = [note for note in (found.summary.notes if found.summary else ()) if note not in said]
    parts += [_note_html(note, language) for note in read_so]
    if found.problem is not None:
        parts.append(_problem_html(found.problem, language))
    return Markup("<section>{}</section>").format(Markup("").join(parts))


def _file_html(file: FilePreview, said: Problem | None, language: Language) -> Markup:
    """One file; its problem where that is not the one that is said of the whole."""
    roles = {column: role for role, column in file.guessed.items()}
    heads = Markup("").join(
        Markup('<th scope="col">{name}{role}</th>').format(
            name=column,
            role=Markup("<small>{}</small>").format(_t(ROLE_NAMES[roles[column]], language)) if column in roles else "",
        )
        for column in file.columns
    )
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td title="{cell}"><div>{cell}</div></td>').format(cell=cell) for cell in row)
        )
        for row in file.rows
    )
    table = Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        "<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    ).format(name=file.name, heads=heads, rows=rows)
    notes = Markup("").join(_note_html(note, language) for note in file.notes)
    own = file.problem if file.problem and not (said and _is_said(file.problem, said)) else None
    return Markup("<h3>{name} <small>{part}</small></h3>{table}{notes}{problem}").format(
        name=file.name,
        part=_t(PARTS[file.part], language),
        table=table if file.columns else "",
        notes=notes,
        problem=_problem_html(own, language) if own else "",
    )


def _is_said(problem: Problem, said: Problem) -> bool:
    """Whether a problem is the other one, which may go on to count more of them."""
    return said.cause.render("en").startswith(problem.cause.render("en"))


def _note_html(note: Text, language: Language) -> Markup:
    return Markup('<p class="note">{}</p>').format(note.render(language))


def _problem_html(problem: Problem, language: Language) -> Markup:
    return Markup('<p class="problem">⚠️ {cause}<br>→ {next}</p>').format(
        cause=problem.cause.render(language), next=problem.next_step.render(language)
    )


def duel_html(compared: HeadToHead, query: str | None, language: Language) -> str:
    """How often each of two candidates wins, and what both found for a query, side by side."""
    names = short_names((compared.first, compared.second))
    count = wins_and_losses(compared, names[compared.first], names[compared.second])
    counted = Markup("<p>{}</p>").format(_t(count, language))
    duel = next((duel for duel in compared.duels if duel.query == query), None)
    if duel is None:
        return counted
    sides = Markup("").join(
        Markup("<section><h3>{name} <small>{metric} {score:.3f}</small></h3>{hits}</section>").format(
            name=names[spec],
            metric=compared.metric,
            score=score,
            hits=_hits_html(hits, language) if hits else _t(say("What it found was not kept in that run."), language),
        )
        for spec, score, hits in zip((compared.first, compared.second), duel.scores, duel.hits, strict=True)
    )
    missed = Markup("<h3>{title}</h3>{hits}").format(
        title=_t(say("Relevant, and found by neither"), language), hits=_hits_html(duel.missed, language)
    )
    return Markup('{counted}<blockquote>{text}</blockquote><div class="side-by-side">{sides}</div>{missed}').format(
        counted=counted, text=duel.text, sides=sides, missed=missed if duel.missed else ""
    )


def _hits_html(hits: Iterable[Hit], language: Language) -> Markup:
    relevant, judged = _t(say("relevant"), language), _t(say("judged, not relevant"), language)
    return Markup("<ol>{}</ol>").format(
        Markup("").join(
            Markup("<li{tone}>{mark}<small>{document}</small> {text}</li>").format(
                tone=Markup(' class="relevant"') if hit.grade else "",
                mark=Markup('<span class="mark">✓ {}</span> ').format(relevant)
                if hit.grade
                else Markup("<span>✗ {}</span> ").format(judged)
                if hit.grade is not None
                else "",
                document=hit.document,
                text=hit.text,
            )
            for hit in hits
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
