# The two commands: `make run` and `make test`. Both install what they need.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
ONLY ?=
# What the tests need of npm, where there is Node.js.
NODE_PACKAGES := tests/editors flows/orders/node

.PHONY: run test setup setup-test lint bench fuzz chaos clean

run: setup
	$(BIN)/orchestrate dev flows/orders --run flows/orders/orders.json $(ARGS)

# Two processes: one with the tests that need the servers, which mostly wait, and one with the rest.
test: setup-test lint
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

# Ruff, the formatter, mypy, the import contracts.
lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-test
	$(BIN)/python -m tests.bench $(ARGS) $(ONLY)

# Ten thousand inputs for all that reads a flow or an expression, and for what answers an editor.
fuzz: $(VENV)/.tests
	FUZZ_INPUTS=$(or $(INPUTS),10000) $(BIN)/pytest tests/dsl tests/lsp -m fuzz --timeout 3600 $(ARGS)

# Processes die at every point, servers are killed and connections break, while orders come in.
chaos: setup-test
	$(BIN)/python -m tests.chaos $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

setup: $(VENV)/.installed
	$(BIN)/python -m orchestrator.dev.install

setup-test: $(VENV)/.tests
	$(BIN)/python -m orchestrator.dev.install --tests $(if $(CI),--require)

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.tests: $(VENV)/.installed $(NODE_PACKAGES:=/package.json)
	$(BIN)/python -m pip install --quiet --group dev
	if command -v npm > /dev/null; then for folder in $(NODE_PACKAGES); do \
	  npm install --prefix $$folder --no-package-lock --no-audit --no-fund --loglevel=error || exit; \
	  done; fi
	touch $@

clean:
	rm -rf $(VENV) .orchestrate build .mypy_cache .ruff_cache .pytest_cache .hypothesis $(NODE_PACKAGES:=/node_modules)
