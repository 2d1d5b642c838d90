"""`cds-service token`: a key and a signed token, to try required mode before an EHR sends one."""

import argparse
import sys
from pathlib import Path

from cds_service.access.trial import PRIVATE, PUBLIC, key_in, signed_token
from cds_service.commandline import Told, command
from cds_service.settings import Settings


def add_command(commands: argparse._SubParsersAction) -> None:
    """The parser."""
    parser = command(
        commands, "token", token,
        "make a key and a signed token to try required mode with",
        "The token is printed; it is good for one call of ADDRESS. The key is made at the first "
        "time. A service accepts it only if a client's table names the issuer and the key:\n\n"
        f'  [trial]\n  iss = ["ISSUER"]\n  jwks = "FOLDER/{PUBLIC}"',
        "token https://cds.example.org/cds-services \\\n"
        "      --issuer https://ehr.example.org --keys ehr",
    )  # fmt: skip
    parser.add_argument("address", metavar="ADDRESS", help="what is called, as the client calls it")
    parser.add_argument("--issuer", required=True, help="who makes the token (iss)")
    parser.add_argument("--subject", default="", help="for whom (sub); default: none")
    keys = f"the folder of the key: {PRIVATE} and {PUBLIC}"
    parser.add_argument("--keys", type=Path, required=True, metavar="FOLDER", help=keys)
    longest = Settings().token_seconds
    valid = f"how long it is valid; default: 300, at most {longest} as a service is set up"
    parser.add_argument("--seconds", type=int, default=300, help=valid)


def token(options: argparse.Namespace) -> int:
    """Raises Told."""
    if not options.address.startswith(("https://", "http://")):
        raise Told(f"{options.address} is no address that starts with https:// or http://")
    is_new = not (options.keys / PRIVATE).exists()
    try:
        key = key_in(options.keys)
    except OSError as error:
        raise Told(f"--keys: {error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise Told(f"--keys: {options.keys / PRIVATE}: {error}") from None
    if is_new:
        print(f"A new key is in {options.keys}. Give {PUBLIC} to the service.", file=sys.stderr)
    about = (options.issuer, options.subject, options.address, options.seconds)
    print(signed_token(key, *about))
    return 0
