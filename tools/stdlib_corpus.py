"""A real corpus that every machine has: the documentation of the running Python's standard library.

Read statically: files are parsed with ``ast`` and never imported. A document is the body of a docstring under its
object's signature, the query is the docstring's summary, and the right answer is the document the summary was cut
from. The object's own name is masked in both, or the name alone would answer.
"""

from __future__ import annotations

import ast
import inspect
import json
import random
import re
import subprocess
import sys
import sysconfig
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from platform import python_version
from threading import Lock

from knowledge.dataset import Dataset, content_hash
from knowledge.errors import DatasetError
from knowledge.results import DatasetSummary
from knowledge.wording import say
from tools.workers import child_environment

MASK = "…"

# tests and demos are no documentation; idlelib, lib2to3 and ensurepip are programs; encodings are tables
_LEFT_OUT = frozenset(
    [
        "__pycache__",
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "idlelib",
        "lib2to3",
        "turtledemo",
        "ensurepip",
        "encodings",
        "pydoc_data",
        "lib-dynload",
    ]
)
# boilerplate at the start; grammar rules, code and lists of attributes anywhere
_NO_SENTENCE = re.compile(
    r"^(see\b|inherited|implements? |overrid|same as|like\b|alias\b|deprecated|internal|undocumented|not implemented"
    r"|helper|private|todo|xxx|return (repr|str|hash|self)\b|default implementation)|[=\[\]{}|<>]|\s:\s",
    re.IGNORECASE,
)
_SIGNATURE_LINE = re.compile(r"^[\w.]+ ?\(.*\)\s*(->.*)?\.?$|^\w[\w.]*\(.*\)\s*[-=]+>.*$")
# a sentence ends before a capital, but not after "e.g." or "i.e."
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)[.!?]\s+(?=[A-Z(\"'`*])")
_SUMMARY_WORDS = (4, 30)
_BODY_WORDS = 12


@dataclass(frozen=True)
class _Entry:
    """One documented object: its dotted name, summary and document, both masked."""

    name: str
    summary: str
    document: str


_PARSING = Lock()


def stdlib_corpus(*, documents: int | None = None, queries: int | None = None, seed: int = 0) -> Dataset:
    """Build the corpus, or a sample of it.

    Args:
        documents: how many documents: those of the queries, and others as distractors. None means all.
        queries: how many queries; at most one for each document. None means all there are.
        seed: of the sample; the same Python and seed give the same dataset.

    Returns:
        A dataset whose ids are dotted names such as ``textwrap.TextWrapper.fill``, with silver labels.

    Raises:
        DatasetError: this Python has no standard library on disk as source files.
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    with _PARSING:
        entries, askable = _documented(folder)
    if not entries:
        raise DatasetError(
            say("This Python has no source files of its standard library in {folder}.", folder=str(folder)),
            say("Give data of your own, or use a Python that was installed with its library."),
        )
    chosen = random.Random(seed)
    count = len(entries) if documents is None else min(documents, len(entries))
    asked = chosen.sample(askable, min(len(askable), count if queries is None else min(queries, count)))
    others = sorted(set(entries) - set(asked))
    kept = {*asked, *chosen.sample(others, count - len(asked))}
    texts = {name: entries[name].document for name in sorted(kept)}
    questions = {f"q:{name}": entries[name].summary for name in sorted(asked)}
    judgments = {f"q:{name}": {name: 1} for name in sorted(asked)}
    summary = DatasetSummary(
        name="python-stdlib",
        path=f"Python {python_version()}",
        hash=content_hash(texts, questions, judgments),
        format="docstrings",
        documents=len(texts),
        queries=len(questions),
        judgments=len(judgments),
        labels="silver",
        label_origin=say(
            "made by program, judged by no one: each query is the summary line of a docstring of Python {version}, its"
            " only right answer the rest of that docstring (the object's name is masked in both); other documents that"
            " would answer it too count as wrong",
            version=python_version(),
        ),
    )
    return Dataset(summary, texts, questions, judgments)


@cache
def _documented(folder: Path) -> tuple[dict[str, _Entry], tuple[str, ...]]:
    """All entries by name, and the names of those that can be asked for. Parsing takes seconds, so it is done once.

    And in a child process: Python before 3.11.8 loses count where two threads of a process parse at once
    ("AST constructor recursion depth mismatch", gh-106905), and ``inspect.signature``, which many libraries call,
    parses too.
    """
    command = [sys.executable, "-P", "-m", "tools.stdlib_corpus", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=child_environment(1), check=True)
    entries, askable = json.loads(done.stdout)
    return {name: _Entry(**entry) for name, entry in entries.items()}, tuple(askable)


def _parsed(folder: Path) -> tuple[dict[str, _Entry], tuple[str, ...]]:
    """The child's side of `_documented`."""
    entries = _unique(entry for path in _modules(folder) for entry in _entries(path, _dotted(path, folder)))
    return entries, tuple(sorted(_askable(entries)))


# ---------------------------------------------------------------- files


def _modules(folder: Path) -> Iterator[Path]:
    """Source files, in name order; private modules too, for they define what public ones only import again."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in _LEFT_OUT or path.name.startswith((".", "config-", "_sysconfigdata")):
            continue
        if path.is_dir():
            yield from _modules(path)
        elif path.suffix == ".py":
            yield path


def _dotted(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _entries(path: Path, module: str) -> Iterator[_Entry]:
    """The documented public classes, functions and methods of one file; none where Python cannot parse it."""
    try:
        source = path.read_bytes()
        # old code warns about its escapes while it is parsed
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    yield from _within(tree, module)


def _within(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[_Entry]:
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        name = f"{prefix}.{node.name}"
        entry = _entry(node, name)
        if entry:
            yield entry
        if isinstance(node, ast.ClassDef):
            yield from _within(node, name)


# ---------------------------------------------------------------- docstrings


def _entry(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str) -> _Entry | None:
    """The entry of one object, or None where its docstring is too short to ask for and to answer."""
    docstring = ast.get_docstring(node, clean=False)
    if not docstring:
        return None
    summary, body = _split(inspect.cleandoc(docstring))
    if not _is_prose(summary, body):
        return None
    mask = _Masker(node.name)
    # "PanedWindow - Multi-pane container ..." is about the thing, not part of its name
    summary, body = re.sub(rf"^{MASK}\s*[-:]+\s*", "", mask(summary)), mask(body)
    return _Entry(name, summary, f"{_signature(node, mask)}\n{body}") if _is_prose(summary, body) else None


def _is_prose(summary: str, body: str) -> bool:
    if not _SUMMARY_WORDS[0] <= len(_words(summary)) <= _SUMMARY_WORDS[1] or _NO_SENTENCE.search(summary):
        return False
    return len(_words(re.sub(r"^\s*>>>.*$", "", body, flags=re.MULTILINE))) >= _BODY_WORDS


def _split(docstring: str) -> tuple[str, str]:
    """Summary and body: the first sentence of the first paragraph that is no signature, and what follows it."""
    paragraphs = [p.strip("\n") for p in re.split(r"\n[ \t]*\n", docstring) if p.strip()]
    while paragraphs:
        lines = paragraphs[0].split("\n")
        while lines and _SIGNATURE_LINE.match(lines[0].strip()):
            lines = lines[1:]
        if lines:
            paragraphs[0] = "\n".join(lines)
            break
        paragraphs = paragraphs[1:]
    if not paragraphs:
        return "", ""
    first = " ".join(paragraphs[0].split())
    end = _SENTENCE_END.search(first)
    summary, rest = (first[: end.start() + 1], first[end.end() :]) if end else (first, "")
    # turtle ends its summaries with this
    summary = re.sub(r"\s*-+ *No arguments?[.:]?$", "", summary, flags=re.IGNORECASE)
    return summary, "\n\n".join(p for p in (rest, *paragraphs[1:]) if p)


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, mask: Callable[[str], str]) -> str:
    if isinstance(node, ast.ClassDef):
        bases = mask(", ".join(ast.unparse(base) for base in node.bases))
        return f"class {MASK}({bases})" if bases else f"class {MASK}"
    arguments = mask(re.sub(r"^(self|cls)(, (/, )?|$)", "", ast.unparse(node.args)))
    return f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}def {MASK}({arguments})"


class _Masker:
    """Replaces a name, alone, dotted, split into words or inflected, by the mask."""

    def __init__(self, name: str) -> None:
        self._name = name
        # the words of a name: run_until_complete has three, TextWrapper two
        self._words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name) or [name]

    def __call__(self, text: str) -> str:
        # most texts do not hold the name, and its pattern takes longer to compile than to find that out
        stem = self._words[0].lower()
        return self._pattern.sub(MASK, text) if (stem[:-1] or stem) in text.lower() else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        split = r"[\s_-]*".join(map(re.escape, self._words))
        # "fill", "textwrap.fill", "fills", "filled", "filling"; the "e" of "close" goes in "closing"
        last = rf"{split[:-1]}(?:e[sd]?|ing)" if split.endswith("e") else rf"{split}(?:s|d|es|ed|ing)?"
        return re.compile(rf"(?<!\w)(?:\w+\.)*(?:{re.escape(self._name)}|_?{last})(?!\w)", re.IGNORECASE)


# ---------------------------------------------------------------- near duplicates


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{2,}", text.lower())


def _unique(entries: Iterable[_Entry]) -> dict[str, _Entry]:
    """Entries by name, the first of each group whose bodies use the same words."""
    seen: set[frozenset[str]] = set()
    kept: dict[str, _Entry] = {}
    for entry in entries:
        words = frozenset(_words(entry.document.split("\n", 1)[1]))
        if words not in seen and entry.name not in kept:
            seen.add(words)
            kept[entry.name] = entry
    return kept


def _askable(entries: dict[str, _Entry]) -> list[str]:
    """Names of entries whose summary and body no other entry (nearly) shares: their queries have one right answer."""
    doubtful = _alike({name: _words(entry.summary) for name, entry in entries.items()}, 0.7)
    doubtful |= _alike({name: _words(entry.document) for name, entry in entries.items()}, 0.8)
    return [name for name in entries if name not in doubtful]


def _alike(texts: dict[str, list[str]], threshold: float) -> set[str]:
    """Names of texts whose set of words has a Jaccard similarity of `threshold` or more with another's."""
    words = {name: frozenset(text) for name, text in texts.items()}
    frequency = Counter(word for each in words.values() for word in each)
    by_word: dict[str, list[str]] = defaultdict(list)
    found: set[str] = set()
    for name, each in words.items():
        # two sets this alike share a word among the rarest of each, so only those need comparing (prefix filter)
        rarest = sorted(each, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(each) - int(threshold * len(each)) + 1]
        for other in {other for word in prefix for other in by_word[word]}:
            if len(each & words[other]) >= threshold * len(each | words[other]):
                found |= {name, other}
        for word in prefix:
            by_word[word].append(name)
    return found


if __name__ == "__main__":
    found, can_be_asked = _parsed(Path(sys.argv[1]))
    sys.stdout.write(json.dumps([{name: asdict(entry) for name, entry in found.items()}, can_be_asked]))
