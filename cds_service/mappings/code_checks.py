"""What must hold of the codes in a mappings folder: check digits, systems, look-alikes."""

from collections.abc import Iterator

from cds_service.decision.code_systems import SNOMED_CT
from cds_service.decision.terminology import LOOK_ALIKES, Terminology
from cds_service.mappings.codes import expanded_codes, listed_codes
from cds_service.mappings.forms import LOINC, has_check_digit
from cds_service.mappings.hierarchies import read_hierarchies
from cds_service.mappings.source import Problems, Source, set_name


def check_codes(terminology: Terminology, source: Source) -> None:
    """Adds every problem to `source.problems`."""
    _look_alikes_are_told_apart(terminology, source)
    _systems_are_named(terminology, source)
    _check_digits(source)


def _look_alikes_are_told_apart(terminology: Terminology, source: Source) -> None:
    """No code is in a value set and among its look-alikes, by a rule or an expansion either."""
    for key in terminology.meanings:
        sets = terminology.meaning(key).sets
        for name in sets:
            likened = name.removesuffix(LOOK_ALIKES)
            if likened != name and likened in sets:
                text = f"{key[1]} is a look-alike and a {likened}"
                source.problems.add(_file_of(source, likened, key), key[0], text)


def _file_of(source: Source, name: str, key: tuple[str, str]) -> str:
    """The file that lists a code of a value set, else that of the value set."""
    listed = (file for file, _, of, found in _codes(source) if of == name and found == key)
    return next(listed, f"value-sets/{name}.json")


def _systems_are_named(terminology: Terminology, source: Source) -> None:
    """Every system has a NamingSystem; without one its codes would never be recognised."""
    known = set(terminology.systems.values())
    for name, row, _, (system, _) in _codes(source):
        if system not in known:
            source.problems.add(name, row, f"{system} is no system of naming-systems/")
    for name, document in source.concept_maps:
        for i, group in enumerate(document["group"]):
            if group["source"] not in known:
                text = f"{group['source']} is no system of naming-systems/"
                source.problems.add(name, f"group[{i}].source", text)


def _codes(source: Source) -> Iterator[tuple[str, str, str, tuple[str, str]]]:
    """File, row, value set and key of each code of an expansion, then of each that is listed."""
    for name, document in source.expansions:
        for row, system, concept in expanded_codes(document, name, source.problems):
            yield name, row, set_name(document), (system, concept["code"])
    for name, document in source.value_sets:
        for row, system, concept in listed_codes(document):
            yield name, row, set_name(document), (system, concept["code"])


def _check_digits(source: Source) -> None:
    for name, row, _, (system, code) in _codes(source):
        _check_digit(system, code, name, row, source.problems)
    for hierarchy in read_hierarchies(source):
        for code in (*hierarchy.roots, *hierarchy.excluded_roots):
            _check_digit(SNOMED_CT, code, hierarchy.file, "filter", source.problems)
    for name, document in source.concept_maps:
        for i, group in enumerate(document["group"]):
            for j, element in enumerate(group["element"]):
                row = f"group[{i}].element[{j}]"
                _check_digit(group["source"], element["code"], name, row, source.problems)


def _check_digit(system: str, code: str, name: str, row: str, problems: Problems) -> None:
    if not has_check_digit(system, code):
        named = "LOINC" if system == LOINC else "SNOMED CT"
        problems.add(name, row, f"{code} is no {named} code: its check digit is wrong")
