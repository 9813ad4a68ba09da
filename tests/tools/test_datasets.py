import csv
import gzip
import io
import json
import os
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.dataset import Dataset, content_hash
from knowledge.errors import DatasetError, ResourceError
from tools.datasets import Limits, preview_dataset, problem_text, read_dataset, save_dataset
from tools.datasets.encodings import AsUtf8, encoding_at, told_of
from tools.datasets.problems import Kind, shown
from tools.profile import profile

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by name, with a double underscore for the dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(raw)
    return folder


def jsonl(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


CORPUS = jsonl({"_id": "d1", "title": "Apples", "text": "grow on trees"}, {"_id": "d2", "text": "Fish swim"})
QUERIES = jsonl({"_id": "q1", "text": "fruit"}, {"_id": "q2", "text": "sea animals"})
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\nq2\td1\t0\n"


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    return write(tmp_path / "beir", corpus__jsonl=CORPUS, queries__jsonl=QUERIES, qrels__tsv=QRELS)


# ---------------------------------------------------------------- layouts


def test_beir_joins_title_and_text_by_one_space(beir):
    data = read_dataset(beir)
    assert data.documents == {"d1": "Apples grow on trees", "d2": "Fish swim"}
    assert data.queries == {"q1": "fruit", "q2": "sea animals"}
    assert data.judgments == {"q1": {"d1": 2}, "q2": {"d2": 1, "d1": 0}}
    summary = data.summary
    assert (summary.documents, summary.queries, summary.judgments, summary.labels) == (2, 2, 3, "gold")
    assert (summary.format, summary.skipped, summary.problems) == ("BEIR", 0, {})
    assert summary.columns["title"] == "title"
    assert summary.columns["judged_document"] == "corpus-id"


def test_compressed_files_and_a_folder_of_splits_are_read_alike(beir, tmp_path):
    other = write(
        tmp_path / "gz",
        corpus__jsonl__gz=gzip.compress(CORPUS.encode(), mtime=0),
        queries__jsonl__gz=gzip.compress(QUERIES.encode(), mtime=0),
    )
    write(other / "qrels", test__tsv=QRELS, train__tsv="query-id\tcorpus-id\tscore\nq9\td9\t1\n")
    assert read_dataset(other).summary.hash == read_dataset(beir).summary.hash


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td1\t2\nq2\td2\t1\nq2\td1\t0\n",
        "q1 0 d1 2\nq2 0 d2 1\nq2 0 d1 0\n",
        "q1\tQ0\td1\t2\nq2\tQ0\td2\t1\nq2\tQ0\td1\t0\n",
        "query-id\tdoc-id\tgrade\nq1\td1\t2.0\nq2\td2\t1\nq2\td1\t0\n",
        "\ufeffquery_id\tdocument_id\trelevance\r\nq1\td1\t2\r\nq2\td2\t1\r\nq2\td1\t0\r\n",
    ],
)
def test_judgments_with_and_without_header(tmp_path, qrels):
    data = read_dataset(write(tmp_path / "x", corpus__jsonl=CORPUS, queries__jsonl=QUERIES, qrels__tsv=qrels))
    assert data.judgments == {"q1": {"d1": 2}, "q2": {"d2": 1, "d1": 0}}


def test_ids_with_blanks_survive_in_judgments(tmp_path):
    folder = write(
        tmp_path / "x",
        corpus__jsonl=jsonl({"id": "Ada L", "text": "a"}),
        queries__jsonl=jsonl({"id": "q 1", "text": "b"}),
        qrels__tsv="q 1\tAda L\t1\n",
    )
    assert read_dataset(folder).judgments == {"q 1": {"Ada L": 1}}


