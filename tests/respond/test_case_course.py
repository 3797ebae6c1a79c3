"""A case folder becomes a course: by hand-made folders of few voxels, and by a digital patient through the chain."""

import datetime as dt
import json
import math
import shutil

import numpy as np
import pytest

from tumorboard.chain.saved import Outlined, save_measured, save_outlined, save_prepared
from tumorboard.errors import InputError
from tumorboard.io.images import read_volume, write_volume
from tumorboard.labels import LabelMap, Tissue
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import StudyMeasurements
from tumorboard.prepare.prepare import Prepared
from tumorboard.respond.align import Alignment
from tumorboard.respond.case.course import CaseRules, course_of
from tumorboard.respond.case.session import read_session
from tumorboard.respond.visits import Compartment, Kind, Trend
from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder, write_json
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

WORKING = Grid((48, 56, 40), np.diag([4.0, 4.0, 4.0, 1.0]))
T1C, FLAIR = Sequence.T1C, Sequence.FLAIR
CE, NCE = Compartment.CE, Compartment.NCE
FIRST = dt.date(2000, 1, 3)


def box(tissue, low, high):
    """A cuboid of a class, voxels ``low`` to ``high`` exclusive."""
    return int(tissue), low, high


CORE = box(Tissue.ET, (12, 20, 14), (18, 25, 19))
SECOND = box(Tissue.ET, (30, 20, 14), (34, 24, 18))
OEDEMA = box(Tissue.SNFH, (10, 18, 12), (20, 28, 21))


