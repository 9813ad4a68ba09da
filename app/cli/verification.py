"""`advisor verify`: a deployed search against the evaluation that recommended it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.failures import CHECKS_FAILED
from app.cli.mistyped import usage_error
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.cli.writing import append_to, write_to
from knowledge.candidate import Leg, parse_candidate
from knowledge.dataset import Dataset
from knowledge.errors import ConsentNeeded, SpecError
from knowledge.requirements import Requirements, read_requirements
from knowledge.results import Consent
from knowledge.results.handover import Handover
from knowledge.results.verification import Verification
from knowledge.wording import say
from tools import encoders
from tools.data_source import DataSource
from tools.decided import find_decision
from tools.deployed_collection import deployed_collection
from tools.evaluate import obtain
from tools.label_store import with_given
from tools.load.address import Address
from tools.load.planning import key_for
from tools.load.probing import open_endpoint
from tools.run_history import MARGIN
from tools.verify import SUBJECTS as PARTS
from tools.verify import verify
from tools.verify.embedding import Embedder, Here, Served
from tools.verify.kept import handover_of_run, read_handover
from tools.verify.own_model import OwnModel, own_model
from tools.verify.pipeline import Parts, Pipeline, SearchAddress
from tools.verify.rendered import MARKS, SUBJECTS, headline, junit_xml, markdown
from tools.workspace import Workspace


@dataclass(frozen=True)
class Decided:
    """Where the decision is: a handover file, or a run; and what is to be taken in place of what it says."""

    handover: Path | None
    run: str | None
    candidate: str | None
    requirements: Path | None
    margin: float | None


@dataclass(frozen=True)
class Service:
    """A search address, and how it is spoken to."""

    url: str
    query_field: str
    limit_field: str
    ids: str | None


@dataclass(frozen=True)
class Built:
    """An embedding server, or a model here, and a collection."""

    endpoint: str | None
    encoder: str | None
    protocol: str | None
    model: str | None
    query_prompt: str | None
    milvus: str | None
    collection: str | None
    vector_field: str | None
    id_field: str | None


def only_one(search_url: str | None, endpoint: str | None, encoder: str | None, collection: str | None) -> None:
    """One way to reach a pipeline has to be named, and no two."""
    if search_url is not None and (endpoint or encoder or collection):
        raise usage_error(say("--search-url is a whole pipeline: leave out --endpoint, --encoder and --collection"))
    if search_url is None and bool(endpoint) == bool(encoder):
        raise usage_error(say("name the pipeline: --search-url, or --endpoint (or --encoder) with --collection"))


def check(
    settings: Settings,
    decided: Decided,
    asked: Service | Built,
    source: DataSource | None,
    *,
    send_to: frozenset[str],
    seconds: float,
    subjects: Sequence[str] | None,
    junit: Path | None,
    summary: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Check it, print and write what was found; returns the exit code."""
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    dataset = with_given(source.read(), workspace) if source else None
    handover = _handover(decided, dataset, workspace)
    with _pipeline(asked, handover, workspace, send_to) as pipeline:
        found = verify(
            handover,
            pipeline,
            workspace,
            documents=dataset.documents if dataset else None,
            consent=Consent(measure=True, hosts=send_to),
            seconds=seconds,
            subjects=subjects or PARTS,
            on_progress=line.show,
        )
    line.end()
    if junit:
        write_to(junit, junit_xml(found, language()))
    if summary:
        append_to(summary, markdown(found, language()))
    if as_json:
        print_json(found)
    else:
        show(found)
    return 0 if found.passed else CHECKS_FAILED


def _handover(decided: Decided, dataset: Dataset | None, workspace: Workspace) -> Handover:
    needs = read_requirements(decided.requirements) if decided.requirements else None
    if decided.handover:
        changed = {"requirements": needs, "margin": decided.margin}
        given = {name: value for name, value in changed.items() if value is not None}
        return read_handover(decided.handover).model_copy(update=given)
    if dataset is None:
        raise usage_error(say("name what was decided: --handover FILE, or --run NAME with --data DIR"))
    margin = decided.margin if decided.margin is not None else needs.margin.value if needs else MARGIN
    return handover_of_run(
        find_decision(workspace, decided.run),
        decided.candidate,
        dataset,
        workspace,
        margin=margin,
        requirements=needs or Requirements(),
        now=dt.datetime.now(dt.UTC),
    )


