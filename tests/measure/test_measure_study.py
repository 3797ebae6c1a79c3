"""The list of measurements of one study: complete, traceable, and never a 0 for what is missing."""

import numpy as np
import pytest

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.measure.sources import Files
from tumorboard.measure.study import MEMBERSHIP_BOUNDS, Segmented, measure_study
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Volume

SHAPE = (80, 96, 40)
SPACING = (2.0, 2.0, 4.0)
AFFINE = np.diag([*SPACING, 1.0])


def ball(centre, radius):
    axes = [np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)]
    grids = np.meshgrid(*axes, indexing="ij")
    return sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True)) <= radius**2


BRAIN = ball((80, 96, 80), 70)
FRAME = Frame(Plane((1.0, 0.0, 0.0), 80.0), np.array([[1, 0, 0, -80], [0, 1, 0, -96], [0, 0, 1, -80], [0, 0, 0, 1.0]]))


def study(*sequences):
    rng = np.random.default_rng(1)
    volumes = {s: Volume.of((rng.normal(size=SHAPE) * BRAIN).astype(np.float32), AFFINE) for s in sequences}
    return Study("ses-01", volumes, BRAIN, "RAS", FRAME)


def tumour():
    data = np.zeros(SHAPE, np.uint8)
    data[ball((110, 100, 80), 30)] = 2
    data[ball((110, 100, 80), 20)] = 3
    data[ball((110, 100, 80), 12)] = 1
    data[ball((60, 60, 80), 8)] = 3
    return data


FOUR = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)


def table(measured):
    return {(m.name, m.region): m for m in measured.measurements}


def test_every_value_has_unit_method_and_source():
    measured = measure_study(study(*FOUR), Segmented(LabelMap.of(tumour(), AFFINE)), Files())
    for m in measured.measurements:
        assert m.unit in ("mL", "mm", "mm2", "%", "1")
        if m.status == "ok":
            assert m.method
            assert m.source is not None
        else:
            assert m.value is None
            assert m.reason
    names = [(m.name, m.region) for m in measured.measurements]
    assert len(names) == len(set(names))
    assert {r for n, r in names if n == "volume"} >= {*REGIONS, "brain", "lesion 1", "lesion 2"}


def test_numbers_of_a_known_tumour():
    rows = table(measure_study(study(*FOUR), Segmented(LabelMap.of(tumour(), AFFINE)), Files()))
    assert rows["volume", "WT"].value == pytest.approx((tumour() > 0).sum() * 0.016)
    assert rows["volume", "WT"].source.voxels == (tumour() > 0).sum()
    assert rows["lesion_count", "TC"].value == 2
    assert rows["largest_distance", "TC"].value == pytest.approx(np.hypot(50, 40), abs=2)
    assert rows["longest_diameter_filled", "lesion 1"].value == pytest.approx(40, abs=2)
    assert rows["perpendicular_diameter_filled", "lesion 1"].value == pytest.approx(40, abs=2)
    ring = rows["longest_diameter_ce_only", "lesion 1"].value
    assert ring == pytest.approx(2 * np.sqrt(20**2 - 12**2), abs=3)
    assert rows["measurable", "lesion 1"].value == "yes"
    assert rows["side_share_right", "WT"].value > 90


def test_the_diameters_drawn_are_those_listed():
    measured = measure_study(study(*FOUR), Segmented(LabelMap.of(tumour(), AFFINE)), Files())
    rows = table(measured)
    for number, readings in measured.diameters.items():
        for reading, d in readings.items():
            listed = rows[f"longest_diameter_{reading}", f"lesion {number}"]
            assert listed.value == d.longest_mm
            assert listed.source.points_ijk == d.longest_ijk
            a, b = (np.array(p) * SPACING for p in d.longest_ijk)
            assert np.linalg.norm(a - b) + d.edge_mm[0] == pytest.approx(d.longest_mm)
            assert all(measured.lesions.numbers[p] == number for p in d.longest_ijk)


def test_nothing_found_is_zero_with_places_not_assessable():
    rows = table(measure_study(study(*FOUR), Segmented(LabelMap.of(np.zeros(SHAPE, np.uint8), AFFINE)), Files()))
    assert rows["volume", "WT"].value == 0
    assert rows["lesion_count", "WT"].value == 0
    for name in ("lobe", "side_share_left", "centroid_mni_x", "depth_to_cortex"):
        assert rows[name, "WT"].status == "not_assessable"


def test_what_could_not_be_looked_for_is_never_a_zero():
    missing = dict.fromkeys(("ET", "NETC", "TC"), "T1C was not given")
    data = np.where(tumour() > 0, 2, 0).astype(np.uint8)
    rows = table(measure_study(study(Sequence.FLAIR), Segmented(LabelMap.of(data, AFFINE), {}, missing), Files()))
    for (name, region), m in rows.items():
        if region in missing or "ce_only" in name:
            assert m.value is None
            assert m.reason == "T1C was not given"
    assert rows["longest_diameter_flair", "lesion 1"].value == pytest.approx(60, abs=3)


def test_intervals_hold_the_value_and_come_from_the_memberships():
    labels = LabelMap.of(tumour(), AFFINE)
    soft = np.where(labels.region("WT"), 0.7, 0.0).astype(np.float32)
    soft[ball((110, 100, 80), 33) & ~labels.region("WT")] = 0.4
    rows = table(measure_study(study(*FOUR), Segmented(labels, {"WT": Volume(soft, labels.grid)}), Files()))
    low, high = rows["volume", "WT"].interval
    assert low == pytest.approx((soft > MEMBERSHIP_BOUNDS[0]).sum() * 0.016)
    assert high == pytest.approx((soft > MEMBERSHIP_BOUNDS[1]).sum() * 0.016)
    assert low <= rows["volume", "WT"].value <= high
    assert rows["volume", "ET"].interval is None


def test_single_voxel_tumour():
    data = np.zeros(SHAPE, np.uint8)
    data[40, 40, 20] = 3
    rows = table(measure_study(study(*FOUR), Segmented(LabelMap.of(data, AFFINE)), Files()))
    assert rows["volume", "ET"].value == pytest.approx(0.016)
    assert rows["lesion_count", "TC"].value == 0
