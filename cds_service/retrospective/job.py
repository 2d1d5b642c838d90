"""What a run is asked to do, as plain values: they go to every process, and into the manifest."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from cds_service.choices import SILENCE
from cds_service.decision.topic import Topic, Topics
from cds_service.mappings import load
from cds_service.mappings.local import with_local_codes
from cds_service.retrospective.moment import Moment
from cds_service.silence import Silence

ENCOUNTER, LOCATION, REQUESTER = DEPARTMENTS = ("encounter", "location", "requester")


@dataclass(frozen=True)
class Job:
    """`codes` is the folder of the site's own codes; `topic` the id of the one topic that is asked
    for, empty for all; `since` and `until` are the first and last day of the orders; `department`
    says which reference of an order tells it; `secret` is the salt of the digests.
    """

    mappings: Path
    codes: Path | None = None
    topic: str = ""
    silence: Silence = Silence()
    on_too_little: str = SILENCE
    since: date | None = None
    until: date | None = None
    department: str = ENCOUNTER
    secret: bytes = b""

    def asks_for(self, ordered: Moment) -> bool:
        """Whether an order of that time is in the period."""
        day = ordered.first
        return (not self.since or self.since <= day) and (not self.until or day <= self.until)


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a finished run, besides its files: a sample of so many answers, which
    order is which, and a report with what a file of reviews says, in this language first.
    """

    sample: int
    ids: bool
    reviewed: Path | None
    language: str


@dataclass(frozen=True)
class Export:
    """What holds for the whole of an export: the prefetch keys of the `kinds` of resource in it,
    and the `names` of its organizations and locations by their reference.
    """

    kinds: frozenset[str]
    names: dict[str, str]


def topics_of(job: Job) -> tuple[Topic, ...]:
    """The topics of the run, read once in a process. Raises MappingsError."""
    topics = _topics(job.mappings, job.codes)
    return tuple(t for t in topics.values() if job.topic in ("", t.id))


@cache
def _topics(mappings: Path, codes: Path | None) -> Topics:
    topics = load(mappings)
    return with_local_codes(topics, codes)[0] if codes else topics
