"""A joint opinion's calibration: used for its very members only, and what it gives is nested in what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorboard.defaults import SEGMENTER
from tumorboard.labels import LabelMap
from tumorboard.learn.joint import calibrate_joint
from tumorboard.metrics.maps.overlap import dice
from tumorboard.networks.bundle import Calibration
from tumorboard.segment import joint
from tumorboard.segment.base import Card, Segmentation, Validity
from tumorboard.segment.calibrated import OFFSET_ML
from tumorboard.segment.fused import FusedSegmenter, hints
from tumorboard.segment.joint import Joint, joint_of, write_joint
from tumorboard.segment.named import segmenter_of
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume

SHAPE = (16, 16, 16)


class Ball:
    """Outlines a ball, a little too large or small."""

    def __init__(self, name: str, extra: float) -> None:
        self.card = Card(name, "1", name, "", "", "", (Sequence.FLAIR,))
        self.extra = extra

    def segment(self, study: Study) -> Segmentation:
        image = study.volumes[Sequence.FLAIR].data
        soft = np.clip(image + np.float32(self.extra), 0, 1).astype(np.float32)
        labels = LabelMap(np.where(soft > 0.5, np.uint8(2), np.uint8(0)), study.grid)
        return Segmentation(
            labels, {"WT": Volume(soft, study.grid)}, Validity(1.0), self.card, {"RC": "not looked for"}
        )


def case(radius: float) -> tuple[Study, LabelMap]:
    r = np.sqrt(((np.indices(SHAPE) - 7.5) ** 2).sum(axis=0))
    image = np.clip((radius - r) / 4 + 0.5, 0, 1).astype(np.float32)
    volume = Volume.of(image, np.diag([3.0, 3.0, 3.0, 1.0]))
    truth = LabelMap(np.where(r < radius, np.uint8(2), np.uint8(0)), volume.grid)
    return Study("ses-01", {Sequence.FLAIR: volume}, np.ones(SHAPE, bool)), truth


MEMBERS = (Ball("a", 0.1), Ball("b", -0.2))
CARDS = tuple(m.card for m in MEMBERS)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(joint, "HOME", tmp_path / "joint")
    joint._read.cache_clear()
    yield tmp_path / "joint"
    joint._read.cache_clear()


def test_calibration_is_found_for_its_members_and_for_no_others(home):
    how = Calibration(volume_low={"WT": 1.0}, volume_high={"WT": 1.0})
    home.parent.mkdir(exist_ok=True)
    write_joint("joined", CARDS, how)
    assert joint_of("joined", CARDS) == Joint(how)
    assert joint_of("mean", CARDS) is None
    assert joint_of("joined", CARDS[::-1]) is None
    newer = (CARDS[0], Ball("b", 0.0).card.__class__("b", "2", "b", "", "", "", ()))
    assert joint_of("joined", newer) is None


def test_intervals_hold_the_truth_of_other_patients_and_dice_is_expected():
    rng = np.random.default_rng(0)
    fused = FusedSegmenter(MEMBERS, "joined")
    told = calibrate_joint(fused, (case(r) for r in rng.uniform(3, 6.5, 40)))
    assert told.calibration.patients == 40
    assert "agreement" in told.calibration.dice["WT"]
    ready = FusedSegmenter(MEMBERS, "joined", Joint(told.calibration))
    covered, pairs = [], []
    for radius in rng.uniform(3, 6.5, 20):
        study, truth = case(radius)
        found = ready.segment(study)
        low, high = found.intervals["WT"]
        covered.append(low <= truth.volume_ml("WT") <= high)
        pairs.append((found.predicted_dice["WT"], dice(truth.region("WT"), found.labels.region("WT"))))
    assert np.mean(covered) >= 0.8
    assert np.mean([abs(expected - true) for expected, true in pairs]) < 0.1


def test_without_calibration_nothing_is_claimed():
    found = FusedSegmenter(MEMBERS, "joined").segment(case(5.0)[0])
    assert not found.intervals
    assert not found.predicted_dice


def test_hints_are_the_dice_of_the_members_and_of_what_became_of_the_first():
    study, _ = case(5.0)
    given = [m.segment(study) for m in MEMBERS]
    a, b = (g.labels.region("WT") for g in given)
    agreed = pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert hints(given, given[0].labels) == {"WT": {"kept": 1.0, "agreement": agreed}}
    assert hints(given, given[1].labels) == {"WT": {"kept": agreed, "agreement": agreed}}
    assert hints(given[:1], given[0].labels) == {"WT": {"kept": 1.0}}


def test_what_the_first_member_expects_of_itself_is_a_hint():
    study, _ = case(5.0)
    first, second = (m.segment(study) for m in MEMBERS)
    sure = replace(first, predicted_dice={"WT": 0.6})
    assert hints([sure, second], first.labels)["WT"]["first"] == 0.6
    unable = replace(sure, not_assessable={"WT": "not looked for"})
    assert hints([unable, second], second.labels) == {"WT": {"kept": 1.0}}


def test_the_default_is_calibrated_for_the_versions_that_ship():
    method = segmenter_of(SEGMENTER)
    assert isinstance(method, FusedSegmenter)
    assert method.joint is not None
    assert {"WT", "TC", "ET"} <= set(method.joint.calibration.volume_low)


def test_a_member_that_sees_another_tumour_does_not_count_and_that_is_told():
    study, _ = case(5.0)

    class Elsewhere(Ball):
        """Outlines a corner."""

        def segment(self, study: Study) -> Segmentation:
            soft = np.zeros(SHAPE, np.float32)
            soft[:4, :4, :4] = 1
            labels = LabelMap(np.where(soft > 0.5, np.uint8(2), np.uint8(0)), study.grid)
            return Segmentation(labels, {"WT": Volume(soft, study.grid)}, Validity(1.0), self.card, {})

    alone = MEMBERS[0].segment(study)
    found = FusedSegmenter((MEMBERS[0], Elsewhere("c", 0.0)), "joined").segment(study)
    assert np.array_equal(found.labels.region("WT"), alone.labels.region("WT"))
    assert any("only a was used" in r for r in found.validity.reasons)
    both = FusedSegmenter(MEMBERS, "joined").segment(study)
    assert not any("was used" in r for r in both.validity.reasons)


def test_core_that_a_member_outlines_elsewhere_does_not_count_for_core():
    study, _ = case(5.0)

    class Core(Ball):
        """Outlines a ball with a core in one half of it."""

        def __init__(self, name: str, left: bool) -> None:
            super().__init__(name, 0.1)
            self.half = slice(0, 8) if left else slice(8, 16)

        def segment(self, study: Study) -> Segmentation:
            found = super().segment(study)
            core = np.zeros(SHAPE, np.float32)
            core[self.half] = found.probabilities["WT"].data[self.half]
            labels = np.where(core > 0.5, np.uint8(1), found.labels.data)
            return replace(
                found,
                labels=found.labels.with_data(labels),
                probabilities=dict(found.probabilities) | {"TC": Volume(core, study.grid)},
            )

    def cores(*members: Core) -> Segmentation:
        return FusedSegmenter(members, "joined").segment(study)

    first = Core("a", left=True)
    alone = first.segment(study)
    found = cores(first, Core("b", left=False))
    assert np.array_equal(found.labels.region("TC"), alone.labels.region("TC"))
    assert found.labels.region("WT").sum() > alone.labels.region("TC").sum()
    assert np.array_equal(cores(first, Core("b", left=True)).labels.region("TC"), alone.labels.region("TC"))


def test_the_shipped_calibration_reads_volumes_as_it_was_fitted() -> None:
    """Stretched with volumes a little larger, so read with them so too; else intervals of small ones are too narrow."""
    default = segmenter_of(SEGMENTER)
    assert isinstance(default, FusedSegmenter)
    assert default.joint is not None
    assert default.joint.calibration.offset_ml == OFFSET_ML
