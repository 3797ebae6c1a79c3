"""Short courses written down by hand, and what each criterion has to say of them: ``cases/<criterion>.csv``.

A row is a visit; the first row of a case bears its name and the rule it is about. What a row does not tell is ordinary:
no steroids, clinically and on T2/FLAIR stable, eye normal, CSF negative, nothing known of radiotherapy or drugs.

lesions
    ``A 20x15; F 40x30 nce; N 8x8 new outside``: name, size (``20x15`` or ``20`` mm, ``3.5ml``, ``gone``, ``?`` is
    unknown), then words: ``nce`` (else enhancing), ``new``, ``target``, ``nontarget``, ``measurable=no``, ``slice=6``,
    ``inside`` or ``outside`` the field of radiotherapy, ``worse`` and its like for what a reader says by eye.
facts
    ``dex=4 clin=worse flair=? eye=minor csf=suspicious steroids=other unreadable``; ``rt=-30`` (the day on which
    radiotherapy ended) and ``drug=bevacizumab@5`` hold from their row on. Anything else is a setting of the criterion.
raw, category, confirmed
    ``-`` is ``not_required``; an empty cell is not compared.
also
    ``imaging=SD``, ``sum=500``, ``ref=56`` (day of the visit compared with), words that the reason ``says=`` or of
    which it is ``silent=``, ``pd=56`` (day of the first progression) or ``censored=56``.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tumorboard.respond import CRITERIA, judge, read_criterion
from tumorboard.respond.times import time_to_progression
from tumorboard.respond.visits import (
    Compartment,
    Course,
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
from tumorboard.verdict import Verdict

DAY_0 = dt.date(2021, 3, 1)
ORDINARY = {"dex": "0", "clin": "stable", "flair": "stable", "eye": "normal", "csf": "negative"}
LASTING = ("rt", "drug")
FACTS = (*ORDINARY, *LASTING, "steroids", "unreadable")


@dataclass
class Case:
    """One course and what is expected of it."""

    criterion: str
    name: str
    rule: str
    rows: list[dict[str, str]] = field(default_factory=list)
    settings: dict[str, int | str] = field(default_factory=dict)

    def course(self) -> Course:
        lasting: dict[str, str] = {}
        visits = []
        for row in self.rows:
            facts = _words(row["facts"])
            lasting |= {k: v for k, v in facts.items() if k in LASTING}
            visits.append(_visit(row, ORDINARY | lasting | facts))
            self.settings |= {k: int(v) if v.isdigit() else v for k, v in facts.items() if k not in FACTS}
        return Course("P01", tuple(visits))


def _words(cell: str) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in cell.split())}


def _date(day: str) -> dt.date:
    return DAY_0 + dt.timedelta(days=int(day))


def _visit(row: dict[str, str], facts: dict[str, str]) -> Visit:
    known = {k: v for k, v in facts.items() if v != "?"}
    drug, _, start = known.get("drug", "").partition("@")
    return Visit(
        _date(row["day"]),
        Kind(row["kind"] or "followup"),
        tuple(_seen(text) for text in row["lesions"].split(";") if text.strip()),
        t2flair=Trend(known["flair"]) if "flair" in known else None,
        clinical=Trend(known["clin"]) if "clin" in known else None,
        dexamethasone_mg=float(known["dex"]) if "dex" in known else None,
        steroid_reason=SteroidReason(known["steroids"]) if "steroids" in known else None,
        evaluable="unreadable" not in known,
        rt_end=_date(known["rt"]) if "rt" in known else None,
        drug=drug,
        drug_start=_date(start) if start else None,
        eye=Eye(known["eye"]) if "eye" in known else None,
        csf=Csf(known["csf"]) if "csf" in known else None,
    )


def _seen(text: str) -> Seen:
    name, *words = text.split()
    long_mm = perp_mm = volume_ml = None
    flags: dict[str, str] = {}
    for word in words:
        if word == "gone":
            long_mm = perp_mm = volume_ml = 0.0
        elif word.endswith("ml"):
            volume_ml = float(word.removesuffix("ml"))
        elif re.fullmatch(r"[\d.]+(x[\d.]+)?", word):
            long_mm, perp_mm = [*(float(d) for d in word.split("x")), None][:2]
        elif word != "?":
            flags |= _words(word)
    return Seen(
        name,
        Compartment.NCE if "nce" in flags else Compartment.CE,
        long_mm,
        perp_mm,
        volume_ml,
        new="new" in flags,
        role=next((role for role in Role if role in flags), None),
        status=next((status for status in Status if status in flags), None),
        measurable={"yes": True, "no": False}[flags["measurable"]] if "measurable" in flags else None,
        slice_mm=float(flags["slice"]) if "slice" in flags else None,
        in_rt_field=True if "inside" in flags else False if "outside" in flags else None,
    )


def _read(criterion: str) -> Iterator[Case]:
    path = Path(__file__).parent / "cases" / f"{criterion}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        case = None
        for raw_row in csv.DictReader(file):
            row = {key.strip(): value.strip() for key, value in raw_row.items()}
            if row["case"]:
                if case:
                    yield case
                case = Case(criterion, row["case"], row["rule"])
            assert case is not None, f"{path.name} begins without a case"
            case.rows.append(row)
        if case:
            yield case


CASES = [case for criterion in CRITERIA for case in _read(criterion)]


def _expected(row: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a row expects as (what, value); ``-`` stands for not required."""
    columns = [(c, row[c]) for c in ("raw", "category", "confirmed") if row[c]]
    also = re.findall(r"(\w+)=(.*?)(?=\s+\w+=|$)", row["also"])
    return [(what, "not_required" if value == "-" else value) for what, value in [*columns, *also]]


