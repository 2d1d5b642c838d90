"""A report as a FHIR R4 MeasureReport of type summary.

Source: https://hl7.org/fhir/R4/measurereport.html. The measure and its codes are ours.
"""

from collections.abc import Iterator
from datetime import datetime

from cds_service.report.figures import HEADINGS, Figures, Report

MEASURE = "urn:vcf-appropriateness:measure:advice"
POPULATIONS = "urn:vcf-appropriateness:measure-population"
SCORE = "alerts_per_100"


def as_measure_report(report: Report, now: datetime) -> dict:
    """The resource; `now` is aware of its time zone."""
    group = {
        "code": {"text": "Advice on orders for vertebral compression fractures"},
        "population": list(_populations(report.total)),
        "measureScore": _score(report.total),
    }
    stratifiers = [*_parts(report), *_breakdowns(report.total)]
    if stratifiers:
        group["stratifier"] = stratifiers
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": now.isoformat(timespec="seconds"),
        "period": {
            "start": report.period.since.isoformat(),
            "end": report.period.until.isoformat(),
        },
        "group": [group],
    }


def _populations(figures: Figures) -> Iterator[dict]:
    for name, number in figures.counts.items():
        if name != SCORE:
            yield {"code": _concept(name), "count": number}


def _concept(name: str) -> dict:
    coding = {"system": POPULATIONS, "code": name.replace("_", "-"), "display": HEADINGS[name]}
    return {"coding": [coding]}


def _score(figures: Figures) -> dict:
    return {"value": figures.alerts_per_100, "unit": HEADINGS[SCORE]}


def _parts(report: Report) -> Iterator[dict]:
    for by, parts in report.parts.items():
        strata = [
            {
                "value": {"text": part or "none"},
                "population": list(_populations(figures)),
                "measureScore": _score(figures),
            }
            for part, figures in parts.items()
        ]
        if strata:
            yield {"code": [{"text": f"by {by}"}], "stratum": strata}


def _breakdowns(figures: Figures) -> Iterator[dict]:
    for name, counted in figures.breakdowns.items():
        strata = [
            {"value": {"text": what}, "population": [{"code": _concept(name), "count": number}]}
            for what, number in counted.most_common()
        ]
        if strata:
            yield {"code": [_concept(name)], "stratum": strata}
