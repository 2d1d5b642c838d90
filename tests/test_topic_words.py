"""No module of the package holds a clinical word of a topic: they stand in the topic's folder.

The named functions of `decision/` may, where a criterion needs a computation.
"""

import re

import pytest

from tests.small_world import ROOT

PACKAGE = ROOT / "cds_service"
WORDS = re.compile(
    r"vcf|vertebra|fracture|spin(e|al)|lumbar|thorac|cervical|osteopor|kyphos|kyphopl|augmentation"
    r"|malignan|cancer|metasta|myelo(?!n)|patholog|edema|cleft|sympto|\bcord\b|cauda|infection|biopsy"
    r"|(?<!de)rated-as-pain|\bpain",
    re.IGNORECASE,
)
# The functions, and the name that the package is installed by.
ALLOWED = {"decision/functions.py", "extras.py"}
MODULES = sorted(PACKAGE.rglob("*.py")) + sorted(PACKAGE.rglob("*.html"))


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(PACKAGE).as_posix())
def test_no_module_holds_a_word_of_a_topic(module):
    if module.relative_to(PACKAGE).as_posix() in ALLOWED:
        return
    for number, line in enumerate(module.read_text("utf-8").splitlines(), 1):
        found = WORDS.search(line)
        assert not found, f"{module.name}:{number}: {found[0]}: {line.strip()}"
