"""`/v1/shortlists`: which models are worth measuring, from the catalog alone."""

from __future__ import annotations

from collections import Counter, OrderedDict
from threading import Lock

from fastapi import APIRouter, Request
from fastapi.responses import Response

from agent.asking import read_needs
from agent.descriptions import describe_change
from agent.understanding.rules import RuleUnderstanding
from app.api.documented import with_body
from app.api.given import ShortlistRecord
from app.api.problems import ProblemError
from app.api.sent import ShortlistIn
from app.api.service import Lang, Service, Use, Writer
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.wording import Language, Text
from tools.shortlist import listed

router = APIRouter(tags=["shortlists"])


class Answers:
    """The last answers, by everything that decides them."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """A known answer."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer; the one that was asked for longest ago goes."""
        with self._lock:
            self._known[key] = answer
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


@router.post("/v1/shortlists", responses={200: {"model": ShortlistRecord}, **with_body()})
def make_shortlist(body: ShortlistIn, request: Request, service: Use, caller: Writer, language: Lang) -> Response:
    """List the models worth measuring, with predictions and reasons; nothing is kept."""
    known: Answers = request.app.state.answers
    key = f"{language} {body.model_dump_json()}"
    # a language model may read the same words differently the next time
    by_rules = isinstance(service.advisor.context.understanding, RuleUnderstanding)
    found = known.get(key) if by_rules or not body.text else None
    if found is None:
        found = _made(body, service, language)
        known.put(key, found)
    return Response(found, media_type="application/json")


def _made(body: ShortlistIn, service: Service, language: Language) -> bytes:
    context = service.advisor.context
    wanted, changes, ignored = _needs(body, service)
    try:
        found = listed(wanted, context.catalog, context.scores, body.k)
    except NothingLeftError as error:
        clash = error.clash.model_dump(mode="json", context={"language": language}) if error.clash else None
        raise ProblemError("nothing-left", error.cause, error.next_step, more={"clash": clash}) from error
    record = ShortlistRecord(
        requirements=wanted,
        noted=changes,
        ignored=ignored,
        considered=found.considered,
        kept=found.kept,
        beside=found.beside,
        rejected=found.rejections if body.rejected else (),
        rejected_by=dict(Counter(rejection.constraint for rejection in found.rejected).most_common()),
        notes=found.notes,
    )
    return record.model_dump_json(context={"language": language}).encode()


def _needs(body: ShortlistIn, service: Service) -> tuple[Requirements, tuple[Text, ...], str]:
    """The requirements, what a text changed in them, and what of it was not understood."""
    if not body.text:
        return body.requirements or Requirements(), (), ""
    found = read_needs(body.text, service.advisor.context.understanding, body.requirements)
    return found.requirements, tuple(describe_change(c, found.requirements) for c in found.changes), found.ignored
