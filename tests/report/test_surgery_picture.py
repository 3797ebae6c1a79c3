"""Pictures of an operation: the same place twice, the right side, what is drawn, and what is said."""

from __future__ import annotations

import base64
import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from tumorboard.errors import GeometryError
from tumorboard.labels import LabelMap
from tumorboard.measurement import StudyMeasurements
from tumorboard.report.bundle import StudyBundle
from tumorboard.report.surgery_picture import BLOOD, surgery_pictures
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

SPACING = (2.0, 2.0, 3.0)
SHAPE = (60, 70, 30)
MIDDLE = np.array([60.0, 70.0, 45.0])
TUMOUR = np.array([84.0, 88.0, 48.0])
"""RAS mm: to the right and in front."""

MOTION = np.eye(4)
MOTION[:3, :3] = Rotation.from_euler("xyz", (6.0, -4.0, 9.0), degrees=True).as_matrix()
MOTION[:3, 3] = (5.0, -7.0, 4.0)


def bundle(name, stage, to_before=None, sequences=(Sequence.T1, Sequence.T1C, Sequence.FLAIR), grid=None):
    """A head whose tumour is solid, or mostly a cavity with blood at its wall; anywhere in space."""
    grid = grid or Grid(SHAPE, np.diag([*SPACING, 1.0]))
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    world = np.c_[grid.to_world(index), np.ones(len(index))]
    place = (world @ (np.eye(4) if to_before is None else to_before).T)[:, :3].reshape(*grid.shape, 3)
    brain = (((place - MIDDLE) / (50.0, 62.0, 40.0)) ** 2).sum(axis=-1) < 1
    r = np.linalg.norm(place - TUMOUR, axis=-1)
    labels = np.zeros(grid.shape, np.uint8)
    labels[r < 20] = 2
    labels[r < 14] = 3
    if stage == "after":
        labels[(r < 14) & (place[..., 2] > TUMOUR[2] - 10)] = 4
    if stage == "healthy":
        labels[:] = 0
    blood = (r > 14) & (r < 18) & (place[..., 2] > TUMOUR[2] - 6) & (stage == "after")
    folds = 0.5 * np.sin(place[..., 0] / 6) * np.cos(place[..., 1] / 8) * np.sin(place[..., 2] / 7)
    images = {s: np.where(brain, folds, 0.0) for s in sequences}
    for sequence, image in images.items():
        image[labels == 3] += 4.0 if sequence is Sequence.T1C else 0.5
        image[labels == 2] += 2.0 if sequence is Sequence.FLAIR else 0.0
        image[labels == 4] -= 2.0
        image[blood] = 4.0 if sequence is not Sequence.FLAIR else 0.3
    study = Study(name, {s: Volume(i.astype(np.float32), grid) for s, i in images.items()}, brain)
    listed = StudyMeasurements(patient="p", study=name, sequences=(), segmenter="reader", measurements=())
    made = StudyBundle(study, dt.date(2001, 3, 9), LabelMap(labels, grid), np.zeros(grid.shape, int), listed)
    return made, np.asarray(blood)


def pixels(picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.data))).convert("RGB")).astype(int)


def shows(picture, colour: str) -> bool:
    """Whether a colour is drawn, within what JPEG leaves of it."""
    wanted = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return int((np.abs(pixels(picture) - wanted).max(axis=-1) < 40).sum()) > 30


def test_two_pictures_where_enhancing_tumour_is_left_elsewhere():
    (before, _), (after, blood) = bundle("ses-01", "before"), bundle("ses-02", "after")
    whole, left = surgery_pictures(before, after, blood, np.eye(4))
    assert whole.caption.startswith(
        "T1C before, T1C after, T1 after, FLAIR before, FLAIR after the operation: axial slice"
    )
    assert "where the tumour core was largest; the study after it at the same place, aligned" in whole.caption
    assert "where most enhancing tumour is left" in left.caption
    assert "FLAIR" not in left.caption
    assert "The patient's right is on the left." in whole.caption
    assert "ses-01 and ses-02" in whole.alt
    assert "2001" not in whole.caption + whole.alt
    assert shows(whole, BLOOD[0])
    assert whole.width_px > left.width_px


