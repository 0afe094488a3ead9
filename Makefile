# Everything here needs Python 3.11 or newer and make; the rest is installed into .venv on first use.
# Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# torch and numpy each start a thread per core; two test processes on two cores need no more than one.
TEST_ENV := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST := $(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist loadfile
# `make check` sets this, so that the same two runs of the tests also measure the lines they reach.
COVERAGE_QUICK :=
COVERAGE_SLOW :=
SETUP := pyproject.toml constraints.txt install/environment.py install/torch_for_this_machine.py

.DEFAULT_GOAL := help
.PHONY: help demo test slow lint check docs clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

# Stamps: made after a step succeeded, older than what the step depends on when it must be repeated.
$(VENV)/.ready-to-use: $(SETUP)
	@$(PYTHON) install/environment.py --folder $(VENV) --extras all
	@touch $@

$(VENV)/.ready-to-develop: $(SETUP)
	@$(PYTHON) install/environment.py --folder $(VENV) --extras all,dev
	@touch $@ $(VENV)/.ready-to-use

demo: $(VENV)/.ready-to-use ## install, read phantoms and a real image, leave the results in demo/
	@$(BIN)/hounsfield demo

test: $(VENV)/.ready-to-develop ## the quick tests: run them often
	@$(PYTEST) -m "not slow and not gpu" $(COVERAGE_QUICK)

slow: $(VENV)/.ready-to-develop ## the tests that take long: real data, training, the notebook
	@$(PYTEST) -m "slow and not gpu" $(COVERAGE_SLOW)

lint: $(VENV)/.ready-to-develop ## style, types, floors and spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@MYPYPATH=install $(BIN)/mypy --strict install
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/codespell

check: lint ## all that CI runs: lint, then every test with branch coverage
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory test COVERAGE_QUICK="--cov --cov-report="
	@$(MAKE) --no-print-directory slow COVERAGE_SLOW="--cov --cov-append --cov-report=term --cov-fail-under=85"

docs: $(VENV)/.ready-to-develop ## write the reference pages that follow from the code
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/run_notebook.py

clean: ## remove what make made; results and training runs of yours stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov build dist
	find src tests install -name __pycache__ -type d -prune -exec rm -rf {} +
