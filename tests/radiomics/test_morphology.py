import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.polynomial.legendre import legval
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform
from scipy.spatial.transform import Rotation

from tumorboard.radiomics.families.morphology import FAMILY
from tumorboard.radiomics.region import Binned, Region
from tumorboard.radiomics.shape import ellipsoids
from tumorboard.radiomics.shape.boxes import smallest_box
from tumorboard.radiomics.shape.hull import hull_of, hull_of_mask, largest_distance
from tumorboard.radiomics.shape.mesh import area_and_volume, own_box, padded
from tumorboard.radiomics.shape.moments import centre_and_spread, principal_axes
from tumorboard.radiomics.shape.neighbours import moran_and_geary, pair_sums
from tumorboard.radiomics.shape.outline import diameters_in_planes, outermost
from tumorboard.radiomics.shape.triangles import corner, table, triangles_of

UNIT = (1.0, 1.0, 1.0)
MASKS = hnp.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)).filter(np.any)
SPACINGS = st.tuples(*[st.floats(0.3, 4.0)] * 3)
SEEDS = st.integers(0, 2**32 - 1)


def cut(mask):
    return np.ascontiguousarray(mask[own_box(mask)])


def region(image, mask, spacing=UNIT, whole=None):
    levels = Binned(mask.astype(np.int32), 1, 1.0, 0.5)
    return Region(np.asarray(image, dtype=float), mask, mask if whole is None else whole, spacing, levels)


def values(image, mask, spacing=UNIT, whole=None):
    return FAMILY.compute(region(image, mask, spacing, whole), "")


def ball(radius, size):
    return np.sum((np.indices((size,) * 3) - (size - 1) / 2) ** 2, axis=0) <= radius**2


