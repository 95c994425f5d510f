# Two commands set up everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp

.PHONY: demo test lint types imports format bench screenshots keys servers test-lowest build clean

demo: $(STAMP)-demo ## the product on an embedded cluster, nothing to install
	$(BIN)/celtop demo

test: $(STAMP)-dev servers .types/celtop ## every test, against real brokers and workers
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

keys: $(STAMP)-dev ## the key table of README, from bindings/
	$(BIN)/python -m celtop.bindings README.md

servers:
	@sh tests/install-servers

test-lowest: servers ## the lowest versions that pyproject.toml allows, in a venv of their own
	sh tests/run-lowest $(PYTHON)

build: $(STAMP)-dev
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) .types build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

# The type checkers find the package by its name through this link.
.types/celtop:
	@mkdir -p .types && ln -sfn .. .types/celtop

# Debian's python3 comes without ensurepip; virtualenv brings its own pip.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  rm -rf $(VENV); \
	  $(PYTHON) -m pip install --quiet --user --break-system-packages virtualenv \
	    || $(PYTHON) -m pip install --quiet --user virtualenv; \
	  $(PYTHON) -m virtualenv --quiet $(VENV); }

$(STAMP)-demo: $(BIN)/python pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(STAMP)-dev: $(BIN)/python pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[demo]' --group dev
	@touch $@

$(STAMP)-bench: $(STAMP)-dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --group bench
	@touch $@
