# The two commands of the README, each with an environment of its own; nothing else is needed than
# Python >= 3.11 and make.
PYTHON ?= python3
DEMO := .venv-demo
TEST := .venv-test
RELEASE := .venv-release
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALL := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
OLD_PYTHON := regionwise needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12

.PHONY: demo test browser benchmark benchmark-all benchmark-check docs dist lint types format clean

demo: $(DEMO)/.done  ## fill the example photos and say where the results are
	$(DEMO)/$(BIN)/regionwise fill examples/photos --masks examples/masks -o out/demo --overwrite

test: $(TEST)/.done  ## run the tests
	OMP_NUM_THREADS=1 $(TEST)/$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered

browser:  ## install the browser that the tests of the page use (Debian, Ubuntu)
	command -v chromium || (apt-get update --quiet && apt-get install --yes --quiet chromium)

benchmark: $(TEST)/.done  ## print the table of docs/benchmark.md that anyone can make
	rm -rf out/first_table
	$(TEST)/$(BIN)/python benchmarks/first_table.py --check

benchmark-all: $(TEST)/.done  ## measure all networks and commands, and draw docs/speed.md (an hour)
	OMP_NUM_THREADS=1 $(TEST)/$(BIN)/python benchmarks/networks.py
	$(TEST)/$(BIN)/python benchmarks/commands.py
	$(TEST)/$(BIN)/python benchmarks/page.py

benchmark-check: $(TEST)/.done  ## fail where a network has lost a fifth of its gain over the literal form
	OMP_NUM_THREADS=1 $(TEST)/$(BIN)/python benchmarks/networks.py --check --repeats 7

docs: $(TEST)/.done  ## build the site into out/site; a warning or a dead link is an error
	rm -rf out/site docs/api/generated
	OMP_NUM_THREADS=1 $(TEST)/$(BIN)/python -m sphinx -b html -j auto -W --keep-going --quiet docs out/site
	@if command -v npm >/dev/null && $(TEST)/$(BIN)/python docs/demo/build.py out/site/try; then :; \
	else rm -rf out/site/try; echo "without the page in the browser: npm or its registry is out of reach"; fi
	$(TEST)/$(BIN)/python .ci/check_site.py out/site
	@echo "the site: out/site/index.html"

dist: $(RELEASE)/.done  ## build and check wheel, source archive and list of contents (SBOM) in dist/
	rm -rf dist
	$(RELEASE)/$(BIN)/python -m build
	$(RELEASE)/$(BIN)/python -m twine check --strict dist/*
	$(RELEASE)/$(BIN)/python .ci/check_citation.py CITATION.cff
	$(PYTHON) -m venv --clear $(RELEASE)/bare
	$(RELEASE)/bare/$(BIN)/python $(INSTALL) --only-binary :all: dist/*.whl
	$(RELEASE)/$(BIN)/cyclonedx-py environment $(RELEASE)/bare --output-reproducible \
		--output-file dist/regionwise.cdx.json

lint: $(TEST)/.done
	$(TEST)/$(BIN)/ruff check .
	$(TEST)/$(BIN)/ruff format --check .
	$(TEST)/$(BIN)/lint-imports --no-cache

types: $(TEST)/.done
	$(TEST)/$(BIN)/mypy

format: $(TEST)/.done
	$(TEST)/$(BIN)/ruff check --fix .
	$(TEST)/$(BIN)/ruff format .

clean:
	rm -rf $(DEMO) $(TEST) $(RELEASE) out dist

$(DEMO)/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(OLD_PYTHON)")'
	$(PYTHON) -m venv --clear $(DEMO)
	$(DEMO)/$(BIN)/python $(INSTALL) --editable .
	touch $@

$(TEST)/.done: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(OLD_PYTHON)")'
	$(PYTHON) -m venv --clear $(TEST)
	$(TEST)/$(BIN)/python $(INSTALL) --editable ".[dev]"
	touch $@

$(RELEASE)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(RELEASE)
	$(RELEASE)/$(BIN)/python $(INSTALL) build twine cyclonedx-bom jsonschema PyYAML
	$(RELEASE)/$(BIN)/python $(INSTALL) --no-deps cffconvert  # for its schema alone
	touch $@
