"""A body made as small as it can be while it still shows the same problem."""

import json
from collections.abc import Callable
from dataclasses import replace

from fuzz.calls import Call
from fuzz.mutate import copy, places
from fuzz.target import Target

MOST_TRIES = 4_000


def shrunk(call: Call, problem: str, target: Target) -> Call:
    """The call with what does not matter left out of its body, where that is JSON."""

    def shows(body: bytes) -> bool:
        return problem in target.call(replace(call, body=body)).problems

    try:
        body = json.loads(call.body)
        if shows(_text(body)):
            return replace(call, body=_text(_smaller(body, shows)))
    except (ValueError, RecursionError):
        pass
    return call


def _text(body: object) -> bytes:
    return json.dumps(body).encode()


def _smaller(body: dict, shows: Callable[[bytes], bool]) -> dict:
    """Leaves out one place after the other, from the outermost, as long as that helps."""
    tries, number = 0, 0
    while tries < MOST_TRIES:
        trial = copy(body)
        found = list(places(trial)) if isinstance(trial, dict | list) else []
        if number >= len(found):
            return body
        del found[number].holder[found[number].key]
        tries += 1
        if shows(_text(trial)):
            body = trial
        else:
            number += 1
    return body
