"""The tokens that an API bills, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import digits
from knowledge.results.cost import CostOfCandidate, Costs
from knowledge.wording import Text, say
from tools.cost.words import cited


def billed(found: Costs) -> list[Text]:
    """How many tokens each API bills for a text, how that is known, and what would make it exact."""
    return [line for one in found.candidates if one.tokens for line in tokens_of(one)]


def tokens_of(one: CostOfCandidate) -> Iterator[Text]:
    """The same of one candidate that is billed by the token."""
    document, query = one.tokens["document"], one.tokens["query"]
    figures: dict[str, str | Text] = {
        "spec": one.spec,
        "document": digits(document.mean),
        "document_cite": cited(one.cites, "document_tokens"),
        "query": digits(query.mean),
        "query_cite": cited(one.cites, "query_tokens"),
        "because": document.because,
    }
    if document.because == query.because:
        yield say(
            "Tokens that {spec} bills: {document} a document{document_cite}, {query} a query{query_cite}; {because}.",
            **figures,
        )
    else:
        yield say(
            "Tokens that {spec} bills: {document} a document{document_cite}, {because}; {query} a query{query_cite}, "
            "{query_because}.",
            query_because=query.because,
            **figures,
        )
    exact = document.exact or query.exact
    if exact is not None:
        yield exact
