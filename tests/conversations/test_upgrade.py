"""Conversations begun with an earlier version of this program go on with this one."""

import gzip
import sqlite3
import zlib
from pathlib import Path

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import EXT_PYDANTIC_V2, JsonPlusSerializer
from pydantic import BaseModel

from agent import checkpoints as checkpoints_module
from agent.advisor import Advisor
from agent.checkpoints import FORMAT, Records
from agent.settings import Settings
from agent.state import RECORDS
from agent.transcript import shown
from knowledge.errors import ResourceError, UserError
from knowledge.requirements import Requirements
from knowledge.results import Consent
from tests.animals import CANDIDATES, write_dataset
from tools.data_source import DataSource

STORES = sorted((Path(__file__).parent / "checkpoints").glob("format-*.sqlite.gz"))


@pytest.fixture(params=STORES, ids=lambda path: path.name.partition(".")[0])
def upgraded(request, tmp_path, monkeypatch):
    """An advisor over a store that some version wrote."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "conversations.sqlite").write_bytes(gzip.decompress(request.param.read_bytes()))
    write_dataset(tmp_path / "animals")
    monkeypatch.chdir(tmp_path)  # the stored conversations name their data by a relative path
    with Advisor(Settings(home=tmp_path / "home", offline=True)) as advisor:
        yield advisor


def reply(advisor, thread, text):
    return [event for event in advisor.reply(thread, text) if event.kind != "progressed"]


def test_there_is_a_store_of_every_format():
    assert [path.name for path in STORES] == [f"format-{number}.sqlite.gz" for number in range(FORMAT + 1)]
    assert sum(path.stat().st_size for path in STORES) < 300_000


def test_every_conversation_goes_on(upgraded):
    """One test for all: each further start costs seconds."""
    question = [event.about for event in upgraded.resume("interview")]
    assert question == [upgraded.state("interview")["asked"].about]
    found = reply(upgraded, "interview", "no GPU")
    assert found[-1].kind == "question"
    needs = upgraded.state("interview")["requirements"]
    assert {c.kind for c in needs.constraints} >= {"languages", "license"}
    assert needs.gpu.value is False
    list(upgraded.edit("interview", 1, "at most 1 GB of memory"))
    assert "memory" in {c.kind for c in upgraded.state("interview")["requirements"].constraints}

    assert upgraded.state("unmeasured")["recommendation"].measured is False
    assert len(upgraded.state("unmeasured")["shortlist"].rejected) > 100
    assert reply(upgraded, "unmeasured", "why?")[-1].kind == "said"

    assert [event.about for event in upgraded.resume("consent")] == ["plan"]
    reply(upgraded, "consent", "no")
    assert upgraded.state("consent")["status"] == "done"

    for thread in ("done", "screening"):
        state = upgraded.state(thread)
        assert all(isinstance(value, RECORDS) for value in state.values() if isinstance(value, BaseModel))
        assert state["status"] == "done"
        assert state["recommendation"].winner
        assert not upgraded.unfinished(thread)
        assert upgraded.report(thread).evaluation
        assert reply(upgraded, thread, "why?")[-1].kind == "said"
    assert upgraded.state("screening")["screening"].end == "settled"

    assert upgraded.unfinished("killed")
    assert list(upgraded.resume("killed"))[-1].kind == "reported"
    assert upgraded.state("killed")["status"] == "done"
    assert {c.spec for c in upgraded.state("killed")["evaluation"].candidates} == set(CANDIDATES)


def test_a_newer_versions_conversation_is_refused_and_left_as_it_is(tmp_path, monkeypatch):
    def stored():
        connection = sqlite3.connect(tmp_path / "conversations.sqlite")
        try:
            return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("checkpoints", "writes")]
        finally:
            connection.close()

    settings = Settings(home=tmp_path, offline=True)
    monkeypatch.setattr(checkpoints_module, "FORMAT", FORMAT + 1)
    with Advisor(settings) as newer:
        list(newer.reply("t", "Semantic search over German law"))
    monkeypatch.undo()
    before = stored()
    with Advisor(settings) as older:
        for attempt in (
            lambda: list(older.reply("t", "no GPU")),
            lambda: list(older.resume("t")),
            lambda: list(older.edit("t", 1, "French")),
            lambda: older.state("t"),
        ):
            with pytest.raises(UserError, match=r"newer version.*Update this program"):
                attempt()
        assert list(older.reply("u", "French"))[-1].kind == "question", "others are not held up"
        heard = [event.text for event in shown(older.transcript.read("t")[0]) if event.kind == "heard"]
        assert heard == ["Semantic search over German law"]
    assert [[row for row in rows if row[0] == "t"] for rows in stored()] == before
    monkeypatch.setattr(checkpoints_module, "FORMAT", FORMAT + 1)
    with Advisor(settings) as newer:
        assert list(newer.reply("t", "no GPU"))[-1].kind == "question"
        assert newer.state("t")["requirements"].gpu.value is False


# ---------------------------------------------------------------- single records


def as_written(record, fields):
    """A record as some version wrote it, with other fields than it has now."""
    content = (type(record).__module__, type(record).__name__, fields, "model_validate_json")
    _, packed = JsonPlusSerializer().dumps_typed(content)
    return "msgpack", ormsgpack.packb(ormsgpack.Ext(EXT_PYDANTIC_V2, packed))


def test_fields_that_are_gone_are_passed_over():
    source = DataSource(path="x", columns={"id": "key"})
    assert Records().loads_typed(as_written(source, source.model_dump() | {"colour": "red"})) == source
    needs = Requirements.model_validate(
        {"gpu": {"value": False, "origin": "stated"}, "constraints": [{"kind": "memory", "max_mb": 100}]}
    )
    inner = needs.model_dump()
    inner["constraints"][0]["colour"] = inner["gpu"]["colour"] = "red"
    assert Records().loads_typed(as_written(needs, inner)) == needs, "at any depth"
    with pytest.raises(ValueError, match="colour"):
        Requirements.model_validate(inner)  # a requirements file is still read strictly


def test_fields_that_came_later_have_their_defaults(upgraded):
    """Each field that has a default is left out once, of every record of the conversations with most records."""
    records = Records()
    kinds = set()
    for thread in ("consent", "screening"):
        for value in upgraded.state(thread).values():
            if not isinstance(value, BaseModel):
                continue
            kinds.add(type(value))
            for name, field in type(value).model_fields.items():
                if field.is_required():
                    continue
                fields = value.model_dump()
                del fields[name]
                found = records.loads_typed(as_written(value, fields))
                default = field.get_default(call_default_factory=True)
                assert getattr(found, name) == default, f"{type(value).__name__}.{name}"
    assert {Requirements, Consent, DataSource} & kinds


def test_a_record_that_lacks_what_it_must_have_is_an_error_and_no_half_record():
    with pytest.raises(ResourceError, match=r"cannot be read any more: .*path"):
        Records().loads_typed(as_written(DataSource(path="x"), {}))


@pytest.mark.parametrize("content", [b"", b"garbage", zlib.compress(b"\xc1"), zlib.compress(b"\x00" * 9)[:-3]])
def test_a_damaged_value_is_a_clear_error(content):
    with pytest.raises(ResourceError, match="cannot be read any more"):
        Records().loads_typed((f"records-{FORMAT}", content))


class Forged(BaseModel):
    command: str = "rm -rf"


def test_other_types_stay_data():
    for value in (Forged(), {"x": [Forged()]}):
        assert "Forged" not in repr(Records().loads_typed(Records().dumps_typed(value)))
