"""The value sets that are defined by rules over the codes of an edition of ICD."""

import re
from collections import defaultdict
from typing import Any

from cds_service.decision.icd import EDITIONS
from cds_service.decision.terminology import Pattern
from cds_service.mappings.source import Problems, Source, set_name

CHARACTERS, GROUP = re.compile(r"\[[^]]*]"), re.compile(r"\([^()]*\)")

Patterns = dict[tuple[str, str], tuple[Pattern, ...]]


def read_patterns(source: Source) -> Patterns:
    """The rules by edition and first letter. Those over SNOMED CT are for a terminology server."""
    patterns: dict[tuple[str, str], list[Pattern]] = defaultdict(list)
    for name, document in source.value_sets:
        compose = document["compose"]
        include = _expressions(compose["include"], name, source.problems)
        exclude = _expressions(compose.get("exclude", []), name, source.problems)
        for system, expression in include.items():
            pattern = Pattern(set_name(document), expression, exclude.get(system))
            for letter in _first_letters(expression.pattern, name, source.problems):
                patterns[system, letter].append(pattern)
    return {key: tuple(found) for key, found in patterns.items()}


def _expressions(
    parts: list[dict[str, Any]], name: str, problems: Problems
) -> dict[str, re.Pattern[str]]:
    """The regular expression over the codes of each edition."""
    found: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        for rule in part.get("filter", []):
            if rule["op"] == "is-a":
                continue
            if part["system"] in EDITIONS and (rule["property"], rule["op"]) == ("code", "regex"):
                found[part["system"]].append(rule["value"])
            else:
                text = "only regex rules over ICD codes, and is-a rules, are understood"
                problems.add(name, "filter", text)
    try:
        return {system: re.compile("|".join(values)) for system, values in found.items()}
    except re.error as error:
        problems.add(name, "filter", f"no regular expression: {error}")
        return {}


def _first_letters(expression: str, name: str, problems: Problems) -> set[str]:
    """The letters with which its alternatives begin: a code is held against few rules only."""
    outside = CHARACTERS.sub("", expression)
    while GROUP.search(outside):
        outside = GROUP.sub("", outside)
    letters = {alternative[:1] for alternative in outside.split("|")}
    if not all("A" <= letter <= "Z" for letter in letters):
        problems.add(name, "filter", f"{expression} must begin with a letter in each alternative")
    return letters
