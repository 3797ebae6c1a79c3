"""`tumorboard respond` through the real command: what it writes, what it tells, what it refuses before writing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tumorboard.respond import CRITERIA
from tumorboard.respond.case.course import CaseCourse, course_of
from tumorboard.respond.table.write import TIME_COLUMNS, VERDICT_COLUMNS
from tumorboard.respond.visits import Course, Kind, Visit

ALWAYS = {"verdicts.csv", "ttp.csv", "criteria.json"}
HEADER = "patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,volume_ml,dexamethasone_mg,clinical,t2flair\n"
FIRST = dt.date(2022, 1, 10)


def row(patient: str, day: int, mm: float, *, facts: bool = True, lesion: str = "L1", volume: float | None = None):
    """A round lesion at a visit; day 0 is the baseline."""
    kind = "followup" if day else "baseline"
    ml = np.pi / 6 * mm**3 / 1000 if volume is None else volume
    told = "0,stable,stable" if facts else ",,"
    return f"{patient},{FIRST + dt.timedelta(days=day)},{kind},{lesion},ce,{mm},{mm},{ml:.4f},{told}\n"


def course(patient: str, sizes: Sequence[float], **more) -> str:
    return "".join(row(patient, 60 * n, mm, **more) for n, mm in enumerate(sizes))


GROWS = (20.0, 18.0, 12.0, 12.0, 16.0)
"""Falls by more than half of its product, twice, and progresses at the last visit, on day 240."""


@pytest.fixture
def visits(home):
    """Write a table of visits under a person's name; returns its path."""

    def write(*courses: str, header: str = HEADER) -> Path:
        path = home / "DOE_JANE_visits.csv"
        path.write_text(header + "".join(courses))
        return path

    return write


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*")}


def banner(picture: Path) -> int:
    """Return how many pixels of the upper rim have the red of the words about digital patients."""
    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)[:60]
    return int((np.abs(pixels - (0xB0, 0x00, 0x20)).sum(axis=-1) < 30).sum())


# --- one patient --------------------------------------------------------------------------------------------------


def test_a_patient_gives_these_tables_and_a_picture(command, visits, tmp_path):
    ended = command("respond", visits(course("P1", GROWS)), "--out", tmp_path / "out")
    assert ended.code == 0, ended.text
    assert names(tmp_path / "out") == {*ALWAYS, "course_01.png"}
    text = (tmp_path / "out" / "verdicts.csv").read_text()
    assert text.splitlines()[0] == ",".join(VERDICT_COLUMNS)
    verdicts = table(tmp_path / "out" / "verdicts.csv")
    dates = [(FIRST + dt.timedelta(days=60 * n)).isoformat() for n in range(5)]
    assert [(v["date"], v["criterion"]) for v in verdicts] == [(d, c) for d in dates for c in CRITERIA]
    told = [(v["raw_category"], v["category"], v["confirmed"]) for v in verdicts if v["criterion"] == "rano-2.0"]
    response = ("PR", "PR", "yes")
    settled = ("not_required",)
    assert told == [("BL", "BL", *settled), ("SD", "SD", *settled), response, response, ("PD", "PD", *settled)]
    assert {v["patient_id"] for v in verdicts} == {"P1"}
    assert (tmp_path / "out" / "ttp.csv").read_text().splitlines()[0] == ",".join(TIME_COLUMNS)
    times = {t["criterion"]: t for t in table(tmp_path / "out" / "ttp.csv")}
    assert list(times) == list(CRITERIA)
    assert times["rano-2.0"] | {"patient_id": "P1"} == {
        **{"patient_id": "P1", "criterion": "rano-2.0", "start": dates[0], "progression_date": dates[-1]},
        **{"days": "240", "event": "1"},
    }
    assert (times["mrano"]["event"], times["mrano"]["progression_date"]) == ("0", "")  # waits for another study
    assert "on day 240" in ended.flat
    assert "course_*.png" in ended.flat


