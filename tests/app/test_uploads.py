"""Uploads: what is let in and under which name, the sample, and the way into a conversation."""

import csv
import gzip
import os
from pathlib import Path
from threading import Thread

import pytest

from agent import events
from agent.advisor import Advisor
from agent.settings import Settings
from app.uploads import KINDS, LONGEST_STEM, Uploads, safe_name, sample_file
from app.wording import escape
from knowledge.errors import DatasetError, ResourceError
from knowledge.wording import say
from tools import workers
from tools.data_source import DataSource
from tools.datasets import read_dataset

LANGUAGES = ("en", "zh")


def upload(folder: Path, **files: str) -> list[Path]:
    """Files as they arrive; an underscore in a name stands for the dot."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, "utf-8")
    return sorted(folder.iterdir())


def arrived(folder: Path, name: str, content: bytes = b"id,text\n1,one text\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


@pytest.fixture
def uploads(tmp_path) -> Uploads:
    return Uploads(tmp_path / "kept")


# ---------------------------------------------------------------- the door


def test_an_upload_is_kept_by_its_content(tmp_path, uploads):
    files = {"corpus_jsonl": "{}", "qrels_tsv": "x"}
    first = uploads.keep(upload(tmp_path / "a", **files))
    second = uploads.keep(upload(tmp_path / "b", **files))
    assert first == second
    assert first.untrusted
    assert Path(first.path).name == "corpus+qrels"
    assert sorted(p.name for p in Path(first.path).iterdir()) == ["corpus.jsonl", "qrels.tsv"]
    other = uploads.keep(upload(tmp_path / "c", corpus_jsonl="{}"))
    assert Path(other.path).name == "corpus.jsonl"
    assert Path(other.path).is_file()
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert not [p for name in "abc" for p in (tmp_path / name).iterdir()], "nothing stays where it arrived"


def test_several_files_are_called_by_their_tables(tmp_path, uploads):
    files = {"corpus_jsonl": "{}", "LICENSE_txt": "free", "README_md": "read"}
    first = Path(uploads.keep(upload(tmp_path / "a", **files)).path)
    assert first.name == "corpus"
    first.rename(first.with_name("LICENSE+README+corpus"))  # as an older version named it
    again = Path(uploads.keep(upload(tmp_path / "b", **files)).path)
    assert (again.name, (again / "corpus.jsonl").exists()) == ("LICENSE+README+corpus", True)
    texts = {"one_txt": "1", "two_md": "2"}
    assert Path(uploads.keep(upload(tmp_path / "c", **texts)).path).name == "one+two"


def test_the_same_upload_by_many_at_once(tmp_path, uploads):
    files = [arrived(tmp_path / str(n), "x.csv", b"id,text\n" + b"1,one\n" * 50_000) for n in range(8)]
    found: list[DataSource] = []
    threads = [Thread(target=lambda file=file: found.append(uploads.keep([file]))) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({source.path for source in found}) == 1
    (kept,) = (tmp_path / "kept").iterdir()
    assert [p.name for p in kept.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(
    "name", ["model.pkl", "page.html", "archive.zip", "x.tar.gz", "x.gz", "x.txt.gz", "csv", ".csv"]
)
def test_other_kinds_are_refused(tmp_path, uploads, name):
    with pytest.raises(DatasetError, match="kind"):
        uploads.keep([arrived(tmp_path / "a", name)])
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("name", ["x.jsonl", "x.JSONL.GZ", "x.ndjson", "x.json", "x.CSV", "x.tsv", "x.parquet", "x.md"])
def test_what_is_read_is_let_in(tmp_path, uploads, name):
    assert Path(name).suffix.lower() in KINDS
    assert Path(uploads.keep([arrived(tmp_path / "a", name)]).path).name == name


def test_too_much_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="more than"):
        Uploads(tmp_path / "kept", most_bytes=3).keep(upload(tmp_path / "a", a_txt="xx", b_txt="xx"))
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as file:
        file.truncate(10 * 10**9)  # sparse
    with pytest.raises(DatasetError, match="more than 512 MB"):
        Uploads(tmp_path / "kept").keep([huge])
    with pytest.raises(DatasetError, match="1000 files"):
        Uploads(tmp_path / "kept").keep([huge] * 1001)
    assert not (tmp_path / "kept").exists()


def test_links_pipes_devices_and_folders_are_refused(tmp_path, uploads):
    secret = arrived(tmp_path / "b", "secret.csv")
    incoming = tmp_path / "a"
    incoming.mkdir()
    (incoming / "link.csv").symlink_to(secret)
    (incoming / "folder.csv").mkdir()
    (incoming / "device.csv").symlink_to("/dev/zero")
    os.mkfifo(incoming / "pipe.csv")
    for path in incoming.iterdir():
        with pytest.raises(DatasetError, match="not a regular file"):
            uploads.keep([path])
    for files in ([], [incoming / "gone.csv"]):
        with pytest.raises(DatasetError, match="No file has arrived"):
            uploads.keep(files)
    assert secret.exists()
    assert not (tmp_path / "kept").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(ResourceError, match="kept cannot be written"):
        Uploads(tmp_path / "kept").keep([arrived(tmp_path / "a", "x.csv")])


# ---------------------------------------------------------------- names

NAMES = {
    "a.csv": "a.csv",
    "Über uns 文件.csv": "Über uns 文件.csv",
    "../../etc/passwd.csv": "_.._etc_passwd.csv",
    "..\\..\\boot.csv": "_.._boot.csv",
    "-rf.csv": "rf.csv",
    "--data.csv": "data.csv",
    ".hidden.csv": "hidden.csv",
    "\u202evsc.exe.jsonl": "_vsc.exe.jsonl",
    "a\x00b\n\r\x1b[31m.csv": "a_b___[31m.csv",
    "a\u200bb\u2028c.csv": "a_b_c.csv",
    "CON.csv": "_CON.csv",
    "com1.x.csv": "_com1.x.csv",
    "nul": "_nul",
    "a.csv. ": "a.csv",
    "x\ud800.csv": "x_.csv",
    "c:d|e?.csv": "c_d_e_.csv",
    "e\u0301.csv": "é.csv",
    "..": "data",
    "": "data",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_made_safe(name):
    assert safe_name(name) == NAMES[name]
    assert safe_name(safe_name(name)) == safe_name(name)


@pytest.mark.parametrize("stem", ["a", "文", "\U0001f600"])
def test_long_names_are_cut_before_their_suffixes(stem):
    cut = safe_name(stem * 300 + ".jsonl.gz")
    assert cut.endswith(".jsonl.gz")
    assert len(cut.encode()) <= LONGEST_STEM + len(".jsonl.gz")


def test_hostile_names_are_kept_safe_and_read(tmp_path, uploads):
    names = ["-x.csv", "\u202ecod\n.csv", "*.csv", "<img src=x onerror=alert(1)>.csv", "a" * 240 + ".csv", "$(id).csv"]
    for number, name in enumerate(names):
        content = f"id,text\n1,one text of {number}\n".encode()
        source = uploads.keep([arrived(tmp_path / str(number), name, content)])
        path = Path(source.path)
        assert path.parent.parent == tmp_path / "kept"
        assert path.name.isprintable()
        assert path.name[0] not in "-."
        assert "<" not in escape(path.name)
        assert source.read().documents == {"1": f"one text of {number}"}
        assert source.read().summary.name == path.name
        assert source.preview().name == path.name


def test_names_that_become_the_same_are_two_of_one_name(tmp_path, uploads):
    for one, other in (("a.csv", "A.csv"), ("-a.csv", "a.csv")):
        files = [arrived(tmp_path / "x", one), arrived(tmp_path / "y", other)]
        with pytest.raises(DatasetError, match="Two files are called"):
            uploads.keep(files)


def test_an_error_shows_no_control_characters(tmp_path, uploads):
    with pytest.raises(DatasetError) as error:
        uploads.keep([arrived(tmp_path / "a", "\u202e\x1b[31mx.exe")])
    assert error.value.render("en").isprintable()


# ---------------------------------------------------------------- the sample


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_needs_no_mapping_and_has_judgments(tmp_path, uploads, language):
    sample = sample_file(language)
    content = sample.read_bytes()
    source = uploads.keep([arrived(tmp_path / "a", sample.name, content)])
    seen = source.preview()
    assert seen.problem is None
    assert set(seen.files[0].guessed) == {"id", "text", "query"}
    data = source.read()
    assert data.summary == seen.summary
    assert (data.summary.documents, data.summary.queries, data.summary.judgments) == (50, 60, 60)
    assert data.summary.labels == "gold"
    assert all(sum(grades.values()) == 1 for grades in data.judgments.values())
    assert sample.read_bytes() == content


def test_the_samples_are_of_their_language():
    for language, other in (("en", "zh"), ("zh", "en")):
        with sample_file(language).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) == 61
        assert len({len(row) for row in rows}) == 1
        chinese = sum("\u4e00" <= c <= "\u9fff" for row in rows for cell in row for c in cell)
        assert (chinese > 2000) == (language == "zh"), other


# ---------------------------------------------------------------- into a conversation


@pytest.fixture
def advisor(tmp_path):
    with Advisor(Settings(home=tmp_path / "home", offline=True)) as found:
        yield found


def test_an_upload_is_read_by_a_child_in_a_conversation(tmp_path, uploads, advisor, monkeypatch):
    """From the file that arrives to the profile of what is in it."""
    jobs = []
    real = workers.run
    monkeypatch.setattr(workers, "run", lambda job, *a, **k: (jobs.append(job), real(job, *a, **k))[1])
    source = uploads.keep([arrived(tmp_path / "a", "faq.csv", sample_file("en").read_bytes())])
    told = list(
        advisor.reply("t", "Semantic search over an English FAQ, no GPU, just decide", data=source, specs=["bm25"])
    )
    (profiled,) = [event for event in told if isinstance(event, events.Profiled)]
    assert jobs == ["tools.untrusted.child"]
    assert profiled.profile.dataset == read_dataset(Path(source.path)).summary
    assert advisor.state("t")["data"] == source
    told = list(advisor.reply("t", "yes"))
    (recommended,) = [event for event in told if isinstance(event, events.Recommended)]
    assert recommended.recommendation.measured
    assert jobs.count("tools.untrusted.child") == 1, "it is read once"


def test_a_stored_conversation_keeps_its_source_untrusted(tmp_path, uploads):
    source = uploads.keep([arrived(tmp_path / "a", "faq.csv", sample_file("zh").read_bytes())])
    settings = Settings(home=tmp_path / "home", offline=True)
    with Advisor(settings) as first:
        list(first.reply("t", "", data=source))
    with Advisor(settings) as second:
        assert second.state("t")["data"] == source
        assert second.turns("t")[0].data == source
        assert second.state("t")["profile"].dataset.queries == 60


@pytest.mark.parametrize("skip", [False, True])
def test_what_is_wrong_with_an_upload_is_said_in_the_conversation(tmp_path, uploads, advisor, skip):
    content = b"id,text\n1,one text here\n1,another text\n"
    source = uploads.keep([arrived(tmp_path / "a", "faq.csv", content)]).model_copy(update={"skip_bad": skip})
    told = list(advisor.reply("t", "", data=source))
    failed = [event for event in told if isinstance(event, events.Failed)]
    if skip:
        assert not failed
        assert next(e for e in told if isinstance(e, events.Profiled)).profile.dataset.problems == {"duplicate_id": 1}
    else:
        assert failed[0].error == "DatasetError"
        expected = say(
            "{file}, line {line}: {why}.", file="faq.csv", line=3, why=say("the id “{id}” occurred before", id="1")
        )
        assert failed[0].cause == expected


def test_a_bomb_in_a_conversation_is_an_answer_and_not_an_accident(tmp_path, uploads, advisor):
    bomb = gzip.compress(b'{"text": "%s"}\n' % (b"0" * 1000) * 40_000, 6)
    source = uploads.keep([arrived(tmp_path / "a", "x.jsonl.gz", bomb)])
    (failed,) = [e for e in advisor.reply("t", "", data=source) if isinstance(e, events.Failed)]
    assert "decompression bomb" in str(failed.cause)
