"""Writes a store of real checkpoints: conversations at several points, as this version of the program leaves them.

``python -m tests.conversations.checkpoints.make NAME`` writes NAME.sqlite.gz beside this file. Run it when a release
has changed what checkpoints are made of (`agent.checkpoints.FORMAT`), and keep the earlier files: each is a promise
that conversations begun then can be gone on with.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from agent.advisor import Advisor
from agent.nodes import work
from agent.settings import Settings
from knowledge import __version__
from tests.animals import CANDIDATES, write_dataset
from tools.data_source import DataSource

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
#: relative, because a test finds its data where it is run
DATA = DataSource(path="animals")
OPENING = "Semantic search over English animal facts, on our own machines"


def talk(advisor: Advisor, thread: str, *messages: str, data: DataSource | None = None) -> None:
    """Say these one after the other."""
    for number, message in enumerate(messages):
        for event in advisor.reply(thread, message, data=data if number == 0 else None, specs=CANDIDATES):
            if thread == "killed" and event.kind == "progressed" and event.progress.stage == "evaluate":
                os.kill(os.getpid(), signal.SIGKILL)


def fill(home: Path) -> None:
    """All conversations but the one whose process is killed."""
    with Advisor(Settings(home=home, offline=True)) as advisor:
        talk(advisor, "interview", "Semantic search over German contracts, for commercial use")
        talk(advisor, "unmeasured", "Semantic search over German contracts, just decide", "I have none yet")
        talk(advisor, "consent", OPENING, "just decide", data=DATA)
        talk(advisor, "done", OPENING, "just decide", "yes", data=DATA)
        work.SCREENING_MINUTES = 0.0
        talk(advisor, "screening", OPENING, "just decide", "yes", data=DATA)


def newest_only(file: Path) -> None:
    """Keep each conversation's newest checkpoint: what a resumed program reads."""
    connection = sqlite3.connect(file)
    newest = "SELECT max(checkpoint_id) FROM checkpoints GROUP BY thread_id"
    for table in ("checkpoints", "writes"):
        connection.execute(f"DELETE FROM {table} WHERE checkpoint_id NOT IN ({newest})")
    made_by = {"embedding-advisor": __version__} | {
        name: version(name) for name in ("langgraph", "langgraph-checkpoint-sqlite", "pydantic")
    }
    connection.execute("CREATE TABLE made_by (versions TEXT)")
    connection.execute("INSERT INTO made_by VALUES (?)", (json.dumps(made_by),))
    connection.commit()
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("VACUUM")
    connection.close()


def main(name: str) -> None:
    """Make the store."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_dataset(Path("animals"))
        home = Path("home")
        fill(home)
        again = [sys.executable, "-m", __spec__.name, "--killed"]
        subprocess.run(again, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        newest_only(home / "conversations.sqlite")
        content = (home / "conversations.sqlite").read_bytes()
        for word in (folder, str(ROOT), str(Path.home())):
            assert word.encode() not in content, f"{word} is in the checkpoints"
        (HERE / f"{name}.sqlite.gz").write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    if sys.argv[1] == "--killed":
        with Advisor(Settings(home=Path("home"), offline=True)) as kept:
            talk(kept, "killed", OPENING, "just decide", "yes", data=DATA)
    else:
        main(sys.argv[1])
