"""What the override reasons of cards are called in reports."""

from cds_service.decision.topic import Topics


def reason_words(topics: Topics) -> dict[str, str]:
    """By code: our words, and HL7's reason that they map to. HL7's codes stood on the cards of
    earlier versions.
    """
    reasons = [reason for topic in topics.values() for reason in topic.override_reasons]
    words = {reason.standard_code: reason.standard_display for reason in reasons}
    for reason in reasons:
        standard = f" (HL7: {reason.standard_display})" if reason.standard_code else ""
        words[reason.code] = reason.display + standard
    return words
