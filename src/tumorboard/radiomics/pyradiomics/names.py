"""What PyRadiomics calls its features, what they are called here, and where its definitions are not the standard's.

Why it exists: a model in the literature names columns of PyRadiomics. This table says which of them are features of the
standard under another name, and which have no counterpart.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1); the standard, arXiv:1612.07003.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NONE = ""
"""Of a feature without a counterpart in the standard's tables."""

SHAPE = {
    "Elongation": "morph_pca_elongation",
    "Flatness": "morph_pca_flatness",
    "LeastAxisLength": "morph_pca_least_axis",
    "MajorAxisLength": "morph_pca_maj_axis",
    "Maximum2DDiameterColumn": NONE,
    "Maximum2DDiameterRow": NONE,
    "Maximum2DDiameterSlice": NONE,
    "Maximum3DDiameter": "morph_diam",
    "MeshVolume": "morph_volume",
    "MinorAxisLength": "morph_pca_min_axis",
    "Sphericity": "morph_sphericity",
    "SurfaceArea": "morph_area_mesh",
    "SurfaceVolumeRatio": "morph_av",
    "VoxelVolume": "morph_vol_approx",
}

FIRST_ORDER = {
    "10Percentile": "stat_p10",
    "90Percentile": "stat_p90",
    "Energy": "stat_energy",
    "Entropy": "ih_entropy",
    "InterquartileRange": "stat_iqr",
    "Kurtosis": "stat_kurt",
    "Maximum": "stat_max",
    "MeanAbsoluteDeviation": "stat_mad",
    "Mean": "stat_mean",
    "Median": "stat_median",
    "Minimum": "stat_min",
    "Range": "stat_range",
    "RobustMeanAbsoluteDeviation": "stat_rmad",
    "RootMeanSquared": "stat_rms",
    "Skewness": "stat_skew",
    "TotalEnergy": NONE,
    "Uniformity": "ih_uniformity",
    "Variance": "stat_var",
}

GLCM = {
    "Autocorrelation": "cm_auto_corr_3D_avg",
    "ClusterProminence": "cm_clust_prom_3D_avg",
    "ClusterShade": "cm_clust_shade_3D_avg",
    "ClusterTendency": "cm_clust_tend_3D_avg",
    "Contrast": "cm_contrast_3D_avg",
    "Correlation": "cm_corr_3D_avg",
    "DifferenceAverage": "cm_diff_avg_3D_avg",
    "DifferenceEntropy": "cm_diff_entr_3D_avg",
    "DifferenceVariance": "cm_diff_var_3D_avg",
    "Id": "cm_inv_diff_3D_avg",
    "Idm": "cm_inv_diff_mom_3D_avg",
    "Idmn": "cm_inv_diff_mom_norm_3D_avg",
    "Idn": "cm_inv_diff_norm_3D_avg",
    "Imc1": "cm_info_corr1_3D_avg",
    "Imc2": "cm_info_corr2_3D_avg",
    "InverseVariance": "cm_inv_var_3D_avg",
    "JointAverage": "cm_joint_avg_3D_avg",
    "JointEnergy": "cm_energy_3D_avg",
    "JointEntropy": "cm_joint_entr_3D_avg",
    "MCC": NONE,
    "MaximumProbability": "cm_joint_max_3D_avg",
    "SumAverage": "cm_sum_avg_3D_avg",
    "SumEntropy": "cm_sum_entr_3D_avg",
    "SumSquares": "cm_joint_var_3D_avg",
}

GLRLM = {
    "GrayLevelNonUniformity": "rlm_glnu_3D_avg",
    "GrayLevelNonUniformityNormalized": "rlm_glnu_norm_3D_avg",
    "GrayLevelVariance": "rlm_gl_var_3D_avg",
    "HighGrayLevelRunEmphasis": "rlm_hgre_3D_avg",
    "LongRunEmphasis": "rlm_lre_3D_avg",
    "LongRunHighGrayLevelEmphasis": "rlm_lrhge_3D_avg",
    "LongRunLowGrayLevelEmphasis": "rlm_lrlge_3D_avg",
    "LowGrayLevelRunEmphasis": "rlm_lgre_3D_avg",
    "RunEntropy": "rlm_rl_entr_3D_avg",
    "RunLengthNonUniformity": "rlm_rlnu_3D_avg",
    "RunLengthNonUniformityNormalized": "rlm_rlnu_norm_3D_avg",
    "RunPercentage": "rlm_r_perc_3D_avg",
    "RunVariance": "rlm_rl_var_3D_avg",
    "ShortRunEmphasis": "rlm_sre_3D_avg",
    "ShortRunHighGrayLevelEmphasis": "rlm_srhge_3D_avg",
    "ShortRunLowGrayLevelEmphasis": "rlm_srlge_3D_avg",
}

GLSZM = {
    "GrayLevelNonUniformity": "szm_glnu_3D",
    "GrayLevelNonUniformityNormalized": "szm_glnu_norm_3D",
    "GrayLevelVariance": "szm_gl_var_3D",
    "HighGrayLevelZoneEmphasis": "szm_hgze_3D",
    "LargeAreaEmphasis": "szm_lze_3D",
    "LargeAreaHighGrayLevelEmphasis": "szm_lzhge_3D",
    "LargeAreaLowGrayLevelEmphasis": "szm_lzlge_3D",
    "LowGrayLevelZoneEmphasis": "szm_lgze_3D",
    "SizeZoneNonUniformity": "szm_zsnu_3D",
    "SizeZoneNonUniformityNormalized": "szm_zsnu_norm_3D",
    "SmallAreaEmphasis": "szm_sze_3D",
    "SmallAreaHighGrayLevelEmphasis": "szm_szhge_3D",
    "SmallAreaLowGrayLevelEmphasis": "szm_szlge_3D",
    "ZoneEntropy": "szm_zs_entr_3D",
    "ZonePercentage": "szm_z_perc_3D",
    "ZoneVariance": "szm_zs_var_3D",
}

