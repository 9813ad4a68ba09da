"""The environment, and what one process shares between conversations."""

from pathlib import Path

import pytest

from agent.graph import make_context
from agent.settings import Settings
from tests.animals import write_dataset
from tools.data_source import STDLIB, DataSource, exists


def test_an_argument_beats_the_environment_and_the_environment_the_default(monkeypatch, tmp_path):
    assert Settings(language="zh").language == "zh"
    monkeypatch.setenv("ADVISOR_LANGUAGE", "en")
    assert Settings().language == "en"
    assert Settings(language="zh").language == "zh"
    monkeypatch.setenv("ADVISOR_LANGUAGE", "")
    assert Settings().language is None


def test_what_the_tools_get(monkeypatch, tmp_path):
    monkeypatch.setenv("MILVUS_URI", "http://milvus.example:19530")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    monkeypatch.setenv("ADVISOR_CHILD_MEMORY_MB", "512")
    monkeypatch.setenv("ADVISOR_CHILD_MINUTES", "1.5")
    workspace = Settings(home=tmp_path).workspace()
    assert workspace.milvus_uri == "http://milvus.example:19530"
    assert workspace.hub_endpoint == "https://hub.example"
    assert (workspace.home, workspace.offline, workspace.child_memory_mb) == (tmp_path, True, 512)
    assert workspace.child_seconds == 90
    assert Settings(home=tmp_path, child_minutes=None).workspace().child_seconds is None
    assert workspace.openai_api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(Settings()) + repr(workspace)


@pytest.mark.parametrize("name", ["ADVISOR_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline(monkeypatch, name):
    monkeypatch.delenv("ADVISOR_OFFLINE")
    assert Settings().offline is False
    monkeypatch.setenv(name, "1")
    assert Settings().offline is True


def test_the_last_dataset_is_read_once(tmp_path):
    context = make_context(Settings(home=tmp_path), report_folder=tmp_path / "report")
    source = DataSource(path=str(write_dataset(tmp_path / "one")))
    assert context.dataset(source) is context.dataset(DataSource(path=source.path))
    other = DataSource(path=str(write_dataset(tmp_path / "two")))
    assert context.dataset(other) is not context.dataset(source)
    assert context.report_folder_of("run") == tmp_path / "report"
    assert make_context(Settings(home=tmp_path)).report_folder_of("run") == tmp_path / "reports" / "run"


def test_a_sample_comes_in_the_size_asked_for():
    sample = DataSource(path=STDLIB, documents=40, queries=5).read()
    assert (len(sample.documents), len(sample.queries)) == (40, 5)


def test_data_on_the_command_line():
    source = DataSource(path="d", columns={"text": "body", "id": "key"}, skip_bad=True, documents=3, queries=2)
    assert source.arguments == "--data d --documents 3 --queries 2 --column id=key --column text=body --skip-bad"
    assert DataSource(path="d").arguments == "--data d"


@pytest.mark.parametrize("path", ["", "nul\0", "x" * 10_000, "~nobody-has-this-home/x", "\ud83d", "nowhere"])
def test_what_is_no_path_does_not_exist(path):
    assert exists(path) is False
    assert exists(str(Path.cwd())) is True
