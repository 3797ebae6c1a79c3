"""Sample size of several classes: two classes are the binary case, and the rarest pair decides."""

import math

import pytest

from tumorboard.errors import InputError
from tumorboard.metrics.plan.sample_size import development_binary, most_r2_binary
from tumorboard.metrics.plan.several_classes import development_classes


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("parameters", [1, 12, 80])
def test_two_classes_are_the_binary_case(parameters, share):
    several = development_classes(parameters, (share, 1 - share), 0.15)
    binary = development_binary(parameters, share, r2=0.15 * most_r2_binary(share))
    assert [c.n for c in several.criteria[:2]] == [c.n for c in binary.criteria[:2]]
    assert several.criteria[2].n > binary.criteria[2].n  # both risks at once


def test_each_pair_is_a_model_of_its_own_among_all():
    """By hand: 3 classes, 10 parameters; the pair of the two rarest needs most."""
    one, other = 0.12, 0.08
    r2 = 0.15 * most_r2_binary(one / (one + other))
    of_pair = math.ceil(10 / ((0.9 - 1) * math.log(1 - r2 / 0.9)))
    found = development_classes(10, (0.8, one, other), 0.15)
    assert found.criteria[0].n == math.ceil(of_pair / (one + other))
    assert found.n == found.criteria[0].n


def test_more_is_needed_for_more_parameters_rarer_classes_and_less_fit():
    base = development_classes(10, (0.5, 0.3, 0.2), 0.15).n
    assert development_classes(20, (0.5, 0.3, 0.2), 0.15).n > base
    assert development_classes(10, (0.6, 0.3, 0.1), 0.15).n > base
    assert development_classes(10, (0.5, 0.3, 0.2), 0.1).n > base


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((0, (0.5, 0.5), 0.15), "1 parameter"),
        ((5, (1.0,), 0.15), "2 classes"),
        ((5, (0.5, 0.6), 0.15), "sum to 1"),
        ((5, (0.0, 1.0), 0.15), "between 0 and 1"),
        ((5, (0.5, 0.5), 1.0), "a part between"),
    ],
)
def test_assumptions_out_of_range_are_refused(words, says):
    with pytest.raises(InputError, match=says):
        development_classes(*words)
