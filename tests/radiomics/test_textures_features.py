"""Texture features against closed forms, against the standard's formulas as they are printed, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.radiomics.families import glcm, gldzm, glrlm, glszm, ngldm, ngtdm
from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.families.emphasis import emphases
from tumorboard.radiomics.feature import BY_DIRECTION, BY_SLICE, Feature
from tumorboard.radiomics.pyradiomics.features import dependence
from tumorboard.radiomics.region import Binned, Region

MODULES = (glcm, glrlm, glszm, gldzm, ngtdm, ngldm)
EACH = [(module.FAMILY, way) for module in MODULES for way in module.FAMILY.ways]


def region_of(levels, count=None):
    levels = np.asarray(levels, dtype=np.int32)
    inside = levels > 0
    return Region(
        levels.astype(float), inside, inside, (1.0, 1.0, 1.0), Binned(levels, count or levels.max(), 1.0, 0.5)
    )


def checkerboard(n):
    return 1 + np.indices((n, n, n)).sum(axis=0) % 2


def test_families_have_what_the_standard_has():
    assert [len(m.FAMILY.features) for m in MODULES] == [25, 16, 16, 16, 5, 17]
    assert [m.FAMILY.ways for m in MODULES] == [BY_DIRECTION] * 2 + [BY_SLICE] * 4
    codes = [f.code for m in MODULES for f in m.FAMILY.features]
    assert len(set(codes)) == len(codes) == 95
    assert all(len(code) == 4 and code.isalnum() for code in codes)


@pytest.mark.parametrize(("family", "way"), EACH, ids=[f"{f.name}-{way}" for f, way in EACH])
def test_every_way_gives_exactly_the_features_of_the_family(family, way):
    values = family.compute(region_of(np.random.default_rng(0).integers(0, 5, (6, 5, 4))), way)
    assert list(values) == [f.name for f in family.features]
    assert np.isfinite(list(values.values())).all()


@pytest.mark.parametrize("level", [1, 4])
def test_cooccurrence_in_a_constant_cube(level):
    got = glcm.compute(region_of(np.full((3, 3, 3), level), count=level), "3D_avg")
    ones = ("joint_max", "energy", "inv_diff", "inv_diff_norm", "inv_diff_mom", "inv_diff_mom_norm")
    noughts = ("joint_var", "joint_entr", "diff_avg", "diff_var", "diff_entr", "sum_var", "sum_entr", "contrast")
    noughts += ("dissimilarity", "inv_var", "clust_tend", "clust_shade", "clust_prom", "info_corr2")
    assert {name: got[name] for name in ones} == dict.fromkeys(ones, 1.0)
    assert {name: got[name] for name in noughts} == dict.fromkeys(noughts, 0.0)
    assert (got["joint_avg"], got["sum_avg"], got["auto_corr"]) == (level, 2 * level, level**2)
    assert np.isnan(got["corr"])
    assert np.isnan(got["info_corr1"])


def test_runs_in_a_constant_cube():
    n = 4
    got = glrlm.compute(region_of(np.full((n, n, n), 2)), "3D_comb")
    runs = 3 * n**2 + 6 * n * (2 * n - 1) + 4 * (n**3 - (n - 1) ** 3)
    assert got["r_perc"] == pytest.approx(runs / (13 * n**3))
    assert (got["hgre"], got["lgre"], got["gl_var"], got["glnu"]) == pytest.approx((4.0, 0.25, 0.0, runs))
    along_k = glrlm.compute(region_of(np.full((1, 1, n), 2)), "3D_avg")
    assert along_k["lre"] == pytest.approx((n**2 + 12) / 13)  # one run of four, or four of one


def test_zones_in_a_constant_cube():
    n = 3
    sizes, distances = (m.compute(region_of(np.full((n, n, n), 2)), "3D") for m in (glszm, gldzm))
    assert (sizes["lze"], sizes["z_perc"], sizes["zs_entr"]) == (n**6, 1 / n**3, 0.0)
    assert (distances["lde"], distances["zdnu_norm"], distances["ldhge"]) == (1.0, 1.0, 4.0)


def test_neighbourhoods_in_a_constant_cube():
    n = 4
    got = ngldm.compute(region_of(np.full((n, n, n), 3)), "3D")
    counts = {8: 8, 12: 12 * (n - 2), 18: 6 * (n - 2) ** 2, 27: (n - 2) ** 3}
    assert got["hde"] == pytest.approx(sum(v * k**2 for k, v in counts.items()) / n**3)
    assert got["dc_energy"] == pytest.approx(sum(v**2 for v in counts.values()) / n**6)
    assert (got["dc_perc"], got["hgce"]) == (1.0, 9.0)
    tones = ngtdm.compute(region_of(np.full((n, n, n), 3)), "3D")
    assert tones == {"coarseness": 1e6, "contrast": 0.0, "busyness": 0.0, "complexity": 0.0, "strength": 0.0}


def test_a_checkerboard_of_two_levels():
    board = region_of(checkerboard(4))
    apart = glcm.compute(board, "3D_avg")  # along axes and space diagonals levels change, in planes' diagonals not
    assert apart["contrast"] == pytest.approx(7 / 13)
    assert apart["corr"] == pytest.approx((6 - 7) / 13)
    assert apart["info_corr1"] == pytest.approx(-1.0)
    assert apart["energy"] == pytest.approx(0.5)
    zones = glszm.compute(board, "3D")
    assert (zones["lze"], zones["z_perc"], zones["zs_entr"]) == (32.0**2, 2 / 64, 1.0)
    runs = glrlm.compute(board, "3D_avg")
    diagonals = 4 * 7 / 64  # four planes of seven diagonals each
    assert runs["r_perc"] == pytest.approx((7 + 6 * diagonals) / 13)
    inner = ngldm.compute(region_of(checkerboard(3)), "3D")
    # centre: 12 alike; faces: 8; edges: 5; corners: 3; and themselves
    assert inner["hde"] == pytest.approx((13**2 + 6 * 9**2 + 12 * 6**2 + 8 * 4**2) / 27)


def test_grey_tone_differences_by_hand():
    got = ngtdm.compute(region_of([[[1], [3], [3]]]), "3D")  # differences 2; 3 - (1 + 3) / 2 = 1 and 0
    assert got["coarseness"] == pytest.approx(1 / (2 / 3 + 2 / 3))
    assert got["contrast"] == pytest.approx(2 * (1 / 3) * (2 / 3) * 4 / 2 * 3 / 3)
    assert got["busyness"] == pytest.approx((4 / 3) / (2 * abs(1 / 3 - 2)))
    assert got["complexity"] == pytest.approx(2 * 2 * (2 / 3 + 2 / 3) / 3)
    assert got["strength"] == pytest.approx(2 * 4 / 3)


def test_busyness_without_a_difference_of_weighted_levels_is_not_defined():
    got = ngtdm.compute(region_of([[[2], [1], [1]]]), "3D")  # 2 * 1/3 = 1 * 2/3
    assert np.isnan(got["busyness"])
    assert got["contrast"] > 0


@pytest.mark.parametrize("way", BY_DIRECTION)
def test_one_voxel_has_no_pair_and_one_run(way):
    one = region_of([[[5]]])
    assert np.isnan(list(glcm.compute(one, way).values())).all()
    assert glrlm.compute(one, way)["lrhge"] == 25.0
    assert glrlm.compute(one, way)["r_perc"] == 1.0


@pytest.mark.parametrize("way", BY_SLICE)
def test_one_voxel_is_a_zone_and_its_own_neighbourhood(way):
    one = region_of([[[5]]])
    assert glszm.compute(one, way)["lzhge"] == 25.0
    assert gldzm.compute(one, way)["ldhge"] == 25.0
    assert ngldm.compute(one, way)["hdhge"] == 25.0
    assert np.isnan(list(ngtdm.compute(one, way).values())).all()


@pytest.mark.parametrize(("family", "way"), EACH, ids=[f"{f.name}-{way}" for f, way in EACH])
def test_an_empty_region_has_no_texture(family, way):
    nothing = np.zeros((3, 3, 3), dtype=np.int32)
    region = Region(nothing * 1.0, nothing > 0, nothing > 0, (1.0, 1.0, 1.0), Binned(nothing, 0, np.nan, np.nan))
    assert np.isnan(list(family.compute(region, way).values())).all()


def test_a_slice_of_one_voxel_does_not_count_where_it_says_nothing():
    levels = np.zeros((4, 4, 2), dtype=np.int32)
    levels[:, :, 0] = np.random.default_rng(3).integers(1, 4, (4, 4))
    alone = region_of(levels)
    levels = levels.copy()
    levels[1, 1, 1] = 3
    with_one = region_of(levels)
    for way in ("2D_avg", "2D_comb"):
        assert glcm.compute(with_one, way) == glcm.compute(alone, way)
    assert ngtdm.compute(with_one, "2D") == ngtdm.compute(alone, "2D")
    run, other = (glrlm.compute(r, "2D_comb")["r_perc"] for r in (with_one, alone))
    assert run == pytest.approx((other + 1.0) / 2)


def test_a_flat_slice_has_no_correlation_but_a_contrast():
    rng = np.random.default_rng(4)
    mixed, flat = rng.integers(1, 4, (4, 4, 1)), np.full((4, 4, 1), 2)
    one, two = (glcm.compute(region_of(x), "2D_comb") for x in (mixed, np.concatenate([mixed, flat], axis=2)))
    assert two["corr"] == one["corr"]
    assert two["contrast"] == pytest.approx(one["contrast"] / 2)


@pytest.mark.parametrize(("family", "way"), [(f, w) for f, w in EACH if w.startswith("2D")])
def test_slices_are_averaged(family, way):
    levels = np.random.default_rng(5).integers(0, 5, (6, 5, 4))
    whole = family.compute(region_of(levels, 4), way)
    each = [family.compute(region_of(levels[:, :, [k]], 4), way) for k in range(4)]
    assert whole == pytest.approx({name: np.mean([one[name] for one in each]) for name in whole})


@pytest.mark.parametrize("family", [m.FAMILY for m in MODULES], ids=lambda f: f.name)
def test_a_single_slice_is_the_same_in_two_and_two_and_a_half_dimensions(family):
    region = region_of(np.random.default_rng(6).integers(0, 5, (6, 5, 1)))
    for way in (w for w in family.ways if w.startswith("2D")):
        assert family.compute(region, way) == family.compute(region, way.replace("2D", "2_5D"))


def test_directions_are_averaged_over_those_with_pairs():
    row = glcm.compute(region_of([[[1], [2], [2], [4]]]), "3D_avg")
    assert row == glcm.compute(region_of([[[1], [2], [2], [4]]]), "3D_comb")
    assert row["contrast"] == pytest.approx((1 + 0 + 4) / 3)


def test_levels_that_are_absent_change_nothing_but_what_the_number_of_levels_scales():
    dense, count = np.random.default_rng(7).integers(1, 4, (5, 5, 5)), 40
    few, many = (glcm.compute(region_of(dense, c), "3D_comb") for c in (3, count))
    scaled = {"inv_diff_norm", "inv_diff_mom_norm"}
    assert {k for k in few if few[k] != many[k]} == scaled


P = hnp.arrays(np.int64, st.integers(1, 6).map(lambda n: (n, n)), elements=st.integers(0, 9))


@given(P, st.integers(1, 5), st.integers(1, 3))
def test_cooccurrence_features_follow_the_printed_formulas(counts, lowest, gap):
    counts = counts + counts.T
    n = len(counts)
    levels = lowest + gap * np.arange(n)
    count = int(levels[-1])
    got = dict(zip((f.name for f in glcm.FEATURES), glcm.matrix_features(counts[None], levels, count)[0], strict=True))
    if not counts.any():
        assert np.isnan(list(got.values())).all()
        return
    p = counts / counts.sum()
    i, j = np.meshgrid(levels, levels, indexing="ij")
    one = p.sum(axis=1)
    mean = (levels * one).sum()
    variance = ((levels - mean) ** 2 * one).sum()

    def bits(q, of=None):
        of = q if of is None else of
        return -(q[q > 0] * np.log2(of[q > 0])).sum()

    apart = np.array([p[np.abs(i - j) == k].sum() for k in range(levels[-1] - levels[0] + 1)])
    both = np.array([p[i + j == k].sum() for k in range(2 * levels[-1] + 1)])
    k, s = np.arange(len(apart)), np.arange(len(both))
    product, hxy, hx = np.outer(one, one), bits(p), bits(one)
    hxy1, hxy2 = bits(p, product), bits(product)
    off = i != j
    expected = {
        **{"joint_max": p.max(), "joint_avg": (i * p).sum(), "joint_var": ((i - mean) ** 2 * p).sum()},
        **{"joint_entr": hxy, "diff_avg": (k * apart).sum(), "diff_entr": bits(apart), "sum_avg": (s * both).sum()},
        "diff_var": ((k - (k * apart).sum()) ** 2 * apart).sum(),
        "sum_var": ((s - (s * both).sum()) ** 2 * both).sum(),
        **{"sum_entr": bits(both), "energy": (p**2).sum(), "contrast": ((i - j) ** 2 * p).sum()},
        **{"dissimilarity": (np.abs(i - j) * p).sum(), "inv_diff": (p / (1 + np.abs(i - j))).sum()},
        "inv_diff_norm": (p / (1 + np.abs(i - j) / count)).sum(),
        "inv_diff_mom": (p / (1 + (i - j) ** 2)).sum(),
        "inv_diff_mom_norm": (p / (1 + (i - j) ** 2 / count**2)).sum(),
        "inv_var": (p[off] / (i - j)[off] ** 2).sum(),
        "corr": ((i - mean) * (j - mean) * p).sum() / variance if variance > 1e-12 else np.nan,
        "auto_corr": (i * j * p).sum(),
        **{
            f"clust_{name}": ((i + j - 2 * mean) ** m * p).sum() for name, m in (("tend", 2), ("shade", 3), ("prom", 4))
        },
        "info_corr1": (hxy - hxy1) / hx if hx > 0 else np.nan,
        "info_corr2": np.sqrt(1 - np.exp(-2 * max(hxy2 - hxy, 0.0))),
    }
    assert list(got) == [f.name for f in glcm.FEATURES]
    for name, value in expected.items():
        near = 1e-6 if name == "info_corr2" else 1e-9  # the root of rounding
        assert got[name] == pytest.approx(value, rel=1e-9, abs=near, nan_ok=True), name


TABLES = hnp.arrays(np.int64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.integers(0, 9))


@given(TABLES, st.integers(1, 4))
def test_emphases_follow_the_printed_formulas(table, lowest):
    levels, sizes = lowest + 2 * np.arange(table.shape[0]), 1 + 3 * np.arange(table.shape[1])
    row = emphases(table[None], levels, sizes, 50)[0]
    total = table.sum()
    if not total:
        assert np.isnan(row).all()
        return
    i, j = np.meshgrid(levels.astype(float), sizes.astype(float), indexing="ij")
    p = table / total
    expected = [
        (p * w).sum() for w in (j**-2, j**2, i**-2, i**2, (i * j) ** -2, (i / j) ** 2, (j / i) ** 2, (i * j) ** 2)
    ]
    for axis in (1, 0):
        expected += [(table.sum(axis=axis) ** 2).sum() / total, (table.sum(axis=axis) ** 2).sum() / total**2]
    expected += [total / 50, ((i - (i * p).sum()) ** 2 * p).sum(), ((j - (j * p).sum()) ** 2 * p).sum()]
    expected += [-(p[p > 0] * np.log2(p[p > 0])).sum(), (p**2).sum()]
    assert row == pytest.approx(expected, abs=1e-9)


def test_dependence_under_the_names_of_another_package():
    region = region_of(np.random.default_rng(8).integers(1, 4, (5, 4, 3)))
    theirs, ours = dependence(region), ngldm.compute(region, "3D")
    assert len(theirs) == 14
    assert theirs["DependenceEntropy"] == ours["dc_entr"]
    assert theirs["SmallDependenceHighGrayLevelEmphasis"] == ours["ldhge"]


def test_a_mean_leaves_out_what_is_not_defined():
    features = (Feature("a", "", "1", "one"), Feature("b", "", "1", "other"))
    rows = [np.array([[1.0, np.nan], [2.0, 4.0]]), np.array([[6.0, np.nan]])]
    assert averaged(features, rows) == {"a": 3.0, "b": 4.0}
    assert np.isnan(averaged(features, [])["a"])
