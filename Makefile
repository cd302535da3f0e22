# Everything from a bare checkout with Python and make: `make demo`, `make test`. `make check` is the quick loop.
# `make test PYTHON=python3.12` runs on another Python, in an environment of its own (.venv-3.12).

PYTHON ?= python3
ifndef VENV
ifeq ($(PYTHON),python3)
VENV := .venv
else
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(VENV),.venv-)
$(error PYTHON=$(PYTHON) does not run; give the name or path of a Python, such as PYTHON=python3.12)
endif
endif
endif
BIN := $(VENV)/bin
export FXLOOM_CACHE ?= $(abspath $(VENV))/kernels

.PHONY: demo test check faults bench docs clean

demo: $(VENV)/run.stamp
	rm -rf demo-store
	$(BIN)/fxloom demo --store demo-store

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m fxloom.run.warm
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m fxloom.run.warm
	$(BIN)/pytest -n 2 --dist loadfile

faults: $(VENV)/test.stamp
	FXLOOM_FAULTS=200 $(BIN)/pytest tests/faults tests/kernels/test_kernel_cache.py tests/stores/test_contents.py tests/stores/test_postgres_market.py tests/stores/test_postgres_rights.py -s

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks

docs: $(VENV)/run.stamp
	$(BIN)/python docs/make_features.py

# The lock files carry versions and hashes; the package itself is installed as it lies here.
$(VENV)/run.stamp: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/test.stamp: requirements-test.lock $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-test.lock
	touch $@

clean:
	rm -rf .venv .venv-* demo-store build *.egg-info .mypy_cache .ruff_cache .pytest_cache
