"""A report as a FHIR R4 MeasureReport of type summary.

Source: https://hl7.org/fhir/R4/measurereport.html. The measure and its codes are ours.
"""

from collections.abc import Iterator
from datetime import datetime

from cds_service.decision.topic import About
from cds_service.report.figures import HEADINGS, Figures, Report

MEASURE, POPULATIONS = ":measure:advice", ":measure-population"
SCORE = "alerts_per_100"


def as_measure_report(report: Report, now: datetime, about: About) -> dict:
    """The resource; `now` is aware of its time zone. The measure is one of the topic `about`."""
    group = {
        "code": {"text": f"Advice on orders by the {about.source.title}"},
        "population": list(_populations(report.total, about.urn)),
        "measureScore": _score(report.total),
    }
    stratifiers = [*_parts(report, about.urn), *_breakdowns(report.total, about.urn)]
    if stratifiers:
        group["stratifier"] = stratifiers
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": about.urn + MEASURE,
        "date": now.isoformat(timespec="seconds"),
        "period": {
            "start": report.period.since.isoformat(),
            "end": report.period.until.isoformat(),
        },
        "group": [group],
    }


def _populations(figures: Figures, urn: str) -> Iterator[dict]:
    for name, number in figures.counts.items():
        if name != SCORE:
            yield {"code": _concept(name, urn), "count": number}


def _concept(name: str, urn: str) -> dict:
    coding = {
        "system": urn + POPULATIONS,
        "code": name.replace("_", "-"),
        "display": HEADINGS[name],
    }
    return {"coding": [coding]}


def _score(figures: Figures) -> dict:
    return {"value": figures.alerts_per_100, "unit": HEADINGS[SCORE]}


def _parts(report: Report, urn: str) -> Iterator[dict]:
    for by, parts in report.parts.items():
        strata = [
            {
                "value": {"text": part or "none"},
                "population": list(_populations(figures, urn)),
                "measureScore": _score(figures),
            }
            for part, figures in parts.items()
        ]
        if strata:
            yield {"code": [{"text": f"by {by}"}], "stratum": strata}


def _breakdowns(figures: Figures, urn: str) -> Iterator[dict]:
    for name, counted in figures.breakdowns.items():
        strata = [
            {
                "value": {"text": what},
                "population": [{"code": _concept(name, urn), "count": number}],
            }
            for what, number in counted.most_common()
        ]
        if strata:
            yield {"code": [_concept(name, urn)], "stratum": strata}
