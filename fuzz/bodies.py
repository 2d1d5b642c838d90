"""The requests of the fixtures, with a few places spoiled."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from fuzz.values import ANYTHING, DATES, DUPLICATE, KEYS, LEAVES, NUMBERS, PLANTED, TYPES, as_text

FIXTURES = Path(__file__).parent.parent / "fixtures"
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7")
LONGEST_REPEATED = 3_000
Draw = Callable[[st.SearchStrategy], Any]


@cache
def sound_requests() -> list[str]:
    """The requests of the fixtures, with the name of a patient wherever one could be."""
    files = sorted(FIXTURES.glob("*/*/request.json"))
    return [json.dumps(with_name(json.loads(file.read_text("utf-8")))) for file in files]


def with_name(body: Any) -> Any:
    for holder, key in places(body):
        if key in ("display", "text", "patientId", "userId") and isinstance(holder[key], str):
            holder[key] += f" {PLANTED}"
        elif holder[key] == "Patient":
            holder["name"] = [{"family": PLANTED}]
    return body


@cache
def known_values() -> dict[Any, list[str]]:
    """By key, the JSON text of each value that a fixture has there."""
    known: dict[Any, dict[str, None]] = defaultdict(dict)
    for text in sound_requests():
        for holder, key in places(json.loads(text)):
            known[key if isinstance(key, str) else ""][json.dumps(holder[key])] = None
    return {key: list(texts) for key, texts in known.items()}


def places(root: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value: the list or object that holds it, and its index or key."""
    waiting = [root]
    while waiting:
        holder = waiting.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def choose(draw: Draw, among: Sequence) -> Any:
    """One of these; sampled_from would look at each of them every time."""
    return among[draw(st.integers(0, len(among) - 1))]


def chosen_place(draw: Draw, body: Any) -> tuple[Any, Any]:
    """Any place; or any key and then a place with it, so that rare keys have their turn."""
    found = list(places(body))
    if draw(st.booleans()):
        key = choose(draw, sorted({str(key) for _, key in found}))
        found = [place for place in found if str(place[1]) == key]
    return choose(draw, found)


@cache
def keys() -> list[str]:
    return [*KEYS, *known_values()]


def known(draw: Draw, _: Any, key: Any) -> Any:
    """What a fixture has under the same key: the request stays sound, but says something else."""
    return json.loads(choose(draw, known_values().get(key) or known_values()[""]))


def spliced(draw: Draw, _: Any, __: Any) -> Any:
    """What a fixture has anywhere."""
    return known(draw, None, choose(draw, list(known_values())))


def odd(draw: Draw, value: Any, key: Any) -> Any:
    """A date that is none where a date is; likewise with types and numbers."""
    if key == "resourceType":
        return choose(draw, TYPES)
    if isinstance(value, str) and value[:4].isdecimal() and "-" in value:
        return choose(draw, DATES)
    if isinstance(value, int | float):
        return choose(draw, NUMBERS)
    return draw(LEAVES)


def anything(draw: Draw, _: Any, __: Any) -> Any:
    return draw(ANYTHING)


def repeated(draw: Draw, value: Any, _: Any) -> Any:
    times = choose(draw, [1, 2, 5, 300])
    text = json.dumps(value)
    return [json.loads(text) for _ in range(times if len(text) < LONGEST_REPEATED else 2)]


def nested(draw: Draw, value: Any, _: Any) -> Any:
    """The value inside so many lists, or objects of one key."""
    key = choose(draw, ["", "value", "extension", "contained", "coding", "resource"])
    for _ in range(choose(draw, [1, 2, 20, 60, 150, 300])):
        value = {key: value} if key else [value]
    return value


def drop(_: Draw, holder: Any, key: Any) -> None:
    del holder[key]


def add(draw: Draw, holder: Any, _: Any) -> None:
    """One more, known or unknown."""
    name = choose(draw, keys())
    if isinstance(holder, dict):
        holder[name] = known(draw, None, name)
    else:
        holder.append(draw(ANYTHING))


def rename(draw: Draw, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[choose(draw, keys())] = holder.pop(key)


def say_twice(draw: Draw, holder: Any, key: Any) -> None:
    """The same key once more, with another value."""
    if isinstance(holder, dict):
        holder[f"{DUPLICATE}{key}"] = known(draw, None, key)


OTHER_VALUES = [known] * 10 + [odd] * 8 + [anything] * 6 + [spliced] * 4 + [repeated] * 2 + [nested]
OTHER_PLACES = [drop] * 5 + [add] * 4 + [rename] * 2 + [say_twice] * 2


@st.composite
def bodies(draw: Draw) -> bytes:
    """A sound request with one to six places spoiled, as bytes."""
    body = json.loads(choose(draw, sound_requests()))
    for _ in range(choose(draw, [1, 1, 2, 2, 3, 4, 6])):
        if not body:
            break
        holder, key = chosen_place(draw, body)
        change = choose(draw, [*OTHER_VALUES, *OTHER_PLACES])
        if change in OTHER_PLACES:
            change(draw, holder, key)
        else:
            holder[key] = change(draw, holder[key], key)
    return encoded(draw, body)


def encoded(draw: Draw, body: Any) -> bytes:
    """Now and then with raw surrogates, or in an encoding of its own."""
    text = as_text(body, ascii_only=draw(st.booleans()))
    if draw(st.integers(0, 49)) == 49:
        return text.encode(choose(draw, ENCODINGS), "replace")
    return text.encode("utf-8", "surrogatepass")


@st.composite
def broken_bytes(draw: Draw) -> bytes:
    """A sound or spoiled body with some of its bytes changed, cut or repeated."""
    data = choose(draw, sound_requests()).encode() if draw(st.booleans()) else draw(bodies())
    for _ in range(draw(st.integers(1, 9))):
        at = draw(st.integers(0, len(data)))
        end = at + choose(draw, [0, 1, 2, 9, 100, 100_000])
        put = choose(draw, [b"", b'"', b"{", b"]", b",", b":", b"\\u", data[at:end]])
        data = data[:at] + (put or draw(st.binary(max_size=3))) + data[end:]
    return data
