"""The user's copy of the catalog is used when it is whole and newer, and refused with the reason otherwise."""

import datetime as dt
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from knowledge.catalog import load_catalog
from knowledge.catalog_diff import compare
from knowledge.catalog_in_use import CURRENT, shipped_folder, usable_catalog
from knowledge.errors import CatalogError
from knowledge.manifest import FILES, NAME, check_hashes, parse_manifest, read_manifest
from knowledge.scores import load_scores


def describe(copy: Path, **facts: object) -> None:
    """Rewrite a copy's manifest."""
    path = copy / NAME
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | facts), "utf-8")


def resize(copy: Path, name: str) -> None:
    """Note a changed file's size and hash, as somebody would who wants it accepted."""
    files = json.loads((copy / NAME).read_text("utf-8"))["files"]
    content = (copy / name).read_bytes()
    files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    describe(copy, files=files)


@pytest.fixture
def home(tmp_path):
    """A user's folder with a newer copy of the shipped catalog."""
    copy = tmp_path / "home" / "catalog" / "20300101-000000-abcdef"
    copy.mkdir(parents=True)
    for name in (*FILES, NAME):
        shutil.copyfile(shipped_folder() / name, copy / name)
    for name in FILES:
        resize(copy, name)
    describe(copy, built="2030-01-01T00:00:00Z")
    (copy.parent / CURRENT).write_text(copy.name + "\n", "utf-8")
    return tmp_path / "home"


@pytest.fixture
def copy(home):
    return next(f for f in (home / "catalog").iterdir() if f.is_dir())


def test_without_a_copy_the_shipped_one_is_used(tmp_path):
    found = usable_catalog(tmp_path / "nowhere")
    assert (found.folder, found.refused) == (None, None)
    assert found.catalog is load_catalog()
    assert found.scores is load_scores()
    assert "as shipped" in str(found.describe())


def test_a_newer_copy_is_used_for_cards_and_scores(home, copy):
    lines = (copy / "models.jsonl").read_text("utf-8").replace('"dimension":384', '"dimension":385')
    (copy / "models.jsonl").write_text(lines, "utf-8")
    assert "not the file that was built" in str(usable_catalog(home).refused)  # though its size is the same
    resize(copy, "models.jsonl")
    found = usable_catalog(home)
    assert (found.folder, found.refused) == (copy, None)
    assert found.catalog.card("all-MiniLM-L6-v2").dimension == 385
    assert found.scores.models == load_scores().models
    assert found.scores is not load_scores()
    assert "2030-01-01" in str(found.describe())
    assert usable_catalog(home).catalog is found.catalog  # read once


@pytest.mark.parametrize("built", ["2020-01-01T00:00:00Z", None])
def test_a_copy_that_is_not_newer_is_refused(home, copy, built):
    describe(copy, built=built or parse_manifest(shipped_folder()).built.isoformat())
    found = usable_catalog(home)
    assert found.catalog is load_catalog()
    assert "not newer" in str(found.refused)
    assert "不比" in found.refused.render("zh")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    ],
)
def test_a_file_of_another_size_is_named(home, copy, name, damage):
    damage(copy / name)
    found = usable_catalog(home)
    assert found.catalog is load_catalog()
    assert name in str(found.refused)


@pytest.mark.parametrize("name", ["models.jsonl", "scores.npz", "licenses.json", "prices.json"])
def test_a_file_with_its_size_noted_but_no_catalog_in_it_is_refused_too(home, copy, name):
    (copy / name).write_bytes(b"\x00\xff not a catalog")
    resize(copy, name)
    found = usable_catalog(home)
    assert found.catalog is load_catalog()
    assert name in str(found.refused)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"format":"catalog"}', "目录".encode("gbk"), b"[" * 100_000],
)
def test_a_broken_manifest_is_refused(home, copy, content):
    (copy / NAME).write_bytes(content)
    assert NAME in str(usable_catalog(home).refused)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"version": 2}, "version 2"),
        ({"format": "models"}, "broken"),
        ({"files": {}}, "not in its list"),
        ({"built": "yesterday"}, "broken"),
        ({"built": "2030-01-01T00:00:00"}, "broken"),  # of which place?
        ({"surprise": 1}, "broken"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(home, copy, facts, why):
    describe(copy, **facts)
    assert why in str(usable_catalog(home).refused)


@pytest.mark.parametrize("name", ["", "..", "../..", "/etc", "a/b", "\x00", "没有的文件夹", "x" * 5000])
def test_a_pointer_never_leads_elsewhere(home, name):
    (home / "catalog" / CURRENT).write_text(name, "utf-8")
    found = usable_catalog(home)
    assert found.catalog is load_catalog()
    assert found.refused


def test_a_pointer_in_another_encoding_is_refused(home):
    (home / "catalog" / CURRENT).write_bytes(b"\xff\xfe")
    assert CURRENT in str(usable_catalog(home).refused)


def test_hashes_tell_a_changed_file_of_the_same_size(copy):
    manifest = read_manifest(copy)
    check_hashes(copy, manifest)
    content = bytearray((copy / "tasks.jsonl").read_bytes())
    content[-3] ^= 1
    (copy / "tasks.jsonl").write_bytes(content)
    assert read_manifest(copy) == manifest
    with pytest.raises(CatalogError, match=r"tasks\.jsonl is not the file"):
        check_hashes(copy, manifest)


# ---------------------------------------------------------------- what differs


def test_nothing_differs_from_itself():
    here = load_catalog(), load_scores()
    assert compare(here, here).empty


def test_what_is_new_changed_and_gone(copy):
    lines = (copy / "models.jsonl").read_text("utf-8").splitlines()
    lines[1] = lines[1].replace('"dimension":1024', '"dimension":512').replace('"max_tokens":512', '"max_tokens":77')
    gone = json.loads(lines.pop(2))["model"]
    lines.append('{"model":"new/model","sources":{"*":"mteb"}}')
    (copy / "models.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    tasks = (copy / "tasks.jsonl").read_text("utf-8").splitlines()
    (copy / "tasks.jsonl").write_text(
        "\n".join([tasks[0].replace("2011", "2012"), *tasks[1:], '{"task":"NewTask"}']), "utf-8"
    )
    here = load_catalog(), load_scores()
    found = compare(here, (load_catalog(copy), load_scores(copy / "scores.npz")))
    assert (found.models.new, found.models.gone) == (("new/model",), (gone,))
    changed = json.loads(lines[1])["model"]
    assert {(c.name, c.fact, c.old, c.new) for c in found.models.changed} == {
        (changed, "dimension", 1024, 512),
        (changed, "max_tokens", 512, 77),
    }
    assert (found.tasks.new, found.tasks.gone, found.tasks.changed) == (("NewTask",), (), ())
    assert found.scores == ()
    assert found.scores_old == found.scores_new > 200_000
    assert not found.empty


def test_age_is_a_time_not_a_day(home, copy):
    later = parse_manifest(shipped_folder()).built + dt.timedelta(seconds=1)
    describe(copy, built=later.isoformat())
    assert usable_catalog(home).folder == copy
