"""Samples: shapes, meaning of contrasts, folding that keeps matter, and the same bytes for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.learn.draw.blemish import Blemishes, _sliced, blemished
from tumorboard.learn.draw.contrast import draw_contrast
from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.learn.draw.place import places, read, with_core
from tumorboard.learn.draw.ragged import dense, patchy, ragged, spread_out
from tumorboard.learn.draw.sample import Drawing, chosen, draw_sample
from tumorboard.learn.draw.weigh import fold
from tumorboard.learn.pool.specimen import DISEASED, HEALTHY, Specimen
from tumorboard.segment.learned import HIGHEST, LOWEST
from tumorboard.sequences import Sequence
from tumorboard.simulate.subject import Kind, draw_member, studies

FOUR = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)


@pytest.fixture(scope="module")
def noise() -> NoiseFields:
    return NoiseFields.drawn()


@pytest.fixture(scope="module")
def specimen() -> Specimen:
    for n in range(10):
        study = next(iter(studies(5, draw_member(5, n, Kind.GLIOMA, 1, 1), 4.0, volumes=False)))
        if study.truth.volume_ml("ET") > 5:
            return Specimen.of(study)
    raise AssertionError("no enhancing tumour among ten")


def test_a_sample_is_the_same_for_the_same_seed_and_no_other(specimen: Specimen, noise: NoiseFields) -> None:
    how = Drawing((24, 32, 24), FOUR)
    one, two, other = (draw_sample(specimen, how, noise, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (one.images == two.images).all()
    assert (one.labels == two.labels).all()
    assert not np.array_equal(one.images, other.images)


@pytest.mark.parametrize("seed", range(8))
def test_a_sample_is_what_a_network_expects(specimen: Specimen, noise: NoiseFields, seed: int) -> None:
    sample = draw_sample(specimen, Drawing((24, 32, 24), FOUR), noise, np.random.default_rng(seed))
    assert sample.images.shape == (24, 32, 24, 4)
    assert sample.images.dtype == np.float32
    assert np.isfinite(sample.images).all()
    assert sample.images.min() >= LOWEST
    assert sample.images.max() <= HIGHEST
    assert sample.present.any()
    assert not sample.images[..., ~sample.present].any()
    assert set(np.unique(sample.labels)) <= {0, 1, 2, 3, 4}


def test_read_without_a_warp_gives_the_specimen_back(specimen: Specimen) -> None:
    shape = specimen.shape
    middle = (np.array(shape, np.float32) - 1) / 2
    for seed in range(4):  # mirrored or not
        piece = read(specimen, places(middle, shape, None, np.random.default_rng(seed)))
        mirrored = piece.shares[::-1]
        wanted = specimen.healthy / np.float32(255)
        same = [np.abs(x[..., : len(HEALTHY)] - wanted).max() < 1e-4 for x in (piece.shares, mirrored)]
        assert any(same)
        assert (piece.labels > 0).sum() == (specimen.labels > 0).sum()


def test_places_outside_hold_nothing(specimen: Specimen) -> None:
    at = np.full((3, 2, 2, 2), -50, np.float32)
    piece = read(specimen, at)
    assert not piece.shares.any()
    assert not piece.labels.any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1, 4), st.floats(0, 1))
def test_folding_keeps_the_sum_of_matter(seed: int, sharp: float, strength: float) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([1, 1, 1, 0.2], size=(3, 4, 5)).astype(np.float32)
    shares = np.concatenate([shares, np.zeros((3, 4, 5, 5), np.float32)], axis=3)
    before = shares.copy()
    fold(shares, rng.standard_normal((3, 3, 4, 5), dtype=np.float32), sharp, strength)
    assert np.abs(shares.sum(axis=3) - before.sum(axis=3)).max() < 1e-4
    assert (shares[..., 3:] == before[..., 3:]).all()
    assert shares.min() >= 0


@pytest.mark.parametrize("seed", range(30))
def test_enhancing_tumour_gains_from_t1_to_t1c_whatever_is_drawn(seed: int) -> None:
    matters = (*HEALTHY, *DISEASED)
    made = draw_contrast(matters, FOUR, np.random.default_rng(seed))
    vital = matters.index("vital")
    assert made.values[1, vital] >= 1.1 * made.values[0, vital]
    assert made.values.min() >= 0
    assert made.values[3, matters.index("oedema")] > made.values[3, matters.index("gm")]


def test_black_blood_leaves_vessels_dark_and_gradient_echo_bright() -> None:
    for seed in range(10):
        made = draw_contrast((*HEALTHY,), (Sequence.T1C, Sequence.BB), np.random.default_rng(seed))
        vessel, wm = HEALTHY.index("vessel"), HEALTHY.index("wm")
        assert made.values[1, vessel] < 0.5 * made.values[1, wm]


def test_thick_slices_keep_the_mean_inside_and_blur_along_one_axis() -> None:
    image = np.zeros((20, 6, 6), np.float32)
    image[10] = 1
    out = _sliced(image, 0, 5.0, np.random.default_rng(0))
    assert out.std(axis=(1, 2)).max() < 1e-6
    assert out.max() < 0.6
    constant = _sliced(np.ones((20, 6, 6), np.float32), 1, 3.0, np.random.default_rng(0))
    assert np.abs(constant - 1).max() < 1e-5


def test_blemishes_of_no_strength_leave_the_image(noise: NoiseFields) -> None:
    none = Blemishes(0, 0, 0, 6, 0, 0, 0, 0, 0, 0)
    image = np.random.default_rng(0).random((6, 7, 8, 2), dtype=np.float32)
    out = blemished(image.copy(), 2.0, none, noise, np.random.default_rng(0))
    assert np.abs(out - image).max() < 1e-6


def test_some_telling_sequence_is_always_there() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([chosen(FOUR, 0.3, rng) for _ in range(500)])
    assert drawn[:, 1:].any(axis=1).all()
    assert 0.2 < drawn.all(axis=1).mean() < 0.4
    assert chosen((Sequence.T1,), 0.0, rng).all()
    kept = np.array([chosen(FOUR, 0.0, rng, always=FOUR[1:2]) for _ in range(50)])
    assert kept[:, 1].all()
    assert not kept.all(axis=1).any()
    only = np.array([True, False, False, True])
    assert not np.array([chosen(FOUR, 0.3, rng, only) for _ in range(50)])[:, 1:3].any()


def piece_of(specimen: Specimen):
    middle = (np.array(specimen.shape, np.float32) - 1) / 2
    return with_core(read(specimen, places(middle, specimen.shape, None, np.random.default_rng(0))))


@pytest.mark.parametrize("seed", range(3))
def test_moved_borders_keep_all_matter(specimen: Specimen, noise: NoiseFields, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = specimen.shape
    for change in (
        lambda p: ragged(p, noise.at(shape, rng, 3, 5), -0.5),
        lambda p: spread_out(p, noise.at(shape, rng, 3, 5), 2.0),
        lambda p: patchy(p, noise.at(shape, rng, 3, 5), 0.0),
        lambda p: dense(p, noise.at(shape, rng, 3, 5), 0.0),
    ):
        before = piece_of(specimen)
        total = before.shares.sum(axis=3)
        after = change(before)
        assert np.abs(after.shares.sum(axis=3) - total).max() < 2e-3
        assert after.shares.min() > -1e-6
        assert after.shares.shape[3] == len(after.matters)


def test_oedema_moves_where_it_is_told(specimen: Specimen, noise: NoiseFields) -> None:
    shape, rng = specimen.shape, np.random.default_rng(0)
    field = noise.at(shape, rng, 3, 3)
    count = {
        name: int((piece.labels == 2).sum())
        for name, piece in (
            ("as it was", piece_of(specimen)),
            ("torn", ragged(piece_of(specimen), field, 0.0)),
            ("spread", spread_out(piece_of(specimen), field, 3.0)),
        )
    }
    assert count["torn"] < count["as it was"] < count["spread"]
    for change in (patchy, dense):
        labels = change(piece_of(specimen), field, 0.0).labels
        assert 0 < (labels == 3).sum() < (piece_of(specimen).labels == 3).sum()
        assert ((labels > 0) == (piece_of(specimen).labels > 0)).all()


def test_dense_tumour_is_drier_than_oedema_and_does_not_enhance() -> None:
    matters = ("wm", "gm", "oedema", "vital", "dense")
    t1, t1c, t2, flair = np.mean(
        [draw_contrast(matters, FOUR, np.random.default_rng(n)).values for n in range(200)], axis=0
    )
    assert t2[4] < t2[2]
    assert flair[4] < flair[2]
    assert t1c[4] / t1[4] < 1.1 < t1c[3] / t1[3]


def test_core_of_a_tumour_that_does_not_enhance_looks_like_its_rim_half_the_time() -> None:
    def alike(*others: str) -> float:
        matters = ("wm", "infiltrate", "core", *others)
        drawn = [draw_contrast(matters, FOUR, np.random.default_rng(n)).values for n in range(200)]
        return float(np.mean([np.array_equal(values[:, 1], values[:, 2]) for values in drawn]))

    assert alike("vital") == 0.0
    assert 0.4 < alike() < 0.6
