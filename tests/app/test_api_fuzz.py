"""The HTTP API against its own OpenAPI file: Schemathesis with all its checks, and from one request to the next.

By default some seconds of it; `make fuzz-api` runs all phases with more examples.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.api import Server, add_key

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
#: the coverage phase alone sends some thousand requests
PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES else "fuzzing,stateful"


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path / "home", "--no-chat")
    made.key = add_key(made.home, "fuzz")
    made.start()
    yield made
    made.stop()


def test_the_api_keeps_to_its_openapi_file(server, tmp_path):
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", f"{ROOT}/tests/app/schemathesis.toml"),
        *("run", f"{server.url}/v1/openapi.json", "--header", f"Authorization: Bearer {server.key}"),
        *("--phases", PHASES, "--max-examples", EXAMPLES or "2", "--request-timeout", "60", "--no-color"),
        # the same requests each time, unless there is time to find others
        *(() if EXAMPLES else ("--seed", "1")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested
    assert int(tested.group(1)) > 30
    assert server.process.poll() is None
    assert not list((server.home / "logs").glob("bug-*"))
