# greennb. `make` alone says what there is. Any POSIX make and /bin/sh will do; nothing needs GNU or bash.
#
# Each step that installs leaves a stamp in .venv, so that the second run is quick. A change of pyproject.toml or
# constraints.txt makes it run again. What may be set, on the command line or in the environment:
#   PYTHON=...             the interpreter to build .venv from (3.11 or newer)
#   GREENNB_PIP_ARGS=...   more options for every `pip install`
#   BENCH_ARGS=--quick     a shorter bench-peers or bench-panel
#   PYTEST_ARGS=...        more options for pytest        LAB_ARGS=...       more options for JupyterLab
#   BROWSER_ARGS=...       more options for Playwright, after --; see tests/README.md
#   DOCS_EXECUTE=cache     run the tutorial's notebooks for `make docs` (off, cache, auto); off unless told

.POSIX:

VENV = .venv
BIN = $(VENV)/bin
LAB42 = .venv-lab42
NBGRADER = .nbgrader
RECIPE = pyproject.toml constraints.txt tools/install
# Python runs what needs node, so that node and jlpm may come from .venv where the machine has none.
CHECK = $(BIN)/python tools/check.py

.PHONY: help demo lab labextension test test-page test-browser lint bench bench-advisor bench-panel bench-peers rig chromium \
	notebooks docs clean distclean

help: ## this list
	@echo 'greennb: what did that cell cost?'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

demo: $(VENV)/.stamp-demo ## set up .venv and measure a real notebook, on whatever sensors are here
	@mkdir -p reports
	$(BIN)/greennb run notebooks/solutions/01-first-joule.ipynb --html reports/first-joule.html

lab: $(VENV)/.stamp-lab ## open JupyterLab with the panel on notebooks/ (this machine only)
	@sh tools/labextension $(VENV)
	cd notebooks && ../$(BIN)/jupyter lab --ip=127.0.0.1 $$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_ARGS)

labextension: $(VENV)/.stamp-test $(LAB42)/.stamp-lab42 ## build the JupyterLab extension and link it into the environments
	@sh tools/labextension $(VENV) $(LAB42)

test: $(VENV)/.stamp-test $(LAB42)/.stamp-lab42 $(NBGRADER)/.stamp chromium rig ## set up everything, then lint, types, layers and every test
	@$(CHECK)

test-page: labextension ## only the page: prettier, tsc and jest
	@$(CHECK) prettier tsc jest

test-browser: labextension chromium rig ## only JupyterLab, Notebook and JupyterLab 4.2 in a browser (BROWSER_ARGS)
	$(BIN)/python tests/browser/run.py $(BROWSER_ARGS)

lint: $(VENV)/.stamp-test ## ruff, mypy and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.stamp-test ## what greennb itself costs, as a table
	$(BIN)/python tests/bench/run.py

bench-advisor: $(VENV)/.stamp-test ## what watching costs a training step, a fit, a cell; trials of equal and unequal ways
	-$(BIN)/python tests/bench/advise.py
	-$(BIN)/python tests/bench/advisor_torch.py
	-$(BIN)/python tests/bench/advisor_sklearn.py
	-$(BIN)/python tests/bench/advisor_keras.py
	$(BIN)/python tests/bench/compare.py

bench-panel: labextension chromium rig ## what the panel costs in the browser and in the kernel
	-$(BIN)/python tests/bench/bridge.py
	$(BIN)/python tests/bench/panel/run.py $(BENCH_ARGS)

bench-peers: $(VENV)/.stamp-test rig ## greennb beside zeus, codecarbon, pyRAPL and pyJoules: docs/benchmarks.md
	$(BIN)/python tests/bench/peers/runner.py $(BENCH_ARGS)

docs: $(VENV)/.stamp-test ## the website of docs/, in docs/_build/html (DOCS_EXECUTE=cache also runs the tutorial)
	@$(CHECK) docs
	@echo 'Open docs/_build/html/index.html'

notebooks: $(VENV)/.stamp-demo ## the students' notebooks again, from notebooks/solutions/
	$(BIN)/python tools/notebooks.py

rig: ## what the virtual sensors need (gcc, FUSE), and Prometheus, where they are missing and we may
	@sh tools/rig

chromium: ## a browser for the browser tests, where it is missing and we may
	@sh tools/chromium

clean: ## remove reports, caches and what was built
	rm -rf reports build dist docs/_build docs/tutorial/*.ipynb .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	rm -rf greennb/labextension labextension/lib labextension/tsconfig.tsbuildinfo
	rm -rf labextension/test-results labextension/playwright-report
	find greennb tests tools -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## as clean, and .venv and what npm brought too
	rm -rf $(VENV) $(LAB42) $(NBGRADER) .peers labextension/node_modules labextension/.yarn

$(VENV)/.stamp-python:
	@sh tools/make-venv $(VENV)

$(VENV)/.stamp-demo: $(VENV)/.stamp-python $(RECIPE)
	@sh tools/install $(VENV) demo

$(VENV)/.stamp-lab: $(VENV)/.stamp-python $(RECIPE)
	@sh tools/install $(VENV) lab,sklearn

$(VENV)/.stamp-test: $(VENV)/.stamp-python $(RECIPE)
	@echo 'The tests use PyTorch, TensorFlow and JupyterLab: about 3 GB on disk, and some minutes.'
	@sh tools/install $(VENV) test

$(NBGRADER)/.stamp: $(VENV)/.stamp-python tests/notebooks/nbgrader.txt tools/nbgrader
	@sh tools/nbgrader $(VENV) $(NBGRADER)

$(LAB42)/.stamp-lab42: pyproject.toml tests/browser/lab42.txt tools/lab42
	@sh tools/lab42 $(LAB42)
