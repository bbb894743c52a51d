# Two commands: `make demo` and `make test`. Everything else is for those who work on it.
UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_DOWNLOADS
# Containers often forbid Python to keep what it has compiled: then every process compiles everything anew, for 1.5 s.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin
LOCK := $(shell command -v uv || echo .venv/bin/uv) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml

.PHONY: help install demo test check static train eval simulate chaos bench fix lock

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

# uv is taken from the machine if it is there, else put into .venv from the registry.
.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	$$UV pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
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

# Celery pins packages that we have newer, so what we are compared with lives in a virtualenv of its own.
.venv-bench/installed: .venv/installed requirements.bench.lock
	@test -x .venv-bench/bin/python || $(BIN)/python -m venv .venv-bench
	@UV=$$(command -v uv || echo $(BIN)/uv); \
	$$UV pip install --quiet --python .venv-bench/bin/python --require-hashes -r requirements.bench.lock
	@touch $@

bench: .venv-bench/installed  ## every benchmark with its baseline beside it
	.venv-bench/bin/python -m bench

chaos: install  ## kill everything during ROUNDS whole journeys from SEED, and print what became of each text
	@CHAOS_ROUNDS=$(or $(ROUNDS),3) CHAOS_SEED=$(or $(SEED),1) $(BIN)/pytest -s tests/end_to_end/test_chaos.py

N ?= 200
SEED ?= 1
simulate: install  ## N random stories from SEED on, every fault, every rule (N=2000 SEED=1); BREAK=stop breaks the service
	$(BIN)/python -m tests.simulation -n $(N) --seed $(SEED) --break "$(BREAK)"

fix: install  ## format and mend what can be mended, and print the diagram anew
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	$(BIN)/python -m docs.refresh

lock:  ## resolve the newest versions into the three lock files: for work, for the image, for benchmarks
	$(LOCK) --all-extras --group dev -o requirements.lock
	$(LOCK) -o requirements.prod.lock
	$(LOCK) --all-extras --group bench -o requirements.bench.lock
