"""The dialects by the name that a client is configured with."""

from cds_service.cards import crd_inferno, epic, sandbox
from cds_service.cards.dialect import Dialect
from cds_service.choices import CRD_INFERNO, EPIC, HL7, SANDBOX

DIALECTS = {
    HL7: Dialect(),
    EPIC: epic.EPIC,
    SANDBOX: sandbox.SANDBOX,
    CRD_INFERNO: crd_inferno.CRD_INFERNO,
}