def _mismatch(what: str, value: str, verdict: Verdict) -> str:
    """Return what differs, or nothing."""
    if what in ("says", "silent"):
        return "" if (value in verdict.reason) == (what == "says") else f"{what} {value!r}: {verdict.reason!r}"
    if what == "sum":
        known = verdict.total is not None
        same = verdict.total == pytest.approx(float(value)) if known and value != "none" else known == (value != "none")
        return "" if same else f"sum {value}, got {verdict.total}"
    day = "" if verdict.reference is None else str((verdict.reference - DAY_0).days)
    got = {
        "raw": verdict.raw.value,
        "category": verdict.category.value,
        "confirmed": verdict.confirmed.value,
        "imaging": verdict.imaging_only.value,
        "ref": day,
    }[what]
    return "" if got == value else f"{what} {value}, got {got} ({verdict.rule}: {verdict.reason})"


def _mismatch_in_time(event: bool, day: int, course: Course, verdicts: list[Verdict]) -> str:
    time = time_to_progression(course, verdicts)
    assert time is not None
    at = DAY_0 + dt.timedelta(days=day)
    expected = (DAY_0, at if event else None, day, event)
    got = (time.start, time.progression, time.days, time.event)
    return "" if got == expected else f"{'progression' if event else 'censored'} on day {day}, got {time}"


@pytest.mark.parametrize("case", CASES, ids=[f"{c.criterion}:{c.name}" for c in CASES])
def test_the_criterion_says_what_its_rule_says(case: Case) -> None:
    course = case.course()
    verdicts = judge(course, read_criterion(case.criterion, case.settings))
    assert [v.date for v in verdicts] == [v.date for v in course.visits]
    wrong = []
    for row, verdict in zip(case.rows, verdicts, strict=True):
        for what, value in _expected(row):
            if what in ("pd", "censored"):
                found = _mismatch_in_time(what == "pd", int(value), course, verdicts)
            else:
                found = _mismatch(what, value, verdict)
            wrong += [f"day {row['day']}: {found}"] if found else []
    assert not wrong, "\n".join([case.rule, *wrong])


def test_every_case_is_named_once_and_cites_a_rule() -> None:
    names = [(case.criterion, case.name) for case in CASES]
    assert len(names) == len(set(names))
    assert all(len(case.rule) > 20 for case in CASES)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_every_criterion_has_its_cases(criterion: str) -> None:
    cases = [case for case in CASES if case.criterion == criterion]
    assert len(cases) >= 20
    expected = {row["raw"] for case in cases for row in case.rows}
    assert {"BL", "PR", "SD", "PD", "NE"} <= expected
