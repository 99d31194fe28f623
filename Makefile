# Everything runs in .venv, which is made on first use. Needs Python 3.11, 3.12 or 3.13: make demo PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
ENGINE := envs/worlds/bipedal_walker/engine

.PHONY: demo test lint docs install

demo: .venv/package  ## Compare teachers on a toy and on the walker, and film two students: about three minutes on two cores
	$(BIN)/teachgym compare --name demo-cubes --resume --env Hypercubes --teachers random plr
	$(BIN)/teachgym compare demo --resume
	$(BIN)/teachgym watch runs/demo/cells/random-seed-0 runs/demo/cells/adr-seed-0 --output runs/demo/walk.gif

test: install  ## Run all tests, one process a core
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: install  ## Style, formatting, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install  ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

install: .venv/developer  ## Install the package with all that its tests need

# The package alone is what the demo needs; the developer's extras hold it, so that neither undoes the other.
PACKAGE := pyproject.toml setup.py $(wildcard $(ENGINE)/*.* $(ENGINE)/*/*.*)
define installed
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "teachgym needs Python 3.11, 3.12 or 3.13, not $$($(PYTHON) --version): make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '$(1)'
	@! test -e $(ENGINE)_missing.txt || \
		echo "The walker's fast engine was not built: $$(cat $(ENGINE)_missing.txt). The slower reference engine serves." >&2
endef

.venv/package: $(PACKAGE)
	$(call installed,.)
	touch $@

.venv/developer: $(PACKAGE)
	$(call installed,.[dev])
	touch .venv/package $@
