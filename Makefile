# Everything a newcomer, a maintainer and CI do. `make help` lists it.

STACK  ?= dev
CLOUD  ?= gcp
IMAGE  ?= session-db:local
EXTRAS ?= $(filter gcp aws azure,$(shell sed -n 's/^ *session-database:backend: *//p' Pulumi.$(STACK).yaml 2>/dev/null))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN    := .venv/bin
LOCK    = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links
export PATH := $(PATH):$(CURDIR)/.tools/uv/bin
# Without caches every process compiles ADK and a cloud's SDK anew: a quarter of the time of the tests.
unexport PYTHONDONTWRITEBYTECODE

# make would pass over them without a word: `make destroy stack=staging` would take dev down.
misspelt = $(if $(filter command,$(firstword $(origin $(1)))),$(error expected $(2)=$($(1)), in capital letters, not $(1)=))
$(call misspelt,stack,STACK)$(call misspelt,cloud,CLOUD)$(call misspelt,image,IMAGE)
$(call misspelt,extras,EXTRAS)$(call misspelt,port,PORT)

.DEFAULT_GOAL := help
.PHONY: help environment up preview refresh destroy outputs verify serve staging image rehearse rehearse-clean check test test-online bench lock policy clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: environment ## From nothing to a working session database (STACK=dev)
	@$(BIN)/python -m infra up --stack $(STACK)

preview: environment ## Show what `make up` would change (STACK=dev)
	@$(BIN)/python -m infra preview --stack $(STACK)

refresh: environment ## Read how the resources really stand (STACK=dev)
	@$(BIN)/python -m infra refresh --stack $(STACK)

destroy: environment ## Take the stack down; a SQLite database is kept in data/backups (STACK=dev)
	@$(BIN)/python -m infra destroy --stack $(STACK)

outputs: environment ## Print the exported record (STACK=dev)
	@$(BIN)/python -m infra outputs --stack $(STACK)

verify: environment ## Check the session schema and try it with ADK itself (STACK=dev)
	@$(BIN)/session-db verify --stack $(STACK)

serve: ## Run the ADK API server (PORT=8000; STACK=dev: on that stack's database)
	@scripts/start_adk_api_server.sh $(if $(filter-out file,$(origin STACK)),--stack $(STACK)) $(if $(PORT),--port $(PORT))

staging: environment ## Passwords into .env, once, and docker compose's PostgreSQL server for STACK=staging
	@$(BIN)/python -m scripts.staging

image: ## Build the image of the API server, and look through it (IMAGE=session-db:local)
	@docker build --file Dockerfile.api --tag $(IMAGE) --build-arg REVISION="$$(git rev-parse HEAD)" .
	@docker run --rm --interactive --read-only --tmpfs /tmp --cap-drop ALL --entrypoint python $(IMAGE) - \
		< scripts/inspect_image.py

rehearse: EXTRAS = $(or $(filter gcp aws azure,$(CLOUD)),$(error expected CLOUD to be gcp, aws or azure, \
	got $(CLOUD). For example: make rehearse CLOUD=aws)) rehearsal drills
rehearse: environment ## The whole life of production on this machine, with a report (CLOUD=gcp, aws or azure)
	@$(BIN)/python -m rehearsal run $(CLOUD)

rehearse-clean: ## End every rehearsal of this clone, its servers and its state; reports stay
	@$(BIN)/python -m rehearsal clean

check: EXTRAS = gcp aws azure rehearsal drills
check: environment ## Format, lint, types, imports and documentation, as in CI
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest --quiet tests/docs

test: EXTRAS = gcp aws azure rehearsal drills
test: environment ## All tests: the real engine, the real google-adk, real PostgreSQL, real HTTP
	@$(BIN)/python -m infra.pulumi_cli
	@$(BIN)/python -m rehearsal.binaries 15 16 18 --pgbouncer
	@$(BIN)/python -m infra.policy.environment
	@$(BIN)/pytest -n logical --dist loadscope --no-loadscope-reorder

test-online: EXTRAS = gcp aws azure rehearsal
test-online: environment ## Preview production with the real plugins, and docker compose: needs the open internet, accounts, an engine
	@SESSION_DB_ONLINE=1 $(BIN)/pytest tests/online

bench: EXTRAS = gcp aws azure rehearsal
bench: environment ## Measure what is promised in numbers, against ADK in the same run
	@$(BIN)/python -m bench.bootstrap
	@$(BIN)/python -m bench.promotion
	@$(BIN)/python -m bench.preview

lock: environment ## Pin the dependencies anew (requirements/*.txt)
	@$(LOCK) --group dev --extra infra --extra app -o requirements/dev.txt pyproject.toml
	@for extra in app infra gcp aws azure rehearsal; do \
		$(LOCK) --extra $$extra -c requirements/dev.txt -o requirements/$$extra.txt pyproject.toml || exit; done
	@$(LOCK) --extra drills -c requirements/dev.txt -c requirements/rehearsal.txt -o requirements/drills.txt pyproject.toml
	@for extra in rds-iam cloudsql-iam entra; do $(LOCK) --extra $$extra -c requirements/dev.txt -c requirements/drills.txt \
		-o requirements/$$extra.txt pyproject.toml || exit; done
	@for tool in uv go policy; do $(LOCK) -o requirements/$$tool.txt requirements/$$tool.in || exit; done
	@for major in 16 18; do \
		$(LOCK) --no-deps -o requirements/postgresql-$$major.txt requirements/postgresql-$$major.in || exit; done

policy: environment ## Make the policy pack's environment, for: pulumi preview --policy-pack infra/policy/pack
	@$(BIN)/python -m infra.policy.environment

clean: ## Remove the environment and the tools; state and databases stay
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

environment:
	@test -n "$(PYTHON)" || { echo "error: expected Python 3.11 or newer on PATH, for example: make up PYTHON=/opt/python3.12/bin/python3" >&2; exit 2; }
	@$(PYTHON) scripts/environment.py $(EXTRAS)
