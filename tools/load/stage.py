"""A load test of an endpoint as one step: plan, consent, test, and the result kept."""

from __future__ import annotations

from knowledge.dataset import Dataset
from knowledge.errors import ProviderError
from knowledge.progress import OnProgress, ignore
from knowledge.results.load import LoadTest
from knowledge.wording import say
from tools.load.endpoint import Endpoint
from tools.load.resources import listeners
from tools.load.steps import Course
from tools.load.sweep import run_load
from tools.load.texts import texts_of
from tools.run_store import keep_run
from tools.workspace import Workspace


def load_endpoint(
    endpoint: Endpoint,
    dataset: Dataset,
    workspace: Workspace,
    course: Course,
    *,
    usd_per_token: float | None = None,
    on_progress: OnProgress = ignore,
) -> LoadTest:
    """Test an endpoint that the user agreed to ask, and keep the result (see `tools.load.sweep.run_load`).

    Raises:
        ProviderError: the very first request was not answered.
    """
    origin, texts = texts_of(dataset)
    try:
        found = run_load(
            endpoint,
            texts,
            course,
            origin=origin,
            pids=listeners(endpoint.address.port) if endpoint.address.is_here else (),
            on_progress=on_progress,
        )
    except TimeoutError as error:
        raise ProviderError(
            say("{target} did not answer within {seconds:g} s.", target=endpoint.name, seconds=course.limits.timeout_s),
            say("Check that the server runs, and its address; or wait longer: --timeout."),
        ) from error
    tokens = found.texts.sent * (found.texts.tokens.mean if found.texts.tokens else 0.0)
    found = found.model_copy(
        update={
            "protocol": endpoint.protocol,
            "model": endpoint.model or None,
            "data": dataset.summary.name,
            "usd": None if usd_per_token is None else usd_per_token * tokens,
        }
    )
    keep_run(workspace.store, "load", found.run_id, found)
    return found