def test_one_table_of_documents_in_every_format(tmp_path):
    rows = [{"id": "a", "title": "猫", "text": 'says "miau", often'}, {"id": "b", "title": "", "text": "苹果树\n开花"}]
    write(tmp_path, x__jsonl=jsonl(*rows), y__json=json.dumps(rows, indent=1), z__ndjson=jsonl(*rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    for delimiter in ",;":
        with (tmp_path / f"{ord(delimiter)}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, ["id", "title", "text"], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    found = {path.name: read_dataset(path) for path in tmp_path.iterdir()}
    assert len(found) == 6
    for name, data in found.items():
        assert data.documents == {"a": '猫 says "miau", often', "b": "苹果树\n开花"}, name
        assert data.summary.labels == "none"
    assert {d.summary.format for d in found.values()} == {"JSONL", "JSON", "CSV", "Parquet"}


def test_tsv_takes_unpaired_quotation_marks_as_text(tmp_path):
    file = write(tmp_path, d__tsv='id\ttext\n1\t"odd\n2\t"well ""quoted"""\n') / "d.tsv"
    assert read_dataset(file).documents == {"1": '"odd', "2": 'well "quoted"'}


def test_pairs_share_documents_and_queries(tmp_path):
    file = write(tmp_path, p__csv="question,answer,score\nhow?,so,1\nwhy?,so,2\nhow?,thus,0\n,alone,\n") / "p.csv"
    data = read_dataset(file)
    assert list(data.documents.values()) == ["so", "thus", "alone"]
    assert data.queries == {"1": "how?", "2": "why?"}
    # without an id column a document is called by its line
    assert list(data.documents) == ["2", "4", "5"]
    assert data.judgments == {"1": {"2": 1, "4": 0}, "2": {"2": 2}}
    assert data.summary.columns == {"text": "answer", "query": "question", "grade": "score"}


def test_tables_of_any_format_mix_and_queries_may_name_their_documents(tmp_path):
    write(
        tmp_path,
        documents__csv="编号,内容\n1,苹果\n2,香蕉\n",
        queries__jsonl=jsonl({"qid": 7, "query": "水果", "relevant": [1, 2]}),
    )
    data = read_dataset(tmp_path)
    assert data.documents == {"1": "苹果", "2": "香蕉"}
    assert data.judgments == {"7": {"1": 1, "2": 1}}


@pytest.mark.parametrize("cell", ["1;2", "1, 2", '["1", "2"]', "1|2"])
def test_several_relevant_ids_in_one_cell(tmp_path, cell):
    write(tmp_path, documents__csv="id,text\n1,one\n2,two\n")
    write(tmp_path, queries__tsv=f"id\tquery\trelevant\n7\tnumbers\t{cell}\n")
    assert read_dataset(tmp_path).judgments == {"7": {"1": 1, "2": 1}}


def test_folder_of_texts_with_queries(tmp_path):
    write(tmp_path, b__md="# B\n", a__txt="甲", _x__png=b"\x89PNG")
    write(tmp_path / "sub", c__txt="c")
    write(tmp_path / ".git", hidden__txt="no")
    write(tmp_path, queries__jsonl=jsonl({"id": "q", "text": "?", "relevant": "sub/c.txt"}))
    data = read_dataset(tmp_path)
    assert data.documents == {"a.txt": "甲", "b.md": "# B", "sub/c.txt": "c"}
    assert data.judgments == {"q": {"sub/c.txt": 1}}


def test_queries_without_judgments_are_allowed(beir):
    (beir / "qrels.tsv").unlink()
    summary = read_dataset(beir).summary
    assert (summary.queries, summary.judgments, summary.labels, summary.label_origin) == (2, 0, "none", None)


# ---------------------------------------------------------------- columns


def test_the_user_names_the_columns(tmp_path):
    file = write(tmp_path, d__jsonl=jsonl({"id": "1", "text": "short", "body": "the body"})) / "d.jsonl"
    assert read_dataset(file, columns={"text": "body", "id": ""}).documents == {"1": "the body"}
    with pytest.raises(DatasetError, match="Did you mean “body”"):
        read_dataset(file, columns={"text": "bdy"})
    with pytest.raises(DatasetError, match="no column role “txt”"):
        read_dataset(file, columns={"txt": "body"})


HELP = (
    "ask,help,weight\nmy chain slips,A worn chain lets the chain jump over the teeth.,2\nmy chain slips,Bells ring.,0\n"
)


@pytest.mark.parametrize(
    ("columns", "used"),
    [
        ({"query": "ask"}, {"query": "ask", "text": "help"}),
        ({"query": "ask", "grade": "weight"}, {"query": "ask", "text": "help", "grade": "weight"}),
        ({"query": "help"}, {"query": "help", "text": "ask"}),
    ],
)
def test_a_named_query_counts_where_the_texts_were_only_guessed(tmp_path, columns, used):
    file = write(tmp_path, d__csv=HELP) / "d.csv"
    data = read_dataset(file, columns=columns)
    assert data.summary.columns == used == preview_dataset(file, columns=columns).files[0].guessed
    assert data.judgments
    assert data.summary.notes == ()
    if "grade" in columns:
        assert data.judgments == {"1": {"2": 2, "3": 0}}


@pytest.mark.parametrize("name", ["question", "customer_question", "Customer Question", "客户提问"])
@pytest.mark.parametrize("text", ["help_text", "答案", "zzz"])
def test_a_column_called_a_query_beside_longer_texts_of_any_name_is_one(tmp_path, name, text):
    rows = f"{name},{text},num_queries\nmy chain slips,{'a worn chain ' * 5},7\n"
    file = write(tmp_path, d__csv=rows) / "d.csv"
    assert read_dataset(file).summary.columns == {"query": name, "text": text}
    # a short label beside it is no text that it asks for
    file = (
        write(tmp_path, d__csv=f"{name},department\n{'why does my chain slip ' * 5},Sales and Marketing team\n")
        / "d.csv"
    )
    assert read_dataset(file).summary.columns == {"text": name}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"grade": "weight"}, "“weight”, which was named for “grade”.*queries too.*query=NAME"),
        ({"judged_query": "ask"}, "“ask”, which was named for “judged_query”.*qrels.tsv"),
        ({"relevant": "ask"}, "“ask”, which was named for “relevant”.*file of their own"),
        ({"query": "ask", "text": ""}, "no column that looks like texts.*text=NAME"),
    ],
)
@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("read", [True, False])
def test_a_named_column_that_nothing_is_read_from_is_an_error(tmp_path, columns, message, skip_bad, read):
    file = write(tmp_path, d__csv=HELP) / "d.csv"
    with pytest.raises(DatasetError, match=message):
        read_dataset(file, columns=columns, skip_bad=skip_bad)
    looked = preview_dataset(
        file, columns=columns, read=(lambda: read_dataset(file, columns=columns).summary) if read else None
    )
    assert looked.problem
    assert re.search(message, f"{looked.problem.cause.render()} {looked.problem.next_step.render()}")
    assert read_dataset(file, columns={"title": "", "query": "ask"}).queries, "no such column is no column"


