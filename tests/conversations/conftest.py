"""Conversations with everything real: catalog, understanding, graph, checkpoints, encoders, Milvus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tests.animals import CANDIDATES, write_dataset


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """One home for a module: what one conversation measured, the others find."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("data") / "animals")


@pytest.fixture(scope="module")
def advisor(home):
    with Advisor(Settings(home=home, offline=True)) as found:
        yield found


class Talk:
    """One thread, and what came back last."""

    def __init__(self, advisor: Advisor, thread: str) -> None:
        self.advisor, self.thread = advisor, thread
        self.events: list = []
        self.asked: list[str] = []

    def say(self, text: str, **more) -> Talk:
        self.events = list(self.advisor.reply(self.thread, text, **{"specs": CANDIDATES, **more}))
        self.asked += [event.about for event in self.events if event.kind == "question"]
        return self

    @property
    def state(self):
        return self.advisor.state(self.thread)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events if event.kind not in ("progressed", "heard")]

    @property
    def question(self) -> str | None:
        """What the last message ended with: the question that waits."""
        last = self.events[-1]
        return last.about if last.kind == "question" else None

    def event(self, kind: str):
        found = [event for event in self.events if event.kind == kind]
        assert found, f"no {kind} among {self.kinds}"
        return found[-1]

    def answer_until(self, about: str, reply: str = "no preference") -> Talk:
        """Have no preference until a certain question comes."""
        for _ in range(8):
            if self.question == about:
                return self
            self.say(reply)
        raise AssertionError(f"never asked about {about}, but {self.asked}")


@pytest.fixture
def talk(advisor, request) -> Talk:
    return Talk(advisor, re.sub(r"[^\w-]", "-", request.node.name))
