# Two commands: `make demo` and `make test`. Everything else is for those who work on it.
UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_DOWNLOADS
PYTHON ?= python3
BIN := .venv/bin
LOCK := $(shell command -v uv || echo .venv/bin/uv) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml

.PHONY: help install demo test check static train eval simulate bench fix lock

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

check: static  ## format, lint, types, import contracts, migrations, texts, short tests; changes nothing
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

static: install  ## the part of check that runs nothing of ours
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

train: install  ## build the router's model from flows/phrasings
	$(BIN)/python -m training

eval: install  ## score the router on the frozen blind sets
	$(BIN)/python -m training.evaluate

N ?= 200
SEED ?= 1
simulate: install  ## N random stories from SEED on, every fault, every rule (N=2000 SEED=1)
	$(BIN)/python -m tests.simulation -n $(N) --seed $(SEED)

bench: install  ## every benchmark with its baseline beside it
	$(BIN)/python -m bench

fix: install  ## format and mend what can be mended, and print the diagram anew
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	$(BIN)/python -m docs.refresh

lock:  ## resolve the newest versions into the two lock files: for work, and for the image
	$(LOCK) --all-extras --group dev -o requirements.lock
	$(LOCK) -o requirements.prod.lock