def test_columns_of_a_folder_of_texts_are_not_read(tmp_path):
    folder = write(tmp_path, a__md="good")
    with pytest.raises(DatasetError, match="Nothing is read from column “body”, which was named for “text”"):
        read_dataset(folder, columns={"text": "body"})


def test_texts_beside_documents_without_queries_are_pointed_at(tmp_path):
    file = write(tmp_path, d__csv=HELP.replace("ask", "wish")) / "d.csv"
    data = read_dataset(file)
    (note,) = data.summary.notes
    assert not data.queries
    assert "were not used: wish. If one of them holds the queries, name it" in note.render()
    assert preview_dataset(file).files[0].notes == (note,)
    assert profile(data).warnings[0] == note, "it is said before anything is decided"
    plain = write(tmp_path, e__csv="id,text,kind\n1,some words here,a\n") / "e.csv"
    assert read_dataset(plain).summary.notes == ()


def test_long_texts_in_a_column_of_any_name_are_found(tmp_path):
    file = write(tmp_path, d__csv=f"nr,zzz\n1,{'word ' * 20}\n") / "d.csv"
    assert read_dataset(file).summary.columns == {"text": "zzz"}


def test_paths_of_images_are_no_texts(tmp_path):
    file = write(tmp_path, d__jsonl=jsonl({"id": "1", "image": "images/0028956e-9962-46f0.jpg"})) / "d.jsonl"
    with pytest.raises(DatasetError, match=r"columns are: id, image\. .*--column text=NAME"):
        read_dataset(file)


# ---------------------------------------------------------------- problems