GLDM = {
    "DependenceEntropy": "ngl_dc_entr_3D",
    "DependenceNonUniformity": "ngl_dcnu_3D",
    "DependenceNonUniformityNormalized": "ngl_dcnu_norm_3D",
    "DependenceVariance": "ngl_dc_var_3D",
    "GrayLevelNonUniformity": "ngl_glnu_3D",
    "GrayLevelVariance": "ngl_gl_var_3D",
    "HighGrayLevelEmphasis": "ngl_hgce_3D",
    "LargeDependenceEmphasis": "ngl_hde_3D",
    "LargeDependenceHighGrayLevelEmphasis": "ngl_hdhge_3D",
    "LargeDependenceLowGrayLevelEmphasis": "ngl_hdlge_3D",
    "LowGrayLevelEmphasis": "ngl_lgce_3D",
    "SmallDependenceEmphasis": "ngl_lde_3D",
    "SmallDependenceHighGrayLevelEmphasis": "ngl_ldhge_3D",
    "SmallDependenceLowGrayLevelEmphasis": "ngl_ldlge_3D",
}

NGTDM = {
    "Busyness": "ngt_busyness_3D",
    "Coarseness": "ngt_coarseness_3D",
    "Complexity": "ngt_complexity_3D",
    "Contrast": "ngt_contrast_3D",
    "Strength": "ngt_strength_3D",
}

CLASSES: Mapping[str, Mapping[str, str]] = {
    "shape": SHAPE,
    "firstorder": FIRST_ORDER,
    "glcm": GLCM,
    "glrlm": GLRLM,
    "glszm": GLSZM,
    "gldm": GLDM,
    "ngtdm": NGTDM,
}
"""Features of each class of PyRadiomics in its order, and the standard's tag of each, as in our tables."""


@dataclass(frozen=True)
class Deviation:
    """Where PyRadiomics does not do what the standard says.

    Parameters
    ----------
    feature : str
        Or features, or step.
    differs : str
        What PyRadiomics does.
    effect : str
        On values.
    """

    feature: str
    differs: str
    effect: str


DEVIATIONS = (
    Deviation(
        "textures, Entropy, Uniformity with binWidth",
        "bins begin at multiples of the width; the standard's fixed bin size begins at the least intensity or bound",
        "other grey levels, all textures change; with binCount the levels are the standard's",
    ),
    Deviation(
        "textures with binWidth, images of 8 or 16 bits",
        "with NumPy 2 the upper edge overflows where the greatest intensity and two widths exceed the type",
        "PyRadiomics gives wrong textures or stops; not so here",
    ),
    Deviation("firstorder Kurtosis", "not excess kurtosis", "larger by 3; 0 where all intensities are equal"),
    Deviation("firstorder Energy, TotalEnergy, RootMeanSquared", "voxelArrayShift is added first", "none at shift 0"),
    Deviation("firstorder TotalEnergy", "energy times the volume of a voxel; not in the standard", "no counterpart"),
    Deviation(
        "glcm, glrlm",
        "features are averaged over thirteen directions; weightingNorm: no_weighting merges the matrices",
        "the standard's 3D_avg; merged: 3D_comb",
    ),
    Deviation(
        "glcm of one grey level",
        "Correlation and MCC are 1, Imc1 and Imc2 are 0; so they are for each direction before the mean",
        "the standard leaves them open",
    ),
    Deviation("glcm MCC", "maximal correlation coefficient of Haralick, not in the standard", "no counterpart; 0 to 1"),
    Deviation(
        "glrlm",
        "a direction along which no line has two voxels of the region does not count",
        "regions of one slice or of a few voxels only",
    ),
    Deviation(
        "gldm", "the standard's dependence matrix (ngldm) at distance 1, coarseness 0; other names", "none on values"
    ),
    Deviation(
        "ngtdm",
        "a voxel without neighbours counts, with a difference of 0; Busyness without a gap is 0",
        "regions with loose voxels only",
    ),
    Deviation(
        "shape MeshVolume, SurfaceArea, Sphericity, SurfaceVolumeRatio",
        "the surface has gaps where voxels touch along an edge only",
        "below 1% on smooth outlines, more on rough ones",
    ),
    Deviation(
        "shape axis lengths",
        "covariance of a population, not of a sample",
        "smaller by half of one over the number of voxels; of flat regions 0 here, rounding errors near 0 there",
    ),
    Deviation(
        "shape after resegmentRange",
        "the outline as drawn, cut off at the box of what re-segmentation leaves",
        "the standard keeps the outline; resegmentShape takes what is left",
    ),
    Deviation("shape Maximum2DDiameter*", "largest diameter in a slice, column or row plane", "not in the standard"),
    Deviation(
        "resampledPixelSpacing",
        "the grid begins at the corner of the image, the standard's shares its centre; the mask takes the nearest "
        "voxel, the standard's from half; the image keeps its type, whole numbers are rounded",
        "all features change",
    ),
    Deviation("normalize", "mean and deviation (of a sample) of the whole image, air included", "all intensities"),
    Deviation(
        "LoG",
        "a recursive approximation in single precision, times sigma squared; sigma in mm",
        "intensities are larger by sigma squared than the standard's",
    ),
    Deviation(
        "Wavelet",
        "the image goes on periodically, odd sides by one voxel more; deeper levels do not spread their filters",
        "near the ends of the image; all of levels 2 and up; no rotation invariance",
    ),
)
"""Where PyRadiomics, and therefore everything in this package, differs from the standard."""
