"""Is everything in it that was measured, and nothing besides?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from knowledge.errors import AdvisorError
from knowledge.results.verification import Check
from knowledge.wording import Text, say
from tools.verify.pipeline import Parts
from tools.verify.subject import Deployed, failed, passed, skipped

#: ids looked up in a collection, those that queries depend on first
MOST_IDS = 5_000
#: documents that a search service is asked for by their own words
MOST_ASKED = 20
#: characters of a document that ask for it
BEGINNING = 300
SHOWN = 5


def corpus(deployed: Deployed) -> Iterator[Check]:
    """Rows, and documents one by one."""
    if isinstance(deployed.pipeline, Parts):
        yield _rows(deployed, deployed.pipeline)
        yield _held(deployed, deployed.pipeline)
    else:
        yield _asked_for(deployed)
    yield _foreign(deployed)


def _rows(deployed: Deployed, pipeline: Parts) -> Check:
    rows, about = pipeline.collection.about.rows, pipeline.collection.about
    documents = len(deployed.documents) if deployed.documents is not None else deployed.handover.documents
    figures = {"rows": float(rows), "documents": float(documents)}
    told = say("It has {rows} rows; {documents} documents were measured.", rows=rows, documents=documents)
    twins = len(deployed.handover.twins)
    fewest = documents - twins  # one row may stand for all of the same text
    if fewest <= rows < documents:
        told = say(
            "It has {rows} rows; {documents} documents were measured, {twins} of them with the text of another.",
            rows=rows,
            documents=documents,
            twins=twins,
        )
    if rows < fewest:
        remedy = say("Fill it again, and look at what the ingest left out.")
        return failed("corpus", "rows", "missing documents", told, remedy, figures)
    if rows > documents and about.whole and "chunk=" not in deployed.handover.spec:
        return skipped(
            "corpus",
            "rows",
            say("It has {rows} rows, more than the {documents} documents measured.", rows=rows, documents=documents),
            figures,
        )
    return passed("corpus", "rows", told, figures)


def _held(deployed: Deployed, pipeline: Parts) -> Check:
    wanted = _ids(deployed)[:MOST_IDS]
    held = pipeline.collection.held(wanted)
    missing = [id for id in wanted if id not in held and not _twin_held(id, held, deployed)]
    return _verdict(missing, len(wanted))


def _ids(deployed: Deployed) -> list[str]:
    """Ids that must be there: those that queries depend on first, the others in an order that says nothing."""
    needed = dict.fromkeys(id for q in deployed.queries for id in (*q.relevant, *q.expected))
    others = [id for id in deployed.documents or () if id not in needed and id not in deployed.handover.twins]
    others.sort(key=lambda id: hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest())
    known = (id for id in needed if deployed.documents is None or id in deployed.documents)
    return [*known, *others]


def _twin_held(id: str, held: set[str], deployed: Deployed) -> bool:
    return any(stands == id and twin in held for twin, stands in deployed.handover.twins.items())


def _asked_for(deployed: Deployed) -> Check:
    """Documents that were among the first for a query, and now are found for none: by their own words."""
    name = "presence"
    if deployed.documents is None:
        return skipped("corpus", name, say("That takes the documents: --data."))
    returned = {id for found in deployed.found.values() for id in found}
    returned |= {deployed.handover.twins.get(id, id) for id in returned}
    suspects = dict.fromkeys(
        id for q in deployed.queries if q.id in deployed.found for id in (*q.expected[:3], *_right(q.relevant))
    )
    asked = [id for id in suspects if id not in returned and deployed.documents.get(id, "").strip()]
    missing = []
    for id in asked[:MOST_ASKED]:
        try:
            found = deployed.ask(deployed.documents[id][:BEGINNING])
        except AdvisorError:
            continue
        if id not in {deployed.handover.twins.get(one, one) for one in found}:
            missing.append(id)
    unasked = max(len(asked) - MOST_ASKED, 0)
    return _verdict(missing, len(suspects) - unasked, unasked)


def _right(relevant: dict[str, int]) -> list[str]:
    return [id for id, grade in relevant.items() if grade > 0]


def _verdict(missing: list[str], looked: int, unasked: int = 0) -> Check:
    figures = {"looked_for": float(looked), "missing": float(len(missing)), "not_asked_for": float(unasked)}
    if missing:
        return failed(
            "corpus",
            "presence",
            "missing documents",
            say(
                "{count} of {looked} documents looked for are not there: {ids}.{unasked}",
                count=len(missing),
                looked=looked,
                ids=", ".join(missing[:SHOWN]) + (", …" if len(missing) > SHOWN else ""),
                unasked=say(" {count} more, which no answer had, were not asked for.", count=unasked)
                if unasked
                else "",
            ),
            say("Fill it again, and look at what the ingest left out."),
            figures,
        )
    return passed("corpus", "presence", say("All {looked} documents looked for are there.", looked=looked), figures)


def _foreign(deployed: Deployed) -> Check:
    name = "ids in answers"
    known: set[str] = set(deployed.documents or ())
    if not known:
        return skipped("corpus", name, say("That takes the documents: --data."))
    if not deployed.finds:
        return skipped("corpus", name, say("It finds no document at all."))
    foreign = dict.fromkeys(id for found in deployed.found.values() for id in found if id not in known)
    doubled = sum(len(found) > len(set(found)) for found in deployed.found.values())
    figures = {"foreign": float(len(foreign)), "doubled": float(doubled)}
    if foreign:
        return failed(
            "corpus",
            name,
            "foreign documents",
            say(
                "{count} ids in its answers are of no document that was measured: {ids}.",
                count=len(foreign),
                ids=", ".join(list(foreign)[:SHOWN]),
            ),
            say("Check that its ids are those of the data, or verify with the data it has now."),
            figures,
        )
    told: Text = say("All ids in its answers are documents that were measured.")
    return passed("corpus", name, told, figures)
