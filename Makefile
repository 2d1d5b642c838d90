# Each target is one command on a fresh machine with Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run doctor docs test check replay ehr demo sandbox bench words fuzz attack audit requirements clean

# Both with the same environment: open, unless CDS_AUTH says otherwise.
run doctor: export CDS_AUTH ?= open
run: .venv/run
	GUNICORN_CMD_ARGS="--bind 127.0.0.1:$${PORT:-8000}" $(BIN)/python -m cds_service serve

doctor: .venv/run
	$(BIN)/python -m cds_service doctor

test: .venv/ready
	$(BIN)/pytest

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m cds_service lint
	@$(MAKE) --no-print-directory audit

# An audit that could not be made says so, and does not pass for one.
audit: .venv/ready
	@out=$$($(BIN)/pip-audit -r requirements.txt --require-hashes --disable-pip --progress-spinner off 2>&1); \
	status=$$?; \
	if echo "$$out" | grep -q "^Found"; then echo "$$out"; exit 1; fi; \
	if [ $$status -ne 0 ] || echo "$$out" | grep -q "could not be audited"; \
	then echo "pip-audit: SKIPPED, the advisories cannot be reached from here"; else echo "$$out"; fi

# Pins the libraries anew, with hashes.
PIN := $(BIN)/pip-compile --quiet --upgrade --no-header --generate-hashes --strip-extras --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --allow-unsafe
requirements: .venv/ready
	$(PIN) --extra postgres --output-file requirements.txt pyproject.toml
	$(PIN) --output-file requirements-build.txt requirements-build.in
	$(PIN) --output-file requirements-dev.txt requirements-dev.in
	$(PIN) --output-file requirements-docs.txt requirements-docs.in
	$(PIN) --output-file requirements-spark.txt requirements-spark.in

replay: .venv/run
	$(BIN)/python -m cds_service replay

ehr: .venv/run
	$(BIN)/python fixtures/ehr/server.py

demo: .venv/run
	PYTHONPATH=. $(BIN)/python fixtures/demo.py

# For the public Sandbox of CDS Hooks: the service in its dialect, the small EHR, the addresses to open.
sandbox: .venv/run
	PYTHONPATH=. $(BIN)/python fixtures/sandbox.py

bench: .venv/ready
	$(BIN)/python -m bench.run

# Collects the texts of cards and pages, and of each topic, anew; what is new is to be translated in
# the .po files.
WORDS := .venv/messages.pot
EXTRACT := PYTHONPATH=. $(BIN)/pybabel -q extract --no-location --sort-output --no-wrap --omit-header -o $(WORDS)
UPDATE := $(BIN)/pybabel -q update -i $(WORDS) --no-fuzzy-matching --ignore-obsolete --no-wrap --omit-header
words: .venv/ready
	$(EXTRACT) -F babel.cfg -k say -k count:1,2 .
	for language in de es; do \
		$(UPDATE) -l $$language -o cds_service/translations/$$language/LC_MESSAGES/messages.po; done
	for topic in mappings/topics/*; do $(EXTRACT) -F babel-topic.cfg $$topic; \
		for language in de es; do $(UPDATE) -l $$language -o $$topic/translations/$$language.po; done; done

# The site of the documents; what its builder warns of is an error.
docs: .venv/docs
	$(BIN)/python -m sphinx -c docs -b html -W --keep-going -q . site
	@echo "Open site/docs/index.html"

fuzz: .venv/ready
	$(BIN)/python -m fuzz.run

attack: .venv/ready
	$(BIN)/python -m attack.run

clean:
	rm -rf .venv site .pytest_cache .ruff_cache .hypothesis

# The run-time libraries only; then those of tests and checks, too. All are pinned, so that there is
# nothing to resolve, and what is never imported is never compiled.
PIP := $(BIN)/pip install --disable-pip-version-check --no-deps --no-compile
.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	touch $@

.venv/docs: .venv/ready requirements-docs.txt
	$(PIP) -r requirements-docs.txt
	touch $@

.venv/ready: .venv/run requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	touch $@
