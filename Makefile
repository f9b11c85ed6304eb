# Everything a fresh machine needs is Python (3.11 or newer), pip and make: `make demo`, `make test`.
# `make suite ARGS="-k ridge"` hands options to pytest; `make demo PYTHON=python3.12` takes another Python.
PYTHON ?= python3
ARGS ?=
SHELL := /bin/bash
BIN := .venv/bin
# Some systems ship Python without ensurepip: their own pip then serves the new environment.
define new_environment
	$(PYTHON) -m venv $(1) || { $(PYTHON) -m venv --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python install pip; }
endef

.PHONY: help demo test suite plain-python wheel upstream lint format bench clean

help:
	@echo "make demo       fit every estimator on real data, beside scikit-learn"
	@echo "make test       the whole proof: suite, suite without compiler, wheel in an empty environment"
	@echo "make lint       ruff: lint and format"
	@echo "make upstream   scikit-learn's own tests, with our classes in the place of theirs"
	@echo "make bench      side by side with the peers; writes benchmarks/RESULTS.md"
	@echo "make clean      remove the environments and what was built"

.venv/stamp: pyproject.toml
	$(call new_environment,.venv)
	$(BIN)/python -m pip install -q -e '.[test,plot]'
	@touch $@

.venv-bench/stamp: pyproject.toml
	$(call new_environment,.venv-bench)
	.venv-bench/bin/python -m pip install -q -e '.[bench]'
	@touch $@

demo: .venv/stamp
	$(BIN)/python -m skcourse

test: wheel plain-python suite

# On all cores; but what interrupts a fit at a certain time, or starts processes of its own, runs
# alone, after the others. pytest says 5 where there is nothing to run.
ALONE := tests/test_processes.py tests/upstream
suite: .venv/stamp
	$(BIN)/python -m pytest -n auto --dist worksteal $(ALONE:%=--ignore=%) $(ARGS) || [ $$? -eq 5 ]; \
	together=$$?; $(BIN)/python -m pytest $(ALONE) $(ARGS) || [ $$? -eq 5 ] && [ $$together -eq 0 ]

# The kernels as plain Python: what a student steps through must run, and give the same answers.
plain-python: .venv/stamp
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n auto tests/core tests/test_conformance.py

# The wheel and nothing else, in an environment that holds only what it asks for.
wheel: .venv-wheel/stamp
	rm -rf build dist
	.venv-wheel/bin/python -m pip wheel -q --no-deps -w dist .
	.venv-wheel/bin/python -m pip install -q --force-reinstall --no-deps dist/skcourse-*-py3-none-any.whl
	cd dist && ../.venv-wheel/bin/python -c "import skcourse, sys; assert '.venv-wheel' in skcourse.__file__, skcourse.__file__"
	cd dist && ../.venv-wheel/bin/python -m skcourse versions
	cd dist && ../.venv-wheel/bin/python -m skcourse warmup --only LinearRegression

.venv-wheel/stamp: pyproject.toml
	rm -rf .venv-wheel
	$(call new_environment,.venv-wheel)
	.venv-wheel/bin/python -m pip install -q .
	@touch $@

# scikit-learn's own tests, with our classes in the place of theirs (part of the suite as well).
upstream: .venv/stamp
	$(BIN)/python -m tests.upstream

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv-bench/stamp
	.venv-bench/bin/python -m benchmarks

clean:
	rm -rf .venv .venv-bench .venv-wheel .cache build dist *.egg-info
