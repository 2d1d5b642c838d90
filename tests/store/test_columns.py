"""Which columns exist, and why each is no patient data: a new one has to say so here."""

from cds_service.store.tables import metadata

OURS = "a word of ours"
CONFIGURED = "a name that the operator configured"
DERIVED = "made by us from the hook instance and our advice; means nothing elsewhere"
SECRET = "a keyed digest; without the secret of the installation it says nothing"  # noqa: S105
TIME = "when the service did something; of no date of the patient"
DECISION = "what was asked and advised, of nobody in particular"

WHY = {
    "used_tokens.digest": "a digest of a token's id; the token is the client's, not a patient's",
    "used_tokens.forget_at": "when a token expires",
    "decisions.client": CONFIGURED,
    "decisions.consult": DERIVED,
    "decisions.day": TIME,
    "decisions.at": TIME,
    "decisions.procedure": f"{OURS}: {DECISION}",
    "decisions.region": f"{OURS}: {DECISION}",
    "decisions.relevance": OURS,
    "decisions.subject": OURS,
    "decisions.topic": OURS,
    "decisions.category": OURS,
    "decisions.rating": OURS,
    "decisions.indicator": OURS,
    "decisions.shown": "yes or no",
    "decisions.hidden": OURS,
    "decisions.rules": "names of our safety rules",
    "decisions.unknown": "names of our facts",
    "decisions.missing": "kinds of data",
    "decisions.question": "the name of a fact of ours",
    "decisions.card": DERIVED,
    "decisions.order_key": SECRET,
    "decisions.advice_key": SECRET,
    "decisions.tenant": CONFIGURED,
    "decisions.hook": OURS,
    "decisions.hook_instance": SECRET,
    "decisions.service_version": OURS,
    "decisions.rules_version": OURS,
    "decisions.edition": OURS,
    "decisions.variants": OURS,
    "decisions.milliseconds": "how long the service took",
    "decisions.criteria": "the number of a rule in the EHR's own configuration",
    "decisions.guideline": OURS,
    "decisions.facts": "ten facts as true, false, unknown or presumed; no name, date, code or text",
    "decisions.suggestions": DERIVED,
    "feedback.client": CONFIGURED,
    "feedback.card": DERIVED,
    "feedback.outcome": "accepted or overridden",
    "feedback.outcome_at": "when a user pressed a button",
    "feedback.day": TIME,
    "feedback.received_at": TIME,
    "feedback.tenant": CONFIGURED,
    "feedback.suggestions": DERIVED,
    "feedback.reason_system": "the name of a code system, where its code is kept",
    "feedback.reason_code": "a reason of our cards, or a code in the form of its system",
    "feedback.reason_display": "always empty",
    "feedback.comment": "may hold patient data: empty unless CDS_KEEP_COMMENTS asks for it",
    "unmapped_codes.client": CONFIGURED,
    "unmapped_codes.consult": f"{DERIVED}; of a Condition {SECRET}",
    "unmapped_codes.about": OURS,
    "unmapped_codes.system": "the name of a code system, or nothing where it is none",
    "unmapped_codes.code": "in the form of its system, or the same of five patients",
    "unmapped_codes.day": TIME,
    "unmapped_codes.display": "words of an order code, the same of five patients; not of reasons",
    "seen_codes.code_key": SECRET,
    "seen_codes.source_key": f"{SECRET}; another one for each code, for 30 days at most",
    "seen_codes.day": TIME,
    "common_codes.code_key": SECRET,
    "common_codes.day": TIME,
    "unmapped_codes.sounds_like": f"{OURS} for what a Condition may be, not its words",
}


def test_every_column_says_why_it_is_no_patient_data():
    there = {f"{t.name}.{c.name}" for t in metadata.tables.values() for c in t.columns}
    assert there == set(WHY)


def test_no_column_names_a_person_or_an_order():
    words = ("patient", "practitioner", "user", "birth", "mrn", "order_id", "encounter")
    assert not [name for name in WHY if any(word in name for word in words)]
