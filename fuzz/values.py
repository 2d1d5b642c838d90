"""Values that break programs, and the marks for what only the text of JSON can hold."""

import json
import re
from typing import Any

from hypothesis import strategies as st

RAW = re.compile(r'"@raw@([^"@]*)@"')
DUPLICATE = "@duplicate@"
PLANTED = "Quackenbush"  # a patient's name: in no error answer and in no line of the log


def raw(token: str) -> str:
    """A mark that becomes the bare token in the text of the body."""
    return f"@raw@{token}@"


NUMBERS = [
    0, -1, 1, 2**31, -(2**63) - 1, 2**64, 10**308, 10**309, -(10**400), 1e-320, -0.0, 1.5, 1e22,
    raw("NaN"), raw("Infinity"), raw("-Infinity"), raw("1e999"), raw("1e-999"), raw("9" * 4301),
    raw("1." + "0" * 5000), raw("[" * 1_200 + "]" * 1_200), raw("[" * 100_000),
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "\x1b[31m", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe",
    "\ud800", "\udfff", "a\udc80b", "\U0001f9b4", "e\u0301" * 40, "\u202egnp", "\u200b",
    "٧٢١٤٨", "７２１４８", "²", "½", "null", "true", "0", "-1", "1e999", "NaN", "Infinity",
    "<script>alert(1)</script>", "](javascript:alert(1))", "**_`~|#>", "{{context.patientId}}",
    "%s%n{0}{x}", "../../etc/passwd", "http://[::1", "http://a:99999999/", "//", "/", "#", "#/",
    "Patient/", "/Patient", "Patient//x", "Condition/", "Condition/#", "urn:uuid:", "'", '"', "\\",
    "x" * 141, "x" * 5_000, "x" * 70_000, "É" * 20_000, "W" + " " * 3_000 + "W", "A/" * 3_000,
    PLANTED, f"Patient/{PLANTED}", f"https://ehr.example.org/{PLANTED}",
]  # fmt: skip
DATES = [
    "0000-01-01", "0001-01-01", "0001", "9999-12-31", "9999", "9999-12-31T23:59:59.999+14:00",
    "2026-02-29", "2024-02-29", "2026-13", "2026-00", "2026-00-00", "2026-11-32", "-001-01-01",
    "+2026-01-01", " 2026-01-01", "2026-1-1", "2_26-01-01", "20261121", "26-11-21", "2026-W47-6",
    "2026-11-21T24:00:00Z", "2026-11-21T23:59:60Z", "2026-11-21T", "2026-11-21Z",
    "٢٠٢٦-٠١-٠١", "２０２６-０１-０１", "²⁰²⁶-01-01", "10000-01-01", "2099-01-01", "today",
]  # fmt: skip
TYPES = [
    "Patient", "Condition", "Procedure", "Observation", "Device", "AllergyIntolerance", "Bundle",
    "ServiceRequest", "MedicationRequest", "OperationOutcome", "Parameters", "Binary", "Resource",
    "Extension", "FHIRAbstractModel", "", "patient", "__class__", "Basic",
]  # fmt: skip
KEYS = [
    "", "\0", "resourceType", "id", "code", "coding", "_id", "_status", "__proto__", "__class__",
    "model_config", "fhir_comments", "extension", "contained", "value", "valueQuantity", "link",
    "next", "entry", "reference", "\ud800", "x" * 3_000, "self", "resource_type", "é", PLANTED,
]  # fmt: skip
EMPTY = [None, True, False, *map(raw, ["[]", "{}", "[[]]", "[null]", "[{}]", "[[],{}]"])]
LEAVES = st.sampled_from([NUMBERS, TEXTS, DATES, TYPES, EMPTY]).flatmap(st.sampled_from)
ANYTHING = st.recursive(
    LEAVES | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_text(value: Any, ascii_only: bool) -> str:
    """The JSON text of a value, its marks made into what they stand for."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    return RAW.sub(r"\1", text).replace(f'"{DUPLICATE}', '"')
