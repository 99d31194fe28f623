# Everything runs in .venv, which is made on first use. Needs Python 3.11 or newer: make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint install

demo: install  ## Compare random with ALP-GMM on the walker, about five minutes on two cores
	$(BIN)/teachgym compare --name demo --resume

test: install  ## Run all tests, one process a core
	$(BIN)/python -m pytest -n auto

lint: install  ## Style, formatting, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: .venv/installed

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$$($(PYTHON) --version) is too old; teachgym needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev,video]'
	touch $@
