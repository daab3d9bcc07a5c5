PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Conformance suites, each in an environment of its own: they need other versions than we do.
SUITES := scim2 sanity sim
COMPILE := uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

.PHONY: help run test fuzz lock clean

help:  ## Show what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

run: $(VENV)/.run  ## Start core and gateway with demo workspaces (DATA, HTTP_PORT, GRPC_PORT, DATABASE_URL).
	@$(BIN)/userdir serve

test: $(VENV)/.test $(SUITES:%=$(VENV)-%/.done)  ## Lint, check types and the contract, run every test on SQLite and PostgreSQL.
	@.ci/check

fuzz: $(VENV)/.test  ## Send 20,000 hostile bodies (BODIES) and 5,000 random writes; takes minutes.
	@USERDIR_FUZZ_BODIES=$(or $(BODIES),20000) $(BIN)/pytest -s tests/fuzz
	@USERDIR_STATEFUL_RUNS=50 $(BIN)/pytest tests/stateful

lock:  ## Write the requirements anew from pyproject.toml and requirements/*.in (needs uv).
	$(COMPILE) --extra build pyproject.toml -o requirements/run.txt
	$(COMPILE) --extra build --extra dev pyproject.toml -o requirements/dev.txt
	for suite in $(SUITES); do $(COMPILE) requirements/$$suite.in -o requirements/$$suite.txt || exit; done

clean:  ## Remove what was built; the data in ./var stays.
	rm -rf $(VENV) $(SUITES:%=$(VENV)-%) protos/userdirectory/v1/*_pb2*.py*

$(VENV)/.run: requirements/run.txt pyproject.toml protos/build.py $(wildcard protos/userdirectory/v1/*.proto)
	$(call install,run)

$(VENV)/.test: requirements/dev.txt pyproject.toml protos/build.py $(wildcard protos/userdirectory/v1/*.proto)
	$(call install,dev)
	@touch $(VENV)/.run

$(VENV)-%/.done: requirements/%.txt
	@echo "Installing requirements/$*.txt in $(@D) ..."
	@test -d $(@D) || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

define install
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; name one with PYTHON=...")'
	@test -d $(VENV) || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing requirements/$(1).txt ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements/$(1).txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
endef
