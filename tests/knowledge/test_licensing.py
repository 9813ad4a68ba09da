"""What licences say, alone and combined, and the chain of a model's licences."""

import json
from importlib.resources import files

import pytest

from knowledge.catalog import Catalog, catalog_of, load_catalog
from knowledge.constraints import make_constraint
from knowledge.licensing import USES, LicenseBook, license_chain, license_name, rights_of
from knowledge.licensing.terms import CONDITIONS
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements

DATA = files("knowledge") / "data"
ALL = ("commercial", "redistribution", "derivative")


@pytest.fixture(scope="module")
def book():
    return LicenseBook(load_catalog().licenses)


def card(model="a/model", **facts):
    return ModelCard(model=model, **facts)


# ---------------------------------------------------------------- licences and expressions


@pytest.mark.parametrize(
    ("text", "commercial", "redistribution", "derivative"),
    [
        ("MIT", "yes", "yes", "yes"),
        ("apache-2.0", "yes", "yes", "yes"),
        ("CC-BY-NC-4.0", "no", "conditional", "conditional"),
        ("CC-BY-ND-4.0", "yes", "yes", "no"),
        ("CC-BY-SA-4.0", "yes", "yes", "conditional"),
        ("gpl-3.0", "yes", "conditional", "conditional"),
        ("CC0-1.0", "yes", "yes", "yes"),
        ("gemma", "conditional", "conditional", "conditional"),
        ("llama3.2", "conditional", "conditional", "conditional"),
        ("LicenseRef-API-terms", "conditional", "no", "no"),
        ("Apache-2.0 OR CC-BY-NC-4.0", "yes", "yes", "yes"),
        ("MIT AND CC-BY-NC-4.0", "no", "conditional", "conditional"),
        ("MIT AND (CC-BY-NC-4.0 OR Apache-2.0)", "yes", "yes", "yes"),
        ("mit or apache-2.0", "yes", "yes", "yes"),
        ("GPL-3.0-only WITH Classpath-exception-2.0", "yes", "conditional", "conditional"),
        ("LicenseRef-Gemma AND MIT", "conditional", "conditional", "conditional"),
    ],
)
def test_each_use_is_answered(book, text, commercial, redistribution, derivative):
    assert tuple(book.answer(text, use) for use in ALL) == (commercial, redistribution, derivative)


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "multiple", "not specified", "MIT or so", "MIT MIT", "MIT AND", "OR", "(MIT", "MIT WITH MIT",
        "https://example.org/LICENSE", "LicenseRef-Nobody OR MIT", "MIT; DROP TABLE", "\x00", "许可证", "MIT OR 许可证",
        "(" * 5_000 + "MIT OR MIT" + ")" * 5_000, " OR ".join(["MIT"] * 10_000), "MIT-or-Apache", "Unlicensed",
    ],
)  # fmt: skip
def test_what_cannot_be_read_allows_nothing(book, text):
    assert {book.answer(text, use) for use in USES} == {"unknown"}
    assert book.accepted(text, ("MIT",)) in ("unknown", "no")
    assert book.free_of(text, ("GPL",)) == "unknown"


def test_a_licence_of_spdx_that_nobody_read_is_unknown_and_does_not_spoil_an_alternative(book):
    assert "Watcom-1.0" not in book.licenses
    assert book.answer("Watcom-1.0 AND MIT", "commercial") == "unknown"
    assert book.answer("Watcom-1.0 OR MIT", "commercial") == "yes"


@pytest.mark.parametrize(
    ("text", "refused", "free"),
    [
        ("GPL-3.0-or-later", "gpl", "no"),
        ("GPL-2.0-only", "gpl-3.0", "no"),
        ("AGPL-3.0-only", "GPL", "no"),
        ("GPL-3.0-only", "agpl", "yes"),
        ("GPL-3.0-only OR MIT", "gpl", "yes"),
        ("GPL-3.0-only AND MIT", "gpl", "no"),
        ("CC-BY-NC-SA-4.0", "cc-by-nc", "no"),
        ("CC-BY-4.0", "cc-by-nc", "yes"),
        ("CC-BY-NC-4.0", "cc-by", "yes"),
        ("CC-BY-SA-4.0", "copyleft", "no"),
        ("MPL-2.0", "Copyleft", "no"),
        ("MIT", "copyleft", "yes"),
        ("LicenseRef-Gemma", "gemma", "no"),
    ],
)
def test_a_refused_licence_is_refused_in_every_version(book, text, refused, free):
    assert book.free_of(text, (refused,)) == free


