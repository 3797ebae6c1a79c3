"""The section on response: latest categories first, one line a criterion, numbers that are those of the sentence."""

from __future__ import annotations

import base64
import datetime as dt
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tumorboard.report.build import PatientHeader, build_report
from tumorboard.report.canvas import Panel, strip
from tumorboard.report.course import course_figure
from tumorboard.report.html import render_html
from tumorboard.report.model import DIGITAL_BANNER, Report
from tumorboard.report.response import CATEGORY_WORDS, CAUTION, category_text, response_section
from tumorboard.report.surgery_table import operation_section
from tumorboard.respond import CRITERIA, Judged, NotRun, judge_all, read_criterion
from tumorboard.respond.case.course import CaseCourse
from tumorboard.respond.surgery import assess_surgery
from tumorboard.respond.visits import Compartment, Course, Kind, Seen, Trend, Visit
from tumorboard.study import Event, EventKind
from tumorboard.verdict import Category, Confirmed, TimeToProgression, Verdict

START, LATEST = dt.date(2022, 1, 10), dt.date(2022, 7, 9)
SUM = "Sum of products 412 mm2, -50 % against 824 at the baseline and +30 % against the nadir 317 of 2022-04-10."


def visits(sizes, **facts):
    """Studies 60 days apart with one round lesion; the first is the baseline."""
    out = []
    for n, mm in enumerate(sizes):
        seen = (Seen("L1", Compartment.CE, mm, mm, None if mm is None else mm**3 / 1910),)
        kind = Kind.FOLLOWUP if n else Kind.BASELINE
        known = {"t2flair": Trend.STABLE, "clinical": Trend.STABLE, "dexamethasone_mg": 0.0} | facts
        out.append(Visit(START + dt.timedelta(days=60 * n), kind, seen, **known))
    return tuple(out)


def course(sizes=(20.0, 18.0, 22.0, 27.0), **facts):
    made = visits(sizes, **facts)
    studies = tuple(f"ses-{n + 1:02d}" for n in range(len(made)))
    return CaseCourse(Course("p01", made), studies, (), ("ses-02: slices of 5 mm after 3 mm",))


def verdict(criterion="rano-hgg", raw="PD", category="PD", confirmed="not_required", imaging="PD", **more):
    known = {"total": 412.0, "unit": "mm2", "reference": dt.date(2022, 4, 10), "rule": "pd.sum"}
    known |= {"reason": f"{raw}: the sum has risen enough above the nadir. {SUM}", "probabilities": {}}
    letters = Category(raw), Category(category), Confirmed(confirmed), Category(imaging)
    return Verdict("p01", LATEST, criterion, *letters, **known | more)


def section(*verdicts, times=(), not_run=(), digital=False, operations=()):
    judged = Judged(verdicts, tuple(times), tuple(not_run))
    return response_section(course(), judged, operations, digital=digital)


def line(shown, start):
    (row,) = [r for r in shown.verdicts.rows if r[0].startswith(start)]
    return dict(zip(shown.verdicts.header, row, strict=True))


def test_the_latest_study_comes_first_in_a_sentence():
    first = replace(verdict(), date=START, category=Category.BL)
    known = [
        verdict(),
        verdict("recist-1.1"),
        verdict("ipcg", category="NE"),
        verdict("rano-lgg", "NE", "NE", imaging="NE"),
    ]
    told = section(first, *known).summary
    assert told.startswith("ses-04 of 2022-07-09. Progressive disease (PD) by RANO-HGG, RECIST 1.1. ")
    assert "Not evaluable (NE; images alone: PD) by IPCG." in told
    assert "Not evaluable (NE) by RANO-LGG." in told
    assert "Reference study" not in told


def test_progression_that_waits_is_told_before_anything_else():
    waits = verdict("mrano", category="SD", confirmed="pending")
    shown = section(verdict("volumetric", "SD", "SD", imaging="SD"), waits)
    assert "2022-07-09. Suspected progression, confirmation required, by modified RANO. Stable" in shown.summary
    assert line(shown, "modified RANO")["Category"] == "SD; suspected PD: confirmation required"


