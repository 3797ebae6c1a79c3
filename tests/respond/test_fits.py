"""Fits of pairs are kept to the last digit, and only while both studies are what they were."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tumorboard.prepare.gate import FitQuality
from tumorboard.respond.align import PairFit
from tumorboard.respond.case.fits import read_fits, write_fits
from tumorboard.sequences import Sequence

finite = st.floats(-1e3, 1e3)


def session(name, content="same"):
    return SimpleNamespace(id=name, digest=f"{name} {content}")


def digests(*sessions):
    return {one.id: one.digest for one in sessions}


def fit(matrix=None, apart=None):
    sequences = ((Sequence.T1C, Sequence.T1C), (Sequence.T1, Sequence.FLAIR))
    quality = FitQuality(0.3, 0.4, 1.0, 0.1, 1 / 3)
    return PairFit(np.eye(4) if matrix is None else matrix, sequences, quality, apart, np.array([0.1, 1 / 3, -7.0]))


@given(arrays(float, (4, 4), elements=finite), st.none() | finite)
def test_what_was_kept_is_read_back(tmp_path_factory, matrix, apart):
    path = tmp_path_factory.getbasetemp() / "fits.json"
    sessions, kept = [session("ses-01"), session("ses-02")], fit(matrix, apart)
    write_fits(path, {("ses-01", "ses-02"): kept}, digests(*sessions))
    read = read_fits(path, sessions)["ses-01", "ses-02"]
    np.testing.assert_array_equal(read.matrix, kept.matrix)
    np.testing.assert_array_equal(read.middle_mm, kept.middle_mm)
    assert (read.sequences, read.quality, read.apart_mm) == (kept.sequences, kept.quality, kept.apart_mm)


def test_only_pairs_of_unchanged_studies_are_taken(tmp_path):
    before = [session(f"ses-0{n}") for n in (1, 2, 3)]
    write_fits(tmp_path / "f", {(a.id, b.id): fit() for a in before for b in before if a.id < b.id}, digests(*before))
    now = [before[0], session("ses-02", "masks changed"), before[2], session("ses-04")]
    assert set(read_fits(tmp_path / "f", now)) == {("ses-01", "ses-03")}


def test_a_study_that_is_named_anew_is_still_the_same(tmp_path):
    write_fits(tmp_path / "f", {("ses-01", "ses-02"): fit()}, digests(session("ses-01"), session("ses-02")))
    one, two = session("ses-01"), session("ses-02")
    two.id = "ses-03"
    assert set(read_fits(tmp_path / "f", [one, two])) == {("ses-01", "ses-03")}


@pytest.mark.parametrize("content", ["", "half", "{}", "[1]", '[{"key": "k"}]', '[{"key": "k", "matrix": 7}]'])
def test_a_damaged_file_is_no_file(tmp_path, content):
    (tmp_path / "f").write_text(content)
    assert read_fits(tmp_path / "f", [session("ses-01"), session("ses-02")]) == {}