BAD_LINES = {
    "duplicate_id": (1, jsonl({"_id": "d1", "text": "again"}), "corpus.jsonl, line 3: the id “d1” occurred before"),
    "empty_text": (1, jsonl({"_id": "d3", "title": " ", "text": ""}), "line 3: the text of document “d3” is empty"),
    "broken_row": (2, '{"_id": "d3", \n[1]\n', "corpus.jsonl, line 3: the line is not JSON"),
    "encoding": (
        1,
        '{"_id": "d3", "text": "café"}\n'.encode("latin-1"),
        "line 3: it is not UTF-8; it looks like Latin-1",
    ),
    "bad_id": (
        3,
        jsonl({"text": "x"}, {"_id": "a\tb", "text": "x"}, {"_id": True, "text": "x"}),
        "line 3: there is no id",
    ),
    "bad_text": (1, jsonl({"_id": "d3", "text": {"a": 1}}), "line 3: column “text” holds no text"),
    "long_line": (1, jsonl({"_id": "d3", "text": "x" * 5000}), "line 3: the line is longer than"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_named_and_can_be_skipped(beir, kind):
    count, bad, message = BAD_LINES[kind]
    raw = bad if isinstance(bad, bytes) else bad.encode()
    (beir / "corpus.jsonl").write_bytes(CORPUS.encode() + raw + jsonl({"_id": "d9", "text": "good"}).encode())
    limits = Limits(line_bytes=4096)
    with pytest.raises(DatasetError) as error:
        read_dataset(beir, limits=limits)
    assert message in str(error.value)
    assert "--skip-bad" in str(error.value)
    data = read_dataset(beir, skip_bad=True, limits=limits)
    assert set(data.documents) == {"d1", "d2", "d9"}
    assert (data.summary.problems, data.summary.skipped) == ({kind: count}, count)


def test_dangling_judgments_are_counted_by_kind(beir):
    (beir / "qrels.tsv").write_text(QRELS + "q7\td1\t1\nq1\td7\t1\nq1\td8\t1\nq1\td1\t1\nq1\td2\tyes\n")
    with pytest.raises(DatasetError) as error:
        read_dataset(beir)
    assert "qrels.tsv, line 5: there is no query “q7”. 4 more to mend" in str(error.value)
    assert "judgments of unknown documents: 2" in str(error.value)
    assert "第 5 行：没有查询“q7”" in error.value.render("zh")
    data = read_dataset(beir, skip_bad=True)
    assert data.summary.problems == {"unknown_query": 1, "unknown_document": 2, "duplicate_judgment": 1, "bad_grade": 1}
    assert data.judgments == {"q1": {"d1": 2}, "q2": {"d2": 1, "d1": 0}}


def test_judgments_of_a_bad_document_are_a_consequence(beir):
    (beir / "corpus.jsonl").write_text(CORPUS.replace("Fish swim", ""))
    data = read_dataset(beir, skip_bad=True)
    assert data.summary.problems == {"empty_text": 1, "orphaned": 1}


def test_reading_stops_when_everything_is_wrong(tmp_path):
    file = write(tmp_path, d__jsonl="not json\n" * 500) / "d.jsonl"
    with pytest.raises(DatasetError, match="At least 9 more problems"):
        read_dataset(file, limits=Limits(problems=10))
    with pytest.raises(DatasetError, match=r"Nothing is left .*broken lines: 500"):
        read_dataset(file, skip_bad=True)


def test_csv_problems_have_the_line_where_the_row_starts(tmp_path):
    text = 'id,text\n1,"two\nlines"\n2,a,b\n3,"unclosed\n4,fine\n'
    file = write(tmp_path, d__csv=text) / "d.csv"
    with pytest.raises(DatasetError, match=r"d.csv, line 4: it has 3 fields instead of 2"):
        read_dataset(file)
    data = read_dataset(file, skip_bad=True)
    assert data.documents == {"1": "two\nlines"}
    assert data.summary.problems == {"broken_row": 2}


def test_parquet_problems_have_rows(tmp_path):
    pq.write_table(pa.table({"id": ["a", "a", None], "text": ["x", "y", "z"]}), tmp_path / "d.parquet")
    with pytest.raises(DatasetError, match=r"d.parquet, row 2: the id “a” occurred before"):
        read_dataset(tmp_path / "d.parquet")
    assert read_dataset(tmp_path / "d.parquet", skip_bad=True).documents == {"a": "x"}


EAST_ASIAN = {
    "GB18030": ("gbk", "问题", "退货期限是多久", "未使用的商品可在签收后三十天内凭小票退回，自行车须装回原箱。"),
    "Big5": ("big5", "問題", "退貨期限是多久", "未使用的商品可在簽收後三十天內憑發票退回，腳踏車須裝回原箱。"),
    "Shift_JIS": ("cp932", "質問", "返品はいつまでできますか", "未使用の商品は三十日以内であれば返品できます。"),
}


@pytest.mark.parametrize("name", EAST_ASIAN)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json", "csv.gz"])
def test_east_asian_encodings_are_told_by_their_text(tmp_path, name, suffix):
    encoding, head, question, answer = EAST_ASIAN[name]
    # much English before the first character that tells
    rows = [("bell", "Bells ring. " * 20)] * (30_000 if suffix == "csv" else 30) + [(question, answer)]
    match suffix.removesuffix(".gz"):
        case "jsonl":
            text = jsonl(*({"query": q, "text": a} for q, a in rows))
        case "json":
            text = json.dumps([{"query": q, "text": a} for q, a in rows], ensure_ascii=False)
        case kind:
            between = "\t" if kind == "tsv" else ","
            text = "".join(f"{q}{between}{a}\n" for q, a in [("query", head), *rows])
    raw = text.encode(encoding)
    file = tmp_path / f"d.{suffix}"
    file.write_bytes(gzip.compress(raw, mtime=0) if suffix.endswith(".gz") else raw)
    columns = {"text": head} if head in text else {}
    data = read_dataset(file, columns=columns)
    assert answer in data.documents.values()
    assert question in data.queries.values()
    assert [note.render() for note in data.summary.notes] == [f"{file} is not UTF-8; it was read as {name}."]
    assert preview_dataset(file, columns=columns).files[0].notes == data.summary.notes


def test_texts_in_another_encoding_are_noted_once(tmp_path):
    answer = EAST_ASIAN["GB18030"][3]
    folder = write(tmp_path, a__txt=answer.encode("gbk"), b__txt=answer.encode("gbk"), c__txt="plain")
    data = read_dataset(folder)
    assert data.documents["b.txt"] == answer
    (note,) = data.summary.notes
    assert note.render() == "2 files are not UTF-8; they were read as GB18030."


def test_a_broken_character_in_another_encoding_is_a_problem_of_its_line(tmp_path):
    answer = EAST_ASIAN["GB18030"][3] * 5
    raw = f"id,text\n1,{answer}\n2,BAD\n3,{answer}!\n".encode("gbk").replace(b"BAD", b"\xb0\x20")
    file = write(tmp_path, d__csv=raw) / "d.csv"
    with pytest.raises(DatasetError, match="line 3: it holds bytes that are no text in GB18030"):
        read_dataset(file)
    assert read_dataset(file, skip_bad=True).documents == {"1": answer, "3": f"{answer}!"}


def test_utf8_with_a_broken_line_stays_utf8(tmp_path):
    answer = EAST_ASIAN["GB18030"][3]
    raw = f"id,text\n1,{answer}\n".encode() + f"2,{answer[:9]}\n".encode("gbk")
    file = write(tmp_path, d__csv=raw) / "d.csv"
    with pytest.raises(DatasetError, match=r"line 3: it is not UTF-8; it looks like GB18030.*iconv -f GB18030"):
        read_dataset(file)
    data = read_dataset(file, skip_bad=True)
    assert (data.documents, data.summary.notes) == ({"1": answer}, ())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Der Käse schmeckt süß, à la carte élève", "latin-1"),
        ("Пчёлы летают над цветами и собирают мёд", "windows-1251"),
        ("Πώς μπορώ να επιστρέψω το προϊόν", "cp1253"),
        ("배터리가 충전되지 않습니다. 어떻게 해야 하나요", "cp949"),
        ("バッテリーが充電できません。どうすればいいですか", "euc_jp"),
        ("สินค้าจะมาถึงเมื่อไหร่", "cp874"),
    ],
)
def test_other_encodings_are_not_guessed(tmp_path, text, encoding):
    file = write(tmp_path, d__csv=f"id,text\n1,{text}\n".encode(encoding)) / "d.csv"
    with pytest.raises(DatasetError, match=r"line 2: it is not UTF-8; it looks like .*iconv -f"):
        read_dataset(file)


