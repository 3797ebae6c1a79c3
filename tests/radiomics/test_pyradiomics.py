"""PyRadiomics' features: its values on small images made here, its parameter files, and what is refused.

The frozen values were computed by PyRadiomics 3.0.1 (NumPy 2.4, SimpleITK 2.5, PyWavelets 1.9) on the image of
:func:`made`: ``RadiomicsFeatureExtractor(parameters).execute(image, mask)`` with both turned into SimpleITK images by
``GetImageFromArray(array.T)`` and ``SetSpacing``. The image is whole numbers from a formula, so no library's random
numbers or filters can change it.
"""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pywt
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.errors import FileFormatError, GeometryError, InputError, IntensityError, LabelError, MissingDependency
from tumorboard.radiomics.pyradiomics import laplacian as log
from tumorboard.radiomics.pyradiomics.binning import MOST, leveled
from tumorboard.radiomics.pyradiomics.extract import extract_pyradiomics
from tumorboard.radiomics.pyradiomics.names import CLASSES, DEVIATIONS
from tumorboard.radiomics.pyradiomics.parameters import parameters_of, read_parameters
from tumorboard.radiomics.pyradiomics.wavelets import bands
from tumorboard.volume import Volume

HERE = Path(__file__).parent
FROZEN = json.loads((HERE / "pyradiomics_values.json").read_text())
SHAPE, SPACING = (20, 17, 14), (1.0, 0.75, 2.5)


def made(dtype=np.int16):
    """An image without any symmetry, and a lopsided region in it."""
    i, j, k = np.indices(SHAPE)
    image = 7 * ((3 * i * i + 5 * j * k + 11 * i * k + 2 * j) % 23) + 3 * i + 2 * j * (k % 3) - 40
    inside = (i - 9) ** 2 + 1.4 * (j - 8) ** 2 + 3.0 * (k - 6) ** 2 + ((i * j + k) % 5) * 5 < 60
    affine = np.diag([*SPACING, 1.0])
    return Volume.of(image.astype(dtype), affine), Volume.of(inside.astype(np.uint8), affine)


@pytest.mark.parametrize("name", FROZEN)
def test_values_are_those_of_pyradiomics(name):
    stored = FROZEN[name]
    image, mask = made(stored["dtype"])
    found = extract_pyradiomics(image, mask, stored["parameters"])
    assert list(found) == list(stored["values"])
    far = {
        key: (found[key], value)
        for key, value in stored["values"].items()
        if not math.isclose(found[key], value, rel_tol=1e-6, abs_tol=1e-9)
    }
    assert not far


def test_no_parameters_are_the_defaults():
    found = extract_pyradiomics(*made())
    assert found == extract_pyradiomics(*made(), {"setting": {"binWidth": 25}})
    assert len(found) == sum(len(names) for names in CLASSES.values()) == 107


