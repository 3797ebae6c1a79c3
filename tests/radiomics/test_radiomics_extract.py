"""The way from an image and an outline to numbers: every family and filter, odd regions, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import GeometryError, InputError, IntensityError, LabelError
from tumorboard.radiomics.extract import extract, names_of
from tumorboard.radiomics.families import FAMILIES
from tumorboard.radiomics.feature import BY_DIRECTION, BY_SLICE, Family
from tumorboard.radiomics.filters import FILTERS
from tumorboard.radiomics.outline import outline
from tumorboard.radiomics.presets import PRESETS
from tumorboard.radiomics.settings import (
    Discretisation,
    FilterSettings,
    Interpolation,
    Normalisation,
    RadiomicsSettings,
    Resegmentation,
)
from tumorboard.volume import Volume

EVERY_WAY = RadiomicsSettings(ways=(*BY_DIRECTION, *BY_SLICE), texture=Discretisation(count=16))
TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
ANY = {
    "log": {"sigma_mm": 2.0},
    "laws": {"kernels": "L5E5S5"},
    "gabor": {"sigma_mm": 2.0, "wavelength_mm": 2.0},
    "wavelet": {"band": "LLH"},
    "riesz_log": {"sigma_mm": 2.0, "order": (1, 0, 0)},
    "riesz_simoncelli": {"order": (1, 0, 0)},
    "pyradiomics_log": {"sigma_mm": 2.0},
}


def spot(shape=(5, 5, 5), value=7.0):
    image = np.random.default_rng(0).normal(100, 10, shape)
    mask = np.zeros(shape, np.uint8)
    middle = tuple(n // 2 for n in shape)
    mask[middle] = 1
    image[middle] = value
    return Volume.of(image, np.eye(4)), Volume.of(mask, np.eye(4))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_every_family_gives_its_features_and_no_others(family: Family, noisy):
    found = extract(*noisy, EVERY_WAY.model_copy(update={"families": (family.name,)}))
    assert tuple(found.values) == tuple(f"original.{tag}" for tag in family.tags())
    if family.code:  # the others need a larger region, or thresholds
        assert np.isfinite(list(found.values.values())).all()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_one_voxel_and_one_grey_level_give_numbers_or_nan(family: Family):
    how = EVERY_WAY.model_copy(update={"families": (family.name,)})
    found = extract(*spot(), how)
    assert set(found.values) == {f"original.{tag}" for tag in family.tags()}
    assert any("1 voxels" in w for w in found.warnings)
    flat, mask = spot()
    cube = np.zeros(mask.data.shape, np.uint8)
    cube[1:4, 1:4, 1:4] = 1
    found = extract(flat.with_data(np.full(cube.shape, 3.0)), mask.with_data(cube), how)
    assert not np.isinf(list(found.values.values())).any()
    assert any("one intensity" in w for w in found.warnings)


@pytest.mark.parametrize("kind", FILTERS)
def test_every_filter_gives_the_same_in_a_box_as_in_the_whole_image(kind, noisy):
    image, mask = noisy
    one = FilterSettings.model_validate({"kind": kind, **ANY.get(kind, {})})
    how = RadiomicsSettings(families=("statistics",), original=False, filters=(one,))
    found = extract(image, mask, how).values
    assert tuple(found) == names_of(how)
    assert np.isfinite(list(found.values())).all()


@pytest.mark.parametrize("name", [n for n in PRESETS if not n.startswith("ibsi")])
def test_presets_run_and_say_where_they_come_from(name, noisy):
    found = extract(*noisy, PRESETS[name])
    assert PRESETS[name].source
    assert tuple(found.values) == names_of(PRESETS[name])
    assert found.facts.voxels > 0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2), st.floats(-500, 500))
def test_fixed_bin_number_does_not_see_a_shift_nor_a_flip(axis, shift):
    rng = np.random.default_rng(5)
    image = np.round(rng.normal(100, 15, (9, 8, 7)))
    mask = (rng.random(image.shape) > 0.3).astype(np.uint8)
    how = RadiomicsSettings(families=TEXTURES, texture=Discretisation(count=8))
    one = extract(Volume.of(image, np.eye(4)), Volume.of(mask, np.eye(4)), how).values
    turned = np.flip(image + np.round(shift), axis), np.flip(mask, axis)
    two = extract(*(Volume.of(a, np.eye(4)) for a in turned), how).values
    np.testing.assert_allclose(list(two.values()), list(one.values()), rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.2, 4.0))
def test_shape_grows_with_the_voxel(scale):
    mask = np.zeros((8, 9, 7), np.uint8)
    mask[1:6, 2:8, 1:5] = 1
    mask[2, 3, 5] = 1
    image = np.ones(mask.shape) * 5 + mask

    def of(size):
        volumes = (Volume.of(a, np.diag([size, size, size, 1.0])) for a in (image, mask))
        return extract(*volumes, RadiomicsSettings(families=("morphology",))).values

    one, other = of(1.0), of(scale)
    grows = {"volume": 3, "vol_approx": 3, "area_mesh": 2, "av": -1, "diam": 1, "pca_maj_axis": 1, "integ_int": 3}
    for name, power in grows.items():
        wanted = one[f"original.morph_{name}"] * scale**power
        assert other[f"original.morph_{name}"] == pytest.approx(wanted, rel=1e-5)
    assert other["original.morph_sphericity"] == pytest.approx(one["original.morph_sphericity"], rel=1e-5)


def test_interpolation_and_normalisation_are_applied(noisy):
    grid = Interpolation(spacing_mm=(2.0, 2.0, 2.0), image="linear")
    how = RadiomicsSettings(families=("statistics",), interpolation=grid)
    found = extract(*noisy, how)
    assert found.facts.spacing_mm == (2.0, 2.0, 2.0)
    scaled = extract(*noisy, how.model_copy(update={"normalisation": Normalisation(scale=2.0, shift=1.0)}))
    image = noisy[0].data
    wanted = (found.values["original.stat_mean"] - image.mean()) / image.std() * 2.0 + 1.0
    assert scaled.values["original.stat_mean"] == pytest.approx(wanted)


def test_resegmentation_changes_intensities_not_shape(noisy):
    narrow = RadiomicsSettings(families=("morphology", "statistics"), resegmentation=Resegmentation(low=130, high=150))
    wide = narrow.model_copy(update={"resegmentation": Resegmentation()})
    one, other = extract(*noisy, narrow), extract(*noisy, wide)
    assert one.values["original.morph_volume"] == other.values["original.morph_volume"]
    assert one.values["original.stat_min"] >= 130 > other.values["original.stat_min"]
    assert one.facts.voxels < other.facts.voxels
    with pytest.raises(InputError, match="re-segmentation"):
        extract(*noisy, RadiomicsSettings(resegmentation=Resegmentation(low=1e6)))


def test_a_width_that_gives_too_few_or_too_many_bins_is_told_with_a_better_one(noisy):
    for width in (1000.0, 0.05):
        how = RadiomicsSettings(families=("statistics",), texture=Discretisation(method="fbs", width=width))
        told = [w for w in extract(*noisy, how).warnings if "would give 32" in w]
        assert len(told) == 1


def test_a_region_that_reaches_out_of_the_brain_is_told(noisy):
    image, mask = noisy
    cut = image.with_data(np.where(np.arange(24)[:, None, None] < 10, 0.0, image.data))
    how = RadiomicsSettings(families=("statistics",))
    assert any("intensity 0" in w for w in extract(cut, mask, how).warnings)


def test_grids_that_differ_are_explained_in_mm(noisy):
    image, mask = noisy
    affine = mask.affine.copy()
    affine[0, 3] += 1.5
    with pytest.raises(GeometryError, match=r"1\.500 mm"):
        extract(image, Volume.of(mask.data, affine))


def test_nan_inside_and_nothing_inside_are_refused(noisy):
    image, mask = noisy
    broken = image.data.copy()
    broken[12, 10, 9] = np.nan
    with pytest.raises(IntensityError, match="1 voxels that are NaN"):
        extract(image.with_data(broken), mask)
    with pytest.raises(InputError, match="an empty one"):
        extract(image, mask.with_data(0 * mask.data))


def test_unknown_families_and_filters_are_refused_by_name(noisy):
    with pytest.raises(InputError, match="glcn"):
        extract(*noisy, RadiomicsSettings(families=("glcn",)))
    with pytest.raises(InputError, match="blur"):
        extract(*noisy, RadiomicsSettings(filters=(FilterSettings(kind="blur"),)))


def test_two_filters_of_one_name_are_refused():
    log = FilterSettings.model_validate({"kind": "log", "sigma_mm": 2.0})
    with pytest.raises(InputError, match=r"log_2\.0mm twice"):
        names_of(RadiomicsSettings(filters=(log, log)))


def test_a_region_that_does_not_fit_is_refused_with_both_figures(noisy, monkeypatch):
    monkeypatch.setattr("tumorboard.radiomics.memory.free_bytes", lambda: 2.0 * 2**20)
    with pytest.raises(InputError, match=r"1 MiB free.* MiB"):
        extract(*noisy)
    monkeypatch.setattr("tumorboard.radiomics.memory.free_bytes", lambda: 100.0 * 2**20)
    fine = RadiomicsSettings(families=("glcm",), texture=Discretisation(method="fbs", width=1e-4))
    one, mask = noisy
    with pytest.raises(InputError, match=r"grey levels that needs"):
        extract(one, mask.with_data(np.ones_like(mask.data)), fine)
    monkeypatch.setattr("tumorboard.radiomics.memory.free_bytes", lambda: None)
    assert extract(*noisy, RadiomicsSettings(families=("statistics",))).values


def test_labels_that_are_no_labels_are_refused(noisy):
    _, mask = noisy
    with pytest.raises(LabelError, match="fractions"):
        outline(mask.with_data(mask.data * 0.5))
    with pytest.raises(InputError, match=r"labels 3 \(16\.5 mL\), 5"):
        outline(mask.with_data(mask.data * 2 + 3))
