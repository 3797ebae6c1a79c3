"""Surface distances against geometry that can be worked out by hand, and against SimpleITK."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi

from tumorboard.errors import GeometryError
from tumorboard.metrics.maps.surface import image_diagonal_mm, surface_distances

SPACINGS = st.sampled_from([(1.0, 1.0, 1.0), (0.9375, 0.9375, 5.0), (2.5, 0.7, 1.1)])
PAIRS = hnp.array_shapes(min_dims=3, max_dims=3, max_side=6).flatmap(
    lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))
)
FIELDS = ("hd95_mm", "nsd", "assd_mm", "max_mm")


def values(found):
    return [getattr(found, f) for f in FIELDS]


def cube(shape, start, size):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))] = True
    return mask


def ball(shape, centre_mm, radius_mm, spacing):
    axes = np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    return sum((x - c) ** 2 for x, c in zip(axes, centre_mm, strict=True)) <= radius_mm**2


@pytest.mark.parametrize(("axis", "spacing"), [(0, (2.0, 1.0, 1.0)), (1, (1.0, 0.5, 1.0)), (2, (1.0, 1.0, 5.0))])
def test_a_shifted_slab_lies_its_shift_away(axis, spacing):
    """Two single-voxel-thick sheets, four voxels apart: every distance is the shift."""
    size = [20, 20, 20]
    size[axis] = 1
    a = cube((30, 30, 30), (5, 5, 5), size)
    found = surface_distances(a, np.roll(a, 4, axis), spacing)
    shift = 4 * spacing[axis]
    assert values(found) == pytest.approx([shift, 0.0, shift, shift])


def test_two_shifted_cubes_by_hand():
    """A cube of 10 voxels a side moved by 2 voxels of 1.5 mm along i.

    The surface has 10³-8³ = 488 voxels. Counting distances from the cube to its shifted copy: the far
    face i=0 (100 voxels) lies 2 voxels (3 mm) from the copy's near face; the ring i=1 (36 voxels) 1 voxel;
    rings i=2..8 (7 x 36) lie on the copy's surface; of the near face i=9 (100), the rim (36) lies on it
    and inner squares lie 1 to 4 voxels from the copy's sides (28, 20, 12, 4), all nearer than the copy's
    end faces at 7 and 2 voxels but for the depth 3 and 4 squares, which end face i=11 limits to 2.
    """
    a = cube((20, 20, 20), (3, 4, 5), (10, 10, 10))
    found = surface_distances(a, np.roll(a, 2, axis=0), (1.5, 1.0, 1.0))
    #  3.0 mm: the far face; 1.5 mm: ring i=1; near face with sides 1 mm a voxel, end face 2 * 1.5 = 3 mm
    one_way = np.repeat([3.0, 1.5, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0], [100, 36, 7 * 36, 36, 28, 20, 12, 4])
    assert len(one_way) == 488
    assert found.max_mm == pytest.approx(3.0)
    assert found.hd95_mm == pytest.approx(3.0)
    assert found.assd_mm == pytest.approx(one_way.mean())
    assert found.nsd == pytest.approx((one_way <= 1.0).mean())


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 2.4)])
def test_concentric_spheres_lie_their_radii_apart(spacing):
    shape = tuple(round(60 / s) for s in spacing)
    centre = [30.0, 30.0, 30.0]
    found = surface_distances(ball(shape, centre, 24, spacing), ball(shape, centre, 16, spacing), spacing)
    voxel = max(spacing)
    assert found.assd_mm == pytest.approx(8.0, abs=voxel / 2)
    assert found.hd95_mm == pytest.approx(8.0, abs=voxel)
    assert found.nsd == 0.0


def test_a_spur_shows_in_the_maximum_and_not_in_hd95():
    a = cube((40, 40, 40), (5, 5, 5), (15, 15, 15))
    b = a.copy()
    b[12, 12, 20:32] = True
    found = surface_distances(a, b, (1.0, 1.0, 1.0))
    assert (found.max_mm, found.hd95_mm) == (12.0, 0.0)
    assert found.nsd == pytest.approx(1 - 11 / ((15**3 - 13**3) * 2 - 1 + 12))


def test_spacing_is_what_turns_voxels_into_millimetres():
    a, b = cube((9, 9, 9), (1, 1, 1), (1, 1, 1)), cube((9, 9, 9), (4, 5, 1), (1, 1, 1))
    assert surface_distances(a, b, (1.0, 1.0, 1.0)).max_mm == pytest.approx(5.0)
    assert surface_distances(a, b, (2.0, 0.5, 7.0)).max_mm == pytest.approx(np.hypot(6.0, 2.0))


def test_nsd_counts_a_distance_equal_to_the_tolerance_even_when_the_header_rounds():
    a = cube((6, 6, 6), (1, 1, 1), (1, 1, 1))
    assert surface_distances(a, np.roll(a, 1, 2), (1.0, 1.0, 1.0000004)).nsd == 1.0
    assert surface_distances(a, np.roll(a, 1, 2), (1.0, 1.0, 1.001)).nsd == 0.0


def test_the_edge_of_the_image_is_outside():
    full = np.ones((4, 4, 4), bool)
    inner = cube((4, 4, 4), (1, 1, 1), (2, 2, 2))
    assert surface_distances(full, inner, (1.0, 1.0, 1.0)).max_mm == pytest.approx(np.sqrt(3))


def test_what_an_empty_mask_costs():
    empty = np.zeros((240, 240, 155), bool)
    one = empty.copy()
    one[0, 0, 0] = True
    assert values(surface_distances(empty, empty, (1.0, 1.0, 1.0))) == [0.0, 1.0, 0.0, 0.0]
    for a, b in ((one, empty), (empty, one)):
        found = surface_distances(a, b, (1.0, 1.0, 1.0))
        assert found.hd95_mm == pytest.approx(373.1, abs=0.05)
        assert found.nsd == 0.0
    assert image_diagonal_mm((3, 4, 1), (1.0, 1.0, 12.0)) == pytest.approx(13.0)


@given(PAIRS, SPACINGS)
def test_order_and_flips_change_nothing_and_identity_is_perfect(pair, spacing):
    a, b = pair
    found = values(surface_distances(a, b, spacing))
    assert values(surface_distances(b, a, spacing)) == pytest.approx(found)
    assert values(surface_distances(a[::-1, :, ::-1], b[::-1, :, ::-1], spacing)) == pytest.approx(found)
    turned = tuple(spacing[n] for n in (2, 0, 1))
    assert values(surface_distances(a.transpose(2, 0, 1), b.transpose(2, 0, 1), turned)) == pytest.approx(found)
    assert values(surface_distances(a, a, spacing)) == [0.0, 1.0, 0.0, 0.0]


@given(PAIRS, SPACINGS, st.integers(0, 3))
def test_empty_space_around_changes_nothing_when_both_are_there(pair, spacing, pad):
    a, b = pair
    assume(a.any() and b.any())
    padded = surface_distances(np.pad(a, pad), np.pad(b, pad), spacing)
    assert values(padded) == pytest.approx(values(surface_distances(a, b, spacing)))


@given(PAIRS, SPACINGS)
def test_the_measures_are_in_order(pair, spacing):
    a, b = pair
    assume(a.any() and b.any())
    found = surface_distances(a, b, spacing)
    assert 0.0 <= found.hd95_mm <= found.max_mm + 1e-9
    assert 0.0 <= found.assd_mm <= found.max_mm + 1e-9
    assert found.max_mm <= image_diagonal_mm(a.shape, spacing)
    assert 0.0 <= found.nsd <= 1.0


@given(PAIRS, SPACINGS)
def test_brute_force_gives_the_same_distances(pair, spacing):
    a, b = pair
    assume(a.any() and b.any())

    def surface_points(mask):
        padded = np.pad(mask, 1)
        inside = [
            p
            for p in np.argwhere(padded)
            if all(padded[tuple(p + d)] for d in (*np.eye(3, dtype=int), *-np.eye(3, dtype=int)))
        ]
        drop = {tuple(p) for p in inside}
        return np.array([p for p in np.argwhere(padded) if tuple(p) not in drop]) * spacing

    one, two = surface_points(a), surface_points(b)
    between = np.linalg.norm(one[:, None] - two[None], axis=2)
    there, back = between.min(axis=1), between.min(axis=0)
    found = surface_distances(a, b, spacing)
    assert found.hd95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert found.assd_mm == pytest.approx(np.concatenate([there, back]).mean())
    assert found.max_mm == pytest.approx(max(there.max(), back.max()))


@given(st.integers(0, 50), SPACINGS)
def test_the_maximum_equals_simpleitk_where_neither_holds_the_other(seed, spacing):
    """ITK measures from voxels of one mask to the other mask; for thin masks that is surface to surface."""
    rng = np.random.default_rng(seed)
    a, b = (rng.random((12, 11, 10)) < 0.02 for _ in range(2))
    assume(a.any() and b.any())
    images = [sitk.GetImageFromArray(m.transpose(2, 1, 0).astype(np.uint8)) for m in (a, b)]
    for image in images:
        image.SetSpacing(spacing)
    judge = sitk.HausdorffDistanceImageFilter()
    judge.Execute(*images)
    assert surface_distances(a, b, spacing).max_mm == pytest.approx(judge.GetHausdorffDistance(), abs=1e-4)


def plain(a, b, spacing):
    """The definition without a box: erosion and distance maps of whole images in double precision."""
    one, two = (m & ~ndi.binary_erosion(m) for m in (a, b))
    there = ndi.distance_transform_edt(~two, sampling=spacing)[one]
    back = ndi.distance_transform_edt(~one, sampling=spacing)[two]
    every = np.concatenate([there, back])
    hd95 = max(np.percentile(d, 95) for d in (there, back))
    return [hd95, (every <= 1.0 + 1e-6).mean(), every.mean(), every.max()]


@st.composite
def blobs(draw):
    """Two unions of boxes that may touch the edge of the image, in any order of memory."""
    shape = draw(st.tuples(*[st.integers(1, 14)] * 3))
    masks = []
    for _ in range(2):
        mask = np.zeros(shape, bool, order=draw(st.sampled_from("CF")))
        for _ in range(draw(st.integers(1, 3))):
            start = [draw(st.integers(0, n - 1)) for n in shape]
            mask[tuple(slice(s, draw(st.integers(s + 1, n))) for s, n in zip(start, shape, strict=True))] = True
        masks.append(mask)
    return masks


@given(blobs() | PAIRS, SPACINGS | st.tuples(*[st.floats(0.2, 8.0)] * 3))
def test_the_box_and_the_search_change_nothing(pair, spacing):
    a, b = pair
    assume(a.any() and b.any())
    expected = plain(a, b, spacing)
    assert values(surface_distances(a, b, spacing)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9375, 0.9375, 5.0)])
def test_a_tumour_sized_pair_equals_the_plain_definition(spacing):
    a = ball((70, 64, 40), (30.0, 30.0, 20.0 * spacing[2]), 22.0, spacing)
    b = np.roll(a, (4, -3, 1), (0, 1, 2)) & (np.random.default_rng(3).random(a.shape) < 0.999)
    assert values(surface_distances(a, b, spacing)) == pytest.approx(plain(a, b, spacing), rel=1e-12)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 0.0), (1.0, -1.0, 1.0), (1.0, 1.0)])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(GeometryError, match="voxel size above zero"):
        surface_distances(np.ones((2, 2, 2)), np.ones((2, 2, 2)), spacing)