def test_the_card_holds_every_criterion_with_its_source_and_what_is_unverified(command, visits, tmp_path):
    assert command("respond", visits(course("P1", GROWS)), "--out", tmp_path).code == 0
    held = json.loads((tmp_path / "criteria.json").read_text())
    assert [c["id"] for c in held["criteria"]] == list(CRITERIA)
    assert all(c["source"] for c in held["criteria"])
    assert held["criteria"][4]["unknown"]["max_targets"]
    assert held["imaging_only"] is False
    assert held["not_run"] == []


def test_the_same_table_gives_the_same_bytes(command, visits, tmp_path, contents):
    path = visits(course("P1", GROWS))
    for name in "ab":
        assert command("respond", path, "--out", tmp_path / name, "-c", "mrano,ipcg").code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_visit_without_lesions_and_a_single_study_are_judged(command, visits, tmp_path):
    empty = f"P2,{FIRST},baseline,,,,,,0,stable,stable\n"
    assert command("respond", visits(course("P1", (20.0,)), empty), "--out", tmp_path).code == 0
    assert {v["category"] for v in table(tmp_path / "verdicts.csv")} == {"BL"}
    assert names(tmp_path) >= {"course_01.png", "course_02.png"}


# --- which criteria, and their settings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "run"),
    [
        ("all", CRITERIA),
        ("volumetric", ("volumetric",)),
        (" rano-bm , recist-1.1,rano-bm", ("rano-bm", "recist-1.1")),
    ],
)
def test_criteria_are_chosen_by_name(command, visits, tmp_path, words, run):
    assert command("respond", visits(course("P1", GROWS[:2])), "--out", tmp_path, "--criteria", words).code == 0
    assert tuple(t["criterion"] for t in table(tmp_path / "ttp.csv")) == run


@pytest.mark.parametrize(
    ("words", "says"),
    [("rano-hg", "did you mean 'rano-hgg'"), ("DOE_JANE", "macdonald, rano-hgg"), (" , ", "got nothing")],
)
def test_an_unknown_criterion_is_refused(refused, visits, tmp_path, words, says):
    refused("respond", visits(course("P1", GROWS)), "--out", tmp_path / "out", "-c", words, says=("--criteria", says))
    assert not (tmp_path / "out").exists()


THREE = "".join(row("P1", day, 20.0 + day / 10, lesion=lesion) for day in (0, 60) for lesion in "ABC")


def test_a_criterion_that_lacks_a_number_is_listed_and_the_others_run(command, visits, tmp_path):
    ended = command("respond", visits(THREE, course("P2", GROWS)), "--out", tmp_path, "-c", "rano-2.0,rano-hgg")
    assert ended.code == 0
    assert "not run: rano-2.0, 1 of 2 patients" in ended.flat
    assert "--set rano-2.0.max_targets=NUMBER" in ended.flat
    (left,) = json.loads((tmp_path / "criteria.json").read_text())["not_run"]
    assert (left["patient_id"], left["criterion"]) == ("P1", "rano-2.0")
    judged = {(v["patient_id"], v["criterion"]) for v in table(tmp_path / "verdicts.csv")}
    assert judged == {("P1", "rano-hgg"), ("P2", "rano-2.0"), ("P2", "rano-hgg")}
    assert {(t["patient_id"], t["criterion"]) for t in table(tmp_path / "ttp.csv")} == judged


def test_a_number_that_is_given_runs_it(command, visits, tmp_path):
    words = ("-c", "rano-2.0", "--set", "rano-2.0.max_targets=2")
    ended = command("respond", visits(THREE), "--out", tmp_path, *words)
    assert ended.code == 0
    assert "not run" not in ended.flat
    assert [float(v["sum"]) for v in table(tmp_path / "verdicts.csv")] == [2 * 20.0**2, 2 * 26.0**2]


def test_another_measure_and_threshold_can_be_set(command, visits, tmp_path):
    words = ("-c", "rano-2.0", "--set", "rano-2.0.measure=volume", "--set", "rano-2.0.volume.pd_rise=0.2")
    sizes = (20.0, 21.5)  # the product rises by 16 %, the volume by 24 %
    assert command("respond", visits(course("P1", sizes)), "--out", tmp_path, *words).code == 0
    last = table(tmp_path / "verdicts.csv")[-1]
    assert last["category"] == "PD"
    assert " mL" in last["reason"]


