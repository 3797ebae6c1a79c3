"""Regions against volumes that are known, and what is empty is missing with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort, NotThere, read_cohort
from tumorboard.lab.regions import REGIONS, parse_region, region
from tumorboard.lab.scene import Scene
from tumorboard.lab.table import Unit
from tumorboard.sequences import Sequence
from tumorboard.transform import Frame, Plane

Make = Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]


@pytest.fixture
def scene(heads, four: Make) -> Scene:
    heads.write("A", four(1, heads.labels()), heads.labels())
    return Scene.of(read_cohort(heads.home), Unit("A"))


def shell_ml(inner_mm: float, outer_mm: float) -> float:
    return 4.0 / 3.0 * math.pi * (outer_mm**3 - inner_mm**3) / 1000.0


def test_regions_hold_what_their_names_say(scene: Scene, heads) -> None:
    ml = {n: float(region(scene, n).sum()) * 0.064 for n in ("ET", "TC", "WT", "NETC", "SNFH", "brain", "none")}
    np.testing.assert_array_equal(region(scene, "TC"), heads.ball((24.0, 0.0, 0.0), 12.0))
    np.testing.assert_array_equal(region(scene, "WT"), heads.ball((24.0, 0.0, 0.0), 20.0))
    assert ml["TC"] == pytest.approx(ml["ET"] + ml["NETC"])
    assert ml["WT"] == pytest.approx(ml["TC"] + ml["SNFH"])
    assert ml["brain"] == pytest.approx(shell_ml(0.0, 64.0), rel=0.02)
    assert ml["none"] == pytest.approx(36 * 40 * 36 * 0.064)


@pytest.mark.parametrize(("name", "low", "high"), [("ring", 0.0, 10.0), ("ring_8-16mm", 8.0, 16.0)])
def test_rings_hold_what_is_so_far_from_the_core(scene: Scene, name: str, low: float, high: float) -> None:
    core = cKDTree(4.0 * np.argwhere(region(scene, "TC")))
    away, _ = core.query(4.0 * np.argwhere(scene.brain))
    expected = np.zeros_like(scene.brain)
    expected[scene.brain] = (away > low) & (away <= high)
    np.testing.assert_array_equal(region(scene, name), expected)


def test_healthy_brain_keeps_away(scene: Scene, heads) -> None:
    found = region(scene, "healthy")
    assert not (found & heads.ball((24.0, 0.0, 0.0), 29.0)).any()
    assert (found & heads.brain).sum() > 5000


def test_the_other_side_is_the_mirror_image(scene: Scene, heads) -> None:
    vars(scene.loaded)["frame"] = Frame(Plane((1.0, 0.0, 0.0), 70.0), np.eye(4))  # a ball has no mid-plane of its own
    np.testing.assert_array_equal(region(scene, "contralateral"), heads.ball((-24.0, 0.0, 0.0), 20.0))


def test_a_box_has_its_margin(scene: Scene) -> None:
    sides = {n: [int(np.ptp(c)) + 1 for c in np.nonzero(region(scene, n))] for n in ("WT", "box_0mm", "box_8mm")}
    assert sides["box_0mm"] == sides["WT"]
    assert sides["box_8mm"] == [s + 4 for s in sides["WT"]]


def test_an_empty_region_is_missing_with_its_reason(scene: Scene) -> None:
    with pytest.raises(NotThere) as told:
        region(scene, "RC")
    assert told.value.why == "no RC in this study"
    with pytest.raises(NotThere, match="no place of a biopsy"):
        region(scene, "biopsy")
    assert [n for n, _ in scene.masks(["ET", "RC"])] == ["ET"]
    assert scene.gaps == {"RC": "no RC in this study"}


def test_a_study_without_outline_has_no_tumour_regions(heads, four: Make) -> None:
    heads.write("A", four(1, heads.labels()))
    bare = Scene.of(read_cohort(heads.home), Unit("A"))
    assert region(bare, "brain").any()
    with pytest.raises(NotThere, match="no outline of the tumour"):
        region(bare, "WT")


def test_lesions_share_the_tumour_without_overlap(metastases_cohort: Cohort) -> None:
    units = [u for u in metastases_cohort.units("lesion") if u.patient == "digital1"]
    scenes = [Scene.of(metastases_cohort, u) for u in units]
    whole = Scene.of(metastases_cohort, Unit("digital1"))
    for name in ("WT", "lesion"):
        parts = [s.region(name) for s in scenes if s.attempt(name, lambda s=s, name=name: s.region(name)) is not None]
        np.testing.assert_array_equal(np.sum(parts, axis=0) > 0, whole.region(name))
        assert np.sum(parts, axis=0).max() == 1
    with pytest.raises(NotThere, match="this lesion is not outlined"):
        Scene.of(metastases_cohort, Unit("digital1", "ses-01", "99")).region("WT")


def test_the_ring_of_a_lesion_leaves_other_lesions_out(metastases_cohort: Cohort) -> None:
    scene = Scene.of(metastases_cohort, metastases_cohort.units("lesion")[0])
    assert not (scene.region("ring_0-60mm") & (scene.loaded.lesions > 0)).any()


def test_a_biopsy_is_a_ball_around_its_place(digital_cohort: Cohort) -> None:
    unit = digital_cohort.units("biopsy")[0]
    scene = Scene.of(digital_cohort, unit)
    at = scene.grid.to_voxel(digital_cohort.biopsy_mm(unit))[0]
    small, large = scene.region("biopsy_1mm"), scene.region("biopsy_30mm")
    np.testing.assert_allclose(np.argwhere(small)[0], at, atol=0.51)
    assert small.sum() == 1
    assert float(large.sum()) * 0.216 == pytest.approx(shell_ml(0.0, 30.0), rel=0.05)


@given(low=st.integers(0, 30), width=st.integers(1, 30))
def test_numbers_in_names_are_read_back(low: int, width: int) -> None:
    assert parse_region(f"ring_{low}-{low + width}mm")[1] == (float(low), float(low + width))


@pytest.mark.parametrize("name", ["ring_5mm", "ring_9-5mm", "box_1-2mm", "WT_5mm", "ring_a-bmm", "TTC"])
def test_names_that_mean_nothing_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="region"):
        parse_region(name)


def test_every_region_says_what_it_is() -> None:
    assert all(r.says and r.numbers in (0, 1, 2) for r in REGIONS.values())
    with pytest.raises(InputError, match="did you mean 'contralateral'"):
        parse_region("contralaterall")


def test_uptake_is_what_exceeds_healthy_brain(heads, four: Make) -> None:
    labels, hot = heads.labels(), heads.ball((24.0, 0.0, 0.0), 14.0)
    fet = np.where(heads.brain, np.where(hot, 1.7, 1.0), 0.0) * 3.0
    heads.write("A", four(1, labels), labels, maps={"trc-FET_pet": fet})
    heads.write("B", four(2, labels), labels)
    cohort = read_cohort(heads.home)
    np.testing.assert_array_equal(Scene.of(cohort, Unit("A")).region("uptake"), hot)
    with pytest.raises(NotThere, match="no PET_FET or PET_MET"):
        Scene.of(cohort, Unit("B")).region("uptake")
