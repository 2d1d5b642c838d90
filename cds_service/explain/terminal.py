"""An explanation as a terminal shows it, in at most 80 columns unless it is wider."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.commandline import printable
from cds_service.decision.facts import ABSENT, IMPLIED, PRESUMED

HOW = {
    PRESUMED: "presumed",
    ABSENT: "none among the data supplied",
    IMPLIED: "follows from other facts",
}
SAID = {True: "yes", False: "no", None: "not known"}
Json = dict[str, Any]


def show(explanation: Json, console: Console) -> None:
    """Prints all orders."""
    if not explanation["orders"]:
        console.print("The request has no draft order.")
    for order in explanation["orders"]:
        name = f"{order['order']}  {'; '.join(order['codes']) or 'without a code'}"
        console.print(Text(printable(name), style="bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for what, text in _rows(order):
            table.add_row(f"  {what}", Text(printable(text)))
        console.print(table)
        console.print()


def _rows(order: Json) -> Iterator[tuple[str, str]]:
    """What is said, and of what; a heading stands in the first of its rows only."""
    yield "answer", order["answer"]
    yield "because", order["why"]
    if "procedure" not in order:
        return
    yield "read as", ", ".join(filter(None, (order["procedure"], order["region"])))
    yield from _under("card", filter(None, [order["card"]]))
    yield from _under("buttons", order["suggestions"])
    yield from _under("facts", map(_fact, order["facts"]))
    yield from _under("variants", map(_variant, order.get("variants", [])))
    yield from _under("safety rules", map(_rule, order.get("safety_rules", [])))
    yield from _under("not supplied", filter(None, [", ".join(order.get("not_supplied", []))]))
    yield from _under("not read", order.get("not_read", []))


def _under(heading: str, texts: Any) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield ("" if number else heading), text


def _fact(fact: Json) -> str:
    said = HOW.get(fact["how"]) or "; ".join(map(_evidence, fact["evidence"]))
    return f"{fact['label']}: {SAID[fact['value']]}{f' ({said})' if said else ''}"


def _evidence(evidence: Json) -> str:
    return ", ".join(filter(None, (evidence["display"], evidence["source"], evidence["date"])))


def _variant(variant: Json) -> str:
    wants = ", ".join(f"{label}: {SAID[wanted]}" for label, wanted in variant["wants"].items())
    rating = f", rates it {variant['category']}" if variant["category"] else ""
    return f"{variant['variant']}: {variant['state']}" + (f", needs {wants}" if wants else rating)


def _rule(rule: Json) -> str:
    about = "" if rule["about_this_order"] else "; not about this order, screens the buttons"
    evidence = "; ".join(map(_evidence, rule["evidence"]))
    return f"{rule['title']}{f' ({evidence})' if evidence else ''}{about}"
