"""Label schemes: every one of the field to ours, and what is refused with a proposal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import LabelError
from tumorboard.labels import REGIONS, SCHEMES, TISSUE_NAMES, LabelMap, Tissue, as_integers, present_values
from tumorboard.volume import Volume

N, S, E, R = Tissue.NETC, Tissue.SNFH, Tissue.ET, Tissue.RC

EXPECTED = {
    "tumorboard": {0: 0, 1: N, 2: S, 3: E, 4: R},
    "brats2012": {0: 0, 1: N, 2: S, 3: N, 4: E},
    "brats2017": {0: 0, 1: N, 2: S, 4: E},
    "brats2023": {0: 0, 1: N, 2: S, 3: E},
    "brats2024": {0: 0, 1: N, 2: S, 3: E, 4: R},
    "brats2024-ped": {0: 0, 1: E, 2: N, 3: N, 4: S},
    "whole-tumour": {0: 0, 1: S},
    "enhancing": {0: 0, 1: E},
    "dicom-seg": {0: 0, 1: N, 2: S, 3: E, 4: R},
}


def volume(values, dtype=np.int16):
    return Volume.of(np.array(values, dtype=dtype).reshape(1, 1, -1), np.diag([1.0, 1.0, 5.0, 1.0]))


def test_every_scheme_has_a_source_and_a_case_here():
    assert set(EXPECTED) == set(SCHEMES)
    assert all(scheme.source and scheme.name == name for name, scheme in SCHEMES.items())
    assert set(TISSUE_NAMES) == set(Tissue)


@pytest.mark.parametrize("scheme", EXPECTED)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32, np.float64])
def test_each_value_becomes_our_class(scheme, dtype):
    table = EXPECTED[scheme]
    translated = LabelMap.from_scheme(volume(list(table), dtype), scheme)
    assert translated.data.ravel().tolist() == [int(v) for v in table.values()]
    assert translated.data.dtype == np.uint8


@given(st.sampled_from(sorted(SCHEMES)), st.data())
def test_translation_is_by_value_and_moves_nothing(scheme, data):
    table = EXPECTED[scheme]
    values = data.draw(st.lists(st.sampled_from(sorted(table)), min_size=1, max_size=20))
    given_map = volume(values)
    translated = LabelMap.from_scheme(given_map, scheme)
    assert translated.data.ravel().tolist() == [int(table[v]) for v in values]
    assert translated.grid is given_map.grid


@pytest.mark.parametrize(
    ("scheme", "values", "proposal"),
    [
        ("brats2023", [0, 1, 2, 4], "pass --scheme tumorboard or brats2012 or brats2017 or brats2024 or brats2024-ped"),
        ("brats2017", [1, 3], "pass --scheme tumorboard or brats2012 or brats2023 or brats2024 or brats2024-ped"),
        ("whole-tumour", [0, 2], "pass --scheme tumorboard"),
        ("tumorboard", [0, 1, 7], "no known scheme holds these"),
        ("enhancing", [255], "no known scheme holds these"),
    ],
)
def test_values_outside_a_scheme_are_refused_with_the_schemes_that_fit(scheme, values, proposal):
    with pytest.raises(LabelError) as refusal:
        LabelMap.from_scheme(volume(values), scheme, "own masks")
    text = str(refusal.value)
    assert text.startswith("own masks: ")
    assert proposal in text
    unknown = sorted(set(values) - set(EXPECTED[scheme]))
    assert f"{unknown} are unknown" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.0, 0.5], "fractions"),
        ([1.0, 2.9999], "fractions"),
        ([np.nan, 1.0], "NaN or infinite"),
        ([np.inf, 1.0], "NaN or infinite"),
        ([-1.0, 1.0], "labels of 0 or more; got -1"),
    ],
)
def test_what_is_no_whole_number_is_refused(values, words):
    with pytest.raises(LabelError, match=words):
        LabelMap.from_scheme(volume(values, np.float32), "tumorboard")


def test_an_unknown_scheme_is_refused_with_those_there_are():
    with pytest.raises(LabelError, match=r"one of the schemes tumorboard, brats2012.*got 'brats2099'"):
        LabelMap.from_scheme(volume([1]), "brats2099")


@pytest.mark.parametrize(
    ("data", "words"), [([[[0.0, 1.0]]], "integer labels"), ([[[0, 5]]], r"label values 0-4; got \[5\]")]
)
def test_a_label_map_holds_nothing_but_our_classes(data, words):
    with pytest.raises(LabelError, match=words):
        LabelMap.of(np.array(data), np.eye(4))


def test_a_negative_label_is_refused():
    with pytest.raises(LabelError, match=r"\[-1\]"):
        LabelMap.of(np.array([[[0, -1]]]), np.eye(4))


def test_booleans_count_as_a_mask():
    assert as_integers(np.array([True, False])).tolist() == [1, 0]
    assert LabelMap.from_scheme(volume([True, False], bool), "enhancing").data.ravel().tolist() == [3, 0]


def test_regions_are_made_of_their_classes():
    labelled = LabelMap.of(np.array([[[0, 1, 2, 3, 4]]]), np.diag([2.0, 2.0, 5.0, 1.0]))
    masks = {name: labelled.region(name).ravel().tolist() for name in REGIONS}
    assert masks["TC"] == [False, True, False, True, False]
    assert masks["WT"] == [False, True, True, True, False]
    assert masks["RC"] == [False, False, False, False, True]
    assert labelled.volume_ml("WT") == pytest.approx(0.06)
    with pytest.raises(LabelError, match="a region of ET, NETC, SNFH, RC, TC, WT; got 'edema'"):
        labelled.region("edema")


@given(st.from_type(LabelMap))
def test_whole_tumour_is_core_and_oedema(labelled):
    core, oedema, whole = (labelled.region(n) for n in ("TC", "SNFH", "WT"))
    np.testing.assert_array_equal(whole, core | oedema)
    assert not (core & oedema).any()
    assert not (whole & labelled.region("RC")).any()


def test_present_values_leave_background_out():
    assert present_values(np.array([0, 3, 3, 1])) == {1, 3}
    assert present_values(np.zeros(4, int)) == set()
