"""Key pictures: which slices, which proportions, and inputs that are thin, flat, empty or tiny."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tumorboard.labels import LabelMap, Tissue
from tumorboard.report.build import StudyBundle
from tumorboard.report.canvas import PANEL_PX
from tumorboard.report.figures import COLOURS, DRAWING_ORDER, SEQUENCE_ORDER, study_pictures
from tumorboard.report.model import Picture
from tumorboard.report.planes import AXIAL, CORONAL
from tumorboard.report.views import brain_box, choose, largest_diameters, widen, window
from tumorboard.sequences import USED, Sequence

Make = Callable[..., StudyBundle]


def pixels(picture: Picture) -> np.ndarray:
    image = Image.open(io.BytesIO(base64.b64decode(picture.data)))
    assert image.size == (picture.width_px, picture.height_px)
    return np.asarray(image.convert("RGB"), dtype=int)


def coloured(rgb: np.ndarray, colour: str) -> np.ndarray:
    wanted = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
    return np.abs(rgb - wanted).sum(axis=2) < 60


def test_every_tissue_and_sequence_can_be_drawn() -> None:
    assert set(COLOURS) == set(Tissue) == set(DRAWING_ORDER)
    assert set(SEQUENCE_ORDER) == set(USED)


def test_a_right_sided_tumour_is_outlined_in_the_left_half_of_each_axial_panel(make_bundle: Make) -> None:
    picture = study_pictures(make_bundle(sequences=(Sequence.T1C,)))[0]
    drawn = coloured(pixels(picture)[:PANEL_PX], COLOURS[Tissue.ET][0])
    columns = np.nonzero(drawn)[1]
    assert columns.size > 50
    assert columns.max() < picture.width_px / 2


def test_one_panel_a_sequence(make_bundle: Make, bundle: StudyBundle) -> None:
    four, one = study_pictures(bundle)[0], study_pictures(make_bundle(sequences=(Sequence.FLAIR,)))[0]
    assert four.width_px == pytest.approx(4 * one.width_px, rel=0.05)
    assert "T1C, FLAIR, T2, T1" in four.caption
    assert "Axial FLAIR," in one.caption


def test_thick_slices_keep_the_proportions_of_the_patient(make_bundle: Make) -> None:
    even = make_bundle()
    thick = make_bundle(shape=(144, 88, 28), spacing=(1.0, 2.0, 5.0))
    for plane in (AXIAL, CORONAL):
        a, b = brain_box(even, plane), brain_box(thick, plane)
        assert (a[1] - a[0]) == pytest.approx(b[1] - b[0], abs=10)
        assert (a[2] - a[3]) == pytest.approx(b[2] - b[3], abs=10)
    one, other = study_pictures(even)[0], study_pictures(thick)[0]
    assert one.width_px == pytest.approx(other.width_px, rel=0.05)


def test_the_axial_slice_has_the_largest_cross_section(bundle: StudyBundle) -> None:
    areas = bundle.labels.region("WT").sum(axis=(0, 1)) + bundle.labels.region("TC").sum(axis=(0, 1))
    assert areas[choose(bundle).axial] == areas.max()


def test_no_tumour_is_said_and_shown(make_bundle: Make) -> None:
    empty = make_bundle(radius=0.0)
    axial, detail = study_pictures(empty)
    assert "no tumour label" in axial.caption
    assert "middle of the brain" in detail.caption
    assert not coloured(pixels(axial), COLOURS[Tissue.ET][0]).any()


def test_a_cavity_alone_is_shown(make_bundle: Make) -> None:
    data = np.zeros((48, 58, 46), dtype=np.uint8)
    data[28:32, 28:32, 20] = Tissue.RC
    labels = LabelMap.of(data, np.diag([3.0, 3.0, 3.0, 1.0]))
    cavity = make_bundle(radius=0.0, labels=labels)
    assert choose(cavity).axial == 20
    assert "cavity" in study_pictures(cavity)[0].caption


@pytest.mark.parametrize("shape", [(40, 40, 1), (40, 1, 40), (3, 3, 3)])
def test_flat_and_tiny_volumes_are_drawn(make_bundle: Make, shape: tuple[int, int, int]) -> None:
    data = np.zeros(shape, dtype=np.uint8)
    data[tuple(n // 2 for n in shape)] = Tissue.ET
    labels = LabelMap.of(data, np.diag([3.0, 3.0, 3.0, 1.0]))
    flat = make_bundle(radius=0.0, shape=shape, labels=labels, lesions=data.astype(int))
    for picture in study_pictures(flat):
        assert picture.height_px > 100


def test_diameters_are_those_of_the_largest_product(bundle: StudyBundle, make_bundle: Make) -> None:
    found = largest_diameters(bundle)
    assert found is not None
    assert found[:2] == (1, "ce_only")
    assert found[3] is Sequence.T1C
    flair_only = largest_diameters(make_bundle(sequences=(Sequence.FLAIR, Sequence.T2)))
    assert flair_only is not None
    assert flair_only[1] == "flair"
    assert largest_diameters(make_bundle(radius=0.0)) is None


def test_window_ignores_what_lies_outside_the_brain() -> None:
    data = np.full((10, 10, 10), 1000.0)
    brain = np.zeros(data.shape, dtype=bool)
    brain[2:8, 2:8, 2:8] = True
    data[brain] = np.linspace(-2, 2, 216)
    low, high = window(data, brain)
    assert -2.5 < low < -1.9
    assert 1.9 < high <= 2.0
    assert window(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), dtype=bool)) == (0.0, 1.0)


def test_a_box_grows_about_its_centre() -> None:
    assert widen((10.0, 20.0, 12.0, 8.0), least_mm=60.0) == (-15.0, 45.0, 40.0, -20.0)