@given(st.binary(min_size=1))
def test_no_bytes_upset_the_guess(raw):
    encoding = encoding_at(io.BytesIO(raw))
    if encoding is not None:
        assert b"\0" not in raw or encoding == "UTF-16"
        with io.BufferedReader(AsUtf8(io.BytesIO(raw), encoding)) as stream:
            stream.read()
    assert told_of(random.Random(len(raw)).randbytes(400)) is None


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_utf16_with_its_mark_is_read(tmp_path, suffix, order):
    text = {"csv": "id,text\r\n1,héllo \u2028 世界\r\n", "jsonl": jsonl({"id": 1, "text": "héllo \u2028 世界"})}
    raw = text.get(suffix, json.dumps([{"id": 1, "text": "héllo \u2028 世界"}])).encode(f"utf-16-{order}")
    file = tmp_path / f"d.{suffix}"
    file.write_bytes({"le": b"\xff\xfe", "be": b"\xfe\xff"}[order] + raw)
    data = read_dataset(file)
    assert data.documents == {"1": "héllo \u2028 世界"}
    assert [note.render() for note in data.summary.notes] == [f"{file} is not UTF-8; it was read as UTF-16."]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_recognised(tmp_path, encoding):
    file = write(tmp_path, d__csv="id,text\n1,hello\n".encode(encoding)) / "d.csv"
    with pytest.raises(DatasetError, match=r"is UTF-16.E text.*iconv"):
        read_dataset(file)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.jsonl", b"%PDF-1.7 ...", r"binary file \(PDF\)"),
        ("d.csv", b"PK\x03\x04....", r"binary file \(ZIP, XLSX or DOCX\)"),
        ("d.jsonl", bytes(range(256)) * 10, "is a binary file, not text"),
        ("d.csv", b"\xff\xfe" + bytes(range(256)), "line 1: it holds bytes that are no text in UTF-16"),
        ("d.csv", b"\xff\xfe\0\0i\0\0\0d\0\0\0", "is a binary file, not text"),
        ("d.parquet", b"PAR1 no", "not a readable Parquet file"),
        ("d.parquet.gz", gzip.compress(b"PAR1", mtime=0), "Parquet inside gzip"),
        ("d.jsonl.gz", b"plain text", "not a complete gzip file"),
        ("d.jsonl.gz", gzip.compress(CORPUS.encode(), mtime=0)[:-9], "not a complete gzip file"),
        ("d.json", b'{"a": 1,\n "b": [}', "is not JSON"),
        ("d.json", b'{"a":\n 1}', "holds no list of objects"),
        ("d.json", b"[" * 100_000, "nested deeper than 32 levels"),
        ("d.jsonl", b'{"a":' * 100_000, "nested deeper than 32 levels"),
        ("d.xyz", b"", "has no known format"),
        ("d.txt", b"text", "is a single text"),
        ("d.jsonl", b"", "holds no documents"),
        ("d.json", b"[]", "holds no documents"),
        ("d.csv", b"id,text\n", "holds no documents"),
        ("d.csv", b"text,text\na,b\n", "two columns called text"),
    ],
)
def test_files_that_are_no_data(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ('{"text": "x", "a": ' + "[" * 31 + "]" * 31 + "}", True),
        ('{"text": "x", "a": ' + "[" * 32 + "]" * 32 + "}", False),
        ('{"text": "x", "a": ' + '[{"b": ' * 15 + "[]" + "}]" * 15 + "}", True),
        ('{"text": "x", "a": ' + '[{"b": ' * 16 + "[]" + "}]" * 16 + "}", False),
        ('{"text": "' + "[{" * 100 + '\\"", "a": [' + "[[], {}]," * 500 + "0]}", True),
    ],
)
def test_the_depth_of_json_is_counted_outside_of_strings(tmp_path, text, allowed):
    json.loads(text)
    file = write(tmp_path, d__jsonl=text) / "d.jsonl"
    if allowed:
        assert len(read_dataset(file).documents) == 1
    else:
        with pytest.raises(DatasetError, match="nested deeper than 32 levels"):
            read_dataset(file)


