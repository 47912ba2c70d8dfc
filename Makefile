# Everything a person, or CI, does with this project. Needs Python 3.11 or later with venv and pip.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# `python3` if it is recent enough, else a newer one beside it.
SYSTEM_PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$python && break; done)
PYTHON := .venv/bin/python
UV := .venv/bin/uv
SAM := .venv-sam/bin/sam
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	--python-version 3.11 --custom-compile-command "make requirements"

export SAM_CLI_TELEMETRY = 0
# `sam build` asks Make, in layers/common, which asks this pip.
export LAYER_CACHE ?= $(CURDIR)/.build/layer

##@ Look

.PHONY: help
help: ## Say what there is
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: install ## Tell the whole story in a terminal
	@$(PYTHON) -m local.demo

.PHONY: up
up: install ## Bring everything up on this machine (START=no: leave it paused)
	@$(PYTHON) -m local.stack up $(if $(filter no,$(START)),--no-start)

.PHONY: down
down: install ## Stop all of it
	@$(PYTHON) -m local.stack down

.PHONY: status
status: install ## Say whether it is up, and where
	@$(PYTHON) -m local.stack status

.PHONY: invoke
invoke: install ## Invoke a function: F=scheduled_sync [E=events/scheduler.json]
	@$(PYTHON) -m local.stack invoke "$(or $(F),$(error say which function: make invoke F=admin))" \
		$(if $(E),--event "$(E)")

.PHONY: admin
admin: install ## Call the admin API: M=GET P=/admin/status [B=body.json] [API_URL=https://...]
	@$(PYTHON) -m local.stack admin $(or $(M),GET) "$(or $(P),/admin/status)" \
		$(if $(B),--body "$(B)") $(if $(API_URL),--api-url "$(API_URL)")

.PHONY: mapping-export
mapping-export: install ## Export the mapping: [FILE=mapping.yaml] [API_URL=https://...]
	@$(PYTHON) -m local.stack admin GET /admin/mapping.yaml --output "$(or $(FILE),mapping.yaml)" \
		$(if $(API_URL),--api-url "$(API_URL)")

.PHONY: mapping-import
mapping-import: install ## Import the mapping: [FILE=mapping.yaml] [API_URL=https://...]
	@$(PYTHON) -m local.stack admin PUT /admin/mapping.yaml --body "$(or $(FILE),mapping.yaml)" \
		$(if $(API_URL),--api-url "$(API_URL)")

.PHONY: rotate
rotate: install ## Try new Salesforce credentials, then use them: M=new.json
	@$(PYTHON) -m local.stack rotate "$(or $(M),$(error say which file: make rotate M=new.json))"

##@ Work

.PHONY: install
install: .venv/installed .venv-sam/installed ## Create both environments, or bring them up to date

.PHONY: check
check: install ## Format, lint, types, floors, template
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	PYTHONPATH=layers/common .venv/bin/lint-imports --no-logo
	$(SAM) validate --lint

.PHONY: test
test: install ## All tests (T=tests/unit: some of them)
	$(if $(T),$(PYTHON) -m pytest $(T),\
	$(PYTHON) -m pytest -n 2 -m "not stack" && $(PYTHON) -m pytest -m stack tests/e2e)

.PHONY: format
format: install ## Format, and repair what can be repaired
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

.PHONY: bench
bench: install .venv-bench/installed ## Measure, beside a peer (five minutes, twice that on a busy machine)
	@PYTHONPATH=.:layers/common $(PYTHON) -m benchmarks

.PHONY: model
model: install ## Visit every state of the write protocol (a minute)
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation.protocol

.PHONY: simulate
simulate: install ## Play seeded histories of the world: [HISTORIES=2000] [SEED=0] [LEDGER=dynamodb]
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation run \
		--histories $(or $(HISTORIES),2000) --seed $(or $(SEED),0) --ledger $(or $(LEDGER),memory)

.PHONY: simulate-bugs
simulate-bugs: install ## Plant faults of peers, and show that the simulation finds each
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation bugs

.PHONY: kill-worker
kill-worker: install ## Kill the deployed worker twenty times among 2,000 people, beside 2,000 undisturbed
	@KILLS=20 $(PYTHON) -m pytest -m stack tests/e2e/test_killed_worker.py

.PHONY: dry-run-of-5000
dry-run-of-5000: install ## Preview 5,000 people on the deployed stack, then see the real run keep to it
	@PEOPLE=5000 $(PYTHON) -m pytest -m stack tests/e2e/test_dry_run.py

.PHONY: requirements
requirements: .venv/installed ## Compile the lists of dependencies again
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/sam.in -o requirements/sam.txt
	$(COMPILE) requirements/bench.in -o requirements/bench.txt
	$(COMPILE) requirements/runtime.in -c requirements/dev.txt -o layers/common/requirements.txt

.PHONY: openapi
openapi: .venv/installed ## Describe the admin API anew (docs/openapi.json)
	@PYTHONPATH=.:layers/common $(PYTHON) -m local.openapi

##@ Ship

.PHONY: build
build: install ## Build what AWS will run (.aws-sam/build)
	@PYTHON=$(CURDIR)/$(PYTHON) $(SAM) build

.PHONY: deploy
deploy: build ## Deploy to the AWS account of your credentials, step by step
	@echo "Afterwards, put the secrets and press start: docs/operations.md."
	@$(SAM) deploy --guided

.PHONY: clean
clean: ## Remove what can be built again (not a running stack: make down)
	rm -rf .aws-sam .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

# A stamp is older than its list exactly when something must be installed.

.venv/bin/uv: requirements/uv.txt
	@$(if $(SYSTEM_PYTHON),,$(error Python 3.11 or later is needed, with venv and pip))
	@echo "Creating .venv with $$($(SYSTEM_PYTHON) --version)"
	@$(SYSTEM_PYTHON) -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/uv.txt
	@touch $@ # pip keeps the date of the archive

.venv/installed: .venv/bin/uv requirements/dev.txt
	@echo "Installing requirements/dev.txt into .venv"
	@$(UV) pip install --quiet --python $(PYTHON) --require-hashes -r requirements/dev.txt
	@touch $@

.venv-sam/installed: .venv/bin/uv requirements/sam.txt
	@echo "Installing requirements/sam.txt into .venv-sam"
	@test -x .venv-sam/bin/python || $(PYTHON) -m venv .venv-sam
	@$(UV) pip install --quiet --python .venv-sam/bin/python --require-hashes \
		-r requirements/sam.txt
	@touch $@

.venv-bench/installed: .venv/bin/uv requirements/bench.txt
	@echo "Installing requirements/bench.txt into .venv-bench"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@$(UV) pip install --quiet --python .venv-bench/bin/python --require-hashes \
		-r requirements/bench.txt
	@touch $@