@pytest.mark.parametrize(
    "setting",
    [
        *("max_targets=2", "rano-2.0=2", "rano-2.0.max_targets", "rano-2.0.max_targets=", "DOE_JANE.x=1"),
        *("rano-2.0.max_targets=0", "rano-2.0.max_targets=two", "rano-2.0.nothing=1", "rano-2.0.measure=longest"),
        *("rano-2.0.title=DOE_JANE", "irano.max_targets=2"),
    ],
)
def test_a_setting_of_another_form_is_refused(command, visits, tmp_path, setting):
    words = ("-c", "rano-2.0", "--set", setting)
    ended = command("respond", visits(course("P1", GROWS)), "--out", tmp_path / "out", *words)
    assert ended.code == 2, ended.text
    assert "--set" in ended.err
    assert "DOE" not in ended.text
    assert not (tmp_path / "out").exists()


# --- missing facts ------------------------------------------------------------------------------------------------


def test_without_facts_visits_are_not_evaluable_and_say_why(command, visits, tmp_path):
    ended = command("respond", visits(course("P1", GROWS, facts=False)), "--out", tmp_path, "-c", "rano-hgg")
    verdicts = table(tmp_path / "verdicts.csv")[1:]
    assert {v["category"] for v in verdicts} == {"NE"}
    assert [v["imaging_only"] for v in verdicts] == ["SD", "PR", "PR", "PD"]
    assert all("Not told: steroid dose" in v["reason"] for v in verdicts)
    assert "4 of 5 verdicts are NE for what was not told" in ended.flat


def test_images_alone_can_stand_for_all(command, visits, tmp_path):
    path = visits(course("P1", GROWS, facts=False))
    ended = command("respond", path, "--out", tmp_path, "-c", "rano-hgg", "--imaging-only")
    assert [v["category"] for v in table(tmp_path / "verdicts.csv")] == ["BL", "SD", "PR", "PR", "PD"]
    assert json.loads((tmp_path / "criteria.json").read_text())["imaging_only"] is True
    assert "not told" not in ended.flat


def test_a_raised_dose_is_not_called_a_missing_fact(command, visits, tmp_path):
    path = visits(course("P1", (20.0,)), row("P1", 60, 20.0).replace(",0,st", ",8,st"))
    ended = command("respond", path, "--out", tmp_path, "-c", "rano-hgg")
    assert [v["category"] for v in table(tmp_path / "verdicts.csv")] == ["BL", "NE"]
    assert "not told" not in ended.flat


# --- refusals -----------------------------------------------------------------------------------------------------


