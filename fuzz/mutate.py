"""Structure-aware mutation: a sound request body with a few places spoiled."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from fuzz.values import DATES, DUPLICATE, KEYS, NUMBERS, TYPES, as_text, hostile, junk, nested

FIXTURES = Path(__file__).parent.parent / "fixtures"
MOST_ITEMS = 300
DEEPEST = 1_200
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7")


@dataclass(frozen=True)
class Place:
    """A value inside a JSON tree, by the list or object that holds it."""

    holder: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def put(self, value: Any) -> None:
        self.holder[self.key] = value


@dataclass(frozen=True)
class Seeds:
    """The texts of the sound requests, and all values that they hold under each key."""

    texts: tuple[str, ...]
    values: dict[str, list[Any]]


def read_seeds() -> Seeds:
    """The requests of the fixtures, always in the same order."""
    files = sorted(FIXTURES.glob("*/*/request.json"))
    texts = tuple(file.read_text("utf-8") for file in files)
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    for text in texts:
        for place in places(json.loads(text)):
            if isinstance(place.key, str):
                values[place.key][json.dumps(place.value)] = place.value
    return Seeds(texts, {key: list(found.values()) for key, found in values.items()})


def places(root: Any) -> Iterator[Place]:
    """Every place in a JSON value, however deep."""
    waiting = [root]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield Place(holder, key)
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def copy(value: Any) -> Any:
    """A copy that shares nothing with the value."""
    return json.loads(json.dumps(value))


def _drop(place: Place, _: Random, __: Seeds, ___: Any) -> None:
    del place.holder[place.key]


def _null(place: Place, _: Random, __: Seeds, ___: Any) -> None:
    place.put(None)


def _retype(place: Place, random: Random, _: Seeds, __: Any) -> None:
    value = place.value
    place.put(random.choice([[value], {"value": value}, str(value)[:80], True, 7, [], {}, 1.5]))


def _swap(place: Place, random: Random, _: Seeds, body: Any) -> None:
    """Two values change places; one that held the other may so vanish."""
    other = random.choice(list(places(body)))
    mine, theirs = copy(place.value), copy(other.value)
    place.put(theirs)
    other.put(mine)


def _repeat(place: Place, random: Random, _: Seeds, __: Any) -> None:
    """The item several times in its list, or the value as a giant list."""
    value, times = place.value, random.choice([1, 2, 5, MOST_ITEMS])
    if len(json.dumps(value)) > 3_000:
        times = 1
    if isinstance(place.holder, list):
        place.holder[place.key : place.key] = [copy(value) for _ in range(times)]
    else:
        place.put([copy(value) for _ in range(times + 1)])


def _duplicate_key(place: Place, random: Random, seeds: Seeds, _: Any) -> None:
    if isinstance(place.holder, dict):
        place.holder[f"{DUPLICATE}{place.key}"] = _other(place, random, seeds)


def _other(place: Place, random: Random, seeds: Seeds) -> Any:
    """A value that a fixture has under this key, else a hostile one."""
    known = seeds.values.get(place.key) if isinstance(place.key, str) else None
    return copy(random.choice(known)) if known else hostile(random)


def _plausible(place: Place, random: Random, seeds: Seeds, _: Any) -> None:
    """What a fixture has under the same key: the request stays sound, but says something else."""
    place.put(_other(place, random, seeds))


def _splice(place: Place, random: Random, seeds: Seeds, _: Any) -> None:
    """A subtree of another request, here."""
    other = list(places(json.loads(random.choice(seeds.texts))))
    place.put(random.choice(other).value)


def _hostile(place: Place, random: Random, _: Seeds, __: Any) -> None:
    place.put(hostile(random))


def _odd_leaf(place: Place, random: Random, _: Seeds, __: Any) -> None:
    """A date that is none where a date is; likewise with types and numbers."""
    if place.key == "resourceType":
        place.put(random.choice(TYPES))
    elif isinstance(place.value, str) and place.value[:4].isdecimal() and "-" in place.value:
        place.put(random.choice(DATES))
    elif isinstance(place.value, int | float):
        place.put(random.choice(NUMBERS))
    else:
        place.put(hostile(random))


def _add(place: Place, random: Random, seeds: Seeds, _: Any) -> None:
    """A field more, known or unknown."""
    if isinstance(place.holder, dict):
        key = random.choice(KEYS) if random.random() < 0.3 else random.choice(list(seeds.values))
        place.holder[key] = _other(Place({}, key), random, seeds)
    else:
        place.holder.append(junk(random))


def _rename(place: Place, random: Random, seeds: Seeds, _: Any) -> None:
    if isinstance(place.holder, dict):
        place.holder[random.choice([*KEYS, *seeds.values])] = place.holder.pop(place.key)


def _deepen(place: Place, random: Random, _: Seeds, __: Any) -> None:
    depth = random.choice([1, 2, 20, 60, 150, 300, DEEPEST])
    key = random.choice(["", "extension", "contained", "coding", "resource", "\0"])
    place.put(nested(place.value, min(depth, 80 if random.random() < 0.7 else depth), key))


Mutation = Callable[[Place, Random, Seeds, Any], None]
MUTATIONS: dict[Mutation, int] = {
    _plausible: 10, _hostile: 6, _odd_leaf: 6, _drop: 4, _splice: 4, _add: 4, _null: 2, _retype: 3,
    _swap: 3, _rename: 2, _duplicate_key: 2, _repeat: 2, _deepen: 1,
}  # fmt: skip


def mutate(body: Any, random: Random, seeds: Seeds) -> None:
    """Spoils one to six places of the body; the hook's frame less often than what is in it."""
    for _ in range(random.choice([1, 1, 2, 2, 3, 4, 6])):
        found = list(places(body))
        inner = [p for p in found if p.holder is not body]
        if not found:
            return
        place = _choose(inner if inner and random.random() < 0.97 else found, random)
        (change,) = random.choices(list(MUTATIONS), list(MUTATIONS.values()))
        try:
            change(place, random, seeds, body)
        except (KeyError, IndexError, RecursionError):
            continue  # the place went with an earlier change, or lies too deep to be copied


