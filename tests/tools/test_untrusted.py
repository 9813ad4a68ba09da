"""Files of strangers: a child with limits reads them, and whatever is in them, this process is none the worse."""

import contextlib
import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledge.errors import DatasetError, ResourceError
from tools import workers
from tools.data_source import DataSource
from tools.datasets import read_dataset
from tools.stopping import Stopped, stoppable
from tools.untrusted import child, copies
from tools.untrusted.task import MEMORY_MB

ROOT = Path(__file__).parents[2]
#: of this process, whatever is uploaded
MOST_RESIDENT = 2**30


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder as uploads are kept in."""
    folder = tmp_path / "upload"
    folder.mkdir()
    return folder


@pytest.fixture
def children(monkeypatch):
    """The children that were started, as what they were to do."""
    started = []
    real = workers.run

    def run(job, payload, **options):
        started.append(payload)
        return real(job, payload, **options)

    monkeypatch.setattr(workers, "run", run)
    return started


def untrusted(path: Path, **more) -> DataSource:
    return DataSource(path=str(path), untrusted=True, **more)


# ---------------------------------------------------------------- the same data


def rows(count: int) -> str:
    return "".join(
        json.dumps({"id": i, "title": "T", "text": f"text {i}", "query": f"q{i}"}) + "\n" for i in range(count)
    )


def much() -> str:
    """Long texts: quick to read, and some time to write."""
    return "".join(json.dumps({"id": i, "text": f"text {i} " * 1500}) + "\n" for i in range(4000))


def test_the_same_data_and_summary_come_out_as_without_a_child(place):
    (place / "x.jsonl").write_text(rows(20))
    (place / "folder").mkdir()
    (place / "folder" / "documents.csv").write_text("编号,内容\n1,苹果\n2,香蕉\n")
    (place / "folder" / "queries.jsonl").write_text('{"qid": 7, "query": "水果", "relevant": [1, 2]}\n')
    (place / "texts").mkdir()
    (place / "texts" / "a.txt").write_text("one")
    (place / "texts" / "-rf.md").write_text("two")
    for name in ("x.jsonl", "folder", "texts"):
        path = place / name
        assert untrusted(path).read() == read_dataset(path)
        assert untrusted(path).preview().summary == read_dataset(path).summary


def test_texts_and_ids_that_are_hard_to_write_come_back(place):
    """Control characters take six times their place in JSON: our own lines may be longer than those of strangers."""
    texts = {
        "a": "\x01" * 3_000_000,
        '"quoted"': "\U0001f600 {x}\u2028\r\n\t\ufeff",
        " b ": '{"a": "',
        "c'": "=cmd|' /C'!A0",
    }
    folder = place / "folder"
    folder.mkdir()
    with (folder / "documents.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerows([["id", "text"], *texts.items()])
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q 1", "text": "?", "relevant": ["c'", '"quoted"']}))
    found = untrusted(folder).read()
    assert found == read_dataset(folder)
    assert found.documents["a"] == texts["a"]


def test_columns_and_leaving_out_reach_the_child(place):
    (place / "x.csv").write_text("id,text,body\n1,a,the body\n1,b,again\n")
    plain, mapped = untrusted(place / "x.csv"), untrusted(place / "x.csv", columns={"text": "body"}, skip_bad=True)
    with pytest.raises(DatasetError, match=r"x\.csv, line 3: the id “1” occurred before"):
        plain.read()
    assert mapped.read().documents == {"1": "the body"}
    assert mapped.read().summary.problems == {"duplicate_id": 1}
    assert mapped.preview().files[0].guessed == {"id": "id", "text": "body"}
    assert "line 3" in str(plain.preview().problem.cause)


def test_errors_name_the_file_without_the_servers_folders(place):
    (place / "x.csv").write_text("id,text\n1,a\n1,b\n")
    with pytest.raises(DatasetError) as error:
        untrusted(place / "x.csv").read()
    assert str(place) not in error.value.render("en") + error.value.render("zh")
    assert "第 3 行" in error.value.render("zh")


def test_a_source_stored_before_there_were_untrusted_ones_loads():
    old = '{"path": "x", "columns": {"text": "body"}, "skip_bad": true, "documents": null, "queries": null}'
    assert DataSource.model_validate_json(old) == DataSource(path="x", columns={"text": "body"}, skip_bad=True)


# ---------------------------------------------------------------- read once


def test_it_is_read_once_for_each_choice_of_columns(place, children):
    path = place / "x.jsonl"
    path.write_text(rows(5))
    source = untrusted(path)
    source.preview()
    assert source.read() == source.read()
    assert len(children) == 1, "the preview's child read it all"
    untrusted(path, columns={"text": "title"}).read()
    untrusted(path, skip_bad=True).read()
    assert len(children) == 3
    path.write_text(rows(6))
    assert source.read().summary.documents == 6
    assert len(children) == 4, "other files under the same name are other data"


def test_only_a_few_copies_are_kept(place):
    (place / "x.jsonl").write_text(rows(5))
    for role in ("title", "grade", "query_id", "query"):
        untrusted(place / "x.jsonl", columns={role: ""}).read()
    assert len(list(place.glob(".read-*"))) == copies.KEPT


def test_two_at_once_read_it_once(place, children):
    path = place / "x.jsonl"
    path.write_text(rows(3000))
    found = []
    threads = [Thread(target=lambda: found.append(untrusted(path).read())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [read_dataset(path)] * 3
    assert len(children) == 1


@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_copy_is_made_again(place, damage):
    path = place / "x.jsonl"
    path.write_text(rows(50))
    source = untrusted(path)
    right = source.read()
    (copy,) = place.glob(".read-*")
    corpus = copy / "data" / "corpus.jsonl"
    if damage == "gone":
        (copy / "summary.json").unlink()
    else:
        whole = corpus.read_text()
        corpus.write_text(whole[: len(whole) // 2] if damage == "cut" else whole.replace("text 7", "text 8"))
    assert source.read() == right


READER = """
import sys
from tools.data_source import DataSource
DataSource(path=sys.argv[1], untrusted=True).read()
"""


def test_a_kill_in_the_middle_leaves_nothing_that_is_taken_for_whole(place):
    path = place / "x.jsonl"
    path.write_text(much())
    reader = subprocess.Popen([sys.executable, "-c", READER, str(path)], cwd=ROOT)
    until = time.monotonic() + 60
    while not list(place.glob(".writing-*")):
        assert time.monotonic() < until
        assert reader.poll() is None
        time.sleep(0.002)
    (grandchild,) = psutil.Process(reader.pid).children()
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    while grandchild.is_running() and grandchild.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the child goes with its parent"
        time.sleep(0.01)
    left = [p.name for p in place.iterdir() if p.name.startswith((".read-", ".writing-"))]
    assert [name for name in left if name.startswith(".read-")] == []
    assert left, "it was in the middle"
    assert untrusted(path).read() == read_dataset(path)
    assert not list(place.glob(".writing-*")), "what was left is removed"


def test_a_child_that_is_killed_is_told_of_and_its_work_is_not_used(place):
    path = place / "x.jsonl"
    path.write_text(much())

    def kill() -> None:
        while not list(place.glob(".writing-*")):
            time.sleep(0.002)
        for process in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if "tools.untrusted.child" in process.cmdline():
                    process.kill()

    killer = Thread(target=kill)
    killer.start()
    with pytest.raises(DatasetError, match=r"x\.jsonl does not fit here: its process was killed.*smaller sample"):
        untrusted(path).read()
    killer.join()
    assert not list(place.glob(".read-*"))


def test_reading_ends_when_the_user_says_so(place):
    (place / "x.jsonl").write_text(much())
    with pytest.raises(Stopped), stoppable(lambda: bool(list(place.glob(".logs/*")))):
        untrusted(place / "x.jsonl").read()
    assert not list(place.glob(".read-*"))


def test_a_folder_that_is_not_writable_is_no_fault_of_the_data(place, monkeypatch):
    (place / "x.jsonl").write_text(rows(5))
    (place / ".logs").write_text("in the way")
    with pytest.raises(ResourceError, match="cannot be written"):
        untrusted(place / "x.jsonl").read()


# ---------------------------------------------------------------- hostile files


def packed(table: pa.Table, **options) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **options)
    return sink.getvalue().to_pybytes()


PARQUET = packed(pa.table({"id": ["a", "b"], "text": ["one text", "another text"]}))
NESTED = pa.table({"s": [{"a": [1]}], "l": [[["x"]]], "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32()))})


def huge_dictionary() -> bytes:
    """A page that holds one text of 300 MB, which two thousand rows refer to."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array(["x" * 300_000_000]))
    return packed(pa.table({"text": text}), compression="zstd", dictionary_pagesize_limit=2**30)


