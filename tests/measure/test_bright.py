"""Bright signal on T1 in and near a tumour: as much as was put there, and silence that is not called normal."""

import numpy as np
import pytest

from tumorboard.labels import LabelMap
from tumorboard.measure.bright import t1_bright
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume

X, Y, Z = np.indices((50, 50, 50)) - 25
R = np.sqrt(X**2 + Y**2 + Z**2)
LABELS = LabelMap.of(np.where(R < 10, np.uint8(2), np.uint8(0)), np.eye(4))


def study_of(bright, sequence=Sequence.T1, grid=LABELS.grid):
    t1 = np.random.default_rng(1).normal(0, 1, R.shape) + np.where(bright, 10.0, 0.0)
    return Study("ses-01", {sequence: Volume(t1.astype(np.float32), grid)}, R < 99)


@pytest.mark.parametrize("radius", [0, 3, 6])
def test_what_was_put_there_is_found(radius):
    found = t1_bright(study_of(radius > R), Segmented(LABELS), Files())
    assert found.value == pytest.approx((radius > R).sum() / 1000, rel=0.01)


def test_bright_tissue_far_from_the_tumour_is_left_out():
    far = (abs(X - 20) < 3) & (abs(Y) < 3)
    assert t1_bright(study_of(far), Segmented(LABELS), Files()).value == 0.0


@pytest.mark.parametrize(
    ("segmented", "sequence", "why"),
    [
        (Segmented(LABELS), Sequence.FLAIR, "T1 not given"),
        (Segmented(LABELS, not_assessable={"WT": "no FLAIR"}), Sequence.T1, "no FLAIR"),
        (Segmented(LabelMap.of(np.zeros(R.shape, np.uint8), np.eye(4))), Sequence.T1, "no tumour was found to look in"),
        (Segmented(LabelMap.of(np.full(R.shape, 2, np.uint8), np.eye(4))), Sequence.T1, "less than 20 mL"),
    ],
)
def test_what_cannot_be_told_is_not_assessable(segmented, sequence, why):
    found = t1_bright(study_of(R < 3, sequence), segmented, Files())
    assert found.value is None
    assert why in found.reason
