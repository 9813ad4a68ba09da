"""What an open page shows of a conversation: updates of its parts, of those that have changed.

A page hears by a `Pulse` that something is new, and then asks for what it is.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from agent import events
from agent.deploying import ARCHIVE
from agent.transcript import shown
from app.chat.messages import ChatMessage, Running, chat_messages
from app.chat.panels import head, needs_list, preview_html, thread_list
from app.chat.plot import pareto_figure
from app.chat.results import last_result, outdated, result_table
from app.conversations import Conversations, Live, Offer
from app.wording import code, needs
from knowledge.doors import through
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.wording import Language, Text, say
from tools.datasets.columns import ROLES

#: how many parts lie beside the chat, show uploaded data, show the result
BESIDE, OFFER, RESULT = 3, len(ROLES) + 4, 11

NO_TABLE = say("Nothing was measured, so no candidates are compared here; the report has what is predicted of each.")
NO_PLOT = say("There is no plot: nothing was timed.")


def unchanged(parts: int) -> list[Any]:
    """So many parts stay as they are."""
    return [gr.skip() for _ in range(parts)]


class View:
    """One page's view of a conversation: remembers what it has shown."""

    def __init__(self, conversations: Conversations, thread: str, language: Language) -> None:
        self._conversations, self._thread, self._language = conversations, thread, language
        self._told: list[events.Event] = []
        self._offset = 0
        self._live = Live()
        self._news = True
        self._busy: bool | None = None
        self._offered: Offer | None = None
        self._decided: Recommendation | None = None
        self._deployable = False
        self._said_of_result: Text | None = None
        self._begun = False

    @through("talk")
    def chat(self) -> list[Any]:
        """The messages, and whether there is something to stop."""
        self._live = live = self._conversations.now(self._thread)
        news, self._offset = self._conversations.advisor.transcript.read(self._thread, self._offset)
        self._told += news
        self._news = self._news or bool(news) or not live.busy
        running = Running(live.progress, live.elapsed)
        messages = chat_messages(
            self._told, self._language, busy=live.busy, running=running, waiting=tuple(live.waiting)
        )
        stop = gr.skip() if live.busy == self._busy else gr.update(visible=live.busy)
        self._busy = live.busy
        return [messages, stop]

    @through("talk")
    def beside(self) -> list[Any]:
        """What is rated in the chat, and all that lies beside and below it."""
        # what is new comes while this is made: it is for the next time
        live, news, first = self._live, self._news, not self._begun
        self._news, self._begun = False, True
        found = last_result(shown(self._told))
        chat = self._rated() if news else gr.skip()
        beside = self._panels(first) if news else unchanged(BESIDE)
        offer = unchanged(OFFER) if live.offer is self._offered else offer_parts(live.offer, self._language)
        deployable = self._is_deployable(found)
        same = found is self._decided and deployable == self._deployable and not first
        result = unchanged(RESULT) if same else self._result(found, deployable)
        self._offered, self._decided, self._deployable = live.offer, found, deployable
        outdated = self._outdated()
        return [chat, *beside, *offer, *result, outdated]

    def _outdated(self) -> Any:
        """That the result is not of the question as it is now, where it is not."""
        words = outdated(shown(self._told), busy=self._live.busy)
        if words == self._said_of_result:
            return gr.skip()
        self._said_of_result = words
        text = f"**{words.render(self._language)}**" if words else ""
        return gr.update(value=text, visible=words is not None)

    def _rated(self) -> Any:
        """What the user thinks of each of the advisor's messages, as gradio's chatbot wants to know it.

        Sent only where there is something to know: an update closes the box in which a message is being edited.
        """
        try:
            known = self._conversations.advisor.ratings(self._thread)
        except AdvisorError:
            known = {}
        if not known:
            return gr.skip()
        messages: list[ChatMessage] = chat_messages(self._told, self._language)
        found = (known.get(m["content"]) for m in messages if m["role"] == "assistant")
        return gr.update(feedback_value=[None if liked is None else "Like" if liked else "Dislike" for liked in found])

    def _panels(self, first: bool) -> list[Any]:
        """The head, the list of conversations, and the requirements."""
        top = head(self._language, self._thread) if first else gr.skip()
        openings = self._conversations.advisor.transcript.recent()
        listed = thread_list(openings, self._thread, self._conversations.busy(), self._language)
        noted = (event.requirements for event in reversed(shown(self._told)) if isinstance(event, events.Noted))
        requirements = next(noted, None) or Requirements()
        return [top, listed, needs_list(needs(requirements, self._language), self._language)]

    def _result(self, found: Recommendation | None, deployable: bool = False) -> list[Any]:
        """The result: the whole, the five links, table, plot, permalink, and why there is no table or plot."""
        if found is None:
            return [gr.update(visible=False), *unchanged(RESULT - 1)]
        folder = f"/reports/{found.run_id}"
        table = result_table(found, self._language)
        figure = pareto_figure(found, self._language)
        return [
            gr.update(visible=True),
            gr.update(link=f"{folder}/report.html"),
            *(gr.update(link=f"{folder}/report.{kind}?download=1") for kind in ("html", "md", "json")),
            gr.update(link=f"{folder}/{ARCHIVE}?download=1", visible=deployable),
            gr.update(
                value={
                    "headers": table.heads,
                    "data": table.rows,
                    "metadata": {"display_value": table.shown, "styling": None},
                },
                datatype=table.kinds,
                column_widths=table.widths,
                visible=bool(table.rows),
            ),
            gr.update(value=figure, visible=figure is not None),
            self._permalink(f"{folder}/report.html"),
            "" if table.rows else NO_TABLE.render(self._language),
            "" if figure is not None else NO_PLOT.render(self._language),
        ]

    def _is_deployable(self, found: Recommendation | None) -> bool:
        """Whether the files that deploy it stand beside its report; they come with that, after the decision."""
        if found is None:
            return False
        return (self._conversations.advisor.context.report_folder_of(found.run_id) / ARCHIVE).is_file()

    def _permalink(self, address: str) -> str:
        """Where the report stays, and the command that does the same again."""
        lines = [say("This result stays at {address}", address="").render(self._language) + code(address)]
        report = self._conversations.advisor.report(self._thread)
        if report is not None:
            lines.append(say("Do it again: {command}", command="").render(self._language) + code(report.reproduce))
        return "\n\n".join(lines)


def offer_parts(offer: Offer | None, language: Language) -> list[Any]:
    """Uploaded data: the whole, the preview, a column for each role, what to do with bad entries, and its use."""
    if offer is None:
        return [gr.update(visible=False), *unchanged(OFFER - 1)]
    columns: dict[str, list[str]] = {}
    guessed: dict[str, str] = {}
    for file in offer.preview.files:
        guessed |= file.guessed
        for role in file.roles:
            columns.setdefault(role, []).extend(file.columns)
    guessed |= offer.source.columns
    roles = [
        gr.update(visible=role in columns, choices=columns.get(role, []), value=guessed.get(role)) for role in ROLES
    ]
    preview = preview_html(offer.preview, language)
    use = gr.update(interactive=offer.preview.problem is None)
    return [gr.update(visible=True), preview, *roles, gr.update(value=offer.source.skip_bad), use]
