# The two commands of the README: `make demo` and `make test`. Everything else is documented in docs/contributing.md.
PYTHON ?= $(shell for name in python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
BIN := .venv/bin
UV_VERSION := 0.13.9
COVERED := statistics privacy experiments rollout

# Two test processes on two cores: threads of the linear algebra would only wait for each other.
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := demo
.PHONY: demo install test check unit scoreboard scoreboard-short torture coverage bench docs lock clean

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Layer 7 needs Python 3.11 or newer; name it with 'make PYTHON=...'"; exit 1; }
	@echo "Installing into .venv from requirements.lock (about a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# In a terminal the demo ends by serving its pages (Ctrl-C stops it); in a script it stops before that.
demo: install
	@if [ -t 1 ]; then $(BIN)/layer7 demo; else $(BIN)/layer7 demo --no-serve; fi

test: check unit

check: install
	@mkdir -p build
	@$(BIN)/ruff format --check --quiet src tests
	@$(BIN)/ruff check --quiet src tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >build/imports.log 2>&1 || { cat build/imports.log; exit 1; }

unit: install
	@$(BIN)/pytest -q -n 2 --dist worksteal

# Is the engine telling the truth? The short form stops at gross failures; the full one writes the table that
# the README shows (docs/scoreboard.md says how long that takes).
scoreboard-short: install
	@mkdir -p build
	@$(BIN)/layer7 scoreboard --short --jobs 2 >build/scoreboard.log || { cat build/scoreboard.log; exit 1; }

scoreboard: install
	@$(BIN)/layer7 scoreboard --write .

# The long forms of the audits: 100,000 random data sets against the bound of the release, and 120,000 canaries
# through it, with each known fault in its turn. Then every law with fresh examples. 17 minutes of a processor.
torture: install
	@LAYER7_TORTURE=1 $(BIN)/pytest -q tests/privacy/test_bounding.py tests/privacy/test_audit.py
	@LAYER7_TORTURE=1 $(BIN)/pytest -q -m hypothesis --ignore=tests/privacy tests

# Branch coverage of the rooms where a wrong number harms: at least 95 %.
coverage: install
	@$(BIN)/pytest -q -n 2 $(foreach room,$(COVERED),--cov=layer7.$(room)) --cov-branch --cov-report=term-missing:skip-covered \
		--cov-fail-under=95 $(foreach room,$(COVERED),tests/$(room) src/layer7/$(room))

# About ten minutes: a market of half a million applications, a release over a million people, then ten million
# events, a full night, and a night over one more day.
bench: install
	@$(BIN)/python benchmarks/simulate.py
	@$(BIN)/python benchmarks/release.py
	@$(BIN)/python benchmarks/night.py
	@$(BIN)/python benchmarks/analyze.py

docs: install
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

clean:
	@rm -rf .venv build .layer7-demo .layer7-bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

lock: install
	@$(BIN)/uv pip compile pyproject.toml --group dev --extra insights --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock
