"""The files of a mappings folder, and the problems found in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

BASE = "urn:vcf-appropriateness:"
EXPANSIONS = "expansions"
OPTIONAL = frozenset({EXPANSIONS})


class MappingsError(Exception):
    """A mappings folder that cannot be used; `problems` has one line per problem."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Problems:
    """Collects what is wrong, so that all of it is told at once."""

    lines: list[str] = field(default_factory=list)

    def add(self, file: str, row: str, text: str) -> None:
        self.lines.append(f"{file}: {row}: {text}" if row else f"{file}: {text}")

    def raise_if_any(self) -> None:
        if self.lines:
            raise MappingsError(self.lines)


@dataclass(frozen=True)
class Source:
    """A mappings folder. A file that cannot be read is a problem, and is passed over."""

    folder: Path
    problems: Problems

    def documents(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and content of each JSON file in one of the sub-folders."""
        files = sorted((self.folder / kind).glob("*.json"))
        if not files and kind not in OPTIONAL:
            self.problems.add(kind, "", "no file found")
        for file in files:
            name = f"{kind}/{file.name}"
            try:
                document = json.loads(file.read_text("utf-8"))
            except ValueError as error:
                self.problems.add(name, "", f"not JSON: {error}")
                continue
            if isinstance(document, dict):
                yield name, document
            else:
                self.problems.add(name, "", "not a JSON object")

    def resources(self, kind: str, resource_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The documents that are valid FHIR resources of the type."""
        for name, document in self.documents(kind):
            if document.get("resourceType") != resource_type:
                self.problems.add(name, "resourceType", f"is not {resource_type}")
                continue
            try:
                get_fhir_model_class(resource_type).model_validate(document)
            except ValidationError as error:
                for problem in error.errors():
                    where = ".".join(str(part) for part in problem["loc"])
                    self.problems.add(name, where, problem["msg"])
                continue
            yield name, document

    @cached_property
    def value_sets(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self.resources("value-sets", "ValueSet"))

    @cached_property
    def expansions(self) -> list[tuple[str, dict[str, Any]]]:
        """What a terminology server made of the definitions among the value sets."""
        return list(self.resources(EXPANSIONS, "ValueSet"))

    @cached_property
    def concept_maps(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self.resources("concept-maps", "ConceptMap"))


def set_name(value_set: dict[str, Any]) -> str:
    return value_set["url"].removeprefix(BASE + "value-set:")
