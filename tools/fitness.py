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
from tools.setups import OPTIONS
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
    """What is known of these encoders on this data; those `wanted` are looked at where nothing is known yet.

    Legs that differ only in how their vectors are stored and searched are looked at once.
    """
    found: dict[Leg, Preflight] = {}
    looked_at: dict[Leg, Preflight] = {}
    asked = set(wanted)
    for leg, resolved in legs.items():
        encoder = _as_checked(leg)
        key = content_key(
            preflight=METHOD,
            spec=encoder.spec,
            encoder=resolved.fingerprint,
            prompts=resolved.prompts,
            normalise=resolved.normalise,
            dataset=dataset.summary.original or dataset.summary.hash,
        )
        if encoder not in looked_at and (earlier := runs.measurement(key)):
            looked_at[encoder] = Preflight.model_validate(earlier[1])
        elif encoder not in looked_at and leg in asked:
            looked_at[encoder] = preflight(encoder, resolved, dataset, workspace)
            if _is_lasting(looked_at[encoder]):
                payload = looked_at[encoder].model_dump(mode="json")
                runs.save_measurement(key, "preflight", encoder.spec, run_id, payload)
        if encoder in looked_at:
            found[leg] = looked_at[encoder].model_copy(update={"spec": leg.spec})
        if leg in asked:
            on_checked()
    return found


def _as_checked(leg: Leg) -> Leg:
    """The leg without what is done to its vectors later, but their length."""
    kept = {k: v for k, v in leg.options.items() if k == "dim" or k not in OPTIONS}
    return leg.model_copy(update={"options": kept})


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
