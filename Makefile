# The commands of this project, for users and for CI. Needs Python 3.11 or later with venv and pip.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# `python3` if it is recent enough, else a newer one that is installed next to it.
SYSTEM_PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$python && break; done)
PYTHON := .venv/bin/python
UV := .venv/bin/uv
SAM := .venv-sam/bin/sam
# The operator's command line. It works on the local stack, or on the API on AWS in API_URL.
CLI := PYTHONPATH=cli $(PYTHON) -m plezi_sync
ON_AWS = $(if $(API_URL),--api-url "$(API_URL)" $(if $(REGION),--region "$(REGION)"))
COMPILE := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	--python-version 3.11 --custom-compile-command "make requirements"

export SAM_CLI_TELEMETRY = 0
# Where a stack is deployed unless a region is set: values of people in the EU stay there.
DEPLOY_REGION = $(or $(AWS_REGION),$(AWS_DEFAULT_REGION),eu-west-3)
# `sam build` runs the Makefile in layers/common, which uses this folder for pip.
export LAYER_CACHE ?= $(CURDIR)/.build/layer

##@ Try

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: install ## Run the demo in a terminal (a minute)
	@$(PYTHON) -m local.demo

.PHONY: up
up: install ## Start the local stack: [START=no] not enabled, [DEFAULTS=yes] pace as on AWS
	@$(PYTHON) -m local.stack up $(if $(filter no,$(START)),--no-start) \
		$(if $(filter yes,$(DEFAULTS)),--defaults)

.PHONY: console
console: install ## Open the console of the local stack in the browser, and print its demo users
	@$(PYTHON) -m local.stack console

.PHONY: down
down: install ## Stop the local stack and delete its data
	@$(PYTHON) -m local.stack down

.PHONY: status
status: install ## Show whether the local stack is up, and its addresses
	@$(PYTHON) -m local.stack status

##@ Operate

.PHONY: invoke
invoke: install ## Invoke a function of the local stack: F=scheduled_sync [E=events/scheduler.json]
	@$(CLI) invoke "$(or $(F),$(error F is missing, as in: make invoke F=admin))" \
		$(if $(E),--event "$(E)")

.PHONY: admin
admin: install ## Call the admin API: [M=GET] [P=/admin/status] [B=body.json] [API_URL=https://...]
	@$(CLI) call $(or $(M),GET) "$(or $(P),/admin/status)" $(if $(B),--body "$(B)") $(ON_AWS)

.PHONY: mapping-export
mapping-export: install ## Export the mapping: [FILE=mapping.yaml] [API_URL=https://...]
	@$(CLI) mapping export "$(or $(FILE),mapping.yaml)" --yes $(ON_AWS)

.PHONY: mapping-import
mapping-import: install ## Import the mapping: [FILE=mapping.yaml] [API_URL=https://...]
	@$(CLI) mapping import "$(or $(FILE),mapping.yaml)" --yes $(ON_AWS)

.PHONY: rotate
rotate: install ## Test new Salesforce credentials on the local stack, then use them: [M=new.json]
	@$(CLI) connect rotate $(if $(M),< "$(M)")

##@ Work

.PHONY: install
install: .venv/installed .venv-sam/installed ## Create or update both Python environments

.PHONY: check
check: install audit ## Check format, lint, types, layers, terms, generated documents, template, security
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	PYTHONPATH=layers/common .venv/bin/lint-imports --no-logo
	$(PYTHON) -m tools.terms
	PYTHONPATH=.:layers/common $(PYTHON) -m tools.generated_blocks check
	$(SAM) validate --lint

.PHONY: audit
audit: .venv-audit/installed ## Scan the code with bandit and the template with checkov (a minute)
	.venv-audit/bin/bandit --quiet --severity-level medium --recursive layers/common/connector functions
	.venv-audit/bin/checkov --file template.yaml --framework cloudformation --quiet --compact \
		--skip-download

