"""The files that the service comes with: beside the package in a checkout, in it when installed."""

from pathlib import Path

PACKAGE = Path(__file__).parent
INSTALLED = PACKAGE / "files"
FOLDER = INSTALLED if INSTALLED.is_dir() else PACKAGE.parent

MAPPINGS = FOLDER / "mappings"
FIXTURES = FOLDER / "fixtures"
GUNICORN_SETTINGS = FOLDER / "gunicorn.conf.py"
