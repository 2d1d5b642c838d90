"""Values that break programs, and the marks for what only raw JSON text can hold."""

import json
import re
from random import Random
from typing import Any

RAW = re.compile(r'"@raw@([^"@]*)@"')
DUPLICATE = "@dup@"


def raw(token: str) -> str:
    """A mark that becomes the bare token in the text of the body."""
    return f"@raw@{token}@"


NUMBERS = [
    0, -1, 1, 2**31, -(2**63) - 1, 2**64, 10**308, 10**309, -(10**400), 1e-320, -0.0, 1.5, 1e22,
    raw("NaN"), raw("Infinity"), raw("-Infinity"), raw("1e999"), raw("-1e999"), raw("1e-999"),
    raw("9" * 4300), raw("9" * 4301), raw("-" + "9" * 700), raw("1." + "0" * 5000), raw("-0"),
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "\x1b[31m", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe",
    "\ud800", "\udfff", "a\udc80b", "\U0001f9b4", "e\u0301" * 40, "\u202egnp", "\u200b",
    "٧٢١٤٨", "７２１４８", "²", "½", "null", "true", "0", "-1", "1e999", "NaN", "Infinity",
    "<script>alert(1)</script>", "](javascript:alert(1))", "**_`~|#>", "{{context.patientId}}",
    "%s%n{0}{x}", "../../etc/passwd", "http://[::1", "http://a:99999999/", "//", "/", "#", "#/",
    "Patient/", "/Patient", "Patient//x", "Condition/", "Condition/#", "urn:uuid:", "'", '"', "\\",
    "x" * 141, "x" * 5_000, "x" * 70_000, "É" * 20_000, "W" + " " * 3_000 + "W", "A/" * 3_000,
]  # fmt: skip
DATES = [
    "0000-01-01", "0001-01-01", "0001", "9999-12-31", "9999", "9999-12-31T23:59:59.999+14:00",
    "2026-02-29", "2024-02-29", "2026-02-30", "2026-13", "2026-00", "2026-00-00", "2026-11-32",
    "-001-01-01", "+2026-01-01", " 2026-01-01", "2026-1-1", "2_26-01-01", "20261121", "26-11-21",
    "2026-W47-6", "2026-11-21T24:00:00Z", "2026-11-21T23:59:60Z", "2026-11-21T", "2026-11-21Z",
    "٢٠٢٦-٠١-٠١", "２０２６-０１-０１", "²⁰²⁶-01-01", "10000-01-01", "2099-01-01", "1753-01-01",
    "today",
]  # fmt: skip
TYPES = [
    "Patient", "Condition", "Procedure", "Observation", "Device", "AllergyIntolerance", "Bundle",
    "ServiceRequest", "MedicationRequest", "OperationOutcome", "Parameters", "Binary", "Resource",
    "DomainResource", "Extension", "FHIRAbstractModel", "", "patient", "__class__", "Basic",
]  # fmt: skip
KEYS = [
    "", "\0", "resourceType", "id", "code", "coding", "_id", "_status", "__proto__", "__class__",
    "model_config", "fhir_comments", "extension", "contained", "value", "valueQuantity", "link",
    "next", "entry", "reference", "\ud800", "x" * 3_000, "self", "resource_type", "é",
]  # fmt: skip


def hostile(random: Random) -> Any:
    """A value that no sound client sends."""
    kind = random.randrange(9)
    if kind == 0:
        return random.choice(NUMBERS)
    if kind <= 3:
        return random.choice(TEXTS)
    if kind == 4:
        return random.choice(DATES)
    if kind == 5:
        return random.choice([None, True, False, [], {}, [[]], [None], {"": None}, [{}], [""]])
    if kind == 6:
        return random.choice(TYPES)
    if kind == 7:
        return junk(random)
    return {"resourceType": random.choice(TYPES), random.choice(KEYS): junk(random)}


def junk(random: Random, depth: int = 0) -> Any:
    """A small tree of anything."""
    if depth > 2 or random.random() < 0.5:
        return random.choice(random.choice([NUMBERS, TEXTS, DATES, [None, True, False, [], {}]]))
    if random.random() < 0.5:
        return [junk(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(KEYS): junk(random, depth + 1) for _ in range(random.randrange(4))}


def nested(value: Any, depth: int, key: str) -> Any:
    """The value inside so many lists, or objects of that key where there is one."""
    for _ in range(depth):
        value = {key: value} if key else [value]
    return value


def as_text(value: Any, ascii_only: bool = True) -> str:
    """The JSON text of a value, its marks made into what they stand for."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    return RAW.sub(r"\1", text).replace(f'"{DUPLICATE}', '"')
