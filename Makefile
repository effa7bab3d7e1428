# The whole of the daily commands. Each one sets its environment up first; `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
FAULTS ?= sqlite postgresql
COVERAGE ?= 1
SQLITE_TESTS ?=
SIZES ?=
ONLY ?=
DATABASES ?=
POSTGRES_TESTS ?=
TEST_POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/postgres
export TEST_POSTGRES_URL
# Without byte code, each program that a test starts would compile Django anew: half of its time.
unexport PYTHONDONTWRITEBYTECODE
# Two runs at once, in two environments, must not count each other's lines.
export COVERAGE_FILE := $(abspath $(VENV))/coverage

BIN := $(VENV)/bin
CACHES := .bench .deploy .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist

.DEFAULT_GOAL := help
.PHONY: help demo site test faults test-deploy lint bench docs docs-links lock clean
.NOTPARALLEL:

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/site.stamp ## Watch deleted files travel from the disk to a clean database.
	@$(BIN)/python manage.py demo

site: $(VENV)/site.stamp ## Serve the gallery on 127.0.0.1:8000 (PORT=8001 for another port).
	@$(BIN)/python manage.py migrate --verbosity 0
	@if $(BIN)/python manage.py shell --verbosity 0 --command $(gallery-is-new); then \
	  $(BIN)/python manage.py fill_gallery; \
	fi
	@$(BIN)/python manage.py runserver 127.0.0.1:$(PORT)

test: $(VENV)/dev.stamp ## Run every test on SQLite, then on PostgreSQL (FAULTS= leaves the fault suite out, COVERAGE=0 the coverage, SQLITE_TESTS and POSTGRES_TESTS choose what runs on one of the two).
	@$(BIN)/coverage erase
	@echo "Tests on SQLite:"
	@export TEST_DATABASE=sqlite; $(call run-tests,sqlite)
	@if $(BIN)/python -c $(postgres-answers) 2>/dev/null; then \
	  echo "Tests on PostgreSQL:"; \
	  export TEST_DATABASE=postgresql; $(call run-tests,postgresql); \
	else \
	  echo "PostgreSQL half NOT RUN: no server answers at $(TEST_POSTGRES_URL)." \
	    "Start one, or name one: make test TEST_POSTGRES_URL=postgres://user@host:port/database"; \
	  test "$$CI" != true; \
	fi
	@if [ "$(COVERAGE)" != 0 ]; then $(BIN)/coverage combine --quiet && $(BIN)/coverage report; fi

faults: $(VENV)/dev.stamp ## Run the fault suite alone, which `make test` ends with (FAULTS=sqlite on one database only).
	@$(foreach database,$(FAULTS),TEST_DATABASE=$(database) $(run-faults) &&) true

measured = $(if $(filter-out 0,$(COVERAGE)),$(BIN)/coverage run,$(BIN)/python)
run-tests = $(measured) -m pytest --ignore=tests/faults $(if $(filter sqlite,$(1)),$(SQLITE_TESTS),$(POSTGRES_TESTS)) $(if $(filter $(1),$(FAULTS)), \
  && $(run-faults))
# The fault suite mostly waits, so three at once take little more than a third of the time.
run-faults = $(BIN)/python -m pytest --numprocesses=3 tests/faults

test-deploy: $(VENV)/dev.stamp ## Build the image, run all of deploy/ in Docker and under systemd, and test it (needs root; installs Docker by apt).
	@bash tests/deploy/tools.sh
	@TEST_DATABASE=sqlite $(BIN)/python -m pytest -m deploy tests/deploy

lint: $(VENV)/dev.stamp ## Check the style, the types and who imports whom.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## Measure speed and memory, and write docs/reference/benchmarks.md (SIZES="10000 100000", ONLY="scan log" and DATABASES=sqlite measure a part).
	@$(BIN)/python -m tests.benchmarks --sizes $(SIZES) --only $(ONLY) --databases $(DATABASES)

docs: $(VENV)/docs.stamp ## Build the pages of docs/ as HTML in build/docs; a warning is an error.
	@$(sphinx) -b html docs build/docs
	@echo "The pages are in build/docs: open build/docs/index.html"

docs-links: $(VENV)/docs.stamp ## Ask every other site that the pages link whether the page is still there: needs the network.
	@$(sphinx) -b linkcheck docs build/docs-links

sphinx = $(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet --jobs auto -d build/doctrees

lock: ## Write requirements*.txt anew from pyproject.toml (UPGRADE=1 takes the newest versions).
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv"; exit 1; }
	@$(compile) --group site --output-file requirements.txt pyproject.toml
	@$(compile) --group dev --constraints requirements.txt --output-file requirements-dev.txt pyproject.toml
	@$(compile) --group docs --constraints requirements-dev.txt --output-file requirements-docs.txt

clean: ## Remove the environment and every cache, and keep the gallery's data.
	@if [ -e .bench ] && [ -e $(BIN)/python ]; then $(BIN)/python -m tests.benchmarks --forget; fi
	@if [ -e $(VENV)/pyvenv.cfg ]; then rm -rf $(VENV); fi
	@rm -rf $(CACHES)
	@find auditor watcher deploy tests -name __pycache__ -prune -exec rm -rf {} +

# A stamp is younger than the lock it was installed from; the tools of dev contain all of the site.
$(VENV)/site.stamp: requirements.txt
	@$(make-environment)
	@$(call install,requirements.txt)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt
	@$(make-environment)
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/site.stamp $@

$(VENV)/docs.stamp: requirements-docs.txt
	@$(make-environment)
	@$(call install,requirements-docs.txt)
	@touch $@

# An environment that is there stays, and grows: somebody's site may be running on it.
define make-environment
set -e; \
if ! $(BIN)/python -c "" 2>/dev/null; then \
  command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON): name a Python, PYTHON=python3.13"; exit 1; }; \
  $(PYTHON) -c $(is-new-enough); \
  echo "Making $(VENV) with $$($(PYTHON) --version) ..."; \
  if command -v uv >/dev/null; then \
    uv venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV); \
  else \
    $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }; \
  fi; \
fi
endef

define install
set -e; \
echo "Installing $(1) ..."; \
if command -v uv >/dev/null; then \
  uv pip install --quiet --python $(BIN)/python --require-hashes --requirement $(1); \
else \
  $(BIN)/python -c "import pip" 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement $(1); \
fi
endef

compile = UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade)

# One line of Python each, in quotes for the shell.
is-new-enough = 'import sys; sys.version_info >= (3, 11) or sys.exit( \
  "This project needs Python 3.11 or newer, and $(PYTHON) is %d.%d: name another, PYTHON=python3.13" \
  % sys.version_info[:2])'
postgres-answers = 'import os, psycopg; \
  psycopg.connect(os.environ["TEST_POSTGRES_URL"], connect_timeout=5).close()'
gallery-is-new = 'import os, sys; from django.conf import settings; from deploy.gallery.models import Album; \
  sys.exit(os.path.exists(settings.MEDIA_ROOT) or Album.objects.exists())'