def _choose(found: list[Place], random: Random) -> Place:
    """Any place; or any key and then a place with it, so that rare keys have their turn."""
    if random.random() < 0.4:
        key = random.choice(sorted({str(p.key) for p in found}))
        found = [p for p in found if str(p.key) == key]
    return random.choice(found)


def structured(random: Random, seeds: Seeds) -> bytes:
    """The text of a sound request with a few places spoiled."""
    body = json.loads(random.choice(seeds.texts))
    mutate(body, random, seeds)
    return encoded(body, random)


def encoded(body: Any, random: Random) -> bytes:
    """The body as text; now and then with raw surrogates, or in an encoding of its own."""
    try:
        text = as_text(body, ascii_only=random.random() < 0.7)
    except RecursionError:
        return b"[" * DEEPEST
    if random.random() < 0.02:
        return text.encode(random.choice(ENCODINGS), "replace")
    return text.encode("utf-8", "surrogatepass")


def bytewise(random: Random, seeds: Seeds) -> bytes:
    """A sound or spoiled body with some of its bytes changed, cut or repeated."""
    sound = random.choice(seeds.texts).encode()
    data = bytearray(sound if random.random() < 0.5 else structured(random, seeds))
    for _ in range(random.choice([1, 1, 2, 4, 16, 64])):
        at = random.randrange(len(data) + 1)
        kind = random.randrange(5)
        if kind == 0:
            data[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            data[at:at] = random.randbytes(random.choice([1, 2, 8]))
        elif kind == 2:
            del data[at : at + random.choice([1, 1, 2, 9, 100])]
        elif kind == 3:
            end = at + random.randrange(60)
            data[at:at] = data[at:end]
        else:
            data[at:at] = random.choice([b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\u", b"NaN"])
    return bytes(data[: random.randrange(len(data) + 1)] if random.random() < 0.1 else data)