def test_folders_that_are_no_dataset(tmp_path, beir):
    with pytest.raises(DatasetError, match="holds several datasets: beir"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"holds several tables: a\.csv, b\.csv"):
        read_dataset(write(tmp_path / "two", a__csv="id,text\n", b__csv="id,text\n"))
    with pytest.raises(DatasetError, match="no documents that this program can read"):
        read_dataset(write(tmp_path / "empty"))
    with pytest.raises(DatasetError, match="does not exist"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_dataset(tmp_path / "nul\0")
    (beir / "queries.jsonl").unlink()
    with pytest.raises(DatasetError, match="no file of queries"):
        read_dataset(beir)


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "d.jsonl")
    with pytest.raises(DatasetError, match="not a regular file"):
        read_dataset(tmp_path / "d.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(beir):
    (beir / "corpus.jsonl").chmod(0)
    with pytest.raises(DatasetError, match="permission denied"):
        read_dataset(beir)


def test_links_may_not_leave_the_folder(tmp_path, beir):
    secret = write(tmp_path / "outside", secret__txt="secret") / "secret.txt"
    texts = write(tmp_path / "texts", a__txt="a")
    (texts / "b.txt").symlink_to(secret)
    (texts / "c.txt").symlink_to(texts / "a.txt")
    (texts / "loop").symlink_to(texts)
    with pytest.raises(DatasetError, match="leads out of the folder"):
        read_dataset(texts)
    data = read_dataset(texts, skip_bad=True)
    assert set(data.documents) == {"a.txt", "c.txt"}
    assert data.summary.problems == {"outside_link": 1}
    (beir / "corpus.jsonl").unlink()
    (beir / "corpus.jsonl").symlink_to(secret)
    with pytest.raises(DatasetError, match="leads out of the folder"):
        read_dataset(beir, skip_bad=True)


def test_bad_text_files_are_left_out(tmp_path):
    write(tmp_path, a__txt="good", b__txt=" \n", c__txt="é".encode("latin-1"), d__txt=b"\0\1\2", e__txt="x" * 5000)
    data = read_dataset(tmp_path, skip_bad=True, limits=Limits(line_bytes=4096))
    assert data.documents == {"a.txt": "good"}
    assert data.summary.problems == {"empty_text": 1, "encoding": 1, "long_line": 1, "unreadable_file": 1}


# ---------------------------------------------------------------- limits


def test_one_line_of_50_mb_is_never_held(tmp_path):
    import tracemalloc

    file = (
        write(tmp_path, d__jsonl=b'{"id": "1", "text": "' + b"x" * 50_000_000 + b'"}\n{"id": "2", "text": "ok"}\n')
        / "d.jsonl"
    )
    tracemalloc.start()
    data = read_dataset(file, skip_bad=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.documents == {"2": "ok"}
    assert data.summary.problems == {"long_line": 1}
    assert peak < 40 * 2**20


def test_decompression_bombs_are_stopped(tmp_path):
    line = jsonl({"text": "0" * 1000}).encode()
    file = write(tmp_path, d__jsonl__gz=gzip.compress(line * 40_000, 9, mtime=0)) / "d.jsonl.gz"
    with pytest.raises(DatasetError, match="decompression bomb"):
        read_dataset(file)


def test_a_parquet_bomb_is_stopped(tmp_path):
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"text": text}), tmp_path / "d.parquet")
    assert (tmp_path / "d.parquet").stat().st_size < 10**6
    with pytest.raises(DatasetError, match="more than 64 MB"):
        read_dataset(tmp_path / "d.parquet", limits=Limits(total_bytes=64 * 2**20))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(total_bytes=100), "more than 0 MB of text"),
        (Limits(rows=3), "more than 3 rows"),
        (Limits(documents=1), "more than 1 documents"),
    ],
)
def test_caps_are_named(beir, limits, message):
    with pytest.raises(DatasetError, match=message):
        read_dataset(beir, limits=limits)


