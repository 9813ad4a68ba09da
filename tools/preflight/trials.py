"""Other prompts than the candidate's, tried on the sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tools.encoders import Encoder, Kind, Vectors
from tools.preflight.probe import Probe

#: name of a trial -> the prompt put before queries, and the one before documents
Trials = Mapping[str, tuple[str, str]]


def try_prompts(
    probe: Probe, used: tuple[str, str], trials: Trials, plain: Callable[[], Encoder]
) -> dict[str, tuple[Vectors, Vectors]]:
    """The vectors of each trial; texts with the same prompt are encoded once.

    Args:
        probe: the candidate, whose vectors serve where a trial puts the same prompt before the same texts.
        used: the candidate's own prompts.
        trials: what to try.
        plain: loads the same model without any prompt.
    """
    made: dict[tuple[Kind, str], Vectors] = {("query", used[0]): probe.queries, ("document", used[1]): probe.documents}
    encoder = probe.encoder if used == ("", "") else None

    def vectors(kind: Kind, prompt: str) -> Vectors:
        nonlocal encoder
        if (kind, prompt) not in made:
            encoder = encoder or plain()
            texts = probe.sample.queries if kind == "query" else probe.sample.documents
            made[kind, prompt] = encoder.embed([prompt + text for text in texts], kind=kind)
            probe.extra_texts += len(texts)
        return made[kind, prompt]

    return {
        name: (vectors("query", query), vectors("document", document)) for name, (query, document) in trials.items()
    }
