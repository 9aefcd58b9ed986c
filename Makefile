# What people do in this repository. Each target sets everything up first; that takes seconds the second time.
# Nothing here depends on the shell it is called from: see `unexport`.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON := python3
VENV := .venv
BIN := $(VENV)/bin

# Keyed on content, not on time: a branch switched to and back sets nothing up again. The folder's name
# counts because a virtual environment holds absolute paths and does not survive a move.
KEY := $(shell { cat requirements-dev.lock pyproject.toml; pwd; } | cksum | cut -d ' ' -f 1)
READY := $(VENV)/ready-$(KEY)

# The programs of `make test-world`, in folders of .venv that are made anew with their lock files.
WORLD := tests/world
NODE_READY := $(VENV)/node/ready-$(shell cksum < $(WORLD)/package-lock.json | cut -d ' ' -f 1)
STATUSCHECK_READY := $(VENV)/statuscheck/ready-$(shell cksum < $(WORLD)/statuscheck.lock | cut -d ' ' -f 1)

# What another project or a running bot leaves in a shell must not change what is built or tested here.
unexport MYPYPATH PIP_PREFIX PIP_TARGET PIP_USER PYTEST_ADDOPTS PYTEST_PLUGINS
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS VIRTUAL_ENV

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## install everything into .venv, from the lock file (the other targets do it too)

# uv installs in seconds what takes pip most of a minute; both hold each file against its hash. pip stands in
# where only pip is configured for the machine's package index, or where the system has no certificates.
$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Ratchet needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make a virtual environment: install the Debian package python3-venv and call make again."; \
	  exit 1; }
	@echo "Setting up $(VENV) from the lock file. This is done once, and can take a minute."
	@rm -f $(VENV)/ready-*
	@grep -qsF "$(CURDIR)/$(BIN)/" $(BIN)/pip && $(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync --quiet --system-certs --python $(BIN)/python --require-hashes requirements-dev.lock 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: $(READY) ## run the whole bot against a local stand-in for Slack (ARGS="--story secret", ARGS=--clean)
	@$(BIN)/ratchet demo $(ARGS)

# Each of the workers starts servers of its own; eight are enough for a suite of minutes.
PYTEST_ALL := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

.PHONY: test
test: $(READY) ## run all tests that need nothing but Python
	@$(PYTEST_ALL)

# A program that cannot be installed leaves its tests out, loudly; it does not fail the others.
.PHONY: test-world
test-world: $(READY) ## run the tests that need other programs (a browser, clients of the page), and install these if possible
	@$(MAKE) browser || true
	@$(MAKE) clients || true
	@$(BIN)/python -m pytest -m world || test $$? = 5 # 5: all were left out

LOOPS := 1 2 3 4 5 6 7 8

# Each loop looks whether this shell still lives, so that none outlives a killed run.
.PHONY: busy
busy: $(READY) ## run all tests beside eight busy loops: no test depends on the speed of the machine
	@for loop in $(LOOPS); do \
	  while kill -0 $$$$ 2>/dev/null; do n=0; while [ $$n -lt 100000 ]; do n=$$((n + 1)); done; done & \
	done; $(PYTEST_ALL)

.PHONY: screenshots
screenshots: browser ## redraw the pictures in docs/img, light and dark
	@$(BIN)/python -m pytest -m world tests/browser/bot --pictures

# Debian's Chromium with letters and emoji to draw. Without it `make test-world` leaves the tests of pages
# out and says so.
CHROMIUM_PACKAGES := chromium fonts-inter fonts-noto-color-emoji
INSTALL := test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

.PHONY: browser
browser: $(READY) $(NODE_READY)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  $(INSTALL) $(CHROMIUM_PACKAGES) >/dev/null; } || { \
	  echo "No Chromium here, and no way to install it: install the packages $(CHROMIUM_PACKAGES) and call make again."; \
	  exit 1; }

# Programs of other people that read our pages and webhooks. Those in Python that can share our environment are
# in the lock file of the tests; one pins old libraries and has an environment of its own.
.PHONY: clients
clients: $(READY) $(NODE_READY) $(STATUSCHECK_READY)
	@command -v w3m >/dev/null || { $(INSTALL) w3m >/dev/null; } || \
	  echo "No w3m here, and no way to install it: install the package w3m and call make again."
	@command -v java >/dev/null || echo "No Java here: install a Java runtime, or the Nu checker's tests are left out."

$(NODE_READY): | $(READY)
	@command -v npm >/dev/null || echo "No npm here: install Node.js 20 with npm, or the tests of its packages are left out."
	@! command -v npm >/dev/null || { \
	  rm -rf $(@D) && mkdir -p $(@D) && cp $(WORLD)/package.json $(WORLD)/package-lock.json $(@D) && \
	  npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(@D) && touch $@; } || \
	  echo "npm cannot install its packages: their tests are left out."

$(STATUSCHECK_READY): | $(READY)
	@$(BIN)/python -m venv --clear $(@D) && \
	  $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(WORLD)/statuscheck.lock && \
	  $(@D)/bin/python -c 'import statuscheck.services.bases._statuspageio' && touch $@ || \
	  echo "statuscheck cannot be installed: its tests are left out."

.PHONY: torture
torture: $(READY) ## run the long tests of crashes, faults, load and properties (nightly; ARGS=--torture-minutes=5 for less)
	@$(BIN)/python -m pytest -m torture $(ARGS)
	@$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=torture $(ARGS)

# Only the tests of core are measured: the others start threads and processes, which a tracer slows, and
# Python 3.11 cannot always trace a thread that starts beside another one.
.PHONY: check
check: $(READY) ## run the checks of CI: format, lint, types, import contracts, all tests, coverage of core
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST_ALL) --cov --cov-report=term-missing:skip-covered tests/core
	$(PYTEST_ALL) --ignore=tests/core

.PHONY: bench
bench: $(READY) ## measure this machine against raw SQL and a bare server, and print the ratios
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: format
format: $(READY) ## format the code and apply the fixes of the linter
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: docs
docs: $(READY) ## regenerate the parts of README that are made from the code
	@$(BIN)/python -m pytest --quiet --update-golden tests/edges/test_docs.py

# Each direct dependency at its lower bound, the others as new as they allow; the tools that test are the locked ones.
LOWEST := .venv-lowest
TOOLS := httpx|hypothesis|pytest|pytest-asyncio|pytest-xdist

.PHONY: lowest
lowest: $(READY) ## test with the lowest versions that pyproject.toml allows
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	@$(BIN)/uv pip install --quiet --system-certs --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[demo]' \
	  $$(sed -nE 's/^($(TOOLS))==([^ ]*).*/\1==\2/p' requirements-dev.lock)
	@$(LOWEST)/bin/ratchet --version
	@$(LOWEST)/bin/ratchet --help >/dev/null
	@$(LOWEST)/bin/python -m pytest --quiet --numprocesses 2 tests/conversations tests/http/test_v1.py

# No header and no annotations: the lock files name packages and hashes, and no machine or registry.
LOCK := $(BIN)/uv pip compile --quiet --system-certs --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: lock
lock: $(READY) ## resolve the dependencies again and write the lock files
	@$(LOCK) pyproject.toml --output-file requirements.lock
	@$(LOCK) pyproject.toml --extra demo --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(LOCK) $(WORLD)/statuscheck.in --output-file $(WORLD)/statuscheck.lock
	@! command -v npm >/dev/null || npm update --silent --no-audit --no-fund --ignore-scripts --package-lock-only \
	  --omit-lockfile-registry-resolved --prefix $(WORLD)
