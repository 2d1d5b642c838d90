"""The section on what reviewers said."""

from cds_service.retrospective.names import NO_CARD
from cds_service.retrospective.reviewed import RIGHT, WRONG, Reviewed, Stratum
from cds_service.retrospective.section import Line, Section, Told


def section_on_reviews(of: Told, reviewed: Reviewed) -> Section:
    say = of.say
    note = say(
        "What reviewers said of the sample, with 95 percent intervals (Wilson). False positives "
        "are shown cards that a reviewer calls wrong. The first line is weighted to all orders."
    )
    number = sum(len(stratum.reviews) for stratum in reviewed.strata)
    both = (reviewed.accuracy, reviewed.false_positives)
    lines = [Line(say("All orders"), (str(number), *map(of.numbers.estimate, both)))]
    lines += [_line(of, stratum) for stratum in reviewed.strata]
    head = (say("Reviewed"), say("Right"), say("False positives"))
    return Section(say("How often it is right"), note, head, tuple(lines))


def _line(of: Told, stratum: Stratum) -> Line:
    guideline, topic, shows_card = stratum.key
    kind = of.say("with a card") if shows_card else of.say(NO_CARD)
    wrong = stratum.estimate(WRONG) if shows_card else None
    both = (stratum.estimate(RIGHT), wrong)
    cells = (str(len(stratum.reviews)), *map(of.numbers.estimate, both))
    return Line(f"{of.names.topic(guideline, topic)}, {kind}", cells)
