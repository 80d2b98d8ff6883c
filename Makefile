# Everything that is done with this repository. A new machine needs Python 3.11 or newer with venv, make and git.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0
# What Python has compiled is kept: many processes start here, and each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
# The AWS CLI reads the one, boto3 and the SAM CLI the other.
ifneq ($(AWS_REGION),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

# Three environments, because the SAM CLI and the local cloud each pin another boto3. The stamps say that one is made.
project := .venv/.made
sam := .local/sam/.made
cloud := .local/cloud/.made
browser := .local/browser.made
messages := build/.made
built := .aws-sam/built.made

sources = find $(1) -type f -not -path '*/__pycache__/*'
sam_cli := PATH="$(CURDIR)/.venv/bin:$$PATH" .local/sam/bin/sam

# The local cloud runs every function with its own Python on this machine's processor, so `make build` builds for these.
local_runtime = $(shell .local/cloud/bin/python -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
local_architecture := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

.PHONY: help setup build demo up down check search e2e test bench scale preview format lock deploy clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## make the environments for the project, the SAM CLI and the local cloud
	@$(MAKE) --no-print-directory --jobs=2 $(project) $(sam) $(cloud)

build: $(built)  ## compile the messages and build the stack for the local cloud

demo: $(built)  ## see it work: the stack on this machine, people in it, messages out of it
	.venv/bin/heliograph demo

up: $(built)  ## start the local cloud and deploy the stack on it
	.venv/bin/heliograph up

down: $(project)  ## stop the local cloud and leave nothing behind
	.venv/bin/heliograph down

check: $(project) $(sam) $(cloud) $(built) $(browser)  ## format, lint, types, wiring, and all tests that need no deployed stack
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(linters)
	.venv/bin/pytest --numprocesses=auto --dist=worksteal $(wildcard tests/unit tests/integration tests/flow tests/search)

# Templates with types or settings that some region may lack.
unusual := infra/storage.yaml infra/queues.yaml infra/bus.yaml infra/channels/email.yaml infra/channels/sms.yaml
linters := check-code check-types check-templates check-regions check-stack check-messages
.PHONY: $(linters)
check-code:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports
check-types:
	.venv/bin/mypy layers/heliograph cli functions infra/deployment.py infra/compiled.py infra/local tests
check-templates:
	.venv/bin/cfn-lint template.yaml infra/*.yaml infra/channels/*.yaml build/triggers.yaml
check-regions:
	.venv/bin/cfn-lint $(unusual) --regions $(shell cat infra/regions.txt)
check-stack:
	$(sam_cli) validate --lint
check-messages:
	.venv/bin/heliograph lint

search: $(built)  ## the long searches with ten times what `make check` gives them
	HELIOGRAPH_SEARCH=full .venv/bin/pytest --numprocesses=auto --dist=worksteal tests/search

e2e: $(built) $(browser)  ## deploy the stack on local clouds of its own, two side by side, and send through it
	.venv/bin/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder tests/e2e

test: check e2e  ## everything that must hold before a change goes in

bench: $(built)  ## measure speed and cost against their goals
	PYTHONPATH=.aws-sam/build/HeliographLayer/python:tests:. .venv/bin/python -m benchmarks $(options)

scale: $(built)  ## send to runs of ten thousand to a hundred million in virtual time, and reckon what rates need
	PYTHONPATH=.aws-sam/build/HeliographLayer/python:tests:. .venv/bin/python -m scale $(options)

preview: $(project)  ## look at the messages in a browser
	.venv/bin/heliograph preview

format: $(project)  ## format the code, mend what the linter can, and list the tests
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/python tests/contents.py

# SAM copies no template whose name comes out of a loop.
with_looped_templates = cp -r infra/channels $(1)/Delivery/

# Lambda keeps nothing that it compiles: handlers and messages are compiled here, and all layers are looked into.
# Messages are written anew beside what was compiled of them, so that file has to be compared with its source.
python_of = $(firstword $(foreach each,$(1) python3 .venv/bin/python .local/cloud/bin/python,\
    $(shell $(each) -c 'import sys; sys.exit("$(1)" != "python%d.%d" % sys.version_info[:2])' 2> /dev/null && echo $(each))))
define compiled
	$(1) -m compileall -q --invalidation-mode unchecked-hash $(3)/FunctionsLayer
	$(1) -m compileall -q --invalidation-mode checked-hash build/templates
	$(1) infra/compiled.py $(2) $(3)/HeliographLayer $(3)/FunctionsLayer build/templates
endef

# The answers to the questions of the first time are kept in samconfig.toml. docs/deploy.md tells what to answer.
# SAM would look for that file beside the built template, and knows no other than the first runtime if it is not told.
deployment := .venv/bin/python infra/deployment.py
python_here := import sys; print("python%d.%d" % sys.version_info[:2])
deploy: runtime = $(shell $(deployment) kept Runtime $$(.venv/bin/python -c '$(python_here)'))
deploy: architecture = $(shell $(deployment) kept Architecture arm64)
deploy: settings := --config-file "$(CURDIR)/samconfig.toml"
deploy: $(sam) $(messages)  ## deploy to AWS, with the account and region of your profile
	@$(deployment) check
	HELIOGRAPH_RUNTIME=$(runtime) HELIOGRAPH_ARCHITECTURE=$(architecture) $(sam_cli) build $(settings) \
	    --build-dir .aws-sam/aws --parameter-overrides Runtime=$(runtime) Architecture=$(architecture)
	$(call with_looped_templates,.aws-sam/aws)
	$(call compiled,$(call python_of,$(runtime)),$(architecture),.aws-sam/aws)
	@$(deployment) check  # the build took minutes, in which messages may have come
	$(sam_cli) deploy $(settings) --template-file .aws-sam/aws/template.yaml \
	    $(shell $(deployment) arguments Runtime=$(runtime) Architecture=$(architecture))

compile := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-header --no-annotate
lock: $(project)  ## write the lock files anew; with upgrade=--upgrade to the newest versions
	$(compile) $(upgrade) pyproject.toml --group dev --output-file requirements.txt
	$(compile) $(upgrade) layers/heliograph/requirements.in -c requirements.txt --output-file layers/heliograph/requirements.txt
	$(compile) $(upgrade) infra/sam-requirements.in --output-file infra/sam-requirements.txt
	$(compile) $(upgrade) infra/local/requirements.in --output-file infra/local/requirements.txt

clean:  ## remove what was built; the environments stay
	rm -rf build .aws-sam .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# ---- environments -------------------------------------------------------------------------------------------------

# uv comes through pip, by the hashes in the lock file; all else comes through uv, and is compiled once for all processes.
install := .venv/bin/uv pip sync --quiet --compile-bytecode
.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	mkdir -p .local
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .local/uv-requirements.txt
	.venv/bin/python -m pip install --quiet --require-hashes --requirement .local/uv-requirements.txt

$(project): requirements.txt pyproject.toml | .venv/bin/uv
	$(install) --python .venv/bin/python --require-hashes requirements.txt
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	touch $@

$(sam): infra/sam-requirements.txt | $(project)
	test -x .local/sam/bin/python || .venv/bin/uv venv --quiet --python .venv/bin/python .local/sam
	$(install) --python .local/sam/bin/python --require-hashes infra/sam-requirements.txt
	touch $@

$(cloud): infra/local/requirements.txt | $(project)
	test -x .local/cloud/bin/python || .venv/bin/uv venv --quiet --python .venv/bin/python .local/cloud
	$(install) --python .local/cloud/bin/python --require-hashes infra/local/requirements.txt
	touch $@

# Debian's Chromium, for the tests in a browser. Without it they are skipped, and this is tried again the next time.
$(browser): | $(project)
	@as_root=$$(test "$$(id -u)" = 0 || echo sudo --non-interactive); \
	if ! command -v chromium > .local/chromium.log && command -v apt-get > .local/chromium.log; then \
	    echo "Installing Chromium"; \
	    { $$as_root apt-get update && $$as_root env DEBIAN_FRONTEND=noninteractive \
	        apt-get install --yes --no-install-recommends chromium; } > .local/chromium.log 2>&1 || true; \
	fi; \
	if command -v chromium > .local/chromium.log; then touch $@; else \
	    echo "!!! There is no Chromium and it could not be installed: the browser tests will be SKIPPED." >&2; fi

# ---- what is built ------------------------------------------------------------------------------------------------

$(messages): $(project) $(shell $(call sources,templates cli/heliograph_cli/authoring layers/heliograph/heliograph))
	.venv/bin/python -m heliograph_cli.authoring.build templates build/templates
	touch $@

$(built): $(sam) $(cloud) $(messages) template.yaml $(wildcard infra/*.yaml infra/channels/*.yaml) $(shell $(call sources,functions layers/heliograph))
	HELIOGRAPH_RUNTIME=$(local_runtime) HELIOGRAPH_ARCHITECTURE=$(local_architecture) $(sam_cli) build \
	    --parameter-overrides Runtime=$(local_runtime) Architecture=$(local_architecture) > .local/build.log 2>&1 \
	    || { cat .local/build.log; exit 1; }
	$(call with_looped_templates,.aws-sam/build)
	$(call compiled,.local/cloud/bin/python,$(local_architecture),.aws-sam/build)
	touch $@
