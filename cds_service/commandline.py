"""How a command of `cds-service` is declared: its name, what it does, and examples of it."""

import argparse
from collections.abc import Callable
from datetime import date
from textwrap import fill

WIDTH = 78
Run = Callable[[argparse.Namespace], int]


class Told(Exception):
    """What was typed or configured wrong, in a line of text; it ends the command."""


def command(
    commands: argparse._SubParsersAction, name: str, run: Run, about: str, more: str, *examples: str
) -> argparse.ArgumentParser:
    """Its parser. `about` is the line in the list of commands, `more` the rest of the description;
    each example is what follows `cds-service`. `run` takes the options, and gives the exit status.
    """
    shown = "\n".join(f"  cds-service {example}" for example in (examples or (name,)))
    parser = commands.add_parser(
        name,
        help=about,
        description=_wrapped(f"{about[0].upper()}{about[1:]}. {more}"),
        epilog=f"examples:\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, command=name)
    return parser


def _wrapped(text: str) -> str:
    """Paragraphs that fit 80 columns; one that is indented stays as it is."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else fill(p, WIDTH) for p in paragraphs)


def day(text: str) -> date:
    """For an option that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date like 2026-10-01") from None


def printable(text: str) -> str:
    """What others wrote cannot steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
