# `make help` lists what there is. Every target that needs the environment makes it first.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.ready
# Hundreds of processes are started: none of them shall compile the package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup
help: ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# A system of another distribution, for tests: git ignores its package, which is made again when the recipe has changed.
FIFTH := tests/fifth_system/tiny_api/py.typed
setup: $(SETUP) $(FIFTH) ## Make .venv with every extra and the development tools (locked, with hashes)

$(SETUP): requirements.lock pyproject.toml recipe/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements.lock names into .venv (a minute or two, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e recipe
	@touch $(SETUP)

$(FIFTH): $(SETUP) $(wildcard tests/fifth_system/*.yaml) $(shell find recipe/victor_spec -type f -not -name '*.pyc')
	@$(BIN)/python -m victor_spec generate --out=tests/fifth_system -- tests/fifth_system/tiny.yaml
	@touch $@

.PHONY: lock
# The bot of dependencies runs the command that stands at the top of each lock: `=` in each option, names without folders.
LOCK = uv pip compile --quiet --upgrade --universal --python-version=3.11 --generate-hashes
lock: setup ## Write requirements.lock anew, for the client and the recipe
	@export PATH="$(CURDIR)/$(BIN):$$PATH" && $(LOCK) pyproject.toml recipe/pyproject.toml --all-extras --group=dev --group=recipe/pyproject.toml:dev --output-file=requirements.lock && \
		for folder in $(dir $(wildcard tests/*/requirements.in benchmarks/*/requirements.in)); do \
			(cd $$folder && $(LOCK) requirements.in --output-file=requirements.txt) || exit 1; done

.PHONY: generate check-generated
DOCUMENTS = $(filter-out %.approved.yaml %.accepted.yaml %.settings.yaml %.overlay.yaml,$(wildcard openapi/*.yaml))
generate: setup ## Write generated/ from openapi/ (or SPEC=document OUT=folder NAME=package)
	@$(BIN)/python -m victor_spec generate "--out=$${OUT:-generated}" $(if $(NAME),"--name=$$NAME") \
		-- $(if $(SPEC),"$$SPEC",$(DOCUMENTS))

check-generated: setup ## Fail when a generated package is stale, edited by hand, or lacks anything of the document
	@for found in $(filter-out $(patsubst openapi/%.yaml,generated/%_api,$(DOCUMENTS)),$(wildcard generated/*)); do \
		echo "$$found is of no document in openapi/. What 'make generate' does not write has no place in generated/."; exit 1; done
	@$(BIN)/python -m victor_spec check --out=generated $(DOCUMENTS)

.PHONY: update-spec
update-spec: setup ## Replace a document by a newer one: FROM=newer.yaml (SPEC=openapi/victor.yaml), and say what to decide
	@test -n "$(FROM)" || { echo "Name the newer document: make update-spec FROM=newer.yaml"; exit 2; }
	@document="$${SPEC:-openapi/victor.yaml}"; \
		$(BIN)/python -m victor_spec update "--out=generated" --changelog=CHANGELOG.md -- "$$document" "$$FROM"; \
		compared=$$?; test $$compared -lt 2 || exit $$compared; \
		$(BIN)/python -m tests.contracts.record --added; \
		echo "Does victor_ext still do what the document says?"; \
		$(BIN)/python -m pytest -q --no-header --tb=short tests/contracts/test_contracts.py; \
		case "$$compared $$?" in \
			"0 0") echo "Nothing has to be decided: no change needs it, and the contract tests pass.";; \
			"1 0") echo "Yours to decide: the decisions that are numbered above. The contract tests pass.";; \
			"0 "*) echo "Yours to decide: what the contract tests name. No change of the document needs a decision by itself.";; \
			*) echo "Yours to decide: the decisions that are numbered above, and what the contract tests name.";; \
		esac; \
		if git ls-files --error-unmatch -- "$$document" > /dev/null 2>&1; then tracked="'$$document' "; else \
			tracked=; echo "git has no earlier $$document: the undo leaves it as it is."; fi; \
		echo "To undo all of it: git restore -- $${tracked}generated CHANGELOG.md 'tests/contracts/*.json' && git clean -fd generated"

.PHONY: demo sandbox service
demo: setup ## Watch a dozen requests for payment go through a sandbox that fails on purpose
	@$(BIN)/python examples/demo.py

sandbox: PORT = 8900
sandbox: setup ## Run the sandbox on port 8900 (or PORT=...), with demo data
	@$(BIN)/victor sandbox --demo-data --port "$(PORT)"

service: setup ## Run examples/service, a FastAPI service with invoices, on port 8000 (or PORT=...) with a sandbox of its own on 8900 (or SANDBOX_PORT=...)
	@mkdir -p build && cd build && exec ../$(BIN)/python ../examples/service/run.py

PLATFORMS ?= $(shell $(PYTHON) -c 'import platform; print(platform.system())')
.PHONY: test test-recipe checks test-page quick lint types contracts format
# One more than there are cores: some tests wait for what is slow on purpose.
test: WORKERS = $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)
test: setup ## Run all checks, and every rule at its borders: seven minutes on two quiet cores
	@$(MAKE) --no-print-directory --jobs 2 checks
	@$(MAKE) --no-print-directory test-recipe TIER=test WORKERS="$(WORKERS)"
	@$(BIN)/python -m pytest -n "$(WORKERS)" --dist worksteal --tier test

test-recipe: WORKERS = $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
test-recipe: TIER = all
test-recipe: setup ## Run the tests of recipe/ (or TIER=test, what `make test` runs of them)
	@cd recipe && $(CURDIR)/$(BIN)/python -m pytest -n "$(WORKERS)" --dist worksteal --tier "$(TIER)" $(if $(SEED),--hypothesis-seed "$(SEED)")

.PHONY: test-pull-request
test-pull-request: SHARD = 1/1
test-pull-request: setup .venv/guards .venv/foreign ## Run what `make test` leaves to the workflow (or a part of it: SHARD=1/4)
	@$(BIN)/python -m pytest -n "$$(getconf _NPROCESSORS_ONLN)" --dist worksteal --tier pull-request --shard "$(SHARD)"
	@# the recipe has no shards: the first one runs its tests
	@$(if $(filter 1/%,$(SHARD)),$(MAKE) --no-print-directory test-recipe TIER=pull-request)

checks: pyright lint mypy contracts check-generated prose ## Style, types, import contracts, the generated code and the pages' prose

# In a folder of its own: a mock, a tracer or a server that is installed may change what other tests do.
.venv/guards .venv/foreign: .venv/%: tests/%/requirements.txt | $(SETUP)
	@echo "Installing what $< names into $@ ..."
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary localstripe --no-deps \
		--require-hashes --target $@ -r $< || { rm -rf $@; exit 1; }
	@touch $@

.PHONY: test-all
test-all: SEED = $(shell date -u +%Y%m%d)
test-all: export PLATFORMS = Linux Darwin Windows
test-all: setup ## Run everything there is, which takes hours: every case, searches from a seed that is printed (or SEED=...)
	@echo "SEED=$(SEED)"
	@$(MAKE) --no-print-directory checks .venv/guards .venv/foreign
	@VICTOR_SEARCH="$(SEED)" $(MAKE) --no-print-directory test-recipe SEED="$(SEED)"
	@VICTOR_FAULTS=all VICTOR_SEARCH="$(SEED)" $(BIN)/python -m pytest -n "$$(getconf _NPROCESSORS_ONLN)" --dist worksteal --hypothesis-seed "$(SEED)"
	@$(MAKE) --no-print-directory histories SEED="$(SEED)"
	@$(MAKE) --no-print-directory crashes cancellations test-page soak

test-page: setup ## Try the sandbox's page in Chromium; fetches one if there is none (`make test-pull-request` tries it when there is one)
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
		$(BIN)/playwright install chromium
	@$(BIN)/python -m pytest -q -rs tests/sandbox/test_sandbox_browser.py

quick: setup ## Run what needs no process and no waiting, in less than a minute on two cores
	@$(BIN)/python -m pytest -q -n 2 --tier quick tests
	@$(MAKE) --no-print-directory test-recipe TIER=quick

lint: setup ## Style of code, and its format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; $(BIN)/ruff format --check .; exit 1; }

types: mypy pyright ## mypy --strict and pyright, on both packages and on the examples (or PLATFORMS="Linux Darwin Windows")

# Two targets, so that they run side by side.
.PHONY: mypy pyright
mypy: setup
	@$(BIN)/mypy
	@$(BIN)/mypy examples

pyright: setup
	@for platform in $(PLATFORMS); do $(BIN)/pyright --pythonplatform $$platform || exit 1; done

contracts: setup ## Who may import whom
	@$(BIN)/lint-imports --no-cache

PAGES = README.md CHANGELOG.md CONTRIBUTING.md docs recipe/README.md recipe/docs
.PHONY: prose
prose: setup ## Spelling and style of the pages, and words that another one says better (docs/words.txt)
	@$(BIN)/codespell $(PAGES)
	@$(BIN)/proselint check --config docs/proselint.json $(wildcard $(addsuffix /*.md,$(PAGES))) $(filter %.md,$(PAGES))

format: setup ## Format the code
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: bench bench-scale bench-page hot-paths
bench: setup .venv/peers ## Measure against raw httpx and other clients, and write docs/benchmarks.md and its tables (or BENCH=--quick, which writes nothing)
	@$(BIN)/python -m benchmarks $(BENCH)

bench-scale: setup ## Measure bulk, outbox and reconcile against code by hand and beside settled rows, and write the tables (or SCALE=--million, SCALE=--quick)
	@$(BIN)/python -m benchmarks.scale_run $(SCALE)

bench-page: setup ## Make docs/benchmarks.md, its tables and its chart again from the recorded run
	@$(BIN)/python -m benchmarks.page

hot-paths: setup ## Count the function calls of one GET, one create and one page, by function
	@$(BIN)/python -m benchmarks.hot_paths

# In an environment of its own: no client is made faster or slower by what another one, or an extra of ours, installs.
.venv/peers: benchmarks/peers/requirements.txt | $(SETUP)
	@echo "Installing what $< names into $@ ..."
	@rm -rf $@
	@$(BIN)/python -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< || { rm -rf $@; exit 1; }
	@touch $@

.PHONY: soak cancellations
soak: CALLS = 100000
soak: setup ## One long history: 100,000 calls of 64 workers, while one exchange in five fails (or CALLS=..., SEED=...)
	@$(BIN)/python -m tests.histories "$(CALLS)" "$(SEED)" soak

cancellations: CALLS = 100000
cancellations: setup ## Cancel 100,000 calls, and interrupt a tenth as many by Ctrl-C (or CALLS=...)
	@VICTOR_CANCELLATIONS="$(CALLS)" VICTOR_INTERRUPTS="$$(($(CALLS) / 10))" \
		$(BIN)/python -m pytest -s -q tests/faults/test_cancellations.py

.PHONY: histories
histories: HISTORIES = 100000
histories: setup ## Run 100,000 histories of rare input: is anybody asked twice, or told what is not so? (or HISTORIES=..., SEED=...)
	@$(BIN)/python -m tests.histories "$(HISTORIES)" "$(SEED)"

.PHONY: fuzz audit secrets
fuzz: SECONDS = 60
fuzz: .venv/fuzz ## Search for answers that break the client, for 60 seconds (or SECONDS=...)
	@PYTHONPATH=recipe/tests $(BIN)/python -m tests.fuzz.fuzz_answers "$(SECONDS)"
	@echo "Nothing found in $(SECONDS) seconds."

audit: .venv/release ## Ask the advisory database about every locked dependency (needs the network)
	@# --strict: nothing is good that was not looked up.
	@PYTHONPATH=$< $(BIN)/python -m pip_audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.lock

secrets: setup ## Look for secrets in every file that is committed, or about to be
	@$(BIN)/python tests/security/secret_scan.py
	@echo "No secret found."

# What one target alone needs stands beside the environment: what the tests run with stays as it is locked.
.venv/fuzz .venv/release: .venv/%: tests/%/requirements.txt | $(SETUP)
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes \
		--target $@ -r $< || { rm -rf $@; echo "$< cannot be installed here: see above. (The fuzzer has wheels for" \
		"Linux on x86-64 only; 'make test' tries odd answers everywhere.)"; exit 1; }
	@touch $@

.PHONY: crashes
crashes: KILLS = 30
crashes: setup .venv/foreign ## Kill bulk senders, workers, outboxes and PostgreSQL at 30 random moments each (or KILLS=...)
	@VICTOR_BULK_KILLS="$(KILLS)" $(BIN)/python -m pytest tests/bulk/test_bulk_crashes.py tests/foreign

.PHONY: docs
docs: setup ## Write the documentation as a site into site/
	@$(BIN)/python -m tests.pages.reference_page
	@$(BIN)/python docs/llms.py
	@$(BIN)/zensical build --strict
	@echo "site/index.html"

.PHONY: pictures
pictures: setup ## Record the terminals of the documentation again
	@$(BIN)/python docs/pictures/record.py

.PHONY: test-pythons
test-pythons: setup ## Use the wheels on Python 3.11 to 3.15 and on 3.14t, each extra alone, newest and oldest dependencies (or PYTHONS="3.12 3.13")
	@rm -rf build/wheel
	@$(BIN)/python -m hatchling build -t wheel -d build/wheel
	@cd recipe && $(CURDIR)/$(BIN)/python -m hatchling build -t wheel -d ../build/wheel
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/nox $(if $(PYTHONS),--pythons $(PYTHONS))

.PHONY: release-check
release-check: setup ## Fail where a page names a package index as a source before the first release
	@$(BIN)/python -m tests.release.sources

.PHONY: build build-recipe sbom workflows clean
build: sbom ## Build the wheel and the source distribution into dist/, with the SBOM in both, and check them
	@rm -f dist/victor_ext-*
	@$(BIN)/python -m hatchling build
	@$(BIN)/python -m tests.release.contents dist

build-recipe: setup ## Build the wheel and the source distribution of recipe/ into dist/, and check them
	@rm -f dist/victor_spec-*
	@cd recipe && $(CURDIR)/$(BIN)/python -m hatchling build -d ../dist
	@cd recipe && $(CURDIR)/$(BIN)/python -m tests.contents ../dist

sbom: setup .venv/release ## Write build/sbom.cdx.json: what the package and its extras depend on, as locked (CycloneDX)
	@mkdir -p build
	@$(BIN)/uv pip compile --quiet pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --constraint requirements.lock -o build/sbom.txt
	@PYTHONPATH=.venv/release $(BIN)/python -W ignore -m cyclonedx_py requirements build/sbom.txt --pyproject pyproject.toml \
		--output-reproducible --of JSON -o build/sbom.cdx.json
	@$(BIN)/python -m tests.release.sbom build/sbom.cdx.json

workflows: .venv/release ## Look for weaknesses in .github/workflows
	@.venv/release/bin/zizmor --offline --persona pedantic .github/workflows

clean: ## Remove what the other targets made
	rm -rf .venv tests/fifth_system/tiny_api .nox dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
