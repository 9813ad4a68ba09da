"""What the nodes of the graph have at hand besides the state: the tools' workspace, the catalog, the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.understanding.base import Understanding
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.scores import Scores
from knowledge.wording import Text
from tools.data_source import DataSource
from tools.guidance import Guidance
from tools.label_store import with_given
from tools.silver import labelled
from tools.workspace import Workspace

if TYPE_CHECKING:
    from agent.llm_answers.worded import Worded
    from agent.state import State
    from agent.understanding.base import Understood


class Writer(Protocol):
    """A language model that words answers."""

    def word(self, understood: Understood, draft: Text, state: State, context: Context) -> Worded:
        """Word the answer to a question, whose templated answer is `draft`."""
        ...


@dataclass
class Context:
    """One process's context, shared by its conversations.

    Attributes:
        guidance: the notes that answer questions about choosing.
        writer: the language model that words answers; None: they go out as the templates have them.
        should_stop: whether the user wants what runs in a conversation to end, by the conversation's name.
        reads_paths: whether users may name files of this machine; not those who come in from other machines.
        reports: folder that reports are written to, one folder a run; or `report_folder`, when all go to one place.
    """

    workspace: Workspace
    catalog: Catalog
    scores: Scores
    understanding: Understanding
    reports: Path
    report_folder: Path | None = None
    reads_paths: bool = True
    writer: Writer | None = None
    should_stop: Callable[[str], bool] = lambda thread: False
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    guidance: Guidance = field(init=False)
    _read: dict[str, Dataset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.guidance = Guidance(self.workspace)

    def dataset(self, source: DataSource) -> Dataset:
        """The dataset with the judgments that were given here."""
        return with_given(self.unjudged(source), self.workspace, self.space_of(source))

    @staticmethod
    def space_of(source: DataSource) -> str:
        """Whose judgments of it count: of a stranger's upload those of whoever has it, else this machine's users'."""
        return source.path if source.untrusted else ""

    def unjudged(self, source: DataSource) -> Dataset:
        """The dataset, read once, with silver queries where nobody judged any; the last one is kept.

        Judgments that were given here are not in it.
        """
        key = source.model_dump_json()
        found = self._read.get(key)
        if found is None:
            # new dicts, because another conversation's thread may be looking into the old; and the old data goes before
            # the new is read, for both may not fit
            self._read = {}
            found = labelled(source.read())
            self._read = {key: found}
        return found

    def forget_data(self) -> None:
        """Read datasets anew next time: the files of one may have changed under the same name."""
        self._read = {}

    def report_folder_of(self, run_id: str) -> Path:
        """Where a run's report goes."""
        return self.report_folder or self.reports / run_id

    def kept_report_folder_of(self, run_id: str) -> Path:
        """Where it is found by its run, wherever it went: later commands ask it for the demands and the decision."""
        return self.reports / run_id