def mesh(mask, flips=False):
    """Triangles of the surface in half voxels, by a plain loop over the cubes."""
    grid, found = padded(mask), []
    for start in itertools.product(*(range(size - 1) for size in grid.shape)):
        inside = [grid[tuple(np.add(start, np.array(corner(bit)) // 2))] for bit in range(8)]
        for triangle in triangles_of(sum(1 << bit for bit in range(8) if inside[bit]), flips):
            found.append([tuple(2 * s + v for s, v in zip(start, vertex, strict=True)) for vertex in triangle])
    return found


def open_edges(triangles):
    edges = Counter((a, b) for t in triangles for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0])))
    return sum(max(count - edges[b, a], 0) for (a, b), count in edges.items())


class TestSurface:
    @pytest.mark.parametrize("flips", [False, True])
    def test_vertices_are_the_edges_that_are_cut(self, flips):
        for number in range(256):
            inside = {corner(bit) for bit in range(8) if number >> bit & 1}
            corners = [corner(bit) for bit in range(8)]
            edges = [(a, b) for a, b in itertools.combinations(corners, 2) if np.abs(np.subtract(a, b)).sum() == 2]
            cuts = {tuple(np.add(a, b) // 2) for a, b in edges if (a in inside) != (b in inside)}
            assert {vertex for triangle in triangles_of(number, flips) for vertex in triangle} == cuts

    @given(MASKS)
    @settings(max_examples=40, deadline=None)
    def test_has_no_gaps(self, mask):
        assert open_edges(mesh(mask)) == 0

    def test_of_pyradiomics_has_gaps_where_voxels_touch_along_an_edge(self):
        gaps = [open_edges(mesh(np.random.default_rng(seed).random((4, 4, 4)) < 0.5, True)) for seed in range(5)]
        assert min(gaps) > 0

    @given(MASKS, SPACINGS)
    @settings(max_examples=40, deadline=None)
    def test_counting_cubes_is_summing_triangles(self, mask, spacing):
        for flips in (False, True):
            a, b, c = np.moveaxis(np.array(mesh(mask, flips)) * np.array(spacing) / 2, 1, 0)
            normal = np.cross(b - a, c - a) / 2
            area, volume = np.sqrt((normal**2).sum(axis=1)).sum(), (a * normal).sum() / 3
            np.testing.assert_allclose(area_and_volume(mask, spacing, flips), (area, volume), rtol=1e-10, atol=1e-10)

    @given(st.tuples(*[st.integers(1, 6)] * 3))
    def test_of_a_cuboid_has_cut_edges_and_corners(self, shape):
        a, b, c = (size - 1 for size in shape)
        area = 2 * (a * b + a * c + b * c) + 4 * np.sqrt(0.5) * (a + b + c) + np.sqrt(3)
        volume = np.prod(shape) - (a + b + c) / 2 - 5 / 6
        np.testing.assert_allclose(area_and_volume(np.ones(shape, dtype=bool), UNIT), (area, volume))

    @given(MASKS, SPACINGS, st.permutations(range(3)), st.tuples(*[st.sampled_from([1, -1])] * 3))
    def test_does_not_depend_on_how_the_grid_lies(self, mask, spacing, order, steps):
        turned = mask.transpose(order)[tuple(slice(None, None, step) for step in steps)]
        turned_spacing = tuple(spacing[axis] for axis in order)
        np.testing.assert_allclose(
            area_and_volume(np.pad(turned, ((2, 0), (0, 3), (1, 1))), turned_spacing), area_and_volume(mask, spacing)
        )

    def test_parts_add_up(self):
        one, two = np.zeros((2, 9, 5, 5), dtype=bool)
        one[:3, :4, 1:], two[5:, 2, :3] = True, True
        np.testing.assert_allclose(
            area_and_volume(one | two, UNIT), np.add(area_and_volume(one, UNIT), area_and_volume(two, UNIT))
        )

    def test_cases_without_a_touching_edge_are_those_of_pyradiomics(self):
        # their areas in a unit cube: 1 corner, 2 beside each other, 3 in a face, 4 in a face, 4 around one, 4 in a row
        for number, area in ((1, 0.2165), (3, 0.7071), (7, 1.1495), (15, 1.0), (23, 1.2990), (27, 1.5731)):
            for flips in (False, True):
                case, triangles = table(flips)
                a, b, c = np.moveaxis(triangles[case == number], 1, 0)
                assert np.sqrt((np.cross(b - a, c - a) ** 2).sum(axis=1)).sum() / 2 == pytest.approx(area, abs=1e-4)


class TestHull:
    @given(MASKS, SPACINGS)
    @settings(max_examples=40, deadline=None)
    def test_is_that_of_all_vertices(self, mask, spacing):
        vertices = np.unique(np.array(mesh(mask)).reshape(-1, 3), axis=0) * np.array(spacing) / 2
        hull, expected = hull_of_mask(cut(mask), spacing), ConvexHull(vertices)
        np.testing.assert_allclose((hull.area, hull.volume), (expected.area, expected.volume))
        assert largest_distance(hull.points) == pytest.approx(pdist(vertices).max())
        assert np.sum(hull.normals * hull.points[hull.triangles[:, 0]]) / 3 == pytest.approx(hull.volume)

    @given(MASKS, SPACINGS)
    @settings(max_examples=40, deadline=None)
    def test_diameters_in_planes_are_the_largest_between_vertices(self, mask, spacing):
        vertices = np.unique(np.array(mesh(mask)).reshape(-1, 3), axis=0)
        apart = squareform(pdist(vertices * np.array(spacing) / 2))
        for axis, diameter in enumerate(diameters_in_planes(cut(mask), spacing)):
            together = vertices[:, axis, None] == vertices[:, axis]
            assert diameter == pytest.approx(apart[together].max())

    def test_keeps_few_points_of_many(self):
        assert len(outermost(cut(ball(20, 45)))) < 2500


class TestSmallestBox:
    @given(st.tuples(*[st.floats(0.2, 10.0)] * 3), SEEDS)
    @settings(max_examples=40, deadline=None)
    def test_finds_a_turned_cuboid(self, edges, seed):
        turn = Rotation.random(random_state=np.random.default_rng(seed)).as_matrix()
        corners = np.array(list(itertools.product((0, 1), repeat=3))) * edges
        np.testing.assert_allclose(smallest_box(hull_of(corners @ turn)), np.sort(edges), rtol=1e-7)

    def test_finds_the_cube_around_an_octahedron(self):
        turn = Rotation.random(random_state=np.random.default_rng(0)).as_matrix()
        corners = np.concatenate([np.eye(3), -np.eye(3)]) @ turn  # the sides are spanned by (2, 2, 1), (-2, 1, 2) ...
        np.testing.assert_allclose(smallest_box(hull_of(corners)), np.full(3, 4 / 3), rtol=1e-5)

    def test_finds_the_cube_around_a_tetrahedron(self):
        corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1.0]])  # no face lies on a side of the cube
        np.testing.assert_allclose(smallest_box(hull_of(corners)), (1, 1, 1))

    @given(SEEDS)
    @settings(max_examples=20, deadline=None)
    def test_is_no_larger_than_many_others(self, seed):
        rng = np.random.default_rng(seed)
        points = rng.normal(size=(30, 3)) * (1, 2, 3)
        turns = Rotation.random(2000, random_state=rng).as_matrix()
        others = np.prod(np.ptp(points @ turns, axis=1), axis=1)
        box = np.prod(smallest_box(hull_of(points)))
        assert ConvexHull(points).volume <= box <= others.min() * 1.02  # it need not be the smallest of all


