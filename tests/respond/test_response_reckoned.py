"""A second reckoning of raw categories: thresholds as printed, exact fractions, none of the engine's code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.respond import CRITERIA, judge, read_criterion
from tumorboard.respond.visits import Compartment, Course, Csf, Eye, Kind, Seen, Trend, Visit

DAY_0 = dt.date(2020, 1, 6)


@dataclass(frozen=True)
class Paper:
    """Thresholds as printed, for a reckoning of our own."""

    measure: str
    pr: str
    pd: str
    mr: str = ""
    least_sum: int = 0
    least_lesion: int = 0
    most: int = 5


PRINTED = {
    "macdonald": Paper("product", "0.5", "0.25"),
    "rano-hgg": Paper("product", "0.5", "0.25"),
    "rano-lgg": Paper("product", "0.5", "0.25", mr="0.25"),
    "mrano": Paper("product", "0.5", "0.25"),
    "rano-2.0": Paper("product", "0.5", "0.25"),
    "rano-bm": Paper("longest", "0.3", "0.2", least_lesion=5),
    "irano": Paper("product", "0.5", "0.25"),
    "recist-1.1": Paper("longest", "0.3", "0.2", least_sum=5, most=2),
    "ipcg": Paper("product", "0.5", "0.25"),
    "volumetric": Paper("volume", "0.65", "0.4"),
}


def _size(seen: Seen, measure: str) -> Fraction:
    assert seen.long_mm is not None
    assert seen.perp_mm is not None
    assert seen.volume_ml is not None
    if measure == "volume":
        return Fraction(seen.volume_ml)
    return Fraction(seen.long_mm) * (Fraction(seen.perp_mm) if measure == "product" else 1)


def _reckoned(course: Course, paper: Paper) -> list[str]:
    """Return raw categories by the printed thresholds, in exact fractions; lesions are all known and there."""
    sized = [{s.lesion: _size(s, paper.measure) for s in v.lesions} for v in course.visits]
    targets = sorted(sized[0], key=lambda name: (-sized[0][name], name))[: paper.most]
    out, nadir = ["BL"], 0
    for i in range(1, len(sized)):
        sums = [sum(visit[t] for t in targets) for visit in sized]
        grown = max(sized[i][t] - sized[nadir][t] for t in targets)
        rise = sums[i] - sums[nadir]
        if (
            rise >= Fraction(paper.pd) * sums[nadir]
            and rise >= paper.least_sum
            and (not paper.least_lesion or grown >= paper.least_lesion)
        ):
            out.append("PD")
        elif sums[i] <= (1 - Fraction(paper.pr)) * sums[0]:
            out.append("PR")
        elif paper.mr and sums[i] <= (1 - Fraction(paper.mr)) * sums[0]:
            out.append("MR")
        else:
            out.append("SD")
        nadir = i if sums[i] < sums[nadir] else nadir
    return out


@st.composite
def plain_courses(draw: st.DrawFn, compartment: Compartment) -> Course:
    """Draw courses in which every lesion is a measurable one that stays, and nothing but sizes changes."""
    number = draw(st.integers(1, 5))
    days = sorted(draw(st.sets(st.integers(20, 700), min_size=1, max_size=5)))
    chance = Random(draw(st.integers(0, 2**32)))
    visits = []
    for day in (0, *days):
        seen = []
        for lesion in "ABCDE"[:number]:
            perp, longest = sorted((chance.randint(10, 26), chance.randint(10, 26)))
            seen.append(Seen(lesion, compartment, float(longest), float(perp), float(chance.randint(1, 30))))
        kind = Kind.FOLLOWUP if day else Kind.BASELINE
        date = DAY_0 + dt.timedelta(days=day)
        quiet = Visit(date, kind, tuple(seen), Trend.STABLE, Trend.STABLE, 0.0, eye=Eye.NORMAL, csf=Csf.NEGATIVE)
        visits.append(quiet)
    return Course("P01", tuple(visits))


@pytest.mark.parametrize("name", CRITERIA)
@settings(max_examples=60)
@given(data=st.data())
def test_raw_categories_are_those_of_the_printed_thresholds(name: str, data: st.DataObject) -> None:
    course = data.draw(plain_courses(Compartment.NCE if name == "rano-lgg" else Compartment.CE))
    criterion = read_criterion(name, {"max_targets": 5} if name == "rano-2.0" else {})
    assert [v.raw.value for v in judge(course, criterion)] == _reckoned(course, PRINTED[name])
