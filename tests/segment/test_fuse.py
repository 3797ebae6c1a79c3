"""Fusion of label maps and of segmenters: by hand, and on a phantom with raters of known quality."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap
from tumorboard.segment import SEGMENTERS
from tumorboard.segment.base import Card, Segmentation, Validity
from tumorboard.segment.fuse import majority, staple
from tumorboard.segment.fused import FusedSegmenter
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Volume


def row(*values):
    return LabelMap.of(np.array([[values]], dtype=np.uint8), np.eye(4))


def phantom():
    place = np.indices((24, 24, 24)) - 11.5
    r = np.sqrt((place**2).sum(axis=0))
    data = np.zeros(r.shape, np.uint8)
    for radius, value in ((9, 2), (6, 3), (3, 1)):
        data[r < radius] = value
    return LabelMap.of(data, np.eye(4))


def rater(truth, wrong, seed):
    rng = np.random.default_rng(seed)
    data = truth.data.copy()
    hit = rng.random(data.shape) < wrong
    data[hit] = rng.integers(0, 4, int(hit.sum()))
    return truth.with_data(data)


def errors(found, truth):
    return int((found.data != truth.data).sum())


@given(st.from_type(LabelMap), st.integers(1, 4), st.sampled_from([majority, staple]))
def test_equal_maps_give_that_map(labels, copies, how):
    assert np.array_equal(how([labels] * copies).data, labels.data)


def test_majority_by_hand():
    fused = majority([row(0, 1, 3, 2, 4), row(0, 1, 0, 3, 1), row(2, 2, 3, 1, 1)])
    assert fused.data.ravel().tolist() == [0, 1, 3, 2, 1]


def test_ties_go_to_the_map_that_is_named_first():
    one, other = row(0, 3, 2), row(1, 1, 2)
    assert majority([one, other]).data.ravel().tolist() == [0, 3, 2]
    assert majority([other, one]).data.ravel().tolist() == [1, 1, 2]
    assert majority([row(4), row(1), row(1), row(2), row(2)]).data.item() == 1


@pytest.mark.parametrize("how", [majority, staple])
def test_fusion_errs_less_than_the_members_on_a_phantom(how):
    truth = phantom()
    raters = [rater(truth, wrong, n) for n, wrong in enumerate((0.1, 0.2, 0.3))]
    fused = how(raters)
    assert errors(fused, truth) < min(errors(r, truth) for r in raters)


def test_staple_trusts_the_better_rater():
    truth = phantom()
    raters = [rater(truth, wrong, n) for n, wrong in enumerate((0.05, 0.6, 0.6))]
    fused = staple(raters)
    assert errors(fused, truth) < max(errors(r, truth) for r in raters) / 5
    assert errors(fused, truth) < errors(majority(raters), truth) / 1.5


def test_staple_does_not_depend_on_the_air_around():
    truth = phantom()
    raters = [rater(truth, wrong, n) for n, wrong in enumerate((0.1, 0.4, 0.4))]
    inside = [LabelMap.of(np.where(truth.data > 0, r.data, 0), np.eye(4)) for r in raters]
    wide = [LabelMap.of(np.pad(r.data, 7), np.eye(4)) for r in inside]
    assert np.array_equal(staple(wide).data[7:-7, 7:-7, 7:-7], staple(inside).data)


@pytest.mark.parametrize("fuse", [majority, staple])
def test_maps_on_two_grids_or_none_are_refused(fuse):
    with pytest.raises(GeometryError, match="map 2"):
        fuse([row(1, 2), LabelMap.of(np.zeros((1, 1, 2), np.uint8), np.diag([1.0, 1, 2, 1]))])
    with pytest.raises(InputError, match="none"):
        fuse([])


# --- segmenters ----------------------------------------------------------------------------------


@dataclass
class Fixed:
    """Gives what it was made with."""

    name: str
    values: tuple[int, ...]
    missing: dict[str, str] = field(default_factory=dict)
    score: float = 1.0

    @property
    def card(self):
        return Card(self.name, "3", f"Fixed {self.name}", f"{self.name} et al.", "Fixed.", "All.", (Sequence.FLAIR,))

    def segment(self, study):
        labels = LabelMap(np.array([[self.values]], dtype=np.uint8), study.grid)
        wt = Volume(labels.region("WT").astype(np.float32), study.grid)
        reasons = () if self.score == 1 else ("faint",)
        return Segmentation(labels, {"WT": wt}, Validity(self.score, reasons), self.card, self.missing)


@pytest.fixture
def small():
    volume = Volume.of(np.ones((1, 1, 3), np.float32), np.eye(4))
    return Study("ses-01", {Sequence.FLAIR: volume}, np.ones((1, 1, 3), bool))


def test_a_fused_segmenter_tells_all_its_members(small):
    members = [
        Fixed("a", (0, 2, 3), {"RC": "not looked for", "ET": "no T1C"}),
        Fixed("b", (2, 2, 1), {"RC": "no output"}, 0.5),
        Fixed("c", (2, 0, 3), {"RC": "no output"}),
    ]
    fused = FusedSegmenter(members)
    result = fused.segment(small)
    assert result.labels.data.ravel().tolist() == [2, 2, 3]
    assert np.allclose(result.probabilities["WT"].data.ravel(), [2 / 3, 2 / 3, 1])
    assert result.not_assessable == {"RC": "not looked for"}
    assert result.validity == Validity(0.5, ("b: faint", "ET was looked for by 2 of 3 methods"))
    assert fused.card.id == "fused-majority"
    assert all(f"{n} 3" in fused.card.version and f"Fixed {n}" in fused.card.title for n in "abc")
    assert all(f"{n} et al." in fused.card.citation for n in "abc")


def test_a_fused_segmenter_works_on_a_study(coarse_prepared):
    study = coarse_prepared.study
    fuzzy = SEGMENTERS.make("fuzzy")
    alone = fuzzy.segment(study)
    result = FusedSegmenter([fuzzy, fuzzy], "staple").segment(study)
    assert np.array_equal(result.labels.data, alone.labels.data)
    assert result.card.title.startswith("STAPLE of ")
    assert replace(result.validity) == replace(alone.validity, reasons=result.validity.reasons)


def test_one_member_or_an_unknown_way_is_refused():
    with pytest.raises(InputError, match="at least two"):
        FusedSegmenter([Fixed("a", (1,))])
    with pytest.raises(InputError, match="majority, staple, mean, joined"):
        FusedSegmenter([Fixed("a", (1,)), Fixed("b", (1,))], "magic")


@dataclass
class Sure:
    """Gives one probability of whole tumour, core and enhancing tumour everywhere."""

    shares: dict[str, float]
    missing: dict[str, str] = field(default_factory=dict)
    card: Card = field(default_factory=lambda: Fixed("s", (0,)).card)

    def segment(self, study):
        maps = {r: Volume(np.full(study.grid.shape, p, np.float32), study.grid) for r, p in self.shares.items()}
        empty = LabelMap(np.zeros(study.grid.shape, np.uint8), study.grid)
        return Segmentation(empty, maps, Validity(1.0), self.card, self.missing)


@pytest.mark.parametrize(
    ("one", "two", "missing", "label"),
    [
        ({"WT": 0.9}, {"WT": 0.2}, {}, 2),
        ({"WT": 0.7}, {"WT": 0.2}, {}, 0),
        ({"WT": 0.9, "TC": 0.9, "ET": 0.9}, {"WT": 0.9}, {"ET": "x", "TC": "x"}, 3),
        ({"WT": 0.9, "TC": 0.9, "ET": 0.1}, {"WT": 0.9, "TC": 0.9, "ET": 0.1}, {}, 1),
        ({"WT": 0.1, "RC": 0.9}, {"WT": 0.1}, {"RC": "x"}, 4),
        ({"WT": 0.6, "TC": 1.0, "ET": 1.0}, {"WT": 0.6, "TC": 0.0, "ET": 0.0}, {}, 3),
    ],
)
def test_mean_probabilities_decide_and_who_could_not_look_has_no_vote(one, two, missing, label):
    volume = Volume.of(np.ones((4, 4, 4), np.float32), np.diag([2.5, 2.5, 2.5, 1.0]))
    study = Study("ses-01", {Sequence.FLAIR: volume}, np.ones((4, 4, 4), bool))
    fused = FusedSegmenter([Sure(one), Sure(two, missing)], "mean").segment(study)
    assert set(np.unique(fused.labels.data)) == {label}