def label_map(boxes, grid=WORKING):
    data = np.zeros(grid.shape, dtype=np.uint8)
    for value, low, high in boxes:
        data[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = value
    return LabelMap(data, grid)


@pytest.fixture(scope="module")
def head():
    """Images of one head of few voxels: two contrasts of a smooth random texture inside a ball-like brain."""
    from scipy import ndimage as ndi

    rng = np.random.default_rng(1)
    centre = (np.array(WORKING.shape) - 1) / 2
    radius = np.array([17.0, 21.0, 15.0])
    away = np.sqrt((((np.indices(WORKING.shape).T - centre) / radius) ** 2).sum(-1)).T
    brain = away <= 1.0
    texture = ndi.gaussian_filter(rng.normal(size=WORKING.shape), 1.5)
    texture /= texture.std()
    images = {T1C: Volume((3.0 + texture) * brain, WORKING), FLAIR: Volume((3.0 - texture**2) * brain, WORKING)}
    return images, brain


@pytest.fixture
def in_one_place(monkeypatch):
    """Take all studies as aligned: hand-made heads lie in one place, and finding that out takes long."""
    names = []

    def where(sessions, kept=None):
        placed = {s.id: np.eye(4) for s in sessions if s.id not in names}
        return Alignment(placed, warnings=tuple(f"{name} was not aligned: told" for name in names))

    monkeypatch.setattr("tumorboard.respond.case.course.aligned", where)
    return names


@pytest.fixture
def make_case(tmp_path, head, in_one_place):
    """Write a case folder: a study is a dict of ``day``, ``boxes`` and what else differs."""

    def study_of(folder, number, given):
        images, brain = head
        wanted = given.get("sequences", (T1C, FLAIR))
        native = given.get("native")
        study = Study(f"ses-{number:02d}", {s: images[s] for s in wanted}, brain, native=native)
        labels = label_map(given["boxes"])
        missing = dict(given.get("missing", {}))
        if T1C not in wanted:
            missing |= dict.fromkeys(("ET", "NETC", "TC"), "T1C is missing")
        on_slices = None
        if native is not None:
            from tumorboard.prepare.back import labels_to_native

            on_slices = labels_to_native(labels, native)
        segmented = Segmented(labels, {}, missing, on_slices, given.get("intervals", {}))
        told = {"id": given.get("by", "own masks"), "version": given.get("scheme", "tumorboard"), "warnings": []}
        save_prepared(folder, Prepared(study, {}, ()), {})
        save_outlined(folder, study, Outlined(segmented, told))
        measured = measure_study(study, segmented, Files())
        listed = StudyMeasurements(
            patient=folder.pseudonym,
            study=study.id,
            sequences=tuple(s.value for s in wanted),
            segmenter=f"{told['id']} {told['version']}",
            measurements=measured.measurements,
        )
        save_measured(folder, measured, listed, study)
        day = given["day"]
        return {"id": study.id, "date": None if day is None else (FIRST + dt.timedelta(days=day)).isoformat()}

    def make(studies, events=(), name="a", digital=False):
        in_one_place.clear()
        folder = CaseFolder(tmp_path / f"out{len(list(tmp_path.iterdir()))}", name)
        card = {"pseudonym": name, "identity": "", "digital": digital}
        card["studies"] = [study_of(folder, n, given) for n, given in enumerate(studies, 1)]
        card["events"] = [
            {"date": (FIRST + dt.timedelta(days=day)).isoformat(), "end_date": None, "event": kind}
            | {"value": value, "unit": unit, "detail": detail}
            for day, kind, value, unit, detail in events
        ]
        write_json(folder.root / "patient.json", card)
        return folder.root

    return make


def rows(case, n, compartment=CE, rules=None):
    visit = course_of(case, rules or CaseRules()).course.visits[n]
    return {s.lesion: s for s in visit.lesions if s.compartment is compartment}


def listed(case, study="ses-01"):
    return StudyMeasurements.model_validate_json((case / study / "measurements.json").read_text())


def text_of(found):
    return " | ".join(found.warnings)


# --- sizes -------------------------------------------------------------------------------------------------------


def test_rows_are_the_numbers_of_the_study(make_case):
    case = make_case([{"day": 0, "boxes": [OEDEMA, CORE, SECOND]}])
    found = course_of(case)
    (visit,) = found.course.visits
    assert (visit.kind, visit.date, visit.evaluable) == (Kind.BASELINE, FIRST, True)
    assert (found.course.patient, found.studies, found.digital) == ("a", ("ses-01",), False)
    numbers = listed(case)
    by_volume = sorted(visit.lesions, key=lambda s: -s.volume_ml)
    assert len(by_volume) == 2
    for n, seen in enumerate(by_volume, 1):
        name = f"lesion {n}"
        assert seen.long_mm == numbers.get("longest_diameter_ce_only", name).value
        assert seen.perp_mm == numbers.get("perpendicular_diameter_ce_only", name).value
        assert seen.volume_ml == pytest.approx(numbers.get("volume", name).value)
        assert (seen.slice_mm, seen.measurable, seen.new, seen.compartment) == (4.0, None, False, CE)
    assert sum(s.volume_ml for s in visit.lesions) == pytest.approx(numbers.get("volume", "ET").value)


def test_volume_is_that_of_the_enhancing_part(make_case):
    necrosis = box(Tissue.NETC, (14, 21, 15), (17, 24, 18))
    case = make_case([{"day": 0, "boxes": [CORE, necrosis]}])
    (seen,) = rows(case, 0).values()
    numbers = listed(case)
    assert seen.volume_ml == pytest.approx(numbers.get("volume", "ET").value)
    assert seen.volume_ml < numbers.get("volume", "lesion 1").value
    assert seen.volume_ml == pytest.approx((150 - 27) * 0.064)


def test_diameters_are_read_on_native_slices(make_case):
    thick = Grid((48, 56, 20), np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 8, 2.0], [0, 0, 0, 1.0]]))
    case = make_case([{"day": 0, "boxes": [CORE, SECOND], "native": thick}])
    found = rows(case, 0)
    assert {s.slice_mm for s in found.values()} == {8.0}
    numbers = listed(case)
    assert max(s.long_mm for s in found.values()) == numbers.get("longest_diameter_ce_only", "lesion 1").value
    assert sum(s.volume_ml for s in found.values()) == pytest.approx(numbers.get("volume", "ET").value)


