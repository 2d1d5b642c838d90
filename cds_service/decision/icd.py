"""The editions of ICD-10, and how their codes are written.

Each edition is a code system of its own: S22.06 is T7 to T8 in ICD-10-CM, T11 to T12 in ICD-10-GM.
"""

import re
from collections.abc import Iterator

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ICD_10_AM = "http://hl7.org/fhir/sid/icd-10-am"
EDITIONS = frozenset({ICD_10_CM, ICD_10, ICD_10_GM, ICD_10_AM})

# A category has three characters. Only codes of ICD-10-CM have more than five.
CATEGORY, LONGEST_OF_THE_WHO = 3, 5
# What stands behind a code and is no part of it: a header's dash, dagger, asterisk and other marks.
MARKS = " -+*!#†‡"
# In ICD-10-GM also that the diagnosis is certain (G), and its side (L, R, B).
CERTAIN_AND_SIDE = re.compile(rf"([A-Z]\d{{2,4}})[{MARKS}]*G?[{MARKS}]*[LRB]?")


def icd_key(edition: str, code: str) -> tuple[str, str]:
    """Edition and code in upper case with its dot, without marks: m4856xa -> M48.56XA.

    A code that is too long for the WHO's edition is one of ICD-10-CM under the WHO's name.
    """
    bare = code.strip().upper().replace(".", "").rstrip(MARKS)
    if edition == ICD_10_GM:
        written = CERTAIN_AND_SIDE.fullmatch(bare)
        bare = written[1] if written else bare
    if edition == ICD_10 and len(bare) > LONGEST_OF_THE_WHO:
        edition = ICD_10_CM
    return edition, f"{bare[:3]}.{bare[3:]}" if len(bare) > CATEGORY else bare


def and_above(code: str) -> Iterator[str]:
    """A code, then the headers above it: M48.56, M48.5, M48."""
    while len(code) > CATEGORY:
        yield code
        code = code[:-1].rstrip(".")
    yield code