.PHONY: sbom
sbom: .venv-supply/installed ## List the contents of the layer (CycloneDX): .build/sbom.json
	@mkdir -p .build
	@.venv-supply/bin/cyclonedx-py requirements layers/common/requirements.txt --mc-type library \
		--output-reproducible --of JSON --output-file .build/sbom.json
	@echo "wrote .build/sbom.json"

.PHONY: vulnerabilities
vulnerabilities: .venv-supply/installed ## Look for known vulnerabilities of the layer (needs a network)
	@.venv-supply/bin/pip-audit --strict --require-hashes --disable-pip \
		-r layers/common/requirements.txt

.PHONY: docs
docs: install ## Write the generated tables of README.md and docs/*.md
	@PYTHONPATH=.:layers/common $(PYTHON) -m tools.generated_blocks write

.PHONY: transcripts
transcripts: install ## Run the commands of docs/cli.md on a local stack and write their output (2 minutes)
	@PYTHONPATH=.:layers/common:cli $(PYTHON) -m tools.cli_transcripts write

.PHONY: test
test: install $(if $(T),,browser) ## All tests (T=tests/unit: some of them)
	$(if $(T),$(PYTHON) -m pytest $(T),\
	$(PYTHON) -m pytest -n 2 --dist loadgroup --durations=40 -m "not stack and not nightly" && $(PYTHON) -m pytest --durations=20 -m "stack and not nightly" tests/e2e)

.PHONY: browser
browser: ## Install Chromium, for the browser tests of the console (Debian and Ubuntu)
	@test -x /usr/bin/chromium || { apt-get update -q && apt-get install -y -q chromium; } \
		|| { echo "Install Chromium as /usr/bin/chromium, or run 'make browser' as root"; exit 1; }

.PHONY: format
format: install ## Format the code and apply the automatic fixes of the linter
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

.PHONY: bench
bench: install .venv-bench/installed ## Run the benchmarks, with a peer (5 to 10 minutes)
	@PYTHONPATH=.:layers/common $(PYTHON) -m benchmarks

.PHONY: bench-cold-start
bench-cold-start: install ## Compare the import of each built function with boto3: [REPEAT=9]
	@PYTHONPATH=.:layers/common $(PYTHON) -m benchmarks.cold_start --repeat $(or $(REPEAT),9)

.PHONY: model
model: install ## Check every state of the write protocol (many minutes)
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation.protocol

.PHONY: simulate
simulate: install ## Simulate seeded histories: [HISTORIES=2000] [SEED=0] [LEDGER=dynamodb]
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation run \
		--histories $(or $(HISTORIES),2000) --seed $(or $(SEED),0) --ledger $(or $(LEDGER),memory)

.PHONY: stories
stories: install ## Search for lost values with stories on the planner alone: [STORIES=100000] [SEED=0]
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation stories \
		--stories $(or $(STORIES),100000) --seed $(or $(SEED),0)

.PHONY: rehearse
rehearse: install ## Rehearse days with 20,000 people on a virtual clock: [S=new-*] [PEOPLE=100000] [UNITS=yes] [JSON=file]
	@PYTHONPATH=.:layers/common $(PYTHON) -m local.rehearsal $(if $(S),'$(S)') \
		$(if $(PEOPLE),--people $(PEOPLE)) $(if $(UNITS),--units) $(if $(JSON),--json $(JSON)) --markdown

.PHONY: rehearse-outages
rehearse-outages: install ## Rehearse Plezi down for 6 hours and Salesforce for a day, with forms and edits
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.rehearsal.outages

.PHONY: rehearse-equality
rehearse-equality: install ## Plant differences among [PEOPLE=20000] people; a verification finds each, a repair corrects
	@PYTHONPATH=.:layers/common $(PYTHON) -m local.rehearsal.equality $(if $(PEOPLE),--people $(PEOPLE))

