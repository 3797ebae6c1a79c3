# Two commands do all set-up: `make demo` and `make test`. Both create .venv on their own.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.set-up
WORKERS ?= 2

.PHONY: setup demo department check test test-slow test-department bench docs train-bundles clean

setup: $(STAMP)

# torch first and exactly, so that nothing pulls another build of it; deepbet without its dependencies (a window, data
# frames): only the models in its package are used
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; set PYTHON=python3.11"; exit 2; }
	@echo "creating $(VENV) (a few minutes the first time)"
	$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: apt-get install python3-venv"; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps deepbet==1.0.2
	@$(BIN)/python scripts/check_pango.py
	@touch $(STAMP)

demo: setup
	$(BIN)/tumorboard demo --out demo-output

# an Orthanc as PACS, tumorboard beside it, three digital patients; Ctrl-C ends it
department: setup
	$(BIN)/python scripts/department.py --out department-output

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile  # a thread each: workers share the cores

test-slow: setup
	$(BIN)/python -m pytest -m slow

# what needs a real archive, a browser, or minutes of damaged messages; skipped with the reason where Orthanc or Chromium is
# missing
test-department: setup
	@mkdir -p build/screenshots
	SCREENSHOTS=build/screenshots OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow -n $(WORKERS) --dist loadfile -rs tests/serve

# nnU-Net has an environment of its own: give NNUNET_PYTHON to run the benchmark beside it
bench: setup
	@for script in $(filter-out benchmarks/train_speed.py,$(wildcard benchmarks/*.py)); do \
	  echo "== $$script"; $(BIN)/python $$script || exit 1; done
	@if [ -n "$(NNUNET_PYTHON)" ]; then $(BIN)/python benchmarks/train_speed.py --nnunet-python "$(NNUNET_PYTHON)"; fi

docs: setup
	$(BIN)/python scripts/make_reference.py

# hours; goes on where it was stopped, and replaces src/tumorboard/bundles
train-bundles: setup
	MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 $(BIN)/python scripts/train_bundles.py

clean:
	rm -rf $(VENV) demo-output department-output build dist src/*.egg-info