def test_every_licence_on_file_is_complete(book):
    for name, known in book.licenses.items():
        assert known.url or known.commercial in ("unknown", "conditional", "no") or "spdx" not in known.source, name
        for use in USES:
            if getattr(known, use) == "conditional":
                assert known.conditions.get(use), f"{name}: {use} under which conditions?"
            assert all(condition in CONDITIONS for condition in known.conditions.get(use, ()))
    unknown = {name for name, known in book.licenses.items() if known.commercial == "unknown"}
    assert unknown == {"LicenseRef-NVIDIA-model-specific", "LicenseRef-webAI", "LicenseRef-RiverRider"}


@pytest.mark.parametrize("kind", ["base_licenses", "dataset_licenses"])
def test_the_hand_kept_files_name_licences_that_are_on_file(book, kind):
    entries = json.loads((DATA / f"{kind}.json").read_text("utf-8"))[kind]
    assert len(entries) > 10
    for name, entry in entries.items():
        assert entry["license"] in book.licenses, name
        assert entry["url"].startswith("https://"), name
        assert entry["date"] <= "2026-11-22"
    spelled = [s.casefold() for name, entry in entries.items() for s in (name, *entry.get("also", ()))]
    assert len(spelled) == len(set(spelled))
    for known in load_catalog().cards if kind == "base_licenses" else ():
        if known.model in entries and known.license:
            assert known.license == entries[known.model]["license"], known.model


# ---------------------------------------------------------------- the chain


def shipped(model, *uses):
    return license_chain(load_catalog().card(model), load_catalog(), uses or ("commercial",))


def test_a_model_of_clean_weights_trained_on_ms_marco():
    chain = shipped("intfloat/multilingual-e5-small")
    assert [link.status for link in chain.links] == ["allowed", "allowed", "forbidden"]
    assert chain.base.evidence[0].about == "microsoft/Multilingual-MiniLM-L12-H384"
    worst = chain.data.evidence[0]
    assert (worst.about, worst.license, worst.says) == ("MSMARCO", "LicenseRef-Research-only", "no")
    assert worst.source == "https://microsoft.github.io/msmarco/"
    assert worst.date is not None
    assert chain.data.check is not None


def test_conditions_of_the_base_show_where_the_weights_say_mit():
    chain = shipped("microsoft/harrier-oss-v1-270m", "redistribution", "commercial")
    assert chain.uses == ("commercial", "redistribution")
    assert (chain.weights.status, chain.base.status, chain.base.says) == ("allowed", "unknown", "conditional")
    assert "forbidden uses" in str(chain.base.check)
    assert "https://ai.google.dev/gemma/terms" in str(chain.base.check)


def test_an_api_allows_commerce_and_nothing_else():
    assert shipped("openai/text-embedding-3-small").weights.status == "allowed"
    chain = shipped("openai/text-embedding-3-small", *ALL)
    assert (chain.weights.status, chain.base.status, chain.data.status) == ("forbidden", "none", "none")


