"""What a language model may look up: each tool asks our own templated answers, and changes nothing.

There is no tool that writes state, agrees, measures, downloads, reads a file or reaches the network: a model that
obeys a stranger's words can look up, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.answering.brief import LINES
from agent.answers import answer
from agent.asking import answer_about
from agent.descriptions import assumptions
from agent.llm_answers.check import Evidence, ungrounded
from agent.llm_answers.figures import comparable
from agent.llm_answers.sources import sources_of
from agent.understanding.base import Question, QuestionKind
from agent.understanding.language import detect_language
from agent.understanding.rules import RuleUnderstanding
from knowledge.errors import NothingLeftError
from knowledge.wording import Text, join
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

#: candidates that one list shows
_MOST = 12
#: characters of one answer that a model reads
_LONGEST = 4000

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class ToolMistakeError(Exception):
    """A call that is not run; the message is for the model, and holds nothing of what it wrote."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Arguments):
    """No arguments."""


class OneModel(_Arguments):
    """One model or candidate."""

    model: Name = Field(description="name of the model, or spec of the candidate, as it stands in question or data")


class SeveralModels(_Arguments):
    """Models to compare."""

    models: list[Name] = Field(min_length=2, max_length=4)


class Change(_Arguments):
    """A change of the demands."""

    change: Words = Field(description="the demand that would be different, in the user's words, such as: 20 ms p95")


class Term(_Arguments):
    """A question of knowledge."""

    question: Words = Field(description="a term or question, such as: Matryoshka")


@dataclass(frozen=True)
class Tool:
    """One tool: what it is for, what it takes, and the answer it gives."""

    does: str
    takes: type[_Arguments]
    run: Callable[[Any], Text]


class Toolbox:
    """The tools of one answer, over one state of the conversation.

    Attributes:
        sources: what the answers given so far cite.
    """

    def __init__(self, state: State, context: Context, evidence: Evidence) -> None:
        self._state, self._context, self._evidence = state, context, evidence
        self.sources: list[Text] = []
        self.tools: dict[str, Tool] = {
            "explain_decision": Tool("Why the recommendation is what it is.", Nothing, lambda _: self._ask("why")),
            "list_candidates": Tool(
                "What was measured, else the shortlist, each with its standing.", Nothing, self._list
            ),
            "show_demands": Tool("What the user demands, and what is assumed.", Nothing, lambda _: self._demands()),
            "show_model": Tool("The facts known of a model, and where it stands.", OneModel, self._show),
            "why_not": Tool("Why a model is not the recommendation.", OneModel, self._why_not),
            "compare": Tool("Several models against each other.", SeveralModels, self._compare),
            "what_if": Tool("What another demand would change; nothing is changed by asking.", Change, self._what_if),
            "look_up_notes": Tool("Our notes about choosing and measuring embeddings.", Term, self._notes),
        }

    def schemas(self) -> list[dict[str, Any]]:
        """The tools, as every provider's client takes them."""
        return [
            {
                "type": "function",
                "function": {"name": name, "description": tool.does, "parameters": tool.takes.model_json_schema()},
            }
            for name, tool in self.tools.items()
        ]

    def call(self, name: str, arguments: object) -> str:
        """The answer of a tool, in the language of the conversation.

        Raises:
            ToolMistakeError: there is no such tool, or its arguments are wrong or come from nowhere.
        """
        tool = self.tools.get(name)
        if tool is None:
            raise ToolMistakeError(f"there is no such tool; there are: {', '.join(self.tools)}")
        try:
            taken = tool.takes.model_validate(arguments)
        except ValidationError as error:
            raise ToolMistakeError(
                f"wrong arguments: {error.errors(include_url=False, include_input=False)[0]['msg']}"
            ) from error
        told = tool.run(taken)
        self.sources += sources_of(told)
        return told.render(self._state.get("language", "en"))[:_LONGEST]

    def _ask(self, kind: QuestionKind, *models: str, words: str = "") -> Text:
        return answer_about(kind, self._state, self._context, *models, words=words)

    def _list(self, _: Nothing) -> Text:
        recommendation, found = self._state.get("recommendation"), self._state.get("shortlist")
        if recommendation is not None and recommendation.rows:
            named = [row.spec for row in recommendation.rows]
        else:
            try:
                found = found or shortlist(self._state["requirements"], self._context.catalog, self._context.scores)
            except NothingLeftError as error:
                return join([error.cause, error.next_step])
            named = [pick.model for pick in found.kept]
        return join([self._ask("why_not", name) for name in named[:_MOST]], LINES)

    def _demands(self) -> Text:
        requirements = self._state["requirements"]
        return join([*(c.describe() for c in requirements.constraints), assumptions(requirements)], LINES)

    def _show(self, taken: OneModel) -> Text:
        return self._ask("show_model", self._known(taken.model))

    def _why_not(self, taken: OneModel) -> Text:
        return self._ask("why_not", self._known(taken.model))

    def _compare(self, taken: SeveralModels) -> Text:
        return self._ask("compare", *(self._known(name) for name in taken.models))

    def _what_if(self, taken: Change) -> Text:
        if ungrounded(taken.change, self._evidence):
            raise ToolMistakeError("take the names and figures from the user's question, as they stand there")
        asked = f"如果{taken.change}会怎样？" if detect_language(taken.change) == "zh" else f"What if {taken.change}?"
        found = RuleUnderstanding().understand(asked, self._state["requirements"], None)
        question = Question(kind="what_if", words=taken.change)
        understood = found.model_copy(update={"intent": "question", "question": question})
        return answer(understood, self._state, self._context)

    def _notes(self, taken: Term) -> Text:
        return self._ask("other", words=taken.question)

    def _known(self, name: str) -> str:
        """A model that is in the catalog or was named before; what a model made up would become evidence otherwise."""
        if self._evidence.names.in_catalog(name) or self._evidence.holds(comparable(name)):
            return name
        raise ToolMistakeError("no model of that name is known here")
