"""Intraclass correlation against the published example, and perturbations against what they say they do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError, InputError
from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.settings import FilterSettings, Interpolation, Normalisation, RadiomicsSettings
from tumorboard.radiomics.stability import Icc, Ranges, icc, icc_table, perturbed, repeated, stable
from tumorboard.radiomics.stability.noise import noise_sd
from tumorboard.radiomics.stability.outline import grown, redrawn, signed_distance
from tumorboard.radiomics.stability.turn import turned
from tumorboard.volume import Grid, Volume

RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428, table 2: four judges rate six targets."""

NONE = Ranges(rotation_deg=0.0, shift=0.0, noise=0.0, growth=0.0, contour_mm=0.0)

# ---- intraclass correlation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    [
        ("ICC(1,1)", 0.1657, -0.133, 0.723),  # table 4 of the paper gives .17, .29 and .71; the intervals are those
        ("ICC(2,1)", 0.2898, 0.019, 0.761),  # that R's psych::ICC prints for the same table
        ("ICC(3,1)", 0.7148, 0.342, 0.946),
    ],
)
def test_the_published_example(kind, value, low, high):
    found = icc(RATINGS, kind)
    assert found.value == pytest.approx(value, abs=6e-5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)
    assert (found.subjects, found.repeats, found.kind) == (6, 4, kind)


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    [
        ("ICC(1,1)", 0.31549856, -0.22953346, 0.91813331),
        ("ICC(2,1)", 0.38753709, -0.04442605, 0.92032112),
        ("ICC(3,1)", 0.56634866, -0.09278185, 0.9597128),
    ],
)
def test_intervals_are_those_of_pingouin(kind, value, low, high):
    found = icc([[49, 52, 58], [62, 60, 71], [55, 61, 60], [53, 66, 64]], kind)  # pingouin 0.7.0, run once
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-8)


@pytest.mark.parametrize("kind", ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
def test_neither_unit_nor_zero_nor_order_of_subjects_matter(kind):
    first = icc(RATINGS, kind)
    other = icc(1e180 * (np.array(RATINGS)[::-1] - 3.0), kind)
    assert (other.value, other.low, other.high) == pytest.approx((first.value, first.low, first.high))


def test_agreement_counts_a_shift_of_one_repeat_and_consistency_does_not():
    table = np.random.default_rng(0).normal(size=(12, 1)) + np.array([[0.0, 5.0]])
    assert icc(table, "ICC(3,1)").value == pytest.approx(1.0)
    assert icc(table, "ICC(2,1)").value < 0.2
    assert icc(table, "ICC(1,1)").value < 0.0


@pytest.mark.parametrize("kind", ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
def test_equal_repeats_agree_and_equal_values_say_nothing(kind):
    found = icc([[1, 1, 1], [2, 2, 2], [5, 5, 5]], kind)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))
    assert math.isnan(icc(np.ones((4, 3)), kind).value)
    assert math.isnan(icc([[1.0, 2.0]], kind).value)


