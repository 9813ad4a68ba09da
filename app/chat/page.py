"""The page. It shows the conversation that its address names, and passes on what the user does; it keeps nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from agent import events
from agent.advisor import names_thread
from agent.transcript import shown
from app.chat.conversations import Conversations
from app.chat.messages import SKIP_BAD, chat_messages
from app.chat.results import last_result, pareto_figure, result_table
from app.chat.uploads import KINDS, Uploads
from app.wording import escape, needs_markdown
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.wording import Language, Text, say
from tools.data_source import STDLIB, DataSource

#: seconds between two looks at a conversation by an open page
LOOK_EVERY = 0.1
SAMPLE = DataSource(path=STDLIB, documents=1200, queries=300)
LONGEST_MESSAGE = 20_000
FONTS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

STYLE = """
.gradio-container { max-width: min(1240px, 100vw) !important; min-width: 0; margin: 0 auto; }
#title h1 { margin: 0; font-size: 1.35rem; }
#title p { margin: .15rem 0 0; opacity: .75; }
#chat { min-height: 22rem; }
#chat table { font-size: .85em; }
#chat .message { overflow-wrap: anywhere; }
#chat .options { margin-left: 0; justify-content: flex-start; }
#chat .option { border-style: solid; cursor: pointer; }
#chat .icon-button-wrapper { display: none; }
#hint { font-size: .8em; opacity: .7; }
#table, #plot { contain: inline-size; }
#table th { font-family: inherit; }
#plot .modebar { display: none; }
#needs { font-size: .9em; }
#needs ul { padding-left: 1.1em; }
@media (max-width: 640px) { .gradio-container > .main { padding: 12px !important; max-width: 100vw; } }
"""


def make_theme() -> gr.themes.Base:
    """Gradio's plain theme with the fonts of the visitor's system: nothing is fetched."""
    return gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=MONO)


def make_page(conversations: Conversations, uploads: Uploads, language: Language) -> gr.Blocks:
    """The page in one language."""

    def t(text: Text) -> str:
        return text.render(language)

    page = Page(conversations, uploads, language)
    # several at once, each page holding one `watch` for as long as it is open
    quick: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    with gr.Blocks(title=t(say("Embedding Advisor")), analytics_enabled=False, delete_cache=(86_400, 86_400)) as blocks:
        gr.Markdown(
            f"# {t(say('Embedding Advisor'))}\n"
            f"{t(say('Which embedding model? Measured on your data, justified, and cheap enough.'))}",
            elem_id="title",
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=7, min_width=260):
                chat = gr.Chatbot(
                    elem_id="chat",
                    label=t(say("Conversation")),
                    show_label=False,
                    height="62vh",
                    sanitize_html=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    buttons=[],
                    feedback_options=None,
                    layout="bubble",
                )
                text = gr.Textbox(
                    elem_id="message",
                    label=t(say("Message")),
                    show_label=False,
                    placeholder=t(say("What are you building?")),
                    submit_btn=True,
                    autofocus=True,
                    lines=1,
                    max_lines=8,
                )
                gr.Markdown(
                    t(say("You may close this page while it works: its address brings you back to this conversation.")),
                    elem_id="hint",
                )
            with gr.Column(scale=3, min_width=260):
                with gr.Accordion(t(say("Your data")), open=True):
                    gr.Markdown(
                        t(
                            say(
                                "Documents, and queries and judgments if you have them: one table, or several files "
                                "such as corpus.jsonl, queries.jsonl and qrels.tsv together."
                            )
                        )
                    )
                    upload = gr.UploadButton(
                        t(say("Upload files")), file_count="multiple", file_types=list(KINDS), elem_id="upload"
                    )
                    sample = gr.Button(t(say("Try the sample: Python's documentation")), elem_id="sample")
                with gr.Accordion(t(say("Requirements and assumptions")), open=True):
                    needs = gr.Markdown(elem_id="needs", latex_delimiters=[])
                new = gr.Button(t(say("New conversation")), link=f"/{language}/", elem_id="new")
        with gr.Column(visible=False, elem_id="result") as result:
            gr.Markdown(f"## {t(say('Result'))}")
            with gr.Row():
                links = [
                    gr.Button(t(say("Open the report")), variant="primary", link_target="_blank", elem_id="open"),
                    *(gr.Button(f"{t(say('Download'))} {kind}") for kind in ("HTML", "Markdown", "JSON")),
                ]
            table = gr.Dataframe(elem_id="table", show_label=False, interactive=False, wrap=True, buttons=[])
            plot = gr.Plot(elem_id="plot", show_label=False)
        shown = [chat, needs, result, *links, table, plot]
        blocks.load(page.watch, outputs=shown, **quick)
        text.submit(page.send, inputs=text, outputs=text, **quick)
        chat.option_select(page.choose, **quick)
        upload.upload(page.take, inputs=upload, outputs=upload, **quick)
        sample.click(page.take_sample, **quick)
        del new
    return blocks


@dataclasses.dataclass(frozen=True)
class Page:
    """What the page's controls do. The conversation is the one named in the page's address."""

    conversations: Conversations
    uploads: Uploads
    language: Language

    async def watch(self, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Show the conversation for as long as the page is open; sends only what has changed."""
        thread = thread_of(request)
        if thread is None:
            return
        transcript = self.conversations.advisor.transcript
        await asyncio.to_thread(self.conversations.wake, thread)
        told: list[events.Event] = []
        offset, seen, decided = 0, None, None
        while True:
            live = self.conversations.live(thread)
            now = (live.version, transcript.size(thread))
            if now != seen:
                news, offset = transcript.read(thread, offset)
                told += news
                fresh = bool(news) or seen is None or not live.busy
                messages = chat_messages(
                    told, self.language, busy=live.busy, progress=live.progress, waiting=tuple(live.waiting)
                )
                needs = await asyncio.to_thread(self._needs, thread) if fresh else gr.skip()
                found = last_result(shown(told))
                yield [messages, needs, *(self._result(found) if found is not decided else [gr.skip()] * 7)]
                seen, decided = now, found
            await asyncio.sleep(LOOK_EVERY)

    async def send(self, text: str, request: gr.Request) -> str:
        """Say what was typed; empties the box."""
        thread = thread_of(request)
        if thread and text.strip():
            # a browser can send half characters, which no file holds
            words = text[:LONGEST_MESSAGE].encode("utf-8", "replace").decode("utf-8")
            self.conversations.say(thread, words, language=self.language)
        return ""

    async def choose(self, chosen: gr.SelectData, request: gr.Request) -> None:
        """Say a suggested answer."""
        thread = thread_of(request)
        if thread is None:
            return
        if chosen.value == SKIP_BAD.render(self.language):
            state = await asyncio.to_thread(self.conversations.advisor.state, thread)
            source = state.get("data")
            if source is not None:
                again = source.model_copy(update={"skip_bad": True})
                self.conversations.say(thread, "", again, language=self.language)
        else:
            await self.send(str(chosen.value), request)

    def take(self, files: Sequence[str] | None, request: gr.Request) -> None:
        """Keep uploaded files and hand them to the advisor."""
        thread = thread_of(request)
        if thread is None or not files:
            return
        try:
            source = self.uploads.keep([Path(file) for file in files])
        except AdvisorError as error:
            self.conversations.fail(thread, error)
        else:
            self.conversations.say(thread, "", source, language=self.language)

    async def take_sample(self, request: gr.Request) -> None:
        """Hand the sample to the advisor."""
        thread = thread_of(request)
        if thread is not None:
            self.conversations.say(thread, "", SAMPLE, language=self.language)

    def _needs(self, thread: str) -> str:
        try:
            state = self.conversations.advisor.state(thread)
        except AdvisorError as error:  # a newer version's, or damaged
            return escape(error.render(self.language))
        return needs_markdown(state.get("requirements") or Requirements(), self.language)

    def _result(self, found: Recommendation | None) -> list[Any]:
        """Updates of the result's parts: the whole, the four links, the table, the plot."""
        if found is None:
            return [gr.update(visible=False), *[gr.skip()] * 6]
        folder = f"/reports/{found.run_id}"
        table = result_table(found, self.language)
        figure = pareto_figure(found, self.language)
        value = {"headers": table.heads, "data": table.rows}
        return [
            gr.update(visible=True),
            gr.update(link=f"{folder}/report.html"),
            *(gr.update(link=f"{folder}/report.{kind}?download=1") for kind in ("html", "md", "json")),
            gr.update(value=value, datatype=table.kinds, column_widths=table.widths, visible=bool(table.rows)),
            gr.update(value=figure, visible=figure is not None),
        ]


def thread_of(request: gr.Request) -> str | None:
    """The conversation that the page's address names."""
    thread = str(request.query_params.get("thread", ""))
    return thread if names_thread(thread) else None
