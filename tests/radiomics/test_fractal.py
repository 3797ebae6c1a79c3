"""Fractal features against sets whose dimension is known, and what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from tumorboard.radiomics.families.fractal import FAMILY, box_count, edges_mm, lacunarity, roughness
from tumorboard.radiomics.region import Region
from tumorboard.radiomics.scheme.discretise import fixed_bin_number

ONE = (1.0, 1.0, 1.0)


def region(image, mask, spacing=ONE, count=32):
    return Region(image, mask, mask, spacing, fixed_bin_number(image, mask, count))


def of(image, mask, spacing=ONE):
    return FAMILY.compute(region(image, mask, spacing), "")


def ball(n=64, radius=28.0):
    i, j, k = np.indices((n, n, n)) - (n - 1) / 2
    return i**2 + j**2 + k**2 < radius**2


def recursive(generator, depth):
    """Return a set that consists of copies of itself: its dimension is log2 of the octants that are kept."""
    mask = np.ones((1, 1, 1), bool)
    for _ in range(depth):
        mask = np.kron(mask, generator).astype(bool)
    return mask


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5, 6, 7, 8])
def test_sets_made_of_copies_have_their_dimension(kept):
    generator = np.arange(8).reshape(2, 2, 2) < kept
    mask = recursive(generator, 5)
    mask[-1, 0, 0] = mask[0, 0, 0] = True  # so that the box around a line or a point is as large
    sizes = edges_mm(mask.shape, ONE)
    assert sizes == [1.0, 2.0, 4.0, 8.0]
    counts = [box_count(recursive(generator, 5), ONE, s) for s in sizes]
    assert counts == [float(kept ** (5 - n)) for n in range(4)]
    if kept >= 3:  # the box around the set is the whole cube
        found = of(np.random.default_rng(0).random(mask.shape), recursive(generator, 5))
        assert found["dim"] == pytest.approx(math.log2(kept))


def test_a_ball_has_a_surface_of_dimension_two():
    found = of(np.random.default_rng(0).random((64, 64, 64)), ball())
    assert found["dim_surf"] == pytest.approx(2.0, abs=0.08)
    assert 2.7 < found["dim"] < 3.0  # boxes that the border cuts count as whole


def test_a_ragged_outline_has_a_larger_surface_dimension():
    rng = np.random.default_rng(0)
    i, j, k = np.indices((64, 64, 64)) - 31.5
    rough = np.sqrt(i**2 + j**2 + k**2) + 6 * ndi.gaussian_filter(rng.normal(size=(64, 64, 64)), 1) / 0.2 < 25
    image = rng.random((64, 64, 64))
    assert of(image, rough)["dim_surf"] > of(image, ball())["dim_surf"] + 0.2


def test_rougher_intensities_have_a_larger_dimension_between_three_and_four():
    rng, mask, found = np.random.default_rng(1), ball(), []
    for sigma in (8.0, 4.0, 2.0, 1.0, 0.0):
        found.append(of(ndi.gaussian_filter(rng.normal(size=mask.shape), sigma), mask)["dim_int"])
    assert found == sorted(found)
    assert 3.0 < found[0] < 3.15
    assert 3.5 < found[-1] < 4.0
    assert of(np.ones(mask.shape), mask)["dim_int"] == pytest.approx(3.0)


def test_a_ramp_of_intensities_is_a_plane():
    ramp = np.tile(np.arange(64.0), (64, 64, 1))
    made = region(ramp, np.ones(ramp.shape, bool), count=64)
    boxes = [roughness(made.texture.levels, 64, (64, 64, 64), ONE, 2 * s) for s in (1.0, 2.0, 4.0, 8.0)]
    assert boxes == pytest.approx([2.0] * 4)  # as high as it is wide, so one boundary is crossed everywhere
    assert FAMILY.compute(made, "")["dim_int"] == pytest.approx(3.0)


@pytest.mark.parametrize("edge", [1.0, 2.0, 4.0])
def test_lacunarity_is_that_of_boxes_taken_one_by_one(edge):
    rng = np.random.default_rng(2)
    mass, inside = rng.integers(0, 9, (9, 8, 7)), rng.random((9, 8, 7)) < 0.97
    w, found = int(edge), []
    for i in range(10 - w):
        for j in range(9 - w):
            for k in range(8 - w):
                box = (slice(i, i + w), slice(j, j + w), slice(k, k + w))
                if inside[box].all():
                    found.append(mass[box].sum())
    wanted = np.mean(np.square(found)) / np.mean(found) ** 2 if found else math.nan
    assert lacunarity(mass, inside, ONE, edge) == pytest.approx(wanted, nan_ok=True)


def test_gaps_raise_lacunarity():
    rng = np.random.default_rng(0)
    even = rng.random((32, 32, 32)) < 0.5
    gaps = ndi.gaussian_filter(rng.normal(size=(32, 32, 32)), 3) > 0
    image = rng.random((32, 32, 32))
    full = np.ones((32, 32, 32), bool)
    assert of(image, full)["lac"] == 1.0
    assert 1.0 < of(image, even)["lac"] < of(image, gaps)["lac"]
    noise, clouds = (fixed_bin_number(x, full, 32).levels for x in (image, ndi.gaussian_filter(image, 3)))
    assert 1.0 < lacunarity(noise, full, ONE, 8.0) < 1.001 < lacunarity(clouds, full, ONE, 8.0)
    assert of(np.ones(full.shape), full)["lac_int"] == 1.0


@settings(max_examples=20)
@given(st.permutations([0, 1, 2]), st.floats(0.2, 5.0), st.integers(0, 4))
def test_axes_unit_and_room_around_do_not_matter(order, scale, room):
    rng = np.random.default_rng(7)
    image, mask = rng.random((26, 18, 9)), rng.random((26, 18, 9)) < 0.6
    mask[[0, -1]] = True
    mask[:, [0, -1]] = True
    mask[:, :, [0, -1]] = True
    spacing = (1.0, 1.0, 1.5)
    first = of(image, mask, spacing)
    pads = [(room, 2 * room)] * 3
    other = of(
        np.pad(image, pads).transpose(order),
        np.pad(mask, pads).transpose(order),
        tuple(scale * spacing[a] for a in order),
    )
    assert math.isfinite(first["dim"])
    assert other == pytest.approx(first, nan_ok=True, rel=1e-6)


def test_thick_slices_leave_no_gaps_between_boxes():
    solid = np.ones((64, 64, 16), bool)
    assert box_count(solid, (1.0, 1.0, 4.0), 4.0) == 16**3
    assert box_count(solid, (1.0, 1.0, 4.0), 8.0) == 8**3
    assert box_count(np.ones((3, 1, 1), bool), (2.0, 1.0, 1.0), 4.0) == 2.0
    assert box_count(np.ones((4, 1, 1), bool), (3.0, 1.0, 1.0), 4.0) == 3.0
    assert of(np.random.default_rng(0).random(solid.shape), solid, (1.0, 1.0, 4.0))["dim"] == pytest.approx(3.0)


def test_small_and_empty_regions_have_none():
    for shape in ((1, 1, 1), (15, 15, 15)):
        found = of(np.random.default_rng(0).random(shape), np.ones(shape, bool))
        assert set(found) == {f.name for f in FAMILY.features}
        assert all(math.isnan(v) for v in found.values())
    nothing = of(np.zeros((4, 4, 4)), np.zeros((4, 4, 4), bool))
    assert all(math.isnan(v) for v in nothing.values())
    assert not FAMILY.filtered
