# Two commands set up everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
LOWEST := .venv-lowest

# The tests start many processes: each would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint format bench screenshots keys servers test-lowest build clean

demo: $(STAMP)-demo ## the product on an embedded cluster, nothing to install
	$(BIN)/celtop demo

test: $(STAMP)-dev servers .types/celtop ## every test, against real brokers and workers, with the newest dependencies
	$(BIN)/pytest $(ARGS)

lint: $(STAMP)-dev .types/celtop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)-bench servers
	$(BIN)/python -m benchmarks.run $(ARGS)

screenshots: $(STAMP)-dev
	$(BIN)/python screenshots/take.py
	$(BIN)/python screenshots/cast.py

keys: $(STAMP)-dev ## the tables of keys and of findings in the documents, and the manual page
	$(BIN)/python -m celtop.bindings README.md
	$(BIN)/python -m celtop.export.finding_codes docs/findings.md
	$(BIN)/python -m celtop.cli.man_page docs/celtop.1

servers:
	@sh tests/install-servers

# The stream of the flood is written with what kombu has only since 5.5.
test-lowest: $(LOWEST)/.stamp servers ## the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/pytest -m "not snapshot" --ignore tests/end_to_end/test_flood.py $(ARGS)

build: $(STAMP)-dev
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) $(LOWEST) .types build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

# The type checkers find the package by its name through this link.
.types/celtop:
	@mkdir -p .types && ln -sfn .. .types/celtop

# Debian's python3 comes without ensurepip; virtualenv brings its own pip.
%/bin/python:
	@$(PYTHON) -m venv $* 2>/dev/null || { \
	  rm -rf $*; \
	  $(PYTHON) -m pip install --quiet --user --break-system-packages virtualenv \
	    || $(PYTHON) -m pip install --quiet --user virtualenv; \
	  $(PYTHON) -m virtualenv --quiet $*; }

$(STAMP)-demo: $(BIN)/python pyproject.toml
	@echo 'Installing celtop into $(VENV) (once, about a minute) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(STAMP)-dev: $(BIN)/python pyproject.toml
	@echo 'Installing celtop and its development tools into $(VENV) (once, a few minutes) ...'
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
	  --editable '.[demo]' --group dev
	@touch $@

$(STAMP)-bench: $(STAMP)-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --group bench
	@touch $@

$(LOWEST)/.stamp: $(LOWEST)/bin/python pyproject.toml
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@sed -n '/^dependencies = /,/^]/s/^ *"\([^">]*\)>=\([0-9.]*\).*/\1==\2/p' pyproject.toml > $(LOWEST)/lowest.txt
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check --editable '.[demo]' \
	  --requirement $(LOWEST)/lowest.txt --group dev
	@touch $@