.PHONY: rehearse-preview
rehearse-preview: install ## Preview edits of [PEOPLE=20000] people, approve; is the run equal to it, line by line?
	@PYTHONPATH=.:layers/common $(PYTHON) -m local.rehearsal.previews $(if $(PEOPLE),--people $(PEOPLE))

.PHONY: clients
clients: install .venv-bench/installed .venv-django/installed .venv-airbyte/installed ## Run sf, @salesforce/core, django-salesforce, a tap and Airbyte on the simulated org (3 to 5 minutes): [C=sf]
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.clients $(C)

.PHONY: simulate-bugs
simulate-bugs: install ## Add known faults of other products; the simulation must find each
	@PYTHONPATH=.:layers/common $(PYTHON) -m tests.simulation bugs

.PHONY: mutants
mutants: install .venv-mutants/installed ## Change the code of a package and see whether a test fails: P=planning [ONLY=undo,drift] [SAMPLE=200] [SEED=0]
	@$(PYTHON) -m tools.mutants $(or $(P),planning) --only "$(ONLY)" --sample $(or $(SAMPLE),0) --seed $(or $(SEED),0)

.PHONY: fuzz
fuzz: install ## Try 10,000 arbitrary inputs on every decoder, conversion, decision and handler
	@$(PYTHON) -m pytest -q --hypothesis-profile=nightly tests/property

.PHONY: fuzz-handlers
fuzz-handlers: install ## Send 100,000 arbitrary events to the handlers (half an hour)
	@$(PYTHON) -m pytest -q --hypothesis-profile=nightly tests/property/test_handlers.py

.PHONY: nightly
nightly: install ## Longer tests: a fault in each step; poison, kills, a large dry run on the stack (20 minutes)
	$(PYTHON) -m pytest -n 2 -m "nightly and not stack"
	$(PYTHON) -m pytest -m "stack and nightly" tests/e2e
	$(PYTHON) -m pytest -m "stack and nightly" tests/e2e_setup
	$(PYTHON) -m pytest -m "stack and nightly" tests/e2e_upgrade

.PHONY: isolation
isolation: install ## Inject a fault into each step of one person, in 16 stories (10 minutes)
	@$(PYTHON) -m pytest -q -n 2 tests/component/test_isolation.py

.PHONY: kill-worker
kill-worker: install ## Kill the deployed worker 20 times; 2,000 people must end as uninterrupted ones
	@KILLS=20 $(PYTHON) -m pytest -m stack tests/e2e/test_killed_worker.py

.PHONY: random-workload
random-workload: install ## Follow 2,000 random edits on the deployed stack: [PEOPLE=300] [EDITS=2000] [SEED=1] [EVIDENCE=file]
	@PEOPLE=$(or $(PEOPLE),300) EDITS=$(or $(EDITS),2000) SEED=$(or $(SEED),1) EVIDENCE=$(EVIDENCE) \
		$(PYTHON) -m pytest --log-cli-level=INFO -m stack tests/e2e/test_random_workload.py

.PHONY: dry-run-of-5000
dry-run-of-5000: install ## Compare a dry run of 5,000 people with the real run, both deployed
	@PEOPLE=5000 $(PYTHON) -m pytest -m stack tests/e2e/test_dry_run.py

.PHONY: selected-at-defaults
selected-at-defaults: install ## Run 200 selected people at the template's own defaults, deployed
	@$(PYTHON) -m pytest --log-cli-level=INFO -m stack tests/e2e_defaults

.PHONY: rehearse-upgrade
rehearse-upgrade: install ## Deploy the version FROM=<commit or tag>, upgrade, go back, upgrade, with users at work (6 minutes)
	@FROM=$(FROM) $(PYTHON) -m pytest -q -m stack tests/e2e_upgrade

