# make run — the whole shop on this machine · make test — every test · make check — every check · make bench — figures
# make soak — stories of buyers and of money for as long as you like
# make storm — everything at once: 100 buyers, 1,000 callbacks, two blackouts, two clocks; a table of what came of it
# make lock — after a change of what is installed · make screenshots — the pictures of docs/staff-guide.md
# Windows: the same steps for PowerShell stand in README.md.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

.PHONY: run check check-style check-types check-house check-django check-migrations check-templates \
	test bench bench-million soak storm screenshots lock test-side-by-side test-sqlite test-postgres test-pure test-js test-browser clean

run: .venv/run.stamp
	@$(BIN)/python manage.py run_demo --port $(PORT)

# The same pieces as in .pre-commit-config.yaml.
check: check-style check-types check-house check-django check-migrations check-templates

check-style: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-types: .venv/dev.stamp
	$(BIN)/mypy

check-house: .venv/dev.stamp
	$(BIN)/lint-imports

check-django: .venv/dev.stamp
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

check-migrations: .venv/dev.stamp
	$(BIN)/python -m tests.support.migrations_sql

check-templates: .venv/dev.stamp
	$(BIN)/djlint templates --lint --quiet

test: test-js test-side-by-side

# PostgreSQL's tests and then those of no database keep one core busy, SQLite's and then the browser's the other. What the
# first have to say comes last. Started in the background they are deaf to Ctrl-C: the trap ends them.
test-side-by-side: .venv/dev.stamp
	@mkdir -p var
	@$(MAKE) --no-print-directory -k test-postgres test-pure > var/test-postgres.txt 2>&1 & other=$$!; \
	trap 'kill $$other' INT TERM; \
	$(MAKE) --no-print-directory test-sqlite && $(MAKE) --no-print-directory test-browser; here=$$?; \
	echo "(PostgreSQL's tests go on ...)"; wait $$other; there=$$?; \
	cat var/test-postgres.txt; exit $$((here + there))

test-sqlite: .venv/dev.stamp
	@echo "== pytest on SQLite"
	$(BIN)/python -m pytest -m "database and not browser" -q

# what speaks to no database, which says the same on both
test-pure: .venv/dev.stamp
	@echo "== pytest without a database"
	$(BIN)/python -m pytest -m "not database and not browser" -q

test-postgres: .venv/dev.stamp
	@echo "== pytest on PostgreSQL"
	TEST_DATABASE=postgres $(BIN)/python -m pytest -m "database and not browser" -q

test-js:
	@echo "== node --test"
	@command -v node >/dev/null || { echo "The JavaScript tests need Node.js 20 or later: https://nodejs.org"; exit 1; }
	node --test tests/js/

test-browser: .venv/dev.stamp
	@echo "== browser tests in Chromium"
	@sh tests/browser/get-chromium.sh
	$(BIN)/python -m pytest -m browser -q

.venv/run.stamp: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@echo "Making .venv and installing the shop (once; a minute or two) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	@echo "Installing what tests and checks need (once) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# After a change of requirements.txt or requirements-dev.txt: what they come to, on every system, with hashes.
LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --quiet --no-header
lock:
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep ^uv== requirements-dev.txt)"
	$(BIN)/$(LOCK) requirements.txt -o requirements.lock
	$(BIN)/$(LOCK) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m tests.support.licences > docs/licences.md

bench: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks

bench-million: .venv/dev.stamp
	$(BIN)/python -m tests.benchmarks.million

# STORIES=5000 make soak: so many of each kind, each time others; tells how many, and the first that breaks a rule
soak: .venv/dev.stamp
	MONEY_MACHINE_EXAMPLES=$${STORIES:-2000} STATE_MACHINE_EXAMPLES=$${STORIES:-2000} \
	$(BIN)/python -m pytest -q -s tests/journeys/test_money_machine.py tests/journeys/test_state_machine.py

# STORM_BUYERS=300 STORM_CALLBACKS=3000 make storm: see tests/support/races/storm/__main__.py
storm: .venv/dev.stamp
	$(BIN)/python -m tests.support.races.storm

screenshots: .venv/dev.stamp
	@sh tests/browser/get-chromium.sh
	$(BIN)/python -m tests.support.browser.screenshots

clean:
	rm -rf .venv var staticfiles .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis
