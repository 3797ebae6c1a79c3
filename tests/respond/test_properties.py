"""What every criterion keeps on any course: scale, order, repetition, growth, the future, confirmation."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tumorboard.respond import CRITERIA, Criterion, judge, read_criterion
from tumorboard.respond.engine.sizes import BALL_ML_OF_MM3
from tumorboard.respond.table.read import read_visits
from tumorboard.respond.times import time_to_progression
from tumorboard.respond.visits import Compartment, Course, Csf, Eye, Kind, Seen, Status, Trend, Visit
from tumorboard.verdict import BEST_FIRST, RESPONSES, Category, Confirmed, Verdict

DAY_0 = dt.date(2020, 1, 6)
ALL = pytest.mark.parametrize("name", CRITERIA)
SOME = settings(max_examples=30)
GUARDS_OFF = {"rano-bm": {"longest.pd_least_lesion": 0.0}, "recist-1.1": {"longest.pd_least": 0.0}}
NEEDS: Mapping[str, Mapping[str, Any]] = {"rano-2.0": {"max_targets": 5}}
COMPARTMENT = {"rano-lgg": (Compartment.NCE,), "rano-2.0": (Compartment.CE, Compartment.NCE)}
DRUGS = ("", "", "bevacizumab", "pembrolizumab", "temozolomide")
TRENDS = (Trend.STABLE, Trend.STABLE, Trend.STABLE, Trend.BETTER, Trend.WORSE)


def table(name: str, guards: bool = True) -> Criterion:
    return read_criterion(name, {**NEEDS.get(name, {}), **({} if guards else GUARDS_OFF.get(name, {}))})


def compartments(name: str) -> tuple[Compartment, ...]:
    return COMPARTMENT.get(name, (Compartment.CE,))


def sizes(chance: Random, cleared: bool) -> dict[str, Any]:
    """Return what a lesion measures: mostly something, at times nothing (mostly so once cleared), at times unknown."""
    long_mm, perp_mm = sorted((chance.randint(3, 50), chance.randint(3, 50)), reverse=True)
    volume_ml = long_mm * perp_mm * (long_mm + perp_mm) / 2 * BALL_ML_OF_MM3 * chance.uniform(0.7, 1.4)
    whole = (float(long_mm), float(perp_mm), volume_ml)
    found = chance.choices([whole, (0.0, 0.0, 0.0), (None, None, None)], [2, 16, 1] if cleared else [8, 2, 1])[0]
    return dict(zip(("long_mm", "perp_mm", "volume_ml"), found, strict=True))


@dataclass(frozen=True)
class Plan:
    """What the courses of a property may hold."""

    compartments: tuple[Compartment, ...] = (Compartment.CE,)
    measurable: bool = False
    facts: bool = True
    mixed: bool = True


@st.composite
def courses(draw: st.DrawFn, plan: Plan) -> Course:
    """Draw a course of two to six visits with one to five lesions, of which some may be new.

    Hypothesis draws its frame, a seed the rest: drawing every size costs far more than judging them.
    """
    gaps = draw(st.lists(st.sampled_from([14, 27, 28, 40, 56, 84, 90]), min_size=1, max_size=5))
    number = draw(st.integers(1, 5))
    chance = Random(draw(st.integers(0, 2**32)))
    used = plan.compartments if plan.mixed else (chance.choice(plan.compartments),)
    lesions = []
    for name in "ABCDE"[:number]:
        fixed = chance.random() < 0.7 if plan.measurable else None
        lesions.append((Seen(name, chance.choice(used), measurable=fixed), chance.choice([0, 0, 0, 1, 2])))
    drug, rt = chance.choice(DRUGS), chance.choice([None, None, -20, -60])
    lasting: dict[str, Any] = {
        "rt_end": None if rt is None else DAY_0 + dt.timedelta(days=rt),
        **{"drug": drug, "drug_start": DAY_0 if drug else None},
    }
    visits: list[Visit] = []
    for i in range(len(gaps) + 1):
        there = [(lesion, first) for lesion, first in lesions if i == first or (i > first and chance.random() < 0.9)]
        cleared = i > 0 and chance.random() < 0.25
        seen = tuple(replace(lesion, new=i == first > 0, **sizes(chance, cleared)) for lesion, first in there)
        date = DAY_0 + dt.timedelta(days=sum(gaps[:i]))
        facts = _facts(chance) if plan.facts and chance.random() < 0.5 else _quiet()
        visits.append(Visit(date, Kind.FOLLOWUP if i else Kind.BASELINE, seen, **facts, **lasting))
    return Course("P01", tuple(visits))


def _quiet() -> dict[str, Any]:
    return {
        **{"t2flair": Trend.STABLE, "clinical": Trend.STABLE, "dexamethasone_mg": 0.0},
        **{"eye": Eye.NORMAL, "csf": Csf.NEGATIVE},
    }


def _facts(chance: Random) -> dict[str, Any]:
    return {
        "t2flair": chance.choice((*TRENDS, None)),
        "clinical": chance.choice((*TRENDS, None)),
        "dexamethasone_mg": chance.choice([0.0, 0.0, 2.0, 2.0, 4.0, None]),
        "eye": chance.choice([Eye.NORMAL, Eye.NORMAL, *Eye, None]),
        "csf": chance.choice([Csf.NEGATIVE, Csf.NEGATIVE, *Csf, None]),
        "evaluable": chance.random() < 0.8,
    }


def any_course(name: str) -> st.SearchStrategy[Course]:
    return courses(Plan(compartments(name)))


def single_course(name: str, **plan: bool) -> st.SearchStrategy[Course]:
    """Return courses in one compartment: the published table for mixed disease is no order (see below)."""
    return courses(Plan(compartments(name), mixed=False, **plan))


def with_lesions(visit: Visit, lesions: Sequence[Seen]) -> Visit:
    return replace(visit, lesions=tuple(lesions))


def changed(course: Course, i: int, visit: Visit) -> Course:
    return replace(course, visits=(*course.visits[:i], visit, *course.visits[i + 1 :]))


def inserted(course: Course, i: int, visit: Visit) -> Course:
    return replace(course, visits=(*course.visits[:i], visit, *course.visits[i:]))


def essence(verdicts: Sequence[Verdict]) -> list[tuple[object, ...]]:
    return [(v.raw, v.category, v.confirmed, v.imaging_only, v.rule) for v in verdicts]


def raws(verdicts: Sequence[Verdict]) -> list[Category]:
    return [v.raw for v in verdicts]


def rank(category: Category) -> int:
    return BEST_FIRST.index(category)


def scaled(seen: Seen, factor: float) -> Seen:
    long_mm = None if seen.long_mm is None else seen.long_mm * factor
    perp_mm = None if seen.perp_mm is None else seen.perp_mm * factor
    return replace(
        seen,
        long_mm=long_mm,
        perp_mm=perp_mm,
        volume_ml=None if seen.volume_ml is None else seen.volume_ml * factor**3,
    )


@ALL
@SOME
@given(data=st.data(), factor=st.floats(0.05, 20.0))
def test_scale_is_irrelevant_where_measurability_is_fixed_and_guards_are_off(
    name: str, data: st.DataObject, factor: float
) -> None:
    course = data.draw(courses(Plan(compartments(name), measurable=True)))
    other = replace(
        course, visits=tuple(with_lesions(v, [scaled(s, factor) for s in v.lesions]) for v in course.visits)
    )
    criterion = table(name, guards=False)
    assert essence(judge(course, criterion)) == essence(judge(other, criterion))


@ALL
@SOME
@given(data=st.data())
def test_seeing_the_same_again_leaves_later_raw_categories(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    i = data.draw(st.integers(0, len(course.visits) - 1))
    before = course.visits[i]
    lesions = tuple(replace(s, new=False) for s in before.lesions)
    again = replace(before, date=before.date + dt.timedelta(days=7), kind=Kind.FOLLOWUP, lesions=lesions)
    criterion = table(name)
    plain = raws(judge(course, criterion))
    repeated = raws(judge(inserted(course, i + 1, again), criterion))
    assert [*repeated[: i + 1], *repeated[i + 2 :]] == plain


@ALL
@SOME
@given(data=st.data())
def test_order_of_lesions_is_irrelevant(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    shuffled = tuple(with_lesions(v, data.draw(st.permutations(v.lesions))) for v in course.visits)
    criterion = table(name)
    assert judge(course, criterion) == judge(replace(course, visits=shuffled), criterion)


COLUMNS = (
    *("patient_id", "date", "kind", "lesion_id", "compartment", "long_mm", "perp_mm", "volume_ml", "new_lesion"),
    *("t2flair", "dexamethasone_mg", "clinical", "evaluable", "rt_end", "drug", "drug_start", "eye", "csf"),
)


def _rows(course: Course) -> list[dict[str, object]]:
    rows = []
    for v in course.visits:
        day = {
            **{"patient_id": course.patient, "date": v.date.isoformat(), "kind": v.kind, "t2flair": v.t2flair},
            **{"dexamethasone_mg": v.dexamethasone_mg, "clinical": v.clinical, "evaluable": int(v.evaluable)},
            **{"rt_end": v.rt_end, "drug": v.drug, "drug_start": v.drug_start, "eye": v.eye, "csf": v.csf},
        }
        for s in v.lesions or (None,):
            sizes_of = {k: getattr(s, k) for k in ("long_mm", "perp_mm", "volume_ml")} if s else {}
            lesion = {"lesion_id": s.lesion, "compartment": s.compartment, "new_lesion": int(s.new)} if s else {}
            rows.append({**day, **lesion, **sizes_of})
    return rows


def _read(rows: Sequence[Mapping[str, object]]) -> Course:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "visits.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
        (course,) = read_visits(path).courses
    return course


@ALL
@SOME
@given(data=st.data())
def test_order_of_rows_is_irrelevant(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    rows = _rows(course)
    criterion = table(name)
    read = judge(_read(data.draw(st.permutations(rows))), criterion)
    assert read == judge(course, criterion)


@ALL
@SOME
@given(data=st.data(), factor=st.floats(1.0, 4.0))
def test_growth_never_improves_a_raw_category(name: str, data: st.DataObject, factor: float) -> None:
    course = data.draw(single_course(name))
    i = data.draw(st.integers(1, len(course.visits) - 1))
    visit = course.visits[i]
    assume(visit.lesions)
    j = data.draw(st.integers(0, len(visit.lesions) - 1))
    more = [scaled(s, factor) if k == j else s for k, s in enumerate(visit.lesions)]
    criterion = table(name)
    small = judge(course, criterion)[i].raw
    large = judge(changed(course, i, with_lesions(visit, more)), criterion)[i].raw
    assert Category.NE in (small, large) or rank(large) >= rank(small)


def test_growth_in_mixed_disease_may_improve_a_raw_category() -> None:
    """RANO 2.0's table is no order: a complete with a stable compartment is SD, a partial with a stable one PR."""

    def visit(day: int, ce_mm: float, kind: Kind = Kind.FOLLOWUP) -> Visit:
        lesions = (Seen("A", Compartment.CE, ce_mm, ce_mm), Seen("F", Compartment.NCE, 40.0, 40.0))
        return Visit(DAY_0 + dt.timedelta(days=day), kind, lesions, Trend.STABLE, Trend.STABLE, 0.0)

    first = visit(0, 20.0, Kind.BASELINE)
    found = [judge(Course("P01", (first, visit(90, mm))), read_criterion("rano-2.0"))[1].raw for mm in (0.0, 10.0)]
    assert found == [Category.SD, Category.PR]


@ALL
@SOME
@given(data=st.data())
def test_not_looking_at_a_lesion_never_improves_a_raw_category(name: str, data: st.DataObject) -> None:
    """A new lesion aside: that it is there is the finding itself; so is what grows beside the measured compartment."""
    course = data.draw(single_course(name))
    i = data.draw(st.integers(1, len(course.visits) - 1))
    visit = course.visits[i]
    old = [s for s in visit.lesions if s.lesion in {t.lesion for t in course.visits[0].lesions}]
    assume(old)
    lost = data.draw(st.sampled_from(old))
    criterion = table(name)
    seen = judge(course, criterion)[i].raw
    unseen = judge(changed(course, i, with_lesions(visit, [s for s in visit.lesions if s != lost])), criterion)[i].raw
    assert Category.NE in (seen, unseen) or rank(unseen) >= rank(seen)


@ALL
@SOME
@given(data=st.data())
def test_raw_categories_do_not_know_the_future(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    k = data.draw(st.integers(1, len(course.visits)))
    criterion = table(name)
    assert raws(judge(replace(course, visits=course.visits[:k]), criterion)) == raws(judge(course, criterion))[:k]


@ALL
@SOME
@given(data=st.data(), days=st.integers(-3000, 3000))
def test_only_days_between_visits_matter(name: str, data: st.DataObject, days: int) -> None:
    course = data.draw(any_course(name))
    by = dt.timedelta(days=days)
    moved = tuple(
        replace(
            v,
            date=v.date + by,
            rt_end=None if v.rt_end is None else v.rt_end + by,
            drug_start=None if v.drug_start is None else v.drug_start + by,
        )
        for v in course.visits
    )
    criterion = table(name)
    assert essence(judge(course, criterion)) == essence(judge(replace(course, visits=moved), criterion))


@ALL
@SOME
@given(data=st.data())
def test_a_visit_that_cannot_be_read_changes_no_other(name: str, data: st.DataObject) -> None:
    course = data.draw(single_course(name, facts=False))
    i = data.draw(st.integers(1, len(course.visits)))
    before = course.visits[i - 1]
    blank = replace(before, date=before.date + dt.timedelta(days=9), kind=Kind.FOLLOWUP, lesions=(), evaluable=False)
    criterion = table(name)
    plain = essence(judge(course, criterion))
    found = judge(inserted(course, i, blank), criterion)
    assert found[i].category is Category.NE
    assert essence([*found[:i], *found[i + 1 :]]) == plain


@ALL
@SOME
@given(data=st.data())
def test_time_to_progression_is_that_of_the_first_progression(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    verdicts = judge(course, table(name))
    time = time_to_progression(course, verdicts)
    assert time is not None
    progressed = [v.date for v in verdicts if v.category is Category.PD]
    assert time.progression == (min(progressed) if progressed else None)
    assert time.event == bool(progressed)
    assert time.start == DAY_0
    assert 0 <= time.days <= (course.visits[-1].date - DAY_0).days
    if progressed:
        assert time.days == (min(progressed) - DAY_0).days > 0


@ALL
@SOME
@given(data=st.data())
def test_what_is_confirmed_was_seen_again(name: str, data: st.DataObject) -> None:
    criterion = table(name)
    verdicts = judge(data.draw(any_course(name)), criterion)
    for v in verdicts:
        others = [w for w in verdicts if w is not v]
        if v.category in RESPONSES and criterion.confirm_response_days:
            assert v.confirmed is Confirmed.YES
            far = [w for w in others if abs((w.date - v.date).days) >= 28 and w.raw in BEST_FIRST]
            assert any(rank(w.raw) <= rank(v.category) for w in far)
        if v.category is Category.PD and v.confirmed is Confirmed.YES:
            assert any(w.raw is Category.PD for w in others)
        if v.confirmed is Confirmed.PENDING:
            assert v.raw in (*RESPONSES, Category.PD)


@ALL
@SOME
@given(data=st.data())
def test_a_response_that_was_seen_again_is_confirmed(name: str, data: st.DataObject) -> None:
    """The converse: 28 days or more away, nothing but responses and visits that are not evaluable between."""
    verdicts = judge(data.draw(any_course(name)), table(name))
    pairs = [(i, j) for i in range(len(verdicts)) for j in range(len(verdicts)) if i != j]
    for v, w, run in ((verdicts[i], verdicts[j], verdicts[min(i, j) : max(i, j) + 1]) for i, j in pairs):
        if all(r.category is Category.NE or r.raw in RESPONSES for r in run) and Category.NE not in (
            v.category,
            w.category,
        ):
            far = abs((w.date - v.date).days) >= 28
            assert not far or rank(w.raw) > rank(v.raw) or v.category is v.raw


@ALL
@SOME
@given(data=st.data())
def test_categories_follow_from_raw_ones(name: str, data: st.DataObject) -> None:
    """No category is better than its raw one but a suspected progression's; none is BL but a reference study's."""
    verdicts = judge(data.draw(any_course(name)), table(name))
    assert verdicts[0].raw is verdicts[0].category is Category.BL
    for v in verdicts[1:]:
        assert v.raw is not Category.BL
        if v.category in BEST_FIRST and v.raw in BEST_FIRST and v.confirmed is not Confirmed.PENDING:
            assert v.raw is Category.PD or rank(v.category) >= rank(v.raw)


@ALL
@SOME
@given(data=st.data())
def test_a_residue_that_is_said_to_be_absent_is_gone(name: str, data: st.DataObject) -> None:
    course = data.draw(any_course(name))
    said = tuple(
        with_lesions(v, [replace(s, status=Status.ABSENT) if s.long_mm == 0.0 else s for s in v.lesions])
        for v in course.visits
    )
    criterion = table(name)
    assert essence(judge(course, criterion)) == essence(judge(replace(course, visits=said), criterion))
