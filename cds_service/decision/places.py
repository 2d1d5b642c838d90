"""Which region of the body to order for, from the findings that the order is about."""

from collections.abc import Iterable
from datetime import date

from cds_service.decision.chart import Finding
from cds_service.decision.terminology import Place, Terminology


def region_of(findings: Iterable[Finding], terminology: Terminology) -> Place:
    """The region that holds all of these findings, else the body part as a whole."""
    regions = {f.place.region for f in findings if f.place and f.place.parts}
    places = [terminology.places[region] for region in sorted(regions)]
    if len(places) == 1:
        return places[0]
    parts = frozenset().union(*(place.parts for place in places))
    return terminology.place_covering(parts)


def region_of_new(findings: Iterable[Finding], today: date, terminology: Terminology) -> Place:
    """The region of the new findings if they have one only; else the body part as a whole."""
    new = [f for f in findings if f.is_new(today) and f.parts]
    regions = {f.place.region for f in new}
    return terminology.places[regions.pop()] if len(regions) == 1 else terminology.body_part