def test_progression_after_progression_waits_for_nothing_that_is_not_known():
    told = section(verdict("irano", confirmed="pending")).summary
    assert "Suspected" not in told
    assert "Progressive disease (PD) by iRANO" in told


@pytest.mark.parametrize(
    ("confirmed", "category", "words"),
    [("yes", "PD", "PD; PD confirmed"), ("no", "SD", "SD; PD not confirmed"), ("not_required", "PD", "PD")],
)
def test_what_became_of_a_progression(confirmed, category, words):
    shown = section(verdict(category=category, confirmed=confirmed))
    assert line(shown, "RANO-HGG 2010")["Category"] == words


def test_missing_facts_put_the_images_category_in_brackets():
    shown = section(verdict("ipcg", category="NE"))
    assert line(shown, "IPCG 2005")["Category"] == "NE (images alone: PD)"
    assert category_text(verdict(category="NE", imaging="NE")) == "NE"


def test_numbers_of_a_line_are_those_of_the_sentence():
    rise = line(section(verdict()), "RANO-HGG")
    assert (rise["Sum"], rise["Change"]) == ("412 mm²", "+30 % from 317 on 2022-04-10")
    fall = line(section(verdict(raw="PR", category="PR", imaging="PR", reference=START)), "RANO-HGG")
    assert fall["Change"] == "−50 % from 824 on 2022-01-10"
    unknown = line(section(verdict(total=None, reason="NE: a target has no size at this visit.")), "RANO-HGG")
    assert (unknown["Sum"], unknown["Change"]) == ("", "")
    mixed = line(section(verdict(reason=f"PD: mixed. {SUM} {SUM}")), "RANO-HGG")
    assert mixed["Change"] == "", "two sums have no one change"


def test_probability_names_its_category():
    shown = section(verdict(category="SD", confirmed="pending", probabilities={Category.PD: 0.62, Category.SD: 0.38}))
    assert line(shown, "RANO-HGG")["Probability"] == "PD 0.62"
    assert line(section(verdict()), "RANO-HGG")["Probability"] == ""


def test_first_progression_and_how_long_there_was_none():
    times = [
        TimeToProgression("p01", "rano-hgg", START, LATEST, 180, True),
        TimeToProgression("p01", "mrano", START, None, 120, False),
        TimeToProgression("p01", "rano-lgg", START, None, 0, False),
    ]
    shown = section(verdict(), verdict("mrano"), verdict("rano-lgg"), verdict("ipcg"), times=times)
    told = [row[-1] for row in shown.verdicts.rows]
    assert told == ["2022-07-09 (day 180)", "none by day 120", "could not be judged", "no reference study"]
    assert "Days count from 2022-01-10." in shown.verdicts.notes[0]


def test_what_was_not_run_and_what_has_to_be_told_stands_below():
    shown = section(verdict(), not_run=[NotRun("p01", "rano-2.0", "the most targets of each compartment")])
    assert "Not run: RANO 2.0: the most targets of each compartment" in shown.verdicts.notes
    assert shown.notes == (CAUTION, "ses-02: slices of 5 mm after 3 mm")


def test_nothing_could_be_run():
    assert section(not_run=[NotRun("p01", c, "no value") for c in CRITERIA]).summary == "No criterion could be run."


def test_every_category_has_words():
    assert set(CATEGORY_WORDS) == set(Category)


SIZE = st.floats(8.0, 60.0).map(lambda mm: round(mm, 1))


