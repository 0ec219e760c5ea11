# greennb. `make` alone says what there is. Any POSIX make and /bin/sh will do; nothing needs GNU or bash.
#
# Each step that installs leaves a stamp in .venv, so that the second run is quick. A change of pyproject.toml or
# constraints.txt makes it run again. What may be set, on the command line or in the environment:
#   PYTHON=...             the interpreter to build .venv from (3.11 or newer)
#   GREENNB_PIP_ARGS=...   more options for every `pip install`
#   BENCH_ARGS=--quick     a shorter bench-peers
#   PYTEST_ARGS=...        more options for pytest        LAB_ARGS=...   more options for JupyterLab

.POSIX:

VENV = .venv
BIN = $(VENV)/bin
RECIPE = pyproject.toml constraints.txt tools/install

.PHONY: help demo lab test lint bench bench-peers rig chromium clean distclean

help: ## this list
	@echo 'greennb: what did that cell cost?'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

demo: $(VENV)/.stamp-demo ## set up .venv and measure a real notebook, on whatever sensors are here
	@mkdir -p reports
	$(BIN)/greennb run notebooks/01-first-joule.ipynb --html reports/first-joule.html

lab: $(VENV)/.stamp-lab ## open JupyterLab on notebooks/ (this machine only)
	cd notebooks && ../$(BIN)/jupyter lab --ip=127.0.0.1 $$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_ARGS)

test: $(VENV)/.stamp-test chromium rig lint ## set up everything, then lint, types, layers and every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.stamp-test ## ruff, mypy and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.stamp-test ## what greennb itself costs, as a table
	$(BIN)/python tests/bench/run.py

bench-peers: $(VENV)/.stamp-test rig ## greennb beside zeus, codecarbon, pyRAPL and pyJoules: docs/benchmarks.md
	$(BIN)/python tests/bench/peers/runner.py $(BENCH_ARGS)

rig: ## what the virtual sensors need (gcc, FUSE), where it is missing and we may
	@sh tools/rig

chromium: ## a browser for the browser tests, where it is missing and we may
	@sh tools/chromium

clean: ## remove reports, caches and what was built
	rm -rf reports build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find greennb tests tools -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## as clean, and .venv too
	rm -rf $(VENV) .peers

$(VENV)/.stamp-python:
	@sh tools/make-venv $(VENV)

$(VENV)/.stamp-demo: $(VENV)/.stamp-python $(RECIPE)
	@sh tools/install $(VENV) demo

$(VENV)/.stamp-lab: $(VENV)/.stamp-python $(RECIPE)
	@sh tools/install $(VENV) lab,sklearn

$(VENV)/.stamp-test: $(VENV)/.stamp-python $(RECIPE)
	@echo 'The tests use PyTorch, TensorFlow and JupyterLab: about 3 GB on disk, and some minutes.'
	@sh tools/install $(VENV) test