def test_the_right_side_is_on_the_left():
    (before, _), (after, blood) = bundle("ses-01", "before"), bundle("ses-02", "after")
    whole = surgery_pictures(before, after, blood)[0]
    image = pixels(whole).sum(axis=-1)
    panel = image[:560, : image.shape[1] // 5]
    half = panel.shape[1] // 2
    assert panel[100:500, 40:half].max() > 700
    assert panel[100:500, half + 20 : -60].max() < 700, "white is only the tumour, on the patient's right"


def test_a_study_that_lay_elsewhere_is_shown_at_the_same_place():
    before, _ = bundle("ses-01", "before")
    after, blood = bundle("ses-02", "after")
    grid = Grid((64, 66, 50), np.linalg.inv(MOTION) @ np.diag([2.0, 2.0, 2.0, 1.0]))
    moved, moved_blood = bundle("ses-02", "after", MOTION, grid=grid)
    straight = surgery_pictures(before, after, blood, np.eye(4))
    aligned = surgery_pictures(before, moved, moved_blood, MOTION)
    adrift = surgery_pictures(before, moved, moved_blood)[0]
    assert [p.caption for p in aligned] == [p.caption for p in straight]
    near = np.abs(pixels(straight[0]) - pixels(aligned[0])).mean()
    far = np.abs(pixels(straight[0]) - pixels(adrift)).mean()
    assert near < 3.0
    assert far > 2.0 * near
    assert "scanner coordinates, not aligned" in adrift.caption


def test_blood_is_not_drawn_as_enhancing():
    (before, _), (after, blood) = bundle("ses-01", "before"), bundle("ses-02", "after")
    taken = after.labels.with_data(np.where(blood & after.study.brain, np.uint8(3), after.labels.data))
    naive = StudyBundle(after.study, after.date, taken, after.lesions, after.measurements)
    right, wrong = surgery_pictures(before, naive, blood), surgery_pictures(before, naive)
    assert "axial slice 13 of" in right[1].caption, "where the cap is largest"
    assert wrong[-1].caption != right[-1].caption
    assert not shows(wrong[0], BLOOD[0])


def test_nothing_left_is_one_picture():
    (before, _), (after, _) = bundle("ses-01", "before"), bundle("ses-02", "after")
    gone = after.labels.with_data(np.where(after.labels.data == 3, np.uint8(4), after.labels.data))
    clean = StudyBundle(after.study, None, gone, after.lesions, after.measurements)
    assert len(surgery_pictures(before, clean)) == 1


@pytest.mark.parametrize(
    ("stages", "words"), [(("healthy", "after"), "the cavity is largest"), (("healthy",) * 2, "no tumour")]
)
def test_without_tumour_before(stages, words):
    (before, _), (after, _) = (bundle(f"ses-0{n}", stage) for n, stage in enumerate(stages, start=1))
    assert words in surgery_pictures(before, after)[0].caption


def test_sequences_that_are_not_there_are_left_out():
    before, _ = bundle("ses-01", "before", sequences=(Sequence.FLAIR,))
    after, _ = bundle("ses-02", "after", sequences=(Sequence.T1C,))
    assert surgery_pictures(before, after)[0].caption.startswith("T1C after, FLAIR before the operation")
    bare, _ = bundle("ses-01", "before", sequences=(Sequence.T2,))
    also, _ = bundle("ses-02", "after", sequences=(Sequence.T2,))
    assert surgery_pictures(bare, also)[0].caption.startswith("T2 before, T2 after the operation")


def test_one_thick_slice_is_enough():
    grid = Grid((60, 70, 1), np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 20, 48], [0, 0, 0, 1.0]]))
    before, _ = bundle("ses-01", "before", grid=grid)
    after, blood = bundle("ses-02", "after", grid=grid)
    assert len(surgery_pictures(before, after, blood)) == 1


def test_blood_on_another_grid_is_refused():
    (before, _), (after, _) = bundle("ses-01", "before"), bundle("ses-02", "after")
    with pytest.raises(GeometryError, match="blood of shape"):
        surgery_pictures(before, after, np.ones((2, 2, 2), bool))