.PHONY: requirements
requirements: .venv/installed ## Update the pinned dependencies
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/sam.in -o requirements/sam.txt
	$(COMPILE) requirements/bench.in -o requirements/bench.txt
	$(COMPILE) requirements/audit.in -o requirements/audit.txt
	$(COMPILE) requirements/mutants.in -c requirements/dev.txt -o requirements/mutants.txt
	$(COMPILE) requirements/supply.in -o requirements/supply.txt
	$(COMPILE) requirements/clients-django.in -o requirements/clients-django.txt
	$(COMPILE) requirements/clients-airbyte.in -o requirements/clients-airbyte.txt
	$(COMPILE) requirements/runtime.in -c requirements/dev.txt -o layers/common/requirements.txt

.PHONY: openapi
openapi: .venv/installed ## Generate the description of the admin API (docs/openapi.json)
	@PYTHONPATH=.:layers/common $(PYTHON) -m local.openapi

##@ Ship

.PHONY: build
build: install ## Build the functions and the layer for AWS (.aws-sam/build)
	@PYTHON=$(CURDIR)/$(PYTHON) $(SAM) build

.PHONY: deploy
deploy: build ## Deploy to the AWS account of your credentials: ENV=prod [PARAMETERS="AlertEmail=..."]
	@echo "Deploying to the region $(DEPLOY_REGION); another one: AWS_REGION=..."
	@$(SAM) deploy --region "$(DEPLOY_REGION)" --config-env "$(or $(ENV),$(error ENV is missing, as in: make deploy ENV=dev))" \
		$(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	@echo "The next steps are in docs/deploy.md, from 3 on."

.PHONY: clean
clean: ## Delete build results and caches (not a running stack: make down)
	rm -rf .aws-sam .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

# A stamp file is older than its list of packages when an installation is necessary.

.venv/bin/uv: requirements/uv.txt
	@$(if $(SYSTEM_PYTHON),,$(error Python 3.11 or later is needed, with venv and pip))
	@echo "Creating .venv with $$($(SYSTEM_PYTHON) --version)"
	@$(SYSTEM_PYTHON) -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/uv.txt
	@touch $@ # pip keeps the date in the archive

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

.venv-django/installed: .venv/bin/uv requirements/clients-django.txt
	@echo "Installing requirements/clients-django.txt into .venv-django"
	@test -x .venv-django/bin/python || $(PYTHON) -m venv .venv-django
	@$(UV) pip install --quiet --python .venv-django/bin/python --require-hashes \
		-r requirements/clients-django.txt
	@touch $@

.venv-airbyte/installed: .venv/bin/uv requirements/clients-airbyte.txt
	@echo "Installing requirements/clients-airbyte.txt into .venv-airbyte"
	@test -x .venv-airbyte/bin/python || $(PYTHON) -m venv .venv-airbyte
	@$(UV) pip install --quiet --python .venv-airbyte/bin/python --require-hashes \
		-r requirements/clients-airbyte.txt
	@touch $@

.venv-mutants/installed: .venv/bin/uv requirements/mutants.txt
	@echo "Installing requirements/mutants.txt into .venv-mutants"
	@test -x .venv-mutants/bin/python || $(PYTHON) -m venv .venv-mutants
	@$(UV) pip install --quiet --python .venv-mutants/bin/python --require-hashes \
		-r requirements/mutants.txt
	@touch $@

.venv-supply/installed: .venv/bin/uv requirements/supply.txt
	@echo "Installing requirements/supply.txt into .venv-supply"
	@test -x .venv-supply/bin/python || $(PYTHON) -m venv .venv-supply
	@$(UV) pip install --quiet --python .venv-supply/bin/python --require-hashes \
		-r requirements/supply.txt
	@touch $@

.venv-audit/installed: .venv/bin/uv requirements/audit.txt
	@echo "Installing requirements/audit.txt into .venv-audit"
	@test -x .venv-audit/bin/python || $(PYTHON) -m venv .venv-audit
	@$(UV) pip install --quiet --python .venv-audit/bin/python --require-hashes \
		-r requirements/audit.txt
	@touch $@
