"""Exports of the generator, and the command on them as a person would run it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.exports import write_export
from cds_service.store.secret import pseudonym
from tests.small_world import ROOT

PATIENTS, SHARE = 250, 0.4
ANSWER = ("decision", "topic", "indicator")


@dataclass(frozen=True)
class Run:
    """A run of the command: its folder, and what the generator says should be in it."""

    folder: Path
    seeded: list
    out: str = ""

    @property
    def rows(self):
        return rows_in(self.folder)

    def digest(self, order_id):
        return digest(self.folder, order_id)


def digest(folder, order_id):
    secret = (folder / "secret").read_bytes()
    return pseudonym(secret, "order", order_id.rsplit("-", 1)[0], order_id)


def rows_in(folder):
    """The rows of a finished run, by digest and mode."""
    found = duckdb.sql(f"SELECT * FROM '{folder / 'orders.parquet'}'")  # noqa: S608
    rows = [dict(zip(found.columns, values, strict=True)) for values in found.fetchall()]
    by_key = {(row["order"], row["mode"]): row for row in rows}
    assert len(by_key) == len(rows), "an order is there twice"
    return by_key


def run(*arguments, expect=0, **options):
    """The command in a process of its own; its output."""
    command = [sys.executable, "-m", "cds_service", "retrospective", *map(str, arguments)]
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == expect, done.stderr + done.stdout
    return done.stdout + done.stderr


def made(folder, *options, patients=PATIENTS, share=SHARE):
    """An export in a folder, and a run on it."""
    seeded = write_export(folder / "export", patients, share)
    told = run(folder / "export", "--out", folder / "out", *options)
    return Run(folder / "out", seeded, told)


def assert_as_seeded(seeded, folder):
    """Every order that was seeded has its answer in each mode, and there is no other row."""
    rows = rows_in(folder)
    for one in seeded:
        for mode, expected in one.expected.items():
            row = rows.pop((digest(folder, one.order), mode), None)
            assert row, (one.situation, mode)
            assert [row[name] for name in ANSWER] == list(expected), (one.situation, mode)
    assert not rows


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())
