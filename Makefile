# Each target is one command on a fresh machine with Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check replay ehr bench clean

run: .venv/ready
	CDS_AUTH=open $(BIN)/gunicorn "cds_service:create_app()"

test: .venv/ready
	$(BIN)/pytest

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m cds_service lint

replay: .venv/ready
	$(BIN)/python -m cds_service replay

ehr: .venv/ready
	$(BIN)/python fixtures/ehr/server.py

bench: .venv/ready
	$(BIN)/python bench/slow_server.py

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis

.venv/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
