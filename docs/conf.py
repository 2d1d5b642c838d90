"""The site of the documents: `make docs`. Pages of other folders are part of it, so that links work
in a checkout and on the site alike.
"""

import tomllib
from pathlib import Path

from cds_service.about import VERSION

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))

project = PROJECT["project"]["name"]
release = VERSION
root_doc = "docs/index"
include_patterns = [
    "docs/*.md", "deploy/README.md", "mappings/README.md",
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md",
]  # fmt: skip
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_sphinx = False