class TestEllipsoids:
    @given(st.tuples(*[st.floats(0.2, 10.0)] * 3), SEEDS)
    @settings(max_examples=40, deadline=None)
    def test_smallest_is_found_from_points_on_it(self, halves, seed):
        rng = np.random.default_rng(seed)
        turn = Rotation.random(random_state=rng).as_matrix()
        within = rng.normal(size=(20, 3))
        within /= np.linalg.norm(within, axis=1)[:, None] * rng.uniform(1, 3, (20, 1))
        points = np.concatenate([np.eye(3), -np.eye(3), within]) * halves @ turn + rng.normal(size=3)
        np.testing.assert_allclose(ellipsoids.smallest_around(points), np.sort(halves), rtol=1e-6)

    @given(SEEDS)
    @settings(max_examples=20, deadline=None)
    def test_smallest_of_a_simplex_has_the_closed_form(self, seed):
        points = np.random.default_rng(seed).normal(size=(4, 3))
        simplex = abs(np.linalg.det(points[1:] - points[0])) / 6
        assume(simplex > 1e-3)
        regular = 4 / 3 * np.pi * np.sqrt(6) ** 3 / 4**3 / (np.sqrt(2) / 12)  # a tetrahedron with edges of 1
        assert ellipsoids.volume(ellipsoids.smallest_around(points)) / simplex == pytest.approx(regular, rel=1e-6)

    def test_smallest_of_a_large_hull_takes_in_all_points(self):
        points = hull_of_mask(cut(ball(20.3, 43)), UNIT).points
        halves = ellipsoids.smallest_around(points)
        assert ellipsoids.volume(halves) <= ellipsoids.volume(np.full(3, largest_distance(points) / 2 * 1.01))
        assert halves[0] >= 20.3

    def test_area_has_the_closed_forms(self):
        cap = np.sqrt(1 - 1 / 9)
        assert ellipsoids.area(np.array([1.0, 1.0, 3.0])) == pytest.approx(2 * np.pi * (1 + 3 / cap * np.arcsin(cap)))
        flat = 2 * np.pi * (9 + np.arctanh(cap) / cap)
        assert ellipsoids.area(np.array([3.0, 1.0, 3.0])) == pytest.approx(flat)

    @given(st.tuples(*[st.floats(0.5, 10.0)] * 3))
    def test_standard_area_is_the_series_of_the_manual(self, halves):
        c, b, a = sorted(halves)
        alpha, beta = np.sqrt(1 - b**2 / a**2), np.sqrt(1 - c**2 / a**2)
        assume(alpha > 1e-3)
        n = np.arange(21)
        series = legval((alpha**2 + beta**2) / (2 * alpha * beta), (alpha * beta) ** n / (1 - 4 * n**2))
        assert ellipsoids.standard_area(np.array(halves)) == pytest.approx(4 * np.pi * a * b * series)


class TestMoments:
    @given(MASKS, SPACINGS, st.booleans())
    def test_are_those_of_the_voxel_centres(self, mask, spacing, population):
        where = np.argwhere(mask) * spacing
        centre, spread = centre_and_spread(mask, spacing, population)
        np.testing.assert_allclose(centre, where.mean(axis=0), atol=1e-12)
        off = where - where.mean(axis=0)
        expected = off.T @ off / max(len(where) - (not population), 1)
        np.testing.assert_allclose(spread, expected, atol=1e-10)

    def test_axes_of_a_cuboid(self):
        _, spread = centre_and_spread(np.ones((3, 5, 7), dtype=bool), (1.0, 1.0, 2.0), population=True)
        expected = 4 * np.sqrt(np.array([9 - 1, 25 - 1, 4 * (49 - 1)]) / 12)
        np.testing.assert_allclose(principal_axes(spread), expected)


