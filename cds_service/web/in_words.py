"""Criteria in words: what stands in the mappings, as lists that a committee can read.

The forms are those at the top of `decision/criteria.py` and `decision/selection.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.cards.evidence import KINDS_IN_WORDS
from cds_service.decision.definitions import USUAL_SOURCES
from cds_service.decision.functions import FUNCTIONS
from cds_service.decision.guideline import Procedure
from cds_service.decision.selection import string_or_list
from cds_service.decision.topic import Topic
from cds_service.language import N_, Language
from cds_service.mappings.listing import Listing

SET, DEFINITION, CRITERION = "set", "definition", "criterion"
NO_CODES = ""  # a set that is no file: only a hospital's own codes, or words, are in it


@dataclass(frozen=True)
class Named:
    """A value set, definition or criterion, by its `kind`, or a set with NO_CODES; its title."""

    kind: str
    name: str
    title: str


@dataclass(frozen=True)
class Line:
    """One line: words, what is named in them, conditions on that, and the lines below it."""

    text: str
    named: tuple[Named, ...] = ()
    notes: tuple[str, ...] = ()
    inner: tuple["Line", ...] = ()


FROM = N_("from: %(sources)s")
REASON = N_("reason of the order")
CERTAIN = {"confirmed": N_("confirmed"), "unconfirmed": N_("not confirmed")}
TIMES = {
    "new": N_("new"),
    "old": N_("not new"),
    "new-or-reason": N_("new, or a reason of the order"),
    "current": N_("current"),
}
PREFERRED = N_("those that are %(when)s, if there are any")
WITHIN = N_("not older than %(days)s days, or without a date")
OBSERVED_WITHIN = N_("observations and reports not older than %(days)s days, or without a date")
DATED = N_("with a date")
ALSO_IN, NOT_IN = N_("which is also one of:"), N_("which is none of:")
NEAR = N_("and is not coded in a region that touches none of these:")
ONE_FINDING, FINDING = N_("There is:"), N_("There is one of:")
# The computations; see `decision/functions.py`. Of the second argument of one, what is said of it.
COMPUTED = {
    "at_different_places": N_("Two of these are coded at different places:"),
    "outside_ordered_region": N_(
        "All of these with a stated place lie outside the ordered region:"
    ),
    "at_or_above_ordered_region": N_(
        "One of these lies in the ordered region or above it, or states no region:"
    ),
    "below_ordered_region": N_("One of these lies below the ordered region:"),
}
UNLESS_WITHIN = N_("unless one of these lies within it:")
JOINED = {
    "all": N_("All of these:"),
    "any": N_("At least one of these:"),
    "not": N_("The opposite of this:"),
    "unless": N_("Unless this is known:"),
}
OLDER, YOUNGER = N_("%(years)s years old or older"), N_("under %(years)s years old")
SEXES = {
    "female": N_("female"),
    "male": N_("male"),
    "other": N_("other sex"),
    "unknown": N_("sex not known"),
}
SEX = N_("Recorded as: %(sex)s")
OBSERVED = N_("The latest value of the last %(days)s days is below %(below)s:")
VARIANT = N_("Variant %(number)s applies, and no other is possible")
BEST = N_("A possible variant calls one of these usually appropriate: %(procedures)s")
SUPPLIED = N_("These data came in full: %(kinds)s")
AS_IN, OR, NOT_KNOWN = N_("As in:"), N_(" or "), N_("not known: %(fact)s")
ALL = set(USUAL_SOURCES)
EVERY = {"imaging": N_("all imaging"), "treatment": N_("all treatments")}


@dataclass(frozen=True)
class InWords:
    """Writes the criteria of a topic in a language."""

    topic: Topic
    listing: Listing
    language: Language

    def say(self, text: str, **values: object) -> str:
        return self.language.say(text, **values)

    def line(self, written: Mapping[str, Any]) -> Line:
        """A criterion."""
        return WRITERS[next(iter(written))](self, written)

    def named(self, name: str) -> Named:
        """A definition or a value set."""
        known = {d.name: d.title for d in self.topic.definitions}
        if name in known:
            return Named(DEFINITION, name, self.say(known[name]) or name)
        heard = {words.name: words.title for words in self.topic.terminology.words}
        titles = {**heard, **self.topic.about.site_value_sets, **self.listing.titles}
        kind = SET if name in self.listing.value_sets else NO_CODES
        return Named(kind, name, self.say(titles.get(name, "")) or name)

    def kinds(self, kinds: list[str] | tuple[str, ...]) -> str:
        """Kinds of data, as a list."""
        return ", ".join(self.say(KINDS_IN_WORDS[kind]) for kind in kinds)

    def procedures(self, selectors: frozenset[str], but_not: frozenset[str] = frozenset()) -> str:
        """The procedures that a rule means."""
        whole = [kind for kind in EVERY if kind in selectors and not but_not]
        found = [p for p in self.topic.guideline.procedures if _is_meant(p, selectors, but_not)]
        rest = [self.say(p.short) for p in found if p.kind not in whole]
        return "; ".join([*(self.say(EVERY[kind]) for kind in whole), *rest])

    def sources(self, sources: tuple[str, ...] | list[str]) -> str:
        said = (self.say(REASON) if source == "reason" else source for source in sources)
        return self.say(FROM, sources=", ".join(said))


def _is_meant(procedure: Procedure, selectors: frozenset[str], but_not: frozenset[str]) -> bool:
    named = procedure.selectors
    return not named.isdisjoint(selectors) and named.isdisjoint(but_not)


def _finding(words: InWords, written: Mapping[str, Any], text: str = FINDING) -> Line:
    """A selection, with the conditions on it."""
    named = tuple(words.named(name) for name in string_or_list(written["finding"]))
    notes = [note(words, written[key]) for key, note in NOTES.items() if key in written]
    below = [inner(words, written[key]) for key, inner in BELOW.items() if key in written]
    text = ONE_FINDING if text == FINDING and len(named) == 1 else text
    return Line(words.say(text), named, tuple(filter(None, notes)), tuple(below))


def _whole(written: Any) -> Mapping[str, Any]:
    """A selection; a name or a list of names stands for one without conditions."""
    return written if isinstance(written, dict) else {"finding": written}


def _timing(words: InWords, value: str) -> str:
    return words.say(TIMES.get(value, ""))


NOTES: Mapping[str, Callable[[InWords, Any], str]] = {
    "certainty": lambda words, value: words.say(CERTAIN.get(value, "")),
    "timing": _timing,
    "prefer": lambda words, value: words.say(PREFERRED, when=_timing(words, value)),
    "within_days": lambda words, days: words.say(WITHIN, days=days),
    "observed_within_days": lambda words, days: words.say(OBSERVED_WITHIN, days=days),
    "dated": lambda words, _: words.say(DATED),
    "sources": lambda words, sources: words.sources(sources) if set(sources) != ALL else "",
}
BELOW: Mapping[str, Callable[[InWords, Any], Line]] = {
    "also_in": lambda words, names: _finding(words, _whole(names), ALSO_IN),
    "not_in": lambda words, names: _finding(words, _whole(names), NOT_IN),
    "near": lambda words, selection: _finding(words, _whole(selection), NEAR),
}


def _function(words: InWords, written: Mapping[str, Any]) -> Line:
    name = written["function"]
    first, *others = FUNCTIONS[name][1]
    line = _finding(words, _whole(written[first]), COMPUTED[name])
    inner = (_finding(words, _whole(written[other]), UNLESS_WITHIN) for other in others)
    return Line(line.text, line.named, line.notes, (*line.inner, *inner))


def _joined(words: InWords, written: Mapping[str, Any]) -> Line:
    (kind,) = written
    value = written[kind]
    inner = value if isinstance(value, list) else [value]
    return Line(words.say(JOINED[kind]), inner=tuple(map(words.line, inner)))


def _fact(words: InWords, written: Mapping[str, Any]) -> Line:
    return Line(words.say(OR).join(_values(words, written)))


def _values(words: InWords, written: Mapping[str, Any]) -> Iterator[str]:
    fact = words.topic.fact[written["fact"]]
    for value in written["is"]:
        if value is None:
            yield words.say(NOT_KNOWN, fact=words.say(fact.true))
        else:
            yield words.say(fact.true if value else fact.false)


def _age(words: InWords, written: Mapping[str, Any]) -> Line:
    ((side, years),) = written["age"].items()
    text = OLDER if side == "from" else YOUNGER
    return Line(words.say(text, years=years))


def _sex(words: InWords, written: Mapping[str, Any]) -> Line:
    sex = SEXES[written["sex"]]
    return Line(words.say(SEX, sex=words.say(sex)))


def _observation(words: InWords, written: Mapping[str, Any]) -> Line:
    text = words.say(OBSERVED, days=written["days"], below=written["below"])
    return Line(text, (words.named(written["observation"]),))


def _variant(words: InWords, written: Mapping[str, Any]) -> Line:
    number = words.topic.guideline.variant(written["variant"]).number
    return Line(words.say(VARIANT, number=number))


def _best(words: InWords, written: Mapping[str, Any]) -> Line:
    meant = words.procedures(frozenset([written["usually_appropriate"]]))
    return Line(words.say(BEST, procedures=meant))


def _criterion(words: InWords, written: Mapping[str, Any]) -> Line:
    name = written["criterion"]
    title = next(c.title for c in words.topic.criteria if c.name == name)
    return Line(words.say(AS_IN), (Named(CRITERION, name, words.say(title) or name),))


WRITERS: Mapping[str, Callable[[InWords, Mapping[str, Any]], Line]] = {
    "finding": _finding,
    "function": _function,
    "observation": _observation,
    "age": _age,
    "sex": _sex,
    "fact": _fact,
    "variant": _variant,
    "usually_appropriate": _best,
    "supplied": lambda words, w: Line(words.say(SUPPLIED, kinds=words.kinds(w["supplied"]))),
    "criterion": _criterion,
    "given": lambda words, written: words.line(written["given"]),
    **dict.fromkeys(JOINED, _joined),
}
