"""Combines criteria in Kleene's logic: or, and, not, over true, false and unknown."""

from cds_service.decision.situation import FALSE, TRUE, UNKNOWN, Holds, Situation, Truth


def any_of(inner: list[Holds]) -> Holds:
    """True where one is true, with the evidence of all that are; unknown where one is unknown."""

    def truth(situation: Situation) -> Truth:
        held, end = [], FALSE
        for holds in inner:
            one = holds(situation)
            if one.value:
                held.append(one)
            elif one.value is None:
                end = UNKNOWN
        return _joined(held) if held else end

    return truth


def all_of(inner: list[Holds]) -> Holds:
    """False where one is false; else unknown where one is unknown; else true, with all evidence."""

    def truth(situation: Situation) -> Truth:
        held, end = [], TRUE
        for holds in inner:
            one = holds(situation)
            if one.value is False:
                return FALSE
            if one.value is None:
                end = UNKNOWN
            held.append(one)
        return end if end is UNKNOWN else _joined(held)

    return truth


def opposite(inner: Holds) -> Holds:
    opposites = {True: FALSE, False: TRUE, None: UNKNOWN}
    return lambda situation: opposites[inner(situation).value]


def unless(inner: Holds) -> Holds:
    """False where the inner one is known to be true."""
    return lambda situation: FALSE if inner(situation).value else TRUE


def without_evidence(inner: Holds) -> Holds:
    return lambda situation: Truth(inner(situation).value)


def _joined(truths: list[Truth]) -> Truth:
    if len(truths) == 1:
        return truths[0]
    return Truth(True, tuple(dict.fromkeys(e for truth in truths for e in truth.evidence)))
