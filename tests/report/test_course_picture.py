"""A course on one plot: every verdict in its cell, marks for what waits, nothing cut off, nobody's name."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from PIL import Image

from tumorboard.report.course import COLOURS, _apart, _step, caption, course_figure, course_picture
from tumorboard.respond import CRITERIA, judge_all, read_criterion
from tumorboard.respond.visits import Compartment, Course, Kind, Seen, Trend, Visit
from tumorboard.verdict import Category, Confirmed, Verdict

START = dt.date(2022, 1, 10)


def made(days, sizes, patient="DOE", **facts):
    """A course of one round lesion; the first study is the baseline."""
    visits = []
    for n, (day, mm) in enumerate(zip(days, sizes, strict=True)):
        seen = (Seen("L1", Compartment.CE, mm, mm, None if mm is None else mm**3 / 1910),)
        kind = Kind.FOLLOWUP if n else Kind.BASELINE
        visit = Visit(START + dt.timedelta(days=day), kind, seen, Trend.STABLE, Trend.STABLE, 0.0)
        visits.append(replace(visit, **facts) if n else visit)
    return Course(patient, tuple(visits))


def drawn(course, criteria=CRITERIA, digital=False):
    judged = judge_all([course], [read_criterion(name) for name in criteria])
    return course_figure(course, judged.verdicts, digital=digital)


def pixels(course, criteria=CRITERIA, digital=False):
    judged = judge_all([course], [read_criterion(name) for name in criteria])
    return np.asarray(Image.open(io.BytesIO(course_picture(course, judged.verdicts, digital=digital))).convert("RGB"))


def cells(figure):
    """Return letters, edge colour and style of every cell, row by row."""
    axes = figure.axes[-1]
    boxes = [p for p in axes.patches if isinstance(p, Rectangle)]
    return [
        (text.get_text(), to_hex(box.get_edgecolor()).upper(), box.get_linestyle())
        for text, box in zip(axes.texts, boxes, strict=True)
    ]


PLAIN = made((0, 60, 120, 180, 240), (20.0, 18.0, 12.0, 12.0, 16.0))
MANY = made(range(0, 28 * 40, 28), np.linspace(20.0, 40.0, 40).round(1).tolist(), drug="bevacizumab", drug_start=START)
LATE = made((0, 30, 1400, 1407, 1414), (20.0, 21.0, 22.0, 23.0, 24.0))
ALONE = made((0,), (20.0,))
GONE = made((0, 60, 120, 180), (20.0, 0.0, 0.0, 18.0))
UNKNOWN = made((0, 60, 120), (None, None, None))
ILL = made((0, 60, 120), (20.0, 21.0, 30.0), clinical=Trend.WORSE, rt_end=START - dt.timedelta(days=20))
DAILY = made(range(20), [20.0] * 20)
COURSES = {
    **{"plain": PLAIN, "many visits": MANY, "a late cluster": LATE, "one study": ALONE, "gone": GONE},
    **{"nothing measured": UNKNOWN, "ill": ILL, "every day": DAILY},
}
each_course = pytest.mark.parametrize("name", COURSES)


@each_course
@pytest.mark.parametrize("criteria", [CRITERIA, ("rano-bm",)], ids=["ten", "one"])
def test_nothing_is_cut_off_at_the_edge(name, criteria):
    image = pixels(COURSES[name], criteria, digital=True)
    rim = np.concatenate([image[:2].ravel(), image[-2:].ravel(), image[:, :2].ravel(), image[:, -2:].ravel()])
    assert (rim == 255).all()
    assert (image < 128).any()


@each_course
def test_cells_lie_within_the_axis_and_cover_no_other(name):
    axes = drawn(COURSES[name]).axes[-1]
    low, high = axes.get_xlim()
    boxes = [p for p in axes.patches if isinstance(p, Rectangle)]
    rows = {round(b.get_y(), 3) for b in boxes}
    assert len(rows) == len(CRITERIA)
    for y in rows:
        mine = sorted((b.get_x(), b.get_x() + b.get_width()) for b in boxes if round(b.get_y(), 3) == y)
        assert len(mine) == len(COURSES[name].visits)
        assert mine[0][0] >= low
        assert mine[-1][1] <= high
        assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(mine))


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60, unique=True).map(sorted))
def test_cells_stand_apart_in_order_and_as_near_as_that_allows(days):
    visits = [Visit(START + dt.timedelta(days=day), Kind.FOLLOWUP) for day in days]
    step = _step(visits)
    at = _apart([float(day) for day in days], step)
    assert at[0] == days[0]
    assert all(b - a >= step * (1 - 1e-9) for a, b in pairwise(at))
    room = max(15.0, 0.04 * (days[-1] - days[0]))  # that of the axis
    assert at[-1] + step / 2 <= days[-1] + room + 1e-6
    if all(b - a >= step for a, b in pairwise(days)):
        assert at == pytest.approx(days)


def test_every_verdict_stands_in_its_cell():
    judged = judge_all([PLAIN], [read_criterion("rano-2.0")])
    assert [text for text, *_ in cells(drawn(PLAIN, ("rano-2.0",)))] == [v.category.value for v in judged.verdicts]
    assert [v.category.value for v in judged.verdicts] == ["BL", "SD", "PR", "PR", "PD"]


def test_progression_that_waits_and_one_that_was_refuted_are_framed():
    soon = made((0, 30, 70, 120), (20.0, 25.0, 18.0, 26.0), rt_end=START - dt.timedelta(days=10))
    framed = cells(drawn(soon, ("mrano",)))
    assert framed[1][:2] == ("BL", "#000000")
    assert framed[1][2] != "-"
    assert framed[2][1:] == ("#BBBBBB", "-")
    assert framed[3] == ("SD", "#D55E00", "-")  # the last one still waits


def test_where_facts_are_missing_the_images_stand_in_brackets():
    course = made((0, 60, 120), (20.0, 21.0, 30.0), clinical=None)
    assert [text for text, *_ in cells(drawn(course, ("volumetric",)))] == ["BL", "(SD)", "(PD)"]


def test_first_progression_is_marked_once_a_criterion():
    figure = drawn(PLAIN, ("rano-2.0", "mrano", "macdonald"))
    marks = [line for line in figure.axes[-1].lines if line.get_marker() == "v"]
    last = float((PLAIN.visits[-1].date - dt.date(1970, 1, 1)).days)
    assert [tuple(mark.get_xdata()) for mark in marks] == [(last,), (last,)]  # modified RANO still waits


def test_sums_are_drawn_in_each_unit_that_has_two():
    labels = [axes.get_ylabel() for axes in drawn(PLAIN).axes]
    assert [label.split("(")[-1].split(")")[0] for label in labels[:3]] == ["mm²", "mm", "mL"]
    assert len(drawn(ALONE).axes) == len(drawn(UNKNOWN).axes) == 2  # treatment and verdicts
    assert len(drawn(PLAIN, ("rano-bm",)).axes) == 3


def test_a_sum_that_is_unknown_is_a_gap_and_not_a_zero():
    course = made((0, 60, 120), (20.0, None, 21.0))
    line = drawn(course, ("macdonald",)).axes[0].lines[0]
    assert np.isnan(line.get_ydata()[1])
    assert line.get_ydata()[[0, 2]].tolist() == [400.0, 441.0]


def test_treatment_is_drawn_and_named():
    words = [text.get_text() for text in drawn(MANY).axes[-2].texts]
    assert words == ["bevacizumab"]
    ill = drawn(ILL).axes[-2]
    assert [text.get_text() for text in ill.texts] == ["RT ends"]
    assert [text.get_text() for text in ill.get_legend().get_texts()] == ["clinically worse"]
    assert drawn(PLAIN).axes[-2].get_legend() is None


def test_nobody_s_name_and_only_digital_patients_are_told():
    for digital in (False, True):
        figure = drawn(PLAIN, digital=digital)
        words = " ".join(t.get_text() for axes in figure.axes for t in axes.findobj(lambda a: hasattr(a, "get_text")))
        assert "DOE" not in words + caption(PLAIN)
        assert (figure.get_suptitle() != "") is digital
    red = np.abs(pixels(PLAIN).astype(int) - (0xB0, 0x00, 0x20)).sum(axis=-1) < 30
    assert not red.any()


def test_the_caption_counts_studies_and_enhancing_lesions():
    assert caption(PLAIN).startswith("5 studies; enhancing lesions followed: 1. ")
    for mark in ("orange frame", "broken frame", "in brackets", "black mark", "dotted"):
        assert mark in caption(PLAIN)


def test_the_same_course_gives_the_same_bytes():
    assert (pixels(PLAIN) == pixels(PLAIN)).all()


def test_every_category_has_a_colour_and_letters_that_can_be_read_on_it():
    """Contrast as WCAG 2 defines it, at least 3 : 1."""

    def luminance(colour):
        parts = np.array([int(to_hex(colour)[n : n + 2], 16) / 255 for n in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    assert set(COLOURS) == set(Category)
    for fill, ink in COLOURS.values():
        high, low = sorted((luminance(fill), luminance(ink)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3.0


def test_a_verdict_without_any_sum_is_drawn():
    day = PLAIN.visits[0].date
    one = Verdict("P", day, "ipcg", *[Category.NE] * 2, Confirmed.NOT_REQUIRED, Category.NE, None, "mm2", None, "", "")
    assert course_picture(PLAIN, [one], digital=False)[1:4] == b"PNG"
