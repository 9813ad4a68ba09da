"""What a language model that keeps to the form says to our question and to Ragas' prompts."""

import json
import re

from tests.animals import ANIMALS
from tests.fake_llm import Turn, message


def reply(prompt: str) -> str:
    """What a model that keeps to the form says; the statement is supported if a document about the animal is there."""
    if prompt.startswith("Answer the question"):
        animal = re.search(rf"Question: .*?({'|'.join(ANIMALS)})", prompt)
        return f"The {animal[1]} does so." if animal else "I do not know."
    asked = prompt.rsplit("Now perform the same", 1)[-1]
    if "noncommittal" in prompt:
        return json.dumps({"question": "what does it do", "noncommittal": int("do not know" in asked)})
    if "verdict" in prompt:
        statement = json.loads(re.search(r'"statements":\s*(\[.*?\])', asked, re.S)[1])[0]
        animal = statement.split()[1]
        supported = f"About the {animal}" in asked or f"{animal} About" in asked
        return json.dumps({"statements": [{"statement": statement, "reason": "it says so", "verdict": int(supported)}]})
    answer = json.loads(re.search(r'"answer":\s*("(?:[^"\\]|\\.)*")', asked)[1])
    return json.dumps({"statements": [answer]})


def answers_and_judges() -> Turn:
    """The same over the wire."""
    return lambda handler, body: message(handler, body, {"content": reply(body["messages"][-1]["content"])})
