"""`manifest.json`: of what, with what and when a run was made, and what it counted."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cds_service.about import VERSION
from cds_service.retrospective.folder import Folder, RunError, whole_file
from cds_service.retrospective.job import Job, topics_of
from cds_service.retrospective.scan import Scan

FINISHED, UNFINISHED = "finished", "unfinished"
# What has to be the same for a run to go on where another one stopped.
IDENTITY = ("service_version", "rules", "settings", "input")


@dataclass
class Manifest:
    """`rules` are the version and edition of each topic; `input` size and checksum of each file;
    `counts` what was counted, and `burden`, by mode, how many clinician-days had how many cards.
    `times` are UTC, as ISO 8601, and `seconds` of the whole run.
    """

    state: str
    service_version: str
    rules: dict[str, dict[str, str]]
    settings: dict[str, Any]
    input: list[dict[str, Any]]
    counts: dict[str, Any] = field(default_factory=dict)
    burden: dict[str, dict[str, int]] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Folder) -> None:
        with whole_file(folder.manifest) as part:
            part.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def manifest_for(job: Job, scans: list[Scan], started: str) -> Manifest:
    """The manifest of a run that begins."""
    return Manifest(
        UNFINISHED,
        VERSION,
        {t.id: {"version": t.version, "edition": t.about.source.edition} for t in topics_of(job)},
        _settings(job),
        [{"file": str(s.file), "bytes": s.size, "sha256": s.digest} for s in scans],
        _counts(scans),
        times={"started": started},
    )


def earlier(folder: Folder) -> Manifest | None:
    """The manifest that is there. Raises RunError where it cannot be read."""
    try:
        return Manifest(**json.loads(folder.manifest.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise RunError(f"{folder.manifest} cannot be read: begin with --anew") from None


def check_same(one: Manifest, other: Manifest) -> None:
    """Raises RunError, which names what is different."""
    different = [name for name in IDENTITY if getattr(one, name) != getattr(other, name)]
    if different:
        raise RunError(
            f"the folder holds a run with other {', '.join(different)}: take another folder, or "
            "begin with --anew"
        )


def _settings(job: Job) -> dict[str, Any]:
    silenced = sorted(job.silence.of)
    return {
        "topic": job.topic or "all",
        "from": job.since.isoformat() if job.since else None,
        "to": job.until.isoformat() if job.until else None,
        "department": job.department,
        "codes": _digest_of(job.codes) if job.codes else None,
        "silent_for": silenced,
        "on_too_little": job.on_too_little,
    }


def _digest_of(folder: Path) -> str:
    """A checksum of the site's own codes."""
    digest = sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _counts(scans: Iterable[Scan]) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for found in scans:
        kinds += found.kinds
        counts["orders"] += found.orders
        counts["undated_orders"] += found.undated
        counts["problems"] += len(found.problems) + found.unnamed_problems
    return {**counts, "resources": dict(kinds.most_common())}
