"""What the data says by itself, so that nobody needs to be asked."""

from __future__ import annotations

from knowledge.constraints import make_constraint
from knowledge.requirements import Requirements, Slot
from knowledge.results import DataProfile
from knowledge.wording import Text, say

#: a language counts as one of the data's from this share on
LANGUAGE_SHARE = 0.1


def learn_from(profile: DataProfile, requirements: Requirements) -> tuple[Requirements, tuple[Text, ...]]:
    """The requirements with what the data shows, and what was learnt or contradicts the user, in words.

    What the user stated is never overwritten; where the data disagrees, that is said.
    """
    learnt: list[Text] = []
    shares = {code: share for code, share in profile.languages.items() if share >= LANGUAGE_SHARE}
    stated = requirements.languages
    if shares and not stated:
        shown = ", ".join(f"{code} {share:.0%}" for code, share in shares.items())
        constraint = make_constraint(
            "languages", languages=tuple(shares), origin="inferred", because=f"the documents are {shown}"
        )
        requirements = requirements.with_constraint(constraint)
        learnt.append(say("Your documents are in {languages}, so I look for models that know it.", languages=shown))
    elif shares and not set(shares) & set(stated):
        learnt.append(
            say(
                "You said {stated}, but your documents look like {found}. I keep what you said; correct me if need be.",
                stated=", ".join(stated),
                found=", ".join(shares),
            )
        )
    if not any(constraint.kind == "modality" for constraint in requirements.constraints):
        requirements = requirements.with_constraint(
            make_constraint("modality", modalities=(profile.modality,), origin="inferred", because="the data is text")
        )
    updates: dict[str, Slot[int]] = {}
    if requirements.documents is None:
        updates["documents"] = Slot[int](
            value=profile.dataset.documents, origin="inferred", because="counted in the data"
        )
    if requirements.document_tokens is None and profile.document_tokens:
        value = round(profile.document_tokens.p95)
        updates["document_tokens"] = Slot[int](
            value=value, origin="inferred", because="95 % of the documents are shorter"
        )
    return requirements.model_copy(update=updates), tuple(learnt)
