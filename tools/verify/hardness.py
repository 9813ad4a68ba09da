"""Queries as they come in real life, and input that nobody would call a query: it has to stay up, and stay sane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError
from knowledge.results import Consent
from knowledge.results.handover import HandoverQuery
from knowledge.results.verification import Check
from knowledge.wording import Text, say
from tools.evaluate.ranking import ByQuery, Job, Texts, rank_others
from tools.metrics import scoring
from tools.robustness import Perturbed, perturb_queries
from tools.run_store import RunStore
from tools.statistics import Scores, bootstrap_interval, worse_by_more
from tools.verify.embedding import RefusedError
from tools.verify.quality import in_words
from tools.verify.subject import DEPTH, Deployed, failed, passed, skipped

#: of each kind of mistake
MOST_OF_A_KIND = 20
#: characters of the huge one: more than any model reads, less than servers refuse by size
HUGE = 200_000
#: what nobody would call a query; servers may refuse the first four, and must not break on any
EDGES: Mapping[str, str] = {
    "empty": "",
    "blanks": " \t\n ",
    "huge": "what is the meaning of all this " * (HUGE // 32),
    "control characters": "a\x00b\x07c\x1b[31md\u202ee",
    "one letter": "a",
    "emoji": "🙂🙃🚀👩‍👩‍👧‍👦🏳️‍🌈",
    "Chinese": "请问这份文档讲的是什么？",
    "Arabic": "ما هو موضوع هذه الوثيقة؟",
    "Thai": "เอกสารนี้เกี่ยวกับอะไร",
    "quotes": "'; DROP TABLE x; -- \" ] } {{7*7}} ${x}",
    "combining marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324a" * 30,
}
_MAY_REFUSE = frozenset({"empty", "blanks", "huge", "control characters"})


def robustness(deployed: Deployed, consent: Consent) -> Iterator[Check]:
    """Perturbed queries, against the recommendation's own answers to the same ones where they can be had."""
    judged = {q.id: q for q in deployed.queries if q.id in deployed.found}
    perturbed = perturbed_of(list(judged.values()))
    if not perturbed:
        yield skipped("robustness", "perturbed queries", say("There are too few queries to perturb."))
        return
    found: ByQuery = {}
    deployed.pipeline.prepare([one.text for one in perturbed])
    for one in perturbed:
        try:
            answer = deployed.ranking(deployed.ask(one.text), judged[one.query])
        except AdvisorError as error:
            yield failed(
                "robustness",
                "perturbed queries",
                "crash",
                say("“{query}” was not answered: {why}", query=one.text[:60], why=error.cause),
                error.next_step,
            )
            return
        found[one.id] = _ranked(answer)
    now = _scores(deployed, perturbed, found)
    change = bootstrap_interval(_changes(deployed, perturbed, now))
    told = say(
        "Perturbed queries ({kinds}) change {metric} by {change}.",
        kinds=", ".join(f"{kind} {count}" for kind, count in Counter(one.kind for one in perturbed).items()),
        metric=deployed.handover.primary,
        change=in_words(change),
    )
    figures = {"change": change.mean, "low": change.low, "high": change.high, "queries": float(len(perturbed))}
    own = _own_answers(deployed, perturbed, consent)
    if isinstance(own, Text):
        yield skipped("robustness", "perturbed queries", say("{told} {why}", told=told, why=own), figures)
        return
    before = _scores(deployed, perturbed, own)
    differences = np.array([now[one.id] - before[one.id] for one in perturbed])
    lost = bootstrap_interval(differences)
    figures |= {"difference": lost.mean, "p_worse": worse_by_more(differences, deployed.handover.margin)}
    told = say("{told} Against the recommendation's own answers: {lost}.", told=told, lost=in_words(lost))
    if lost.mean < -deployed.handover.margin:
        yield failed("robustness", "perturbed queries", "robustness", told, None, figures)
    else:
        yield passed("robustness", "perturbed queries", told, figures)


def perturbed_of(queries: Sequence[HandoverQuery]) -> list[Perturbed]:
    """The judged ones of these queries, changed as people change them."""
    texts = {q.id: q.text for q in queries if any(grade > 0 for grade in q.relevant.values())}
    return perturb_queries(texts, 20 * sum(map(len, texts.values())), MOST_OF_A_KIND)


def _ranked(ids: list[str]) -> list[tuple[str, float]]:
    return [(id, -float(rank)) for rank, id in enumerate(ids)]


