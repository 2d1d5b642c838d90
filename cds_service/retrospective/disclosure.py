"""Numbers as they may be shown: small counts are not, and the others are rounded.

Source: the cell size suppression policy of the CMS, which does not show 1 to 10; here 0 neither.
"""

SMALLEST = 11
STEP = 5


def shown(number: int) -> int | None:
    """The count rounded to five, None where it is under 11."""
    return None if number < SMALLEST else STEP * round(number / STEP)


def ratio(part: int, whole: int) -> float | None:
    """Of two counts as they are shown; None where one of them is not."""
    above, below = shown(part), shown(whole)
    return None if above is None or below is None else min(above / below, 1.0)
