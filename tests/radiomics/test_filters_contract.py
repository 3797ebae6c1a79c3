"""Every filter: a box is a part of the whole, a margin suffices, names differ, wrong settings are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tumorboard.errors import InputError
from tumorboard.radiomics.filters import FILTERS, Bank, make_filter

SPACING = (1.0, 1.25, 1.5)
SHAPE = (17, 20, 13)
IMAGE = np.random.default_rng(5).normal(size=SHAPE)

OPTIONS: list[tuple[str, dict[str, object]]] = [
    ("mean", {"support": 3}),
    ("mean", {"support": 5, "dimensions": 2, "boundary": "zero"}),
    ("mean", {"support": 5, "boundary": "periodic"}),
    ("log", {"sigma_mm": 1.0}),
    ("log", {"sigma_mm": 1.0, "boundary": "periodic"}),
    ("log", {"sigma_mm": 1.5, "dimensions": 2, "boundary": "nearest"}),
    ("laws", {"kernels": "L5E5S3"}),
    ("laws", {"kernels": "L5E3E5", "pooling": "max", "energy": 2}),
    ("laws", {"kernels": "L5E5E5", "pooling": "mean", "energy": 1, "boundary": "zero"}),
    ("laws", {"kernels": "L5S5", "pooling": "min", "energy": 2, "boundary": "periodic"}),
    ("gabor", {"sigma_mm": 0.7, "wavelength_mm": 2.0, "gamma": 1.5, "theta_deg": 30.0}),
    ("gabor", {"sigma_mm": 0.5, "wavelength_mm": 2.0, "step_deg": 45.0, "planes": True, "pooling": "max"}),
    ("gabor", {"sigma_mm": 0.5, "wavelength_mm": 3.0, "step_deg": 90.0, "planes": True, "boundary": "zero"}),
    ("gabor", {"sigma_mm": 0.5, "wavelength_mm": 3.0, "boundary": "periodic"}),
    ("wavelet", {"wavelet": "db3", "band": "LLH"}),
    ("wavelet", {"wavelet": "db2", "band": "LHL", "pooling": "max", "boundary": "zero"}),
    ("wavelet", {"wavelet": "haar", "band": "HHH", "level": 2, "pooling": "mean"}),
    ("wavelet", {"wavelet": "coif1", "band": "HL", "level": 2, "boundary": "periodic"}),
    ("wavelets", {}),
    ("wavelets", {"wavelet": "bior2.2", "level": 2, "dimensions": 2}),
    ("simoncelli", {"level": 2}),
    ("simoncelli", {"level": 1, "dimensions": 2}),
    ("riesz_log", {"sigma_mm": 1.0, "order": (1, 0, 0)}),
    ("riesz_simoncelli", {"level": 1, "order": (0, 2, 0)}),
    ("pyradiomics_log", {"sigma_mm": 1.0}),
    ("pyradiomics_wavelet", {}),
    ("pyradiomics_wavelet", {"wavelet": "db2", "level": 2}),
]

MADE = [make_filter(kind, options) for kind, options in OPTIONS]


def _close(bank: Bank) -> float:
    return 2e-6 if bank.names[0].startswith("log-sigma") else 1e-12


@st.composite
def _boxes(draw):
    ends = [sorted(draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in SHAPE]
    return tuple(slice(first, last) for first, last in ends)


@pytest.mark.parametrize("bank", MADE, ids=lambda bank: bank.names[0])
@settings(max_examples=8, deadline=None)
@given(box=_boxes())
def test_a_box_is_a_part_of_the_whole(bank, box):
    whole = dict(bank.responses(IMAGE, SPACING))
    part = dict(bank.responses(IMAGE, SPACING, box))
    assert tuple(whole) == tuple(part) == bank.names
    for name in bank.names:
        np.testing.assert_allclose(part[name], whole[name][box], rtol=0, atol=_close(bank) * np.abs(whole[name]).max())
        assert part[name].flags.c_contiguous
        assert part[name].dtype == np.float64


@pytest.mark.parametrize("bank", MADE, ids=lambda bank: bank.names[0])
@settings(max_examples=8, deadline=None)
@given(box=_boxes())
def test_the_margin_suffices(bank, box):
    margin = bank.margin(SPACING)
    if margin is None:
        return
    cut = tuple(slice(max(b.start - m, 0), min(b.stop + m, n)) for b, m, n in zip(box, margin, SHAPE, strict=True))
    inner = tuple(slice(b.start - c.start, b.stop - c.start) for b, c in zip(box, cut, strict=True))
    whole = dict(bank.responses(IMAGE, SPACING, box))
    try:
        part = dict(bank.responses(IMAGE[cut], SPACING, inner))
    except InputError:  # the recursive filter wants a few voxels
        return
    for name, response in whole.items():
        np.testing.assert_allclose(part[name], response, rtol=0, atol=_close(bank) * max(np.abs(response).max(), 1e-3))


@pytest.mark.parametrize("bank", MADE, ids=lambda bank: bank.names[0])
def test_nothing_beyond_the_margin_is_read(bank):
    margin = bank.margin(SPACING)
    if margin is None or margin[0] > 7:
        return
    poisoned = IMAGE.copy()
    poisoned[1 + margin[0] :] = np.nan
    box = (slice(0, 1), slice(None), slice(None))
    for _, response in bank.responses(poisoned, SPACING, box):
        assert np.isfinite(response).all()


@pytest.mark.parametrize("bank", MADE, ids=lambda bank: bank.names[0])
def test_the_image_stays_as_it_is(bank):
    image = IMAGE.copy()
    for _, response in bank.responses(image, SPACING):
        response[:] = 1.0
    np.testing.assert_array_equal(image, IMAGE)


def test_names_differ_and_every_kind_is_tried():
    # PyRadiomics itself calls bands of all families alike
    names = [name for bank in MADE for name in bank.names if not name.startswith("wavelet-")]
    names = [name for name in names if not name.startswith("wavelet2-")]
    assert len(set(names)) == len(names)
    assert {kind for kind, _ in OPTIONS} == set(FILTERS)
    assert all(len(bank.code) in (0, 4) for bank in MADE)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sharpen", {}),
        ("mean", {"support": 4}),
        ("mean", {"size": 3}),
        ("log", {"sigma_mm": -1.0}),
        ("laws", {"kernels": "L5"}),
        ("laws", {"kernels": "L5E7E5"}),
        ("gabor", {"sigma_mm": 1.0, "wavelength_mm": 1.0, "step_deg": 50.0}),
        ("wavelet", {"wavelet": "morl", "band": "LLH"}),
        ("wavelet", {"band": "LLM"}),
        ("wavelets", {"level": 0}),
        ("riesz_log", {"sigma_mm": 1.0, "order": (0, 0, 0)}),
        ("riesz_simoncelli", {"order": (-1, 2, 0)}),
        ("pyradiomics_wavelet", {"wavelet": "none"}),
    ],
)
def test_wrong_settings_are_refused(kind, options):
    with pytest.raises(InputError):
        make_filter(kind, options)


def test_filters_are_frozen():
    with pytest.raises(ValidationError):
        MADE[0].support = 7