def test_a_lesion_seen_on_one_slice_is_never_measurable(make_case):
    flat = box(Tissue.ET, (12, 20, 14), (18, 25, 15))
    (seen,) = rows(make_case([{"day": 0, "boxes": [flat]}]), 0).values()
    assert min(seen.long_mm, seen.perp_mm) > 10.0
    assert seen.measurable is False
    twice = box(Tissue.ET, (12, 20, 14), (18, 25, 16))
    (seen,) = rows(make_case([{"day": 0, "boxes": [twice]}]), 0).values()
    assert seen.measurable is None
    thick = Grid((48, 56, 20), np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 8, 2.0], [0, 0, 0, 1.0]]))
    (seen,) = rows(make_case([{"day": 0, "boxes": [twice], "native": thick}]), 0).values()
    assert (seen.measurable, seen.slice_mm) == (False, 8.0)


def test_a_lesion_between_thick_slices_has_a_volume_and_unknown_diameters(make_case):
    thick = Grid((48, 56, 14), np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 12, 4.0], [0, 0, 0, 1.0]]))
    thin = box(Tissue.ET, (12, 20, 14), (14, 22, 15))
    case = make_case([{"day": 0, "boxes": [thin, SECOND], "native": thick}])
    small = min(rows(case, 0).values(), key=lambda s: s.volume_ml)
    assert (small.long_mm, small.perp_mm) == (None, None)
    assert small.volume_ml == pytest.approx(4 * 0.064)
    assert "no diameters" in text_of(course_of(case))


def test_calibrated_intervals_become_standard_deviations_that_add_up(make_case):
    case = make_case([{"day": 0, "boxes": [CORE, SECOND], "intervals": {"ET": (12.0, 17.0)}}])
    found = rows(case, 0).values()
    assert math.sqrt(sum(s.volume_sd_ml**2 for s in found)) == pytest.approx(5.0 / 2 / 1.6449, rel=1e-4)
    assert all(s.volume_sd_ml is None for s in rows(make_case([{"day": 0, "boxes": [CORE]}]), 0).values())


# --- over time ---------------------------------------------------------------------------------------------------


def test_a_lesion_keeps_its_name_and_one_that_vanished_is_zero(make_case):
    case = make_case(
        [
            {"day": 0, "boxes": [CORE, SECOND]},
            {"day": 60, "boxes": [CORE]},
            {"day": 120, "boxes": [CORE, SECOND]},
        ]
    )
    first, second, third = (rows(case, n) for n in range(3))
    assert set(first) == set(second) == set(third)
    gone = min(first.values(), key=lambda s: s.volume_ml).lesion
    assert (second[gone].long_mm, second[gone].perp_mm, second[gone].volume_ml) == (0.0, 0.0, 0.0)
    assert third[gone].volume_ml == first[gone].volume_ml
    assert not any(s.new for r in (first, second, third) for s in r.values())


def test_a_new_lesion_is_marked_at_its_first_study_and_has_no_row_before(make_case):
    case = make_case(
        [
            {"day": 0, "boxes": [CORE]},
            {"day": 60, "boxes": [CORE, SECOND]},
            {"day": 120, "boxes": [CORE, SECOND]},
        ]
    )
    first, second, third = (rows(case, n) for n in range(3))
    (new,) = set(second) - set(first)
    assert [second[new].new, third[new].new] == [True, False]
    assert not any(s.new for name, s in second.items() if name != new)


def test_everything_gone_is_zero_and_evaluable(make_case):
    case = make_case([{"day": 0, "boxes": [OEDEMA, CORE]}, {"day": 60, "boxes": [OEDEMA]}, {"day": 90, "boxes": []}])
    for n in (1, 2):
        (seen,) = rows(case, n).values()
        assert (seen.long_mm, seen.volume_ml) == (0.0, 0.0)
        assert course_of(case).course.visits[n].evaluable


def test_enhancement_that_turned_into_necrosis_has_vanished(make_case):
    dead = box(Tissue.NETC, *CORE[1:])
    case = make_case([{"day": 0, "boxes": [CORE, SECOND]}, {"day": 60, "boxes": [dead, SECOND]}])
    first, second = rows(case, 0), rows(case, 1)
    large = max(first.values(), key=lambda s: s.volume_ml).lesion
    assert set(first) == set(second)
    assert (second[large].long_mm, second[large].volume_ml) == (0.0, 0.0)


