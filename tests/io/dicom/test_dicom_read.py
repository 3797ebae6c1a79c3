"""Series to volumes: the affine of the textbook, the values at their places, whatever the order of the files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.geometry import plane_grid
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.volume import Grid

TURNS = ("AXIAL", "SAGITTAL", "CORONAL", "OBLIQUE")


def only(files):
    """Return the one series that files make."""
    found = scan_dicom(files)
    assert len(found.series) == 1, [s.notes for s in found.series]
    return found.series[0]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("step", [3.0, -3.0])
def test_a_stack_lies_where_the_formula_puts_it(made, tmp_path, turn, step):
    stack = made.Stack(turn=getattr(made, turn), step=step)
    series = only(made.write_stack(tmp_path, stack))
    volume, notes = read_series(series)
    columns_rows_planes = stack.pixels.transpose(1, 0, 2)
    expected, affine = (columns_rows_planes, stack.affine) if step > 0 else _flipped(columns_rows_planes, stack.affine)
    assert volume.grid.matches(Grid(expected.shape, affine)), volume.grid.explain_mismatch(Grid(expected.shape, affine))
    assert plane_grid(series.planes).matches(volume.grid)
    assert volume.data.dtype == np.int16
    np.testing.assert_array_equal(volume.data, expected)
    assert notes == ()


def _flipped(data, affine):
    out = affine.copy()
    out[:3, 3] += (data.shape[2] - 1) * affine[:3, 2]
    out[:3, 2] *= -1
    return data[:, :, ::-1], out


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), turn=st.sampled_from(TURNS))
def test_the_order_of_the_files_changes_nothing(made, tmp_path_factory, seed, turn):
    folder = tmp_path_factory.mktemp("order")
    files = made.write_stack(folder, made.Stack(turn=getattr(made, turn)))
    shuffled = [files[n] for n in np.random.default_rng(seed).permutation(len(files))]
    assert scan_dicom(files) == scan_dicom(shuffled)


@pytest.mark.parametrize("turn", TURNS)
def test_simpleitk_reads_the_same_values_at_the_same_places(made, tmp_path, turn):
    import SimpleITK as sitk

    header = {"RescaleSlope": "0.5", "RescaleIntercept": "-3"}
    series = only(made.write_stack(tmp_path, made.Stack(turn=getattr(made, turn), header=header)))
    volume, _ = read_series(series)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in series.files])
    image = reader.Execute()
    np.testing.assert_allclose(sitk.GetArrayFromImage(image).transpose(2, 1, 0), volume.data, atol=1e-4)
    for voxel in [(0, 0, 0), (4, 5, 3), (2, 1, 2)]:
        lps = np.array(image.TransformIndexToPhysicalPoint(voxel))
        np.testing.assert_allclose(volume.grid.to_world([voxel])[0], lps * (-1, -1, 1), atol=0.005)


@pytest.mark.parametrize("turn", TURNS)
def test_an_enhanced_object_is_the_classic_series(made, tmp_path, turn):
    stack = made.Stack(turn=getattr(made, turn))
    classic, _ = read_series(only(made.write_stack(tmp_path / "classic", stack)))
    one = made.write(made.enhanced_dataset(stack, frames=[2, 0, 3, 1]), tmp_path / "all.dcm")
    series = only([one])
    enhanced, notes = read_series(series)
    assert series.tags.te_ms == 90.0
    assert series.tags.tr_ms == 2000.0
    assert series.tags.scanning_sequence == ("SE",)
    assert [plane.frame for plane in series.planes] == [2, 4, 1, 3]
    assert enhanced.grid.matches(classic.grid)
    np.testing.assert_array_equal(enhanced.data, classic.data)
    assert notes == ()


def test_rescaling_may_differ_from_plane_to_plane(made, tmp_path):
    slopes = ["1", "2", "0.5", "1.25"]
    stack = made.Stack(each={"RescaleSlope": slopes, "RescaleIntercept": ["0", "-5", "1", "0"]})
    volume, _ = read_series(only(made.write_stack(tmp_path, stack)))
    assert volume.data.dtype == np.float32
    expected = stack.pixels.transpose(1, 0, 2) * np.array([1, 2, 0.5, 1.25]) + np.array([0, -5, 1, 0])
    np.testing.assert_allclose(volume.data, expected)


def test_rescaling_of_enhanced_frames_is_their_own(made, tmp_path):
    from pydicom import Dataset

    stack = made.Stack()
    dataset = made.enhanced_dataset(stack)
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.PixelValueTransformationSequence = [Dataset()]
        frame.PixelValueTransformationSequence[0].RescaleSlope = str(k + 1)
        frame.PixelValueTransformationSequence[0].RescaleIntercept = "0.5"
    volume, _ = read_series(only([made.write(dataset, tmp_path / "all.dcm")]))
    np.testing.assert_allclose(volume.data, stack.pixels.transpose(1, 0, 2) * np.arange(1, 5) + 0.5)


@pytest.mark.parametrize(
    ("header", "stored", "expected"),
    [
        pytest.param({"PixelRepresentation": 1}, [-5, 0, 7], [-5, 0, 7], id="signed"),
        pytest.param({"PixelRepresentation": 0}, [5, 0, -1], [5, 0, 65535], id="unsigned, all bits"),
        pytest.param(
            {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0},
            [0x1005, 0x2FFF, 0x7000],
            [5, 4095, 0],
            id="an overlay in the unused bits",
        ),
        pytest.param(
            {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1},
            [0x1FFF, 0x0800, 0x07FF],
            [-1, -2048, 2047],
            id="signed in 12 bits",
        ),
        pytest.param(
            {"BitsStored": 12, "HighBit": 15, "PixelRepresentation": 0}, [16, 32, 48], [1, 2, 3], id="bits at the top"
        ),
        pytest.param(
            {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "PhotometricInterpretation": "MONOCHROME1"},
            [0, 4095, 95],
            [4095, 0, 4000],
            id="inverted greys",
        ),
    ],
)
def test_stored_bits_become_the_values_meant(made, tmp_path, header, stored, expected):
    stack = made.Stack(header=header)
    files = []
    for k in range(stack.count):
        pixels = np.full(stack.shape[:2], stored[0], np.int64).astype(np.uint16)
        pixels[0, :3] = np.array(stored, np.int64).astype(np.uint16)
        files.append(made.write(made.plane_dataset(stack, k, pixels), tmp_path / f"{k}.dcm"))
    volume, _ = read_series(only(files))
    assert volume.data[:3, 0, 1].tolist() == expected
    assert (volume.data[:, 1:, :] == expected[0]).all()


def test_bytes_are_widened(made, tmp_path):
    header = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    stack = made.Stack(header=header)
    files = []
    for k in range(4):
        dataset = made.plane_dataset(stack, k, stack.pixels[:, :, k].astype(np.uint8) + 100)
        files.append(made.write(dataset, tmp_path / f"{k}.dcm"))
    volume, _ = read_series(only(files))
    np.testing.assert_array_equal(volume.data, ((stack.pixels.astype(np.uint8)) + 100).transpose(1, 0, 2))
    assert volume.data.dtype == np.int16


def test_colour_is_refused_in_words(made, tmp_path):
    header = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    header |= {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    stack = made.Stack(header=header)
    files = []
    for k in range(4):
        rgb = np.zeros((*stack.shape[:2], 3), np.uint8)
        files.append(made.write(made.plane_dataset(stack, k, rgb), tmp_path / f"{k}.dcm"))
    series = only(files)
    with pytest.raises(FileFormatError, match="colour") as told:
        read_series(series, "T1C")
    assert made.says_nobody(told.value)


@pytest.mark.parametrize("short", [1, 50])
def test_pixels_that_end_early_are_an_error_and_never_zeros(made, tmp_path, short):
    stack = made.Stack()
    files = []
    for k in range(4):
        dataset = made.plane_dataset(stack, k)
        if k == 2:
            dataset.PixelData = dataset.PixelData[: -2 * short]
        files.append(made.write(dataset, tmp_path / f"{k}.dcm"))
    series = only(files)
    with pytest.raises(FileFormatError, match="T1C") as told:
        read_series(series, "T1C")
    assert made.says_nobody(told.value)


def test_a_file_that_vanished_since_the_scan_is_a_clear_error(made, axial):
    series = only(axial[1])
    axial[1][1].unlink()
    with pytest.raises(FileFormatError, match="T1") as told:
        read_series(series, "T1")
    assert made.says_nobody(told.value)


def test_an_image_too_large_is_refused_before_it_is_read(made, axial):
    from dataclasses import replace

    series = only(axial[1])
    planes = tuple(replace(plane, rows=30_000, columns=30_000) for plane in series.planes)
    with pytest.raises(FileFormatError, match="at most"):
        read_series(replace(series, planes=planes))


def test_a_tilted_stack_becomes_right_angled_with_every_voxel_at_its_place(made, tmp_path):
    """A linear ramp over the patient is what linear resampling must give back exactly."""
    stack = made.Stack(step=(0.0, 0.6, 3.0), shape=(16, 12, 8))
    slope = np.array([3.0, -2.0, 5.0])
    files = _ramp(made, stack, slope, tmp_path)
    series = only(files)
    assert any("tilt" in note for note in series.notes)
    volume, notes = read_series(series)
    assert notes == series.notes
    _check_ramp(volume, slope, least=stack.pixels.size * 0.6)
    assert volume.grid.axcodes == "LPS"


@pytest.mark.parametrize("places", [(0, 1, 2.06, 3, 4, 4.95, 6), (0, 0.95, 2, 3.04, 4, 5, 6)], ids=["late", "early"])
@pytest.mark.parametrize("turn", ["AXIAL", "OBLIQUE"])
def test_slightly_uneven_planes_become_even_with_every_voxel_at_its_place(made, tmp_path, places, turn):
    slope = np.array([1.0, 2.0, 4.0])
    stack = made.Stack(turn=getattr(made, turn), places=places, shape=(6, 5, len(places)))
    series = only(_ramp(made, stack, slope, tmp_path))
    assert not series.refusal
    assert any("even" in note for note in series.notes)
    volume, _ = read_series(series)
    _check_ramp(volume, slope, least=volume.data.size)


def _ramp(made, stack, slope, folder):
    """Write the value slope · x (LPS mm), in hundredths, at every pixel."""
    row, column = made.orthogonal(stack.turn)
    r, c = np.indices(stack.shape[:2])
    files = []
    for k in range(stack.count):
        at = stack.position(k) + (c * stack.spacing[1])[..., None] * row + (r * stack.spacing[0])[..., None] * column
        pixels = np.round(100 * (at @ slope)).astype(np.int16)
        dataset = made.plane_dataset(stack, k, pixels)
        dataset.RescaleSlope, dataset.RescaleIntercept = "0.01", "1000"
        files.append(made.write(dataset, folder / f"{k}.dcm"))
    return files


def _check_ramp(volume, slope, least):
    """Every voxel inside holds 1000 + slope · x of its own world place; outside is 0."""
    at = volume.grid.to_world(np.indices(volume.data.shape).reshape(3, -1).T) * (-1, -1, 1)
    expected = (1000 + at @ slope).reshape(volume.data.shape)
    wrong = np.abs(volume.data - expected) > 0.06
    inside = ~wrong
    assert inside.sum() >= least
    # what is not on the ramp lies at the rim, where a tilted stack has nothing
    assert (np.diff(inside.astype(int), axis=1) != 0).sum(axis=1).max() <= 2
    assert (volume.data[wrong] < 1000 + np.abs(at @ slope).max()).all()


@pytest.mark.parametrize("turn", TURNS)
def test_positions_rounded_in_the_header_call_for_no_resampling(made, tmp_path, turn):
    """Two decimals, as some scanners write."""
    stack = made.Stack(turn=getattr(made, turn), shape=(6, 5, 30), step=1.1)
    each = {"ImagePositionPatient": [[f"{v:.2f}" for v in stack.position(k)] for k in range(30)]}
    stack.each = each
    volume, notes = read_series(only(made.write_stack(tmp_path, stack)))
    assert notes == ()
    assert volume.data.dtype == np.int16
    plane = only(tmp_path.iterdir()).planes[0]
    assert volume.grid.largest_distance_mm(Grid(volume.data.shape, stack.affine)) < 0.03, plane


def test_a_thin_stack_with_rounded_positions_is_right_angled(made, tmp_path):
    stack = made.Stack(shape=(4, 4, 3), each={"ImagePositionPatient": [[0, 0, 0], [0.01, 0, 3], [0.02, 0, 6]]})
    volume, notes = read_series(only(made.write_stack(tmp_path, stack)))
    assert notes == ()
    assert volume.data.dtype == np.int16


def test_tilted_and_uneven_planes_are_mended_together(made, tmp_path):
    slope = np.array([2.0, 1.0, 4.0])
    stack = made.Stack(step=(0.3, 0.5, 3.0), places=(0, 1, 2.06, 3, 4, 4.95, 6, 7), shape=(16, 12, 8))
    series = only(_ramp(made, stack, slope, tmp_path))
    assert len(series.notes) == 2
    _check_ramp(read_series(series)[0], slope, least=stack.pixels.size * 0.6)


def test_values_outside_a_tilted_stack_are_zero_and_none_is_cut_off(made, tmp_path):
    stack = made.Stack(step=(0.0, 1.5, 3.0), shape=(6, 5, 4))  # one row further each plane
    volume, _ = read_series(only(made.write_stack(tmp_path, stack)))
    assert volume.data.shape == (5, 9, 4)
    for k in range(4):
        np.testing.assert_array_equal(volume.data[:, k : k + 6, k], stack.pixels[:, :, k].T)
        assert not volume.data[:, :k, k].any()
        assert not volume.data[:, k + 6 :, k].any()


def test_a_refused_series_is_not_read(made, tmp_path):
    series = only(made.write_stack(tmp_path, made.Stack(shape=(4, 4, 2))))
    with pytest.raises(FileFormatError, match="T1: expected a series that is a volume; got 2 slices"):
        read_series(series, "T1")
