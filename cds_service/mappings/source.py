"""The files of a mappings folder, and the problems found in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

EXPANSIONS, TOPICS = "expansions", "topics"
Document = tuple[str, dict[str, Any]]


class MappingsError(RuntimeError):
    """A mappings folder that cannot be used; `problems` has one line per problem."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Problems:
    """The problems of a folder, one line each, so that all of them are reported together."""

    lines: list[str] = field(default_factory=list)

    def add(self, file: str, row: str, text: str) -> None:
        line = f"{file}: {row}: {text}" if row else f"{file}: {text}"
        if line not in self.lines:
            self.lines.append(line)

    def raise_if_any(self) -> None:
        if self.lines:
            raise MappingsError(self.lines)


@dataclass(frozen=True)
class Source:
    """What all topics share, or the folder of one topic together with what all `shared`.

    Files are named relative to `root`. One that cannot be read is a problem, and is passed over.
    """

    root: Path
    problems: Problems
    folder: str = ""
    shared: "Source | None" = None

    def documents(self, kind: str) -> Iterator[Document]:
        """Name and content of each JSON file in one of the sub-folders of this folder."""
        for file in sorted((self.root / self.folder / kind).glob("*.json")):
            document = self.document(f"{kind}/{file.name}")
            if document:
                yield document

    def with_shared(self, kind: str) -> Iterator[Document]:
        """The documents that all topics share, then those of this folder."""
        if self.shared:
            yield from self.shared.documents(kind)
        yield from self.documents(kind)

    def name(self, file: str) -> str:
        """The name of a file of this folder relative to `root`, as problems state it."""
        return f"{self.folder}/{file}" if self.folder else file

    def file_of(self, file: str) -> str:
        """The name of a file that is the topic's own, or shared."""
        return self.name(file) if self.has(file) or not self.shared else self.shared.name(file)

    def has(self, file: str) -> bool:
        return (self.root / self.folder / file).is_file()

    def document(self, file: str) -> Document | None:
        """Name and content of one file; None, and a problem, where it cannot be read."""
        named = self.name(file)
        try:
            content = json.loads((self.root / named).read_text("utf-8"))
        except OSError as error:
            self.problems.add(named, "", f"cannot be read: {error.strerror}")
        except ValueError as error:
            self.problems.add(named, "", f"not JSON: {error}")
        else:
            if isinstance(content, dict):
                return named, content
            self.problems.add(named, "", "not a JSON object")
        return None

    def _resources(self, kind: str, resource_type: str) -> list[Document]:
        """The documents that are valid FHIR resources of the type, shared ones first."""
        found = list(getattr(self.shared, kind.replace("-", "_"))) if self.shared else []
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
            found.append((name, document))
        return found

    @cached_property
    def value_sets(self) -> list[Document]:
        return self._resources("value-sets", "ValueSet")

    @cached_property
    def expansions(self) -> list[Document]:
        """What a terminology server made of the definitions among the value sets."""
        return self._resources(EXPANSIONS, "ValueSet")

    @cached_property
    def concept_maps(self) -> list[Document]:
        return self._resources("concept-maps", "ConceptMap")

    @cached_property
    def code_systems(self) -> list[Document]:
        return self._resources("code-systems", "CodeSystem")

    @cached_property
    def naming_systems(self) -> list[Document]:
        return self._resources("naming-systems", "NamingSystem")


def set_name(value_set: dict[str, Any]) -> str:
    """The end of a value set's address, which is its name here."""
    return value_set["url"].rpartition(":value-set:")[2]


def sources_of_topics(shared: Source) -> list[Source]:
    """The folder of each topic of a mappings folder."""
    folders = sorted(folder for folder in shared.root.glob(f"{TOPICS}/*") if folder.is_dir())
    return [Source(shared.root, shared.problems, f"{TOPICS}/{f.name}", shared) for f in folders]
