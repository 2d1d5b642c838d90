"""Draws docs/card.svg: the card of the README's fixture, as an EHR might show it.

.venv/bin/python docs/card.py
"""

import json
from html import escape
from pathlib import Path
from textwrap import wrap

HERE = Path(__file__).parent
CASE = "order-sign/variant-1-contrast-mri-for-a-new-painful-fracture"
ANSWER = HERE.parent / "fixtures" / CASE / "response.json"
WIDTH, MARGIN, LINE, GAP = 760, 28, 21, 9
MOST_CHARACTERS = 90
COLOURS = {"info": "#1a5fb4", "warning": "#b45309", "critical": "#b91c1c"}
FONT = "font-family='system-ui, sans-serif'"


def drawn(card: dict) -> str:
    """The card as SVG: indicator and summary, detail, buttons, source."""
    parts, y = [], MARGIN + 8
    for line in wrap(card["summary"], 68):
        parts.append(text(line, MARGIN + 8, y, "#111827", 16, "600"))
        y += LINE + 3
    y += 4
    for line in detail_lines(card["detail"]):
        parts.append(text(line, MARGIN + 8, y, "#374151", 13))
        y += LINE if line else GAP
    y += GAP
    for suggestion in card["suggestions"]:
        parts.append(button(suggestion["label"], MARGIN + 8, y))
        y += 38
    y += 18
    parts.append(text(card["source"]["label"], MARGIN + 8, y, "#6b7280", 12))
    return framed("\n".join(parts), y + 18, COLOURS[card["indicator"]], card["summary"])


def detail_lines(detail: str) -> list[str]:
    """The Markdown as lines of the picture; what is between two `**` is bold."""
    lines = []
    for paragraph in detail.split("\n"):
        is_bullet = paragraph.startswith("- ")
        words = wrap(paragraph.removeprefix("- "), MOST_CHARACTERS) or [""]
        first, others = ("• ", "   ") if is_bullet else ("", "")
        lines += [f"{others if number else first}{line}" for number, line in enumerate(words)]
    return lines


def text(words: str, x: int, y: int, colour: str, size: int, weight: str = "400") -> str:
    parts = [escape(part) for part in words.split("**")]
    parts[1::2] = [f"<tspan font-weight='600'>{part}</tspan>" for part in parts[1::2]]
    return (
        f"<text x='{x}' y='{y}' {FONT} font-size='{size}' font-weight='{weight}' "
        f"fill='{colour}' xml:space='preserve'>{''.join(parts)}</text>"
    )


def button_width(label: str) -> int:
    return 8 * len(label) + 24


def button(label: str, x: int, y: int) -> str:
    frame = (
        f"<rect x='{x}' y='{y}' width='{button_width(label)}' height='30' rx='6' "
        "fill='#ffffff' stroke='#1a5fb4'/>"
    )
    return frame + text(label, x + 12, y + 20, "#1a5fb4", 12, "600")


def framed(inside: str, height: int, colour: str, title: str) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'>\n"
        f"<title>{escape(title)}</title>\n"
        f"<rect x='1' y='1' width='{WIDTH - 2}' height='{height - 2}' rx='8' fill='#ffffff' "
        "stroke='#d1d5db'/>\n"
        f"<rect x='1' y='1' width='8' height='{height - 2}' rx='4' fill='{colour}'/>\n"
        f"{inside}\n</svg>\n"
    )


def main() -> None:
    (card, *_) = json.loads(ANSWER.read_text("utf-8"))["cards"]
    (HERE / "card.svg").write_text(drawn(card), "utf-8")


if __name__ == "__main__":
    main()
