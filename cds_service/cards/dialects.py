"""The dialects by the name that a client is configured with."""

from cds_service.cards.crd_inferno import CRD_INFERNO
from cds_service.cards.dialect import Dialect
from cds_service.cards.epic import EPIC
from cds_service.cards.sandbox import SANDBOX

DIALECTS = {
    "hl7": Dialect(),
    "epic": EPIC,
    "sandbox": SANDBOX,
    "crd-inferno": CRD_INFERNO,
}
