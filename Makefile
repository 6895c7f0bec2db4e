# One word per task. The first use builds .venv from requirements.lock; without make, see "Without make" in README.md.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
APT    := -o Acquire::http::Timeout=20 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=60

.DEFAULT_GOAL := help
.PHONY: help setup programs run test lint bench docs lock clean

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile
	@echo "  settings go into ARGS, e.g. make run ARGS=\"study.years=3 closure=none\""

setup: $(READY)  ## build the environment in .venv (the others do it when needed)

programs:  # LibreOffice Calc recalculates the workbook in the tests, Chromium opens the pages; pytest says what did not run
	@lack() { for name do if command -v $$name >/dev/null 2>&1; then return 1; fi; done; }; \
	missing=; if lack soffice libreoffice; then missing=libreoffice-calc; fi; \
	if lack chromium chromium-browser google-chrome chrome; then missing="$$missing chromium"; fi; \
	if [ -z "$$missing" ] || lack apt-get; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; elif sudo -n true >/dev/null 2>&1; then root="sudo -n"; else exit 0; fi; \
	echo "Installing for the tests:" $$missing "(some minutes, only the first time)."; \
	{ $$root apt-get -qq $(APT) update; \
	  for package in $$missing; do \
	    $$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y $(APT) install --no-install-recommends $$package; \
	  done; \
	} </dev/null >/dev/null 2>&1 || true

run: $(READY)  ## let the reference county live ten years of school days and write its report
	@$(BIN)/python -m sim run $(ARGS)

test: lint programs  ## check style and types, then run the tests
	@$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(READY)  ## check style, layout and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)  ## measure the speed that the project promises
	@$(BIN)/python tests/bench.py

docs: $(READY)  ## write the generated pages of docs/ anew
	@$(BIN)/python docs/make.py

lock:  ## pin what pyproject.toml asks for, keeping the pins there are (needs uv; ARGS=--upgrade pins all anew)
	@cp requirements.lock requirements.new
	@uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	    --extra dev --extra cluster --no-annotate --no-header $(ARGS) --output-file requirements.new pyproject.toml
	@{ sed -n '/^#/!q;p' requirements.lock; cat requirements.new; } > requirements.next
	@mv requirements.next requirements.lock && rm requirements.new

clean:  ## remove the environment and what tools left behind; results stay
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	find sim tests docs experiments -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "$(PYTHON) is missing or not Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot make a virtual environment. Install its venv package (Debian, Ubuntu: python3-venv)."; exit 1; }
	@echo "Building the environment in $(VENV): about a minute, only the first time."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
