"""What commands print with --json, where it is not one of the results themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, RootModel, computed_field

from knowledge.catalog_diff import CatalogDiff
from knowledge.manifest import Manifest
from knowledge.requirements import Requirements
from knowledge.results import (
    DatasetSummary,
    Evaluation,
    FailedCandidate,
    Preflight,
    Probes,
    Recommendation,
    Record,
    Robustness,
)
from knowledge.results.deployment import DeploymentPlan
from knowledge.wording import Text
from tools.run_history import RunSummary


class Opened(Record):
    """The conversation that the following lines are from."""

    kind: Literal["opened"] = "opened"
    thread: str


class ReportPaths(Record):
    """Where the three forms of a report are."""

    markdown: str
    html: str
    json_file: str = Field(serialization_alias="json")


class Recommended(Recommendation):
    """A recommendation with the requirements that it is for; `report` is null where none was written."""

    requirements: Requirements
    report: ReportPaths | None


class DeploymentMade(Record):
    """The files of a deployment, by their names in `folder`, which is null where none were written; and the plan."""

    folder: str | None
    files: tuple[str, ...]
    plan: DeploymentPlan


class CheckedEncoder(Preflight):
    """What a preflight found of an encoder, and whether it may be measured."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Whether nothing that was found makes its figures meaningless."""
        return super().passed


class CheckedCandidates(Record):
    """The encoders that were looked at, those that could not be, and what has nothing to check."""

    checked: tuple[CheckedEncoder, ...]
    refused: tuple[FailedCandidate, ...]
    nothing_to_check: tuple[str, ...]


class FindingShown(Record):
    """One thing that `advisor doctor` looked at; `remedy` is what to do where it is not fine."""

    about: str
    fine: bool
    seen: Text
    remedy: Text | None


class Findings(RootModel[tuple[FindingShown, ...]]):
    """All that `advisor doctor` looked at."""


class SettingShown(Record):
    """A setting: its value (secrets masked), what decided it, and the environment variables that can set it."""

    name: str
    value: Any
    secret: bool
    origin: Literal["flag", "environment", "file", "default"]
    where: str | None
    variables: tuple[str, ...]


class SettingsShown(Record):
    """The configuration file that is read, and all settings."""

    file: str
    file_exists: bool
    settings: tuple[SettingShown, ...]
    warnings: tuple[Text, ...]


class SilverMade(Record):
    """The folder that a silver set was written to, and what it is like."""

    folder: str
    dataset: DatasetSummary


class Served(Record):
    """Where a server listens."""

    url: str


class KeyListed(Record):
    """What is known of a key of the HTTP API without knowing it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    rate: int
    created: dt.datetime
    revoked: dt.datetime | None


class KeyMade(KeyListed):
    """A key that was just made; it is not shown again."""

    key: str


class Failure(Record):
    """What went wrong, as the last line on standard error where `--json` was given.

    Attributes:
        error: its class (see ``knowledge/errors.py``); of a bug, Python's own.
        exit_code: with which the command ends.
    """

    error: str
    cause: str
    next_step: str
    exit_code: int


class KeysListed(RootModel[tuple[KeyListed, ...]]):
    """Keys, the oldest first."""


class CatalogMade(Record):
    """A catalog that was written to a folder."""

    folder: str
    manifest: Manifest


class CatalogRefreshed(Record):
    """The user's own copy of the catalog, made anew."""

    folder: str
    manifest: Manifest
    notes: tuple[str, ...]
    diff: CatalogDiff


class CatalogOffered(Record):
    """What a refresh would download; 0 bytes where the server does not say."""

    url: str
    bytes: int


class ProbedEvaluation(Record):
    """Hard cases of the data: null where they were not asked for, or the data gives too few; so is the evaluation."""

    evaluation: Evaluation | None
    probes: Probes | None
    robustness: Robustness | None


class RunsListed(RootModel[tuple[RunSummary, ...]]):
    """Finished runs, the latest first."""


class ScoreShown(Record):
    """One query's score of one candidate in one measure."""

    run_id: str
    spec: str
    query_id: str
    measure: str
    value: float


class RunExported(Record):
    """The scores of a run's queries."""

    run_id: str
    dataset: DatasetSummary
    scores: tuple[ScoreShown, ...]
