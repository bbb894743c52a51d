# Two commands: `make demo` and `make test`. Everything else is for those who work on it.
UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_DOWNLOADS
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help install demo test check bench fix lock

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# uv is taken from the machine if it is there, else put into .venv from the registry.
.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	$$UV pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	$$UV pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

install: .venv/installed  ## prepare .venv with the `scanguide` command

demo: install  ## everything on one port, with a phone in the browser
	@$(BIN)/scanguide demo

test: install  ## all tests, on real PostgreSQL and Valkey
	$(BIN)/pytest -n 2 --dist loadgroup

check: install  ## format, lint, types, import contracts, migrations, texts, short tests; changes nothing
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

bench: install  ## every benchmark with its baseline beside it
	$(BIN)/python -m bench

fix: install  ## format and mend what can be mended, and print the diagram anew
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	$(BIN)/python -m docs.refresh

lock:  ## resolve the newest versions into requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --all-extras --group dev \
	  --python-version 3.11 pyproject.toml -o requirements.lock
