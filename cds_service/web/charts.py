"""Charts as SVG within the page, by pygal: no script, no asset, readable in light and dark."""

from collections.abc import Callable
from xml.etree.ElementTree import Element  # noqa: S405  a type; nothing is parsed

import pygal
from markupsafe import Markup
from pygal.graph.graph import Graph
from pygal.style import Style

from cds_service.language import Language
from cds_service.report.overview import Panel
from cds_service.web.colors import color

WIDTH, HEIGHT = 1200, 400
MOST_DATES = 12
LINES = "#8889"  # to be seen on white and on black


def drawn(panel: Panel, language: Language) -> Markup:
    """A panel over time as a picture; the page has its numbers as a table too."""
    chart = _columns(panel, language)
    title = language.say(panel.title)
    chart.add_xml_filter(
        _named(language.say("%(title)s. The numbers follow as a table.", title=title))
    )
    # pygal writes what it is given as text of an XML tree: nothing in it is markup.
    return Markup(chart.render(is_unicode=True))  # noqa: S704


def _columns(panel: Panel, language: Language) -> Graph:
    """Stacked columns over time, with at most MOST_DATES labels."""
    every = -(-len(panel.labels) // MOST_DATES)
    chart = pygal.StackedBar(**_options(panel, language), x_label_rotation=30)
    chart.formatter = lambda number: language.number(round(number))
    chart.show_minor_x_labels = False
    chart.x_labels = panel.labels
    chart.x_labels_major = panel.labels[::every]
    for name, numbers in panel.series.items():
        chart.add(language.say(name), numbers)
    return chart


def _options(panel: Panel, language: Language) -> dict:
    return {
        "style": _style([color(name) for name in panel.series]),
        "js": (),
        "width": WIDTH,
        "height": HEIGHT,
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
        foreground_subtle=LINES,
        guide_stroke_color=LINES,
        major_guide_stroke_color=LINES,
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