@pytest.mark.parametrize("kind", ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
def test_the_interval_covers_the_truth_as_often_as_it_says(kind):
    rng, truth = np.random.default_rng(1), 0.8
    hits = 0
    for _ in range(400):
        table = np.sqrt(truth) * rng.normal(size=(15, 1)) + np.sqrt(1 - truth) * rng.normal(size=(15, 4))
        found = icc(table, kind)
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 400 <= 0.99


def test_subjects_without_a_value_are_left_out():
    table = np.array([*RATINGS, [np.nan, 1, 2, 3], [np.inf, 1, 2, 3]], dtype=float)
    assert icc(table, "ICC(3,1)") == icc(RATINGS, "ICC(3,1)")


@pytest.mark.parametrize(("values", "kind"), [([1, 2], "ICC(1,1)"), ([[1], [2]], "ICC(1,1)"), (RATINGS, "ICC(1,k)")])
def test_what_is_no_table_is_refused(values, kind):
    with pytest.raises(InputError):
        icc(values, kind)


def test_tables_by_feature():
    subjects = [[{"a": r, "b": 0.0} for r in row] for row in RATINGS]
    table = icc_table(subjects, "ICC(3,1)")
    assert table["a"] == icc(RATINGS, "ICC(3,1)")
    assert math.isnan(table["b"].value)
    assert stable(table, 0.7) == ("a",)
    assert stable(table, 0.7, by="low") == stable(table, 0.75) == ()
    with pytest.raises(InputError, match="as many repeats"):
        icc_table([subjects[0], subjects[1][:2]])
    with pytest.raises(InputError, match="none"):
        icc_table([])
    with pytest.raises(InputError, match="value or low"):
        stable({"a": Icc("ICC(1,1)", 1.0, 1.0, 1.0, 2, 2)}, by="high")


# ---- outlines ------------------------------------------------------------------------------------------


def ball(shape=(40, 36, 30), radius_mm=10.0, spacing=(1.0, 1.0, 1.5)):
    at = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    return at[0][:, None, None] ** 2 + at[1][None, :, None] ** 2 + at[2] ** 2 < radius_mm**2


@given(st.floats(-0.6, 1.0), st.integers(0, 9))
def test_growth_gives_the_volume_that_was_asked_for(share, seed):
    mask = ball()
    found = grown(mask, (1.0, 1.0, 1.5), share, np.random.default_rng(seed))
    assert found.sum() == round(mask.sum() * (1 + share))
    assert not ((found & ~mask).any() and (mask & ~found).any())


def test_growth_goes_to_all_sides():
    mask = ball(spacing=(1.0, 1.0, 1.0), shape=(40, 40, 40))
    more = grown(mask, (1.0, 1.0, 1.0), 0.05, np.random.default_rng(0)) & ~mask
    assert np.abs(np.argwhere(more).mean(axis=0) - 19.5).max() < 1.5
    assert signed_distance(mask, (1.0, 1.0, 1.0))[more].max() == 0.5


def test_growth_keeps_a_voxel_and_ends_at_the_box():
    one = np.zeros((3, 3, 3), bool)
    one[1, 1, 1] = True
    assert grown(one, (1.0, 1.0, 1.0), -0.9, np.random.default_rng(0)).sum() == 1
    assert grown(np.ones((3, 3, 3), bool), (1.0, 1.0, 1.0), 0.5, np.random.default_rng(0)).all()


def test_a_wavering_outline_wavers_by_so_many_mm_at_any_voxel_size():
    for spacing, shape in (((1.0, 1.0, 1.0), (60, 60, 60)), ((0.5, 0.5, 2.0), (120, 120, 30))):
        mask, sides = ball(shape, 20.0, spacing), []
        for seed in range(6):
            found = redrawn(mask, spacing, 1.5, np.random.default_rng(seed))
            distance = signed_distance(mask, spacing)
            sides.append((found ^ mask).sum() * np.prod(spacing) / (4 * np.pi * 20.0**2))
            assert np.abs(distance[found ^ mask]).max() < 6.5
        assert np.mean(sides) == pytest.approx(1.5 * math.sqrt(2 / math.pi), rel=0.25)  # mean of |normal|
    assert redrawn(ball(radius_mm=1.0), (1.0, 1.0, 1.5), 30.0, np.random.default_rng(3)).any()


# ---- noise ---------------------------------------------------------------------------------------------


def test_noise_is_found_beneath_structure():
    rng = np.random.default_rng(0)
    structure = 300.0 * ball((60, 60, 40)) + ndi.gaussian_filter(rng.normal(size=(60, 60, 40)), 4) * 500
    image = structure + rng.normal(0, 7.0, structure.shape)
    assert noise_sd(image, structure < 1e9) == pytest.approx(7.0, rel=0.05)
    assert noise_sd(np.ones((5, 5, 5)), np.ones((5, 5, 5), bool)) < 1e-12
    assert noise_sd(image, np.zeros(image.shape, bool)) == 0.0


# ---- perturbations -------------------------------------------------------------------------------------


def patient(spacing=(1.0, 1.0, 1.5)):
    rng = np.random.default_rng(5)
    image = 500 + 100 * ndi.gaussian_filter(rng.normal(size=(40, 36, 30)), 1.5) / 0.05
    where = np.diag([*spacing, 1.0])
    where[:3, 3] = (-20.0, 7.0, 3.0)
    return Volume.of(image, where), Volume.of(ball(radius_mm=8.0).astype(np.uint8), where)


FAMILIES = ("morphology", "local_intensity", "statistics", "glcm", "glszm", "ngtdm")

HOW = {
    "as it is": RadiomicsSettings(families=FAMILIES),
    "interpolated": RadiomicsSettings(
        families=FAMILIES,
        normalisation=Normalisation(over="image", scale=100.0),
        interpolation=Interpolation(spacing_mm=(1.2, 1.2, 1.2)),
    ),
    "filtered": RadiomicsSettings(
        families=("statistics",), filters=(FilterSettings.model_validate({"kind": "log", "sigma_mm": 1.5}),)
    ),
}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_no_perturbation_changes_nothing(how):
    image, mask = patient()
    wanted = extract(image, mask, how).values
    found = repeated(image, mask, how, np.random.default_rng(0), NONE, 1)[0]
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        if not name.endswith(("_com", "peak_glob")):
            assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-5, nan_ok=True), name


