"""The processes of a run: some take numbered calls, some let atheris lead."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from fuzz.calls import call_at, posted
from fuzz.mutate import encoded, mutate, read_seeds
from fuzz.tally import Tally
from fuzz.target import Target

REPORT_EVERY = 100
LONGEST_GUIDED = 60_000
SECONDS_FOR_ONE = 60


def can_be_guided() -> bool:
    """Whether atheris is there; it has no wheel for some machines."""
    return find_spec("atheris") is not None


def numbered(parent: Connection, seed: int, numbers: Iterable[int]) -> None:
    """Makes the calls of these numbers, and sends the parent a Tally after every few."""
    _be_silent()
    seeds, target, reporter = read_seeds(), Target(), _Reporter(parent)
    for number in numbers:
        call = call_at(number, seed, seeds)
        reporter.tally.add(call, target.call(call))
        reporter.send_if_due()
    reporter.send()


def guided(parent: Connection, seed: int, count: int) -> None:
    """Makes as many calls whose bodies atheris makes, by what they reach in the code.

    Does not return: libFuzzer never does. The process ends with status 0.
    """
    _be_silent()
    import atheris

    with atheris.instrument_imports(include=["cds_service"]):
        target = Target()
    seeds, reporter, made = read_seeds(), _Reporter(parent), 0

    def one(body: bytes) -> None:
        nonlocal made
        call = posted("guided", body)
        reporter.tally.add(call, target.call(call))
        reporter.send_if_due()
        made += 1
        if made >= count:
            reporter.send()
            os._exit(0)

    def change(data: bytes, longest: int, number: int) -> bytes:
        """Spoils the JSON where it is JSON, and else, or now and then, the bytes."""
        random = Random(number)  # noqa: S311  repeatable, not secret
        try:
            body = json.loads(data) if random.random() < 0.8 else None
            if isinstance(body, dict):
                mutate(body, random, seeds)
                return encoded(body, random)[:longest]
        except (ValueError, RecursionError):
            pass
        return atheris.Mutate(data, longest)

    atheris.Setup(_options(seed, seeds.texts), one, custom_mutator=change)
    atheris.Fuzz()


def _options(seed: int, texts: Iterable[str]) -> list[str]:
    """The command line of libFuzzer, with a corpus in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for number, text in enumerate(texts):
        (folder / f"{number:03}.json").write_text(text, "utf-8")
    options = {"seed": seed, "max_len": LONGEST_GUIDED, "len_control": 0, "rss_limit_mb": 0}
    options |= {"timeout": SECONDS_FOR_ONE, "artifact_prefix": f"{folder}/"}
    return ["fuzz", *(f"-{name}={value}" for name, value in options.items()), str(folder)]


def _be_silent() -> None:
    """Nothing that this process or a library of it writes is seen."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


class _Reporter:
    """Collects a Tally, and sends what has come since it last sent."""

    def __init__(self, parent: Connection):
        self._parent = parent
        self.tally = Tally()

    def send_if_due(self) -> None:
        if self.tally.requests >= REPORT_EVERY:
            self.send()

    def send(self) -> None:
        self._parent.send(self.tally)
        self.tally = Tally()


Work = Callable[..., None]


def shares(requests: int, seed: int, processes: int, by_guide: float) -> list[tuple[Work, tuple]]:
    """The work of each process: its function, and what that takes after the connection."""
    led = int(requests * by_guide) if can_be_guided() else 0
    plain = requests - led
    work: list[tuple[Work, tuple]] = [
        (numbered, (seed, range(first, plain, processes))) for first in range(processes)
    ]
    parts = [len(range(first, led, processes)) for first in range(processes)]
    work += [(guided, (seed + n + 1, part)) for n, part in enumerate(parts) if part]
    return work
