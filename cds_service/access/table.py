"""How the keys of a client's table are written, and the files that it names."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from cds_service.access.jwk import Key, keys_in
from cds_service.configuration import Unusable, json_of, text_of

PREFERENCE_COLUMNS = ["procedure", "region", "key"]


class Table(Schema):
    """The schema of a client's table. `folder` is where the files are that it names; `silenceable`
    are the names that `silent_for` may hold.
    """

    def __init__(self, folder: Path, silenceable: frozenset[str]):
        super().__init__()
        self.folder, self.silenceable = folder, silenceable

    @validates_schema
    def has_keys(self, data: dict[str, Any], partial: bool, **_: Any) -> None:
        """Of a client that is not known by its token, the table is a part only."""
        if not partial and not data.get("jku") and not data.get("jwks"):
            raise ValidationError("a client needs jku or jwks", "jku")


class Beside(fields.Field):
    """A file or folder, by its path from the folder of the table, and what is read from it."""

    def __init__(self, read: Callable[[Path], Any]):
        super().__init__()
        self.read = read

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, str | Path):
            raise ValidationError("must be a path")
        return self.read(self.root.folder / value)


class KeySet(Beside):
    """A JWK set, written in the table or in a file. One without a usable key, or with an RSA key
    of a wrong size, is refused.
    """

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Key]:
        if isinstance(value, dict):
            return _usable_keys(value)
        try:
            return _usable_keys(super()._deserialize(value))
        except ValidationError as error:
            raise ValidationError(f"{value}: {error.messages[0]}") from None


def _usable_keys(document: Any) -> dict[str, Key]:
    """Raises ValidationError."""
    try:
        keys = keys_in(document)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    refused = [f"the key {kid} {key.problem}" for kid, key in keys.items() if key.problem]
    if len(refused) == len(keys) or any(key.has_wrong_size for key in keys.values()):
        raise ValidationError("; ".join(refused))
    return keys


class Silenced(fields.List):
    """Names of variants and safety rules; a misspelt one would show what is to be silent."""

    def _deserialize(self, *given: Any, **options: Any) -> frozenset[str]:
        names, known = frozenset(super()._deserialize(*given, **options)), self.root.silenceable
        for name in sorted(names - known):
            raise ValidationError(
                f"{name} is no variant or rule; known: {', '.join(sorted(known))}"
            )
        return names


def json_in(file: Path) -> Any:
    try:
        return json_of(file, "table")
    except Unusable as error:
        raise ValidationError(f"no JWK set in that file: {error}") from error


def read_preference_list(file: Path) -> dict[tuple[str, str], str]:
    """The keys of a CSV file by procedure and region (may be empty). Raises ValidationError."""
    try:
        rows = csv.DictReader(text_of(file, "list").splitlines())
        if rows.fieldnames != PREFERENCE_COLUMNS:
            raise ValidationError(f"{file}: the columns must be {', '.join(PREFERENCE_COLUMNS)}")
        return {(row["procedure"], row["region"]): row["key"] for row in rows}
    except Unusable as error:
        raise ValidationError(f"{file}: {error}") from error
    except csv.Error as error:
        raise ValidationError(f"{file}: line {rows.line_num + 1}: {error}") from error
