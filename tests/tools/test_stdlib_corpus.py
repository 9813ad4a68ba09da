import ast
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from knowledge.dataset import content_hash
from knowledge.errors import DatasetError
from tools.stdlib_corpus import _entries, _Masker, _parsed, _split, stdlib_corpus


@pytest.fixture(scope="module")
def corpus():
    return stdlib_corpus()


def test_there_is_enough_to_measure_on(corpus):
    # 1,781 documents and 1,414 queries on Python 3.11.7; other versions and builds differ a little
    assert corpus.summary.documents > 1000
    assert corpus.summary.queries > 800
    assert "textwrap.TextWrapper.fill" in corpus.documents or "json.dump" in corpus.documents


def test_every_query_has_one_right_answer_which_is_its_own_document(corpus):
    assert set(corpus.judgments) == set(corpus.queries)
    for query_id, grades in corpus.judgments.items():
        assert grades == {query_id.removeprefix("q:"): 1}
        assert set(grades) <= set(corpus.documents)
    summaries = [re.sub(r"\W+", " ", text.lower()) for text in corpus.queries.values()]
    assert len(set(summaries)) == len(summaries)


def test_no_name_is_left_in_query_or_document(corpus):
    for document_id, text in corpus.documents.items():
        name = re.escape(document_id.rsplit(".", 1)[1])
        for masked in (text, corpus.queries.get(f"q:{document_id}", "")):
            assert not re.search(rf"(?<!\w){name}(?!\w)", masked, re.IGNORECASE), document_id


def test_the_summary_says_that_the_labels_are_silver(corpus):
    summary = corpus.summary
    assert summary.labels == "silver"
    assert "judged by no one" in str(summary.label_origin)
    assert "未经人工标注" in summary.label_origin.render("zh")
    assert summary.hash == content_hash(corpus.documents, corpus.queries, corpus.judgments)


def test_a_sample_holds_all_judged_documents_and_distractors():
    sample = stdlib_corpus(documents=120, queries=40, seed=3)
    assert (sample.summary.documents, sample.summary.queries, sample.summary.judgments) == (120, 40, 40)
    assert {next(iter(grades)) for grades in sample.judgments.values()} < set(sample.documents)


def test_the_same_seed_gives_the_same_sample(corpus):
    first, again, other = (stdlib_corpus(documents=50, queries=20, seed=seed) for seed in (1, 1, 2))
    assert first.summary.hash == again.summary.hash != other.summary.hash
    assert stdlib_corpus(documents=10, queries=50).summary.queries == 10
    assert stdlib_corpus(documents=10**6, queries=10**6).summary.documents == corpus.summary.documents


def test_nothing_is_imported():
    for name in ("antigravity", "this", "turtle"):
        sys.modules.pop(name, None)
    _parsed(Path(sysconfig.get_paths()["stdlib"]))
    assert not {"antigravity", "this", "turtle"} & set(sys.modules)


@pytest.mark.parametrize(
    ("name", "text", "masked"),
    [
        ("fill", "Fill a paragraph, as textwrap.fill() does.", "… a paragraph, as …() does."),
        ("TextWrapper", "A TextWrapper, a text wrapper and text_wrapper.", "A …, a … and …."),
        ("run_until_complete", "run until complete; loop.run_until_complete(x)", "…; …(x)"),
        ("close", "Closing closed files closes them; closet, enclose", "… … files … them; closet, enclose"),
        ("append", "typ = <instance>.append(x)", "typ = <instance>.…(x)"),
        ("get", "getter and target", "getter and target"),
        ("URLError", "A URLError or URL error", "A … or …"),
        ("x", "x", "…"),
    ],
)
def test_names_are_masked_in_every_form(name, text, masked):
    assert _Masker(name)(text).replace(".…", "…" if name != "append" else ".…") == masked


@pytest.mark.parametrize(
    ("docstring", "summary", "body"),
    [
        ("Do it.\n\nLike this.", "Do it.", "Like this."),
        ("f(x, y) -> int\n\nAdd two numbers.\n\nMore.", "Add two numbers.", "More."),
        ("First sentence. Second\nsentence.\n\nMore.", "First sentence.", "Second sentence.\n\nMore."),
        ("Use it, e.g. Monday or i.e. This. Then stop.", "Use it, e.g. Monday or i.e. This.", "Then stop."),
        ("Return the heading --- No arguments.\n\nMore.", "Return the heading", "More."),
        ("f(x)", "", ""),
        ("", "", ""),
    ],
)
def test_docstrings_are_split_into_summary_and_body(docstring, summary, body):
    assert _split(docstring) == (summary, body)


def test_files_that_cannot_be_parsed_are_passed_over(tmp_path):
    for name, raw in {"a": b"def (:", "b": b"x = '\xff'", "c": b"\0", "d": b"# coding: nonsense\n"}.items():
        (tmp_path / f"{name}.py").write_bytes(raw)
        assert list(_entries(tmp_path / f"{name}.py", name)) == []
    assert list(_entries(tmp_path / "missing.py", "missing")) == []


def test_private_and_boilerplate_objects_are_left_out(tmp_path):
    body = "It has a body that is certainly long enough to be a document of its own here."
    source = "\n".join(
        f'def {name}(a, b=1):\n    """{summary}\n\n    {body}\n    """\n'
        for name, summary in [
            ("good", "Compute something useful from two numbers."),
            ("_private", "Compute something else from two numbers."),
            ("boiler", "See the documentation of the base class."),
            ("grammar", "atom = [CFWS] dot-atom-text [CFWS] and more"),
            ("short", "Do it."),
        ]
    )
    ast.parse(source)
    (tmp_path / "m.py").write_text(source)
    (entry,) = _entries(tmp_path / "m.py", "m")
    assert (entry.name, entry.summary) == ("m.good", "Compute something useful from two numbers.")
    assert entry.document == f"def …(a, b=1)\n{body}"


def test_a_python_without_sources_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path / "none")})
    with pytest.raises(DatasetError, match="no source files of its standard library"):
        stdlib_corpus()