def test_a_split_lesion_stays_one_and_its_parts_add_up(make_case):
    left, right = box(Tissue.ET, (12, 20, 14), (14, 25, 19)), box(Tissue.ET, (16, 20, 14), (17, 24, 19))
    case = make_case([{"day": 0, "boxes": [CORE]}, {"day": 60, "boxes": [left, right]}])
    ((name, seen),) = rows(case, 1).items()
    assert set(rows(case, 0)) == {name}
    numbers = listed(case, "ses-02")
    long = [numbers.get("longest_diameter_ce_only", f"lesion {n}").value for n in (1, 2)]
    product = [numbers.get("diameter_product_ce_only", f"lesion {n}").value for n in (1, 2)]
    assert seen.long_mm == pytest.approx(sum(long))
    assert seen.long_mm * seen.perp_mm == pytest.approx(sum(product))
    assert seen.volume_ml == pytest.approx(numbers.get("volume", "ET").value)
    assert (seen.new, seen.measurable) == (False, None)


def test_small_parts_are_not_measurable_by_their_sum(make_case):
    whole = box(Tissue.ET, (12, 20, 14), (16, 22, 16))
    parts = box(Tissue.ET, (12, 20, 14), (13, 22, 16)), box(Tissue.ET, (15, 20, 14), (16, 22, 16))
    case = make_case([{"day": 0, "boxes": [whole]}, {"day": 60, "boxes": parts}])
    (seen,) = rows(case, 1).values()
    assert seen.long_mm > 10.0
    assert seen.measurable is False


def test_lesions_that_grow_together_are_one_under_the_name_of_the_larger(make_case):
    bridge = box(Tissue.ET, (18, 20, 14), (30, 24, 18))
    case = make_case([{"day": 0, "boxes": [CORE, SECOND]}, {"day": 60, "boxes": [CORE, bridge, SECOND]}])
    first, second = rows(case, 0), rows(case, 1)
    large, small = sorted(first, key=lambda name: -first[name].volume_ml)
    assert set(second) == {large, small}
    assert second[large].volume_ml == pytest.approx(listed(case, "ses-02").get("volume", "ET").value)
    assert (second[small].long_mm, second[small].volume_ml) == (0.0, 0.0)
    assert not any(s.new for s in second.values())
    assert f"{small} grew into {large}" in text_of(course_of(case))


def test_a_study_that_cannot_be_aligned_is_not_evaluable(make_case, in_one_place):
    case = make_case([{"day": 60 * n, "boxes": [CORE]} for n in range(3)])
    in_one_place.append("ses-02")
    found = course_of(case)
    assert [v.evaluable for v in found.course.visits] == [True, False, True]
    assert [len(v.lesions) for v in found.course.visits] == [1, 0, 1]
    assert "ses-02 was not aligned" in text_of(found)
    in_one_place[:] = ["ses-01"]
    assert [v.kind for v in course_of(case).course.visits] == [Kind.FOLLOWUP, Kind.BASELINE, Kind.FOLLOWUP]


def test_pieces_too_small_for_lesions_count_as_none_and_are_told(make_case, monkeypatch):
    monkeypatch.setattr("tumorboard.measure.lesions.LEAST_ML", 0.1)
    crumb = box(Tissue.ET, (30, 20, 14), (31, 21, 15))
    case = make_case([{"day": 0, "boxes": [CORE, crumb]}])
    assert len(rows(case, 0)) == 1
    assert "ses-01: 0.064 mL of enhancing tumour in pieces" in text_of(course_of(case))


# --- what could not be looked for --------------------------------------------------------------------------------


def test_without_t1c_enhancement_is_not_evaluated_and_never_zero(make_case):
    case = make_case(
        [
            {"day": 0, "boxes": [OEDEMA, CORE]},
            {"day": 60, "boxes": [OEDEMA], "sequences": (FLAIR,)},
            {"day": 90, "boxes": [OEDEMA, CORE]},
        ]
    )
    found = course_of(case)
    assert [v.evaluable for v in found.course.visits] == [True, False, True]
    assert found.course.visits[1].lesions == ()
    assert "ses-02: enhancing tumour was not evaluated (T1C is missing)" in found.warnings