@contextmanager
def _pipeline(
    asked: Service | Built, handover: Handover, workspace: Workspace, send_to: frozenset[str]
) -> Iterator[Pipeline]:
    if isinstance(asked, Service):
        key = _agreed(asked.url, workspace, send_to)
        yield SearchAddress(asked.url, asked.query_field, asked.limit_field, asked.ids, key)
        return
    if not isinstance(parse_candidate(handover.spec), Leg):
        raise SpecError(
            say("{spec} is more than one search, and a collection is one.", spec=handover.spec),
            say("Give the address of the whole: --search-url."),
        )
    embedder = _embedder(asked, workspace, send_to)
    uri = asked.milvus or workspace.milvus_uri
    name = asked.collection or handover.collection
    if not uri or not name:
        raise usage_error(say("name the Milvus and the collection: --milvus and --collection"))
    token = workspace.milvus_token.get_secret_value() if workspace.milvus_token else ""
    own = own_model(handover.spec, workspace)
    prompt = (
        asked.query_prompt if asked.query_prompt is not None else own.prompts[0] if isinstance(own, OwnModel) else ""
    )
    normalise = all(leg.normalised for leg in handover.legs)
    with deployed_collection(
        uri, name, token=token, vector_field=asked.vector_field, id_field=asked.id_field
    ) as collection:
        yield Parts(embedder, collection, prompt, normalise)


def _embedder(asked: Built, workspace: Workspace, send_to: frozenset[str]) -> Embedder:
    if asked.endpoint:
        key = _agreed(asked.endpoint, workspace, send_to)
        return Served(open_endpoint(asked.endpoint, protocol=asked.protocol, model=asked.model, key=key), key)
    leg = parse_candidate(asked.encoder or "")
    if not isinstance(leg, Leg) or leg.backend == "bm25" or encoders.backend(leg.backend).FORM != "dense":
        raise SpecError(
            say("{spec} does not make one vector of a text.", spec=(asked.encoder or "")[:200]),
            say("Name an encoder such as st:MODEL or static:MODEL."),
        )
    encoders.check(leg)
    return Here(leg, obtain(encoders.resolve(leg, workspace), leg, workspace, Consent(hosts=send_to)), workspace)


def _agreed(url: str, workspace: Workspace, send_to: frozenset[str]) -> SecretStr | None:
    """The key for an address, which is on this machine or agreed to."""
    address = Address.read(url)
    if not address.is_here and not send_to & {address.host, f"{address.host}:{address.port}"}:
        raise ConsentNeeded(
            say("{spec} would send your texts to {host}.", spec="verify", host=address.host),
            say("Agree to it with --send-to {host}.", host=address.host),
        )
    return key_for(address, workspace)


def show(found: Verification) -> None:
    """The answer first, then every check as a row."""
    sys.stdout.write(shown(headline(found)) + "\n")
    table = Table()
    for heading in (say("check"), say("result")):
        table.add_column(shown(heading), overflow="fold")
    table.add_column(shown(say("why")), overflow="fold", ratio=1)
    for check_ in found.checks:
        why = shown(check_.reason)
        if check_.status == "fail" and check_.remedy:
            why += f"\n→ {shown(check_.remedy)}"
        name = f"{shown(SUBJECTS[check_.subject])}: {check_.name}"
        mark = f"{MARKS[check_.status]} {check_.fault or ''}".strip()
        style = {"fail": "bold red", "skipped": "dim"}.get(check_.status, "")
        table.add_row(Plain(name), Plain(mark, style=style), Plain(why))
    console().print(table)
    told = say("{asked} questions in {seconds:.0f} s.", asked=found.asked, seconds=found.seconds)
    sys.stderr.write(f"{shown(told)} {found.run_id}\n")
