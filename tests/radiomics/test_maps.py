"""Feature maps: each value is that of the cube around its voxel, by formula, by another package and by brute force."""

import math
from time import process_time

import numpy as np
import pytest
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError, InputError
from tumorboard.radiomics.families import FAMILIES
from tumorboard.radiomics.maps import feature_map, general
from tumorboard.radiomics.maps.general import cube_region
from tumorboard.radiomics.maps.grid import features_grid
from tumorboard.radiomics.maps.intensities import statistic_rows
from tumorboard.radiomics.maps.memory import MIB, needed_bytes
from tumorboard.radiomics.maps.pairs import WAYS, pair_rows
from tumorboard.radiomics.region import Region
from tumorboard.radiomics.scheme.discretise import fixed_bin_number
from tumorboard.radiomics.settings import (
    Discretisation,
    FilterSettings,
    Interpolation,
    Normalisation,
    RadiomicsSettings,
)
from tumorboard.volume import Volume

PLACES = ((2, 2, 1), (0, 0, 1), (5, 4, 2), (3, 0, 3), (1, 3, 1))
"""Where the values below were read; (2, 2, 1) lies inside, the others at the border."""

PYRADIOMICS = {
    (1, "cm_joint_entr_3D_avg"): (3.513608581759, 2.368327083454, 2.250375961705, 2.032831969004, 3.35484813907),
    (1, "cm_contrast_3D_avg"): (6.226824457594, 5.375, 9.224358974359, 5.953846153846, 6.090203813281),
    (1, "cm_inv_diff_norm_3D_avg"): (0.795944083813, 0.797264309764, 0.74858819955, 0.794374838125, 0.800301451872),
    (1, "stat_mean"): (69.260869565217, 65.9, 85.0, 83.8, 71.695652173913),
    (1, "stat_skew"): (0.106063647765, -0.019500602256, -0.106964473593, -0.248467142074, 0.093295621253),
    (1, "stat_rmad"): (27.100346020761, 27.03125, 34.75, 28.46875, 27.22491349481),
    (2, "cm_joint_entr_3D_avg"): (4.7312165195, 4.060116270161, 4.032494591646, 4.006080166671, 4.557108353264),
    (2, "cm_contrast_3D_avg"): (6.298560884718, 6.942955573838, 7.320983966286, 6.46301536573, 6.75032629433),
    (2, "stat_p90"): (144.0, 125.0, 147.0, 139.2, 138.0),
}
"""PyRadiomics 3.0.1: RadiomicsGLCM and RadiomicsFirstOrder with voxelBased=True, maskedKernel=True, binWidth=25 and
kernelRadius 1 or 2, run once on the phantom below."""


def phantom():
    """Return an image and a mask that a formula makes, so that any package can be given the same."""
    i, j, k = np.indices((6, 5, 4))
    image = ((37 * i + 61 * j + 89 * k + 11 * i * j + 7 * j * k * k) % 157).astype(float)
    return Volume.of(image, np.eye(4)), Volume.of(((3 * i + 2 * j + k) % 7 != 0).astype(np.uint8), np.eye(4))


def random_region(shape=(7, 6, 5), count=5, seed=3):
    rng = np.random.default_rng(seed)
    image = np.rint(rng.normal(100, 30, shape))
    mask = rng.random(shape) < 0.8
    return Region(image, mask, mask, (1.0, 1.0, 2.0), fixed_bin_number(image, mask, count))


@pytest.mark.parametrize(("radius", "feature"), PYRADIOMICS)
def test_maps_are_those_of_pyradiomics(radius, feature):
    how = RadiomicsSettings(texture=Discretisation(method="pyradiomics", width=25.0))
    image, mask = phantom()
    found = feature_map(image, mask, feature, how, radius).data
    assert [found[p] for p in PLACES] == pytest.approx(PYRADIOMICS[radius, feature], rel=1e-10, abs=1e-11)
    assert (np.isfinite(found) == (mask.data > 0)).all()


@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("way", WAYS)
def test_pairs_are_those_of_a_region_made_of_the_cube(radius, way):
    region = random_region()
    at, family = np.argwhere(region.mask), FAMILIES["glcm"]
    found = pair_rows(region, at, radius, way)
    for place, row in zip(at, found, strict=True):
        wanted = family.compute(cube_region(region, place, radius), way)
        assert row == pytest.approx([wanted[f.name] for f in family.features], rel=1e-9, abs=1e-9, nan_ok=True)


