"""Resources told to be valid without fhir.resources: never one that fhir.resources refuses."""

import json
from copy import deepcopy
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from bench.charts import chart
from cds_service.fhir.strict import PRIMITIVE, _decoder, is_surely_valid
from cds_service.fhir.validation import _problem_with
from tests.spec.test_properties import JUNK, paths, spoil

MANY = settings(max_examples=1_500, deadline=None, derandomize=True)
CONCEPT = {"coding": [{"system": "http://snomed.info/sct", "code": "1", "display": "x"}]}
WHO, DAY, MOMENT = {"reference": "Patient/1"}, "2024-02-28", "2024-02-28T23:59:59.123456+12:59"
OF_A_TYPE = {
    **{"bool": True, "Canonical": "urn:x", "Code": "a", "Date": DAY, "DateTime": MOMENT},
    **{"Decimal": 1.5, "Id": "a-1.B", "Instant": MOMENT, "String": "x", "Uri": "urn:x"},
    **{"Xhtml": "<div>x</div>"},
}


def sample(kind):
    """A value that a field of this type accepts."""
    for name, accepted in PRIMITIVE.items():
        if kind in (accepted, accepted | None):
            return OF_A_TYPE[name]
    if get_origin(kind) in (Union, UnionType):
        return sample(next(one for one in get_args(kind) if one is not NoneType))
    if get_origin(kind) is Annotated:
        (inner,) = get_args(get_args(kind)[0])
        return [sample(inner)]
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return next(iter(samples(kind)))


def samples(struct):
    """Objects in which each field is once; of those that exclude each other, one in each."""
    values = {field.name: sample(field.type) for field in fields(struct)}
    name = struct.__struct_config__.tag or struct.__name__
    about = {
        n: i.json_schema_extra or {} for n, i in get_fhir_model_class(name).model_fields.items()
    }
    grouped = {field for field in values if about[field].get("one_of_many")}
    alone = {field.name: values[field.name] for field in fields(struct) if field.required}
    whole = {field: value for field, value in values.items() if field not in grouped}
    first = sorted(grouped)[:1]
    return [{**whole, **{field: values[field] for field in first}}] + [
        {**alone, field: values[field]} for field in sorted(grouped - {*first})
    ]


RESOURCES = [
    {"resourceType": struct.__struct_config__.tag, **made}
    for struct in get_args(_decoder().type)
    for made in samples(struct)
]
# Values at the edge of what each type allows, and beyond.
EDGES = (
    [None, "", " ", " x", "x ", "a  b", "\t", "\u00a0", "\u3000", "\x00", "\x1c", "é", "x\n", "\n"]
    + ["2024", "2024-02", "2024-02-30", "0000-01-01", "2000-01-01", "2024-02-28T24:00:00Z"]
    + ["2024-02-28T10:00Z", "2024-02-28T10:00:00", "2024-02-28T10:00:60Z", "2024-02-28Z"]
    + ["2024-02-28T10:00:00.1234567Z", "2024-02-28T10:00:00+14:00", "2٠24-02-28", "2024-02-28\n"]
    + ["x" * 64, "x" * 65, "a_b", "http://x y", "urn:x", "generated", "none", "active", "unknown"]
    + [{}, [], [None], [{}], [[]], [""], 0, 1, -1, 1e400, 1e-7, 2**70, 0.1, True, {"x": 1}]
    + [CONCEPT, [CONCEPT], WHO, [WHO], {"coding": []}, {"text": "t"}, {"coding": [{}]}]
)
VALUES = st.sampled_from(EDGES) | JUNK
NAMES = st.sampled_from(
    sorted({key for resource in RESOURCES for path in paths(resource) for key in path
            if isinstance(key, str)} | {"_birthDate", "contained", "valueInteger", "onsetAge"})
)  # fmt: skip


def text(resource) -> bytes:
    return json.dumps(resource).replace("Infinity", "1e400").encode()


def accepted_only_if_valid(resource) -> None:
    written = text(resource)
    if is_surely_valid(written):
        assert _problem_with(json.loads(written)) is None


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r["resourceType"])
def test_every_accepted_field_is_accepted(resource):
    """Else the properties below would say nothing of it."""
    assert is_surely_valid(text(resource))
    assert _problem_with(resource) is None


def test_what_an_ehr_sends_is_accepted():
    """The chart of the benchmark: each resource has meta, text and an extension."""
    for value in chart(10)["prefetch"].values():
        for entry in value.get("entry", [{"resource": value}]):
            assert is_surely_valid(text(entry["resource"]))


def mutated(data) -> dict:
    resource = deepcopy(data.draw(st.sampled_from(RESOURCES)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(resource)))
        spoil(resource, path, deepcopy(data.draw(VALUES)))
    return resource


@given(st.data())
@MANY
def test_a_resource_with_other_values_is_accepted_only_if_fhir_resources_accepts_it(data):
    accepted_only_if_valid(mutated(data))


@given(st.sampled_from(RESOURCES), st.sets(NAMES, max_size=4), NAMES, VALUES)
@example({"resourceType": "Observation", "status": "final", "code": CONCEPT}, set(), "code", {})
@MANY
def test_a_resource_with_fewer_or_more_fields_is_accepted_only_if_valid(base, less, name, value):
    resource = {key: item for key, item in base.items() if key not in less}
    accepted_only_if_valid(resource)
    accepted_only_if_valid({**resource, name: value})


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r["resourceType"])
def test_each_place_holds_only_what_is_valid_there(resource):
    for path in paths(resource):
        for value in EDGES:
            changed = deepcopy(resource)
            spoil(changed, path, deepcopy(value))
            accepted_only_if_valid(changed)


TWO_VALUES = [
    ("Procedure", {"performedDateTime": DAY, "performedPeriod": {"start": DAY}}),
    ("Observation", {"valueString": "s", "valueQuantity": {"value": 1}}),
    ("Observation", {"valueString": "s", "valueCodeableConcept": CONCEPT}),
    ("Patient", {"extension": [{"url": "urn:a", "valueString": "x", "valueCode": "y"}]}),
]


@pytest.mark.parametrize(("kind", "fields"), TWO_VALUES)
def test_one_of_several_values_is_meant(kind, fields):
    """Of value[x] and performed[x] a resource has one."""
    resource = next(r for r in RESOURCES if r["resourceType"] == kind)
    assert not is_surely_valid(text({**resource, **fields}))


@pytest.mark.parametrize("junk", [b"", b"null", b"[]", b'{"resourceType":"Basic"}', b"\xff", b"{"])
def test_what_is_no_such_resource_is_left_to_fhir_resources(junk):
    assert not is_surely_valid(junk)
