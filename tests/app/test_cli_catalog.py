"""`advisor catalog` through its own door: results from a loopback server, metadata from a stand-in of mteb."""

import gzip
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from app.cli import terminal
from app.cli.commands import make_app
from app.cli.failures import run_to_exit_code
from knowledge.catalog_in_use import CURRENT, usable_catalog
from knowledge.manifest import FILES
from knowledge.outlook import FITS
from tests.app.cli import check_json
from tests.fake_http import Answer, Server
from tests.standin_mteb import cached_results, write_package, write_results
from tools import catalog_refresh
from tools.catalog_build.__main__ import SHIPPED
from tools.catalog_build.fits import build_fits

ROOT = Path(__file__).parents[2]
TABLES = ROOT.parent / "shared" / "data" / "catalog"


class Results(Server):
    """Serves one file, slowly where asked."""

    def __init__(self, content: bytes, status: int = 200, length: int | None = None, wait: float = 0.0) -> None:
        super().__init__()
        self._content, self._status, self._length, self._wait = content, status, length, wait
        self._http.handle_error = lambda *_: None  # clients that hang up in the middle are the point here

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        time.sleep(self._wait)
        headers = {} if self._length is None else {"Content-Length": str(self._length)}
        return self._status, headers, self._content


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def advisor(monkeypatch, capsys, tmp_path):
    """Runs a command in this process, with the stand-in package and small catalogs allowed."""
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site")))
    for name in [name for name in sys.modules if name.partition(".")[0] == "mteb"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    monkeypatch.setattr(catalog_refresh, "LEAST_SHARE", 0.0)  # the stand-in knows five models
    monkeypatch.delenv("ADVISOR_OFFLINE")

    def run(*arguments: str, url: str = "") -> tuple[int, str, str]:
        if url:
            monkeypatch.setenv("ADVISOR_CATALOG_RESULTS_URL", url)
        monkeypatch.setattr(sys, "argv", ["advisor", *arguments])
        terminal.choose_language("en")
        code = run_to_exit_code(make_app())
        out, err = capsys.readouterr()
        check_json(arguments, code, out)
        assert "Traceback" not in err
        return code, out, err

    yield run
    sys.modules.pop("mteb", None)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_refresh_makes_a_copy_that_every_door_uses(advisor, home):
    with Results(gzip.compress(cached_results(), mtime=0)) as server:
        code, out, err = advisor("catalog", "refresh", "--yes", "--quiet", url=server.url + "/r.json.gz")
    assert code == 0, err
    assert "Models:" in out
    assert "+ SciFactPrivate" in out
    assert "- BAAI/bge-m3" in out or "more (all with --json)" in out
    found = usable_catalog(home)
    assert found.folder is not None
    assert found.folder.parent == home / "catalog"
    assert found.refused is None
    assert not [f for f in (home / "catalog").iterdir() if f.name.startswith("building-")]
    code, out, _ = advisor("models", "bge-m3", "--json")
    assert (code, json.loads(out)) == (0, [])
    code, out, _ = advisor("doctor", "--json")
    (line,) = [row for row in json.loads(out) if row["about"] == "catalog"]
    assert line["fine"]
    assert "your own copy" in line["seen"]
    code, out, _ = advisor("shortlist", "--text", "English semantic search", "--json")
    assert code == 0
    shortlist = json.loads(out)
    assert "BAAI/bge-m3" not in {m["model"] for m in (*shortlist["kept"], *shortlist["rejected"])}
    code, out, _ = advisor("catalog", "diff", "--json")
    assert "BAAI/bge-m3" in json.loads(out)["models"]["gone"]


def test_nothing_is_downloaded_without_consent(advisor, home):
    content = gzip.compress(cached_results(), mtime=0)
    with Results(content) as server:
        code, out, err = advisor("catalog", "refresh", url=server.url + "/r.json.gz")
    assert (code, out) == (5, "")
    assert f"({len(content) / 1e6:.1f} MB)" in err
    assert "--yes" in err
    assert not (home / "catalog").exists()


@pytest.mark.parametrize(
    ("server", "code", "why"),
    [
        (Results(b"", status=404), 7, "HTTP 404"),
        (Results(b"", status=302), 7, "HTTP 302"),
        (Results(b"version https://git-lfs.github.com/spec/v1\nsize 98000000\n"), 9, "is not a file of"),
        (Results(b"<html>log in first</html>"), 9, "is not a file of"),
        (Results(gzip.compress(cached_results(broken=True), mtime=0)), 9, "is not a file of"),
        (Results(gzip.compress(cached_results(), mtime=0), length=10_000_000), 7, "fetched"),
    ],
)
def test_whatever_else_comes_is_an_error_and_changes_nothing(advisor, home, server, code, why):
    with Results(gzip.compress(cached_results(), mtime=0)) as good:
        assert advisor("catalog", "refresh", "--yes", "-q", url=good.url + "/r.json.gz")[0] == 0
    before = files_below(home / "catalog")
    with server:
        found, out, err = advisor("catalog", "refresh", "--yes", "-q", url=server.url + "/r.json.gz")
    assert (found, out) == (code, "")
    assert why in err
    assert files_below(home / "catalog") == before


def test_no_network_and_offline_are_clear_errors(advisor, home, monkeypatch):
    code, _, err = advisor("catalog", "refresh", "--yes", url="http://127.0.0.1:9/r.json.gz")
    assert code == 7
    assert "127.0.0.1:9" in err
    assert "Nothing was changed" in err
    monkeypatch.setenv("ADVISOR_OFFLINE", "1")
    code, _, err = advisor("catalog", "refresh", "--yes")
    assert code == 7
    assert "offline" in err
    assert not (home / "catalog").exists()


def test_without_mteb_the_extra_is_named(advisor, monkeypatch):
    monkeypatch.setitem(sys.modules, "mteb", None)
    for command in (("refresh", "--yes"), ("build", "--results", ".", "--out", "x")):
        code, _, err = advisor("catalog", *command)
        assert code == 6
        assert "embedding-advisor[catalog]" in err


def test_a_copy_that_lost_most_models_is_not_put_in_place(advisor, home, monkeypatch):
    monkeypatch.setattr(catalog_refresh, "LEAST_SHARE", 0.8)
    with Results(gzip.compress(cached_results(), mtime=0)) as server:
        code, _, err = advisor("catalog", "refresh", "--yes", "-q", url=server.url + "/r.json.gz")
    assert code == 9
    assert "would lose" in err
    assert usable_catalog(home).folder is None


def test_two_refreshes_at_once(advisor, home):
    home.mkdir()
    with FileLock(home / "catalog.lock"), Results(gzip.compress(cached_results(), mtime=0)) as server:
        code, _, err = advisor("catalog", "refresh", "--yes", "-q", url=server.url + "/r.json.gz")
    assert code == 8
    assert "Another refresh" in err


def test_the_copy_before_is_kept_for_those_who_read_it_and_older_ones_go(advisor, home, tmp_path):
    results = write_results(tmp_path / "results-of-mine")
    folders = []
    for _ in range(4):
        code, out, err = advisor("catalog", "build", "--results", str(results), "--json")
        assert code == 0, err
        folders.append(Path(json.loads(out)["folder"]))
    left = {f for f in (home / "catalog").iterdir() if f.is_dir()}
    assert folders[-1] in left
    assert len(left) <= 3
    assert folders[0] not in left
    assert (home / "catalog" / CURRENT).read_text("utf-8").strip() == folders[-1].name


def test_build_into_a_folder_of_ones_own(advisor, home, tmp_path):
    results = write_results(tmp_path / "results-of-mine")
    code, out, err = advisor("catalog", "build", "--results", str(results), "--out", str(tmp_path / "out"))
    assert code == 0
    assert "Broken.json" in err
    assert str(tmp_path / "out") in out
    assert not (home / "catalog" / CURRENT).exists()
    code, out, _ = advisor("catalog", "diff", str(tmp_path / "out"))
    assert code == 0
    assert "Scores: 2" in out


@pytest.mark.skipif(not TABLES.is_dir(), reason="needs the published tables in ../shared/data/catalog")
def test_build_from_the_tables_gives_the_shipped_catalog_byte_for_byte(advisor, tmp_path):
    made = tmp_path / "out"
    assert advisor("catalog", "build", "--tables", str(TABLES), "--out", str(made))[0] == 0
    code, out, _ = advisor("catalog", "diff", str(made))
    assert (code, out) == (0, "Nothing differs.\n")
    again = "run: python -m tools.catalog_build ../shared/data/catalog"
    names = [name for name in FILES if name != FITS]
    different = [name for name in names if (made / name).read_bytes() != (SHIPPED / name).read_bytes()]
    assert different == [], again
    with np.load(made / FITS) as ours, np.load(SHIPPED / FITS) as shipped:
        assert ours.files == shipped.files, again
        for name in ours.files:  # another machine may round the last digit the other way
            np.testing.assert_allclose(ours[name], shipped[name], rtol=1e-5, atol=2e-5, err_msg=again)
    first = (made / FITS).read_bytes()
    build_fits(made)
    assert (made / FITS).read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("build",), 2),
        (("build", "--results", "a", "--tables", "b"), 2),
        (("build", "--results", "/nowhere/at/all", "--out", "x"), 9),
        (("build", "--tables", "/nowhere/at/all", "--out", "x"), 9),
        (("diff",), 3),
        (("diff", "/nowhere/at/all"), 9),
    ],
)
def test_wrong_use_is_explained(advisor, arguments, code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found, out, err = advisor("catalog", *arguments)
    assert (found, out) == (code, "")
    assert err


def test_a_broken_copy_is_told_of_and_the_shipped_catalog_used(advisor, home):
    (home / "catalog").mkdir(parents=True)
    (home / "catalog" / CURRENT).write_text("gone", "utf-8")
    code, out, err = advisor("models", "bge-m3", "--json")
    assert code == 0
    assert json.loads(out)[0]["model"] == "BAAI/bge-m3"
    assert "cannot be used" in err
    assert "shipped catalog is used" in err
    code, out, _ = advisor("doctor", "--json")
    (line,) = [row for row in json.loads(out) if row["about"] == "catalog"]
    assert not line["fine"]
    assert "advisor catalog refresh" in line["remedy"]


KILLED = """
import sys
from tools import catalog_refresh
from tools.catalog_build.__main__ import SHIPPED
from tools.catalog_build.fits import build_fits
catalog_refresh.LEAST_SHARE = 0.0
from app.cli.commands import make_app
from app.cli.failures import run_to_exit_code
from tests.app.cli import check_json
sys.argv = ["advisor", "catalog", "refresh", "--yes"]
print("ready", flush=True)
sys.exit(run_to_exit_code(make_app()))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_at_any_point_the_old_copy_or_the_new_one_is_there(advisor, home, tmp_path):
    """Whatever moment it dies at, a program started next finds a whole catalog and can refresh again."""
    content = gzip.compress(cached_results(), mtime=0)
    with Results(content, wait=0.05) as server:
        url = server.url + "/r.json.gz"
        assert advisor("catalog", "refresh", "--yes", "-q", url=url)[0] == 0
        old = usable_catalog(home).folder
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'site'}"}
        whole = subprocess.run(
            [sys.executable, "-c", KILLED], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert whole.returncode == 0, whole.stderr
        copies = {old, usable_catalog(home).folder}
        assert len(copies) == 2
        for step in range(0, 8, 1 if "KILLS" in os.environ else 2):
            child = subprocess.Popen(
                [sys.executable, "-c", KILLED],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            assert child.stdout
            child.stdout.readline()
            timer = threading.Timer(0.15 + 0.2 * step, child.kill)
            timer.start()
            child.wait()
            timer.cancel()
            child.stdout.close()
            found = usable_catalog(home)
            assert found.folder is not None
            assert found.refused is None
            assert len(found.catalog.tasks) == 4
        assert advisor("catalog", "refresh", "--yes", "-q", url=url)[0] == 0
    assert not [f for f in (home / "catalog").iterdir() if f.name.startswith("building-")]
