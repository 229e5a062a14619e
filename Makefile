# `make help` lists what there is, and `.venv/bin/nox -l` the longer stages. Every target that needs the environment makes it first.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.ready
# Hundreds of processes are started: none of them shall compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup
help: ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo; echo "  .venv/bin/nox -l      List the longer stages, such as crashes and histories"

setup: $(SETUP) ## Make .venv with every extra and the development tools (locked, with hashes)

$(SETUP): requirements.lock pyproject.toml recipe/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements.lock names into .venv (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e recipe
	@touch $(SETUP)

.PHONY: lock
# The bot of dependencies runs the command that stands at the top of each lock: `=` in each option, names without folders.
LOCK = uv pip compile --quiet --upgrade --universal --python-version=3.11 --generate-hashes
lock: setup ## Write requirements.lock anew, for the client and the recipe
	@export PATH="$(CURDIR)/$(BIN):$$PATH" && $(LOCK) pyproject.toml recipe/pyproject.toml --all-extras --group=dev --group=recipe/pyproject.toml:dev --output-file=requirements.lock && \
		for folder in benchmarks $(dir $(wildcard tests/*/requirements.in)); do \
			(cd $$folder && $(LOCK) requirements.in --output-file=requirements.txt) || exit 1; done

.PHONY: generate check-generated
DOCUMENTS = $(filter-out %.accepted.yaml %.settings.yaml %.overlay.yaml,$(wildcard openapi/*.yaml))
generate: setup ## Write generated/ from openapi/ (or SPEC=document OUT=folder NAME=package)
	@$(BIN)/python -m victor_spec generate "--out=$${OUT:-generated}" $(if $(NAME),"--name=$$NAME") \
		-- $(if $(SPEC),"$$SPEC",$(DOCUMENTS))

check-generated: setup ## Fail when a generated package is stale, edited by hand, or lacks anything of the document
	@for found in $(filter-out $(patsubst openapi/%.yaml,generated/%_api,$(DOCUMENTS)),$(wildcard generated/*)); do \
		echo "$$found is of no document in openapi/. What 'make generate' does not write has no place in generated/."; exit 1; done
	@$(BIN)/python -m victor_spec check --out=generated $(DOCUMENTS)

.PHONY: update-spec
update-spec: SPEC = openapi/victor.yaml
update-spec: setup ## Replace a document by a newer one: FROM=newer.yaml (SPEC=openapi/victor.yaml), and say what to decide
	@$(BIN)/python -m tests.contracts.update_spec "$(SPEC)" "$(FROM)"

.PHONY: demo sandbox
demo: setup ## Watch a dozen requests for payment go through a sandbox that fails on purpose
	@$(BIN)/python examples/demo.py

sandbox: PORT = 8900
sandbox: setup ## Run the sandbox on port 8900 (or PORT=...), with demo data
	@$(BIN)/victor sandbox --demo-data --port "$(PORT)"

.PHONY: test test-all quick lint format contracts
# One more than there are cores: some tests wait for what is slow on purpose.
test: setup ## Run all checks, and every rule at its borders: five minutes on two quiet cores
	@$(BIN)/nox --session checks
	@$(BIN)/nox --session test_recipe -- test
	@$(BIN)/python -m pytest -n "$(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)" --dist worksteal --tier test

test-all: SEED = $(shell date -u +%Y%m%d)
test-all: setup ## Run everything there is, which takes hours: every case, searches from a seed that is printed (or SEED=...)
	@echo "SEED=$(SEED)"
	@PLATFORMS="Linux Darwin Windows" $(BIN)/nox --session checks
	@VICTOR_SEARCH="$(SEED)" $(BIN)/nox --session test_recipe -- all "$(SEED)"
	@VICTOR_FAULTS=all VICTOR_SEARCH="$(SEED)" $(BIN)/python -m pytest -n "$$(getconf _NPROCESSORS_ONLN)" --dist worksteal --hypothesis-seed "$(SEED)"
	@$(BIN)/nox --session histories -- 100000 "$(SEED)"
	@$(BIN)/nox --session histories -- cancellations
	@$(BIN)/nox --stop-on-first-error --session crashes

quick: setup ## Run what needs no process and no waiting, in less than a minute on two cores
	@$(BIN)/python -m pytest -q -n 2 --tier quick tests
	@$(BIN)/nox --session test_recipe -- quick

lint: setup ## Style of code, and its format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; $(BIN)/ruff format --check .; exit 1; }

format: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

contracts: setup ## Who may import whom
	@$(BIN)/lint-imports --no-cache

.PHONY: pages docs
# What pages say of commands, promises, sandboxes and operations.
PAGES = tests.providers.prepared tests.pages.operation_counts
pages: setup ## Write what pages take from the code
	@for page in $(PAGES); do $(BIN)/python -m $$page || exit 1; done

docs: pages ## Write the documentation as a site into site/
	@$(BIN)/zensical build --strict
	@echo "site/index.html"

.PHONY: bench
bench: setup ## Measure calls and entries beside raw httpx, other clients and code by hand; writes docs/benchmarks.md
	@$(MAKE) --no-print-directory .venv/bench || echo "The clients of others are not installed: their rows say so."
	@$(BIN)/python -m benchmarks --output docs/benchmarks.md

.PHONY: build
build: setup ## Build the wheel and the source distribution into dist/
	@rm -f dist/victor_ext-*
	@$(BIN)/python -m hatchling build

# Beside the environment: what the tests run with stays as it is locked.
.venv/release: tests/release/requirements.txt
.venv/bench: benchmarks/requirements.txt
.venv/release .venv/bench: | $(SETUP)
	@echo "Installing what $< names into $@ ..."
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps \
		--require-hashes --target $@ -r $< || { rm -rf $@; exit 1; }
	@touch $@

# Only unpacked: a server that is installed listens on this machine. What is installed already is taken, too (`--reinstall`).
.venv/gateways: tests/gateways/packages.txt | $(SETUP)
	@echo "Unpacking what $< names, and what that needs, into $@ ..."
	@rm -rf $@
	@mkdir -p $@
	@{ plan=$$(apt-get --simulate --quiet --quiet --no-install-recommends --reinstall install $$(cat $<)) && cd $@ && \
		apt-get --quiet --quiet --option APT::Sandbox::User=$$(id -un) download $$(echo "$$plan" | awk '/^Inst/ { print $$2 }') && \
		for package in *.deb; do dpkg --extract "$$package" . || exit 1; done && rm -- *.deb; } || \
		{ rm -rf $@; echo "Debian's packages cannot be had here; 'apt-get update' lists the newest ones."; exit 1; }

# One of the checks as a target: some of them run side by side.
check-%: setup
	@$(BIN)/nox --session checks -- $*
