# `make help` lists what there is. Every target that needs the environment makes it first.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.ready
CORES = $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
MAKEFLAGS += --no-print-directory
# Hundreds of processes are started: none of them shall compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup
LIST = awk -F ':.* \#+ ' '/^[a-z-]+:.* $(1) / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
help: ## Show this list
	@echo "Every day:"; $(call LIST,\#\#)
	@echo; echo "Long stages:"; $(call LIST,\#\#\#)

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
	@$(BIN)/python -m victor_spec check --out=generated $(DOCUMENTS) || { echo "Run 'make generate', and commit what it writes."; exit 1; }

.PHONY: update-spec
update-spec: SPEC = openapi/victor.yaml
update-spec: setup ## Replace a document by a newer one: FROM=newer.yaml (SPEC=openapi/victor.yaml), and say what to decide
	@$(BIN)/python -m tests.contracts.update_spec "$(SPEC)" "$(FROM)"

.PHONY: demo sandbox service
demo: setup ## Watch a dozen requests for payment go through a sandbox that fails on purpose
	@$(BIN)/python examples/demo.py

sandbox: PORT = 8900
sandbox: setup ## Run the sandbox on port 8900 (or PORT=...), with demo data
	@$(BIN)/victor sandbox --demo-data --port "$(PORT)"

service: setup ## Run examples/service on port 8000 (or PORT=...), with a sandbox on 8900 (SANDBOX_PORT=...)
	@$(BIN)/python examples/service/run.py

.PHONY: checks lint mypy pyright contracts format
# The longest first: two run side by side.
checks: setup ## Style, types, imports, generated code; or one of them: lint, mypy, pyright, contracts
	@$(MAKE) -j2 pyright lint mypy contracts check-generated

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; $(BIN)/ruff format --check .; exit 1; }

mypy: setup
	@$(BIN)/mypy
	@$(BIN)/mypy examples

# As on this system, or on each of PLATFORMS.
PLATFORMS = $(shell uname)
pyright: setup
	@for system in $(PLATFORMS); do $(BIN)/pyright --pythonplatform "$$system" || exit 1; done

contracts: setup
	@$(BIN)/lint-imports --no-cache

format: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: quick test test-recipe
quick: setup ## Run what needs no process and no waiting, in three minutes on two cores
	@$(BIN)/python -m pytest -q -n 2 --tier quick tests
	@$(MAKE) test-recipe TIER=quick

# One more than there are cores: some tests wait for what is slow on purpose.
test: setup ## Run all checks, and every rule at its borders: five minutes on two quiet cores
	@$(MAKE) checks
	@$(MAKE) test-recipe TIER=test
	@$(BIN)/python -m pytest -n "$$(expr $(CORES) + 1)" --dist worksteal --tier test

test-recipe: TIER = all
test-recipe: setup ## Run the tests of recipe/: all, or those of TIER=test
	@cd recipe && ../$(BIN)/python -m pytest -n "$(CORES)" --dist worksteal --tier "$(TIER)" $(if $(SEED),--hypothesis-seed="$(SEED)")

.PHONY: test-all pull-request histories cancellations crashes mistakes audit holes workflows
test-all: SEED := $(shell date -u +%Y%m%d)
test-all: setup ### Run everything there is, which takes hours: every case, searches from a seed that is printed (or SEED=...)
	@echo "SEED=$(SEED)"
	@$(MAKE) checks PLATFORMS="Linux Darwin Windows"
	@VICTOR_SEARCH="$(SEED)" $(MAKE) test-recipe SEED="$(SEED)"
	@VICTOR_FAULTS=all VICTOR_SEARCH="$(SEED)" $(BIN)/python -m pytest -n "$(CORES)" --dist worksteal --hypothesis-seed "$(SEED)"
	@$(MAKE) histories SEED="$(SEED)"
	@$(MAKE) cancellations
	@$(MAKE) crashes

# The recipe has no shards: its tests run with the first.
SHARD ?= 1/1
pull-request: setup ### Run what `make test` leaves to the workflow, or a part of it (SHARD=1/4)
	@$(BIN)/python -m pytest -n "$(CORES)" --dist worksteal --tier pull-request --shard "$(SHARD)"
	$(if $(filter 1/%,$(SHARD)),@$(MAKE) test-recipe TIER=pull-request)

histories: NUMBER = 100000
histories: setup ### Is anybody asked twice in 100,000 rare histories? (NUMBER=1000 SEED=7 KIND=outbox DATABASE=postgresql)
	@$(BIN)/python -m tests.histories "$(NUMBER)" "$(SEED)" "$(KIND)" "$(DATABASE)"

cancellations: NUMBER = 100000
cancellations: setup ### Cancel 100,000 calls, and interrupt a tenth as many by Ctrl-C (NUMBER=1000)
	@VICTOR_CANCELLATIONS="$(NUMBER)" VICTOR_INTERRUPTS="$$(expr $(NUMBER) / 10)" \
		$(BIN)/python -m pytest -s -q tests/faults/test_cancellations.py

crashes: NUMBER = 30
crashes: setup ### Kill bulk senders, workers, outboxes and PostgreSQL at 30 random moments each (NUMBER=100)
	@VICTOR_BULK_KILLS="$(NUMBER)" $(BIN)/python -m pytest tests/bulk/test_bulk_crashes.py

mistakes: setup ### Plant each mistake of tests/mistakes in a copy, and say which tests notice (ONLY=bulk)
	@$(BIN)/python -m tests.mistakes $(ONLY)

audit: holes workflows ### Known holes of what is locked (needs the network), and weak workflows

# --strict: nothing is good that was not looked up.
holes: .venv/release
	@PYTHONPATH=.venv/release $(BIN)/python -m pip_audit --strict --require-hashes --disable-pip --progress-spinner off \
		-r requirements.lock

workflows: .venv/release
	@.venv/release/bin/zizmor --offline --persona pedantic .github/workflows

.PHONY: pages docs
# What pages say of promises.
PAGES = tests.providers.prepared
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
build: setup ## Build both wheels and source distributions, of the client and of the recipe, into dist/
	@rm -f dist/victor_*
	@$(BIN)/python -m hatchling build
	@cd recipe && ../$(BIN)/python -m hatchling build -d ../dist

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