def _scores(deployed: Deployed, perturbed: list[Perturbed], found: ByQuery) -> dict[str, float]:
    relevant = {q.id: dict(q.relevant) for q in deployed.queries}
    judgments = {one.id: relevant[one.query] for one in perturbed}
    primary = deployed.handover.primary
    return scoring.score(found, judgments, [primary])[primary]


def _changes(deployed: Deployed, perturbed: list[Perturbed], now: Mapping[str, float]) -> Scores:
    """Of each query, the mean over its perturbations minus its own score: one figure a query."""
    primary = deployed.handover.primary
    asked = {q.id: q for q in deployed.queries if q.id in {one.query for one in perturbed}}
    plain: ByQuery = {
        id: [(d, -float(rank)) for rank, d in enumerate(deployed.ranking(deployed.found[id], q))]
        for id, q in asked.items()
    }
    before = scoring.score(plain, {id: dict(q.relevant) for id, q in asked.items()}, [primary])[primary]
    by_query: dict[str, list[float]] = {}
    for one in perturbed:
        by_query.setdefault(one.query, []).append(now[one.id] - before[one.query])
    return np.array([sum(values) / len(values) for values in by_query.values()])


def _own_answers(deployed: Deployed, perturbed: list[Perturbed], consent: Consent) -> ByQuery | Text:
    """What the recommendation, built here, answers; its documents' vectors are in the cache."""
    if deployed.documents is None:
        return say("What the recommendation itself loses is not known without the documents: --data.")
    if not _measured_here(deployed):  # its vectors of the documents are not here either, and making them takes long
        return say("What the recommendation itself loses is not known here: another machine measured it.")
    candidate = parse_candidate(deployed.handover.spec)
    left_out = {q.id: frozenset(q.left_out) for q in deployed.queries if q.left_out}
    own = {one.id: left_out[one.query] for one in perturbed if one.query in left_out}
    kept = {id: text for id, text in deployed.documents.items() if id not in deployed.handover.twins}
    job = Job({"own": candidate}, Texts(kept, {one.id: one.text for one in perturbed}, DEPTH, own))
    for _, _, found in rank_others({"own": job}, deployed.workspace, consent):
        if isinstance(found, AdvisorError):
            return found.cause
        return found
    return say("The recommendation could not be asked here.")


def _measured_here(deployed: Deployed) -> bool:
    runs = RunStore(deployed.workspace.store)
    try:
        return runs.run(deployed.handover.run_id) is not None
    finally:
        runs.close()


def edges(deployed: Deployed) -> Iterator[Check]:
    """One check for each odd input, and one for whether it answers as before after all of them."""
    first = next((q for q in deployed.queries if q.id in deployed.found), None)
    deployed.pipeline.prepare(list(EDGES.values()))
    for name, text in EDGES.items():
        if deployed.is_down:
            yield skipped("edges", name, say("It does not answer any more."))
        else:
            yield _edge(deployed, name, text)
    if first is None:
        return
    try:
        same = (
            deployed.ask(first.text)[: deployed.handover.depth] == deployed.found[first.id][: deployed.handover.depth]
        )
    except AdvisorError as error:
        yield failed("edges", "afterwards", "crash", say("After these it does not answer: {why}", why=error.cause))
        return
    if same:
        yield passed("edges", "afterwards", say("It answers as before after all of these."))
    else:
        told = say("After these the same query gets another answer.")
        yield failed("edges", "afterwards", "crash", told, say("Look for a state that queries share."))


def _edge(deployed: Deployed, name: str, text: str) -> Check:
    try:
        found = deployed.ask(text)
    except RefusedError as error:
        if 400 <= error.status < 500 and name in _MAY_REFUSE:
            return passed("edges", name, say("It refuses that with {status}.", status=error.status))
        remedy = say("Answer such input, or refuse it with a status of 400 and a reason.")
        told = say("It answers that with {status}.", status=error.status)
        return failed("edges", name, "crash", told, remedy, {"status": float(error.status)})
    except AdvisorError as error:
        return failed("edges", name, "crash", say("It breaks on that: {why}", why=error.cause), error.next_step)
    if len(found) > len(set(found)) or len(found) > deployed.depth:
        return failed("edges", name, "crash", say("It finds documents twice, or more than were asked for."))
    return passed("edges", name, say("It finds {count} documents.", count=len(found)))
