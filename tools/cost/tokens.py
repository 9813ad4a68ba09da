"""Tokens that an API bills for the user's texts: as its endpoint reported, else by its tokenizer, else estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.candidate import Leg
from knowledge.errors import AdvisorError
from knowledge.results import Usage
from knowledge.results.cost import Assumption, TokenCount, Volume
from knowledge.wording import Text, join, say
from tools.chunking import rules_of
from tools.cost.texts import Kind, Some, Texts
from tools.tokenizer import count_tokens, find_tokenizer, how_to_get
from tools.workspace import Workspace

_KINDS: tuple[Kind, ...] = ("document", "query")
#: against OpenAI's tokenizer, as `tools.profile` has it
_KNOWN_ERROR = say(
    "estimated without its tokenizer (against OpenAI's: in English 23 % too few to 11 % too many, in Chinese 25 %, in "
    "German 36 %, in Arabic 68 % too few)"
)


class TokenCounter:
    """Counts for one calculation."""

    def __init__(
        self, volume: Volume, assumptions: Sequence[Assumption], texts: Texts | None, workspace: Workspace
    ) -> None:
        """What stands where nothing better is known is the volume's length.

        Args:
            volume: mean tokens of a document and a query.
            assumptions: where these come from; what was stated goes before all else.
            texts: the user's, where they are at hand.
            workspace: where tokenizers may be.
        """
        self._texts, self._workspace = texts, workspace
        self._said = {
            kind: (getattr(volume, f"{kind}_tokens"), one)
            for kind in _KINDS
            for one in assumptions
            if one.key == f"{kind}_tokens"
        }

    def of(self, model: str, leg: Leg | None = None, usage: Mapping[str, Usage] | None = None) -> dict[str, TokenCount]:
        """Of a document and of a query, by kind.

        Args:
            model: whose tokenizer counts.
            leg: of the candidate, which may cut documents into chunks.
            usage: what its endpoint reported in an evaluation, by kind.
        """
        texts = self._texts.read_by(leg) if self._texts else None
        return {kind: self._of(kind, model, leg, texts, (usage or {}).get(kind)) for kind in self._said}

    def _of(self, kind: Kind, model: str, leg: Leg | None, texts: Texts | None, usage: Usage | None) -> TokenCount:
        value, said = self._said[kind]
        if said.origin == "stated":
            return TokenCount(mean=value, how="stated", because=said.because)
        some = getattr(texts, kind) if texts else None
        found = _reported(usage, some, leg)
        if found is not None:
            return found
        if some is None or not some.counted:
            how = "assumed" if said.origin == "assumed" else "estimated"
            because = said.because if how == "assumed" else _KNOWN_ERROR
            return TokenCount(mean=value, how=how, because=because, exact=_to_be_exact(model))
        return self._counted(some, model)

    def _counted(self, some: Some, model: str) -> TokenCount:
        """By the model's tokenizer; estimated where it is not here or fails."""
        tokenizer = find_tokenizer(model, self._workspace)
        estimated = TokenCount(
            mean=some.estimated_tokens, how="estimated", because=_KNOWN_ERROR, exact=_to_be_exact(model)
        )
        if tokenizer is None:
            return estimated
        try:
            tokens = count_tokens(tokenizer, some.counted, self._workspace)
        except (AdvisorError, ValueError, OSError) as error:
            why = error.cause if isinstance(error, AdvisorError) else str(error)
            failed = say("its tokenizer ({name}) could not be used: {why}", name=tokenizer.name, why=why)
            return estimated.model_copy(update={"because": join([_KNOWN_ERROR, failed], Text(template="; "))})
        count = f"{len(some.counted):,}"
        return TokenCount(
            mean=some.characters * tokens / max(1, some.counted_characters),
            how="counted",
            because=say("counted with {name} over {count} of yours", name=tokenizer.name, count=count),
        )


def _reported(usage: Usage | None, some: Some | None, leg: Leg | None) -> TokenCount | None:
    """By what the endpoint said of the texts that it was sent; None where it said nothing that tells a text's mean."""
    if usage is None or not usage.tokens or not usage.characters:
        return None
    if some is not None and some.counted:
        mean = some.characters * usage.tokens / usage.characters
    elif leg is None or rules_of(leg) is None:  # of chunks it is not known how many a document has
        mean = usage.tokens / usage.texts
    else:
        return None
    tokens, count = f"{usage.tokens:,}", f"{usage.texts:,}"
    because = say("as its endpoint reported {tokens} tokens for {count} of yours", tokens=tokens, count=count)
    return TokenCount(mean=mean, how="reported", because=because)


def _to_be_exact(model: str) -> Text:
    command = how_to_get(model)
    if command is None:
        return say("For an exact count measure it on your data: its endpoint reports what it bills.")
    return say(
        "For an exact count fetch its tokenizer once ({command}), or measure it on your data: its endpoint reports "
        "what it bills.",
        command=command,
    )