@pytest.fixture
def small(tmp_path):
    """A catalog of a few models that hang on each other, with the shipped licences and sources."""

    def make(*models, tasks=()):
        for name in ("licenses", "prices", "sources"):
            (tmp_path / f"{name}.json").write_bytes((DATA / f"{name}.json").read_bytes())
        for kind, rows in (("models", models), ("tasks", tasks)):
            head = json.dumps({"format": kind, "version": 1, "rows": len(rows)})
            lines = [head, *(json.dumps(row) for row in rows)]
            (tmp_path / f"{kind}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
        return Catalog(tmp_path)

    return make


SOURCED = {"sources": {"*": "mteb"}}


def test_bases_are_followed_to_the_root(small):
    catalog = small(
        {"model": "a/top", "license": "MIT", "adapted_from": "b/middle", **SOURCED},
        {"model": "b/middle", "license": "Apache-2.0", "adapted_from": "https://huggingface.co/C/Root", **SOURCED},
        {"model": "c/root", "license": "CC-BY-NC-4.0", **SOURCED},
    )
    base = license_chain(catalog.card("a/top"), catalog).base
    assert base.status == "forbidden"
    assert [terms.about for terms in base.evidence] == ["c/root", "b/middle"]
    assert str(base.reason) == "made from c/root, whose CC-BY-NC-4.0 forbids commercial use"


def test_a_circle_of_bases_ends(small):
    catalog = small(
        {"model": "a/x", "license": "MIT", "adapted_from": "b/y", **SOURCED},
        {"model": "b/y", "license": "MIT", "adapted_from": "a/x", **SOURCED},
    )
    assert license_chain(catalog.card("a/x"), catalog).base.status == "allowed"


@pytest.mark.parametrize(
    ("base", "status"),
    [
        (None, "none"),
        ("nobody/never-heard-of", "unknown"),
        ("xlm-roberta-base", "allowed"),
        ("a/own-checkpoint", "none"),
        ("own-checkpoint", "unknown"),
        ("  ", "unknown"),
        ("Qwen/Qwen2.5-VL-3B-Instruct", "forbidden"),
    ],
)
def test_a_base_that_is_not_in_the_catalog(base, status):
    found = license_chain(card(license="MIT", adapted_from=base), load_catalog()).base
    assert found.status == status
    if status == "unknown":
        assert found.check is not None


def test_training_data_that_nobody_names_is_unknown():
    data = license_chain(card(license="MIT"), load_catalog()).data
    assert (data.status, data.evidence) == ("unknown", ())
    assert data.check is not None


@pytest.mark.parametrize(
    ("names", "uses", "status"),
    [
        (("MSMARCO",), ("commercial",), "forbidden"),
        (("msmarco-passage",), ("commercial",), "forbidden"),
        (("NanoMSMARCORetrieval",), ("commercial",), "forbidden"),  # a sample under CC-BY of what is for research only
        (("HotPotQA",), ("commercial",), "allowed"),
        (("HotpotQA",), ("redistribution",), "unknown"),  # share-alike, of what is made from it
        (("Banking77Classification",), ALL, "allowed"),
        (("HotPotQA", "a set of our own"), ("commercial",), "unknown"),
        (("NQ",), ("commercial",), "allowed"),
        (("I", "L", "🦆"), ("commercial",), "unknown"),
    ],
)
def test_data_sets_under_any_spelling(names, uses, status):
    assert license_chain(card(license="MIT", training_datasets=names), load_catalog(), uses).data.status == status


def test_every_model_has_a_chain_in_both_languages():
    catalog = load_catalog()
    for model in catalog.cards[::9]:
        for link in license_chain(model, catalog, ALL).links:
            for text in (link.reason, link.check):
                if text is not None:
                    assert "{" not in text.render("en")
                    assert "None" not in text.render("en")
                    assert any(ord(character) > 0x2E7F for character in text.render("zh")), text.template


# ---------------------------------------------------------------- the constraint


def outcome(facts, **parameters):
    return make_constraint("license", **parameters).check(card(**facts)).outcome


@pytest.mark.parametrize(
    ("facts", "parameters", "expected"),
    [
        ({"license": "MIT"}, {}, "met"),
        ({"license": "MIT", "adapted_from": "nobody/knows"}, {}, "unknown"),
        ({"license": "MIT", "adapted_from": "nobody/knows"}, {"base_model": False}, "met"),
        ({"license": "MIT", "adapted_from": "naver/splade-cocondenser-selfdistil"}, {}, "violated"),
        ({"license": "MIT", "adapted_from": "google/gemma-3-270m"}, {}, "unknown"),
        ({"license": "MIT", "adapted_from": "google/gemma-3-270m"}, {"allowed": ("mit", "gemma")}, "met"),
        ({"license": "LicenseRef-Gemma"}, {}, "unknown"),
        ({"license": "LicenseRef-Gemma"}, {"allowed": ("gemma",)}, "met"),
        ({"license": "MIT", "training_datasets": ("MSMARCO",)}, {}, "met"),
        ({"license": "MIT", "training_datasets": ("MSMARCO",)}, {"training_data": True}, "violated"),
        ({"license": "MIT"}, {"training_data": True}, "unknown"),
        ({"license_text": "Apache-2.0 OR MIT"}, {}, "met"),
        ({"license_text": "multiple"}, {}, "unknown"),
        ({"license": "GPL-3.0-only"}, {}, "met"),
        ({"license": "GPL-3.0-only"}, {"refused": ("gpl",)}, "violated"),
        ({"license": "GPL-3.0-only"}, {"refused": ("copyleft",), "commercial": False}, "violated"),
        ({}, {"refused": ("gpl",), "commercial": False}, "unknown"),
        ({"license": "MIT", "adapted_from": "naver/splade-cocondenser-selfdistil"},
         {"refused": ("copyleft",), "commercial": False}, "violated"),
        ({"license": "GPL-3.0-only"}, {"derivative": True}, "unknown"),
        ({"license": "CC-BY-ND-4.0"}, {"derivative": True}, "violated"),
        ({"license": "CC-BY-NC-4.0"}, {"commercial": False}, "met"),
        ({"is_api": True, "license": "LicenseRef-API-terms", "commercial": "conditional"}, {}, "met"),
        ({"is_api": True, "license": "LicenseRef-API-terms"}, {"redistribution": True}, "violated"),
        ({"is_api": True, "license": "LicenseRef-API-terms"}, {"refused": ("gpl",)}, "met"),
    ],
)  # fmt: skip
def test_the_demand(facts, parameters, expected):
    assert outcome(facts, **parameters) == expected


def test_bases_are_looked_up_in_the_catalog_that_the_card_is_from(small):
    """A refreshed copy knows bases that the shipped catalog does not."""
    base = {"model": "b/new-base", "license": "CC-BY-NC-4.0", **SOURCED}
    copy = small({"model": "a/tuned", "license": "MIT", "adapted_from": "b/new-base", **SOURCED}, base)
    verdict = make_constraint("license").check(copy.card("a/tuned"))
    assert (verdict.outcome, str(verdict.reason)) == (
        "violated",
        "made from b/new-base, whose CC-BY-NC-4.0 forbids commercial use",
    )
    assert outcome({"model": "a/tuned", "license": "MIT", "adapted_from": "b/new-base"}) == "unknown"
    assert catalog_of(copy.card("a/tuned")) is copy
    assert catalog_of(load_catalog().cards[0]) is load_catalog()


def test_an_old_requirements_file_still_means_the_same():
    old = {"constraints": [{"kind": "license", "commercial": True, "allowed": ["MIT"], "hard": True}]}
    read = Requirements.model_validate(old).constraints[0]
    assert (read.uses, read.refused, read.training_data) == (("commercial",), (), False)


def test_it_says_what_it_demands():
    made = make_constraint("license", redistribution=True, refused=("gpl", "copyleft"))
    assert str(made.describe()) == "commercial use allowed, redistribution allowed, no GPL, copyleft"
    assert str(make_constraint("license", commercial=False).describe()) == "any licence"


def test_the_default_leaves_most_of_the_catalog():
    """The figures in the docstring of the constraint, roughly: who tightens the default sees it here."""
    catalog, rights = load_catalog(), rights_of(load_catalog())
    allowed = [c for c in catalog.cards if rights.on_weights(c, ("commercial",))[0] == "yes"]
    base = make_constraint("license")
    kept = [c for c in allowed if base.check(c).outcome == "met"]
    assert 0.92 < len(kept) / len(allowed) < 0.98
    strict = make_constraint("license", training_data=True)
    assert sum(strict.check(c).outcome == "met" for c in allowed) < len(allowed) / 3
    names = {c.model for c in kept}
    assert {"BAAI/bge-m3", "Qwen/Qwen3-Embedding-8B", "intfloat/multilingual-e5-small"} <= names


def test_what_is_no_name_but_words_is_said_in_the_reader_s_language():
    assert (str(license_name("LicenseRef-Research-only")), license_name("LicenseRef-Research-only").render("zh")) == (
        "research-only licence",
        "仅限研究的许可",
    )
    assert license_name("Apache-2.0").render("zh") == "Apache-2.0"
    data = shipped("intfloat/multilingual-e5-small").data
    assert str(data.reason).startswith("commercial use is forbidden by 5 of its 23 data sets: ")
    assert "MSMARCO (research-only licence)" in str(data.reason)
    assert "Research-only" not in data.reason.render("zh")
    unknown = license_chain(card(license="MIT", training_datasets=("HotPotQA", "a set of our own")), load_catalog())
    assert str(unknown.data.reason).startswith("whether commercial use is allowed is not known of 1 of its 2 data sets")
