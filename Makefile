PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: help setup demo local test bench lint types lock clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

bench: $(READY) ## Listings beside peers, in tables; ARGS="--quick" is shorter
	@$(BIN)/python -m benchmarks.listing $(ARGS)

setup: $(READY) ## Make .venv from requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seeder needs Python 3.11 or newer; set PYTHON=… for make")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY) ## Seed a bucket on the local cloud; ARGS="--help" shows the options
	@$(BIN)/seeder demo $(ARGS)

local: $(READY) ## Serve the local cloud on 127.0.0.1 until Ctrl-C
	@$(BIN)/seeder local $(ARGS)

test: lint types ## Lint, types and all tests
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	$(BIN)/mypy

lock: ## Resolve requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-header --quiet --output-file requirements.lock

clean: ## Remove what make has made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
