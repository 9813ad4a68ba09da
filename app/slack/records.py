"""What comes from Slack, as it is kept until it was dealt with."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

#: what Slack's ids and time stamps are made of; they become names of conversations, and of files
_ID, _TS = re.compile(r"[A-Z0-9]{1,30}"), re.compile(r"\d{1,20}\.\d{1,10}")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Place(_Record):
    """A thread in Slack, which is a conversation: `ts` is that of the message it hangs from."""

    team: str
    channel: str
    ts: str

    @classmethod
    def of(cls, team: object, channel: object, ts: object) -> Self | None:
        """The place, where these are what Slack calls such things."""
        ids = all(isinstance(name, str) and _ID.fullmatch(name) for name in (team, channel))
        if not ids or not isinstance(ts, str) or not _TS.fullmatch(ts):
            return None
        return cls(team=str(team), channel=str(channel), ts=ts)

    @property
    def thread(self) -> str:
        """What the advisor calls the conversation."""
        return f"slack-{self.team}-{self.channel}-{self.ts}"

    @property
    def direct(self) -> bool:
        """Whether it is a conversation with the app alone."""
        return self.channel.startswith("D")


class SlackFile(_Record):
    """A file that was shared; `size` is what Slack says."""

    id: str
    name: str
    size: int
    url: str


class Said(_Record):
    """A message to the advisor.

    Attributes:
        ts: of the message itself.
        mentioned: whether the advisor was spoken to by name, or in a conversation with it alone.
    """

    kind: Literal["said"] = "said"
    place: Place
    user: str
    ts: str
    text: str = ""
    files: tuple[SlackFile, ...] = ()
    mentioned: bool = True


class Clicked(_Record):
    """A button.

    Attributes:
        action: what the button does: see `app.slack.buttons`.
        value: what it was made with.
        ts: of the message with the button.
        text, blocks: of that message.
    """

    kind: Literal["clicked"] = "clicked"
    place: Place
    user: str
    action: str
    value: str
    ts: str
    text: str = ""
    blocks: tuple[dict[str, object], ...] = ()


class Commanded(_Record):
    """A slash command; it begins a conversation, whose `place` is known once its first message is posted."""

    kind: Literal["commanded"] = "commanded"
    team: str
    channel: str
    user: str
    text: str
    trigger: str
    place: Place | None = None


class Opened(_Record):
    """Somebody opened the advisor's own pane, where the workspace has it."""

    kind: Literal["opened"] = "opened"
    place: Place
    user: str


Delivery = Said | Clicked | Commanded | Opened
