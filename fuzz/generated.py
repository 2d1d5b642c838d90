"""Requests with values that hypothesis draws, and makes smaller where one breaks a promise.

`make fuzz` runs this after the long run: `python -m fuzz.generated`.
"""

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fuzz.calls import posted
from fuzz.mutate import places, read_seeds
from fuzz.target import Target

EXAMPLES = 10_000
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@cache
def target() -> Target:
    return Target()


@cache
def seeds() -> tuple[str, ...]:
    return read_seeds().texts


@st.composite
def bodies(draw: Callable[..., Any]) -> str:
    """A sound request in which up to four values are others."""
    body = json.loads(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(body))
        if found:
            found[draw(st.integers(0, len(found) - 1))].put(draw(JSON_VALUES))
    return json.dumps(body)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(bodies())
def no_request_breaks_a_promise(body: str) -> None:
    """No 500, and every answer in the form that CDS Hooks and our errors have."""
    result = target().call(posted("hypothesis", body.encode()))
    assert not result.problems, result.problems


def main() -> int:
    no_request_breaks_a_promise()
    print(f"{EXAMPLES} requests drawn by hypothesis, no problem", file=sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
