"""What an arbiter looks at: the same clues however a study lies; and when it is asked at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tumorboard.detect import arbiter as room
from tumorboard.detect.arbiter import Arbiter, Tree, arbiter_of, clue_names, clues, write_arbiter
from tumorboard.detect.joined import JoinedDetector, joined
from tumorboard.detect.template import TemplateDetector
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

SIDE = 24


def head(spacing=(1.0, 1.0, 1.0), flip: bool = False) -> tuple[Study, np.ndarray]:
    """A ball alone and a ball on a tube, numbered 1 and 2."""
    grid = Grid((SIDE,) * 3, np.diag([*spacing, 1.0]))
    at = np.indices(grid.shape) * np.array(spacing)[:, None, None, None]
    numbers = np.zeros(grid.shape, np.int32)
    image = np.random.default_rng(0).normal(0, 0.2, grid.shape).astype(np.float32)
    image[:, 15:18, 15:18] += 5
    for number, (x, y, z) in enumerate(((8, 7, 7), (12, 16, 16)), start=1):
        inside = (at[0] - x) ** 2 + (at[1] - y) ** 2 + (at[2] - z) ** 2 <= 2.25
        image[inside], numbers[inside] = 5, number
    turned = (np.ascontiguousarray(a[::-1]) if flip else a for a in (image, numbers))
    image, numbers = turned
    study = Study("ses-01", {Sequence.T1C: Volume(image, grid)}, np.ones(grid.shape, bool))
    return study, numbers


def grown(value: float = 3.0, names: int = 5) -> Arbiter:
    """One tree that believes in candidates with nothing bright around."""
    tree = Tree(clue=(4, 0, 0), border=(2.0, 0, 0), left=(1, -1, -1), right=(2, -1, -1), value=(0, value, -value))
    shown = clue_names(head()[0])
    return Arbiter(clues=shown[:names], start=0.0, trees=(tree,), thresholds=(0.5, 0.5, 0.5), patients=1)


def test_a_vessel_goes_on_and_a_lesion_does_not() -> None:
    study, numbers = head()
    told = clues(numbers, {1: (0.5, 0.5), 2: (0.5, 0.5)}, study)
    assert told[1][4] < 1.0
    assert told[2][4] > 3.0
    low, high = grown().chances(np.array([told[2], told[1]]))
    assert low < 0.1
    assert high > 0.9


def test_clues_are_the_same_in_a_mirror() -> None:
    scores = {1: (0.5, 0.0), 2: (0.1, 0.9)}
    plain, turned = (clues(numbers, scores, study) for study, numbers in (head(), head(flip=True)))
    for number in scores:
        assert plain[number] == pytest.approx(turned[number], rel=1e-6)


def test_thick_slices_and_a_single_voxel_have_clues() -> None:
    study, numbers = head((1.0, 1.0, 5.0))
    numbers[:] = 0
    numbers[0, 0, 0] = 3
    ((only, row),) = clues(numbers, {3: (0.2, 0.3)}, study).items()
    assert only == 3
    assert row[:2] == (0.2, 0.3)
    assert np.isfinite(row).all()
    blind = replace(study, brain=np.zeros_like(study.brain))
    assert clues(numbers, {3: (0.2, 0.3)}, blind)[3][4] == 0.0


def test_trees_are_asked_for_their_own_methods_only(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(room, "HOME", tmp_path)
    study, _ = head()
    one, two = TemplateDetector().card, replace(TemplateDetector().card, id="other")
    assert arbiter_of((one, two), study) is None
    write_arbiter((one, two), grown(), None)
    assert arbiter_of((one, two), study) is not None
    assert arbiter_of((one, replace(two, version="2")), study) is None
    assert arbiter_of((two, one), study) is None
    image = study.volumes[Sequence.T1C]
    assert arbiter_of((one, two), replace(study, volumes={Sequence.FLAIR: image, Sequence.BB: image})) is None
    assert arbiter_of((one, two), replace(study, volumes={Sequence.T1C: image, Sequence.BB: image})) is None


def test_a_joint_opinion_is_the_arbiters(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(room, "HOME", tmp_path)
    study, _ = head()
    template = TemplateDetector()
    pair = JoinedDetector(template, template)
    before = pair.detect(study)
    write_arbiter((template.card, template.card), grown(), None)
    after = pair.detect(study)
    assert len(after.found) == len(before.found)
    assert after.thresholds == (0.5, 0.5, 0.5)
    assert {round(d.score, 3) for d in after.found} <= {0.047, 0.953}
    assert after.found[0].centre_mm == pytest.approx((8.0, 7.0, 7.0), abs=1.0)


def test_nothing_found_is_nothing_to_weigh(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(room, "HOME", tmp_path)
    study, _ = head()
    template = TemplateDetector()
    write_arbiter((template.card, template.card), grown(), None)
    empty = replace(template.detect(study), found=(), numbers=Volume(np.zeros((SIDE,) * 3, np.uint16), study.grid))
    assert joined(empty, empty, study, template.card).found == ()
