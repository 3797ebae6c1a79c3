"""visits.csv: what is read and understood, and what is told with its rows."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.respond.table.read import Visits, read_visits
from tumorboard.respond.visits import (
    Compartment,
    Csf,
    Eye,
    Kind,
    Role,
    Seen,
    Status,
    SteroidReason,
    Trend,
    Visit,
)

GOOD = """patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,volume_ml,new_lesion,clinical,dexamethasone_mg
P2,2021-03-04,baseline,L1,ce,32,21.5,8.1,0,,4
P2,2021-05-06,followup,L2,nce,0,0,0,0,,
P2,2021-05-06,followup,L1,ce,20,11,2.5,0,better,2
P1,2020-01-01,post_op,,,,,,,stable,0
"""


def read(folder: Path, content: str | bytes) -> Visits:
    path = folder / "visits.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_visits(path)


def one(folder: Path, columns: str, cells: str) -> Visit:
    """Return the visit of a row of one baseline with other columns."""
    head = "patient_id,date,kind,lesion_id,compartment,long_mm"
    (course,) = read(folder, f"{head},{columns}\nP1,2020-01-01,baseline,L1,ce,12,{cells}\n").courses
    return course.visits[0]


def test_courses_are_by_patient_and_date_and_lesions_by_name(tmp_path: Path):
    found = read(tmp_path, GOOD)
    assert [(c.patient, [v.date for v in c.visits]) for c in found.courses] == [
        ("P1", [dt.date(2020, 1, 1)]),
        ("P2", [dt.date(2021, 3, 4), dt.date(2021, 5, 6)]),
    ]
    second = found.courses[1].visits[1]
    assert second.lesions == (
        Seen("L1", Compartment.CE, 20.0, 11.0, 2.5),
        Seen("L2", Compartment.NCE, 0.0, 0.0, 0.0),
    )
    # facts of the visit stand in one of its two rows
    assert (second.kind, second.clinical, second.dexamethasone_mg) == (Kind.FOLLOWUP, Trend.BETTER, 2.0)
    assert found.courses[0].visits[0] == Visit(
        dt.date(2020, 1, 1), Kind.POST_OP, clinical=Trend.STABLE, dexamethasone_mg=0.0
    )
    assert found.warnings == ("a lesion appears at a follow-up without new_lesion: is it new? (row 3)",)


def test_every_column_arrives(tmp_path: Path):
    head = (
        "patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,volume_ml,new_lesion,t2flair,dexamethasone_mg,"
        "clinical,role,nontarget_status,measurable,slice_mm,evaluable,rt_end,in_rt_field,drug,drug_start,"
        "steroid_reason,eye,csf,diameter_sd_mm,volume_sd_ml\n"
    )
    first = "P1,2020-01-01,baseline,L0,ce,10,10,,,,,,,,,,,,,,,,,,,\n"
    row = (
        "P1,2020-03-01,followup,L1,nce,20,11,2.5,1,worse,4.5,stable,nontarget,minimal,no,1.5,0,2020-02-01,0,"
        "ipilimumab,2020-02-03,other,minor,suspicious,1.25,0.5\n"
    )
    (course,) = read(tmp_path, head + first + row).courses
    assert course.visits[1] == Visit(
        date=dt.date(2020, 3, 1),
        kind=Kind.FOLLOWUP,
        lesions=(
            Seen(
                lesion="L1",
                compartment=Compartment.NCE,
                long_mm=20.0,
                perp_mm=11.0,
                volume_ml=2.5,
                new=True,
                role=Role.NONTARGET,
                status=Status.MINIMAL,
                measurable=False,
                slice_mm=1.5,
                in_rt_field=False,
                diameter_sd_mm=1.25,
                volume_sd_ml=0.5,
            ),
        ),
        t2flair=Trend.WORSE,
        clinical=Trend.STABLE,
        dexamethasone_mg=4.5,
        steroid_reason=SteroidReason.OTHER,
        evaluable=False,
        rt_end=dt.date(2020, 2, 1),
        drug="ipilimumab",
        drug_start=dt.date(2020, 2, 3),
        eye=Eye.MINOR,
        csf=Csf.SUSPICIOUS,
    )
    assert course.visits[0] == Visit(dt.date(2020, 1, 1), Kind.BASELINE, (Seen("L0", Compartment.CE, 10.0, 10.0),))


@pytest.mark.parametrize(
    "content",
    [
        "patient_id,date,kind,lesion_id,compartment,long_mm\nP1,2020-01-01,baseline,L1,ce,12.5\n",
        "\ufeffpatient_id,date,kind,lesion_id,compartment,long_mm\r\nP1,2020-01-01,baseline,L1,ce,12.5\r\n",
        "\n Patient_ID ,DATE,Kind,lesion_id,compartment,LONG_mm,,\n\n P1 ,2020-01-01,Baseline,L1, CE ,12.5,\n,,,,,,,\n",
        "long_mm,compartment,lesion_id,kind,date,patient_id\n+1.25e1,ce,L1,baseline,2020-01-01,P1\n",
        "patient_id,date,kind,lesion_id,compartment,long_mm,volume_ml\nP1,2020-01-01,baseline,L1,ce,12.5\n",
    ],
    ids=["plain", "mark and CRLF", "case, blanks, empty columns", "order of columns", "short row"],
)
def test_tolerated_forms(tmp_path: Path, content: str):
    found = read(tmp_path, content)
    assert found.courses[0].visits[0].lesions == (Seen("L1", Compartment.CE, 12.5),)
    assert found.warnings == ()


@pytest.mark.parametrize(("separator", "told"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_allow_a_decimal_comma(tmp_path: Path, separator: str, told: str):
    text = GOOD.replace(",", separator)
    found = read(tmp_path, text.replace("21.5", "21,5").replace("8.1", "8,1"))
    assert found.courses == read(tmp_path, GOOD).courses
    assert found.warnings[0] == f"the table of visits is separated by {told}; read as such"


@pytest.mark.parametrize(
    ("column", "attribute", "words"),
    [
        ("clinical", "clinical", {"improved": Trend.BETTER, "Progressive": Trend.WORSE, "unchanged": Trend.STABLE}),
        ("t2flair", "t2flair", {"increased": Trend.WORSE, "decreased": Trend.BETTER, "no change": Trend.STABLE}),
        ("evaluable", "evaluable", {"yes": True, "TRUE": True, "1": True, "n": False, "False": False, "0": False}),
        ("steroid_reason", "steroid_reason", {"tumor": SteroidReason.TUMOUR, "physiologic": SteroidReason.REPLACEMENT}),
        ("eye", "eye", {"minor RPE abnormality": Eye.MINOR, "new": Eye.RECURRENT}),
        ("csf", "csf", {"NEG": Csf.NEGATIVE}),
    ],
)
def test_synonyms_of_a_visit(tmp_path: Path, column: str, attribute: str, words: dict[str, object]):
    for word, meaning in words.items():
        assert getattr(one(tmp_path, column, word), attribute) is meaning


@pytest.mark.parametrize(
    ("column", "attribute", "words"),
    [
        ("new_lesion", "new", {"yes": True, "false": False, "": False}),
        ("role", "role", {"Non-target": Role.NONTARGET, "target lesion": Role.TARGET, "": None}),
        (
            "nontarget_status",
            "status",
            {"vanished": Status.ABSENT, "worsened": Status.WORSE, "Minimal": Status.MINIMAL},
        ),
        ("measurable", "measurable", {"auto": None, "": None, "1": True, "yes": True, "No": False, "0": False}),
        ("in_rt_field", "in_rt_field", {"": None, "Y": True, "no": False}),
    ],
)
def test_synonyms_of_a_lesion(tmp_path: Path, column: str, attribute: str, words: dict[str, object]):
    for word, meaning in words.items():
        assert getattr(one(tmp_path, column, word).lesions[0], attribute) is meaning


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("post-op", Kind.POST_OP),
        ("Post op", Kind.POST_OP),
        ("postoperative", Kind.POST_OP),
        ("post-RT", Kind.POST_RT),
        ("post_radiotherapy", Kind.POST_RT),
        ("base-line", Kind.BASELINE),
    ],
)
def test_kinds_have_several_spellings(tmp_path: Path, word: str, kind: Kind):
    text = f"patient_id,date,kind,lesion_id,compartment,long_mm\nP1,2020-01-01,{word},,,\n"
    assert read(tmp_path, text).courses[0].visits[0].kind is kind


@pytest.mark.parametrize("word", ["follow-up", "Follow up", "follow_up", "FU"])
def test_follow_up_has_several_spellings(tmp_path: Path, word: str):
    text = "patient_id,date,kind,lesion_id,compartment,long_mm\nP1,2020-01-01,baseline,,,\n"
    assert read(tmp_path, f"{text}P1,2020-02-01,{word},,,\n").courses[0].visits[1].kind is Kind.FOLLOWUP


@pytest.mark.parametrize(("word", "is_ce"), [("ET", True), ("contrast-enhancing", True), ("non enhancing", False)])
def test_compartments_have_several_spellings(tmp_path: Path, word: str, is_ce: bool):
    text = f"patient_id,date,kind,lesion_id,compartment,long_mm\nP1,2020-01-01,baseline,L1,{word},12\n"
    (seen,) = read(tmp_path, text).courses[0].visits[0].lesions
    assert seen.compartment is (Compartment.CE if is_ce else Compartment.NCE)


def test_a_lesions_compartment_and_role_hold_for_all_its_visits(tmp_path: Path):
    text = (
        "patient_id,date,kind,lesion_id,compartment,long_mm,role\n"
        "P1,2020-01-01,baseline,L1,,20,\n"
        "P1,2020-02-01,followup,L1,nce,20,target\n"
        "P1,2020-03-01,followup,L1,,,\n"
    )
    seen = [visit.lesions[0] for visit in read(tmp_path, text).courses[0].visits]
    assert {(s.compartment, s.role) for s in seen} == {(Compartment.NCE, Role.TARGET)}
    # a size is of one day alone
    assert [s.long_mm for s in seen] == [20.0, 20.0, None]


def test_the_same_lesion_name_in_two_patients_is_two_lesions(tmp_path: Path):
    text = (
        "patient_id,date,kind,lesion_id,compartment,long_mm\n"
        "P1,2020-01-01,baseline,L1,ce,20\nP2,2020-01-01,baseline,L1,nce,30\n"
    )
    assert [c.visits[0].lesions[0].compartment.value for c in read(tmp_path, text).courses] == ["ce", "nce"]


def test_a_visit_without_lesions_may_stand_beside_rows_with_some(tmp_path: Path):
    text = (
        "patient_id,date,kind,lesion_id,compartment,long_mm,new_lesion,clinical\n"
        "P1,2020-01-01,,,,,0,stable\nP1,2020-01-01,baseline,L1,ce,20,,\n"
    )
    (visit,) = read(tmp_path, text).courses[0].visits
    assert (visit.clinical, [s.lesion for s in visit.lesions]) == (Trend.STABLE, ["L1"])


def test_several_references_may_precede_and_follow_follow_ups(tmp_path: Path):
    kinds = ["baseline", "baseline", "post_op", "followup", "post_op", "post_rt", "followup"]
    rows = "".join(f"P1,2020-0{n + 1}-01,{kind},,,\n" for n, kind in enumerate(kinds))
    (course,) = read(tmp_path, f"patient_id,date,kind,lesion_id,compartment,long_mm\n{rows}").courses
    assert [visit.kind.value for visit in course.visits] == kinds


ROWS = [
    "P1,2020-01-01,baseline,L1,ce,20,,0,4,target",
    "P1,2020-01-01,,L2,nce,30,,,,nontarget",
    "P1,2020-02-01,followup,L1,,10,,,2,",
    "P1,2020-02-01,,L2,nce,0,,,2,",
    "P1,2020-02-01,,L3,ce,12,,1,,",
    "P2,2020-01-01,post_rt,L1,ce,,1.5,0,,",
    "P2,2020-07-01,followup,L1,ce,,1.25,0,,",
    "P2,2020-05-01,followup,,,,,,0,",
]


@given(st.permutations(ROWS))
def test_order_of_rows_is_irrelevant(tmp_path_factory, rows: list[str]):
    head = "patient_id,date,kind,lesion_id,compartment,long_mm,volume_ml,new_lesion,dexamethasone_mg,role\n"
    folder = tmp_path_factory.mktemp("visits")
    assert read(folder, head + "\n".join(rows)).courses == read(folder, head + "\n".join(ROWS)).courses


HEAD = (
    "patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,volume_ml,new_lesion,slice_mm,rt_end,drug_start,"
    "dexamethasone_mg,evaluable,nontarget_status\n"
)
WARNED: dict[str, tuple[list[str], str]] = {
    "swapped diameters": (["baseline,L1,ce,10,12,,,,,,,"], r"perp_mm is larger.*swapped.*row 2"),
    "vanished by half": (["baseline,L1,ce,0,0,1.5,,,,,,"], r"vanished by long_mm or by volume_ml.*row 2"),
    "vanished by the other half": (["baseline,L1,ce,10,10,0,,,,,,"], r"vanished by long_mm or by volume_ml.*row 2"),
    "slices": (
        ["baseline,L1,ce,20,20,,,1,,,,", "followup,L1,ce,20,20,,,,,,,", "followup,L1,ce,20,20,,,5,,,,"],
        r"slice_mm.*measurable.*row 4",
    ),
    "new at the baseline": (["baseline,L1,ce,20,20,,1,,,,,"], r"1 at a baseline.*row 2"),
    "new at the first study": (["post_op,L1,ce,20,20,,1,,,,,"], r"1 at a baseline.*row 2"),
    "new at the second baseline": (["baseline,,,,,,,,,,,", "baseline,L1,ce,20,20,,1,,,,,"], r"1 at a baseline.*row 3"),
    "new again": (
        [
            "baseline,,,,,,,,,,,",
            "followup,L1,ce,20,20,,1,,,,,",
            "followup,L1,ce,20,20,,1,,,,,",
            "followup,L1,ce,9,9,,1,,,,,",
        ],
        r"not the lesion's first \(2 rows, the first is row 4\)",
    ),
    "new after it vanished": (
        ["baseline,L1,ce,20,20,,,,,,,", "followup,L1,ce,0,0,,,,,,,", "followup,L1,ce,15,15,,1,,,,,"],
        r"not the lesion's first.*row 4",
    ),
    "unmarked": (["baseline,,,,,,,,,,,", "followup,L1,ce,20,20,,,,,,,"], r"without new_lesion.*row 3"),
    "unmarked after 0": (
        ["baseline,L1,ce,0,0,0,,,,,,", "followup,L1,ce,20,20,4,,,,,,"],
        r"without new_lesion.*row 3",
    ),
    "diameters in cm at one visit": (
        ["baseline,L1,ce,32,28,,,,,,,", "followup,L1,ce,3.2,2.8,,,,,,,"],
        r"long_mm changes 8-fold.*cm.*row 3",
    ),
    "volume in mm3 at one visit": (
        ["baseline,L1,ce,,,0.5,,,,,,", "followup,L1,ce,,,500,,,,,,"],
        r"volume_ml changes 300-fold.*mm3.*row 3",
    ),
    "all diameters small": (["baseline,L1,ce,3.2,2.8,,,,,,,", "followup,L1,ce,4,3,,,,,,,"], "no long_mm.*10.*cm"),
    "radiotherapy later": (["baseline,,,,,,,,2020-06-02,,,", "followup,,,,,,,,,,,"], r"rt_end is after.*row 2"),
    "drug later": (["baseline,,,,,,,,,2020-06-02,,", "followup,,,,,,,,,,,"], r"drug_start is after.*row 2"),
    "dose missing": (
        ["baseline,,,,,,,,,,4,", "followup,,,,,,,,,,,", "followup,,,,,,,,,,0,", "followup,,,,,,,,,,,"],
        r"dexamethasone_mg is empty.*\(2 rows, the first is row 3\)",
    ),
}
DAYS = ("2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01")


@pytest.mark.parametrize("what", WARNED)
def test_odd_tables_are_warned_of_by_row(tmp_path: Path, what: str):
    rows, told = WARNED[what]
    text = HEAD + "".join(f"DOE,{day},{row}\n" for day, row in zip(DAYS, rows, strict=False))
    (warning,) = read(tmp_path, text).warnings
    assert re.search(told, warning)
    assert not any(word in warning for word in ("DOE", "2020", "L1"))


NOT_WARNED: dict[str, list[str]] = {
    "new at its first visit": ["baseline,,,,,,,,,,,", "followup,L1,ce,20,20,,1,,,,,", "followup,L1,ce,20,20,,,,,,,"],
    "new after a 0": ["baseline,L1,ce,0,0,0,,,,,,", "followup,L1,ce,20,20,4,1,,,,,"],
    "new after it was said to be absent": ["baseline,L1,ce,,,,,,,,,,absent", "followup,L1,ce,20,20,,1,,,,,"],
    "first seen after surgery": ["baseline,,,,,,,,,,,", "post_op,L1,ce,20,20,,,,,,,"],
    "never there": ["baseline,,,,,,,,,,,", "baseline,L1,ce,0,0,0,,,,,,"],
    "new after radiotherapy": ["post_op,,,,,,,,,,,", "post_rt,L1,ce,20,20,,1,,,,,"],
    "no dose at a visit that cannot be read": ["baseline,,,,,,,,,,4,1", "followup,,,,,,,,,,,0"],
    "no dose at all": ["baseline,,,,,,,,,,,", "followup,,,,,,,,,,,"],
    "radiotherapy and drug on the last day": ["baseline,,,,,,,,2020-02-01,2020-02-01,,", "followup,,,,,,,,,,,"],
    "equal slices": ["baseline,L1,ce,20,20,,,1,,,,", "followup,L1,ce,20,20,,,1.0,,,,"],
    "equal diameters": ["baseline,L1,ce,20,20,,,,,,,"],
    "small, but with a volume that fits": ["baseline,L1,ce,3.2,2.8,0.014,,,,,,"],
    "shrunk less than a unit would": ["baseline,L1,ce,39,20,,,,,,,", "followup,L1,ce,5,5,,,,,,,"],
    "gone": ["baseline,L1,ce,39,20,8,,,,,,", "followup,L1,ce,0,0,0,,,,,,"],
}


@pytest.mark.parametrize("what", NOT_WARNED)
def test_ordinary_tables_are_not_warned_of(tmp_path: Path, what: str):
    text = HEAD + "".join(f"P1,{day},{row}\n" for day, row in zip(DAYS, NOT_WARNED[what], strict=False))
    assert read(tmp_path, text).warnings == ()


def test_a_visit_is_named_by_its_first_row(tmp_path: Path):
    text = HEAD + "".join(f"P1,2020-01-01,{row}\n" for row in ("baseline,,,,,,,,,,,", ",L1,ce,20,20,,,,,,,"))
    assert read(tmp_path, text + "P1,2020-02-01,followup,,,,,,,,,,4,\n").warnings == (
        "dexamethasone_mg is empty at visits of a patient who has it at others; 0 means none (row 2)",
    )


def test_warnings_count_rows_of_all_patients(tmp_path: Path):
    text = HEAD + "".join(f"P{n},2020-01-01,baseline,L1,ce,10,12,,,,,,,\n" for n in (4, 3, 2, 1, 0))
    (warning,) = read(tmp_path, text).warnings
    assert warning.endswith("(5 rows, the first is row 2)")


def test_ten_thousand_visits_take_no_time(tmp_path: Path):
    head = "patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,volume_ml,t2flair,dexamethasone_mg,clinical\n"
    day = dt.date(2015, 1, 1)
    rows = [
        f"P{p},{day + dt.timedelta(60 * v)},{'followup' if v else 'baseline'},L{n},ce,{20 + n},{15 + v},3.5,stable,2,\n"
        for p in range(1000)
        for v in range(10)
        for n in range(3)
    ]
    start = time.process_time()
    courses = read(tmp_path, head + "".join(rows)).courses
    assert time.process_time() - start < 5.0
    assert sum(len(course.visits) for course in courses) == 10_000
