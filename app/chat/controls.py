"""What the page's controls do. The conversation is the one that the page's address names; nothing is kept here."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from agent import events
from agent.descriptions import slot_name
from agent.interview import asked_about
from agent.thread_locks import names_thread
from agent.transcript import shown
from agent.understanding.findings import SLOTS
from agent.understanding.language import reply_language
from app.chat.messages import SKIP_BAD, chat_messages, spoken_in, turn_at
from app.chat.panels import duel_html
from app.chat.results import last_result
from app.chat.view import BESIDE, OFFER, RESULT, View, unchanged
from app.conversations import Conversations
from app.uploads import Uploads
from app.wording import as_answer, escape
from knowledge.constraints import CONSTRAINTS
from knowledge.doors import through
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import HeadToHead, Recommendation
from knowledge.wording import Language, say
from tools.data_source import STDLIB, DataSource
from tools.datasets.columns import ROLES
from tools.report.voice import short_names

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

    async def show_chat(self, view: View | None, request: gr.Request) -> list[Any]:
        """The page's view, and the messages: first, for they are waited for."""
        thread = thread_of(request)
        if thread is None:
            return [None, gr.skip(), gr.skip()]
        view = view or View(self.conversations, thread, self.language)
        return [view, *await asyncio.to_thread(view.chat)]

    async def show_beside(self, view: View | None) -> list[Any]:
        """All that lies beside and below the chat."""
        return await asyncio.to_thread(view.beside) if view else unchanged(1 + BESIDE + OFFER + RESULT + 1)

    # ---- what is said

    async def send(self, text: str, request: gr.Request) -> None:
        """Say what was typed."""
        thread = thread_of(request)
        if thread and text.strip():
            await self._say(thread, text)

    async def choose(self, chosen: gr.SelectData, request: gr.Request) -> None:
        """Say a suggested answer."""
        thread = thread_of(request)
        if thread is None:
            return
        if chosen.value in (SKIP_BAD.render("en"), SKIP_BAD.render("zh")):
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
        language = await asyncio.to_thread(self._language_of, thread, "" if about else words)
        await asyncio.to_thread(self.conversations.say, thread, words, data, language, about)

    async def _say_instead(self, index: Any, text: str | None, request: gr.Request) -> None:
        thread = thread_of(request)
        if thread is None:
            return
        turn = turn_at(self._told(thread), index, self.language) if isinstance(index, int) else None
        turns = self.conversations.advisor.turns(thread)
        if turn is None or turn > len(turns):
            raise gr.Error(say("This message cannot be edited.").render(self.language), print_exception=False)
        words = turns[turn - 1].text if text is None else text
        language = await asyncio.to_thread(self._language_of, thread, words)
        await asyncio.to_thread(self.conversations.say_instead, thread, turn, words, language)

    def _language_of(self, thread: str, words: str) -> Language:
        """The language to answer in: of the words, where they tell one, else the one that is spoken."""
        return reply_language(words, spoken_in(shown(self._told(thread)), self.language))

    def _told(self, thread: str) -> list[events.Event]:
        return self.conversations.advisor.transcript.read(thread)[0]

    # ---- data

    async def take(self, files: Sequence[str] | None, request: gr.Request) -> None:
        """Keep uploaded files and show what they look like."""
        thread = thread_of(request)
        if thread is None or not files:
            return
        try:
            source = await asyncio.to_thread(self.uploads.keep, [Path(file) for file in files])
        except AdvisorError as error:
            self.conversations.fail(thread, error)
        else:
            await asyncio.to_thread(self.conversations.offer, thread, source)

    async def look_again(self, said: Mapping[gr.components.Component, Any], request: gr.Request) -> None:
        """Show what the uploaded files look like when columns are taken otherwise, or bad entries are left out.

        Args:
            said: what the form's parts say; those of the roles are called ``role-ROLE``.
            request: names the conversation.
        """
        values = {part.elem_id: value for part, value in said.items()}
        thread = thread_of(request)
        offer = self.conversations.live(thread).offer if thread else None
        if thread is None or offer is None:
            return
        guessed = {role: column for file in offer.preview.files for role, column in file.guessed.items()}
        chosen = {role: str(column) for role in ROLES if (column := values[f"role-{role}"])}
        mapped = {r: c for r, c in chosen.items() if r in offer.source.columns or guessed.get(r) != c}
        source = offer.source.model_copy(update={"columns": mapped, "skip_bad": bool(values["skip-bad"])})
        if source != offer.source:
            await asyncio.to_thread(self.conversations.offer, thread, source)

    async def use(self, request: gr.Request) -> None:
        """Hand the uploaded data to the advisor."""
        thread = thread_of(request)
        offer = self.conversations.live(thread).offer if thread else None
        if thread is not None and offer is not None:
            await self._say(thread, "", offer.source)
            await asyncio.to_thread(self.conversations.offer, thread, None)

    async def discard(self, request: gr.Request) -> None:
        """Forget the uploaded data."""
        thread = thread_of(request)
        if thread is not None:
            await asyncio.to_thread(self.conversations.offer, thread, None)

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

    async def open_need(self, clicked: gr.EventData, request: gr.Request) -> list[Any]:
        """Open the form for the requirement that was clicked, with what it is now."""
        about = str(clicked._data.get("about", "")) if isinstance(clicked._data, dict) else ""
        if about not in self.changeable:
            return [gr.skip()] * 3
        thread = thread_of(request)
        state = await asyncio.to_thread(self.conversations.advisor.state, thread) if thread else {}
        now = as_answer(state.get("requirements") or Requirements(), about, self.language)
        return [gr.update(value=about), *self._form(about, now)]

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

    def _form(self, about: str | None, now: str | None = None) -> list[Any]:
        if about is None or about not in self.changeable:
            return [gr.update(visible=False, value=None, choices=[]), gr.update(visible=False)]
        offered = [answer.label.render(self.language) for answer in asked_about(about).answers]
        if about in CONSTRAINTS and NO_DEMAND.render(self.language) not in offered:
            offered.append(NO_DEMAND.render(self.language))
        name = slot_name(about).render(self.language)
        return [gr.update(visible=True, value=now, choices=offered, label=name), gr.update(visible=True)]

    # ---- result

    async def show_pair(self, first: str | None, second: str | None, request: gr.Request) -> list[Any]:
        """Two candidates query by query: at first the winner and the next best."""
        found = self._decision(request)
        specs = [row.spec for row in found.rows] if found else []
        if len(specs) < 2 or found is None:
            none = say("There are no two candidates to compare.").render(self.language)
            return [gr.skip(), gr.skip(), gr.update(choices=[], value=None), escape(none)]
        names = short_names(specs)
        one = first if first in specs else found.winner or specs[0]
        other = second if second in specs else next(spec for spec in specs if spec != one)
        choices = [(names[spec], spec) for spec in specs]
        pair = [gr.update(choices=choices, value=spec) for spec in (one, other)]
        return [*pair, *await self.show_duels(one, other, request)]

    async def show_duels(self, first: str | None, second: str | None, request: gr.Request) -> list[Any]:
        """The queries on which two candidates differ most, and what each found for the first of them."""
        compared = await asyncio.to_thread(self._compare, first, second, request)
        if isinstance(compared, str):
            return [gr.update(choices=[], value=None), compared]
        choices = [(f"{duel.difference:+.3f}  {duel.text[:100]}", duel.query) for duel in compared.duels]
        chosen = compared.duels[0].query if compared.duels else None
        return [gr.update(choices=choices, value=chosen), duel_html(compared, chosen, self.language)]

    async def show_duel(self, first: str, second: str, query: str | None, request: gr.Request) -> str:
        """What two candidates found for a query, side by side."""
        compared = await asyncio.to_thread(self._compare, first, second, request)
        return compared if isinstance(compared, str) else duel_html(compared, query, self.language)

    @through("talk")
    def _compare(self, first: str | None, second: str | None, request: gr.Request) -> HeadToHead | str:
        """Two candidates of the last evaluation, or why they cannot be compared."""
        thread = thread_of(request)
        try:
            found = self.conversations.advisor.head_to_head(thread or "", str(first), str(second))
        except AdvisorError as error:
            return escape(error.render(self.language))
        return found

    def _decision(self, request: gr.Request) -> Recommendation | None:
        thread = thread_of(request)
        return last_result(shown(self._told(thread))) if thread else None

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


def thread_of(request: gr.Request) -> str | None:
    """The conversation that the page's address names."""
    thread = str(request.query_params.get("thread", ""))
    return thread if names_thread(thread) else None