def wrong_footer() -> bytes:
    """Its metadata say that pages lie where there are none."""
    raw = bytearray(PARQUET)
    length = int.from_bytes(raw[-8:-4], "little")
    for place in range(len(raw) - 8 - length, len(raw) - 8, 7):
        raw[place] ^= 0x55
    return bytes(raw)


HOSTILE = {
    "a bomb": (
        "x.jsonl.gz",
        lambda: gzip.compress(b'{"text": "%s"}\n' % (b"0" * 1000) * 64_000, 6),
        "decompression bomb",
    ),
    "a bomb in one line": (
        "x.jsonl.gz",
        lambda: gzip.compress(b"0" * 100_000_000, 1),
        "decompression bomb|longer than 8 MB",
    ),
    "a line of ten million": (
        "x.jsonl",
        lambda: b'{"text": "' + b"x" * 10**7 + b'"}',
        "line 1: the line is longer than 8 MB",
    ),
    "the same character": ("x.csv", lambda: b"x" * 10**7, "line 1: the line is longer than 8 MB"),
    "deep JSON": ("x.json", lambda: b"[" * 10**6, "nested deeper than 32 levels"),
    "deep JSON lines": ("x.jsonl", lambda: b'{"a":' * 10**6, "nested deeper than 32 levels"),
    "ten million lists": ("x.json", lambda: b"[" + b"[]," * 10**7 + b"[]]", "it is not a JSON object|memory"),
    "a million objects": ("x.json", lambda: b"[" + b'{"a":{}},' * 3_000_000 + b"{}]", "no column|memory"),
    "not UTF-8": ("x.csv", lambda: b"id,text\n1,caf\xe9\n", "line 2: it is not UTF-8"),
    "UTF-16": ("x.csv", lambda: "id,text\n1,hello\n".encode("utf-16-le"), "is UTF-16"),
    "zeros": ("x.jsonl", lambda: bytes(10**7), "binary file"),
    "many columns": (
        "x.csv",
        lambda: ",".join(f"c{i}" for i in range(10**5)).encode() + b"\n1\n",
        "more than 2000 columns",
    ),
    "the same column": ("x.csv", lambda: b"a," * 10**5 + b"a\n1\n", "more than 2000 columns"),
    "many keys": (
        "x.jsonl",
        lambda: json.dumps(dict.fromkeys(map(str, range(10**5)), "")).encode(),
        "more than 2000 fields",
    ),
    "a quote never closed": (
        "x.csv",
        lambda: b'id,text\n1,"' + b"word and\n" * 10**6,
        "line 2: the row that starts here is not CSV",
    ),
    "quotes everywhere": ("x.csv", lambda: b"id,text\n" + b'"' * 10**6, "x.csv, line 2"),
    "long numbers": ("x.jsonl", lambda: b'{"id": 1, "text": ' + b"9" * 10**6 + b"}", "is not JSON"),
    "a footer that lies": (
        "x.parquet",
        wrong_footer,
        "not a readable Parquet file|no column|memory|holds no documents",
    ),
    "half a Parquet file": ("x.parquet", lambda: PARQUET[: len(PARQUET) // 2], "not a readable Parquet file"),
    "Parquet without its end": ("x.parquet", lambda: PARQUET[:-4], "not a readable Parquet file"),
    "nested Parquet": ("x.parquet", lambda: packed(NESTED), "no column that looks like texts|holds no documents"),
    "a huge page": ("x.parquet", huge_dictionary, "longer than 8 MB|memory"),
    "the same id": ("x.csv", lambda: b"id,text\n1,one\n1,two\n", "line 3: the id “1” occurred before"),
    "nothing": ("x.csv", lambda: b"", "holds no documents"),
    "only a header": ("x.csv", lambda: b"id,text\n", "holds no documents"),
    "only a header of JSON": ("x.json", lambda: b"[]", "holds no documents"),
    "line ends of a typewriter": ("x.csv", lambda: b"id,text\n1,one\rtwo\n", "is not CSV"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_turned_down_with_a_reason(place, case):
    name, make, message = HOSTILE[case]
    (place / name).write_bytes(make())
    begun = psutil.Process().memory_info().rss
    seen = untrusted(place / name).preview()
    assert seen.problem is not None
    with pytest.raises(DatasetError, match=message) as error:
        untrusted(place / name).read()
    assert "(exit" not in str(error.value), "the child did not die of it"
    (error.value.render("en") + error.value.render("zh")).encode()
    grown = psutil.Process().memory_info().rss - begun
    assert grown < 2**28
    assert psutil.Process().memory_info().rss < MOST_RESIDENT + begun


ODD = {
    "formulas": ("x.csv", b"id,text\n1,=cmd|' /C calc'!A0\n@SUM,+1+1\n", {"1": "=cmd|' /C calc'!A0", "@SUM": "+1+1"}),
    "mixed line ends": ("x.csv", b"id,text\r\n1,one\n2,two\r\n", {"1": "one", "2": "two"}),
    "a mark at the start": ("x.jsonl", b'\xef\xbb\xbf{"id": 1, "text": "one"}\r\n', {"1": "one"}),
    "markup and templates": (
        "x.jsonl",
        b'{"id": "<b>", "text": "{0.__class__} %s ${x}"}',
        {"<b>": "{0.__class__} %s ${x}"},
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_are_data(place, case):
    name, content, documents = ODD[case]
    (place / name).write_bytes(content)
    seen = untrusted(place / name).preview()
    assert seen.problem is None
    assert untrusted(place / name).read().documents == documents


def test_huge_files_are_turned_down_by_their_size(place):
    for name in ("x.jsonl", "x.csv", "x.json", "x.parquet"):
        with (place / name).open("wb") as file:
            file.truncate(10 * 10**9)  # sparse: ten gigabytes that nobody has to write
        assert untrusted(place / name).preview().problem is not None
        with pytest.raises(DatasetError, match="more than 512 MB"):
            untrusted(place / name).read()


def test_more_memory_than_is_allowed_ends_the_child(place, monkeypatch):
    """Half a million texts with one wide character each: small as a file, four bytes a character in memory."""
    line = json.dumps({"text": "\U0001f600" + "x" * 4000}, ensure_ascii=False) + "\n"
    (place / "x.jsonl").write_text(line * 60_000, "utf-8")
    assert 4 * (place / "x.jsonl").stat().st_size > MEMORY_MB * 2**20
    begun = psutil.Process().memory_info().rss
    with pytest.raises(DatasetError, match=r"does not fit here.*Upload a smaller sample"):
        untrusted(place / "x.jsonl").read()
    assert psutil.Process().memory_info().rss < begun + 2**26


def test_the_child_limits_itself():
    code = "from tools.untrusted.child import limit_process as f; f(); import resource as r; print(*[r.getrlimit(k)[1] \
for k in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    limits = [int(number) for number in done.stdout.split()]
    assert limits[0] == child.ADDRESS_MB * 2**20
    assert 0 < limits[1] <= child.PROCESSOR_SECONDS
    assert 0 < limits[2] <= child.FILE_BYTES
    assert limits[3] == 0


# ---------------------------------------------------------------- what is no file


def test_links_pipes_and_devices_are_turned_down(place, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text(rows(3))
    (place / "x.jsonl").symlink_to(secret)
    (place / "folder").symlink_to(tmp_path)
    os.mkfifo(place / "pipe.jsonl")
    for path in (place / "x.jsonl", place / "folder", place / "pipe.jsonl", Path("/dev/zero"), Path("/dev/stdin")):
        with pytest.raises(DatasetError, match="not a regular file"):
            untrusted(path).read()
        assert "not a regular file" in str(untrusted(path).preview().problem.cause)
    for path in (place / "none.jsonl", place / "nul\0"):
        with pytest.raises(DatasetError, match="does not exist"):
            untrusted(path).read()


def test_links_in_a_folder_may_not_leave_it(place, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    folder = place / "folder"
    folder.mkdir()
    (folder / "documents.csv").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DatasetError, match="link that leads out of the folder"):
        untrusted(folder).read()
    assert "link that leads out" in str(untrusted(folder).preview().problem.cause)
