"""Whether the terminology server of CDS_TX answers as the service needs it."""

from collections.abc import Iterator

from cds_service.doctor.lines import Line, ok, problem
from cds_service.expansion.server import TerminologyError, TerminologyServer
from cds_service.mappings import MappingsError
from cds_service.mappings.hierarchies import hierarchies_of
from cds_service.settings import Settings

ABOUT = "terminology server"
SECONDS = 10


def check_terminology_server(settings: Settings) -> Iterator[Line]:
    """A line where there is one: it is asked whether a root of ours is below itself."""
    if not settings.tx:
        return
    try:
        root = hierarchies_of(settings.mappings)[0].roots[0]
    except (MappingsError, IndexError):
        return  # a line of its own tells that the mappings do not load
    try:
        is_there = TerminologyServer(settings.tx, settings.tx_token, SECONDS).subsumes(root, root)
    except TerminologyError as error:
        yield problem(ABOUT, f"{error}: check CDS_TX, CDS_TX_TOKEN, proxy and firewall")
        return
    if is_there:
        yield ok(ABOUT, f"{settings.tx} knows SNOMED CT")
    else:
        yield problem(ABOUT, f"{settings.tx} does not know {root}: has it SNOMED CT?")
