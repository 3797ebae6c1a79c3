"""Pictures keep the patient's sides: radiological convention, true proportions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.report.planes import AXIAL, CORONAL, PLANES, SAGITTAL, Plane, cut, extent_mm, pixel_mm, place_mm
from tumorboard.volume import Volume

SHAPE = (12, 10, 8)


def blob(i: slice, j: slice, k: slice) -> np.ndarray:
    data = np.zeros(SHAPE)
    data[i, j, k] = 1
    return data


ALL = slice(None)
HALVES = {
    "R": blob(slice(8, None), ALL, ALL),
    "L": blob(slice(0, 4), ALL, ALL),
    "A": blob(ALL, slice(7, None), ALL),
    "P": blob(ALL, slice(0, 3), ALL),
    "S": blob(ALL, ALL, slice(6, None)),
    "I": blob(ALL, ALL, slice(0, 2)),
}


@pytest.mark.parametrize("plane", [AXIAL, CORONAL, SAGITTAL], ids=lambda p: p.name)
def test_each_mark_stands_where_that_part_of_the_patient_is(plane: Plane) -> None:
    left, right, top, bottom = plane.marks
    for letter, half in (
        (left, np.s_[:, : SHAPE[plane.across] // 2]),
        (right, np.s_[:, SHAPE[plane.across] // 2 :]),
        (top, np.s_[: SHAPE[plane.down] // 2, :]),
        (bottom, np.s_[SHAPE[plane.down] // 2 :, :]),
    ):
        picture = cut(HALVES[letter], plane, SHAPE[plane.axis] // 2)
        assert picture.sum() > 0
        assert picture[half].sum() == picture.sum(), letter


def test_axial_pictures_show_the_right_side_on_the_left_from_any_stored_orientation() -> None:
    data = np.zeros(SHAPE)
    data[9, 8, 4] = 1
    for axcodes in ("RAS", "LPS", "LAS", "PIR"):
        stored = Volume.of(data, np.eye(4)).reoriented(axcodes)
        picture = cut(stored.canonical().data, AXIAL, 4)
        row, column = np.argwhere(picture)[0]
        assert column < SHAPE[0] / 2
        assert row < SHAPE[1] / 2


def test_pixels_keep_the_spacing() -> None:
    spacing = (0.5, 0.9, 6.0)
    assert pixel_mm(spacing, AXIAL) == (0.5, 0.9)
    assert pixel_mm(spacing, CORONAL) == (0.5, 6.0)
    assert pixel_mm(spacing, SAGITTAL) == (0.9, 6.0)
    left, right, bottom, top = extent_mm((100, 120, 20), spacing, SAGITTAL)
    assert right - left == pytest.approx(120 * 0.9)
    assert bottom - top == pytest.approx(20 * 6.0)


@given(
    st.tuples(*(st.integers(0, n - 1) for n in SHAPE)),
    st.sampled_from(sorted(PLANES)),
    st.tuples(*(st.floats(0.3, 7.0) for _ in range(3))),
)
def test_a_voxel_is_drawn_where_its_value_is(ijk: tuple[int, int, int], axis: int, spacing: tuple[float, ...]) -> None:
    plane = PLANES[axis]
    data = np.zeros(SHAPE)
    data[ijk] = 1
    row, column = np.argwhere(cut(data, plane, ijk[axis]))[0]
    width, height = pixel_mm(spacing, plane)  # type: ignore[arg-type]
    across, down = place_mm(ijk, SHAPE, spacing, plane)  # type: ignore[arg-type]
    assert across == pytest.approx(column * width)
    assert down == pytest.approx(row * height)
