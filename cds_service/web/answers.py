"""The shape of the answers, for `/openapi.json`: CDS Hooks 3.0, and the OperationOutcome of errors.

Nothing is written by these schemas; a test holds every recorded answer to them.
"""

from marshmallow import Schema, fields, validate

from cds_service.decision.safety import INDICATORS

LONGEST_SUMMARY = validate.Length(min=1, max=139)


class Coding(Schema):
    system = fields.Str()
    code = fields.Str(required=True)
    display = fields.Str()


class Source(Schema):
    label = fields.Str(required=True)
    url = fields.Url()
    topic = fields.Nested(Coding)


class Action(Schema):
    type = fields.Str(required=True, validate=validate.OneOf(("create", "update", "delete")))
    description = fields.Str(required=True)
    resource = fields.Dict()
    resourceId = fields.Str()


class Suggestion(Schema):
    label = fields.Str(required=True)
    uuid = fields.UUID()
    isRecommended = fields.Bool()
    actions = fields.List(fields.Nested(Action))


class Link(Schema):
    label = fields.Str(required=True)
    url = fields.Url(required=True)
    type = fields.Str(required=True)


class Card(Schema):
    uuid = fields.UUID()
    summary = fields.Str(required=True, validate=LONGEST_SUMMARY)
    detail = fields.Str(metadata={"description": "GitHub-flavoured Markdown"})
    indicator = fields.Str(required=True, validate=validate.OneOf(INDICATORS))
    source = fields.Nested(Source, required=True)
    suggestions = fields.List(fields.Nested(Suggestion))
    selectionBehavior = fields.Str()
    overrideReasons = fields.List(fields.Nested(Coding))
    links = fields.List(fields.Nested(Link))
    extension = fields.Dict()


class HookResponse(Schema):
    cards = fields.List(fields.Nested(Card), required=True)
    systemActions = fields.List(fields.Nested(Action))
    extension = fields.Dict()


class Service(Schema):
    hook = fields.Str(required=True)
    id = fields.Str(required=True)
    title = fields.Str()
    description = fields.Str(required=True)
    usageRequirements = fields.Str()
    version = fields.Str()
    hookVersion = fields.Str()
    prefetch = fields.Dict(values=fields.Str())


class Discovery(Schema):
    services = fields.List(fields.Nested(Service), required=True)


class Issue(Schema):
    severity = fields.Str(required=True)
    code = fields.Str(required=True)
    diagnostics = fields.Str(required=True)
    expression = fields.List(fields.Str())


class OperationOutcome(Schema):
    resourceType = fields.Str(required=True, validate=validate.Equal("OperationOutcome"))
    issue = fields.List(fields.Nested(Issue), required=True, validate=validate.Length(min=1))


class Health(Schema):
    status = fields.Str(required=True)


class Ready(Health):
    rules_version = fields.Str(required=True)
    codes = fields.Int(required=True)
    local_codes = fields.Int(required=True)
    store = fields.Str(required=True, validate=validate.OneOf(("up", "full", "off")))
