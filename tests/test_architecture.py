"""Habits of review, as tests: who imports whom, what importing costs, what must be documented."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("knowledge", "tools", "agent", "app")
#: taking seconds to import, so only used where they are needed
HEAVY = {
    "torch",
    "sentence_transformers",
    "transformers",
    "gradio",
    "plotly",
    "scipy",
    "langchain_openai",
    "onnxruntime",
    "openvino",
    "pymilvus",
    "pyarrow",
    "lingua",
    "openai",
    "huggingface_hub",
    "wordllama",
    "model2vec",
    "pandas",
    "sklearn",
    "mteb",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_the_one_of_this_repository(package):
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def modules() -> list[str]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] in ("__init__", "__main__") else parts))
    return sorted(set(found))


#: modules that are made of a heavy library; nobody imports them before they are needed
MADE_OF_GRADIO = {"app.chat.page", "app.chat.controls", "app.chat.files", "app.chat.pulse", "app.chat.view"}


def test_importing_everything_imports_nothing_heavy_and_does_nothing():
    """All modules in one fresh process, with the network closed."""
    code = (
        "import socket, sys\n"
        "def closed(*a, **k): raise AssertionError('importing opens a connection')\n"
        "socket.socket.connect = closed\n"
        f"for name in {sorted(set(modules()) - MADE_OF_GRADIO)!r}: __import__(name)\n"
        f"print(','.join(sorted(set(m.split('.')[0] for m in sys.modules) & {HEAVY!r})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
    assert done.stderr == ""


def test_help_imports_little():
    code = (
        "import sys, app.cli\nsys.argv = ['advisor', '--help']\n"
        "try: app.cli.main()\nexcept SystemExit: pass\n"
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & {HEAVY | {'pydantic', 'numpy', 'langgraph'}!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip().endswith("[]")


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                    found.append((path, node))
    return found


def test_nothing_is_unpickled():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text("utf-8")
            assert "import pickle" not in text, path
            assert "allow_pickle=True" not in text, path
            assert "trust_remote_code=True" not in text, path
    for path, call in calls("np.load"):
        assert any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in call.keywords), path


def test_only_the_settings_read_the_environment():
    readers = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        # the program of a deployment runs elsewhere, by itself
        if "pipeline" not in path.parts and re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text("utf-8"))
    }
    # workers passes a few names on to children; Gradio's and Ragas' switches must be set before they are imported
    children = {"tools/workers.py", "tools/fork_server.py"}  # which get an environment of their own
    assert readers <= {"agent/settings.py", "app/chat/server.py", "tools/rag_judge/by_ragas.py"} | children


def test_every_setting_constraint_and_extra_is_in_the_readme():
    import tomllib

    from agent.settings import Settings
    from knowledge.constraints import CONSTRAINTS

    readme = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = next(iter(getattr(alias, "choices", [])), None) or f"ADVISOR_{name.upper()}"
        assert f"`{variable}`" in readme, variable
    for kind in CONSTRAINTS:
        assert f"`{kind}`" in readme, kind
    for extra in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]:
        assert f"`{extra}`" in readme, extra


def test_the_readmes_exit_codes_are_those_of_the_code():
    from app.cli.failures import ALERT, BUG, CHECKS_FAILED, INTERRUPTED
    from knowledge import errors

    readme = (ROOT / "README.md").read_text("utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}
    raised = {e.exit_code for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.AdvisorError)}
    assert documented == raised | {0, 2, BUG, CHECKS_FAILED, ALERT, INTERRUPTED}


DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_commands_exist(document):
    import typer

    from app.cli.commands import make_app

    command = typer.main.get_command(make_app())
    used = re.findall(r"bin/advisor +(?:--lang zh +)?(\w+)(.*)", document.read_text("utf-8"))
    assert len(used) > 4
    for name, rest in used:
        found = command.commands[name]
        if hasattr(found, "commands"):  # advisor catalog refresh
            found = found.commands[rest.split()[0]]
        options = {option for p in found.params for option in (*p.opts, *p.secondary_opts)}
        for option in re.findall(r"(?<=\s)(--?[a-z][a-z0-9-]*)", re.split(r"#|\|\||>", rest)[0]):
            assert option in options, (name, option)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)]+)\)", document.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


def test_the_readmes_requirements_file_is_read(tmp_path):
    from knowledge.requirements import read_requirements

    readme = (ROOT / "README.md").read_text("utf-8")
    example = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert example
    path = tmp_path / "requirements.json"
    path.write_text(example.group(1), "utf-8")
    assert len(read_requirements(path).constraints) == 3


def test_every_pinned_version_is_a_version():
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)?", line), line
        assert "://" not in line