def test_what_a_study_without_t1c_could_not_show_is_not_new_afterwards(make_case):
    case = make_case(
        [
            {"day": 0, "boxes": [OEDEMA], "sequences": (FLAIR,)},
            {"day": 60, "boxes": [OEDEMA, CORE]},
            {"day": 90, "boxes": [OEDEMA, CORE]},
        ]
    )
    found = course_of(case)
    assert [v.kind for v in found.course.visits] == [Kind.FOLLOWUP, Kind.BASELINE, Kind.FOLLOWUP]
    assert [v.evaluable for v in found.course.visits] == [False, True, True]
    assert not any(s.new for v in found.course.visits for s in v.lesions)


def test_masks_of_enhancing_tumour_alone_give_enhancing_rows(make_case):
    missing = dict.fromkeys(("NETC", "SNFH", "RC", "TC"), "the scheme enhancing of the masks does not hold it")
    alone = {"missing": missing, "scheme": "enhancing"}
    case = make_case(
        [
            {"day": 0, "boxes": [CORE, SECOND], **alone},
            {"day": 60, "boxes": [SECOND], **alone},
        ]
    )
    assert sorted(s.volume_ml > 0 for s in rows(case, 1).values()) == [False, True]
    assert sum(s.volume_ml for s in rows(case, 0).values()) == pytest.approx(listed(case).get("volume", "ET").value)
    assert course_of(case).course.visits[1].t2flair is None


# --- tumour that does not enhance --------------------------------------------------------------------------------

LOW_GRADE = [OEDEMA]
TRANSFORMED = [OEDEMA, box(Tissue.ET, (12, 20, 14), (15, 23, 17))]


def test_oedema_of_an_enhancing_tumour_is_no_lesion(make_case):
    case = make_case([{"day": 0, "boxes": [OEDEMA, CORE]}, {"day": 60, "boxes": [OEDEMA]}])
    assert [rows(case, n, NCE) for n in (0, 1)] == [{}, {}]
    assert len(rows(case, 0, NCE, CaseRules(nce=True))) == 1


def test_flair_abnormality_is_followed_where_nothing_enhances_at_the_reference(make_case):
    case = make_case([{"day": 0, "boxes": LOW_GRADE}, {"day": 200, "boxes": TRANSFORMED}])
    found = course_of(case)
    assert "followed as tumour" in text_of(found)
    first, later = rows(case, 0, NCE), rows(case, 1, NCE)
    assert set(first) == set(later)
    numbers = listed(case)
    ((_, seen),) = first.items()
    assert seen.long_mm == numbers.get("longest_diameter_flair", "lesion 1").value
    assert seen.perp_mm == numbers.get("perpendicular_diameter_flair", "lesion 1").value
    assert seen.volume_ml == pytest.approx(numbers.get("volume", "WT").value)
    ((name, enhancing),) = rows(case, 1).items()
    assert enhancing.new
    assert name not in first
    assert rows(case, 0) == {}


def test_where_tumour_enhances_later_the_abnormality_is_measured_in_the_same_way(make_case):
    thick = Grid((48, 56, 20), np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 8, 2.0], [0, 0, 0, 1.0]]))
    for native in (None, thick):
        case = make_case(
            [
                {"day": 0, "boxes": LOW_GRADE, "native": native},
                {"day": 200, "boxes": TRANSFORMED, "native": native},
            ]
        )
        first, later = rows(case, 0, NCE), rows(case, 1, NCE)
        assert first == later  # ET lies inside, so that the whole is the same


def test_nce_rows_can_be_switched_off(make_case):
    case = make_case([{"day": 0, "boxes": LOW_GRADE}])
    assert rows(case, 0, NCE, CaseRules(nce=False)) == {}


def test_a_low_grade_study_without_t1c_is_evaluable_by_its_flair(make_case):
    case = make_case([{"day": 0, "boxes": LOW_GRADE}, {"day": 60, "boxes": LOW_GRADE, "sequences": (FLAIR,)}])
    found = course_of(case)
    assert [v.evaluable for v in found.course.visits] == [True, True]
    assert len(rows(case, 1, NCE)) == 1


