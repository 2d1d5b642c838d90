"""The envelope of a hook, told to be right without marshmallow: never one that it refuses."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from cds_service.web.schemas import HOOK, MOST_ELEMENTS, MOST_LETTERS, envelope
from tests.small_world import MRI_LUMBAR_W, hook_request, order
from tests.spec.test_properties import JUNK, paths, spoil

EDGES = st.sampled_from(
    [None, "", "x" * MOST_LETTERS, "x" * (MOST_LETTERS + 1), 0, 1.5, True, b"x", {}, [], [None]]
    + [["x"] * MOST_ELEMENTS, ["x"] * (MOST_ELEMENTS + 1), [1], {"x": None}, {1: 2}, ("x",)]
)
MORE = ["fhirServer", "fhirAuthorization", "extension", "prefetch", "hook", "context", "unknown"]


def judged(body):
    """What marshmallow makes of it, or the fields that it refuses."""
    try:
        return HOOK.load(body)
    except ValidationError as error:
        return error.messages


def read(body):
    try:
        return envelope(body)
    except ValidationError as error:
        return error.messages


@given(st.data())
@settings(max_examples=1_500, deadline=None, derandomize=True)
def test_it_is_read_as_marshmallow_reads_it(data):
    body = hook_request(order(MRI_LUMBAR_W))
    for _ in range(data.draw(st.integers(0, 3))):
        places = [path for path in paths(body) if len(path) <= 3]
        spoil(body, data.draw(st.sampled_from(places)), deepcopy(data.draw(EDGES | JUNK)))
        if data.draw(st.booleans()):
            body[data.draw(st.sampled_from(MORE))] = deepcopy(data.draw(EDGES | JUNK))
    assert read(body) == judged(body)


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_a_missing_field_is_named(name):
    body = hook_request(order(MRI_LUMBAR_W))
    del body[name]
    assert read(body) == judged(body) == {name: ["Missing data for required field."]}
