# Needs Python 3.11 or newer, git and make; everything else is installed into .venv at the versions in requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed-$(shell cksum requirements.lock pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: serve test test-all check format lock bench clean help

help: ## What can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

serve: $(STAMP) ## Start the mock on http://127.0.0.1:4010
	@$(BIN)/mockbill serve $(ARGS)

test: $(STAMP) check ## Everything that must hold: lint, types, import rules, specs, tests
	$(BIN)/python -m pytest -m "not slow" -n 2 $(ARGS)

test-all: $(STAMP) check ## The same with the slow tests and random seeds
	MOCKBILL_NIGHTLY=1 $(BIN)/python -m pytest -n 2 $(ARGS)

check: $(STAMP) ## Formatting, lint, types, import rules, specs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/mockbill spec lint --api openapp
	$(BIN)/mockbill spec lint --api control

format: $(STAMP) ## Let the tools write the code's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## Renew requirements.lock to the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate --extra contract --group dev pyproject.toml -o requirements.lock

bench: $(STAMP) ## Speed beside other servers, in one table
	$(BIN)/python -m tests.bench

clean: ## Remove whatever was made here
	rm -rf .venv .cache .tox .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mockbill needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f .venv/.installed-* && touch $@
