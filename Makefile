PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help run test lock clean

help:  ## Show what can be made.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

run: $(VENV)/.run  ## Start core and gateway with demo workspaces (DATA, HTTP_PORT, GRPC_PORT, DATABASE_URL).
	@$(BIN)/userdir serve

test: $(VENV)/.test  ## Lint, check types and the contract, run every test on SQLite and PostgreSQL.
	@.ci/check

lock:  ## Write the requirements anew from pyproject.toml (needs uv).
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra build pyproject.toml -o requirements/run.txt
	uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra build --extra dev pyproject.toml -o requirements/dev.txt

clean:  ## Remove what was built; the data in ./var stays.
	rm -rf $(VENV) protos/userdirectory/v1/*_pb2*.py*

$(VENV)/.run: requirements/run.txt pyproject.toml protos/build.py $(wildcard protos/userdirectory/v1/*.proto)
	$(call install,run)

$(VENV)/.test: requirements/dev.txt pyproject.toml protos/build.py $(wildcard protos/userdirectory/v1/*.proto)
	$(call install,dev)
	@touch $(VENV)/.run

define install
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; name one with PYTHON=...")'
	@test -d $(VENV) || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing requirements/$(1).txt ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/$(1).txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
endef
