"""Charts as SVG within the page, by pygal: no script, no asset, readable in light and dark."""

from collections.abc import Callable
from xml.etree.ElementTree import Element  # noqa: S405  a type; nothing is parsed

import pygal
from markupsafe import Markup
from pygal.graph.graph import Graph
from pygal.style import Style

from cds_service.language import Language
from cds_service.report.overview import Panel

# The color of a series by its name; they differ in lightness too.
COLORS = {
    "Usually appropriate": "#1a7f37", "May be appropriate": "#bf8700",
    "Usually not appropriate": "#cf222e", "Not rated": "#6639ba",
    "Not relevant": "#6e7781", "accepted": "#1a7f37", "overridden": "#cf222e",
    "order changed instead": "#0969da", "ignored": "#6e7781",
}  # fmt: skip
OTHER = "#0969da"
WIDE, NARROW = 1200, 560
HEIGHT, AROUND, PER_BAR = 400, 24, 36
LEGEND = 30
MOST_DATES = 12
LONGEST_LABEL = 34
SMALLEST_SHARE = 6  # percent; a smaller bar has no room for its number


def drawn(panel: Panel, language: Language) -> Markup:
    """The panel as a picture; the page has its numbers as a table too."""
    chart = _columns(panel, language) if panel.over_time else _bars(panel, language)
    title = language.say(panel.title)
    chart.add_xml_filter(
        _named(language.say("%(title)s. The numbers follow as a table.", title=title))
    )
    # pygal writes what it is given as text of an XML tree: nothing in it is markup.
    return Markup(chart.render(is_unicode=True))  # noqa: S704


def _columns(panel: Panel, language: Language) -> Graph:
    """Stacked columns over time, with at most MOST_DATES labels."""
    every = -(-len(panel.labels) // MOST_DATES)
    chart = pygal.StackedBar(**_options(panel, language, WIDE, HEIGHT), x_label_rotation=30)
    chart.formatter = lambda number: language.number(round(number))
    chart.show_minor_x_labels = False
    chart.x_labels = panel.labels
    chart.x_labels_major = panel.labels[::every]
    for name, numbers in panel.series.items():
        chart.add(language.say(name), numbers)
    return chart


def _bars(panel: Panel, language: Language) -> Graph:
    """Horizontal stacked bars, the first on top, each with its number."""
    has_legend = len(panel.series) > 1
    height = AROUND + PER_BAR * len(panel.labels) + LEGEND * has_legend
    chart = pygal.HorizontalStackedBar(
        **_options(panel, language, NARROW, height), print_values=True
    )
    chart.show_legend = has_legend
    chart.show_x_labels = chart.show_x_guides = False
    chart.x_labels = [_short(language.say(label)) for label in reversed(panel.labels)]
    for name, numbers in (_shares(panel) if panel.as_shares else panel.series).items():
        chart.add(language.say(name), numbers[::-1])
    if panel.as_shares:
        chart.formatter = lambda share: f"{share:.0f} %" if share >= SMALLEST_SHARE else ""
    return chart


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _shares(panel: Panel) -> dict[str, tuple[float, ...]]:
    """The numbers of each label as percent of their sum."""
    sums = [sum(numbers) for numbers in zip(*panel.series.values(), strict=True)]
    return {
        name: tuple(100 * n / (s or 1) for n, s in zip(numbers, sums, strict=True))
        for name, numbers in panel.series.items()
    }


def _options(panel: Panel, language: Language, width: int, height: int) -> dict:
    return {
        "style": _style([COLORS.get(name, OTHER) for name in panel.series]),
        "js": (),
        "width": width,
        "height": height,
        "disable_xml_declaration": True,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": len(panel.series),
        "legend_box_size": 12,
        "truncate_legend": -1,
        "truncate_label": -1,
        "margin": 6,
        "formatter": lambda number: language.number(round(number)) if number else "",
    }


def _style(colors: list[str]) -> Style:
    """Lines and words in the color of the page's text."""
    inherited = dict.fromkeys(("foreground", "foreground_strong"), "currentColor")
    clear = dict.fromkeys(("background", "plot_background"), "transparent")
    sizes = ("label", "major_label", "legend", "value")
    return Style(
        **inherited,
        **clear,
        **{f"{what}_font_size": 14 for what in sizes},
        foreground_subtle="#8886",
        opacity="1",
        opacity_hover="1",
        colors=tuple(colors),
        value_colors=("#fff",) * len(colors),
        font_family="system-ui, sans-serif",
    )


def _named(label: str) -> Callable[[Element], Element]:
    """A filter that adds an accessible name to the SVG, and removes the scripts of pygal."""

    def name(root: Element) -> Element:
        root.set("role", "img")
        root.set("aria-label", label)
        for parent in root.findall(".//script/.."):
            for script in parent.findall("script"):
                parent.remove(script)
        return root

    return name
