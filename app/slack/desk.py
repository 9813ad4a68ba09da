"""Where deliveries are dealt with: words and files go to the advisor, clicks do what their buttons say."""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread

from agent import events
from agent.at_once import asks_to_stop
from agent.understanding.language import detect_language
from app.bug_log import write_bug_log
from app.conversations import Conversations
from app.slack import blocks, buttons
from app.slack.deliveries import Deliveries, Taken
from app.slack.downloads import Downloads
from app.slack.messages import Outgoing
from app.slack.records import Clicked, Commanded, Delivery, Opened, Place, Said
from app.slack.teller import Teller
from app.slack.web import Refused, Unreachable, Web
from app.uploads import Uploads
from knowledge.constraints import CONSTRAINTS
from knowledge.doors import through
from knowledge.errors import AdvisorError
from knowledge.wording import Language, say
from tools.data_source import DataSource

LOG = logging.getLogger(__name__)
GREETING = say("Tell me what you are building; I ask what I need to know.")
OPENINGS = (
    say("Semantic search over English API documentation, no GPU"),
    say("RAG over Chinese customer support tickets, commercial use"),
    say("Multilingual product search under 50 ms, open weights"),
)
#: seconds between two looks for what a dead process left, and the longest wait for Slack
LOOK, LAST_TRY = 5.0, 30.0
#: seconds that a click waits for what was said before it
SETTLES = 10.0


