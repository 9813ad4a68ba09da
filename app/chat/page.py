"""The layout of the page, and which control does what. What they do is in ``controls.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from agent.deploying import ARCHIVE
from agent.descriptions import slot_name
from app.chat.controls import Controls
from app.chat.messages import SKIP_BAD
from app.chat.panels import HEAD_SCRIPT, NEEDS_SCRIPT, ROLE_NAMES, connection_lost, head
from app.chat.pulse import SCRIPT as PULSE_SCRIPT
from app.uploads import KINDS, sample_file
from knowledge.wording import Text, say
from tools.datasets.columns import ROLES

STYLE = Path(__file__).with_name("style.css")
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
#: events go straight to their functions: gradio's queue answers over a stream that it closes when nothing is open, and
#: an event that comes in that moment is never answered (2 of 8 first messages, gradio 6.31)
QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def make_theme() -> gr.themes.Base:
    """Gradio's plain theme with the fonts of the visitor's system: nothing is fetched.

    Subdued text and links are as strong as WCAG 2 AA wants them (contrast 4.5), which the theme's own are not.
    """
    theme = gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=MONO)
    return theme.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        link_text_color_dark="*secondary_300",
        button_cancel_background_fill="#b91c1c",
        button_cancel_background_fill_dark="#b91c1c",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
    )


def make_page(controls: Controls) -> gr.Blocks:
    """The page in the language of its controls."""
    language = controls.language

    def t(text: Text) -> str:
        return text.render(language)

    title = t(say("Embedding Advisor"))
    with gr.Blocks(title=title, analytics_enabled=False, delete_cache=(86_400, 86_400)) as blocks:
        with gr.Sidebar(open=False, width=280):
            gr.Button(t(say("New conversation")), link=f"/{language}/", elem_id="new", size="sm")
            threads = gr.HTML(elem_id="threads")
        top = gr.HTML(head(language, None), elem_id="head", js_on_load=HEAD_SCRIPT)
        with gr.Row(equal_height=False, elem_id="main"):
            with gr.Column(scale=7, min_width=260, elem_id="talk"):
                chat, text, stop = _conversation(t)
            with gr.Column(scale=3, min_width=260, elem_id="panels"):
                data = _Data(t, controls)
                needs = _Needs(t, controls)
        result = _Result(t, controls)

        # in the order of `View.beside`
        beside = [chat, top, threads, needs.list, *data.offered, result.whole, *result.links]
        beside += [result.table, result.plot, result.permalink, result.no_table, result.no_plot, result.outdated]
        pulse, view = gr.HTML(connection_lost(language), elem_id="pulse", js_on_load=PULSE_SCRIPT), gr.State()
        shown = pulse.tick(
            controls.show_chat, inputs=view, outputs=[view, chat, stop], trigger_mode="always_last", **QUICK
        )
        shown.then(controls.show_beside, inputs=view, outputs=beside, **QUICK)
        # the box is emptied by the browser at once: an answer of the server's would wipe what is typed meanwhile
        said = gr.Textbox(visible=False)
        typed = text.submit(None, inputs=text, outputs=[said, text], js="words => [words, '']", **QUICK)
        typed.then(controls.send, inputs=said, **QUICK)
        chat.option_select(controls.choose, **QUICK)
        chat.edit(controls.edit, **QUICK)
        chat.retry(controls.retry, **QUICK)
        chat.like(controls.like, **QUICK)
        stop.click(controls.stop, **QUICK)
        data.listen(controls)
        needs.listen(controls)
        result.listen(controls)
    return blocks


def _conversation(t: Any) -> tuple[gr.Chatbot, gr.Textbox, gr.Button]:
    chat = gr.Chatbot(
        elem_id="chat",
        label=t(say("Conversation")),
        show_label=False,
        height="62vh",
        sanitize_html=True,
        allow_tags=False,
        latex_delimiters=[],
        buttons=["copy"],
        feedback_options=("Like", "Dislike"),
        editable="user",
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
    with gr.Row(elem_id="below"):
        gr.Markdown(
            t(say("You may close this page while it works: its address brings you back to this conversation.")),
            elem_id="hint",
        )
        stop = gr.Button(t(say("Stop")), variant="stop", size="sm", visible=False, elem_id="stop", scale=0)
    return chat, text, stop


class _Data:
    """Where data is handed over."""

    def __init__(self, t: Any, controls: Controls) -> None:
        with gr.Accordion(t(say("Your data")), open=True):
            gr.Markdown(
                t(
                    say(
                        "Documents, and queries and judgments if you have them: one table, or several files "
                        "such as corpus.jsonl, queries.jsonl and qrels.tsv together."
                    )
                )
            )
            self.upload = gr.UploadButton(
                t(say("Upload files")), file_count="multiple", file_types=list(KINDS), elem_id="upload"
            )
            with gr.Row():
                self.sample = gr.Button(t(say("Try the sample: Python's documentation")), elem_id="sample", size="sm")
                gr.Button(
                    t(say("A file to try: questions and answers (CSV)")),
                    link=f"/samples/{sample_file(controls.language).name}",
                    elem_id="sample-file",
                    size="sm",
                )
            with gr.Column(visible=False, elem_id="offer") as self.offer:
                self.preview = gr.HTML(elem_id="preview")
                with gr.Accordion(t(say("Columns")), open=False):
                    self.roles = [
                        gr.Dropdown([], label=t(ROLE_NAMES[role]), elem_id=f"role-{role}", visible=False)
                        for role in ROLES
                    ]
                self.skip_bad = gr.Checkbox(label=t(SKIP_BAD), elem_id="skip-bad")
                with gr.Row():
                    self.use = gr.Button(t(say("Use this data")), variant="primary", size="sm", elem_id="use")
                    self.discard = gr.Button(t(say("Discard")), size="sm", elem_id="discard")
        self.offered = [self.offer, self.preview, *self.roles, self.skip_bad, self.use]

    def listen(self, controls: Controls) -> None:
        """Connect the controls."""
        self.upload.upload(controls.take, inputs=self.upload, outputs=self.upload, **QUICK)
        self.sample.click(controls.take_sample, **QUICK)
        said = {*self.roles, self.skip_bad}  # a set: they come by name
        gr.on([part.input for part in said], controls.look_again, inputs=said, **QUICK)
        self.use.click(controls.use, **QUICK)
        self.discard.click(controls.discard, **QUICK)


class _Needs:
    """The requirements and assumptions, and a form that changes one of them."""

    def __init__(self, t: Any, controls: Controls) -> None:
        with gr.Accordion(t(say("Requirements and assumptions")), open=True):
            choices = [(slot_name(about).render(controls.language), about) for about in controls.changeable]
            self.about = gr.Dropdown(
                choices, value=None, label=t(say("Change or add a requirement")), elem_id="about", filterable=True
            )
            self.value = gr.Dropdown(
                [], value=None, label=t(say("It is")), allow_custom_value=True, elem_id="value", visible=False
            )
            self.set = gr.Button(t(say("Set")), size="sm", elem_id="set", visible=False)
            self.list = gr.HTML(elem_id="needs", js_on_load=NEEDS_SCRIPT)

    def listen(self, controls: Controls) -> None:
        """Connect the controls."""
        form = [self.about, self.value, self.set]
        self.list.click(controls.open_need, outputs=form, **QUICK)
        self.about.input(controls.suggest, inputs=self.about, outputs=[self.value, self.set], **QUICK)
        self.set.click(controls.change_need, inputs=[self.about, self.value], outputs=form, **QUICK)


class _Result:
    """The decision that stands: table, plot, queries, what was left out, and the report."""

    def __init__(self, t: Any, controls: Controls) -> None:
        with gr.Column(visible=False, elem_id="result") as self.whole:
            gr.Markdown(f"## {t(say('Result'))}")
            self.outdated = gr.Markdown(elem_id="outdated", visible=False)
            with gr.Row():
                self.links = [
                    gr.Button(t(say("Open the report")), variant="primary", link_target="_blank", elem_id="open"),
                    *(gr.Button(f"{t(say('Download'))} {kind}") for kind in ("HTML", "Markdown", "JSON", ARCHIVE)),
                ]
            with gr.Tabs():
                with gr.Tab(t(say("All candidates"))):
                    self.no_table = gr.Markdown(elem_id="no-table")
                    self.table = gr.Dataframe(
                        elem_id="table", show_label=False, interactive=False, wrap=True, buttons=[]
                    )
                with gr.Tab(t(say("Quality against cost"))):
                    self.no_plot = gr.Markdown(elem_id="no-plot")
                    self.plot = gr.Plot(elem_id="plot", show_label=False)
                with gr.Tab(t(say("Query by query"))) as self.tab_queries:
                    with gr.Row():
                        self.first = gr.Dropdown([], label=t(say("Candidate A")), elem_id="first")
                        self.second = gr.Dropdown([], label=t(say("Candidate B")), elem_id="second")
                    self.duel = gr.Dropdown([], label=t(say("Query")), elem_id="duel")
                    self.side_by_side = gr.HTML(elem_id="side-by-side")
                with gr.Tab(t(say("Left out"))) as self.tab_left_out:
                    self.left_out = gr.Dataframe(
                        headers=[t(say("Model")), t(say("Requirement")), t(say("Reason"))],
                        elem_id="left-out",
                        show_label=False,
                        interactive=False,
                        wrap=True,
                        buttons=[],
                        show_search="search",
                        column_widths=["30%", "20%", "50%"],
                    )
            self.permalink = gr.Markdown(elem_id="permalink", latex_delimiters=[])

    def listen(self, controls: Controls) -> None:
        """Connect the controls."""
        pair = [self.first, self.second]
        self.tab_queries.select(controls.show_pair, inputs=pair, outputs=[*pair, self.duel, self.side_by_side], **QUICK)
        gr.on(
            [part.input for part in pair],
            controls.show_duels,
            inputs=pair,
            outputs=[self.duel, self.side_by_side],
            **QUICK,
        )
        self.duel.input(controls.show_duel, inputs=[*pair, self.duel], outputs=self.side_by_side, **QUICK)
        self.tab_left_out.select(controls.show_left_out, outputs=self.left_out, **QUICK)