def test_a_turn_goes_from_i_to_j_about_the_middle_and_a_shift_adds_to_it():
    inside = np.zeros((40, 40, 40), bool)
    inside[10:15, 20:25, 18:23] = True
    grid, how = Grid((40, 40, 40), np.diag([1.0, 2.0, 1.0, 1.0])), RadiomicsSettings()
    plain = turned(grid, inside, how, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    shifted = turned(grid, inside, how, 0.0, (0.25, 0.5, 0.75), (0.0, 0.0, 0.0))
    assert (shifted.grid.affine - plain.grid.affine)[:3, 3] == pytest.approx([0.25, 1.0, 0.75])
    quarter = turned(grid, inside, how, 90.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    step = quarter.grid.affine[:3, :3]
    assert step[:, 0] == pytest.approx([0.0, 1.0, 0.0])  # what was along i is now along j, in mm
    assert step[:, 1] == pytest.approx([-2.0, 0.0, 0.0])
    at = quarter.grid.to_voxel([[12.0, 44.0, 20.0]])  # the middle of the region, about which it turns
    assert at - np.rint(at) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.5), (0.8, 1.3, 1.5)])
@pytest.mark.parametrize("room", [0, 30])
@pytest.mark.parametrize("interpolation", [None, Interpolation(spacing_mm=(1.0, 1.0, 1.0))])
def test_a_turned_box_keeps_its_place_in_space(spacing, room, interpolation):
    image, mask = (Volume.of(np.pad(v.data, room), v.affine) for v in patient(spacing))
    every = np.stack(np.indices(image.grid.shape), axis=-1).reshape(-1, 3)
    ramp = image.with_data((image.grid.to_world(every) @ [1.0, 20.0, 300.0]).reshape(image.grid.shape))
    how = RadiomicsSettings(interpolation=interpolation)
    for one in perturbed(ramp, mask, how, np.random.default_rng(1), Ranges(40.0, 1.0, 0.0, 0.0, 0.0), 3):
        inside = np.argwhere(one.mask.data)
        assert one.image.spacing_mm == ((1.0, 1.0, 1.0) if interpolation else spacing)
        wanted = one.image.grid.to_world(inside) @ [1.0, 20.0, 300.0]
        assert one.image.data[tuple(inside.T)] == pytest.approx(wanted, rel=1e-6)
        volumes = [v.data.sum() * v.grid.voxel_volume_ml for v in (one.mask, mask)]
        assert volumes[0] == pytest.approx(volumes[1], rel=0.04)
        moved = one.mask.grid.to_world(inside).mean(axis=0) - mask.grid.to_world(np.argwhere(mask.data)).mean(axis=0)
        assert (np.abs(moved) <= 0.5 * np.array(spacing)).all()  # a voxel belongs to the nearest of another lattice


def test_what_was_drawn_is_told_and_done():
    image, mask = patient()
    made = list(perturbed(image, mask, RadiomicsSettings(), np.random.default_rng(0), Ranges(10.0, 0.0, 2.0, 0.2, 0.0)))
    assert len(made) == 10
    assert len({m.rotation_deg for m in made}) == 10
    assert max(abs(m.rotation_deg) for m in made) <= 10.0
    plain = next(perturbed(image, mask, RadiomicsSettings(), np.random.default_rng(0), NONE))
    for one in made:
        share = one.mask.data.sum() / plain.mask.data.sum() - 1
        assert share == pytest.approx(one.growth, abs=0.03)  # turning changes the number of voxels a little
        assert one.noise == pytest.approx(2 * noise_sd(image.data, mask.data > 0))
    noisy = next(perturbed(image, mask, RadiomicsSettings(), np.random.default_rng(0), Ranges(0, 0, 2.0, 0, 0)))
    assert (noisy.image.data - plain.image.data).std() == pytest.approx(noisy.noise, rel=0.02)


def test_a_seed_gives_the_same_perturbations():
    image, mask = patient()
    one, two = (repeated(image, mask, HOW["interpolated"], np.random.default_rng(4), repeats=2) for _ in range(2))
    assert str(one) == str(two)


def test_volume_is_stabler_than_noise():
    rng = np.random.default_rng(0)
    how = RadiomicsSettings(families=("morphology", "statistics"))
    subjects = []
    for n in range(6):
        image = Volume.of(rng.normal(100, 10, (40, 36, 30)), np.diag([1.0, 1.0, 1.5, 1.0]))
        subjects.append(repeated(image, image.with_data(ball(radius_mm=5.0 + 1.2 * n)), how, rng, repeats=3))
    table = icc_table(subjects)
    assert table["original.morph_volume"].value > 0.9
    assert table["original.stat_skew"].value < 0.5
    assert "original.morph_volume" in stable(table)
    assert "original.stat_skew" not in stable(table)


def test_ranges_grids_and_empty_regions_are_checked():
    image, mask = patient()
    for wrong in ({"noise": -1.0}, {"shift": 1.5}, {"growth": 1.0}):
        with pytest.raises(InputError, match="ranges"):
            Ranges(**wrong)
    with pytest.raises(InputError, match="empty"):
        next(perturbed(image, mask.with_data(mask.data * 0), RadiomicsSettings(), np.random.default_rng(0)))
    with pytest.raises(GeometryError):
        next(perturbed(image, Volume.of(mask.data, np.eye(4)), RadiomicsSettings(), np.random.default_rng(0)))
