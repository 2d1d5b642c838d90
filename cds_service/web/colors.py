"""The colors of series, by name; they differ in lightness too."""

COLORS = {
    "Usually appropriate": "#1a7f37", "May be appropriate": "#bf8700",
    "Usually not appropriate": "#cf222e", "Not rated": "#6639ba",
    "Not relevant": "#6e7781", "accepted": "#1a7f37", "overridden": "#cf222e",
    "order changed instead": "#0969da", "ignored": "#6e7781",
}  # fmt: skip
OTHER = "#0969da"


def color(name: str) -> str:
    return COLORS.get(name, OTHER)