def test_axes_in_any_order_give_the_same_but_for_what_names_an_axis():
    image, mask = made()
    turned = [
        Volume.of(np.ascontiguousarray(v.data.transpose(2, 0, 1)), np.diag([2.5, 1.0, 0.75, 1.0]))
        for v in (image, mask)
    ]
    one, other = extract_pyradiomics(image, mask), extract_pyradiomics(*turned)
    planes = [f"original_shape_Maximum2DDiameter{n}" for n in ("Row", "Column", "Slice")]
    surface = [f"original_shape_{n}" for n in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity")]
    near = {k: 0.02 if k in surface else 1e-9 for k in one if k not in planes}  # its gaps depend on the order of axes
    assert all(math.isclose(one[k], other[k], rel_tol=tolerance, abs_tol=1e-9) for k, tolerance in near.items())
    assert [one[p] for p in planes] == pytest.approx([other[planes[n]] for n in (1, 2, 0)])


def test_only_what_was_asked_for_in_its_order():
    asked = {"featureClass": {"glcm": ["MCC", "Contrast"], "firstorder": ["Mean"]}, "imageType": {"Wavelet": {}}}
    found = list(extract_pyradiomics(*made(), asked))
    assert len(found) == 24
    assert found[:3] == ["wavelet-LLH_glcm_MCC", "wavelet-LLH_glcm_Contrast", "wavelet-LLH_firstorder_Mean"]


def test_a_label_is_chosen():
    image, mask = made()
    others = np.where(np.indices(SHAPE)[0] < 9, mask.data * 3, mask.data)
    found = extract_pyradiomics(image, mask.with_data(others), {"setting": {"label": 3}})
    assert found == extract_pyradiomics(image, mask.with_data(others == 3))
    with pytest.raises(LabelError, match=r"label 4 in the mask; got 1, 3\."):
        extract_pyradiomics(image, mask.with_data(others), {"setting": {"label": 4}})


def test_big_endian_and_transposed_memory_change_nothing():
    image, mask = made(np.float32)
    swapped = np.asfortranarray(image.data).astype(">f4")
    asked = {"imageType": {"LoG": {"sigma": [2.0]}, "Wavelet": {}}, "setting": {"binCount": 16}}
    one, other = (extract_pyradiomics(image.with_data(d), mask, asked) for d in (image.data, swapped))
    assert one == other


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"setting": {"binwidth": 5}}, "binwidth"),
        ({"setting": {"distances": [1, 2]}}, "setting.distances"),
        ({"setting": {"symmetricalGLCM": False}}, "setting.symmetricalGLCM"),
        ({"setting": {"weightingNorm": "euclidean"}}, "setting.weightingNorm"),
        ({"setting": {"gldm_a": 1}}, "setting.gldm_a"),
        ({"setting": {"correctMask": True}}, "setting.correctMask"),
        ({"setting": {"geometryTolerance": 1e-3}}, "geometryTolerance"),
        ({"setting": {"label_channel": 1}}, "label_channel"),
        ({"setting": {"resampledPixelSpacing": [1, 1]}}, "resampledPixelSpacing"),
        ({"setting": {"resampledPixelSpacing": [1, 1, -1]}}, "resampledPixelSpacing"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "resegmentRange"),
        ({"setting": {"binWidth": 0}}, "binWidth"),
        ({"setting": [1]}, "setting"),
        ({"settings": {}}, "settings"),
        ({"voxelSetting": {"kernelRadius": 1}}, "voxelSetting"),
        ({"imageType": {"Exponential": {}}}, "Exponential"),
        ({"imageType": {"LoG": {}}}, "imageType.LoG"),
        ({"imageType": {"LoG": {"sigma": [1.0], "normalize": True}}}, "normalize"),
        ({"imageType": {"Wavelet": {"wavelet": "morl"}}}, "morl"),
        ({"featureClass": {"shape2D": None}}, "shape2D"),
        ({"featureClass": {"glcm": ["Dissimilarity"]}}, "Dissimilarity"),
        ({"featureClass": {"glcm": "MCC"}}, "featureClass.glcm"),
        ("nothing", "parameters"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(content, told):
    with pytest.raises(InputError) as caught:
        parameters_of(content)
    assert told in str(caught.value)


def test_settings_left_empty_and_of_one_image_type():
    content = {
        "setting": {"binWidth": 10, "resampledPixelSpacing": None, "weightingNorm": None, "interpolator": None},
        "imageType": {"Original": None, "LoG": {"sigma": [2], "binWidth": 3}},
        "featureClass": {"shape": None, "glcm": [], "firstorder": ["Mean"]},
    }
    found = parameters_of(content)
    assert [(name, own.bin_width) for name, own in found.images] == [("Original", 10.0), ("LoG", 3.0)]
    assert {name: len(features) for name, features in found.classes.items()} == {
        "shape": 14,
        "glcm": 24,
        "firstorder": 1,
    }
    assert found.setting.interpolator is None


def test_files_of_parameters(tmp_path):
    path = tmp_path / "params.json"
    path.write_text(json.dumps({"setting": {"binCount": 16}}))
    assert read_parameters(path).setting.bin_count == 16
    path.write_text("{")
    with pytest.raises(FileFormatError):
        read_parameters(path)
    with pytest.raises(InputError, match="parameter file"):
        read_parameters(tmp_path / "none.json")


def test_a_file_in_yaml(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "params.yaml"
    path.write_text("setting:\n  binWidth: 10\nimageType:\n  Original: {}\n  LoG:\n    sigma: [1.0, 3.0]\n")
    assert [name for name, _ in read_parameters(path).images] == ["Original", "LoG"]
    path.write_text("setting: [")
    with pytest.raises(FileFormatError):
        read_parameters(path)


def test_yaml_without_a_reader_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    path = tmp_path / "params.yaml"
    path.write_text("setting: {}")
    with pytest.raises(MissingDependency, match="pip install pyyaml"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("setting", "images", "told"),
    [
        ({}, {"LoG": {"sigma": [90.0]}}, "sigma of 90 mm"),
        ({"minimumROISize": 5000}, {}, "more than 5000 voxels"),
        ({"resegmentRange": [5000, 6000]}, {}, "two voxels or more"),
        ({"resampledPixelSpacing": [2, 2, 2], "interpolator": "cubic"}, {}, "interpolator"),
        ({"binWidth": 0.001}, {}, f"at most {MOST} grey levels"),
        ({"binCount": 1000000}, {}, "binCount"),
    ],
)
def test_what_cannot_be_computed_is_refused(setting, images, told):
    with pytest.raises(InputError, match=told):
        extract_pyradiomics(*made(), {"setting": setting, "imageType": images})


def test_regions_and_images_that_are_refused():
    image, mask = made()
    row = np.zeros(SHAPE, np.uint8)
    row[3:9, 4, 4] = 1
    with pytest.raises(InputError, match="region of 2 dimensions"):
        extract_pyradiomics(image, mask.with_data(row))
    assert len(extract_pyradiomics(image, mask.with_data(row), {"setting": {"minimumROIDimensions": 1}})) == 107
    with pytest.raises(GeometryError):
        extract_pyradiomics(image, Volume.of(mask.data, np.diag([1.0, 1.0, 2.5, 1.0])))
    holes = image.with_data(np.where(mask.data, image.data, np.nan))
    assert math.isfinite(extract_pyradiomics(holes, mask)["original_glcm_MCC"])
    with pytest.raises(IntensityError):
        extract_pyradiomics(holes, mask, {"imageType": {"LoG": {"sigma": [1.0]}}})


def test_two_voxels_apart_have_no_pairs():
    image, mask = made()
    two = np.zeros(SHAPE, np.uint8)
    two[2, 3, 4] = two[5, 9, 11] = 1
    found = extract_pyradiomics(image, mask.with_data(two))
    assert math.isnan(found["original_glcm_Contrast"])
    assert math.isnan(found["original_glcm_MCC"])
    assert math.isnan(found["original_glrlm_RunEntropy"])
    assert found["original_glszm_ZonePercentage"] == found["original_gldm_LargeDependenceEmphasis"] == 1.0
    assert found["original_ngtdm_Coarseness"] == 1e6


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("sigma", [0.8, 3.0])
def test_laplacian_is_that_of_simpleitk_bit_by_bit(dtype, sigma):
    rng = np.random.default_rng(5)
    image = (rng.normal(size=(41, 30, 22)) * 100).astype(dtype)
    recursive = sitk.LaplacianRecursiveGaussianImageFilter()
    recursive.SetNormalizeAcrossScale(True)
    recursive.SetSigma(sigma)
    volume = sitk.GetImageFromArray(np.ascontiguousarray(image.T))
    volume.SetSpacing(SPACING)
    wanted = sitk.GetArrayFromImage(recursive.Execute(volume)).T
    box = (slice(5, 12), slice(0, 30), slice(20, 22))
    found = log.laplacian(image, SPACING, sigma, box)
    assert found.dtype == wanted.dtype
    assert np.abs(found - wanted[box]).max() <= 2e-7 * np.abs(wanted).max()
    assert np.mean(found == wanted[box]) > 0.99


def test_laplacian_far_from_the_ends_does_not_need_them():
    rng = np.random.default_rng(6)
    image = rng.normal(size=(160, 12, 12)).astype(np.float32)
    box = (slice(78, 82), slice(4, 8), slice(4, 8))
    near = slice(80 - 30, 80 + 30)
    part = log.laplacian(image[near].copy(), (1.0, 1.0, 1.0), 1.2, (slice(28, 32), *box[1:]))
    assert np.array_equal(part, log.laplacian(image, (1.0, 1.0, 1.0), 1.2, box))


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(np.int16, st.tuples(*[st.integers(8, 13)] * 3), elements=st.integers(-500, 500)),
    st.sampled_from(["haar", "coif1", "db3", "bior2.2"]),
    st.sampled_from([np.float32, np.float64]),
    st.integers(1, 2),
    st.data(),
)
def test_bands_are_those_of_pywavelets_bit_by_bit(image, wavelet, dtype, level, data):
    image = image.astype(dtype)
    ends = [sorted(data.draw(st.sets(st.integers(0, n), min_size=2, max_size=2))) for n in image.shape]
    box = tuple(slice(a, b) for a, b in ends)
    if image.shape[0] < pywt.Wavelet(wavelet).dec_len:
        return
    padded = np.pad(image, [(0, n % 2) for n in image.shape], "wrap")
    for _ in range(level):
        (told,) = pywt.swtn(padded, wavelet, level=1, axes=(0, 1, 2))
        padded = told["aaa"]
    found = dict(bands(image, box, wavelet, level))
    prefix = "wavelet-" if level == 1 else "wavelet2-"
    inner = tuple(slice(0, n) for n in image.shape)
    for letters, wanted in told.items():
        got = found[prefix + letters.replace("a", "L").replace("d", "H")]
        assert np.array_equal(got, wanted[inner][box])


def test_letters_of_a_band_stand_for_i_j_and_k():
    image = np.zeros((12, 12, 12))
    image[:, ::2] = 1.0
    box = (slice(4, 8),) * 3
    strong = [name for name, band in bands(image, box, "haar") if np.abs(band).max() > 1e-9]
    assert strong == ["wavelet-LHL", "wavelet-LLL"]


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.floats(-50, 50, width=32)),
    st.sampled_from([0.1, 0.7, 5, 25.0]),
    st.one_of(st.none(), st.integers(1, 64)),
    st.sampled_from([np.int16, np.float32, np.float64]),
)
def test_grey_levels_are_those_of_numpy(image, width, count, dtype):
    image = image.astype(dtype)
    inside = np.ones(image.shape, dtype=bool)
    if count is None:
        low, high = image.min(), image.max()
        edges = np.arange(low - low % width, high + 2 * width, width)
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5]) if len(edges) == 1 else edges
    else:
        edges = np.histogram(image, count)[1]
        edges[-1] += 1
    found = leveled(image, inside, width, count)
    assert np.array_equal(found.levels, np.digitize(image, edges))
    assert found.count == found.levels.max()


def test_levels_of_eight_bits_do_not_overflow():
    image = np.array([[[3, 250, 255]]], dtype=np.uint8)
    assert leveled(image, image > 0, 25.0).levels.tolist() == [[[1, 11, 11]]]


def test_names_are_unique_and_deviations_are_told():
    every = [tag for names in CLASSES.values() for tag in names.values() if tag]
    assert len(every) == len(set(every)) == 107 - 5
    assert all(list(names) == sorted(names, key=lambda n: f"get{n}FeatureValue") for names in CLASSES.values())
    assert all(a != b for a, b in pairwise(DEVIATIONS))
