"""What may be done with a model: its weights' licence, its base models' and its training data's."""

from knowledge.licensing.chain import (
    PARTS,
    Chain,
    Link,
    Part,
    Rights,
    Status,
    Terms,
    licence_of,
    license_chain,
    license_name,
    rights_of,
    short_name,
)
from knowledge.licensing.terms import USES, License, LicenseBook, Use
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
