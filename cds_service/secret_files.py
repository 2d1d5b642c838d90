"""Secrets in files, as containers and systemd hand them over: NAME_FILE names the file of NAME."""

from collections.abc import MutableMapping
from pathlib import Path

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
            environment[name] = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SecretFileError(f"{name}_FILE: {file} cannot be read: {why}") from None
