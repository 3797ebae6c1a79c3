"""Crops: the right voxels, in order, whatever is missing; and changes that keep what must stay."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.lab.nets import MASK, Images, NetworkSet
from tumorboard.lab.nets.augment import augmented
from tumorboard.lab.nets.crops import Cut, cut_out
from tumorboard.lab.represent.base import Job
from tumorboard.lab.represent.network import Network, NetworkImages
from tumorboard.sequences import Sequence

T1C, FLAIR, DSC, ADC = Sequence.T1C, Sequence.FLAIR, Sequence.DSC, Sequence.ADC


def ramp(shape, spacing):
    """Millimetres along each axis as three channels."""
    return np.stack(np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij"))


@given(
    st.tuples(*[st.sampled_from([0.7, 1.0, 1.5, 3.0])] * 3),
    st.tuples(*[st.integers(6, 12)] * 3),
    st.sampled_from([0.0, 1.0, 2.0]),
)
@settings(max_examples=25, deadline=None)
def test_a_crop_is_laid_around_the_middle_in_millimetres(spacing, middle, fixed):
    shape = (20, 19, 18)
    image = ramp(shape, spacing).astype(np.float32)
    region = np.zeros(shape, bool)
    region[tuple(slice(m - 1, m + 2) for m in middle)] = True
    how = Cut(side=9, margin_mm=1.0, spacing_mm=fixed)
    pixel = fixed or (3 * max(spacing) + 2) / 9
    cube = cut_out(image, region, spacing, how)
    assert cube.shape == (3, 9, 9, 9)
    at = np.array(middle) * spacing
    reach = 4 * pixel
    room = [min(at[a], (shape[a] - 1) * spacing[a] - at[a]) for a in range(3)]
    blur = 3 * max(pixel, *spacing)  # near the edge smoothing is not linear
    for axis in range(3):
        assert cube[(axis, 4, 4, 4)] == pytest.approx(at[axis], abs=0.05 * max(1.0, at[axis]))
        if min(room) > reach + blur:
            line = np.moveaxis(cube[axis], axis, 0)[:, 4, 4]
            assert np.allclose(np.diff(line), pixel, atol=0.05)


def test_planes_and_slices_are_those_of_the_cube():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 24, 24, 24)).astype(np.float32)
    region = np.zeros((24, 24, 24), bool)
    region[9:14, 9:14, 9:14] = True
    how = {"side": 9, "spacing_mm": 1.0}
    cube = cut_out(image, region, (1.0, 1.0, 1.0), Cut(**how))
    planes = cut_out(image, region, (1.0, 1.0, 1.0), Cut(view="planes", **how))
    assert np.allclose(planes, Images.of([cube], ("a", "b")).seen_as("planes").crops[0], atol=1e-6)
    slices = cut_out(image, region, (1.0, 1.0, 1.0), Cut(view="slices", slices=5, **how))
    assert slices.shape == (5, 2, 9, 9)
    assert np.allclose(slices, Images.of([cube], ("a", "b")).seen_as("slices").crops[0][2:7], atol=1e-6)


def test_outside_the_image_is_zero():
    image, region = np.ones((1, 10, 10, 10), np.float32), np.zeros((10, 10, 10), bool)
    region[0, 0, 0] = True
    cube = cut_out(image, region, (1.0, 1.0, 1.0), Cut(side=8, spacing_mm=1.0))
    assert cube[0, 0].max() == 0
    assert cube[0, 5, 5, 5] == 1


# --- of a cohort -----------------------------------------------------------------------------------------------------


def asked(cohort, sequences, regions, **how):
    return Network().represent(Job(cohort, cohort.units("patient"), sequences, regions, NetworkImages(**how)))


def test_a_cohort_gives_crops_without_columns(digital_cohort):
    made = asked(digital_cohort, (T1C, FLAIR, ADC), ("WT",), side=16, mask=True)
    assert made.table.names == ()
    assert len(made.learned.material) == 4
    step = made.learned.make(0).fit([])
    assert step.transform(made.learned.material).shape == (4, 0)
    images = step.images(made.learned.material, digital_cohort.patients)
    assert images.channels == ("T1C", "FLAIR", "ADC", MASK)
    assert images.shape == (4, 16, 16, 16)
    assert images.present.all()
    cube = images.stacked
    assert set(np.unique(cube[:, 3].round(6))) & {1.0}
    assert (cube[:, 3] > 0.5).mean() > 0.02
    assert np.abs(cube).max() <= 5.0 + 1e-5


@pytest.mark.parametrize(("view", "shape"), [("slices", (4, 1, 12, 12)), ("planes", (3, 1, 12, 12))])
def test_views_of_a_cohort(digital_cohort, view, shape):
    made = asked(digital_cohort, (FLAIR,), ("TC", "WT"), view=view, side=12, slices=4)
    step, kept = made.learned.make(0).fit([]), made.learned.material
    assert {m.shape for m in kept} == {(shape[0], 2, *shape[2:])}  # the region lies last, for who explains the network
    assert {c.shape for c in step.images(kept, digital_cohort.patients).crops} == {shape}  # which does not see it
    assert all(r.any() and not r.all() for r in step.regions(kept))


def test_curves_of_a_cohort(digital_cohort):
    made = asked(digital_cohort, (DSC,), ("ET",), view="curve", side=24)
    there = [m for m in made.learned.material if m is not None]
    assert there
    assert {m.shape for m in there} == {(1, 24)}
    step = made.learned.make(0)
    assert step.channels == ("DSC.ET",)


def test_a_sequence_that_no_patient_has_is_refused_and_one_that_some_lack_is_zero(digital_cohort):
    made = asked(digital_cohort, (T1C, Sequence.SWI), ("WT",), side=8)
    assert {g.what for g in made.gaps} == {"SWI"}
    images = made.learned.make(0).images(made.learned.material, digital_cohort.patients)
    assert images.present.tolist() == [[True, False]] * 4
    with pytest.raises(InputError, match="no SWI"):
        asked(digital_cohort, (Sequence.SWI,), ("WT",), side=8)


# --- shapes that do not fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crops", "view"),
    [
        ([np.ones((1, 8, 8, 8)), np.ones((1, 9, 8, 8))], "cube"),
        ([np.ones((2, 8, 8, 8))], "cube"),
        ([np.ones((1, 8))], "slices"),
        ([None], "cube"),
        ([np.ones((1, 8, 8, 8))], "ball"),
    ],
)
def test_crops_that_do_not_fit_are_refused(crops, view):
    with pytest.raises(InputError):
        Images.of(crops, ("T1C",), view)


def test_slices_cannot_become_a_cube():
    with pytest.raises(InputError, match="view: cube"):
        Images.of(np.ones((2, 5, 1, 8, 8)), ("T1C",), "slices").seen_as("cube")


# --- random changes --------------------------------------------------------------------------------------------------

SHAPES = {"cube": (4, 3, 9, 9, 9), "slices": (4, 5, 3, 9, 9), "planes": (4, 3, 3, 9, 9), "curve": (4, 3, 20)}


def changed(view, images, mask=None, seed=0, **how):
    quiet = {"turn_deg": 0, "zoom": 0, "shift": 0, "gain": 0, "noise": 0, "flip": False}
    return augmented(images, view, mask, NetworkSet(**(quiet | how)), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("view", SHAPES)
def test_one_seed_one_change_and_missing_channels_stay_zero(view):
    images = torch.rand(SHAPES[view])
    images.select(2 if view in ("slices", "planes") else 1, 1).zero_()
    how = {"turn_deg": 20, "zoom": 0.2, "shift": 0.1, "gain": 0.2, "noise": 0.1, "flip": True}
    first, second = changed(view, images, **how), changed(view, images, **how)
    assert torch.equal(first, second)
    assert first.shape == images.shape
    assert not torch.equal(first, images)
    assert not first.select(2 if view in ("slices", "planes") else 1, 1).any()


@pytest.mark.parametrize("view", ["cube", "slices", "planes"])
def test_a_mask_keeps_its_values(view):
    images = torch.rand(SHAPES[view])
    axis = 2 if view in ("slices", "planes") else 1
    made = changed(view, images, mask=2, gain=0.3, noise=0.2)
    assert torch.equal(made.select(axis, 2), images.select(axis, 2))
    assert not torch.equal(made.select(axis, 0), images.select(axis, 0))


def test_a_mirror_turns_left_and_right_alone():
    images = torch.rand(SHAPES["cube"])
    made = changed("cube", images, flip=True)
    for before, after in zip(images, made, strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(1))
    assert not torch.equal(made, images)
    planes = torch.rand(SHAPES["planes"])
    assert torch.equal(changed("planes", planes, flip=True)[:, 0], planes[:, 0])


def test_a_turn_keeps_the_middle_and_what_is_round():
    places = torch.stack(torch.meshgrid(*[torch.arange(15.0) - 7] * 3, indexing="ij"))
    ball = torch.exp(-(places**2).sum(0) / 18)[None, None].repeat(4, 1, 1, 1, 1)
    made = changed("cube", ball, turn_deg=45)
    bound = 3 * (1 / 8) * (1 / 9)  # linear interpolation errs by at most h²/8 · |f″| along each axis
    assert torch.allclose(made, ball, atol=bound)
    cube = torch.zeros(4, 1, 15, 15, 15)
    cube[:, :, 3:12, 6:9, 6:9] = 1
    assert (changed("cube", cube, turn_deg=45) - cube).abs().max() > 0.5
