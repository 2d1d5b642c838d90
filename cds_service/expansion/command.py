"""`expand`: refreshes the value sets that are defined by a hierarchy, from a terminology server."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import track

from cds_service.commandline import Told, command
from cds_service.expansion.files import read_codes, write
from cds_service.expansion.pages import Expansion, expansion_of, version_of
from cds_service.expansion.server import TerminologyError, TerminologyServer
from cds_service.mappings import MappingsError
from cds_service.mappings.hierarchies import Hierarchy, hierarchies_of
from cds_service.settings import settings_from

DONE, FAILED = 0, 1
SECONDS = 120  # a server may take its time over the first page of a large hierarchy
MOST_LOST = 0.1
MOST_TOLD = 20


class ServerRefused(Exception):
    """A value set that is not expanded, or not written; the text says why."""


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    parser = command(
        commands, "expand", expand,
        "fetch the codes below those of the value sets, from a terminology server",
        "The files go into expansions/ of the mappings folder, and count from the next start on. "
        "CDS_TX_TOKEN is sent as bearer token. The exit status is 1 where one is not written.",
        "expand --tx https://tx.example.org/fhir",
        "expand --tx https://tx.example.org/fhir --set pregnancy",
    )  # fmt: skip
    parser.add_argument("--tx", required=True, metavar="URL", help="base address of the server")
    folder = "mappings folder; default: that of the service"
    parser.add_argument("--folder", type=Path, help=folder)
    only = "only this value set; may be repeated"
    parser.add_argument("--set", action="append", dest="names", metavar="NAME", help=only)
    parser.add_argument("--force", action="store_true", help="also where many codes are lost")


def expand(options: argparse.Namespace) -> int:
    """Expands set by set; a failure does not affect the others. Exit status 1 after a failure."""
    settings = settings_from()
    if not options.tx.startswith(("https://", "http://")):
        raise Told(f"--tx: {options.tx} is no address that starts with https:// or http://")
    folder = options.folder or settings.mappings
    chosen = _chosen(hierarchies_of(folder), options.names)
    server = TerminologyServer(options.tx, settings.tx_token, SECONDS)
    console = Console(stderr=True)
    shown = track(chosen, "Expanding", console=console, disable=not console.is_terminal)
    ends = [_try(lambda h=h: _refresh(h, folder, server, options.force), h.name) for h in shown]
    return FAILED if FAILED in ends else DONE


def _chosen(known: list[Hierarchy], names: list[str] | None) -> list[Hierarchy]:
    unknown = set(names or ()) - {h.name for h in known}
    if unknown:
        those = ", ".join(h.name for h in known)
        raise Told(f"{', '.join(sorted(unknown))}: no hierarchy defines it; those are {those}")
    return [h for h in known if not names or h.name in names]


def _try(refresh: Callable[[], None], name: str) -> int:
    try:
        refresh()
    except (TerminologyError, MappingsError, ServerRefused, OSError) as error:
        print(f"{name}: not written: {error}", file=sys.stderr)
        return FAILED
    return DONE


def _refresh(hierarchy: Hierarchy, folder: Path, server: TerminologyServer, force: bool) -> None:
    before = _before(folder, hierarchy)
    expansion = expansion_of(hierarchy, server)
    _tell(hierarchy, before, expansion)
    lost = len(before.keys() - expansion.codes.keys())
    if lost > MOST_LOST * len(before) and not force:
        raise ServerRefused(
            f"{lost} of {len(before)} codes are lost; --force writes it all the same"
        )
    write(folder, hierarchy, expansion, server.base)


def _before(folder: Path, hierarchy: Hierarchy) -> dict[str, str]:
    try:
        return read_codes(folder, hierarchy)
    except (ValueError, LookupError, TypeError) as error:
        text = f"the expansion that is there cannot be read ({error}); see lint, or delete it"
        raise ServerRefused(text) from None


def _tell(hierarchy: Hierarchy, before: Mapping[str, str], expansion: Expansion) -> None:
    """Prints the number of codes, the version, and what changes."""
    codes = expansion.codes
    added = {code: words for code, words in codes.items() if code not in before}
    removed = {code: words for code, words in before.items() if code not in codes}
    outside = {code: words for code, words in hierarchy.listed.items() if code not in codes}
    print(f"{hierarchy.name}: {len(codes)} codes of {version_of(expansion.versions)}")
    _tell_codes("added", added, MOST_TOLD)
    _tell_codes("removed", removed, len(removed))
    _tell_codes("listed by hand and not among them, which is worth a look", outside, MOST_TOLD)


def _tell_codes(what: str, codes: Mapping[str, str], most: int) -> None:
    print(f"  {len(codes)} {what}")
    for code, words in list(codes.items())[:most]:
        print(f"    {code} {words}")
    if len(codes) > most:
        print(f"    and {len(codes) - most} more")
