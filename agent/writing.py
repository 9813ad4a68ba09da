"""Queries that the user's own language model writes, where nobody judged any: offered, agreed to, and measured with.

Passages of the documents go to the model's host, so it is named and asked about; without a yes, nothing is sent.
"""

from __future__ import annotations

import re

from agent.consent import Wish, question_for, wish_for
from agent.context import Context
from agent.query_writer import QueryWriter, needed, sending, writer_of
from agent.state import State
from agent.understanding.base import Asked
from knowledge.progress import OnProgress
from knowledge.wording import Text, join, say
from tools.data_source import DataSource
from tools.datasets import save_dataset
from tools.silver.from_model import written_set

#: what the question for consent is about
ABOUT = "write-queries"
#: what to say to have it done
BEGIN = say("Let the language model write the queries")
_ASKS = re.compile(
    r"\b(?:let|have|get)\b.{0,30}\b(?:model|llm)\b.{0,20}\bwrite\b.{0,20}\bqueries\b"
    r"|\b(?:have|let|get)\b.{0,20}\bqueries\b.{0,20}\bwritten\b|(?:让|用|请).{0,12}模型.{0,6}(?:写|出|生成).{0,6}查询",
    re.IGNORECASE,
)


def wants(text: str, state: State) -> Wish | None:
    """What a message says of it."""
    return wish_for(ABOUT, _ASKS, text, state)


def cannot_write(state: State, context: Context) -> Text | None:
    """Why none can be written now; None where they can."""
    if writer_of(context.understanding) is None:
        return say("No language model is set up, so none can write queries.")
    profile = state.get("profile")
    if profile is None or state.get("data") is None:
        return say("There is no data yet that queries could be written for.")
    if profile.dataset.silver is None:
        return say("Your data has queries and judgments of its own: I measure with those.")
    if "written" in profile.dataset.silver.kinds:
        return say("The queries are a language model's already.")
    return None


def question(state: State, context: Context) -> Asked:
    """Asks for consent, naming the model, its host and how much it would get."""
    source = state["data"]
    assert source
    told = sending(_writer(context), _plain(source).read())
    return question_for(ABOUT, join([told, say("What that costs, its price list says.")]))


def write(state: State, context: Context, on_progress: OnProgress) -> DataSource:
    """The data with the queries that were written, as files in the user's folder.

    Raises:
        NoSilverError: too few of the queries are of use.
        ProviderError: the model failed; what it wrote before is kept.
    """
    source = state["data"]
    assert source
    writer = _writer(context)
    dataset = _plain(source).read()
    made = written_set(dataset, writer.write, context.workspace, model=writer.model, on_progress=on_progress)
    # reading it again takes the folder's name for the data's
    name = re.sub(r"[^\w.-]+", "-", dataset.summary.name).strip(".-")[:60] or "data"
    folder = context.workspace.home / "silver" / "sets" / made.summary.hash[:32] / name
    if not folder.exists():
        save_dataset(made, folder)
    return DataSource(path=str(folder), untrusted=source.untrusted)


def _plain(source: DataSource) -> DataSource:
    """The data as it came."""
    return source.model_copy(update={"silver": False})


def _writer(context: Context) -> QueryWriter:
    return needed(writer_of(context.understanding))
