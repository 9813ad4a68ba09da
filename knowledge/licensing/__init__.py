"""What may be done with a model: its weights' licence, its base models' and its training data's."""

from knowledge.licensing.chain import Rights, license_chain, rights_of
from knowledge.licensing.links import PARTS, Chain, Link, Part, Status, Terms
from knowledge.licensing.stated import licence_of
from knowledge.licensing.terms import USES, License, LicenseBook, Use
from knowledge.licensing.words import license_name, short_name
from knowledge.model_card import Commercial as Says

__all__ = [
    "PARTS",
    "USES",
    "Chain",
    "License",
    "LicenseBook",
    "Link",
    "Part",
    "Rights",
    "Says",
    "Status",
    "Terms",
    "Use",
    "licence_of",
    "license_chain",
    "license_name",
    "rights_of",
    "short_name",
]