def test_a_large_json_file_is_turned_down(tmp_path):
    file = write(tmp_path, d__json=json.dumps([{"text": "x" * 100}] * 100)) / "d.json"
    with pytest.raises(DatasetError, match="Save it as JSONL"):
        read_dataset(file, limits=Limits(json_bytes=5000))


# ---------------------------------------------------------------- hash, saving, wording


def test_the_hash_is_of_the_content():
    assert content_hash({"a": "1", "b": "2"}, {}, {}) == content_hash({"b": "2", "a": "1"}, {}, {})
    different = [
        content_hash({"a": "1"}, {}, {}),
        content_hash({"a": "2"}, {}, {}),
        content_hash({"a1": ""}, {}, {}),
        content_hash({}, {"a": "1"}, {}),
        content_hash({"a": "1"}, {}, {"q": {"a": 1}}),
        content_hash({"a": "1"}, {}, {"q": {"a": 0}}),
    ]
    assert len(set(different)) == len(different)


def test_a_saved_dataset_reads_back_the_same(tmp_path):
    write(
        tmp_path / "x",
        corpus__jsonl=jsonl({"id": '"quoted"', "text": "line\u2028separator\r\nand 中文"}, {"id": "d 2", "text": "b"}),
        queries__jsonl=jsonl({"id": "问", "text": "query"}),
        qrels__tsv='query-id\tdoc-id\tgrade\n问\t"""quoted"""\t2\n问\td 2\t0\n',
    )
    data = read_dataset(tmp_path / "x")
    assert data.judgments == {"问": {'"quoted"': 2, "d 2": 0}}
    save_dataset(data, tmp_path / "deep" / "copy")
    again = read_dataset(tmp_path / "deep" / "copy")
    assert (again.documents, again.queries, again.judgments) == (data.documents, data.queries, data.judgments)
    assert again.summary.hash == data.summary.hash
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["copy"]


def test_silver_labels_stay_silver(tmp_path):
    from tools.stdlib_corpus import stdlib_corpus

    data = stdlib_corpus(documents=30, queries=10)
    save_dataset(data, tmp_path / "copy")
    again = read_dataset(tmp_path / "copy").summary
    assert (again.labels, again.hash) == ("silver", data.summary.hash)
    assert "docstring" in str(again.label_origin)


def test_a_note_in_the_folder_is_no_template(beir):
    (beir / "dataset.json").write_text(json.dumps({"labels": "silver", "label_origin": "{a.__class__}"}))
    assert str(read_dataset(beir).summary.label_origin) == "{a.__class__}"


def test_saving_never_overwrites_and_leaves_nothing_half_written(beir, tmp_path):
    data = read_dataset(beir)
    with pytest.raises(DatasetError, match="already holds something"):
        save_dataset(data, beir)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResourceError, match="cannot be written"):
        save_dataset(data, tmp_path / "file" / "under")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["beir", "file"]


def test_every_kind_of_problem_has_its_phrase():
    for kind in Kind.__args__:
        assert "3" in str(problem_text(kind, 3))


# ---------------------------------------------------------------- real sets

