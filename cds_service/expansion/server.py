"""A FHIR terminology server: `ValueSet/$expand` and `CodeSystem/$subsumes`, one call at a time."""

from http import HTTPStatus
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.decision.code_systems import SNOMED_CT
from cds_service.fhir.plain import Json, as_dict, as_text, dicts

FHIR_JSON = "application/fhir+json"
# With these and an OperationOutcome the server refuses this question, and is not at fault itself.
REFUSED = frozenset({400, 404, 422})
SUBSUMED = frozenset({"subsumes", "equivalent"})


class TerminologyError(Exception):
    """What went wrong, in one line. `is_refusal`: the server refused this question only."""

    def __init__(self, text: str, is_refusal: bool = False):
        super().__init__(text)
        self.is_refusal = is_refusal


class TerminologyServer:
    """The server at a base address. A token is sent to that address only: no redirect is followed.

    `seconds` is the timeout to connect, and between two packets.
    """

    def __init__(self, base: str, token: str, seconds: float):
        import requests  # here, since few installations ask a terminology server

        self.base = base.rstrip("/")
        self._seconds = seconds
        self._session = requests.Session()
        self._session.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON})
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def expand(self, value_set: Json, offset: int, count: int) -> Json:
        """One page of the expansion of a definition. Raises TerminologyError.

        Inactive codes are asked for, since old problem lists hold them; R4 leaves it to the
        server what it does where activeOnly is not said.
        """
        parameters = [
            {"name": "valueSet", "resource": value_set},
            {"name": "offset", "valueInteger": offset},
            {"name": "count", "valueInteger": count},
            {"name": "activeOnly", "valueBoolean": False},
            {"name": "excludeNested", "valueBoolean": True},
        ]
        return self._ask("ValueSet/$expand", parameters, "ValueSet")

    def subsumes(self, root: str, code: str) -> bool:
        """Whether a SNOMED CT code is a root or below it. Raises TerminologyError."""
        parameters = [
            {"name": "codeA", "valueCode": root},
            {"name": "codeB", "valueCode": code},
            {"name": "system", "valueUri": SNOMED_CT},
        ]
        answer = self._ask("CodeSystem/$subsumes", parameters, "Parameters")
        said = {p["name"]: p.get("valueCode") for p in answer.get("parameter", [])}
        if "outcome" not in said:
            raise TerminologyError(f"{self.base} sent no outcome")
        return said["outcome"] in SUBSUMED

    def _ask(self, operation: str, parameters: list[Json], expected: str) -> Json:
        """The resource that an operation returns, by POST. Raises TerminologyError."""
        url = f"{self.base}/{operation}"
        body = {"resourceType": "Parameters", "parameter": parameters}
        try:
            answer = self._session.post(
                url, json=body, timeout=self._seconds, allow_redirects=False
            )
        except OSError as error:  # as which requests fail
            raise TerminologyError(f"{url}: {type(error).__name__}") from None
        if answer.is_redirect:
            text = f"{url} redirects to {answer.headers['Location']}; name that server"
            raise TerminologyError(text)
        return self._expect(expected, _json(url, answer), url, answer.status_code)

    def _expect(self, expected: str, answer: Any, url: str, status: int) -> Json:
        kind = answer.get("resourceType") if isinstance(answer, dict) else None
        if status != HTTPStatus.OK or kind != expected:
            is_refusal = kind == "OperationOutcome" and status in REFUSED
            raise TerminologyError(f"{url}: status {status}, {_reason(kind, answer)}", is_refusal)
        try:
            get_fhir_model_class(expected).model_validate(answer)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise TerminologyError(f"{url}: no valid {expected}: {where}") from None
        return answer


def _json(url: str, answer: Any) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise TerminologyError(f"{url}: status {answer.status_code}, no JSON") from None


def _reason(kind: Any, answer: Any) -> str:
    """The texts of an OperationOutcome, else the type of the resource."""
    if kind != "OperationOutcome":
        return f"{kind or 'no resource'}"
    issues = dicts(answer.get("issue"))
    said = (i.get("diagnostics") or as_dict(i.get("details")).get("text") for i in issues)
    return "; ".join(filter(None, map(as_text, said))) or kind
