"""Reads the JSON that is posted, and answers a hook that was read so."""

import msgspec
from msgspec import Raw

from cds_service.decision.topic import Topic
from cds_service.fhir.amounts import (
    MOST_BESIDE_THE_PREFETCH,
    MOST_BYTES_BESIDE_THE_PREFETCH,
    MOST_VALUES,
    check,
    check_values,
)
from cds_service.fhir.reading import NOT_JSON, decoded, text_of
from cds_service.hook import answer_hook
from cds_service.hook_call import Fetch, HookCall, HookOutcome
from cds_service.memory import NOTHING_REMEMBERED, Memory
from cds_service.web.errors import BadRequest
from cds_service.web.schemas import Body

NESTED_TOO_DEEP = "The body is nested too deeply."
NO_JSON, NO_OBJECT = "The body is not JSON.", "The body is not a JSON object."
HOOK, FEEDBACK = msgspec.json.Decoder(Body), msgspec.json.Decoder(dict[str, msgspec.Raw])
BESIDE = "values beside the prefetch"


def body_of(text: bytes | bytearray, decoder: msgspec.json.Decoder) -> dict:
    """The JSON object that was posted. Raises BadRequest or TooMuch."""
    try:
        return _decoded(decoder, text)
    except NOT_JSON:
        raise BadRequest(NO_JSON) from None
    except RecursionError:
        raise BadRequest(NESTED_TOO_DEEP) from None


def _decoded(decoder: msgspec.json.Decoder, text: bytes | bytearray) -> dict:
    """The decoded body. One of other types than the decoder's is decoded whole, so that the schema
    can name what is wrong.
    """
    check_values([text], MOST_VALUES, "values")
    try:
        return _with_fields(decoded(text, decoder))
    except msgspec.ValidationError:
        check_values([text], MOST_BESIDE_THE_PREFETCH, BESIDE)
        body = decoded(text)
    if not isinstance(body, dict):
        raise BadRequest(NO_OBJECT)
    if isinstance(body.get("prefetch"), dict):  # a field came twice, and is right the second time
        body["prefetch"] = {key: Raw(text_of(value)) for key, value in body["prefetch"].items()}
    return body


def _with_fields(body: dict) -> dict:
    """The body with its fields decoded, where they are not too much."""
    texts = {name: text for name, text in body.items() if isinstance(text, msgspec.Raw)}
    sizes = (len(memoryview(text)) for text in texts.values())
    check(sum(sizes), MOST_BYTES_BESIDE_THE_PREFETCH, "bytes beside the prefetch")
    check_values(texts.values(), MOST_BESIDE_THE_PREFETCH, BESIDE)
    return body | {name: decoded(text) for name, text in texts.items()}


def answered(
    call: HookCall, topic: Topic, fetch: Fetch | None = None, memory: Memory = NOTHING_REMEMBERED
) -> HookOutcome:
    """The outcome of a hook. Raises BadRequest where the prefetch, which is read last, is wrong."""
    try:
        return answer_hook(call, topic, fetch, memory)
    except RecursionError:
        raise BadRequest(NESTED_TOO_DEEP) from None
    except NOT_JSON:
        raise BadRequest(NO_JSON) from None
