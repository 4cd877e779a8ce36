# Everything runs inside this folder: .venv, node_modules, .home (tools' own homes), .cache, build.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?=
BIN := .venv/bin
NPM := node_modules/.bin
# The program itself: npm's wrapper around it ends with 0 whatever forge says. The shell fills in the platform.
FORGE := node_modules/@foundry-rs/forge-*/bin/forge
SCRIPTS := "verifier/src/!(generated|keccak_f).js" "verifier/test/*.mjs" verifier/cli.mjs "tests/verifier/*.mjs"
SOLIDITY := "contracts/**/*.sol" "tests/solidity/**/*.sol"

# Tools that keep state in the home folder or ask the network for news get neither.
export SOLCX_BINARY_PATH := $(CURDIR)/.cache/solcx
export FOUNDRY_DISABLE_NIGHTLY_WARNING := 1

.PHONY: help setup compile analyse unoptimised artefacts-check lint format forge pytest brownie test demo bench bench-large gas-snapshot deep lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything below this folder (idempotent)
	@for python in $(or $(PYTHON),$(BIN)/python python3 python3.12 python3.11); do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then \
	    exec "$$python" tools/install.py; \
	  fi; \
	done; echo "Python 3.11 or 3.12 is needed: make setup PYTHON=/path/to/python3.12" >&2; exit 1

compile: setup ## compile what changed into ledger/chain/artefacts, and the page's verifier
	@$(BIN)/python tools/build.py
	@$(BIN)/python tools/build_verifier.py

analyse: setup ## types and warnings of the contracts only, a few seconds
	@$(BIN)/python tools/build.py --analyse

unoptimised: setup ## the contracts without the optimiser, for the differential tests
	@$(BIN)/python tools/build.py --unoptimised

artefacts-check: setup ## a fresh compile equals the packaged artefacts and the page's verifier
	@$(BIN)/python tools/build.py --check
	@$(BIN)/python tools/build_verifier.py --check

lint: setup ## every linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(NPM)/prettier --log-level warn --check --no-error-on-unmatched-pattern $(SOLIDITY)
	$(NPM)/prettier --log-level warn --config verifier/.prettierrc.json --check $(SCRIPTS)
	$(NPM)/solhint --disc --noPoster --max-warnings 0 "contracts/**/*.sol"

format: setup ## let the formatters write
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(NPM)/prettier --log-level warn --write --no-error-on-unmatched-pattern $(SOLIDITY)
	$(NPM)/prettier --log-level warn --config verifier/.prettierrc.json --write $(SCRIPTS)

forge: setup ## Solidity fuzz and invariant tests
	$(FORGE) test

pytest: setup ## the Python tests
	$(BIN)/pytest -n auto

brownie: setup ## Brownie alone: compile, its tests, the deploy script, each on an anvil of its own
	$(BIN)/python tools/run_brownie.py

# Two compilers at once where there is a core for each; every step's output stays in one piece.
test: setup ## everything that has to pass
	@$(MAKE) -j2 $(if $(filter output-sync,$(.FEATURES)),-O) artefacts-check unoptimised lint forge brownie
	$(BIN)/pytest -n auto

demo: setup ## the whole story on a local chain
	$(BIN)/licence-ledger demo

bench: compile ## gas and speed against the peers: about 20 minutes on two cores, large sizes left out
	$(BIN)/python -m benchmarks

bench-large: compile ## the sizes of the goals: 100 million usage rows, 10 million payees, 100,000 reports audited
	$(BIN)/python -m benchmarks --large

gas-snapshot: compile ## take over gas figures that were meant to change, and render the tables
	$(BIN)/python -m benchmarks gas-snapshot

deep: setup unoptimised ## long campaigns: forge, every mutant, properties with new seeds, 10,000 histories and trees on both builds, Spark
	FOUNDRY_PROFILE=deep $(FORGE) test
	MUTANTS=all $(BIN)/pytest -n auto tests/mutants
	PROPERTIES=random $(BIN)/pytest -n auto tests/audit tests/chain tests/domain tests/report tests/usage
	$(BIN)/uv pip install --quiet --require-hashes -r requirements/spark.txt
	DIFFERENTIAL=1 $(BIN)/pytest -n auto tests/differential

lock: setup ## resolve the Python pins anew
	$(BIN)/uv pip compile pyproject.toml --extra compile --extra brownie --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements/dev.txt
	grep '^uv==' requirements/dev.txt | cut -d' ' -f1 | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements/uv.txt
	echo 'pyspark>=4.0' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet -o requirements/spark.txt

clean: ## remove what the targets made, the environments included
	rm -rf .venv node_modules .home .cache build cache broadcast dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
