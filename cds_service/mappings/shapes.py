"""Reads our own JSON files as dataclasses of the core. Unknown keys and names are problems."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from msgspec import ValidationError, convert

from cds_service.decision.criteria import compile_criterion
from cds_service.decision.names import Names
from cds_service.decision.situation import Criterion
from cds_service.mappings.needed import place_of
from cds_service.mappings.source import Document, Problems

Shape = TypeVar("Shape")


def read_as(
    shape: type[Shape], document: Document | None, problems: Problems, names: Names | None = None
) -> Shape | None:
    """The document as an instance of the dataclass `shape`. None where that cannot be; then each
    problem is added with file and row. Criteria in it are compiled with the `names`.
    """
    if document is None:
        return None
    file, content = document

    def compiled(kind: type, written: Any) -> Criterion:
        if kind is not Criterion:
            raise NotImplementedError
        return compile_criterion(written, names)

    try:
        read = convert(content, shape, dec_hook=compiled)
    except ValidationError as error:
        path, text = place_of(error)
        problems.add(file, _row(path, content), text)
        return None
    unknown = list(_unknown_keys(content, read))
    for row in unknown:
        problems.add(file, row, "is not known here")
    return None if unknown else read


def _row(path: str, content: Any) -> str:
    """A path with names for numbers: facts[2].label -> facts[NAME].label."""
    row, here = "", content
    for part in re.findall(r"[^.\[\]]+|\[\d+\]|\[\.\.\.\]", path):
        if part.startswith("[") and part != "[...]":
            here = here[int(part[1:-1])] if isinstance(here, list) else None
            name = here.get("name", here.get("id")) if isinstance(here, dict) else None
            row += f"[{name}]" if isinstance(name, str) else part
        elif part == "[...]":
            row, here = row + part, None
        else:
            here = here.get(part) if isinstance(here, dict) else None
            row += f".{part}" if row else part
    return row


def _unknown_keys(given: Any, read: Any, path: str = "") -> Iterator[str]:
    """The keys of JSON objects that the dataclasses made of them do not have."""
    known = getattr(read, "__dataclass_fields__", None)
    if known is not None and isinstance(given, dict):
        for key, value in given.items():
            row = f"{path}.{key}" if path else key
            if key not in known:
                yield row
            else:
                yield from _unknown_keys(value, getattr(read, key), row)
    elif isinstance(given, list) and isinstance(read, tuple):
        for one, as_read in zip(given, read, strict=True):
            name = one.get("name", one.get("id", "")) if isinstance(one, dict) else ""
            yield from _unknown_keys(one, as_read, f"{path}[{name}]")
