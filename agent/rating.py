"""Answers written from what candidates find, judged by the user's own language model: offered, agreed to, and kept.

The questions and the documents found go to the model's host, so it is named and asked about first.
"""

from __future__ import annotations

import re

from agent.consent import Wish, question_for, wish_for
from agent.context import Context
from agent.query_writer import needed, writer_of
from agent.reporting import contexts_of
from agent.state import State
from agent.understanding.base import Asked
from knowledge.errors import MissingExtraError
from knowledge.progress import OnProgress
from knowledge.results import Consent, Contexts
from knowledge.wording import Text, join, say
from tools import rag_judge
from tools.rag_judge.comparing import embed_by, embedder_of
from tools.rag_judge.words import estimated

#: what the question for consent is about
ABOUT = "judge-answers"
#: what to say to have it done
BEGIN = say("Judge the answers")
_ASKS = re.compile(
    r"^\W*(?:please |ok(?:ay)?,? |and |now )*(?:let (?:the |an? )?(?:\w+ )?(?:model|llm) )?(?:judge|rate)\b"
    r".{0,12}\banswers?\b"
    r"|(?:评判|判断|评价).{0,6}(?:回答|答案)",
    re.IGNORECASE,
)
#: the winner and so many of its rivals: each takes as many requests again
_RIVALS = 1


def wants(text: str, state: State) -> Wish | None:
    """What a message says of it."""
    return wish_for(ABOUT, _ASKS, text, state)


def cannot_rate(state: State, context: Context) -> Text | None:
    """Why answers cannot be judged now; None where they can."""
    if _contexts(state, context) is None:
        return say("Answers are judged where it was measured for RAG: give me data, and say that it is for RAG.")
    if writer_of(context.understanding) is None:
        return say("No language model is set up, so none can write and judge answers: set ADVISOR_LLM.")
    try:
        rag_judge.require()
    except MissingExtraError as error:
        return join([error.cause, error.next_step])
    return None


def may_rate(state: State, context: Context) -> bool:
    """Whether that is worth suggesting: it can be done, and was not yet."""
    if not state.get("interactive", True) or cannot_rate(state, context) is not None:
        return False
    found = _contexts(state, context)
    return found is not None and found.judged is None


def question(state: State, context: Context) -> Asked:
    """Asks for consent, naming the model, its host and how much it would get."""
    source = state["data"]
    assert source
    writer = needed(writer_of(context.understanding))
    size = rag_judge.estimate(context.dataset(source), len(_specs(state, context)))
    return question_for(ABOUT, estimated(size, writer.model, writer.host))


def rate(state: State, context: Context, on_progress: OnProgress) -> Contexts:
    """Have answers judged; what was found is kept, and is among the contexts from then on.

    Raises:
        UserError: no candidate has an encoder.
        AdvisorError: not one answer could be judged.
    """
    source, evaluation, advice = state["data"], state["evaluation"], state["recommendation"]
    assert source
    assert evaluation
    assert advice
    writer = needed(writer_of(context.understanding))
    embedder = embedder_of([c.spec for c in evaluation.candidates])
    rag_judge.judge(
        evaluation,
        context.dataset(source),
        context.workspace,
        writer.write,
        embed_by(embedder, context.workspace, state.get("consent") or Consent()),
        model=writer.model,
        host=writer.host,
        embedder=embedder,
        specs=_specs(state, context),
        on_progress=on_progress,
    )
    found = contexts_of(evaluation, advice, context)
    assert found
    return found


def _contexts(state: State, context: Context) -> Contexts | None:
    evaluation, advice = state.get("evaluation"), state.get("recommendation")
    if evaluation is None or advice is None or state.get("data") is None:
        return None
    return contexts_of(evaluation, advice, context)


def _specs(state: State, context: Context) -> list[str]:
    found = _contexts(state, context)
    return [score.spec for score in found.scores[: 1 + _RIVALS]] if found else []