def test_tumour_of_unknown_enhancement_is_not_followed_as_low_grade_unless_told(make_case):
    case = make_case([{"day": 0, "boxes": LOW_GRADE, "sequences": (FLAIR,)}])
    found = course_of(case)
    assert found.course.visits[0].lesions == ()
    assert not found.course.visits[0].evaluable
    assert "in no study" in text_of(found)
    assert len(rows(case, 0, NCE, CaseRules(nce=True))) == 1


# --- T2/FLAIR ----------------------------------------------------------------------------------------------------


def flair_of(*extents):
    small = box(Tissue.ET, (11, 20, 14), (14, 24, 18))
    return [[box(Tissue.SNFH, (10, 18, 12), (10 + n, 28, 22)), small] for n in extents]


def flair_case(make_case, *extents, events=()):
    return make_case([{"day": 60 * n, "boxes": b} for n, b in enumerate(flair_of(*extents))], events)


def test_flair_volume_stands_in_for_a_reader_and_says_so(make_case):
    found = course_of(flair_case(make_case, 10, 13, 14, 10))
    assert [v.t2flair for v in found.course.visits] == [None, Trend.STABLE, Trend.WORSE, Trend.STABLE]
    assert [m.quality for m in found.t2flair[1:]] == ["proxy"] * 3
    assert [m.value for m in found.t2flair[1:]] == pytest.approx([30.0, 40.0, 0.0])
    assert found.t2flair[0].status == "not_assessable"
    assert "proxy" in text_of(found)
    assert "unverified" in found.t2flair[1].method


def test_worse_is_against_the_smallest_and_better_against_the_reference(make_case):
    found = course_of(flair_case(make_case, 20, 10, 14, 13))
    assert [v.t2flair for v in found.course.visits] == [None, Trend.STABLE, Trend.WORSE, Trend.STABLE]
    found = course_of(flair_case(make_case, 20, 10, 7, 8))
    assert [v.t2flair for v in found.course.visits] == [None, Trend.STABLE, Trend.BETTER, Trend.STABLE]


def test_a_later_reference_study_is_what_the_volume_is_compared_with(make_case):
    events = [(30, "radiotherapy", "8", "Gy", "single fraction")]
    found = course_of(flair_case(make_case, 10, 20, 20, events=events))
    assert [v.kind for v in found.course.visits] == [Kind.BASELINE, Kind.POST_RT, Kind.FOLLOWUP]
    assert [v.t2flair for v in found.course.visits] == [None, None, Trend.STABLE]


def test_a_reader_s_word_replaces_the_volume(make_case):
    events = [(60, "clinical", "stable", "", "T2/FLAIR")]
    found = course_of(flair_case(make_case, 10, 20, events=events))
    assert found.course.visits[1].t2flair is Trend.STABLE
    assert "proxy" not in text_of(found)


def test_the_volume_can_be_left_out(make_case):
    found = course_of(flair_case(make_case, 10, 20), CaseRules(t2flair_from_volume=False))
    assert [v.t2flair for v in found.course.visits] == [None, None]
    assert "proxy" not in text_of(found)


def test_studies_outlined_in_different_ways_are_told_and_not_compared_by_volume(make_case):
    one, two = flair_of(10, 20)
    case = make_case([{"day": 0, "boxes": one, "by": "x"}, {"day": 60, "boxes": two, "by": "y"}])
    found = course_of(case)
    assert found.course.visits[1].t2flair is None
    assert "outlined in different ways (x tumorboard, y tumorboard)" in text_of(found)
    assert "another way" in found.t2flair[1].reason


# --- what is told ------------------------------------------------------------------------------------------------


def test_different_label_schemes_are_told(make_case):
    case = make_case(
        [
            {"day": 0, "boxes": [CORE], "scheme": "brats2017"},
            {"day": 60, "boxes": [CORE], "scheme": "brats2023"},
        ]
    )
    assert "different label schemes" in text_of(course_of(case))
    assert "brats2017" in text_of(course_of(case))