COUNTS = {
    "scifact": (5183, 300, 339),
    "dbpedia_entity": (5000, 50, 3717),
    "covid_faq": (111, 240, 508),
    "pubmedqa": (1000, 1000, 1000),
    "limit_small": (46, 1000, 2000),
    "cmrc2018_zh": (848, 3219, 3219),
    "medqa_internal_zh": (7165, 1000, 1000),
    "xquad/en": (240, 1190, 1190),
    "xquad/zh": (240, 1190, 1190),
    "xquad/de": (240, 1190, 1190),
    "xquad/ar": (240, 1190, 1190),
    "semantoneg": (2435, 3152, 9456),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_sets_have_their_counts(name):
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here")
    summary = read_dataset(SHARED / name).summary
    assert (summary.documents, summary.queries, summary.judgments) == COUNTS[name]
    assert (summary.skipped, summary.labels) == (0, "gold")


def test_the_example_of_the_guide():
    data = read_dataset(Path(__file__).parents[2] / "benchmarks" / "programming_languages")
    assert list(data.queries.values()) == ["auto garbage collection", "suite for web backend server development"]
    for grades in data.judgments.values():
        assert set(grades) == set(data.documents)
        assert sum(grade > 0 for grade in grades.values()) >= 4


# ---------------------------------------------------------------- fuzz

SEEDS = {
    ".jsonl": CORPUS.encode(),
    ".json": json.dumps([{"id": "1", "text": "x", "query": "y"}]).encode(),
    ".csv": b'id,text,query\n1,"a ""b""",c\n2,d,e\n',
    ".tsv": QRELS.encode() + b"\ttext\n",
    ".jsonl.gz": gzip.compress(CORPUS.encode(), mtime=0),
    ".parquet": b"",
    ".txt": "甲乙".encode(),
}


def damaged(seed: bytes, random_source: random.Random) -> bytes:
    raw = bytearray(seed)
    for _ in range(random_source.randint(1, 6)):
        place = random_source.randrange(len(raw) + 1)
        piece = random_source.choice(
            [b"", b"\0", b"\xff", b'"', b"\n", b"[" * 40, b"\\ud800", b"\xe4\xb8", b"9" * 5000, b"NaN"]
        )
        raw[place : place + random_source.randint(0, 4)] = piece
    return bytes(raw)


def outcome(path: Path, *, skip: bool) -> Dataset | None:
    """The dataset, or None after an error that can be shown in both languages; anything else is raised.

    The preview is to agree: on the columns' roles where it can be read, and else that something is wrong.
    """
    seen = preview_dataset(path, skip_bad=skip, read=lambda: read_dataset(path, skip_bad=skip).summary)
    assert seen.model_dump_json()
    try:
        data = read_dataset(path, skip_bad=skip)
    except DatasetError as error:
        (error.render("en") + error.render("zh")).encode()
        assert seen.problem is not None
        assert seen.summary is None
        return None
    assert seen.summary == data.summary
    used = {role: shown(column) for file in seen.files for role, column in file.guessed.items()}
    assert data.summary.columns == used
    return data


#: inputs for each loader; `make fuzz` tries 10,000
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
#: no input may take longer: it would hang whoever reads it
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=10_000,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("suffix", SEEDS)
@fuzzed
@given(
    source=st.randoms(use_true_random=False),
    garbage=st.binary(max_size=200),
    use_garbage=st.booleans(),
    skip=st.booleans(),
)
def test_no_damage_to_a_file_raises_anything_but_a_dataset_error(tmp_path, suffix, source, garbage, use_garbage, skip):
    seed = SEEDS[suffix]
    if suffix == ".parquet":
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"id": ["1", "2"], "text": ["a", "b"], "score": [1.0, None]}), sink)
        seed = sink.getvalue().to_pybytes()
    content = garbage if use_garbage else damaged(seed, source)
    path = tmp_path / f"d{suffix}"
    path.write_bytes(content)
    target = tmp_path if suffix == ".txt" else path
    data = outcome(target, skip=skip)
    if data:
        assert data.documents
        assert data.summary.model_dump_json()


@fuzzed
@given(source=st.randoms(use_true_random=False), skip=st.booleans())
def test_no_damage_to_judgments_raises_anything_but_a_dataset_error(tmp_path, source, skip):
    folder = write(
        tmp_path / "f",
        corpus__jsonl=CORPUS,
        queries__jsonl=damaged(QUERIES.encode(), source),
        qrels__tsv=damaged(QRELS.encode(), source),
    )
    data = outcome(folder, skip=skip)
    if data:
        assert set(data.judgments) <= set(data.queries)
        assert all(set(grades) <= set(data.documents) for grades in data.judgments.values())


def test_titles_are_kept_apart_and_survive_a_copy(tmp_path):
    folder = tmp_path / "titled"
    folder.mkdir()
    rows = [
        {"_id": "a", "title": " On  tides ", "text": "The moon pulls. "},
        {"_id": "b", "title": "", "text": "Untitled text"},
        {"_id": "c", "title": "Only a title", "text": ""},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    data = read_dataset(folder)
    assert data.titles == {"a": "On  tides", "c": "Only a title"}
    assert all(data.documents[document].startswith(title) for document, title in data.titles.items())
    save_dataset(data, tmp_path / "copy")
    again = read_dataset(tmp_path / "copy")
    assert (again.documents, again.summary.hash) == (data.documents, data.summary.hash)
    assert again.titles == data.titles
