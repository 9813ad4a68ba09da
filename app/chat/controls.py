"""What the page's controls do. The conversation is the one that the page's address names; nothing is kept here."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from agent import events
from agent.advisor import names_thread
from agent.descriptions import slot_name
from agent.interview import asked_about
from agent.transcript import shown
from agent.understanding.findings import SLOTS
from app.chat.conversations import Conversations, Live
from app.chat.messages import SKIP_BAD, ChatMessage, Running, chat_messages, turn_at
from app.chat.panels import head, needs_list, thread_list
from app.chat.results import last_result, pareto_figure, result_table
from app.chat.uploads import Uploads
from app.wording import code, escape, needs
from knowledge.constraints import CONSTRAINTS
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.wording import Language, say
from tools.data_source import STDLIB, DataSource

#: seconds between two looks at a conversation by an open page, and between two ticks of a step's clock
LOOK_EVERY, TICK = 0.1, 1.0
SAMPLE = DataSource(path=STDLIB, documents=1200, queries=300)
LONGEST_MESSAGE = 20_000
#: takes a demand back
NO_DEMAND = say("It does not matter")


@dataclasses.dataclass(frozen=True)
class Controls:
    """The controls of the page in one language."""

    conversations: Conversations
    uploads: Uploads
    language: Language

    # ---- what is shown

    async def watch(self, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Show the conversation for as long as the page is open; sends only what has changed."""
        thread = thread_of(request)
        if thread is None:
            return
        transcript = self.conversations.advisor.transcript
        await asyncio.to_thread(self.conversations.wake, thread)
        told: list[events.Event] = []
        offset, seen, decided, busy = 0, None, None, None
        for first in itertools.chain([True], itertools.repeat(False)):
            live = self.conversations.live(thread)
            now = (live.version, transcript.size(thread), live.elapsed and int(live.elapsed / TICK))
            if now != seen:
                news, offset = transcript.read(thread, offset)
                told += news
                fresh = bool(news) or seen is None or not live.busy
                beside = await asyncio.to_thread(self._beside, thread) if fresh else [gr.skip(), gr.skip()]
                found = last_result(shown(told))
                yield [
                    head(self.language, thread) if first else gr.skip(),
                    beside[0],
                    await asyncio.to_thread(self._chat, thread, told, live, fresh),
                    gr.update(visible=live.busy) if live.busy != busy else gr.skip(),
                    beside[1],
                    *(await asyncio.to_thread(self._result, thread, found) if found is not decided else _SKIPPED),
                ]
                seen, decided, busy = now, found, live.busy
            await asyncio.sleep(LOOK_EVERY)

    def _chat(self, thread: str, told: Sequence[events.Event], live: Live, fresh: bool) -> Any:
        running = Running(live.progress, live.elapsed)
        waiting = tuple(live.waiting)
        messages = chat_messages(told, self.language, busy=live.busy, running=running, waiting=waiting)
        return gr.update(value=messages, feedback_value=self._ratings(thread, messages)) if fresh else messages

    def _ratings(self, thread: str, messages: Sequence[ChatMessage]) -> list[str | None]:
        """What the user thinks of each of the advisor's messages, as gradio's chatbot wants to know it."""
        try:
            known = self.conversations.advisor.ratings(thread)
        except AdvisorError:
            return []
        found = (known.get(m["content"]) for m in messages if m["role"] == "assistant")
        return [None if liked is None else "Like" if liked else "Dislike" for liked in found]

    def _beside(self, thread: str) -> list[str]:
        """The list of conversations, and the requirements."""
        advisor = self.conversations.advisor
        listed = thread_list(advisor.transcript.recent(), thread, self.conversations.busy(), self.language)
        try:
            requirements = advisor.state(thread).get("requirements") or Requirements()
        except AdvisorError as error:  # a newer version's, or damaged
            return [listed, escape(error.render(self.language))]
        return [listed, needs_list(needs(requirements, self.language), self.language)]

    def _result(self, thread: str, found: Recommendation | None) -> list[Any]:
        """Updates of the result's parts: the whole, the four links, the table, the plot, the permalink."""
        if found is None:
            return [gr.update(visible=False), *_SKIPPED[1:]]
        folder = f"/reports/{found.run_id}"
        table = result_table(found, self.language)
        figure = pareto_figure(found, self.language)
        report = self.conversations.advisor.report(thread)
        again = (
            say("Do it again: {command}", command="").render(self.language) + code(report.reproduce) if report else ""
        )
        stays = say("This result stays at {address}", address="").render(self.language) + code(f"{folder}/report.html")
        return [
            gr.update(visible=True),
            gr.update(link=f"{folder}/report.html"),
            *(gr.update(link=f"{folder}/report.{kind}?download=1") for kind in ("html", "md", "json")),
            gr.update(
                value={"headers": table.heads, "data": table.rows},
                datatype=table.kinds,
                column_widths=table.widths,
                visible=bool(table.rows),
            ),
            gr.update(value=figure, visible=figure is not None),
            f"{stays}\n\n{again}",
        ]

    # ---- what is said

    async def send(self, text: str, request: gr.Request) -> str:
        """Say what was typed; empties the box."""
        thread = thread_of(request)
        if thread and text.strip():
            await self._say(thread, text)
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
                await self._say(thread, "", source.model_copy(update={"skip_bad": True}))
        else:
            await self._say(thread, str(chosen.value))

    async def edit(self, edited: gr.EditData, request: gr.Request) -> None:
        """Say an earlier message differently."""
        await self._say_instead(edited.index, str(edited.value), request)

    async def retry(self, retried: gr.RetryData, request: gr.Request) -> None:
        """Have the last message answered again."""
        await self._say_instead(retried.index, None, request)

    async def like(self, liked: gr.LikeData, request: gr.Request) -> None:
        """Keep what the user thinks of an answer."""
        thread = thread_of(request)
        if thread is None:
            return
        messages = chat_messages(self._told(thread), self.language)
        index = liked.index
        if isinstance(index, int) and index < len(messages):
            rating = {"Like": True, "Dislike": False}.get(str(liked.liked), liked.liked)
            opinion = rating if isinstance(rating, bool) and liked.liked != "" else None
            await asyncio.to_thread(self.conversations.advisor.rate, thread, messages[index]["content"], opinion)

    async def stop(self, request: gr.Request) -> None:
        """End what runs."""
        thread = thread_of(request)
        if thread is not None:
            await asyncio.to_thread(self.conversations.stop, thread)

    async def _say(self, thread: str, text: str, data: DataSource | None = None, about: str | None = None) -> None:
        # a browser can send half characters, which no file holds
        words = text[:LONGEST_MESSAGE].encode("utf-8", "replace").decode("utf-8")
        await asyncio.to_thread(self.conversations.say, thread, words, data, self.language, about)

    async def _say_instead(self, index: Any, text: str | None, request: gr.Request) -> None:
        thread = thread_of(request)
        if thread is None:
            return
        turn = turn_at(self._told(thread), index, self.language) if isinstance(index, int) else None
        turns = self.conversations.advisor.turns(thread)
        if turn is None or turn > len(turns):
            raise gr.Error(say("This message cannot be edited.").render(self.language), print_exception=False)
        words = turns[turn - 1].text if text is None else text
        await asyncio.to_thread(self.conversations.say_instead, thread, turn, words, self.language)

    def _told(self, thread: str) -> list[events.Event]:
        return self.conversations.advisor.transcript.read(thread)[0]

    # ---- data

    async def take(self, files: Sequence[str] | None, request: gr.Request) -> None:
        """Keep uploaded files and hand them to the advisor."""
        thread = thread_of(request)
        if thread is None or not files:
            return
        try:
            source = await asyncio.to_thread(self.uploads.keep, [Path(file) for file in files])
        except AdvisorError as error:
            self.conversations.fail(thread, error)
        else:
            await self._say(thread, "", source)

    async def take_sample(self, request: gr.Request) -> None:
        """Hand the sample to the advisor."""
        thread = thread_of(request)
        if thread is not None:
            await self._say(thread, "", SAMPLE)

    # ---- requirements

    @property
    def changeable(self) -> tuple[str, ...]:
        """All requirements that can be set."""
        return (*SLOTS, *CONSTRAINTS)

    async def open_need(self, clicked: gr.EventData) -> list[Any]:
        """Open the form for the requirement that was clicked."""
        about = str(clicked._data.get("about", "")) if isinstance(clicked._data, dict) else ""
        return [gr.update(value=about), *self._form(about)] if about in self.changeable else [gr.skip()] * 3

    async def suggest(self, about: str | None) -> list[Any]:
        """Offer the usual answers about a requirement."""
        return self._form(about)

    async def change_need(self, about: str | None, value: str | None, request: gr.Request) -> list[Any]:
        """Set a requirement, or take it back; closes the form."""
        thread = thread_of(request)
        if thread is None or about not in self.changeable or not str(value or "").strip():
            return [gr.skip()] * 3
        await self._say(thread, str(value), about=about)
        return [gr.update(value=None), *self._form(None)]

    def _form(self, about: str | None) -> list[Any]:
        if about is None or about not in self.changeable:
            return [gr.update(visible=False, value=None, choices=[]), gr.update(visible=False)]
        offered = [answer.label.render(self.language) for answer in asked_about(about).answers]
        if about in CONSTRAINTS and NO_DEMAND.render(self.language) not in offered:
            offered.append(NO_DEMAND.render(self.language))
        name = slot_name(about).render(self.language)
        return [gr.update(visible=True, value=None, choices=offered, label=name), gr.update(visible=True)]

    # ---- result

    async def show_left_out(self, request: gr.Request) -> Any:
        """The models that the demands left out, with the reasons."""
        thread = thread_of(request)
        state = await asyncio.to_thread(self.conversations.advisor.state, thread) if thread else {}
        found = state.get("shortlist")
        rows = [
            [r.model, slot_name(r.constraint).render(self.language), r.reason.render(self.language)]
            for r in (found.rejected if found else ())
        ]
        return gr.update(value=rows or [[""] * 3])


#: of the result's parts: nothing has changed
_SKIPPED: list[Any] = [gr.skip() for _ in range(8)]


def thread_of(request: gr.Request) -> str | None:
    """The conversation that the page's address names."""
    thread = str(request.query_params.get("thread", ""))
    return thread if names_thread(thread) else None
