"""JSON for scripts, and the schemas that it keeps to: both from the same records."""

from __future__ import annotations

import json
import sys
from typing import Any, Literal

from pydantic import BaseModel, RootModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from agent import events
from agent.asking import Answered
from app.cli.records import (
    CatalogMade,
    CatalogOffered,
    CatalogRefreshed,
    CheckedCandidates,
    DeploymentMade,
    Failure,
    Findings,
    KeyMade,
    KeysListed,
    Opened,
    ProbedEvaluation,
    Recommended,
    RunExported,
    RunsListed,
    Served,
    SettingsShown,
    SilverMade,
)
from app.cli.terminal import language
from app.model_view import ModelsFound, ModelShown
from knowledge.catalog_diff import CatalogDiff
from knowledge.results import (
    AdaptiveEvaluation,
    Benchmark,
    Evaluation,
    HardCasesRun,
    Judging,
    Plan,
    RagEstimate,
    RagJudgement,
    Shortlist,
)
from knowledge.results.cost import Costs
from knowledge.results.index_load import IndexLoad, IndexPlan
from knowledge.results.load import LoadPlan, LoadsCompared, LoadTest
from knowledge.results.next_gain import NextGain
from knowledge.results.recheck import Recheck, RecheckPlan
from knowledge.results.service import Tuning
from knowledge.results.verification import Verification, VerificationPlan
from tools.report import portable
from tools.run_scores import RunsCompared

Mode = Literal["validation", "serialization"]


class ChatLine(RootModel[Opened | events.Event]):
    """One event of a conversation; `advisor chat --json` prints one a line."""


#: what each command prints with --json; where there are several, the options decide
FORMS: dict[str, tuple[type[BaseModel], ...]] = {
    "ask": (Answered,),
    "benchmark": (Benchmark, Plan),
    "catalog build": (CatalogMade, CatalogRefreshed),
    "catalog diff": (CatalogDiff,),
    "catalog refresh": (CatalogRefreshed, CatalogOffered),
    "chat": (ChatLine,),
    "config show": (SettingsShown,),
    "cost": (Costs,),
    "demo": (Recommended, Plan),
    "deploy": (DeploymentMade,),
    "doctor": (Findings,),
    "error": (Failure,),
    "evaluate": (Evaluation, AdaptiveEvaluation, ProbedEvaluation, Plan),
    "gains": (NextGain, Plan),
    "index": (IndexLoad, IndexPlan),
    "judge": (Judging,),
    "keys add": (KeyMade,),
    "keys list": (KeysListed,),
    "keys revoke": (KeysListed,),
    "load": (LoadTest, Tuning, LoadPlan),
    "mcp": (Served,),
    "models": (ModelsFound, ModelShown),
    "preflight": (CheckedCandidates, Plan),
    "probes": (ProbedEvaluation,),
    "rag": (RagJudgement, RagEstimate),
    "recheck": (Recheck, RecheckPlan),
    "recommend": (Recommended, Plan),
    "robustness": (ProbedEvaluation,),
    "runs compare": (RunsCompared, LoadsCompared),
    "runs export": (RunExported,),
    "runs list": (RunsListed,),
    "runs show": (
        Evaluation,
        Benchmark,
        NextGain,
        HardCasesRun,
        RagJudgement,
        LoadTest,
        Tuning,
        IndexLoad,
        Verification,
        Recheck,
    ),
    "serve": (Served,),
    "shortlist": (Shortlist,),
    "silver": (SilverMade,),
    "verify": (Verification, VerificationPlan),
}
#: of which what is not known is left out, so that not every field is there
_IN_PART = (ModelShown,)


class _AllThere(GenerateJsonSchema):
    """Fields with a default are printed as well, so a reader may count on them."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def json_of(found: BaseModel, *, lines: bool = False) -> str:
    """A record, its sentences finished in the language of this terminal; on one line if there will be more."""
    written = portable(found.model_dump(mode="json", by_alias=True, context={"language": language()}))
    return json.dumps(written, ensure_ascii=False, indent=None if lines else 2, allow_nan=False) + "\n"


def print_json(found: BaseModel, *, lines: bool = False) -> None:
    """Print a record as `json_of` has it."""
    sys.stdout.write(json_of(found, lines=lines))
    sys.stdout.flush()


def schema_of(command: str) -> dict[str, Any]:
    """The JSON schema of what a command of `FORMS` prints."""
    modes: list[tuple[type[BaseModel], Mode]] = [
        (form, "validation" if form in _IN_PART else "serialization") for form in FORMS[command]
    ]
    refs, found = models_json_schema(modes, schema_generator=_AllThere)
    definitions = found["$defs"]
    for name in definitions:
        if name == "Text" or name.startswith("Text-"):
            definitions[name] = {"type": "string", "description": "A sentence, in the language of the output."}
    any_of = [refs[mode] for mode in modes]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"advisor {command} --json",
        **(any_of[0] if len(any_of) == 1 else {"anyOf": any_of}),
        "$defs": definitions,
    }