def by_pairs(image, mask, spacing):
    """Moran's I and Geary's C as they are defined."""
    x = image[mask]
    with np.errstate(divide="ignore"):
        weight = 1 / squareform(pdist(np.argwhere(mask) * spacing))
    np.fill_diagonal(weight, 0)
    off, total = x - x.mean(), np.sum((x - x.mean()) ** 2)
    moran = len(x) / weight.sum() * np.sum(weight * np.outer(off, off)) / total
    geary = (len(x) - 1) / (2 * weight.sum()) * np.sum(weight * (x[:, None] - x) ** 2) / total
    return moran, geary


class TestPairs:
    @given(MASKS, SPACINGS, SEEDS)
    @settings(max_examples=60, deadline=None)
    def test_are_the_sums_over_all_pairs(self, mask, spacing, seed):
        assume(mask.sum() > 1)
        image = np.random.default_rng(seed).normal(300, 40, mask.shape)
        moran, geary = moran_and_geary(image, mask, spacing)
        expected = by_pairs(image, mask, spacing)
        np.testing.assert_allclose((moran, geary), expected, rtol=1e-9, atol=1e-12)

    def test_are_exact_for_a_larger_region(self):
        mask = ball(7.2, 17)
        image = np.random.default_rng(0).normal(size=mask.shape).cumsum(axis=0)
        spacing = (0.9, 0.9, 3.0)
        np.testing.assert_allclose(moran_and_geary(image, mask, spacing), by_pairs(image, mask, spacing), rtol=1e-9)

    def test_of_three_voxels_in_a_row_by_hand(self):
        image = np.array([[[1.0, 2.0, 6.0]]])  # weights 1, 1, 1/2; deviations -2, -1, 3; squares add up to 14
        moran, geary = moran_and_geary(image, image > 0, UNIT)
        assert moran == pytest.approx(3 / 5 * 2 * (2 - 3 - 3) / 14)
        assert geary == pytest.approx(2 / (2 * 5) * 2 * (1 + 16 + 25 / 2) / 14)

    @given(MASKS, SEEDS, st.floats(0.01, 100), st.floats(-1e3, 1e3))
    @settings(max_examples=30, deadline=None)
    def test_do_not_depend_on_the_unit(self, mask, seed, scale, shift):
        image = np.random.default_rng(seed).integers(0, 9, mask.shape).astype(float)
        assume(np.ptp(image[mask]) > 0)
        np.testing.assert_allclose(
            moran_and_geary(image * scale + shift, mask, UNIT), moran_and_geary(image, mask, UNIT), rtol=1e-6, atol=1e-9
        )

    @given(MASKS, SPACINGS)
    @settings(max_examples=30, deadline=None)
    def test_of_ones_are_all_alike(self, mask, spacing):
        weights, products, squares = pair_sums(mask.astype(float), mask, spacing)
        np.testing.assert_allclose((products, squares), weights, atol=1e-9)