def test_statistics_are_those_of_a_region_made_of_the_cube():
    region = random_region()
    at, family = np.argwhere(region.mask), FAMILIES["statistics"]
    found = statistic_rows(region, at, 1)
    for place, row in zip(at, found, strict=True):
        wanted = family.compute(cube_region(region, place, 1), "")
        assert row == pytest.approx([wanted[f.name] for f in family.features], rel=1e-9, abs=1e-9, nan_ok=True)


def test_a_cube_over_everything_gives_the_value_of_the_region():
    image, mask = phantom()
    how = RadiomicsSettings(texture=Discretisation(count=6))
    whole = feature_map(image, mask, "cm_corr_3D_comb", how, 6).data
    inside = mask.data > 0
    region = Region(image.data, inside, inside, (1.0, 1.0, 1.0), fixed_bin_number(image.data, inside, 6))
    assert whole[inside] == pytest.approx(FAMILIES["glcm"].compute(region, "3D_comb")["corr"])


def test_one_voxel_and_one_grey_level_are_no_reason_to_stop():
    data = np.zeros((5, 5, 5))
    data[1, 1, 1] = 1.0
    image, mask = Volume.of(data, np.eye(4)), Volume.of(data, np.eye(4))
    assert math.isnan(feature_map(image, mask, "cm_joint_entr_3D_avg").data[1, 1, 1])
    assert feature_map(image, mask, "stat_skew").data[1, 1, 1] == 0.0
    flat = image.with_data(np.ones((5, 5, 5)))
    assert (feature_map(flat, flat, "cm_joint_entr_3D_avg").data == 0.0).all()
    assert np.isnan(feature_map(flat, flat, "cm_corr_3D_avg").data).all()


@pytest.mark.parametrize(
    "feature", ["szm_zsnu_3D", "rlm_sre_3D_comb", "ngl_lde_3D", "ih_entropy", "cm_contrast_2D_avg"]
)
def test_other_features_are_computed_cube_by_cube(feature):
    region = random_region()
    image, told = Volume.of(region.image, np.diag([1.0, 1.0, 2.0, 1.0])), []
    how = RadiomicsSettings(texture=Discretisation(count=5))
    mask = image.with_data(region.mask)
    found = feature_map(image, mask, feature, how, tell=lambda done, total: told.append((done, total)))
    family, name, way = next(
        (f, g.name, w) for f in FAMILIES.values() for w in f.ways for g in f.features if f.tag(g.name, w) == feature
    )
    for place in np.argwhere(region.mask)[::17]:
        wanted = family.compute(cube_region(region, place, 1), way)[name]
        assert found.data[tuple(place)] == pytest.approx(wanted, nan_ok=True)
    assert told[-1] == (int(region.mask.sum()),) * 2


def test_too_many_voxels_for_the_slow_way_are_refused_with_the_time(monkeypatch):
    monkeypatch.setattr(general, "MOST", 50)
    image, mask = phantom()
    with pytest.raises(InputError, match=r"at most 50 voxels .* got 103, which would take some \d+\.\d minutes"):
        feature_map(image, mask, "szm_zsnu_3D")
    assert np.isfinite(feature_map(image, mask, "stat_mean").data).sum() == 103


def test_memory_is_refused_with_both_figures():
    image, mask = phantom()
    with pytest.raises(InputError, match=r"fits the 0\.01 MiB allowed; got one that needs \d+ MiB"):
        feature_map(image, mask, "cm_joint_entr_3D_avg", memory_mib=0.01)
    fine = RadiomicsSettings(texture=Discretisation(method="fbs", width=0.1))
    big, ones = Volume.of(np.zeros((30, 30, 30)), np.eye(4)), Volume.of(np.ones((30, 30, 30)), np.eye(4))
    with pytest.raises(InputError, match=r"needs \d{4,} MiB"):  # 27^3 levels in a cube: matrices of 20 thousand squared
        feature_map(big, ones, "cm_joint_entr_3D_avg", fine, radius_voxels=13)


