"""Cohorts from every layout, and refusals that say what is missing without naming anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import GeometryError, InputError
from tumorboard.io.images import write_volume
from tumorboard.lab.cohort import Cohort, NotThere, parse_sheet, read_cohort
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Grid, Volume

Make = Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]


def test_a_digital_cohort_is_read_with_all_its_tables(digital_cohort: Cohort) -> None:
    assert digital_cohort.patients == ("digital1", "digital2", "digital3", "digital4")
    assert digital_cohort.digital
    assert not digital_cohort.notes
    assert set(digital_cohort.sites.values()) == {"site01", "site02"}
    assert set(digital_cohort.sheets) == {"participants", "visits", "lesions", "biopsies", "expression"}
    first, second = digital_cohort.days("digital1").values()
    assert first == 0 < second
    assert len(digital_cohort.units("study")) == 8
    assert len(digital_cohort.units("biopsy")) == 24
    loaded = digital_cohort.loaded(Unit("digital1"))
    truth = digital_cohort.values("et_ml", [Unit("digital1", "ses-01")])
    assert loaded.labels.volume_ml("ET") == pytest.approx(float(truth[0]), abs=1e-3)


def test_values_come_from_the_narrowest_row(digital_cohort: Cohort) -> None:
    biopsy = digital_cohort.units("biopsy")[0]
    cells, truth, age = (digital_cohort.values(c, [biopsy])[0] for c in ("cells_mm2", "truth", "age"))
    assert float(cells) > 0
    assert truth == "baseline"
    assert float(age) > 18
    assert digital_cohort.values("visits.kps", [Unit("digital1", "ses-02")]) != ("",)


def test_lesions_are_units_of_one_study(metastases_cohort: Cohort) -> None:
    first, every = metastases_cohort.units("lesion"), metastases_cohort.units("lesion", "all")
    assert {u.study for u in first} == {"ses-01"}
    assert {u.study for u in every} == {"ses-01", "ses-02"}
    unit = first[0]
    numbers = metastases_cohort.loaded(unit).lesions
    assert float(metastases_cohort.values("lesions.volume_ml", [unit])[0]) == pytest.approx(
        (numbers == int(unit.lesion)).sum() * 0.064
    )


def test_maps_are_fitted_where_only_their_series_is_there(digital_cohort: Cohort) -> None:
    loaded = digital_cohort.loaded(Unit("digital1"))
    fitted = loaded.image(Sequence.FA).data[loaded.study.brain]
    assert 0.1 < float(np.median(fitted)) < 0.6
    relative = loaded.image(Sequence.CBV).data[loaded.study.brain]
    assert float(np.median(relative)) == pytest.approx(1.0, abs=0.2)
    with pytest.raises(NotThere, match="no KTRANS"):
        loaded.image(Sequence.KTRANS)


def test_diffusion_of_a_scanner_in_other_units_is_brought_into_ours(heads, four: Make) -> None:
    labels = heads.labels()
    heads.write("A", four(1, labels), labels, maps={"ADC": np.where(heads.brain, 800.0, 0.0)})
    heads.write("B", four(2, labels), labels, maps={"ADC": np.where(heads.brain, 0.8e-3, 0.0)})
    cohort = read_cohort(heads.home)
    for patient in "AB":
        assert cohort.loaded(Unit(patient)).image(Sequence.ADC).data.max() == pytest.approx(0.8, rel=1e-4)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ({"columns": ["idhh"]}, "did you mean 'idh'"),
        ({"sequences": [Sequence.KTRANS]}, "none with KTRANS; there are ADC"),
    ],
)
def test_what_a_cohort_lacks_is_named_before_anything_is_computed(
    digital_cohort: Cohort, ask: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        digital_cohort.require(**ask)


def test_patients_without_images_are_counted_not_named(heads, four: Make) -> None:
    heads.write("seen", four(1, heads.labels()), heads.labels())
    (heads.home / "participants.tsv").write_text("participant_id\tage\nsub-seen\t60\nsub-unseen\t44\n")
    cohort = read_cohort(heads.home)
    assert cohort.notes == ("1 of 2 patients in tables have no images",)
    with pytest.raises(NotThere, match="no images of this patient"):
        cohort.loaded(Unit("unseen"))


def test_tables_that_name_nobody_of_the_folder_are_refused(heads, four: Make) -> None:
    heads.write("Meier", four(1, heads.labels()), heads.labels())
    (heads.home / "participants.tsv").write_text("participant_id\tage\nSchulze\t60\n")
    with pytest.raises(InputError, match="none of them the same") as told:
        read_cohort(heads.home)
    assert "Meier" not in str(told.value)
    assert "Schulze" not in str(told.value)


def test_digital_patients_among_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("participant_id,age\nsub-digital1,60\nsub-real,50\n")
    with pytest.raises(InputError, match="a cohort of patients, or one of digital patients"):
        read_cohort(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("name,age\nA,60\n", "a column participant_id"),
        ("patient_id,age,age\nA,60,61\n", "'age' twice"),
        ("patient_id,age\nA,60\nsub-A,61\n", "table row 3"),
        ("patient_id,age\n,60\n", "an empty cell"),
    ],
)
def test_tables_are_refused_by_row(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_sheet("table", text)


def test_spreadsheets_of_europe_are_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("﻿Patient_ID;age;sex\nA;60;N/A\n\nB;44;F\n".encode())
    cohort = read_cohort(path)
    assert cohort.patients == ("A", "B")
    assert dict(cohort.column("sex")) == {"B": "F"}
    assert not cohort.digital


def test_masks_of_others_need_their_scheme(tmp_path: Path, heads, four: Make) -> None:
    labels = heads.labels()
    folder = tmp_path / "brats" / "BraTS-GLI-00001-000"
    short = {Sequence.T1: "t1n", Sequence.T1C: "t1c", Sequence.T2: "t2w", Sequence.FLAIR: "t2f"}
    for sequence, data in four(1, labels).items():
        volume = Volume(data.astype(np.float32), heads.grid)
        write_volume(volume, folder / f"{folder.name}-{short[sequence]}.nii.gz")
    write_volume(Volume(labels.astype(np.uint8), heads.grid), folder / f"{folder.name}-seg.nii.gz")
    with pytest.raises(InputError, match="give --scheme"):
        read_cohort(folder.parent)
    cohort = read_cohort(folder.parent, scheme="brats2023")
    found = cohort.loaded(cohort.units()[0]).labels
    assert found.volume_ml("ET") == pytest.approx((labels == 3).sum() * 0.064)


def test_masks_on_another_grid_are_refused_in_mm(heads, four: Make) -> None:
    heads.write("A", four(1, heads.labels()))
    shifted = heads.grid.affine.copy()
    shifted[0, 3] += 2.0
    mask = Volume(heads.labels().astype(np.uint8), Grid(heads.grid.shape, shifted))
    write_volume(mask, heads.home / "derivatives" / "masks" / "sub-A" / "ses-01" / "sub-A_ses-01_dseg.nii.gz")
    with pytest.raises(GeometryError, match=r"2\.000 mm"):
        _ = read_cohort(heads.home).loaded(Unit("A")).labels


def test_whole_heads_are_for_the_chain(heads, four: Make) -> None:
    scalp = np.random.default_rng(0).uniform(50.0, 250.0, heads.grid.shape)
    heads.write("A", {s: np.where(heads.brain, d, scalp) for s, d in four(1, heads.labels()).items()}, heads.labels())
    with pytest.raises(InputError, match="whole heads"):
        _ = read_cohort(heads.home).loaded(Unit("A")).study


def test_results_of_a_run_are_taken_as_they_are(tmp_path: Path, heads, four: Make) -> None:
    case, labels = CaseFolder(tmp_path / "out", "P1"), heads.labels()
    for sequence, data in four(1, labels).items():
        write_volume(Volume(data.astype(np.float32), heads.grid), case.anat("ses-01", sequence.bids_suffix))
    write_volume(Volume(heads.brain, heads.grid), case.anat("ses-01", "desc-brain_mask"))
    write_volume(Volume(labels.astype(np.uint8), heads.grid), case.seg("ses-01", "dseg.nii.gz"))
    frame = Frame(Plane((1.0, 0.0, 0.0), 70.0), np.eye(4))
    told = {"xfm/sub-P1_ses-01_frame.json": frame.as_json()}
    card = {"studies": [{"id": "ses-01", "date": "2020-03-04"}], "digital": True}
    (case.session("ses-01") / "xfm").mkdir(parents=True)
    for name, content in told.items():
        (case.session("ses-01") / name).write_text(json.dumps(content))
    (case.root / "patient.json").write_text(json.dumps(card))
    cohort = read_cohort(tmp_path / "out")
    loaded = cohort.loaded(Unit("P1"))
    assert cohort.digital
    assert cohort.days("P1") == {"ses-01": 0}
    assert loaded.frame.midplane.offset_mm == 70.0
    np.testing.assert_array_equal(
        loaded.study.volumes[Sequence.T1].data, four(1, labels)[Sequence.T1].astype(np.float32)
    )
    assert (loaded.lesions > 0).sum() == (np.isin(labels, (1, 3))).sum()


def test_nothing_is_no_cohort(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing there"):
        read_cohort(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        read_cohort(tmp_path / "empty")


def test_a_part_of_a_cohort_holds_nothing_of_the_rest(digital_cohort: Cohort) -> None:
    part = digital_cohort.of(["digital2"])
    assert part.patients == ("digital2",)
    assert set(part.people) == {"digital2"}
    assert all(u.patient == "digital2" for s in part.sheets.values() for u in s.rows)


def test_studies_before_and_after_an_event_are_found_by_its_word(heads, four: Make) -> None:
    for session in ("ses-01", "ses-02", "ses-03"):
        heads.write("A", four(1, heads.labels()), heads.labels(), session=session)
    heads.write("B", four(2, heads.labels()), heads.labels())
    days = zip(("ses-01", "ses-02", "ses-03"), ("01", "11", "21"), strict=True)
    rows = "".join(f"{s}\t2020-01-{d}T00:00:00\n" for s, d in days)
    (heads.home / "sub-A" / "sub-A_sessions.tsv").write_text("session_id\tacq_time\n" + rows)
    (heads.home / "events.csv").write_text(
        "patient_id,date,event,detail\nA,2020-01-11,drug,bevacizumab every 2 weeks\nB,2020-01-11,drug,lomustine\n"
    )
    cohort = read_cohort(heads.home)
    assert cohort.study_of(Unit("A"), "before:bevacizumab") == "ses-02"
    assert cohort.study_of(Unit("A"), "after:bevacizumab") == "ses-03"
    assert dict(cohort.column("event:bevacizumab")) == {"A": "yes", "B": "no"}
    with pytest.raises(NotThere, match="no event 'bevacizumab'"):
        cohort.study_of(Unit("B"), "before:bevacizumab")
    assert cohort.units("patient", "before:bevacizumab") == (Unit("A", "ses-02"), Unit("B"))
    assert cohort.units("study", "last") == (Unit("A", "ses-03"), Unit("B", "ses-01"))


def test_a_tree_without_sessions_is_one_study(heads, four: Make, tmp_path: Path) -> None:
    for sequence, data in four(1, heads.labels()).items():
        name = f"sub-A_{sequence.bids_suffix}.nii.gz"
        write_volume(Volume(data.astype(np.float32), heads.grid), tmp_path / "tree" / "sub-A" / "anat" / name)
    cohort = read_cohort(tmp_path / "tree")
    assert list(cohort.visits("A")) == ["ses-01"]
    assert len(cohort.loaded(Unit("A")).study.volumes) == 4


@pytest.mark.slow
def test_dicom_is_for_the_chain(tmp_path: Path) -> None:
    from tumorboard.simulate.cohort import CohortPlan, write_cohort

    list(write_cohort(CohortPlan(patients=1, visits=1, spacing_mm=6.0, form="dicom"), tmp_path / "c"))
    for path in (tmp_path / "c").iterdir():
        if path.is_dir() and path.name.startswith("sub-"):
            path.rename(tmp_path / "plain")
    with pytest.raises(InputError, match="got DICOM"):
        read_cohort(tmp_path / "plain")


def test_maps_may_lie_in_another_folder(heads, four: Make, tmp_path: Path) -> None:
    heads.write("A", four(1, heads.labels()), heads.labels())
    other = type(heads)(tmp_path / "maps")
    coarse = np.array([[8, 0, 0, -68], [0, 8, 0, -76], [0, 0, 8, -68], [0, 0, 0, 1.0]])
    ramp = np.broadcast_to(np.arange(18.0)[:, None, None] * 8.0, (18, 20, 18))
    other.write("A", four(1, heads.labels()), maps={"cbv": ramp}, coarse=Grid((18, 20, 18), coarse))
    cohort = read_cohort(heads.home, maps=other.home)
    found = cohort.loaded(Unit("A")).image(Sequence.CBV)
    assert found.grid.matches(heads.grid)
    # the ramp is linear in mm, and so is what is resampled from it
    np.testing.assert_allclose(np.diff(found.data[2:-2, 20, 18]), 4.0, atol=1e-3)


def test_the_fluctuation_of_bold_is_about_its_trend() -> None:
    from tumorboard.lab.cohort import Series
    from tumorboard.lab.cohort.fitted import fluctuation_of_bold

    t = np.arange(40)
    quiet, lively = 500.0 + 2.0 * t, 500.0 + 2.0 * t + 10.0 * np.cos(2 * np.pi * (t - 19.5) / 8)
    data = np.stack([quiet, lively]).reshape(2, 1, 1, 40).astype(np.float32)
    found = fluctuation_of_bold(Series(data, Grid((2, 1, 1), np.eye(4)), 2.0)).data.ravel()
    assert found[0] == pytest.approx(0.0, abs=1e-4)
    assert found[1] == pytest.approx(100.0 * 10.0 / np.sqrt(2.0) / 539.0, rel=1e-4)
