"""The table of all regions: LPS and RAS copies, grids that differ, regions that nobody holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tumorboard.errors import GeometryError
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.metrics.maps.evaluate import Evaluation, evaluate


def labels(affine=None, shift=0):
    data = np.zeros((12, 14, 10), np.uint8)
    data[2:9, 3:10, 2:8] = 2
    data[4:7, 5:8, 3:6] = 3
    data[5, 6, 4] = 1
    return LabelMap.of(np.roll(data, shift, axis=0), np.diag([1.0, 1.0, 3.0, 1.0]) if affine is None else affine)


@given(st.from_type(LabelMap))
def test_a_map_agrees_with_itself_in_every_region(labelled):
    for row in evaluate(labelled, labelled).rows:
        assert (row.dice, row.hd95_mm, row.nsd, row.difference_ml) == (1.0, 0.0, 1.0, 0.0)
        assert row.present_in == ("both" if labelled.region(row.region).any() else "neither")
        assert row.reference_ml == pytest.approx(labelled.volume_ml(row.region))


@given(st.from_type(LabelMap), st.sampled_from(["LPS", "RAS", "LAS", "SPR", "AIL"]), st.integers(0, 99))
def test_orientation_of_the_copy_does_not_matter(labelled, axcodes, seed):
    other = labelled.with_data(
        np.random.default_rng(seed).permutation(labelled.data.ravel()).reshape(labelled.data.shape)
    )
    assert evaluate(labelled, other) == evaluate(labelled, other.reoriented(axcodes))
    assert evaluate(labelled, other) == evaluate(labelled.reoriented(axcodes), other)


def test_the_table_has_every_region_and_known_numbers():
    found = evaluate(labels(), labels(shift=1))
    assert [row.region for row in found.rows] == list(REGIONS)
    whole = found.get("WT")
    assert whole.dice == pytest.approx(6 / 7)
    assert (whole.sensitivity, whole.precision) == (pytest.approx(6 / 7), pytest.approx(6 / 7))
    assert whole.reference_ml == pytest.approx(7 * 7 * 6 * 3 / 1000)
    assert (whole.hd95_mm, whole.nsd) == (1.0, 1.0)
    assert found.get("NETC").dice == 0.0
    assert found.get("NETC").hd95_mm == 1.0
    assert found.get("RC").present_in == "neither"
    with pytest.raises(KeyError, match="EDEMA"):
        found.get("EDEMA")


def test_a_region_that_one_map_holds_costs_the_diagonal_and_says_so():
    without = labels().with_data(np.where(labels().data == 3, 2, labels().data))
    missed, invented = evaluate(labels(), without).get("ET"), evaluate(without, labels()).get("ET")
    assert (missed.present_in, invented.present_in) == ("reference only", "prediction only")
    assert (missed.dice, missed.sensitivity, missed.precision) == (0.0, 0.0, None)
    assert (invented.dice, invented.sensitivity, invented.precision) == (0.0, None, 0.0)
    assert missed.hd95_mm == invented.hd95_mm == pytest.approx(np.sqrt(12**2 + 14**2 + 30**2))
    assert missed.difference_ml == -invented.difference_ml < 0


def test_two_empty_maps_agree_and_hold_nothing():
    empty = LabelMap.of(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    assert {(r.present_in, r.dice, r.hd95_mm) for r in evaluate(empty, empty).rows} == {("neither", 1.0, 0.0)}


def test_grids_that_differ_are_refused_with_the_distance_and_the_remedy():
    shifted = np.diag([1.0, 1.0, 3.0, 1.0])
    shifted[2, 3] = 2.5
    with pytest.raises(GeometryError) as refusal:
        evaluate(labels(), labels(shifted))
    assert "prediction lies 2.500 mm from reference" in str(refusal.value)
    assert "resample(prediction, reference.grid)" in str(refusal.value)
    with pytest.raises(GeometryError, match=r"1\.5000 against 3\.0000 mm"):
        evaluate(labels(), labels(np.diag([1.0, 1.0, 1.5, 1.0])))


def test_the_table_is_frozen_and_survives_json():
    found = evaluate(labels(), labels(shift=2))
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    with pytest.raises(ValidationError):
        found.rows[0].dice = 1.0
