# make run    start Onramp and open it in the browser
# make test   every test          make lint   style, types, layers
# make soak   hours of faults: every step killed 60 times, every disk error
# make bench  against what people use today        make clean  remove caches, environment and build files (never the workspace)

PYTHON ?= python3
ONRAMP_HOME ?= workspace
ROWS ?= 200000

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# A stamp carries the checksum of what it installed: nothing to do the second time, and a changed pin is noticed.
RUN_READY := $(VENV)/.ready-run-$(shell cat requirements.txt | cksum | cut -d ' ' -f 1)
TEST_READY := $(VENV)/.ready-test-$(shell cat requirements*.txt | cksum | cut -d ' ' -f 1)

TYPED := ingest_core $(wildcard app.py) $(if $(wildcard pages/*.py),pages)
APART := browser or slow or faults

.DEFAULT_GOAL := run
.PHONY: run test test-quick soak lint format docs samples bench coverage clean chromium servers

run: $(RUN_READY)
	@mkdir -p -m 700 "$(ONRAMP_HOME)"
	@ONRAMP_HOME="$(ONRAMP_HOME)" $(BIN)/python -m ingest_core serve

# First everything quick on all cores, then what needs the machine to itself: a starved browser times out.
test: servers test-quick chromium
	@$(BIN)/python -m pytest -m "$(APART)" || [ $$? -eq 5 ]  # 5: there are none

test-quick: $(TEST_READY)
	@$(BIN)/python -m pytest -m "not ($(APART) or soak)" -n auto --dist loadfile

# SOAK_WRITE=1 puts the table of kills into docs/reliability.md.
soak: $(TEST_READY)
	@$(BIN)/python -m pytest -m soak -s

lint: $(TEST_READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(TYPED)
	@$(BIN)/lint-imports --no-logo

format: $(TEST_READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(RUN_READY)
	@$(BIN)/python docs/generate_reasons.py

samples: $(TEST_READY)
	@$(BIN)/python samples/make_sample.py --committed

bench: $(TEST_READY)
	@$(BIN)/python benchmarks/compare.py --rows $(ROWS)

coverage: $(TEST_READY)
	@$(BIN)/python -m pytest -m "not ($(APART))" --cov --cov-report=term

clean:
	rm -rf $(VENV) build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium: $(TEST_READY)
	@.ci/chromium "$(BIN)/python"

servers:
	@.ci/servers

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "Onramp needs Python 3.11 or newer, and '$(PYTHON)' was not found. Install it, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Onramp needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1). Name a newer one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Creating $(VENV) …" >&2
	@"$(PYTHON)" -m venv "$(VENV)" || { rm -rf "$(VENV)"; \
	  echo "Python could not create an environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(RUN_READY): | $(BIN)/python
	@echo "Installing what Onramp needs (once; a minute or two) …" >&2
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/.ready-run-* && touch $@

$(TEST_READY): | $(BIN)/python
	@echo "Installing what the tests need (once; a minute or two) …" >&2
	@$(PIP) -r requirements-test.txt
	@$(PIP) --no-deps -r requirements-data.txt || echo "The public sample data is not to be had here; its tests will skip." >&2
	@rm -f $(VENV)/.ready-* && touch $@ $(RUN_READY)
