"""Signal equations against their closed forms, limits and orders that any tissue obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.physics.relaxation import (
    RELAXIVITY_R1,
    ernst_deg,
    gradient_echo,
    inversion_recovery,
    null_ti_ms,
    spin_echo,
    with_gadolinium,
)

t1s, t2s = st.floats(100, 5000), st.floats(10, 2500)
trs, tes = st.floats(20, 12000), st.floats(1, 200)


@given(t1s, t2s, trs, tes)
def test_two_echoes_give_back_t2(t1, t2, tr, te):
    """ln(S1/S2) / (TE2 - TE1) is 1/T2, whatever the rest."""
    one, two = (float(spin_echo(1.0, t1, t2, tr, e)) for e in (te, te + 30.0))
    assert 30.0 / np.log(one / two) == pytest.approx(t2, rel=1e-6)


@given(t1s, t2s, st.floats(50, 3000), tes)
def test_saturation_recovery_gives_back_t1(t1, t2, tr, te):
    """S(2 TR) / S(TR) = 1 + exp(-TR/T1)."""
    ratio = float(spin_echo(1.0, t1, t2, 2 * tr, te) / spin_echo(1.0, t1, t2, tr, te))
    assert ratio - 1 == pytest.approx(np.exp(-tr / t1), rel=1e-6, abs=1e-9)


@given(t1s, st.floats(4, 60), st.floats(2, 45))
def test_two_flip_angles_give_back_t1(t1, tr, flip):
    """The variable flip angle line: S/sin a against S/tan a has the slope exp(-TR/T1)."""
    angles = np.array([flip, 1.7 * flip])
    s = np.array([float(gradient_echo(1.0, t1, 1e9, tr, 1.0, a)) for a in angles])
    x, y = s / np.tan(np.radians(angles)), s / np.sin(np.radians(angles))
    slope = (y[1] - y[0]) / (x[1] - x[0])
    assert slope == pytest.approx(np.exp(-tr / t1), rel=1e-4)


@given(t1s, st.floats(4, 60))
def test_no_angle_beats_ernst(t1, tr):
    best = ernst_deg(t1, tr)
    angles = np.linspace(1, 89, 30)
    assert max(float(gradient_echo(1.0, t1, 50.0, tr, 2.0, a)) for a in angles) <= float(
        gradient_echo(1.0, t1, 50.0, tr, 2.0, best)
    ) * (1 + 1e-12)


@given(t1s, t2s, st.floats(2000, 12000), tes)
def test_the_null_is_a_null_and_nothing_near_it_is(t1, t2, tr, te):
    ti = null_ti_ms(t1, tr)
    assert float(inversion_recovery(1.0, t1, t2, tr, te, ti)) == pytest.approx(0.0, abs=1e-9)
    assert float(inversion_recovery(1.0, t1, 1e9, tr, te, 0.9 * ti)) > 1e-6


@given(t1s, t2s, st.floats(0, 10), st.floats(0.01, 10), st.sampled_from(sorted(RELAXIVITY_R1)))
def test_more_gadolinium_always_shortens_both_times(t1, t2, mmol, more, field):
    before, after = with_gadolinium(t1, t2, mmol, field), with_gadolinium(t1, t2, mmol + more, field)
    assert float(after[0]) < float(before[0]) <= t1
    assert float(after[1]) < float(before[1]) <= t2


def test_contrasts_are_those_that_radiologists_know():
    """White, grey, fluid at 3 T (round textbook values): T1 falls in that order, T2 rises, FLAIR hides fluid."""
    pd, t1, t2 = (np.array(v) for v in ((0.7, 0.82, 1.0), (840.0, 1600.0, 4300.0), (70.0, 95.0, 2000.0)))
    assert (np.diff(spin_echo(pd, t1, t2, 500.0, 10.0)) < 0).all()
    assert (np.diff(spin_echo(pd, t1, t2, 6000.0, 100.0)) > 0).all()
    white, grey, fluid = inversion_recovery(pd, t1, t2, 9000.0, 120.0, null_ti_ms(4300.0, 9000.0))
    assert grey > white > 5 * fluid


def test_arrays_broadcast():
    assert spin_echo(np.ones((2, 1)), np.full((1, 3), 900.0), 80.0, 500.0, 10.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spin_echo(1.0, 0.0, 80.0, 500.0, 10.0), "relaxation times above 0"),
        (lambda: spin_echo(1.0, 900.0, 80.0, 0.0, 10.0), "protocol times above 0"),
        (lambda: inversion_recovery(1.0, 900.0, 80.0, 500.0, 10.0, 600.0), "TI below TR"),
        (lambda: with_gadolinium(900.0, 80.0, -1.0), "at least 0 mmol/L"),
        (lambda: with_gadolinium(900.0, 80.0, 1.0, 7.0), "1.5 or 3.0 T"),
    ],
)
def test_impossible_values_are_refused_with_the_range(call, words):
    with pytest.raises(ValueError, match=words):
        call()