@settings(max_examples=15)
@given(st.lists(SIZE, min_size=2, max_size=4), st.sampled_from([0.0, 4.0, None]))
def test_every_sum_that_a_criterion_compared_has_its_change(sizes, dose):
    made = course(sizes, dexamethasone_mg=dose)
    judged = judge_all([made.course], [read_criterion(name) for name in CRITERIA])
    shown = response_section(made, judged, digital=False)
    assert len(shown.verdicts.rows) == len(shown.reasons.rows) == len({v.criterion for v in judged.verdicts})
    last = {v.criterion: v for v in judged.verdicts}
    for row, v in zip(shown.verdicts.rows, last.values(), strict=True):
        told = dict(zip(shown.verdicts.header, row, strict=True))
        if "against the nadir" not in v.reason:
            assert told["Change"] == ""
            continue
        percent, start = re.fullmatch(r"([+−]\d+) % from (\S+) on .*", told["Change"]).groups()
        assert float(percent.replace("−", "-")) == pytest.approx(100 * (v.total / float(start) - 1), rel=0.03, abs=2)


# --- the page ----------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects tags, and checks that they close in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(make_bundle) -> Report:
    made = course()
    judged = judge_all([made.course], [read_criterion(name) for name in CRITERIA])
    surgery = assess_surgery(None, None, Event(dt.date(2022, 1, 20), EventKind.SURGERY, value="biopsy"))
    panel = Panel(
        np.zeros((8, 8), np.float32),
        (0.0, 8.0, 0.0, 8.0),
        (0.0, 8.0, 0.0, 8.0),
        (0.0, 1.0),
        "T1C before",
        tuple("RLAP"),
    )
    picture = strip([panel], [], "Before the operation.", "Before the operation, in words.")
    operation = operation_section(surgery, dt.date(2022, 1, 20), {}, [picture])
    shown = response_section(made, judged, [operation], digital=True)
    small = {"shape": (24, 28, 20), "spacing": (6.0, 6.0, 7.0)}
    header = PatientHeader("p01", digital=True)
    return build_report(header, [make_bundle(1, **small), make_bundle(2, **small)], shown)


def test_the_page_is_whole_and_holds_the_pictures(report):
    html = render_html(report)
    page = Page(html)
    assert page.open == []
    sources = [a["src"] for tag, a in page.tags if tag == "img"]
    assert sum(report.response.picture.data in src for src in sources) == 1
    assert sum(report.response.operations[0].pictures[0].data in src for src in sources) == 1
    assert all(a.get("scope") in {"row", "col"} for tag, a in page.tags if tag == "th")
    assert all(len(a["alt"]) > 20 for tag, a in page.tags if tag == "img")
    assert DIGITAL_BANNER in html
    assert html.count(report.response.summary) == 3, (
        "beside the key facts, in the section, and for those who cannot see"
    )
    assert (
        html.index(report.response.summary) < html.index("Latest study by criterion") < html.index("Why, by criterion")
    )


def test_paper_opens_the_reasons(report):
    folded, open_ = render_html(report), render_html(report, unfold=True)
    assert "<details><summary>Why, by criterion" in folded
    assert "<details open><summary>Why, by criterion" in open_


def test_a_report_with_response_is_read_back_as_it_was(report):
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_without_response_the_page_has_no_such_section(report):
    html = render_html(report.model_copy(update={"response": None}))
    assert "Response" not in html


def test_the_picture_says_that_a_patient_is_simulated():
    made = course()
    judged = judge_all([made.course], [read_criterion("rano-hgg")])

    def red(digital):
        data = base64.b64decode(response_section(made, judged, digital=digital).picture.data)
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        return int((np.abs(pixels - (0xB0, 0x00, 0x20)).max(axis=-1) < 20).sum())

    assert red(True) > 100
    assert red(False) == 0


@pytest.mark.parametrize("day", [0, 175])
def test_the_name_of_a_drug_stays_within_its_axes(day):
    made = course(drug="temozolomide + nivolumab", drug_start=START + dt.timedelta(days=day))
    figure = course_figure(made.course, judge_all([made.course]).verdicts, digital=False)
    figure.canvas.draw()
    (name,) = [text for axes in figure.axes for text in axes.texts if text.get_text() == "temozolomide + nivolumab"]
    shown, frame = name.get_window_extent(), name.axes.get_window_extent()
    assert frame.x0 <= shown.x0 < shown.x1 <= frame.x1