def test_the_map_lies_where_the_features_grid_lies():
    i, j, k = np.indices((12, 10, 8))
    turn = np.array([[0.0, -2.0, 0.0, 5.0], [2.0, 0.0, 0.0, -7.0], [0.0, 0.0, 3.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    image = Volume.of((1.0 * i + 10.0 * j + 100.0 * k), turn)
    mask = image.with_data((abs(i - 6) < 3) & (abs(j - 5) < 3) & (abs(k - 4) < 2))
    how = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0), image="linear"))
    found = feature_map(image, mask, "stat_mean", how)
    assert found.spacing_mm == (1.0, 1.0, 1.0)
    inside = np.argwhere(np.isfinite(found.data))
    deep = [p for p in inside if np.isfinite(found.data[tuple(slice(a - 1, a + 2) for a in p)]).all()]
    old = image.grid.to_voxel(found.grid.to_world(deep))  # of a ramp, the mean of a whole cube is its middle
    assert len(deep) > 50
    assert [found.data[tuple(p)] for p in deep] == pytest.approx(old @ [1.0, 10.0, 100.0], rel=1e-9)
    assert mask.data[tuple(np.rint(old).astype(int).T)].all()


def test_normalisation_reads_the_whole_image():
    rng = np.random.default_rng(0)
    image = Volume.of(rng.normal(500, 50, (20, 20, 20)), np.eye(4))
    mask = image.with_data((np.indices((20, 20, 20)) - 9.5).__pow__(2).sum(axis=0) < 16)
    how = RadiomicsSettings(normalisation=Normalisation(over="image"))
    plain, scaled = feature_map(image, mask, "stat_mean").data, feature_map(image, mask, "stat_mean", how).data
    wanted = (plain - image.data.mean()) / image.data.std()
    assert np.allclose(scaled, wanted, equal_nan=True)


def test_filtered_images_have_maps():
    rng = np.random.default_rng(0)
    image = Volume.of(rng.normal(100, 10, (40, 40, 40)), np.eye(4))
    mask = image.with_data((np.indices((40, 40, 40)) - 17.0).__pow__(2).sum(axis=0) < 16)  # away from the border
    how = RadiomicsSettings(filters=(FilterSettings.model_validate({"kind": "mean", "support": 3}),))
    found = feature_map(image, mask, "mean_3.stat_max", how).data
    assert (np.isfinite(found) == mask.data).all()
    means = ndi.uniform_filter(image.data, 3)
    assert found[17, 17, 17] == pytest.approx(means[16:19, 16:19, 16:19].max())
    with pytest.raises(InputError, match="an image that the settings make"):
        feature_map(image, mask, "sharpened.stat_max", how)


@pytest.mark.parametrize(
    ("feature", "why"),
    [
        ("cm_joint_entr", "with its way of aggregation"),
        ("morph_volume", "intensities or grey levels"),
        ("", "with its way"),
    ],
)
def test_what_cannot_be_mapped_is_refused(feature, why):
    image, mask = phantom()
    with pytest.raises(InputError, match=why):
        feature_map(image, mask, feature)


def test_radius_grid_and_empty_regions_are_checked():
    image, mask = phantom()
    with pytest.raises(InputError, match="a radius of at least one voxel"):
        feature_map(image, mask, "stat_mean", radius_voxels=0)
    with pytest.raises(InputError, match="at least one voxel"):
        feature_map(image, mask.with_data(np.zeros((6, 5, 4))), "stat_mean")
    with pytest.raises(GeometryError):
        feature_map(image, Volume.of(mask.data, np.diag([2.0, 1.0, 1.0, 1.0])), "stat_mean")


@pytest.mark.slow
def test_entropy_of_a_hundred_millilitres_stays_within_its_estimate():
    shape = (160, 160, 120)
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    ball = (i - 80) ** 2 + (j - 80) ** 2 + (k - 60) ** 2 < 28.8**2
    image = Volume.of(np.random.default_rng(0).normal(1000, 100, shape).astype(np.float32), np.eye(4))
    how = RadiomicsSettings(texture=Discretisation(count=64))
    estimate = needed_bytes(image.grid, features_grid(image.grid, how), ball, how, (0, 0, 0)) / MIB
    began = process_time()
    found = feature_map(image, image.with_data(ball), "cm_joint_entr_3D_avg", how, memory_mib=estimate + 8)
    assert estimate < 2048
    assert process_time() - began < 60  # some 4 s; a wide margin, because machines differ
    assert int(np.isfinite(found.data).sum()) == int(ball.sum())
