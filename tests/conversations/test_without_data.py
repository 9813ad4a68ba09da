"""After an answer by published figures alone: what was not measured is said when it is asked for."""

import re

from knowledge.candidate import parse_candidate


def test_files_load_and_a_look_back_say_that_nothing_was_measured(talk):
    talk.say("semantic search over English documents, no GPU, just decide", specs=None)
    assert talk.state["recommendation"].winner
    asked = ("how do I deploy it?", "will it hold 100 QPS?", "is it still the best?")
    deploy, load, again = (_told(talk, text) for text in asked)
    assert "come once it was measured on your data" in deploy
    assert parse_candidate(re.search(r"--target '([^']+)'", load)[1])  # the command can be typed as it stands
    assert "Nothing was measured" in again


def _told(talk, text):
    talk.say(text, specs=None)
    return " ".join(str(event.text) for event in talk.events if getattr(event, "text", None))
