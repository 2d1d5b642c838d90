"""The settings and the mappings: whether the service starts with them, and is found by clients."""

from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from cds_service.about import is_review_due
from cds_service.decision.topic import Topic
from cds_service.doctor.lines import Line, ok, problem, warning
from cds_service.fhir.addresses import LOOPBACK_NAMES
from cds_service.mappings import MappingsError, load
from cds_service.mappings.source import EXPANSIONS
from cds_service.settings import ROWS, Settings

ADDRESS = "public address"


def check_settings(environment: Mapping[str, str]) -> Iterator[Line]:
    """Which are set, and what is named like a setting and is none."""
    names = [name for name in ROWS if environment.get(name)]
    yield ok("settings", f"set: {', '.join(names) or 'none'}")
    for name in sorted(environment):
        if name.startswith("CDS_") and name not in ROWS:
            yield warning("settings", f"{name} is no setting: correct its name, or remove it")


def check_mode(settings: Settings) -> Line:
    if settings.open:
        text = "open: anyone may call; set CDS_AUTH=required before patients are involved"
        return warning("mode", text)
    return ok("mode", "only clients of the clients file may call")


def check_public_url(settings: Settings) -> Line:
    """It is part of what a token is made for, and is printed on cards."""
    url = settings.public_url
    if not url:
        return _without_public_url(settings)
    scheme, host = _scheme_and_host(url)
    if not host:
        return problem(ADDRESS, f"CDS_PUBLIC_URL is {url}, which names no host; correct it")
    if scheme != "https" and host not in LOOPBACK_NAMES:
        text = f"CDS_PUBLIC_URL is {url}; tokens and orders would go unencrypted: use https"
        return problem(ADDRESS, text)
    return ok(ADDRESS, url)


def _without_public_url(settings: Settings) -> Line:
    if settings.open:
        return ok(ADDRESS, "that of each request")
    return problem(ADDRESS, "there is none, and the service does not start: set CDS_PUBLIC_URL")


def _scheme_and_host(url: str) -> tuple[str, str]:
    """The host is empty where there is none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return "", ""


def check_mappings(settings: Settings, today: date) -> Iterator[Line]:
    """Whether they load (each problem is a line), and whether the guideline is up to date."""
    try:
        topics = load(settings.mappings)
    except MappingsError as error:
        for text in error.problems:
            yield problem("mappings", f"{text}; correct it, or set CDS_MAPPINGS to another folder")
        return
    for topic in topics.values():
        yield ok("mappings", f"{settings.mappings}, {topic.id}, version {topic.version}")
        yield _review(topic, today)


def check_hierarchies(settings: Settings) -> Line:
    """Whether more SNOMED CT codes are understood than those that are shipped."""
    about = "SNOMED CT"
    if any((settings.mappings / EXPANSIONS).glob("*.json")):
        return ok(about, "codes below the shipped ones are understood by expansions")
    if settings.tx:
        return ok(about, "codes in no map are asked of CDS_TX")
    text = (
        "only the shipped codes are understood, and a diagnosis in another one counts for nothing "
        "(some words still ask the question): run expand, or set CDS_TX"
    )
    return warning(about, text)


def _review(topic: Topic, today: date) -> Line:
    due = topic.about.source.review_due
    if is_review_due(topic, today):
        text = f"was due on {due}; see whether the ACR has a newer edition, and update the mappings"
        return warning("guideline review", text)
    return ok("guideline review", f"due on {due}")
