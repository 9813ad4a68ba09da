# Everything a user or developer runs. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# passed to pip, for example an index of CPU builds of torch (see "Installing" in the README)
PIP_FLAGS ?=
CHAT_FLAGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock $(PIP_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help demo chat test thorough check fuzz kills fuzz-api openapi lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# A stamp is older than the files it was made from only when something changed, so set-up runs once.
$(VENV)/.offline: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Setting up $(VENV) (torch and friends, a few minutes the first time) ..."
	@$(PIP) --editable '.[offline]'
	@touch $@

$(VENV)/.ui: $(VENV)/.offline
	@$(PIP) --editable '.[offline,ui]'
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Setting up $(VENV) for development (a few minutes the first time) ..."
	@$(PIP) --editable '.[offline,ui,dev]'
	@touch $@ $(VENV)/.offline $(VENV)/.ui

demo: $(VENV)/.offline ## play a whole conversation on a real corpus, without key, server, GPU or model hub
	@$(BIN)/advisor demo

chat: $(VENV)/.ui ## open the web chat
	@$(BIN)/advisor serve $(CHAT_FLAGS)

# three at once, since tests wait for children, browsers and locks about a third of their time on two cores
test: $(VENV)/.dev check ## run all checks and tests
	@$(BIN)/python -m pytest -n 3 --dist worksteal

thorough: $(VENV)/.dev ## all tests, those that take long too (half an hour)
	@THOROUGH=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev ## style, types, directions of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fuzz: $(VENV)/.dev ## damage files of every format, ten thousand times each (eight minutes)
	@FUZZ_EXAMPLES=10000 $(BIN)/python -m pytest tests/tools/test_datasets.py -k damage --hypothesis-show-statistics

kills: $(VENV)/.dev ## kill an evaluation at twenty random moments, and see that it finds the same (two minutes)
	@THOROUGH=1 KILLS=20 $(BIN)/python -m pytest tests/app/test_evaluate_durability.py tests/app/test_cli_catalog.py -k "random_moments or any_point"

fuzz-api: $(VENV)/.dev ## the HTTP API against its OpenAPI file, all phases of Schemathesis (half an hour)
	@FUZZ_EXAMPLES=50 $(BIN)/python -m pytest tests/app/test_api_fuzz.py

openapi: $(VENV)/.dev ## write docs/openapi.json anew
	@$(BIN)/python -m app.api > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

lock: $(VENV)/.dev ## pin every version anew, from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header \
	  --output-file requirements.lock pyproject.toml

clean: ## remove the virtual environment and what tests leave behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache demo-report
