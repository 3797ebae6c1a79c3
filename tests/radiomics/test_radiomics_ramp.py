"""A ramp along the first axis, a cube of n levels in n slabs: every family that sees it, in closed form."""

import numpy as np
import pytest

from tumorboard.radiomics.extract import extract
from tumorboard.radiomics.settings import Discretisation, RadiomicsSettings
from tumorboard.volume import Volume

SIDES = (3, 4, 6)


def features(n, *families):
    levels = np.broadcast_to(np.arange(1, n + 1)[:, None, None], (n, n, n)).copy()
    ones = np.ones_like(levels)
    how = RadiomicsSettings(families=families, texture=Discretisation(method="none"))
    found = extract(Volume.of(levels, np.eye(4)), Volume.of(ones, np.eye(4)), how).values
    return {name.removeprefix("original."): value for name, value in found.items()}


def close(found, **wanted):
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("n", SIDES)
def test_statistics_and_histogram(n):
    var, squares = (n**2 - 1) / 12, (n + 1) * (2 * n + 1) / 6
    kurt = -1.2 * (n**2 + 1) / (n**2 - 1)
    mad = 2 * sum(abs(i - (n + 1) / 2) for i in range(1, n + 1)) / (2 * n)
    found = features(n, "statistics", "histogram")
    for prefix in ("stat", "ih"):
        close(
            found, **{f"{prefix}_mean": (n + 1) / 2, f"{prefix}_var": var, f"{prefix}_skew": 0, f"{prefix}_kurt": kurt}
        )
        close(found, **{f"{prefix}_min": 1, f"{prefix}_max": n, f"{prefix}_range": n - 1, f"{prefix}_mad": mad})
        close(found, **{f"{prefix}_median": (n + 1) / 2, f"{prefix}_cov": var**0.5 / ((n + 1) / 2)})
    close(found, stat_energy=n**3 * squares, stat_rms=squares**0.5, ih_entropy=np.log2(n), ih_uniformity=1 / n)


@pytest.mark.parametrize("n", SIDES)
def test_pairs(n):
    apart, alike = (n - 1) * (3 * n - 2) ** 2, n * (2 * n * (n - 1) + 2 * (n - 1) ** 2)
    share = apart / (apart + alike)
    found = features(n, "glcm")
    close(found, cm_contrast_3D_comb=share, cm_dissimilarity_3D_comb=share, cm_diff_avg_3D_comb=share)
    close(found, cm_diff_var_3D_comb=share * (1 - share), cm_inv_diff_3D_comb=1 - share / 2)
    close(found, cm_inv_diff_mom_3D_comb=1 - share / 2, cm_inv_var_3D_comb=share)
    close(found, cm_inv_diff_norm_3D_comb=1 - share + share / (1 + 1 / n))
    mean = found["cm_joint_avg_3D_comb"]
    close(found, cm_joint_avg_3D_comb=(n + 1) / 2, cm_sum_avg_3D_comb=2 * mean)  # levels mirror each other
    close(found, cm_clust_tend_3D_comb=4 * found["cm_joint_var_3D_comb"] - share, cm_clust_shade_3D_comb=0)


@pytest.mark.parametrize("n", SIDES)
def test_runs(n):
    lengths = {1: 9 * n**3 + 2 * n * 2, n: 2 * n**2 + 2 * n} | dict.fromkeys(range(2, n), 4 * n)
    runs = sum(lengths.values())
    found = features(n, "glrlm")
    close(found, rlm_r_perc_3D_comb=runs / (13 * n**3))
    close(found, rlm_sre_3D_comb=sum(c / length**2 for length, c in lengths.items()) / runs)
    close(found, rlm_lre_3D_comb=sum(c * length**2 for length, c in lengths.items()) / runs)
    close(found, rlm_rlnu_3D_comb=sum(c**2 for c in lengths.values()) / runs)
    close(found, rlm_glnu_3D_comb=runs / n, rlm_glnu_norm_3D_comb=1 / n, rlm_gl_var_3D_comb=(n**2 - 1) / 12)


@pytest.mark.parametrize("n", SIDES)
def test_zones(n):
    low, high = sum(i**-2.0 for i in range(1, n + 1)) / n, (n + 1) * (2 * n + 1) / 6
    found = features(n, "glszm")
    close(found, szm_sze_3D=n**-4.0, szm_lze_3D=n**4, szm_lgze_3D=low, szm_hgze_3D=high)
    close(found, szm_szlge_3D=low / n**4, szm_szhge_3D=high / n**4, szm_lzlge_3D=low * n**4, szm_lzhge_3D=high * n**4)
    close(found, szm_glnu_3D=1, szm_glnu_norm_3D=1 / n, szm_zsnu_3D=n, szm_zsnu_norm_3D=1, szm_z_perc_3D=n**-2.0)
    close(found, szm_gl_var_3D=(n**2 - 1) / 12, szm_zs_var_3D=0, szm_zs_entr_3D=np.log2(n))
    close(features(n, "gldzm"), dzm_sde_3D=1, dzm_lde_3D=1, dzm_glnu_3D=1, dzm_zdnu_3D=n, dzm_zd_var_3D=0)


@pytest.mark.parametrize("n", SIDES)
def test_shape_of_the_cube(n):
    found = features(n, "morphology")
    spread = 4 * ((n**3 * (n**2 - 1) / 12) / (n**3 - 1)) ** 0.5
    close(found, morph_vol_approx=n**3, morph_pca_maj_axis=spread, morph_pca_least_axis=spread, morph_pca_flatness=1)
    volume = n**3 - 12 * (n - 1) / 8 - 8 * (1 / 8 - 1 / 48)  # the surface cuts off what edges and corners stick out
    close(found, morph_volume=volume, morph_integ_int=volume * (n + 1) / 2)
