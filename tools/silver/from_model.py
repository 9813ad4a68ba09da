"""A silver set whose queries a language model writes, passage by passage; what it wrote is kept and not paid twice.

What a model writes for a passage is kept under ``silver/`` of the user's folder, by the passage's text, the model and
the prompt: a killed run, or the same data again, goes on with what is there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from knowledge.candidate import Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import MissingExtraError, ResourceError
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.wording import say
from tools import encoders
from tools.bm25 import BM25Index
from tools.encoding import ensure, vectors
from tools.profile import estimated_tokens
from tools.run_store import content_key
from tools.silver.choice import askable, rare_words
from tools.silver.drafts import LEAST_LEFT, Draft
from tools.silver.made import QUERIES, SEED, made_set
from tools.silver.written import (
    VERSION,
    Find,
    Write,
    found_again,
    prompt_for,
    without_near_duplicates,
    write_drafts,
)
from tools.stopping import stoppably
from tools.workspace import Workspace

#: passages written for before what was written is looked at
BATCH = 20
#: finds what word matching does not, and needs no hub
STATIC = "static:wordllama"


def passages_of(dataset: Dataset, most: int = QUERIES, seed: int = SEED) -> list[tuple[str, str]]:
    """The passages that a model would be shown, at most one for each query wanted: (document id, text)."""
    found = ((document, dataset.documents[document]) for document in askable(dataset, seed))
    return list(islice((pair for pair in found if estimated_tokens(pair[1]) >= LEAST_LEFT), most))


def tokens_sent(passages: Sequence[tuple[str, str]]) -> int:
    """About how many tokens asking for all these passages sends, were none known."""
    return sum(estimated_tokens(prompt_for(text)) for _, text in passages)


def written_set(
    dataset: Dataset,
    write: Write,
    workspace: Workspace,
    *,
    model: str,
    most: int = QUERIES,
    seed: int = SEED,
    on_progress: OnProgress = ignore,
) -> Dataset:
    """A silver set of queries that a language model writes; the documents stay as they are.

    Args:
        dataset: its own queries and judgments are left out.
        write: asks the model; who calls this has the user's consent that passages go to it.
        workspace: where what was written is kept, and the vectors of the round trip.
        model: its name, part of what the kept answers are known by.
        most: queries at most, and passages that the model is shown at most.
        seed: of the choice of passages.
        on_progress: told of passages.

    Raises:
        NoSilverError: too few of the queries are of use.
        ProviderError: the model failed; what it wrote before is kept.
    """
    passages = passages_of(dataset, most, seed)
    kept = _Kept(workspace.home / "silver", write, model)
    rows = {document: row for row, document in enumerate(dataset.documents)}
    words = rare_words(dataset, seed)
    finders: list[Find] = []
    found: list[Draft] = []
    meter = Meter("profile", say("Having queries written"), max(len(passages), 1), on_progress)
    for start in stoppably(range(0, len(passages), BATCH)):
        batch = passages[start : start + BATCH]
        drafts = list(write_drafts(batch, kept.write))
        finders = finders or _finders(list(dataset.documents.values()), workspace)
        found = without_near_duplicates([*found, *found_again(drafts, rows, finders)], words)
        meter.advance(len(batch))
        if len(found) >= most:
            break
    return made_set(dataset, found[:most], words, seed)


class _Kept:
    """Asks a model once for each prompt; answers are kept in a file each, whole or not at all."""

    def __init__(self, folder: Path, write: Write, model: str) -> None:
        self._folder, self._write, self._model = folder, write, model

    def write(self, prompt: str) -> str:
        """The answer, as it was kept or from the model now."""
        place = self._folder / f"{content_key(model=self._model, version=VERSION, prompt=prompt)}.json"
        try:
            known = json.loads(place.read_text("utf-8"))
        except (OSError, ValueError):
            known = None
        if isinstance(known, str):
            return known
        answer = self._write(prompt)
        part = place.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(answer), "utf-8")
            part.replace(place)
        except OSError as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(self._folder), why=str(error.strerror or error)),
                say("Choose another folder, or make room."),
            ) from error
        return answer


def _finders(documents: Sequence[str], workspace: Workspace) -> list[Find]:
    """Word matching, and a static model where its package is here: neither is favoured by what both may find."""
    words = parse_candidate("bm25")
    assert isinstance(words, Leg)
    index = BM25Index(documents, words)
    found: list[Find] = [lambda queries, k: index.search(queries, k)[0]]
    leg = parse_candidate(STATIC)
    assert isinstance(leg, Leg)
    try:
        resolved = encoders.resolve(leg, workspace)
    except MissingExtraError:
        return found
    ensure(resolved, {"document": documents}, workspace)
    searched = encoders.finish(vectors(resolved, documents, "document", workspace), leg, resolved)

    def by_meaning(queries: Sequence[str], k: int) -> np.ndarray:
        ensure(resolved, {"query": queries}, workspace)
        asked = encoders.finish(vectors(resolved, queries, "query", workspace), leg, resolved)
        k = min(k, len(documents))
        return np.argpartition(-(asked @ searched.T), k - 1, axis=1)[:, :k]

    return [*found, by_meaning]
