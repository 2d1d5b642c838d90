"""Dataclass fields that carry their own check, default and description, as people write them."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

NOTHING = (None, "", frozenset(), dict)


def declared(kind: fields.Field, default: Any, meaning: str, otherwise: str = "") -> Any:
    """A field of a dataclass. `kind` checks and converts what is written; `default` holds where
    nothing is (a type makes it); `meaning` is for the documents, and so is `otherwise`: the
    default in words, where its value does not say it.
    """
    otherwise = otherwise or ("none" if default in NOTHING else str(default).lower())
    text = meaning if kind.required else f"{meaning}; default: {otherwise}"
    made = {"default_factory" if isinstance(default, type) else "default": default}
    return dataclasses.field(metadata={"kind": kind, "meaning": text}, **made)


def declarations(shape: type) -> list[dataclasses.Field]:
    """The fields of a dataclass that people write."""
    return [field for field in dataclasses.fields(shape) if "kind" in field.metadata]


def meanings(shape: type) -> dict[str, str]:
    """For the documents: what each field means, by the name that people write."""
    found = [(field.metadata, field.name) for field in declarations(shape)]
    return {data["kind"].data_key or name: data["meaning"] for data, name in found}


def schema_of(shape: type, base: type[Schema] = Schema) -> type[Schema]:
    """Turns what is written into the values of the dataclass. What is not written stays out, so
    that its default holds.
    """
    kinds = {field.name: field.metadata["kind"] for field in declarations(shape)}
    return base.from_dict(kinds, name=shape.__name__)


def whole(least: int, most: int | None = None) -> fields.Field:
    """A whole number within bounds, or its digits."""
    told = f"must be a whole number from {least}{f' to {most}' if most else ''}"
    return fields.Int(
        strict=True,
        pre_load=lambda value: int(value) if re.fullmatch("[0-9]{1,18}", str(value)) else value,
        validate=validate.Range(least, most, error=told),
        error_messages={"invalid": told},
    )


def is_expression(value: str) -> None:
    """Raises ValidationError where it is no regular expression."""
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValidationError(f"is no regular expression: {error}") from None


def choice(words: Iterable[str] | Mapping[str, Any], **options: Any) -> fields.Field:
    """One of several words; of a mapping, the value that it stands for."""
    known = validate.OneOf(list(words), error=f"must be one of {', '.join(words)}")
    stands_for = words.get if isinstance(words, Mapping) else ()
    return fields.Str(validate=known, post_load=stands_for, **options)
