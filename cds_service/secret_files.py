"""Secrets in files, as containers and systemd hand them over: NAME_FILE names the file of NAME."""

from collections.abc import MutableMapping
from pathlib import Path

from cds_service.configuration import Unusable, text_of

SECRETS = (
    "DATABASE_URL", "CDS_SECRET", "CDS_DASHBOARD_TOKEN", "CDS_METRICS_TOKEN", "CDS_TX_TOKEN",
)  # fmt: skip


class SecretFileError(Exception):
    """A file that cannot be read; the text names the variable, and holds nothing of the file."""


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Puts the text of each file in the place of its name. Raises SecretFileError."""
    for name in SECRETS:
        file = environment.pop(f"{name}_FILE", "")
        if not file:
            continue
        try:
            environment[name] = text_of(Path(file), "table").strip()
        except Unusable as error:
            raise SecretFileError(f"{name}_FILE: {file} {error}") from None
