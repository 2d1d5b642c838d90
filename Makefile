# Each target is one command on a fresh machine with Python 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check replay clean

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

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis

.venv/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
