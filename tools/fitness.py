"""Preflights of several encoders, remembered: each is looked at once for the same data, and again when it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, SpecError, UserError
from knowledge.results import Preflight
from knowledge.wording import say
from tools.encoders import Resolved
from tools.preflight import cut_flags, preflight
from tools.run_store import RunStore, content_key
from tools.workspace import Workspace

#: raised when the checks change in a way that makes earlier findings worth another look
METHOD = 2
#: of documents whose tokens are counted to see which are cut: some seconds of work
CHARACTERS = 3_000_000


def examine(
    legs: Mapping[Leg, Resolved],
    wanted: Iterable[Leg],
    dataset: Dataset,
    workspace: Workspace,
    runs: RunStore,
    run_id: str,
    on_checked: Callable[[], None] = lambda: None,
) -> dict[Leg, Preflight]:
    """What is known of these encoders on this data; those `wanted` are looked at where nothing is known yet."""
    found: dict[Leg, Preflight] = {}
    asked = set(wanted)
    for leg, resolved in legs.items():
        key = content_key(
            preflight=METHOD,
            spec=leg.spec,
            encoder=resolved.fingerprint,
            prompts=resolved.prompts,
            normalise=resolved.normalise,
            dataset=dataset.summary.original or dataset.summary.hash,
        )
        earlier = runs.measurement(key)
        if earlier:
            found[leg] = Preflight.model_validate(earlier[1])
        elif leg in asked:
            found[leg] = preflight(leg, resolved, dataset, workspace)
            if _is_lasting(found[leg]):
                runs.save_measurement(key, "preflight", leg.spec, run_id, found[leg].model_dump(mode="json"))
        if leg in asked:
            on_checked()
    return found


def unfit(candidate: Candidate, found: Mapping[Leg, Preflight]) -> AdvisorError | None:
    """Why a candidate's figures would mean nothing; None where nothing is wrong.

    A model that could not be run at all is left to the measurement, which fails with the cause itself.
    """
    for leg in candidate.legs:
        for finding in found[leg].findings if leg in found else ():
            if finding.severity == "fails" and finding.check != "run":
                kind = SpecError if finding.check == "dimension" else UserError
                return kind(finding.finding, finding.remedy or say("Leave this candidate out."))
    return None


def cut_documents(
    resolved: Resolved, checked: Preflight, documents: Mapping[str, str], workspace: Workspace
) -> dict[str, bool] | None:
    """For each of these documents whether the model reads only its beginning; None where nothing is cut, or unknown.

    Of many documents an evenly spread part is looked at, `CHARACTERS` in all.
    """
    if checked.truncation is None or not checked.truncation.share_cut.high or not documents:
        return None
    step = -(-sum(map(len, documents.values())) // CHARACTERS)
    some = dict(list(documents.items())[:: max(step, 1)])
    try:
        flags = cut_flags(resolved, list(some.values()), workspace)
    except AdvisorError:  # it is only looked at besides, and must not cost the candidate its place
        return None
    return dict(zip(some, flags, strict=True)) if flags and any(flags) else None


def _is_lasting(checked: Preflight) -> bool:
    """Whether the same would be found again: an endpoint that did not answer may answer next time."""
    return not any(finding.check == "run" and finding.severity == "fails" for finding in checked.findings)