class TestFamily:
    def test_names_and_codes_are_29_each(self):
        assert len({f.name for f in FAMILY.features}) == len({f.code for f in FAMILY.features}) == 29
        assert FAMILY.tag("vol_dens_conv_hull") == "morph_vol_dens_conv_hull"
        assert not FAMILY.filtered

    @given(MASKS, SPACINGS, SEEDS)
    @settings(max_examples=30, deadline=None)
    def test_bodies_around_the_mask_are_larger_than_it(self, mask, spacing, seed):
        found = values(np.random.default_rng(seed).normal(size=mask.shape), mask, spacing)
        assert list(found) == [feature.name for feature in FAMILY.features]
        tight = 1 + 1e-9
        assert 0 < found["vol_dens_aabb"] <= found["vol_dens_ombb"] * tight <= found["vol_dens_conv_hull"] * tight**2
        assert found["vol_dens_mvee"] <= found["vol_dens_conv_hull"] <= tight
        assert 0 < found["sphericity"] <= 1
        assert found["comp_2"] == pytest.approx(found["sphericity"] ** 3)
        assert found["comp_1"] == pytest.approx(np.sqrt(found["comp_2"]) / (6 * np.pi))
        assert found["asphericity"] == pytest.approx(1 / found["sphericity"] - 1)
        assert found["pca_least_axis"] <= found["pca_min_axis"] <= found["pca_maj_axis"]

    def test_grow_with_the_spacing_as_their_units_say(self):
        rng = np.random.default_rng(0)
        mask = rng.random((6, 5, 4)) < 0.6
        image = rng.normal(size=mask.shape)
        once, twice = values(image, mask, (1.0, 2.0, 0.7)), values(image, mask, (2.0, 4.0, 1.4))
        power = {"1": 0, "mm": 1, "mm2": 2, "mm3": 3, "1/mm": -1, "i.mm3": 3}
        for feature in FAMILY.features:
            assert twice[feature.name] == pytest.approx(once[feature.name] * 2.0 ** power[feature.unit], rel=1e-6)

    def test_of_a_ball_is_almost_that_of_the_ball(self):
        found = values(np.ones((43, 43, 43)), ball(20, 43))
        assert found["volume"] == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
        assert found["diam"] == pytest.approx(41, rel=0.02)
        assert found["pca_maj_axis"] == pytest.approx(40 * 2 / np.sqrt(5), rel=0.01)
        assert found["pca_flatness"] == pytest.approx(1)
        assert found["vol_dens_aabb"] == pytest.approx(np.pi / 6 * (40 / 41) ** 3, rel=0.01)
        assert found["vol_dens_mvee"] == pytest.approx((40 / 41) ** 3, rel=0.01)
        assert found["com"] == pytest.approx(0)

    def test_shape_is_of_one_mask_and_intensity_of_the_other(self):
        image = np.arange(8.0).reshape(1, 1, 8) + 1
        whole, inside = image > 0, image > 6
        found = values(image, inside, (1.0, 1.0, 2.0), whole)
        alone = values(image, whole, (1.0, 1.0, 2.0))
        assert found["volume"] == alone["volume"]
        assert found["integ_int"] == pytest.approx(7.5 * found["volume"])
        assert found["com"] == pytest.approx(2 * ((7 * 6 + 8 * 7) / 15 - 3.5))

    def test_box_does_not_matter(self):
        rng = np.random.default_rng(1)
        mask = rng.random((5, 4, 3)) < 0.7
        image = rng.normal(100, 9, mask.shape)
        wide = ((3, 1), (0, 4), (2, 2))
        for name, value in values(image, mask).items():
            assert values(np.pad(image, wide), np.pad(mask, wide))[name] == pytest.approx(value, rel=1e-9), name

    def test_one_voxel(self):
        found = values(np.full((3, 3, 3), 4.0), ball(0.1, 3))
        missing = {name for name, value in found.items() if np.isnan(value)}
        assert missing == {"pca_elongation", "pca_flatness", "vol_dens_aee", "area_dens_aee", "moran_i", "geary_c"}
        assert found["pca_maj_axis"] == 0
        assert found["diam"] == 1
        assert found["vol_dens_ombb"] == pytest.approx(9 / 16, rel=1e-5)  # of an octahedron in a cube, askew
        assert found["integ_int"] == pytest.approx(4 / 6)

    def test_one_slice(self):
        image = np.arange(30.0).reshape(5, 6, 1)
        found = values(image, image >= 0)
        missing = {name for name, value in found.items() if np.isnan(value)}
        assert missing == {"vol_dens_aee", "area_dens_aee"}
        assert found["pca_flatness"] == found["pca_least_axis"] == 0

    def test_what_intensities_do_not_tell_is_missing(self):
        box = np.ones((2, 2, 2), dtype=bool)
        flat = values(np.full((2, 2, 2), 0.1), box)
        assert np.isnan([flat["moran_i"], flat["geary_c"]]).all()
        assert np.isnan(values(np.array([[[-1.0, 1.0]]]), np.ones((1, 1, 2), dtype=bool))["com"])
        empty = values(np.ones((2, 2, 2)), ~box, UNIT, box)
        assert np.isnan([empty[name] for name in ("com", "integ_int", "moran_i", "geary_c")]).all()
        assert empty["vol_approx"] == 8
        assert np.isnan(list(values(np.ones((2, 2, 2)), ~box).values())).all()
