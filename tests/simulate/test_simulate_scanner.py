"""Signals follow from tissue and protocol; shares of tissue add up; raw data and sites do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.labels import LabelMap
from tumorboard.physics.diffusion import fit_adc, fit_tensor, tensor_maps
from tumorboard.physics.perfusion import blood_volume, relaxation_change
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate.body.background import draw_background
from tumorboard.simulate.body.shell import TISSUES
from tumorboard.simulate.look import Look
from tumorboard.simulate.scanner.kspace import from_raw_data, ghosted, kept_lines, raw_data
from tumorboard.simulate.scanner.maps import DSC_SECONDS, DSC_TE_MS, EXTRAS, dsc, dti, dwi, parameter, value_of
from tumorboard.simulate.scanner.matter import MATTERS
from tumorboard.simulate.scanner.mixture import ROUGHNESS, State, mixed
from tumorboard.simulate.scanner.render import clean_signals
from tumorboard.simulate.scanner.sites import SITES, draw_mishaps, shading, sliced
from tumorboard.simulate.scanner.weighting import PROTOCOLS, matter_signal, table
from tumorboard.volume import Grid

PURE = ("wm", "gm", "csf")


@pytest.fixture(scope="module")
def healthy(head):
    background = draw_background(head, np.random.default_rng(1))
    return mixed(head, background, State(LabelMap(np.zeros(head.grid.shape, np.uint8), head.grid), {}))


@pytest.fixture(scope="module")
def ill(head):
    """A ball of tumour with necrosis and oedema in the white matter."""
    away = np.sqrt(((head.mni_mm - np.reshape([28.0, -10.0, 30.0], (3, 1, 1, 1))) ** 2).sum(axis=0))
    labels = np.select([away < 9, away < 18, away < 32], [1, 3, 2], 0) * (head.brain & (head.csf < 0.5))
    background = draw_background(head, np.random.default_rng(1))
    return mixed(head, background, State.of_labels(LabelMap(labels.astype(np.uint8), head.grid), Look(rough=0.0)))


def test_every_tissue_of_the_shell_is_in_the_table_of_matter():
    assert set(TISSUES) <= set(MATTERS)
    assert set(ROUGHNESS) <= set(MATTERS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("matter", ["wm", "gm", "csf", "oedema", "vital"])
def test_signals_are_those_of_the_equations(protocol, matter):
    """Closed forms written out again, without contrast agent."""
    how, m = PROTOCOLS[protocol], MATTERS[matter]
    t1, t2 = m.t1(how.field_t), m.t2(how.field_t)
    for sequence in (Sequence.T1, Sequence.T2, Sequence.FLAIR):
        w = how.weightings[sequence]
        if w.kind == "SE":
            expected = m.water * (1 - np.exp(-w.tr_ms / t1)) * np.exp(-w.te_ms / t2)
        elif w.kind == "IR":
            along = 1 - 2 * np.exp(-w.ti_ms / t1) + np.exp(-w.tr_ms / t1)
            expected = m.water * abs(along) * np.exp(-w.te_ms / t2)
        else:
            a, e = np.radians(w.flip_deg), np.exp(-w.tr_ms / t1)
            star = m.t2star_ms * (1.0 if how.field_t > 2 else 1.6)
            expected = m.water * np.sin(a) * (1 - e) / (1 - np.cos(a) * e) * np.exp(-w.te_ms / star)
        assert float(matter_signal(m, sequence, how)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_contrasts_are_those_that_radiologists_know(protocol):
    signal = {s: table(s, PROTOCOLS[protocol]) for s in (*USED, Sequence.BB)}
    t1, t1c, t2, flair, bb = (signal[s] for s in (*USED, Sequence.BB))
    assert t1["csf"] < t1["gm"] < t1["wm"] < t1["methaemoglobin"]
    assert t1c["vital"] > 1.3 * t1["vital"]
    assert t1c["vessel"] > 1.5
    assert bb["vessel"] == 0.0
    assert t2["csf"] > t2["oedema"] > t2["gm"] > t2["wm"]
    assert flair["oedema"] > flair["gm"] > flair["wm"] > 3 * flair["csf"]
    assert t2["microcystic"] > t2["oedema"] > t2["gm"]
    assert flair["microcystic"] < 0.85 * flair["oedema"]  # the mismatch


def test_shares_add_up_to_one_in_the_brain_and_nothing_outside(head, ill):
    total = sum(ill.parts.values())
    np.testing.assert_allclose(total[head.brain], 1.0, atol=1e-4)
    assert not total[~head.brain].any()
    assert min(float(p.min()) for p in ill.parts.values()) >= -1e-6


def test_pure_voxels_have_the_signal_of_their_tissue(healthy):
    for protocol in PROTOCOLS.values():
        images = clean_signals(healthy, protocol)
        for sequence in (Sequence.T1, Sequence.T2, Sequence.FLAIR):
            values = table(sequence, protocol)
            ratio = {}
            for name in PURE:
                pure = healthy.parts[name] > 0.97
                if pure.sum() >= 5 and values[name] > 0.2:  # a null is all contamination
                    ratio[name] = float(np.median(images[sequence][pure])) / values[name]
            assert len(ratio) >= 2
            assert max(ratio.values()) == pytest.approx(min(ratio.values()), rel=0.12)


def test_maps_come_back_from_their_series(head, ill):
    """ADC, FA and blood volume, fitted to the series by the physics room, within 5 % over each tissue."""
    rng = np.random.default_rng(3)
    series = dwi(ill, rng)
    inner = {name: ill.parts[name] > 0.9 for name in ("wm", "vital") if (ill.parts[name] > 0.9).sum() >= 20}
    assert set(inner) == {"wm", "vital"}
    for name, mask in inner.items():
        found = fit_adc(series.data[mask], np.array(series.axis))[0]
        assert float(np.median(found)) == pytest.approx(float(np.median(parameter(ill, "adc")[mask])), rel=0.05), name
    tensors = dti(ill, rng)
    fitted, _ = fit_tensor(tensors.data[inner["wm"]], np.array(tensors.axis), tensors.directions)
    fa = tensor_maps(fitted).fa
    assert float(np.median(fa)) == pytest.approx(float(np.median(parameter(ill, "fa")[inner["wm"]])), rel=0.05)


def test_blood_volume_with_leakage_comes_back_from_the_bolus(ill):
    series = dsc(ill, np.random.default_rng(3))
    wm, vital = ill.parts["wm"] > 0.9, ill.parts["vital"] > 0.9
    rates = [relaxation_change(series.data[m].mean(axis=0), DSC_TE_MS, 8) for m in (wm, vital)]
    volumes = blood_volume(np.stack(rates), rates[0], DSC_SECONDS)
    shares = [{name: float(part[m].mean()) for name, part in ill.parts.items()} for m in (wm, vital)]
    means = [sum(share * value_of(ill, name, "cbv") for name, share in of.items()) for of in shares]
    expected = means[1] / means[0]
    plain, corrected = volumes.plain[1] / volumes.plain[0], volumes.corrected[1] / volumes.corrected[0]
    assert corrected == pytest.approx(expected, rel=0.05)
    assert abs(corrected - expected) < abs(plain - expected)


@pytest.mark.parametrize("sequence", EXTRAS)
def test_every_further_image_is_finite_and_on_the_grid(ill, sequence):
    made = EXTRAS[sequence](ill, np.random.default_rng(0), SITES[0])
    assert made.data.shape[:3] == ill.grid.shape
    assert np.isfinite(made.data).all()
    assert made.data.ndim == 3 or made.data.shape[3] == len(made.axis)
    assert made.data.std() > 0


@given(st.integers(0, 1000), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_raw_data_of_any_coils_give_back_the_image(seed, coils):
    rng = np.random.default_rng(seed)
    image = rng.random((12, 10, 3)).astype(np.float32)
    maps = shading(Grid(image.shape, np.diag([16.0, 16.0, 16.0, 1.0])), coils, rng)
    np.testing.assert_allclose(from_raw_data(raw_data(image, maps, rng)), image, atol=1e-4)


def test_undersampling_keeps_the_middle_and_costs_detail():
    rng = np.random.default_rng(0)
    image = np.zeros((32, 32, 1), np.float32)
    image[10:20, 8:24] = 1.0
    lines = kept_lines(32, 4, 8, rng)
    one = np.ones((1, 32, 32, 1), np.complex64)
    found = from_raw_data(raw_data(image, one, rng, lines=lines))
    error = np.abs(found - image).mean()
    assert 0.01 < error < 0.4
    with pytest.raises(ValueError, match="acceleration"):
        kept_lines(32, 0, 8, rng)


def test_a_ghost_is_an_echo_along_the_phase_direction_and_keeps_the_signal():
    image = np.zeros((20, 64, 1), np.float32)
    image[8:12, 28:36] = 1.0
    seen = ghosted(image, 6.0, 0.3, np.random.default_rng(1))
    assert seen[8:12, :20].max() > 0.02
    assert seen[:7].max() < 1e-4
    assert np.square(seen).sum() == pytest.approx(np.square(image).sum(), rel=1e-4)


@given(st.integers(1, 7), st.integers(1, 23))
def test_slices_keep_the_mean_of_what_does_not_change(thickness, n):
    grid = Grid((2, 2, n), np.eye(4))
    even = np.full((2, 2, n), 3.0, np.float32)
    np.testing.assert_allclose(sliced(even, grid, float(thickness)), even, rtol=1e-6)


def test_things_go_wrong_on_the_last_site_most_often():
    counts = []
    for site in (SITES[0], SITES[-1]):
        drawn = [draw_mishaps(site, np.random.default_rng(n)) for n in range(300)]
        counts.append(sum(m.missing is not None or bool(m.swapped) for m in drawn))
    assert counts[0] == 0
    assert counts[1] > 90
