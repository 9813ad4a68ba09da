"""From the user's words to requirements: one seam, several readers."""

from agent.understanding.base import Asked, Change, Intent, Question, QuestionKind, Understanding, Understood
from agent.understanding.language import detect_language
from agent.understanding.rules import RuleUnderstanding

__all__ = [
    "Asked",
    "Change",
    "Intent",
    "Question",
    "QuestionKind",
    "RuleUnderstanding",
    "Understanding",
    "Understood",
    "detect_language",
]