def test_changed_slices_are_told(make_case):
    thick = Grid((48, 56, 20), np.array([[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 8, 2.0], [0, 0, 0, 1.0]]))
    case = make_case([{"day": 0, "boxes": [CORE]}, {"day": 60, "boxes": [CORE], "native": thick}])
    assert "ses-02: slices of 8 mm after 4 mm" in text_of(course_of(case))
    same = make_case([{"day": 0, "boxes": [CORE]}, {"day": 60, "boxes": [CORE]}])
    assert "slices" not in text_of(course_of(same))


def test_events_become_facts_of_the_visits(make_case):
    events = [
        (0, "steroid", "8", "mg/d", "dexamethasone"),
        (50, "steroid", "4", "mg/d", "dexamethasone"),
        (60, "clinical", "worse", "", ""),
        (40, "drug", "10", "mg/kg", "bevacizumab"),
    ]
    found = course_of(make_case([{"day": 0, "boxes": [CORE]}, {"day": 60, "boxes": [CORE]}], events, digital=True))
    first, second = found.course.visits
    assert (first.dexamethasone_mg, second.dexamethasone_mg) == (8.0, 4.0)
    assert (first.clinical, second.clinical) == (None, Trend.WORSE)
    assert (first.drug, second.drug) == ("", "bevacizumab")
    assert second.drug_start == FIRST + dt.timedelta(days=40)
    assert found.digital


def test_no_warning_holds_a_date_a_name_or_a_place(make_case):
    case = make_case([{"day": 0, "boxes": [CORE]}, {"day": 60, "boxes": [OEDEMA], "sequences": (FLAIR,)}], name="Doe")
    told = text_of(course_of(case))
    assert told
    assert not any(word in told for word in ("Doe", "2000", str(case.parent)))


# --- what is refused ---------------------------------------------------------------------------------------------


def test_studies_without_a_date_are_refused_with_the_way_out(make_case):
    case = make_case([{"day": 0, "boxes": [CORE]}, {"day": None, "boxes": [CORE]}])
    with pytest.raises(InputError, match=r"1 of 2 studies without one.*sessions\.tsv.*--date"):
        course_of(case)


def test_two_studies_of_one_day_are_refused(make_case):
    case = make_case([{"day": 7, "boxes": [CORE]}, {"day": 7, "boxes": [CORE]}])
    with pytest.raises(InputError, match="ses-01 and ses-02 on one"):
        course_of(case)


def test_studies_are_put_in_order_of_date(make_case):
    case = make_case([{"day": 60, "boxes": [CORE]}, {"day": 0, "boxes": [CORE, SECOND]}])
    assert course_of(case).studies == ("ses-02", "ses-01")


def test_what_is_no_case_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="case folder"):
        course_of(tmp_path)
    (tmp_path / "patient.json").write_text("[]")
    with pytest.raises(InputError, match="case folder"):
        course_of(tmp_path)


def test_a_renamed_case_folder_is_refused(make_case):
    case = make_case([{"day": 0, "boxes": [CORE]}])
    case.rename(case.parent / "sub-other")
    with pytest.raises(InputError, match="own name"):
        course_of(case.parent / "sub-other")


def test_a_study_that_was_not_measured_is_refused(make_case):
    case = make_case([{"day": 0, "boxes": [CORE]}])
    (case / "ses-01" / "measurements.json").unlink()
    with pytest.raises(InputError, match=r"ses-01: .*not measured.*tumorboard run"):
        course_of(case)


@pytest.mark.parametrize("name", ["diameters.json", "quality.json"])
def test_a_damaged_study_is_refused(make_case, name):
    case = make_case([{"day": 0, "boxes": [CORE]}])
    (case / "ses-01" / name).write_text("{")
    with pytest.raises(InputError, match="again"):
        course_of(case)


@pytest.mark.parametrize("file", ["dseg", "lesions"])
def test_files_of_different_runs_are_refused(make_case, file):
    case, other = make_case([{"day": 0, "boxes": [CORE]}]), make_case([{"day": 0, "boxes": [SECOND]}])
    name = f"ses-01/seg/sub-a_ses-01_{file}.nii.gz"
    shutil.copy(other / name, case / name)
    with pytest.raises(InputError, match="do not agree"):
        course_of(case)


