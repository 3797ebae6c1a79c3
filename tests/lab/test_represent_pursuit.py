"""Coding many patches at once: the codes of scikit-learn's loop, whatever the patches."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import sparse_encode

from tumorboard.lab.represent.pursuit import pursue


def _reference(patches, atoms, nonzero):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Orthogonal matching pursuit", RuntimeWarning)  # a flat patch
        return sparse_encode(patches, atoms, algorithm="omp", n_nonzero_coefs=nonzero)


def _unit_length(atoms):
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000), n=st.integers(1, 30), atoms=st.integers(2, 24), side=st.integers(3, 40), data=st.data()
)
def test_the_codes_are_those_of_scikit_learn(seed, n, atoms, side, data):
    nonzero = data.draw(st.integers(1, min(atoms, side, 5)))
    chance = np.random.default_rng(seed)
    patches, words = chance.normal(size=(n, side)), _unit_length(chance.normal(size=(atoms, side)))
    patches[0] = 0.0
    assert np.allclose(pursue(patches, words, nonzero), _reference(patches, words, nonzero), atol=1e-8)


@pytest.mark.parametrize("nonzero", [1, 2, 3])
def test_sparse_patches_are_found_again(nonzero):
    chance = np.random.default_rng(nonzero)
    words = np.linalg.qr(chance.normal(size=(12, 12)))[0]
    codes = np.zeros((50, 12))
    for row in codes:
        row[chance.choice(12, nonzero, replace=False)] = chance.uniform(1, 2, nonzero)
    assert np.allclose(pursue(codes @ words, words, nonzero), codes, atol=1e-9)


def test_twin_atoms_share_nothing_that_is_not_finite():
    words = _unit_length(np.array([[1.0, 0.0, 0.0], [1.0, 1e-12, 0.0], [0.0, 1.0, 0.0]]))
    codes = pursue(np.array([[2.0, 1.0, 1e-3]]), words, 3)
    assert np.isfinite(codes).all()
    assert np.allclose(codes @ words, [[2.0, 1.0, 0.0]], atol=1e-6)
