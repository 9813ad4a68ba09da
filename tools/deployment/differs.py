"""What is to be known where the files run: what differs from what was measured, and what pins the weights."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.candidate import Candidate
from knowledge.results import MeasuredCandidate
from knowledge.wording import Text, say
from tools import hub, leg_use
from tools.milvus_collection import Form
from tools.pipeline.milvus_types import SINCE, first
from tools.setups import K, Store, setup_of


def differences(candidate: Candidate) -> Iterator[Text]:
    """What the files run otherwise than it was measured."""
    for leg in candidate.legs:
        if leg_use.engine_of(leg)[1] == "int8":
            yield say(
                "{spec}: eight-bit products round as the processor does. On one of another kind vectors come close and "
                "are not equal; check the deployment there.",
                spec=leg.spec,
            )
        if leg_use.engine_of(leg)[1] in ("bf16", "fp16"):
            yield say(
                "{spec}: in {precision} the last digits of a vector depend on the texts read beside it. Documents that "
                "are about as near may change places.",
                spec=leg.spec,
                precision=leg_use.engine_of(leg)[1],
            )
        if leg_use.is_folder(leg):
            yield say(
                "{model} is a folder of this machine, and config.yaml and compose.yaml name it where it is: elsewhere "
                "copy it, and write its path in both.",
                model=leg.name,
            )
        if leg.backend not in ("bm25", "ce", "splade") and setup_of(leg).store != "float32":
            yield _kept_whole(setup_of(leg).store)
            if setup_of(leg).store == "binary" and setup_of(leg).rescore:
                yield say(
                    "{spec}: of documents at the same distance around place {count} Milvus chooses who is ranked "
                    "again. A server and Milvus Lite choose differently, so the last of the first ten may differ.",
                    spec=leg.spec,
                    count=setup_of(leg).rescore * K,
                )


def _kept_whole(store: Store) -> Text:
    field = Form.of(store, None, 0).kind
    if field not in SINCE:
        return say(
            "Milvus Lite has no vectors of {store}: with it the files keep the rounded values as float32, which "
            "finds the same and saves nothing. A Milvus server keeps them as {store}.",
            store=store,
        )
    return say(
        "Milvus Lite and servers before {version} have no vectors of {store}: with them the files keep the rounded "
        "values as float32, which finds the same and saves nothing. Later servers keep them as {store}.",
        version=first(field),
        store=store,
    )


def pins(candidate: Candidate, measured: MeasuredCandidate) -> Iterator[Text]:
    """Where weights came from another place than the hub: what to pin then.

    Which package it was stands in the notes of the measurement (`tools.model_folder.origin`), as a sentence where they
    come from a report that was written down.
    """
    notes = " ".join(map(str, measured.notes))
    for leg in candidate.legs:
        carried = hub.packaged(leg.name)
        if carried is not None and carried.revision in notes:
            yield say(
                "{model} was measured with the weights in the package {package}, not the hub's: requirements.txt pins "
                "that package, and the files read it. Pin a commit of the hub only where its weights are the same.",
                model=leg.name,
                package=carried.revision,
            )
