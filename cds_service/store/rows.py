"""The rows of a hook: one for each evaluated order, one for each code that is in no map.

No patient, practitioner or order is in them: what names one goes into a keyed digest.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice

from cds_service.evaluation import Evaluation
from cds_service.fhir.unmapped import CONDITION, Unmapped
from cds_service.mappings.forms import has_known_form, is_override_reason, is_surely_a_code
from cds_service.store.retention import day_of
from cds_service.store.tables import decisions, seen_codes, unmapped_codes

# A code or a system is kept only if it looks like one.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_^/]{0,63}")
SYSTEM = re.compile(r"(https?://|urn:)[!-~]{1,190}")
LONGEST_WORDS = 200
MOST_UNMAPPED = 1_000  # codes of a hook that are kept
NO_CODE = ("", "(not a code)")
OTHER_REASON = "other"
EVALUATED = [f.name for f in fields(Evaluation) if f.name in decisions.columns]

# The name of a table, and a row for it.
Row = tuple[str, dict]
# A keyed digest of its arguments; see `secret.pseudonym`.
Pseudonym = Callable[..., str]


@dataclass(frozen=True)
class HookRequest:
    """Who called, which hook, and for whom. `patient_id` goes into digests only.

    `at` is in seconds since 1970; `criteria` names the rule of the EHR that fired the hook, if any.
    """

    client: str
    tenant: str
    hook: str
    hook_instance: str
    patient_id: str
    at: float
    milliseconds: float
    criteria: str


@dataclass
class Sightings:
    """Which codes and words of a hook are common, by their digests; a row for each that is not."""

    request: HookRequest
    common: Container[str]
    pseudonym: Pseudonym
    rows: list[Row] = field(default_factory=list)

    def is_common(self, *said: str) -> bool:
        """Whether it is; else that this patient had it is added to the rows."""
        client, patient = self.request.client, self.request.patient_id
        key = self.pseudonym("code", client, *said)
        if key in self.common:
            return True
        source = self.pseudonym("source", key, client, patient)
        row = {"code_key": key, "source_key": source, "day": day_of(self.request.at)}
        self.rows.append((seen_codes.name, row))
        return False


def rows_of(
    request: HookRequest,
    evaluations: Iterable[Evaluation],
    unmapped: Iterable[Unmapped],
    pseudonym: Pseudonym,
    common: Container[str],
) -> list[Row]:
    """All rows of a hook; `unmapped` are codes of Conditions, and of orders that may be ours, and
    `common` the digests of codes and words that are of nobody in particular.

    A Condition counts once for a patient and day, and is not linked to a decision.
    """
    rows, seen = [], Sightings(request, common, pseudonym)
    for evaluation in evaluations:
        rows.append((decisions.name, _decision(request, evaluation, pseudonym)))
        rows += _unmapped(request, evaluation.consult, evaluation.unmapped, seen)
    hook = ("hook", request.client, request.hook_instance)
    chart = ("chart", request.client, request.patient_id, day_of(request.at))
    for code in islice(_surely_codes(unmapped), MOST_UNMAPPED):
        key = pseudonym(*(chart if code.about == CONDITION else hook))
        rows += _unmapped(request, key, [code], seen)
    return rows + seen.rows


def _surely_codes(unmapped: Iterable[Unmapped]) -> Iterator[Unmapped]:
    """Those of Conditions only where they are codes, and not words of a person."""
    return (c for c in unmapped if c.about != CONDITION or is_surely_a_code(c.system, c.code))


def advice_key(
    evaluation: Evaluation, client: str, patient_id: str, pseudonym: Pseudonym
) -> str | None:
    """The same for the same advice on the same order; None for an order without an id."""
    e = evaluation
    if not e.order_id:
        return None
    return pseudonym(
        "advice", client, patient_id, e.order_id, e.guideline, e.procedure, e.region, e.subject,
        e.category, e.variants, sorted(e.facts.items()),
    )  # fmt: skip


def order_key(
    evaluation: Evaluation, client: str, patient_id: str, pseudonym: Pseudonym
) -> str | None:
    """The same for the same order under the same guideline; None for an order without an id."""
    if not evaluation.order_id:
        return None
    return pseudonym("order", client, patient_id, evaluation.order_id, evaluation.guideline)


def _decision(request: HookRequest, evaluation: Evaluation, pseudonym: Pseudonym) -> dict:
    """The fields of an evaluation that are columns, and those of the request."""
    whose = (request.client, request.patient_id, pseudonym)
    return {
        **{name: _stored(getattr(evaluation, name)) for name in EVALUATED},
        "client": request.client,
        "tenant": request.tenant,
        "hook": request.hook,
        "hook_instance": pseudonym("hook", request.client, request.hook_instance),
        "day": day_of(request.at),
        "at": request.at,
        "milliseconds": request.milliseconds,
        "criteria": request.criteria or None,
        "order_key": order_key(evaluation, *whose),
        "advice_key": advice_key(evaluation, *whose) if evaluation.indicator else None,
    }


def _stored(value: object) -> object:
    """Several words are joined by commas."""
    return ",".join(value) if isinstance(value, tuple) else value


def _unmapped(
    request: HookRequest, consult: str, codes: Iterable[Unmapped], seen: Sightings
) -> Iterator[Row]:
    for about, system, code, words, sounds_like in dict.fromkeys(codes):
        said = printable(words)
        said = said if said and seen.is_common(system, code, said) else ""
        kept = kept_code(system, code)
        if has_known_form(*kept) or kept == NO_CODE or seen.is_common(system, code):
            row = {
                "client": request.client,
                "consult": consult,
                "about": about,
                "system": kept[0],
                "code": kept[1],
                "display": said,
                "sounds_like": sounds_like,
                "day": day_of(request.at),
            }
            yield unmapped_codes.name, row


def printable(words: str) -> str:
    """Words that are to be kept, in one line of bounded length."""
    return "".join(c if c.isprintable() else " " for c in words)[:LONGEST_WORDS]


def kept_code(system: str, code: str) -> tuple[str, str]:
    """System and code, each as far as it looks like one."""
    if not CODE.fullmatch(code):
        return NO_CODE
    return system if SYSTEM.fullmatch(system) else "", code


def kept_reason(system: str, code: str, display: str = "") -> tuple[str, str]:
    """System and code of an override reason in the form of its system, as those on our cards are,
    also without their system; else no more than that there was one.
    """
    if is_override_reason(system, code) or has_known_form(system, code):
        return system, code
    return "", OTHER_REASON if system or code or display else ""
