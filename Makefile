# Two commands: `make demo` and `make test`. Both set everything up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
export DAGSTER_DISABLE_TELEMETRY = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false

.PHONY: bench bench-quick lint-contracts docs reference help setup demo test lint types layers unit long snapshot templates format lock clean

help:
	@echo "make demo    set up, run the example mesh on real data, show what is published"
	@echo "make test    set up, then lint, types, import layers and tests"
	@echo "make bench-quick   benchmarks beside what people would use instead, under 5 minutes"
	@echo "make bench         the same at full size; benchmarks/README.md"
	@echo "make lint-contracts   datacontract lint on the example contracts and those of the docs"
	@echo "make docs    the documentation as a site, in site/; fails on a broken link"
	@echo "make reference   write the reference pages of docs/ again, of the code"
	@echo "make ui      the Dagster UI on the example mesh"
	@echo "make format  let ruff format and fix what it can"
	@echo "make long    the long profile: more histories, kills, fuzzing, memory; hours"
	@echo "make snapshot  write the example's asset graph again, to be looked at"
	@echo "make templates  write the rules and dashboards of templates/ again, of the code"
	@echo "make lock    compile the lock again (needs uv)"
	@echo "make clean   remove the virtual environment and the example's store"

setup: $(READY)

$(READY): requirements.lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; say make PYTHON=...") if sys.version_info < (3, 11) else None'
	@echo "Setting up $(VENV) from requirements.lock.txt; the first time takes a few minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --compile --no-deps --require-hashes -r requirements.lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@$(BIN)/python -m compileall -q dataops_mesh
	@touch $(READY)

demo: $(READY)
	@$(BIN)/mesh run
	@echo
	@$(BIN)/mesh status
	@echo
	@echo "What to look at next:"
	@echo "  $(BIN)/mesh query \"select count(*) as n from operations.flights\""
	@echo "  $(BIN)/mesh run weather.as_delivered     # the same feed as it comes: watch the gate refuse it"
	@echo "  $(BIN)/mesh history weather.observations"
	@echo "  $(BIN)/mesh serve                        # the mesh's own pages: what is wrong, a catalogue"
	@echo "  $(BIN)/mesh ui                           # the Dagster UI: one graph across the domains"
	@echo "  docs/example-mesh.md, README.md"

ui: $(READY)
	@$(BIN)/mesh ui

test: lint types layers unit

# Contestants whose pins exclude ours live in environments of their own.
SQLMESH := .venv-bench/sqlmesh

$(SQLMESH)/.tried: benchmarks/sqlmesh.lock.txt
	@test -x $(SQLMESH)/bin/python || $(PYTHON) -m venv $(SQLMESH)
	@$(SQLMESH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $< || echo "SQLMesh could not be installed; the report says so."
	@touch $@

# The same for datacontract-cli, which most people lint their contracts with.
DATACONTRACT := .venv-bench/datacontract

$(DATACONTRACT)/bin/datacontract:
	@test -x $(DATACONTRACT)/bin/python || $(PYTHON) -m venv $(DATACONTRACT)
	@$(DATACONTRACT)/bin/python -m pip install --quiet --disable-pip-version-check datacontract-cli==1.2.8

lint-contracts: $(READY) $(DATACONTRACT)/bin/datacontract
	@$(BIN)/python tests/spec/standards/lint_contracts.py $(DATACONTRACT)/bin/datacontract

# The site's generator has an environment of its own: nobody needs it to work here.
DOCS := .venv-bench/docs

$(DOCS)/bin/mkdocs:
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check mkdocs-material==9.8.2

docs: $(DOCS)/bin/mkdocs
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --quiet --clean && echo "site/index.html"

reference: $(READY)
	@$(BIN)/python tests/docs/reference.py

bench: $(READY) $(SQLMESH)/.tried
	@$(BIN)/python -m benchmarks --scale full

bench-quick: $(READY) $(SQLMESH)/.tried
	@$(BIN)/python -m benchmarks --scale quick

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }

types: $(READY)
	@$(BIN)/mypy

layers: $(READY)
	@$(BIN)/lint-imports --no-cache

unit: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

long: $(READY)
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

snapshot: $(READY)
	@$(BIN)/python -m tests.examples.asset_graph

format: $(READY)
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

templates: $(READY)
	@$(BIN)/mesh report dashboards --out templates

lock:
	@uv pip compile pyproject.toml --group dev --group examples --group bench --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-annotate --no-emit-index-url --quiet -o requirements.lock.txt
	@cd benchmarks && uv pip compile sqlmesh.in --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --quiet -o sqlmesh.lock.txt

clean:
	@rm -rf $(VENV) .mesh .bench .venv-bench
