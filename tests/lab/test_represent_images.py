"""Representations of images: what must not change them, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.represent import represent
from tumorboard.lab.represent.base import Represented
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence

Make = Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]

FEW = {"families": ["statistics", "glcm", "morphology"], "spacing_mm": 4.0}


def numbers(made: Represented, row: int = 0) -> dict[str, float]:
    return dict(zip(made.table.names, made.table.values[row].tolist(), strict=True))


def test_a_mirrored_patient_has_the_same_radiomics(heads, four: Make) -> None:
    labels = heads.labels((22.0, 6.0, 2.0))
    images = four(1, labels)
    heads.write("A", images, labels)
    heads.write("B", {s: d[::-1] for s, d in images.items()}, labels[::-1])
    cohort = read_cohort(heads.home)
    made = represent("radiomics", cohort, cohort.units(), sequences=["T1C"], regions=["TC", "ring"], settings=FEW)
    assert len(made.table.names) > 100
    assert not made.gaps
    np.testing.assert_allclose(made.table.values[0], made.table.values[1], rtol=1e-3, atol=1e-3)


def test_a_patient_stored_the_other_way_round_has_the_same_radiomics(heads, four: Make) -> None:
    from tumorboard.volume import Volume

    labels = heads.labels((22.0, 6.0, 2.0))
    images = four(1, labels)
    heads.write("A", images, labels)
    turned = {s: Volume(d.astype(np.float32), heads.grid).reoriented("PSL") for s, d in images.items()}
    mask = Volume(labels.astype(np.uint8), heads.grid).reoriented("PSL")
    heads.write("B", {s: v.data for s, v in turned.items()}, mask.data, grid=mask.grid)
    cohort = read_cohort(heads.home)
    made = represent("radiomics", cohort, cohort.units(), sequences=["T2"], regions=["WT"], settings=FEW)
    np.testing.assert_allclose(made.table.values[0], made.table.values[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["radiomics", "histogram", "stransform"])
def test_the_scale_of_a_scanner_changes_nothing(heads, four: Make, name: str) -> None:
    labels = heads.labels()
    images = four(1, labels)
    heads.write("A", images, labels)
    heads.write("B", {s: 7.5 * d for s, d in images.items()}, labels)
    cohort = read_cohort(heads.home)
    settings = {"radiomics": FEW, "histogram": {}, "stransform": {"size": 16, "pixel_mm": 4.0}}[name]
    made = represent(name, cohort, cohort.units(), sequences=["T1C"], regions=["WT"], settings=settings)
    np.testing.assert_allclose(made.table.values[0], made.table.values[1], rtol=1e-3, atol=1e-4)


def test_a_map_relative_to_healthy_tissue_has_no_unit(heads, four: Make) -> None:
    labels = heads.labels()
    flow = np.where(heads.brain, np.where(labels == 3, 6.0, 2.0), 0.0)
    heads.write("A", four(1, labels), labels, maps={"cbv": flow})
    heads.write("B", four(2, labels), labels, maps={"cbv": 55.0 * flow})
    cohort = read_cohort(heads.home)
    how = {"sequences": ["CBV"], "regions": ["ET"], "settings": {"relative_to": "healthy"}}
    for row in (0, 1):
        found = numbers(represent("histogram", cohort, cohort.units(), **how), row)
        assert found["CBV.ET.mean"] == pytest.approx(3.0)
        assert found["CBV.ET.p95"] == pytest.approx(3.0)


def test_radiomics_are_those_of_the_room_below(heads, four: Make) -> None:
    from tumorboard.lab.represent.radiomics import RadiomicsSet, settings_for
    from tumorboard.radiomics.extract import extract
    from tumorboard.volume import Volume

    labels = heads.labels()
    heads.write("A", four(1, labels), labels)
    cohort = read_cohort(heads.home)
    found = numbers(represent("radiomics", cohort, cohort.units(), sequences=["T2"], regions=["TC"], settings=FEW))
    image = cohort.loaded(Unit("A")).image(Sequence.T2)
    mask = Volume(np.isin(labels, (1, 3)).astype(np.uint8), heads.grid)
    plain = extract(image, mask, settings_for(Sequence.T2, RadiomicsSet(**FEW))).values
    assert found["T2.TC.original.stat_mean"] == plain["original.stat_mean"]
    assert found["shape.TC.morph_volume"] == plain["original.morph_volume"]
    assert found["T2.TC.original.cm_contrast_3D_comb"] == plain["original.cm_contrast_3D_comb"]


def test_shape_is_told_once_and_without_intensities(digital_cohort: Cohort) -> None:
    units = digital_cohort.units()[:1]
    how = {"regions": ["WT"], "settings": {"families": ["morphology", "statistics"], "spacing_mm": 6.0}}
    names = represent("radiomics", digital_cohort, units, sequences=["T1", "T2", "FLAIR"], **how).table.names
    assert sum(n.endswith("morph_volume") for n in names) == 1
    assert not any("moran" in n or "integ_int" in n for n in names)
    assert sum(n.endswith("stat_mean") for n in names) == 3


def test_a_missing_sequence_is_missing_with_its_reason(heads, four: Make) -> None:
    labels = heads.labels()
    whole, poor = four(1, labels), four(2, labels)
    del poor[Sequence.T2]
    heads.write("A", whole, labels)
    heads.write("B", poor, labels)
    cohort = read_cohort(heads.home)
    made = represent("histogram", cohort, cohort.units(), sequences=["T1C", "T2"], regions=["TC", "RC"])
    second = numbers(made, 1)
    assert all(math.isnan(v) for n, v in second.items() if n.startswith("T2."))
    assert all(math.isfinite(v) for n, v in second.items() if n.startswith("T1C."))
    told = {(g.unit.patient, g.what): g.why for g in made.gaps}
    assert told["B", "T2"] == "no T2"
    assert told["A", "T2.RC"] == "no RC in this study"
    assert not any(n.startswith("T2.RC") for n in made.table.names)


def test_what_nobody_has_is_an_error_that_says_why(heads, four: Make) -> None:
    heads.write("A", four(1, heads.labels()), heads.labels())
    cohort = read_cohort(heads.home)
    with pytest.raises(InputError, match=r"T1C\.RC: no RC in this study"):
        represent("histogram", cohort, cohort.units(), sequences=["T1C"], regions=["RC"])


def test_a_broken_file_costs_one_row(heads, four: Make) -> None:
    for n, patient in enumerate("AB"):
        heads.write(patient, four(n, heads.labels()), heads.labels())
    path = next((heads.home / "sub-B").rglob("*T2w.nii.gz"))
    path.write_bytes(path.read_bytes()[:2000])
    cohort = read_cohort(heads.home)
    made = represent("shape", cohort, cohort.units(), regions=["TC"])
    assert np.isfinite(made.table.values[0]).all()
    assert np.isnan(made.table.values[1]).all()
    assert any("T2" in g.why and "ends early" in g.why for g in made.gaps if g.unit.patient == "B")
    assert str(path) not in " ".join(g.why for g in made.gaps)


def test_changes_are_between_the_studies_that_are_named(heads, four: Make) -> None:
    small, large = heads.labels(radius_mm=10.0), heads.labels(radius_mm=16.0)
    for session, labels in (("ses-01", small), ("ses-02", large)):
        heads.write("A", four(1, labels), labels, session=session)
    (heads.home / "sub-A" / "sub-A_sessions.tsv").write_text(
        "session_id\tacq_time\nses-01\t2020-01-01T00:00:00\nses-02\t2020-01-11T00:00:00\n"
    )
    cohort = read_cohort(heads.home)
    settings = {"families": ["morphology"], "spacing_mm": 4.0, "what": ["delta", "delta_per_day"]}
    found = numbers(represent("delta", cohort, cohort.units(), sequences=["T1C"], regions=["TC"], settings=settings))
    at = [Unit("A", s) for s in ("ses-01", "ses-02")]
    both = represent("radiomics", cohort, at, sequences=["T1C"], regions=["TC"], settings=FEW)
    change = numbers(both, 1)["shape.TC.morph_volume"] - numbers(both, 0)["shape.TC.morph_volume"]
    assert found["shape.TC.morph_volume.delta"] == pytest.approx(change)
    assert change > 0
    assert found["shape.TC.morph_volume.delta_per_day"] == pytest.approx(change / 10.0)
    with pytest.raises(InputError, match="no earlier study"):
        represent("delta", cohort, at[:1], sequences=["T1C"], regions=["TC"], settings=settings)


def test_a_place_is_where_the_ball_was_put(heads, four: Make) -> None:
    from tumorboard.transform import Frame, Plane

    labels = heads.labels((24.0, 8.0, -4.0))
    heads.write("A", four(1, labels), labels)
    cohort = read_cohort(heads.home)
    to_mni = np.eye(4)
    to_mni[:3, 3] = heads.grid.affine[:3, 3]  # the grid's own millimetres are the atlas's
    vars(cohort.loaded(Unit("A")))["frame"] = Frame(Plane((1.0, 0.0, 0.0), 70.0), to_mni)
    found = numbers(represent("location", cohort, cohort.units(), regions=["WT"]))
    assert [found[f"location.WT.mni_{a}"] for a in "xyz"] == pytest.approx([24.0, 8.0, -4.0], abs=1e-6)
    assert found["location.WT.right_share"] == 1.0
    assert found["location.WT.off_midline_mm"] == pytest.approx(24.0)
    assert found["location.WT.to_centre_mm"] == pytest.approx(math.sqrt(24.0**2 + 8.0**2 + 4.0**2), abs=1e-6)
    assert sum(v for n, v in found.items() if "lobe=" in n) == 1.0


def test_curves_of_a_series_on_another_grid_are_found(digital_cohort: Cohort) -> None:
    made = represent("curves", digital_cohort, digital_cohort.units(), sequences=["DSC"], regions=["WT", "healthy"])
    for row in range(4):
        found = numbers(made, row)
        assert found["DSC.healthy.height"] == pytest.approx(1.0)
        assert found["DSC.healthy.area"] == pytest.approx(1.0)
        assert 3.0 < found["DSC.healthy.ttp_s"] < 20.0
        assert found["DSC.healthy.psr"] > 50.0