def test_a_session_says_what_could_be_looked_for(make_case):
    case = make_case([{"day": 0, "boxes": [OEDEMA], "sequences": (FLAIR,)}])
    session = read_session(CaseFolder(case.parent, "a"), "ses-01")
    assert not session.evaluated(CE)
    assert session.evaluated(NCE)
    assert session.volume("ET") is None
    assert session.volume("WT") == pytest.approx(listed(case).get("volume", "WT").value)
    assert json.loads((case / "patient.json").read_text())["pseudonym"] == "a"


# --- a digital patient through the chain -------------------------------------------------------------------------


LATER_MM = np.array(
    [
        [math.cos(0.14), -math.sin(0.14), 0.0, 21.0],
        [math.sin(0.14), math.cos(0.14), 0.0, -14.0],
        [0.0, 0.0, 1.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
"""How the patient lies in the last study: turned by 8 degrees and farther off than a lesion is large."""


@pytest.fixture(scope="module")
def digital_case(coarse_patient, tmp_path_factory):
    """The case folder of a digital patient of 4 mm: its first and last study, outlined by their truth."""
    from dataclasses import replace

    from tumorboard.chain.patient import PatientTrip
    from tumorboard.intake import IntakeRequest, take_in
    from tumorboard.settings import RunSettings
    from tumorboard.simulate.files.tree import write_digital_patient
    from tumorboard.study import LabelsInput

    place = tmp_path_factory.mktemp("digital_case")
    write_digital_patient(coarse_patient, place / "in")
    for path in (place / "in").rglob("sub-digital_ses-03_*.nii.gz"):
        image = read_volume(path)
        write_volume(Volume.of(image.data, LATER_MM @ image.affine), path)
    intake = take_in(IntakeRequest(inputs=(place / "in",), events=place / "in" / "events.csv"))
    truth = place / "in" / "derivatives" / "truth" / "sub-digital"
    (patient,) = intake.patients
    studies = tuple(
        replace(s, labels=LabelsInput(truth / s.id / "seg" / f"sub-digital_{s.id}_dseg.nii.gz", "tumorboard"))
        for s in patient.studies[::2]
    )
    trip = PatientTrip(place / "out", replace(patient, studies=studies), (), RunSettings(), lambda _: None)
    trip.go("measure")
    return trip.folder.root


@pytest.fixture(scope="module")
def digital_course(digital_case):
    """What is read of it; the studies are really aligned."""
    return course_of(digital_case)


def test_a_digital_patient_through_the_chain(digital_course, digital_case, coarse_patient):
    found = digital_course
    assert found.digital
    made = coarse_patient.studies[::2]
    assert found.studies == ("ses-01", "ses-03")
    assert [v.date for v in found.course.visits] == [s.date for s in made]
    assert [v.kind for v in found.course.visits] == [Kind.BASELINE, Kind.FOLLOWUP]
    assert found.course.visits[1].dexamethasone_mg == 0.0
    assert [v.clinical for v in found.course.visits] == [Trend.STABLE, Trend.WORSE]
    for study, truth, visit in zip(found.studies, made, found.course.visits, strict=True):
        enhancing = sum(s.volume_ml for s in visit.lesions)
        loose = read_session(CaseFolder(digital_case.parent, found.course.patient), study).fragments_ml()
        assert enhancing + loose == pytest.approx(listed(digital_case, study).get("volume", "ET").value)
        assert enhancing + loose == pytest.approx(truth.truth.volume_ml("ET"))


def test_the_main_lesion_of_a_digital_patient_is_one_and_its_satellite_new(digital_course):
    visits = digital_course.course.visits
    largest = [max(v.lesions, key=lambda s: s.volume_ml).lesion for v in visits]
    assert len(set(largest)) == 1
    assert any(s.new for s in visits[1].lesions)
    assert not any(s.new for s in visits[0].lesions)


def test_criteria_judge_the_course_of_a_digital_patient(digital_course):
    from tumorboard.respond import judge, read_criterion
    from tumorboard.verdict import Category

    course = digital_course.course
    verdicts = judge(course, read_criterion("volumetric"))
    assert verdicts[-1].raw is Category.PD
    assert verdicts[-1].total == pytest.approx(sum(s.volume_ml for s in course.visits[1].lesions))
