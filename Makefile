# Needs Python 3.11 or newer, git and make. All else goes into .venv, at the versions and hashes in requirements/.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SUM = $(shell cat pyproject.toml $(1) | cksum | cut -d' ' -f1)
FOR := $(CURDIR) $(shell $(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null)
SERVE := .venv/.serve-$(call SUM,requirements/serve.lock)
DEV := .venv/.dev-$(call SUM,requirements/dev.lock)

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: serve test test-all check format lock bench clean help

help: ## What can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

serve: environment $(SERVE) ## Start the mock on http://127.0.0.1:4010
	@exec $(BIN)/mockbill serve $(ARGS)

test: check ## Everything that must hold: lint, types, import rules, specs, tests
	$(BIN)/python -m pytest -m "not slow" -n 2 $(ARGS)

test-all: check ## The same with the slow tests and random seeds
	MOCKBILL_NIGHTLY=1 $(BIN)/python -m pytest -n 2 $(ARGS)

check: environment $(DEV) ## Formatting, lint, types, import rules, specs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/mockbill spec lint --api openapp
	$(BIN)/mockbill spec lint --api control

format: environment $(DEV) ## Let the tools write the code's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml

lock: environment $(DEV) ## Renew requirements/ to the newest versions that pyproject.toml allows
	$(PIP) uv
	$(LOCK) --group build -o requirements/serve.lock
	$(LOCK) --group dev --extra contract -c requirements/serve.lock -o requirements/dev.lock

bench: environment $(DEV) ## Speed beside other servers, in one table
	$(BIN)/python -m tests.bench $(ARGS)

clean: ## Remove whatever was made here
	rm -rf .venv .cache .tox .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist

# An environment of another place or another Python, or one that was never finished, is made anew.
.PHONY: environment
environment:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mockbill needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@if [ "$$(cat .venv/.made-for 2>/dev/null)" != "$(FOR)" ]; then \
	  rm -rf .venv && $(PYTHON) -m venv .venv && echo "$(FOR)" > .venv/.made-for; fi

$(SERVE): requirements/serve.lock pyproject.toml | environment
	@$(PIP) --require-hashes -r requirements/serve.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@rm -f .venv/.serve-* && touch $@

$(DEV): $(SERVE) requirements/dev.lock
	@$(PIP) --require-hashes -r requirements/dev.lock
	@rm -f .venv/.dev-* && touch $@
