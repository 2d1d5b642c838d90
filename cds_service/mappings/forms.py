"""How the codes of a code system are written, and their check digits.

Sources: SNOMED CT Release File Specifications (SCTID, Verhoeff digit); LOINC Users' Guide (Luhn
digit, answers begin with LA); the tabular lists of ICD-10; AMA (CPT) and CMS (HCPCS level II);
RadLex Playbook; RxNorm technical documentation; FHIR R4, datatype code.
"""

import re

from stdnum import luhn, verhoeff

from cds_service.decision.code_systems import CPT, SNOMED_CT
from cds_service.decision.icd import EDITIONS

LOINC = "http://loinc.org"
# Reasons to override a card: those that our cards offer, and HL7's, which earlier cards offered.
OVERRIDE_REASONS = ":override-reason"
NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDES = frozenset({
    "specialist-request", "earlier-study-inconclusive", "mri-not-possible",
    "other-disease-suspected", "chart-incomplete", "disagrees-with-guideline", "other",
    "cds-not-applicable", "cds-suboptimal-context", "recipient-disagrees-evidence",
    "recipient-concerns-outcomes", "does-not-align-preferences", "not-convenient-feasible",
})  # fmt: skip
FHIR_CODE = re.compile(r"\S+( \S+)*")
ICD = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", re.ASCII)
URI = re.compile(r"(https?://|urn:)\S{1,200}", re.ASCII)
SHORT_WITH_DIGIT = re.compile(r"(?=.*\d)[A-Za-z0-9.+_-]{1,20}", re.ASCII)
FORMS = {
    **dict.fromkeys(EDITIONS, ICD),
    SNOMED_CT: re.compile(r"[1-9]\d{5,17}", re.ASCII),
    LOINC: re.compile(r"(LA)?\d{1,7}-\d", re.ASCII),
    CPT: re.compile(r"\d{4}[0-9A-Z]|[A-Z]\d{4}", re.ASCII),
    "http://www.radlex.org": re.compile(r"(RPID|RID)\d+", re.ASCII),
    "http://www.nlm.nih.gov/research/umls/rxnorm": re.compile(r"[1-9]\d*", re.ASCII),
}


def has_form(system: str, code: str) -> bool:
    """Whether a code, as `Terminology.normalise` returns it, is written like one of its system."""
    written = FORMS.get(system, FHIR_CODE).fullmatch(code) is not None
    return written and has_check_digit(system, code)


def has_known_form(system: str, code: str) -> bool:
    """Whether we know how codes of the system are written, and this is so written."""
    return system in FORMS and has_form(system, code)


def is_override_reason(system: str, code: str) -> bool:
    """Whether a code is one of the reasons to override a card, also without its system."""
    of_cards = system in ("", NON_ADHERENCE) or system.endswith(OVERRIDE_REASONS)
    return of_cards and code in OVERRIDES


def is_surely_a_code(system: str, code: str) -> bool:
    """Whether what a chart holds as a code is one, and not a name or other words of a person. In a
    system whose form we do not know that is a short word with a digit, of a system that is a URI.
    """
    if system in FORMS:
        return has_form(system, code)
    return bool(URI.fullmatch(system) and SHORT_WITH_DIGIT.fullmatch(code))


def has_check_digit(system: str, code: str) -> bool:
    """LOINC ends in a Luhn digit, SNOMED CT in a Verhoeff digit; LOINC answers (LA…) in neither."""
    if system == LOINC:
        return code.startswith("LA") or luhn.is_valid(code.replace("-", ""))
    return system != SNOMED_CT or verhoeff.is_valid(code)
