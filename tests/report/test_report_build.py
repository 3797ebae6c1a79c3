"""The typed report: round trip, one study in memory at a time, banners, refusals."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from tumorboard.errors import GeometryError, InputError
from tumorboard.report.build import PatientHeader, StudyBundle, build_report
from tumorboard.report.methods import methods_md
from tumorboard.report.model import DIGITAL_BANNER, RESEARCH_BANNER, Report
from tumorboard.sequences import Sequence

Make = Callable[..., StudyBundle]


@pytest.fixture(scope="module")
def single(bundle: StudyBundle) -> Report:
    return build_report(PatientHeader("p01", software_version="0.1.0"), [bundle])


@pytest.fixture(scope="module")
def tiny(make_bundle: Make) -> StudyBundle:
    return make_bundle(sequences=(Sequence.T1C,), shape=(24, 28, 20), spacing=(6.0, 6.0, 7.0))


def test_round_trip_through_json(make_bundle: Make, header: PatientHeader) -> None:
    report = build_report(header, [make_bundle(1), make_bundle(2, radius=9.0)])
    again = Report.model_validate_json(report.model_dump_json())
    assert again == report
    assert again.timeline is not None
    assert [s.id for s in again.studies] == ["ses-01", "ses-02"]


def test_a_single_study_has_no_timeline(single: Report) -> None:
    assert single.timeline is None
    assert 5 <= len(single.facts) <= 8
    assert single.banners == (RESEARCH_BANNER,)


def test_a_digital_patient_is_named_as_such(tiny: StudyBundle) -> None:
    assert DIGITAL_BANNER in build_report(PatientHeader("p01", digital=True), [tiny]).banners


def test_bundles_are_let_go_one_by_one(make_bundle: Make) -> None:
    alive: list[weakref.ref[StudyBundle]] = []

    def bundles() -> Iterator[StudyBundle]:
        for number in (1, 2, 3):
            gc.collect()
            assert sum(ref() is not None for ref in alive) <= 1
            made = make_bundle(number, sequences=(Sequence.T1C,), shape=(24, 28, 20), spacing=(6.0, 6.0, 7.0))
            alive.append(weakref.ref(made))
            yield made
            del made

    assert len(build_report(PatientHeader("p01"), bundles()).studies) == 3


def test_no_study_is_refused() -> None:
    with pytest.raises(InputError, match="at least one study"):
        build_report(PatientHeader("p01"), iter(()))


def test_labels_on_another_grid_are_refused(bundle: StudyBundle, make_bundle: Make) -> None:
    other = make_bundle(shape=(36, 44, 35), spacing=(4.0, 4.0, 4.0))
    with pytest.raises(GeometryError, match="study's grid"):
        replace(bundle, labels=other.labels)
    with pytest.raises(GeometryError, match="lesions"):
        replace(bundle, lesions=np.zeros((3, 3, 3), dtype=int))


def test_without_t1c_enhancing_facts_are_sentences(make_bundle: Make) -> None:
    report = build_report(PatientHeader("p01"), [make_bundle(sequences=(Sequence.FLAIR,))])
    fact = report.facts[0]
    assert fact.value == "not assessable: T1C is missing"
    assert report.facts[3].note.startswith("lesion 1, on FLAIR")


def test_settings_are_flattened_and_sorted(tiny: StudyBundle, header: PatientHeader) -> None:
    report = build_report(header, [tiny])
    assert report.settings == (("grid_mm", "1.0"), ("segment.classes", "4"), ("segment.method", "fuzzy"))


def test_references_are_numbered_once_in_order_of_use(tiny: StudyBundle, header: PatientHeader) -> None:
    text = methods_md(build_report(header, [tiny]))
    assert "Images were brought to one grid. [1]" in text
    assert "fuzzy clustering. [2]" in text
    assert "summed over voxels.\n" in text
    assert "The grid was checked. [1]" in text
    assert text.count("Author A.") == 1
    assert text.index("1. Author A.") < text.index("2. Author B.")
