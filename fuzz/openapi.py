"""What `/openapi.json` says, tried by schemathesis: with bodies that fit it, and with others."""

from contextlib import redirect_stderr
from io import StringIO

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from rich.progress import track
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip


def run(app: Flask, examples: int, seed: int) -> dict[str, int]:
    """How many calls there were of each operation. Raises what schemathesis does at the first
    answer that is not as the document says.
    """
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    return {
        f"{operation.method.upper()} {operation.path}": _tried(operation, examples, seed)
        for operation in track(operations, "as /openapi.json says")
    }


def _tried(operation: schemathesis.BaseSchema, examples: int, seed: int) -> int:
    """Without a body there is nothing that could fit the document less."""
    calls = 0
    for mode in GenerationMode if operation.body else [GenerationMode.POSITIVE]:

        @seeded(seed)
        @settings(
            max_examples=examples, deadline=None, database=None,
            phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def answers_are_as_described(case: schemathesis.Case) -> None:
            nonlocal calls
            calls += 1
            with redirect_stderr(StringIO()):  # the log is for operators
                case.call_and_validate(checks=CHECKS)

        answers_are_as_described()
    return calls
