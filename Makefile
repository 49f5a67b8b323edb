# The two commands of the README, each with an environment of its own; nothing else is needed than
# Python >= 3.10 and make.
PYTHON ?= python3
DEMO := .venv-demo
TEST := .venv-test
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test benchmark lint types format clean

demo: $(DEMO)/.done  ## fill the example photos and say where the results are
	$(DEMO)/bin/regionwise fill examples/photos --masks examples/masks -o out/demo --overwrite

test: $(TEST)/.done  ## run the tests
	OMP_NUM_THREADS=1 $(TEST)/bin/python -m pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered

benchmark: $(TEST)/.done  ## print the table of docs/benchmark.md that anyone can make
	rm -rf out/first_table
	$(TEST)/bin/python benchmarks/first_table.py --check

lint: $(TEST)/.done
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/lint-imports --no-cache

types: $(TEST)/.done
	$(TEST)/bin/mypy

format: $(TEST)/.done
	$(TEST)/bin/ruff check --fix .
	$(TEST)/bin/ruff format .

clean:
	rm -rf $(DEMO) $(TEST) out

$(DEMO)/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "regionwise needs Python 3.10 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(DEMO)
	$(DEMO)/bin/python $(INSTALL) --editable .
	touch $@

$(TEST)/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "regionwise needs Python 3.10 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(TEST)
	$(TEST)/bin/python $(INSTALL) --editable ".[dev]"
	touch $@
