"""Conversations that have their answer, for questions that come after it."""

from __future__ import annotations

import pytest

from agent.advisor import Advisor
from agent.settings import Settings
from tests.animals import write_dataset
from tools.data_source import DataSource

SPECS = ["bm25", "static:wordllama", "static:wordllama?dim=64", "rrf(bm25, static:wordllama)"]


@pytest.fixture(scope="session")
def answered(tmp_path_factory):
    """An advisor with two conversations: `decided` on what it measured, `unmeasured` on published figures."""
    home, data = tmp_path_factory.mktemp("answered"), write_dataset(tmp_path_factory.mktemp("data") / "animals")
    with Advisor(Settings(home=home, offline=True)) as found:
        source = DataSource(path=str(data))
        list(found.reply("decided", "English search, just decide", data=source, specs=SPECS))
        list(found.reply("decided", "yes"))
        list(found.reply("unmeasured", "English search, just decide"))
        yield found
