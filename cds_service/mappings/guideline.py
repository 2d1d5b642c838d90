"""The guideline and the safety rules: JSON of our own, checked by a schema, as frozen shapes."""

from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from cds_service.decision.knowledge import (
    Answer,
    Category,
    FactWords,
    Guideline,
    Procedure,
    Question,
    SafetyRule,
    Selection,
    Variant,
)
from cds_service.decision.safety import INDICATORS
from cds_service.mappings.source import Source

RULE_KINDS = (
    "caution",
    "soften",
    "quiet",
    "outside-scope",
    "alternative",
    "line",
    "wrong-region",
)


def words(**options: Any) -> fields.Str:
    return fields.Str(required=True, validate=validate.Length(min=1), **options)


class CategorySchema(Schema):
    id = words()
    label = words()
    in_text = words()
    range = words()
    note = fields.Str(load_default="")


class CodingSchema(Schema):
    system = words()
    code = words()
    display = words()


class AnswerSchema(Schema):
    label = words()
    coding = fields.Nested(CodingSchema, required=True)


class QuestionSchema(Schema):
    fact = words()
    short = words()
    text = words()
    yes = fields.Nested(AnswerSchema, required=True)
    no = fields.Nested(AnswerSchema, required=True)


class FactSchema(Schema):
    label = words()
    in_text = words()
    true = words()
    false = words()


class RadiationSchema(Schema):
    adult = fields.Str(required=True)
    child = fields.Str(required=True)


class ProcedureSchema(Schema):
    id = words()
    label = words()
    short = words()
    order_text = words()
    kind = fields.Str(required=True, validate=validate.OneOf(("imaging", "treatment")))
    modality = words()
    traits = fields.List(fields.Str(), required=True)
    radiation = fields.Nested(RadiationSchema, required=True)


class RatingSchema(Schema):
    procedure = words()
    category = words()


class VariantSchema(Schema):
    id = words()
    number = fields.Int(required=True, strict=True)
    kind = fields.Str(required=True, validate=validate.OneOf(("imaging", "treatment")))
    title = words()
    criteria = fields.Dict(keys=fields.Str(), values=fields.Bool(), required=True)
    note = fields.Str(load_default="")
    next = words()
    beware = words()
    think_of = words()
    ratings = fields.List(fields.Nested(RatingSchema), required=True)


class GuidelineSchema(Schema):
    id = words()
    title = words()
    edition = words()
    review_due = fields.Date(required=True)
    url = fields.Url(required=True)
    citation = words()
    copyright = words()
    categories = fields.List(fields.Nested(CategorySchema), required=True)
    facts = fields.Dict(keys=fields.Str(), values=fields.Nested(FactSchema), required=True)
    questions = fields.List(fields.Nested(QuestionSchema), required=True)
    procedures = fields.List(fields.Nested(ProcedureSchema), required=True)
    variants = fields.List(fields.Nested(VariantSchema), required=True)


class RuleSchema(Schema):
    id = words()
    kind = fields.Str(required=True, validate=validate.OneOf(RULE_KINDS))
    title = words()
    text = words()
    citation = words()
    when = fields.Dict(load_default=None)
    orders = fields.List(fields.Str(), required=True)
    orders_except = fields.List(fields.Str(), load_default=[])
    indicator = fields.Str(load_default=None, validate=validate.OneOf(INDICATORS))
    avoid = fields.List(fields.Str(), load_default=[])
    avoid_except = fields.List(fields.Str(), load_default=[])
    first = fields.List(fields.Str(), load_default=[])
    allow = fields.List(fields.Str(), load_default=[])
    instead_of = fields.Str(load_default=None)
    add = fields.Str(load_default=None)


def read_guideline(source: Source) -> Guideline | None:
    """The one guideline of the folder, or None where it cannot be read."""
    documents = list(source.documents("guidelines"))
    if len(documents) != 1:
        source.problems.add("guidelines", "", f"one guideline expected, {len(documents)} found")
        return None
    data = _checked(GuidelineSchema(), source, *documents[0])
    return _guideline(data) if data else None


def read_rules(source: Source) -> tuple[SafetyRule, ...]:
    """The safety rules, in the order of their urgency and then of their files."""
    schema = RuleSchema()
    loaded = [_checked(schema, source, *document) for document in source.documents("safety-rules")]
    rules = [_rule(data) for data in loaded if data]
    urgency = {indicator: -i for i, indicator in enumerate(INDICATORS)}
    return tuple(sorted(rules, key=lambda rule: (urgency.get(rule.indicator, 1), rule.id)))


def _checked(
    schema: Schema, source: Source, name: str, document: dict[str, Any]
) -> dict[str, Any] | None:
    try:
        return schema.load(document)
    except ValidationError as error:
        for row, problem in _flat(error.messages):
            source.problems.add(name, row, problem)
        return None


def _flat(messages: Any, path: str = "") -> list[tuple[str, str]]:
    """marshmallow's tree of messages as pairs of path and message."""
    if isinstance(messages, dict):
        return [
            pair
            for key, value in messages.items()
            for pair in _flat(value, f"{path}.{key}" if path else str(key))
        ]
    return [(path, " ".join(messages))]


def _guideline(data: dict[str, Any]) -> Guideline:
    categories = [Category(**c) for c in data["categories"]]
    procedures = [_procedure(p) for p in data["procedures"]]
    facts = {name: FactWords(**words) for name, words in data["facts"].items()}
    return Guideline(
        id=data["id"],
        title=data["title"],
        edition=data["edition"],
        review_due=data["review_due"].isoformat(),
        url=data["url"],
        citation=data["citation"],
        copyright=data["copyright"],
        categories=MappingProxyType({c.id: c for c in categories}),
        facts=MappingProxyType(facts),
        questions=tuple(_question(q) for q in data["questions"]),
        procedures=MappingProxyType({p.id: p for p in procedures}),
        variants=tuple(_variant(v) for v in data["variants"]),
    )


def _procedure(data: dict[str, Any]) -> Procedure:
    radiation = data.pop("radiation")
    return Procedure(
        **{**data, "traits": frozenset(data["traits"])},
        adult_radiation=radiation["adult"],
        child_radiation=radiation["child"],
    )


def _question(data: dict[str, Any]) -> Question:
    answers = {side: Answer(data[side]["label"], **data[side]["coding"]) for side in ("yes", "no")}
    return Question(data["fact"], data["short"], data["text"], **answers)


def _variant(data: dict[str, Any]) -> Variant:
    ratings = tuple((r["procedure"], r["category"]) for r in data["ratings"])
    return Variant(**{**data, "criteria": tuple(data["criteria"].items()), "ratings": ratings})


def _rule(data: dict[str, Any]) -> SafetyRule:
    return SafetyRule(
        id=data["id"],
        kind=data["kind"],
        title=data["title"],
        text=data["text"],
        citation=data["citation"],
        when=data["when"],
        orders=_selection(data, "orders"),
        indicator=data["indicator"],
        avoid=_selection(data, "avoid"),
        first=Selection(frozenset(data["first"])),
        allow=tuple(data["allow"]),
        instead_of=data["instead_of"],
        add=data["add"],
    )


def _selection(data: dict[str, Any], field: str) -> Selection:
    return Selection(frozenset(data[field]), frozenset(data[f"{field}_except"]))