ONE = course("P1", GROWS)
BAD_TABLES = {
    "no file": (None, ("visits",)),
    "empty": ("", ("visits",)),
    "a header alone": (HEADER, ("rows of visits",)),
    "a column that is not ours": (HEADER.replace("clinical", "name") + ONE, ("delete the column",)),
    "without kind": (HEADER.replace("kind,", "") + ONE, ("kind",)),
    "cm": (HEADER.replace("long_mm", "long_cm") + ONE, ("multiply by 10", "long_mm")),
    "a number with its unit": (HEADER + ONE.replace("20.0", "2.0 cm", 1), ("row 2", "multiply by 10")),
    "a date of another form": (HEADER + ONE.replace(str(FIRST), "04.03.1961", 1), ("row 2", "YYYY-MM-DD")),
    "no date": (HEADER + ONE.replace(str(FIRST), "", 1), ("row 2", "a date")),
    "a day twice": (HEADER + ONE + row("P1", 60, 9.0), ("row 7", "once a day")),
    "an unknown kind": (HEADER + ONE.replace("baseline", "DOE_JANE"), ("row 2", "baseline, followup")),
    "a baseline after progression": (HEADER + ONE + row("P1", 300, 9.0).replace("followup", "baseline"), ("row 7",)),
    "no baseline": (HEADER + ONE.replace("baseline", "followup"), ("row 2", "baseline, post_op")),
    "a dose that contradicts": (
        HEADER + ONE + row("P1", 60, 9.0, lesion="L2").replace(",0,st", ",8,st"),
        ("one dexa",),
    ),
    "a huge volume": (HEADER + row("P1", 0, 20.0, volume=4188.0), ("row 2", "up to 2000")),
    "mL and mm3": (HEADER + row("P1", 0, 8.0, volume=270.0), ("row 2", "in mm3")),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_and_nothing_is_written(refused, home, tmp_path, name):
    text, says = BAD_TABLES[name]
    path = home / "DOE_JANE_visits.csv"
    if text is not None:
        path.write_text(text)
    refused("respond", path, "--out", tmp_path / "out", says=says)
    assert not (tmp_path / "out").exists()


def test_a_refusal_leaves_earlier_results_alone(command, refused, visits, tmp_path, contents):
    assert command("respond", visits(ONE), "--out", tmp_path / "out", "-c", "mrano").code == 0
    before = contents(tmp_path / "out")
    refused("respond", visits(ONE, "P1,1961-03-04,followup,L1,ce,x,,,,,\n"), "--out", tmp_path / "out", "-c", "mrano")
    assert contents(tmp_path / "out") == before


def test_a_folder_of_other_things_is_refused(refused, home, tmp_path):
    refused("respond", home, "--out", tmp_path / "out", says=("case folders", "tumorboard run"))
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_refused(refused, visits, tmp_path):
    (tmp_path / "taken").write_text("mine")
    refused("respond", visits(ONE), "--out", tmp_path / "taken", "-c", "mrano", says=("output",))
    assert (tmp_path / "taken").read_text() == "mine"


def test_an_odd_table_is_judged_and_told(command, visits, tmp_path):
    ended = command("respond", visits(ONE, row("P1", 300, 16.0, lesion="L2")), "--out", tmp_path, "-c", "mrano")
    assert ended.code == 0
    assert "warning: a lesion appears at a follow-up without new_lesion: is it new? (row 7)" in ended.flat


# --- whose courses they are ---------------------------------------------------------------------------------------


def test_no_name_of_a_patient_reaches_a_file_name_or_the_screen(command, visits, tmp_path):
    odd = ("../x", "DOE^JANE", "a/b", "..", "C:\\x", "=1+1", "[bold]n[/]")
    path = visits(*(course(name, GROWS[:2]) for name in odd))
    before = names(tmp_path)
    ended = command("respond", path, "--out", tmp_path / "in" / "out", "-c", "volumetric")
    assert ended.code == 0, ended.text
    files = {*ALWAYS, *(f"course_{n:02d}.png" for n in range(1, len(odd) + 1))}
    assert names(tmp_path) - before == {"in", "in/out", *(f"in/out/{name}" for name in files)}
    assert {v["patient_id"] for v in table(tmp_path / "in" / "out" / "verdicts.csv")} == set(odd)
    for word in ("DOE", "JANE", "a/b", "../x", "1+1", "bold"):
        assert word not in ended.text.replace(str(tmp_path), "")


def test_simulated_patients_are_marked_on_the_picture(command, visits, tmp_path):
    path = visits(ONE)
    for name, words in (("plain", ()), ("digital", ("--digital",))):
        assert command("respond", path, "--out", tmp_path / name, "-c", "mrano", *words).code == 0
    assert banner(tmp_path / "plain" / "course_01.png") == 0
    assert banner(tmp_path / "digital" / "course_01.png") > 100


# --- many patients ------------------------------------------------------------------------------------------------


def cohort(n: int) -> list[str]:
    """Courses that progress at visit 2, 3 or 4; of every third the volume does so a visit before the diameters."""
    out = []
    for p in range(n):
        last = 2 + p % 3
        sizes = [20.0 - v if v < last else 24.0 + 4 * (v - last) for v in range(6)]
        rows = [row(f"G{p:02d}", 60 * v, mm) for v, mm in enumerate(sizes)]
        if p % 3 == 0:
            rows[last - 1] = row(f"G{p:02d}", 60 * (last - 1), sizes[last - 1], volume=9.0)
        out += rows
    return out


def outcomes(path: Path, n: int, days=lambda p: 330 + 90 * (p % 3) + p) -> Path:
    rows = (f"G{p:02d},{days(p)},{int(p != 4)}\n" for p in range(n))
    path.write_text("patient_id,survival_days,dead\n" + "".join(rows))
    return path


TWO = ("-c", "rano-hgg,volumetric", "--digital")


def test_twelve_patients_are_compared_and_survival_is_told(command, visits, tmp_path):
    survival = outcomes(tmp_path / "outcomes.csv", 12)
    words = (*TWO, "--outcomes", survival)
    ended = command("respond", visits(*cohort(12)), "--out", tmp_path / "out", *words)
    assert ended.code == 0, ended.text
    pictures = {"progression.png", "landmark_rano-hgg.png", "landmark_volumetric.png"}
    courses = {f"course_{n:02d}.png" for n in range(1, 13)}
    assert names(tmp_path / "out") == {*ALWAYS, *courses, *pictures, "agreement.csv", "surrogate.csv"}
    assert "12 of 12" in ended.flat
    agreement = {r["quantity"]: r for r in table(tmp_path / "out" / "agreement.csv")}
    assert float(agreement["same_date"]["value"]) == pytest.approx(8 / 12)
    assert float(agreement["bias"]["value"]) == pytest.approx(60 * 4 / 12)  # RANO-HGG is later
    surrogate = table(tmp_path / "out" / "surrogate.csv")
    assert {r["criterion"] for r in surrogate} == {"rano-hgg", "volumetric"}
    concordance = next(r for r in surrogate if (r["criterion"], r["quantity"]) == ("rano-hgg", "c_index"))
    assert (concordance["n"], concordance["deaths"]) == ("12", "11")
    # later progression, longer life: 44 pairs in order and 16 that progressed on one day, which count half
    assert float(concordance["value"]) == pytest.approx(52 / 60)
    assert {r["digital"] for r in (*surrogate, *agreement.values())} == {"1"}
    for name in pictures:
        assert banner(tmp_path / "out" / name) > 100, name


def test_more_patients_are_not_drawn_one_by_one(command, visits, tmp_path):
    assert command("respond", visits(*cohort(13)), "--out", tmp_path / "out", *TWO[:2]).code == 0
    assert names(tmp_path / "out") == {*ALWAYS, "agreement.csv", "progression.png"}
    assert {r["digital"] for r in table(tmp_path / "out" / "agreement.csv")} == {"0"}


def test_a_criterion_that_judged_nobody_is_not_compared(command, visits, tmp_path):
    words = ("-c", "volumetric,rano-lgg")
    ended = command("respond", visits(*cohort(13)), "--out", tmp_path / "out", *words)
    assert names(tmp_path / "out") == {*ALWAYS, "progression.png"}  # one is left, which agrees with nothing
    assert "0 of 13" not in ended.flat


def test_few_patients_are_not_compared_and_it_is_told(command, visits, tmp_path, monkeypatch):
    monkeypatch.setattr("tumorboard.cli.respond.COURSE_PICTURES", 0)
    survival = outcomes(tmp_path / "outcomes.csv", 9)
    words = (*TWO, "--outcomes", survival)
    ended = command("respond", visits(*cohort(9)), "--out", tmp_path / "out", *words)
    assert ended.code == 0
    assert names(tmp_path / "out") == ALWAYS
    assert "over 10 patients at least" in ended.flat


BAD_OUTCOMES = {
    "nobody of the visits": ("patient_id,survival_days,dead\nDOE,400,1\n", "names of the visits"),
    "shorter than the visits": ("patient_id,survival_days,dead\nG00,12,1\n", "the last visit"),
    "another table": ("patient_id,kind\nG00,1\n", "delete the column"),
    "months": ("patient_id,survival_days,dead\nG00,12 months,1\n", "outcomes row 2"),
}


@pytest.mark.parametrize("name", BAD_OUTCOMES)
def test_bad_outcomes_are_refused_and_nothing_is_written(refused, visits, tmp_path, name):
    text, says = BAD_OUTCOMES[name]
    (tmp_path / "outcomes.csv").write_text(text)
    words = (*TWO, "--outcomes", tmp_path / "outcomes.csv")
    refused("respond", visits(*cohort(13)), "--out", tmp_path / "out", *words, says=(says,))
    assert not (tmp_path / "out").exists()


# --- from a case folder -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(coarse_patient, tmp_path_factory) -> Path:
    """What a run leaves of a digital patient of 4 mm, first and last study, outlined by their truth."""
    from dataclasses import replace

    from tumorboard.chain.patient import PatientTrip
    from tumorboard.intake import IntakeRequest, take_in
    from tumorboard.settings import RunSettings
    from tumorboard.simulate.files.tree import write_digital_patient
    from tumorboard.study import LabelsInput

    place = tmp_path_factory.mktemp("results")
    write_digital_patient(coarse_patient, place / "in")
    (patient,) = take_in(IntakeRequest(inputs=(place / "in",), events=place / "in" / "events.csv")).patients
    truth = place / "in" / "derivatives" / "truth" / "sub-digital"
    studies = tuple(
        replace(s, labels=LabelsInput(truth / s.id / "seg" / f"sub-digital_{s.id}_dseg.nii.gz", "tumorboard"))
        for s in patient.studies[::2]
    )
    made = RunSettings(digital=True)
    PatientTrip(place / "out", replace(patient, studies=studies), (), made, lambda _: None).go("measure")
    return place / "out"


def test_a_case_folder_is_judged_like_the_table_it_gives(command, results, tmp_path, contents):
    before = contents(results)
    ended = command("respond", results / "sub-digital", "--out", tmp_path / "case", "-c", "rano-hgg,volumetric")
    assert ended.code == 0, ended.text
    assert names(tmp_path / "case") == {*ALWAYS, "visits.csv", "course_01.png"}
    assert banner(tmp_path / "case" / "course_01.png") > 100  # the folder says that the patient is simulated
    assert contents(results) == before
    assert [v["date"] for v in table(tmp_path / "case" / "verdicts.csv")[::2]] == sorted(
        {v["date"] for v in table(tmp_path / "case" / "visits.csv")}
    )
    words = ("-c", "rano-hgg,volumetric", "--digital")
    assert command("respond", tmp_path / "case" / "visits.csv", "--out", tmp_path / "table", *words).code == 0
    case, again = contents(tmp_path / "case"), contents(tmp_path / "table")
    assert case.pop("visits.csv")
    assert case == again


def test_of_several_patients_those_that_fail_are_named_and_the_others_judged(
    command, refused, results, tmp_path, monkeypatch
):
    days = (FIRST, FIRST + dt.timedelta(days=90))
    seen = Course(
        "digital", tuple(Visit(day, kind) for day, kind in zip(days, (Kind.BASELINE, Kind.FOLLOWUP), strict=True))
    )

    def once(case):
        """Spare the following of lesions, which takes long; what is refused is refused for real."""
        return CaseCourse(seen, ("ses-01", "ses-02"), ()) if case.name == "sub-digital" else course_of(case)

    monkeypatch.setattr("tumorboard.respond.case.course.course_of", once)
    shutil.copytree(results, tmp_path / "several")
    shutil.copytree(results / "sub-digital", tmp_path / "several" / "sub-other")  # its files bear another name
    ended = command("respond", tmp_path / "several", "--out", tmp_path / "out", "-c", "volumetric")
    assert ended.code == 3
    assert "not judged: sub-other: case folder: expected" in ended.flat
    assert "1 that failed" in ended.flat
    assert len(table(tmp_path / "out" / "verdicts.csv")) == 2
    shutil.rmtree(tmp_path / "several" / "sub-digital")
    shutil.copytree(tmp_path / "several" / "sub-other", tmp_path / "several" / "sub-third")
    refused("respond", tmp_path / "several", "--out", tmp_path / "none", says=("none of 2",))
    assert not (tmp_path / "none").exists()


# --- size ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ten_thousand_visits_are_judged_by_all_criteria_in_minutes(command, visits, tmp_path):
    rng = np.random.default_rng(3)
    sizes = np.clip(20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.15, (1000, 10)), axis=1)), 5.0, 80.0).round(1)
    path = visits(*(course(f"P{p:04d}", own) for p, own in enumerate(sizes)))
    start = time.perf_counter()
    ended = command("respond", path, "--out", tmp_path / "out")
    seconds = time.perf_counter() - start
    assert ended.code == 0
    assert len((tmp_path / "out" / "verdicts.csv").read_text().splitlines()) == 1 + 10_000 * len(CRITERIA)
    assert seconds < 240, seconds