class Desk:
    """Deals with deliveries in the background, those of one conversation one after the other."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        teller: Teller,
        web: Web,
        downloads: Downloads,
        uploads: Uploads,
        home: Path,
        language: Language,
    ) -> None:
        self._conversations, self._deliveries, self._teller, self._web = conversations, deliveries, teller, web
        self._downloads, self._uploads, self._home = downloads, uploads, home
        #: spoken where nobody has said anything yet
        self._first_language = language
        self._lock = Lock()
        self._woken: dict[str, Event] = {}
        self._over = Event()

    def start(self) -> None:
        """Go on with what was left undone, and look for more of that from time to time."""
        Thread(target=self._look_after, name="slack deliveries", daemon=True).start()

    def stop(self) -> None:
        """Look for nothing more."""
        self._over.set()

    def accept(self, delivery: Delivery, event: str) -> bool:
        """Keep a delivery, and begin to deal with it; whether it is new. When this returns, it is on disk."""
        line = f"command {delivery.trigger}" if isinstance(delivery, Commanded) else delivery.place.thread
        new = self._deliveries.accept(delivery, line, event)
        if new:
            self._work_on(line)
        return new

    def concerns(self, said: Said) -> bool:
        """Whether a message is for the advisor: it is named, or what it waits for in its conversation is said.

        People talk with each other in a thread too. Without a name, only what the advisor waits for is taken.
        """
        if said.mentioned:
            return True
        thread = said.place.thread
        if self._deliveries.place(thread) is None:
            return False
        state = self._conversations.advisor.state(thread)
        return bool(said.files or state.get("asked")) or asks_to_stop(said.text)

    def _look_after(self) -> None:
        begun = True
        while True:
            try:
                if self._deliveries.bury() or begun:
                    self._take_over()
                begun = False
                for line in self._deliveries.left():
                    self._work_on(line)
            except AdvisorError as error:
                LOG.error("%s", error)
            except Exception as error:  # noqa: BLE001 - whatever it was, there is more to look after
                LOG.error("bug in looking after deliveries: %r (see %s)", error, write_bug_log(error, self._home))
            if self._over.wait(LOOK):
                return

    def _take_over(self) -> None:
        """Finish what a dead process was answering, and tell what it said."""
        for thread in self._deliveries.threads():
            self._conversations.wake(thread)
            if self._conversations.advisor.transcript.size(thread) > self._deliveries.told(thread).read:
                self._teller.wake(thread)

    def _work_on(self, line: str) -> None:
        with self._lock:
            known = self._woken.get(line)
            if known is not None:
                known.set()
                return
            self._woken[line] = woken = Event()
        Thread(target=self._work, args=(line, woken), name=f"slack {line}", daemon=True).start()

    @through("talk")
    def _work(self, line: str, woken: Event) -> None:
        while True:
            woken.clear()
            try:
                while (taken := self._deliveries.take(line)) is not None:
                    self._deal_with(taken)
            except AdvisorError as error:  # the disk is full; what was not done stays, and is looked for again
                LOG.error("%s", error)
            with self._lock:
                if not woken.is_set():
                    del self._woken[line]
                    return

    def _deal_with(self, taken: Taken) -> None:
        wait = 1.0
        while True:
            try:
                self._do(taken)
                break
            except Unreachable as error:
                LOG.warning("Slack cannot be reached: %s", error)
                time.sleep(wait)
                wait = min(wait * 2, LAST_TRY)
            except Refused as error:
                LOG.warning("Slack refuses: %s", error.why)
                break
            except AdvisorError as error:
                self._fail(taken, error)
                break
            except Exception as error:  # noqa: BLE001 - the last resort: a bug gets a log file and one line in the thread
                log = write_bug_log(error, self._home)
                LOG.error("bug in a delivery: %r (see %s)", error, log)
                told = AdvisorError(
                    say("This is a bug in the advisor: {error}.", error=type(error).__name__),
                    say("Please report it with the log file {name}.", name=log.name if log else "-"),
                )
                self._fail(taken, told)
                break
        self._deliveries.done(taken.number)

    def _fail(self, taken: Taken, error: AdvisorError) -> None:
        place = taken.delivery.place
        if place is not None:
            self._conversations.fail(place.thread, error)
            self._teller.wake(place.thread)

    def _do(self, taken: Taken) -> None:
        match taken.delivery:
            case Said() as said:
                self._hear(taken, said)
            case Clicked() as clicked:
                self._click(taken, clicked)
            case Commanded() as commanded:
                self._command(taken, commanded)
            case Opened() as opened:
                self._greet(opened)

    # ---- words and files

    def _hear(self, taken: Taken, said: Said) -> None:
        self._deliveries.know(said.place)
        data = None
        if said.files:
            with self._downloads.fetched(said.files) as files:
                data = self._uploads.keep(files)
        if said.text or data:
            self._say(taken, said.place, said.user, said.text, data=data)
        elif not said.files:
            self._web.post(said.place, self._greeting())
        client = self._web.client
        self._web.may(partial(client.reactions_add, channel=said.place.channel, timestamp=said.ts, name="eyes"))

    def _say(
        self,
        taken: Taken,
        place: Place,
        user: str,
        text: str,
        *,
        data: DataSource | None = None,
        about: str | None = None,
    ) -> None:
        thread = place.thread
        runs = self._conversations.live(thread).job is not None
        with self._teller.speaking:
            number = self._conversations.say(
                thread, text, data, about=about, briefly=True, key=f"slack-{self._deliveries.id}-{taken.number}"
            )
            if number is not None:
                self._deliveries.spoke(thread, number, user)
        if number is not None and runs:
            waits = say("I answer that as soon as what runs is done. Say “stop” to end it.")
            self._web.whisper(place, user, waits.render(self._language(thread, text)))
        self._teller.wake(thread)

    def _language(self, thread: str, text: str) -> Language:
        return self._conversations.advisor.state(thread).get("language") or detect_language(text)

    # ---- buttons

    def _click(self, taken: Taken, clicked: Clicked) -> None:
        thread, language = clicked.place.thread, self._language(clicked.place.thread, "")
        if self._deliveries.place(thread) is None:
            return
        if clicked.action == "stop":
            self._conversations.stop(thread)
        elif clicked.action == "rate":
            self._rate(clicked, language)
        elif not self._deliveries.claim(f"clicked:{clicked.place.channel}:{clicked.ts}", taken.number):
            self._whisper(clicked, say("Somebody has clicked here already.").render(language))
        elif clicked.action == "skip":
            self._skip_bad(taken, clicked)
        else:
            self._choose(taken, clicked, language)

    def _choose(self, taken: Taken, clicked: Clicked, language: Language) -> None:
        """Say what the button says, if that is still what it answers."""
        value = _value(clicked.value)
        label, about = value.get("label", ""), value.get("about")
        if not label:
            return
        # what was said before the click may change what is asked, and a plan before it is agreed to
        settled = about is None or self._is_settled(clicked.place.thread)
        state = self._conversations.advisor.state(clicked.place.thread)
        asked, plan = state.get("asked"), state.get("plan")
        is_open = settled and asked is not None and asked.about == about
        if about == "plan" and "plan" in value and (plan is None or buttons.fingerprint(plan) != value["plan"]):
            is_open = False
        if about is not None and not is_open and about not in CONSTRAINTS:
            self._whisper(clicked, say("This is no longer what I ask; the latest question is below.").render(language))
            return
        self._show_chosen(clicked, label)
        self._say(taken, clicked.place, clicked.user, label, about=None if is_open or about is None else about)

    def _is_settled(self, thread: str) -> bool:
        """Whether all that was said before was answered; waited for a little."""
        end = time.monotonic() + SETTLES
        while self._conversations.advisor.unfinished(thread):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _skip_bad(self, taken: Taken, clicked: Clicked) -> None:
        told = self._conversations.advisor.transcript.read(clicked.place.thread)[0]
        heard = (e.data for e in reversed(told) if isinstance(e, events.Heard))
        data = next((found for found in heard if found is not None), None)
        if data is not None:
            self._show_chosen(clicked, buttons.SKIP_BAD.render(self._language(clicked.place.thread, "")))
            skipping = data.model_copy(update={"skip_bad": True})
            self._say(taken, clicked.place, clicked.user, "", data=skipping)

    def _show_chosen(self, clicked: Clicked, label: str) -> None:
        """Put who chose what in place of the buttons."""
        left = (b for b in clicked.blocks if b.get("type") not in ("actions", "context_actions"))
        kept = [{key: value for key, value in block.items() if key != "block_id"} for block in left]  # Slack: a new one
        chosen = blocks.small(f"✓ {label}")
        chosen[0]["elements"].append({"type": "mrkdwn", "text": f"<@{clicked.user}>"})
        text = "\n".join([blocks.escape(clicked.text), f"✓ {blocks.escape(label)} <@{clicked.user}>"])
        message = Outgoing(text, (*kept, *chosen))
        self._web.may(partial(self._web.update, clicked.place, clicked.ts, message))

    def _rate(self, clicked: Clicked, language: Language) -> None:
        liked = {"good": True, "bad": False}.get(clicked.value)
        if liked is not None:
            self._conversations.advisor.rate(clicked.place.thread, clicked.text, liked)
            self._whisper(clicked, say("Thank you: I have noted that.").render(language))

    def _whisper(self, clicked: Clicked, text: str) -> None:
        self._web.whisper(clicked.place, clicked.user, text)

    # ---- beginnings

    def _command(self, taken: Taken, commanded: Commanded) -> None:
        """Begin a conversation: in the channel, or with the user alone where the app may not write there."""
        place = commanded.place
        if place is None:
            place = self._begin(commanded)
            self._deliveries.change(taken.number, commanded.model_copy(update={"place": place}))
        self._deliveries.know(place)
        self._say(taken, place, commanded.user, commanded.text)

    def _begin(self, commanded: Commanded) -> Place:
        said = [*blocks.addressed([], commanded.user), *blocks.paragraphs(commanded.text)]
        message = Outgoing(f"<@{commanded.user}> {blocks.escape(commanded.text)}", tuple(said[: blocks.MOST_BLOCKS]))
        channel = commanded.channel
        try:
            ts = self._web.post_root(channel, message)
        except Refused:
            opened = self._web.call(self._web.client.conversations_open, users=commanded.user)
            channel = str(opened["channel"]["id"])
            ts = self._web.post_root(channel, message)
        return Place(team=commanded.team, channel=channel, ts=ts)

    def _greet(self, opened: Opened) -> None:
        self._web.post(opened.place, self._greeting())
        openings = [text.render(self._first_language) for text in OPENINGS]
        prompts = [{"title": blocks.cut(text, blocks.LONGEST_LABEL), "message": text} for text in openings]
        self._web.may(
            partial(
                self._web.client.assistant_threads_setSuggestedPrompts,
                channel_id=opened.place.channel,
                thread_ts=opened.place.ts,
                prompts=prompts,
            )
        )

    def _greeting(self) -> Outgoing:
        text = GREETING.render(self._first_language)
        return Outgoing(blocks.escape(text), tuple(blocks.paragraphs(text)))


def _value(written: str) -> dict[str, str]:
    try:
        found = json.loads(written)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}
