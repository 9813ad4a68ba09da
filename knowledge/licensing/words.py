"""What licences say, in words."""

from __future__ import annotations

from knowledge.licensing.links import Terms
from knowledge.model_card import Commercial as Says
from knowledge.wording import Text, join, say

#: so many names are told of those that decide
_NAMED = 3
COMMA = Text(template=", ")
#: ids of ours that are no names but words
_IN_WORDS = {
    "Research-only": say("research-only licence"),
    "NVIDIA-model-specific": say("licence file of an NVIDIA model"),
    "API-terms": say("the provider's terms"),
}


def on_weights(stated: str | None, use: Text, says: Says) -> Text:
    """What the licence of the weights says on a use."""
    if stated is None:
        return say("its licence is not known")
    name = license_name(stated)
    match says:
        case "yes":
            return say("{license} allows {use}", license=name, use=use)
        case "no":
            return say("{license} forbids {use}", license=name, use=use)
        case "conditional":
            return say("{license} allows {use} under conditions: read it", license=name, use=use)
        case _:
            return say("its licence ({license}) is not known to allow {use}", license=name, use=use)


def on_base(terms: Terms, use: Text, says: Says) -> Text:
    """What the licence of a base model says on a use."""
    base = terms.about
    if terms.license is None:
        return say("made from {base}, whose licence is not known", base=base)
    name = license_name(terms.license)
    match says:
        case "yes":
            return say("made from {base}, whose {license} allows {use}", base=base, license=name, use=use)
        case "no":
            return say("made from {base}, whose {license} forbids {use}", base=base, license=name, use=use)
        case "conditional":
            return say(
                "made from {base}, whose {license} allows {use} under conditions",
                base=base,
                license=name,
                use=use,
            )
        case _:
            return say(
                "made from {base}, whose {license} is not known to allow {use}",
                base=base,
                license=name,
                use=use,
            )


def on_data(deciding: list[Terms], of: int, use: Text, says: Says) -> Text:
    """What the licences of the training data say on a use: those that decide, of all that are named."""
    count = len(deciding)
    names = join([_with_license(terms) for terms in deciding[:_NAMED]], COMMA)
    if count > _NAMED:
        names = say("{names} and {count} more", names=names, count=count - _NAMED)
    match says:
        case "yes":
            return say("all {count} data sets that are named allow {use}", count=of, use=use)
        case "no":
            return say(
                "{use} is forbidden by {count} of its {of} data sets: {names}", count=count, of=of, names=names, use=use
            )
        case "conditional":
            return say(
                "{use} is allowed only under conditions by {count} of its {of} data sets: {names}",
                count=count,
                of=of,
                names=names,
                use=use,
            )
        case _:
            return say(
                "whether {use} is allowed is not known of {count} of its {of} data sets: {names}",
                count=count,
                of=of,
                names=names,
                use=use,
            )


def _with_license(terms: Terms) -> Text:
    stated = license_name(terms.license) if terms.license else say("no licence stated")
    return say("{name} ({license})", name=terms.about, license=stated)


def short_name(license_id: str) -> str:
    """A licence's id as people read it: without the prefix of those that are not on the SPDX list."""
    return license_id.replace("LicenseRef-", "")


def license_name(license_id: str) -> Text:
    """A licence as sentences name it: what is a name in any language, the rest in the reader's words."""
    name = short_name(license_id)
    return _IN_WORDS.get(name) or Text.model_validate(name)
