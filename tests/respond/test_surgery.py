"""Extent of resection: every threshold, every reason why it cannot be told, and operations of a case folder."""

from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import GeometryError, InputError
from tumorboard.io.images import write_volume
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.measure.study import CALIBRATED
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.respond.surgery import Operated, Surgery, assess_surgery, surgery_of
from tumorboard.respond.surgery.categories import KARSCHNIA_2021, T2FLAIR_2021, told
from tumorboard.respond.surgery.extent import extent
from tumorboard.respond.surgery.volumes import TISSUE
from tumorboard.sequences import Sequence
from tumorboard.store import CaseFolder, write_json
from tumorboard.study import Event, EventKind, Study
from tumorboard.volume import Volume

SPACING, SHAPE = (5.0, 5.0, 2.0), (24, 24, 60)
VOXEL_ML = 0.05
DAY = dt.date(2001, 3, 10)
SURGERY = Event(DAY, EventKind.SURGERY, value="resection")
ALL = (Sequence.T1, Sequence.T1C, Sequence.FLAIR)
TUMOUR = ("ET", "NETC", "SNFH", "TC", "WT", "NCE")
JUDGED = (
    *(("residual_volume", region) for region in TUMOUR),
    *(("extent_of_resection", region) for region in ("ET", "TC", "NCE", "WT")),
    *(("resection_category", region) for region in ("ET", "WT")),
    ("rano_resect_class", "study"),
    ("blood_volume", "blood"),
    ("blood_volume", "ET"),
    ("tumour_to_brain_after", "TC"),
)
"""What is only told from a study that allows it."""


def labelled(**ml: float) -> np.ndarray:
    """Fill a corner of the grid with so many mL of each class, in whole voxels."""
    flat = np.zeros(math.prod(SHAPE), np.uint8)
    start = 0
    for value, name in ((3, "ET"), (1, "NETC"), (2, "SNFH"), (4, "RC")):
        count = round(ml.get(name, 0.0) / VOXEL_ML)
        flat[start : start + count] = value
        start += count
    assert start < flat.size // 2, "half of the brain stays normal"
    return flat.reshape(SHAPE)


def side(
    day: int | None,
    name: str = "ses-01",
    *,
    sequences: tuple[Sequence, ...] = ALL,
    missing: dict[str, str] | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
    segmenter: str = "fuzzy 1",
    shift: float | None = 2.0,
    necrosis: bool = False,
    **ml: float,
) -> Operated:
    """A study so many days from the operation: plain images, and measurements of its labels."""
    labels = LabelMap.of(labelled(**ml), np.diag([*SPACING, 1.0]))
    brain = np.ones(SHAPE, bool)
    noise = np.random.default_rng(3).normal(0.0, 0.3, (2, *SHAPE))
    added = np.where(labels.data == 3, 5.0, 0.0)
    images = {Sequence.T1: noise[0], Sequence.T1C: noise[0] + 0.3 * noise[1] + added, Sequence.FLAIR: noise[1]}
    volumes = {s: Volume(images[s].astype(np.float32), labels.grid) for s in sequences}
    source = Source(file=f"{name}/seg/dseg.nii.gz")
    measured = []
    for region in REGIONS:
        if region in (missing or {}):
            measured.append(Measurement.missing("volume", region, "mL", missing[region]))
            continue
        bounds = (intervals or {}).get(region)
        method = "Voxels." + (f" {CALIBRATED}" if bounds else "")
        value = {"value": labels.volume_ml(region), "unit": "mL", "method": method, "source": source}
        measured.append(Measurement(name="volume", region=region, interval=bounds, **value))
    ml_brain = {"value": brain.sum() * VOXEL_ML, "unit": "mL", "method": "Mask.", "source": source}
    measured.append(Measurement(name="volume", region="brain", **ml_brain))
    if shift is not None:
        how = {"value": shift, "unit": "mm", "method": "Axis.", "source": source, "quality": "proxy"}
        measured.append(Measurement(name="midline_shift", region="brain", **how))
    listed = StudyMeasurements(
        patient="p",
        study=name,
        sequences=tuple(s.value for s in sequences),
        segmenter=segmenter,
        measurements=tuple(measured),
    )
    return Operated(
        study=Study(name, volumes, brain),
        date=None if day is None else DAY + dt.timedelta(days=day),
        labels=labels,
        measurements=listed,
        necrosis=labels.data == 1 if necrosis else None,
    )


def judged(before: dict, after: dict, surgery: Event | None = SURGERY, events: tuple[Event, ...] = ()) -> Surgery:
    first = side(**{"day": -1, **before})
    second = side(**{"day": 1, "name": "ses-02", **after})
    return assess_surgery(first, second, surgery, (*events, *([surgery] if surgery else [])))


# --- thresholds -------------------------------------------------------------------------------------------------------

STEPS = [
    # before, left, word; Karschnia 2021 as secondary sources give it: complete over 99.9 %, near total from 95 % with
    # at most 1 mL, subtotal from 80 % with at most 5 mL, else partial
    (20.0, 0.0, "complete"),
    (60.0, 0.05, "complete"),  # 99.92 %
    (50.0, 0.05, "near total"),  # exactly 99.9 %
    (45.0, 0.05, "near total"),  # 99.89 %
    (20.0, 0.95, "near total"),  # 95.25 %
    (20.0, 1.0, "near total"),  # 95 % and 1 mL
    (20.0, 1.05, "subtotal"),  # 94.75 %
    (100.0, 1.0, "near total"),  # 99 %, 1 mL
    (100.0, 1.05, "subtotal"),  # 98.95 %, over 1 mL
    (10.0, 0.55, "subtotal"),  # 94.5 %, under 1 mL
    (25.0, 4.95, "subtotal"),  # 80.2 %
    (25.0, 5.0, "subtotal"),  # 80 % and 5 mL
    (25.0, 5.05, "partial"),  # 79.8 %
    (100.0, 5.0, "subtotal"),  # 95 %, 5 mL
    (100.0, 5.05, "partial"),  # 94.95 %, over 5 mL
    (10.0, 2.0, "subtotal"),  # 80 %, 2 mL
    (10.0, 2.05, "partial"),  # 79.5 %, 2 mL
    (10.0, 9.95, "partial"),  # 0.5 %
]


@pytest.mark.parametrize(("before", "left", "word"), STEPS)
def test_category_of_enhancing_tumour(before, left, word):
    made = judged({"ET": before, "SNFH": 30.0}, {"ET": left, "SNFH": 20.0, "RC": 15.0})
    found = made.get("resection_category", "ET")
    assert found.value == word
    assert "unverified" in found.method
    assert made.get("extent_of_resection", "ET").value == pytest.approx(100 * (before - left) / before)


@pytest.mark.parametrize(("before", "left", "word"), STEPS)
def test_category_of_t2flair_tumour(before, left, word):
    made = judged({"SNFH": before}, {"SNFH": left, "RC": 15.0})
    assert made.get("resection_category", "WT").value == word
    assert made.get("extent_of_resection", "WT").value == made.get("extent_of_resection", "NCE").value
    assert "there was no ET" in made.get("extent_of_resection", "ET").reason
    assert "there was no ET" in made.get("resection_category", "ET").reason
    assert "there was no ET" in made.get("rano_resect_class", "study").reason


CLASSES = [
    # ET left, SNFH left, NETC left, category, class; RANO resect 2023
    (0.0, 4.95, 0.0, "supramaximal", 1),
    (0.0, 5.0, 0.0, "supramaximal", 1),
    (0.0, 5.05, 0.0, "complete", 2),
    (0.0, 4.0, 1.05, "complete", 2),  # what does not enhance is SNFH and NETC
    (0.0, 0.0, 0.0, "supramaximal", 1),
    (0.05, 0.0, 0.0, "near total", 2),
    (1.0, 0.0, 0.0, "near total", 2),
    (1.05, 0.0, 0.0, "subtotal", 3),
    (5.05, 0.0, 0.0, "partial", 3),
]


@pytest.mark.parametrize(("et", "snfh", "netc", "word", "number"), CLASSES)
def test_class_by_what_is_left(et, snfh, netc, word, number):
    after = {"ET": et, "SNFH": snfh, "NETC": netc, "RC": 15.0}
    made = judged({"ET": 20.0, "SNFH": 30.0, "NETC": 5.0}, after)
    assert made.get("resection_category", "ET").value == word
    assert made.get("rano_resect_class", "study").value == number
    assert "unverified" in made.get("rano_resect_class", "study").method
    assert made.get("residual_volume", "NCE").value == pytest.approx(snfh + netc)


def test_class_of_a_complete_resection_hangs_on_what_does_not_enhance():
    lacking = {"day": 1, "missing": {"WT": "no FLAIR"}, "RC": 15.0}
    made = judged({"ET": 20.0}, lacking)
    assert made.get("resection_category", "ET").value == "complete"
    found = made.get("rano_resect_class", "study")
    assert found.status == "not_assessable"
    assert "1 or 2" in found.reason
    assert "no FLAIR" in found.reason
    assert judged({"ET": 20.0}, {**lacking, "ET": 0.5}).get("rano_resect_class", "study").value == 2


@given(st.floats(0.1, 300), st.floats(0, 1), st.floats(0, 1))
def test_more_left_is_never_a_better_category(before, one, other):
    order = [s.word for s in KARSCHNIA_2021.steps] + [KARSCHNIA_2021.rest]
    less, more = sorted((one * before, other * before))
    ranks = [order.index(KARSCHNIA_2021.category(100 * (before - left) / before, left)) for left in (less, more)]
    assert ranks[0] <= ranks[1]


def test_every_table_names_its_source_and_its_doubts():
    for table in (KARSCHNIA_2021, T2FLAIR_2021):
        assert table.source in told(table)
        assert table.unverified
        assert all(key in told(table) for key in table.unverified)


# --- when it cannot be told ------------------------------------------------------------------------------------------

ANOTHER = Event(DAY, EventKind.SURGERY, value="resection", detail="second look")
LATER = Event(DAY + dt.timedelta(days=1), EventKind.SURGERY, value="resection")
EARLIER = Event(DAY - dt.timedelta(days=60), EventKind.SURGERY, value="resection")

NOT_TOLD = [
    ({}, {"day": 4}, (), "too late: the study was made 4 days after"),
    ({}, {"day": 96}, (), "too late: the study was made 96 days after"),
    ({}, {"day": -1}, (), "too early"),
    ({}, {"day": 0, "RC": 0.0}, (), "shows no cavity"),
    ({}, {"day": 0, "missing": {"RC": "not looked for"}}, (), "shows no cavity"),
    ({}, {"day": None}, (), "no date"),
    ({"day": None}, {}, (), "no date"),
    ({"day": 1}, {}, (), "was made after it"),
    ({}, {"sequences": (Sequence.T1C, Sequence.FLAIR)}, (), "no T1 after the operation"),
    ({}, {"sequences": (Sequence.T1, Sequence.FLAIR)}, (), "no T1C after the operation"),
    ({}, {"sequences": (Sequence.FLAIR,)}, (), "no T1 and no T1C after the operation"),
    ({}, {}, (ANOTHER,), "several operations (2)"),
    ({}, {}, (LATER,), "several operations (2)"),
    ({}, {}, (LATER, ANOTHER), "several operations (3)"),
    ({"day": -90}, {}, (EARLIER,), "several operations (2)"),
]


@pytest.mark.parametrize(("before", "after", "events", "told_why"), NOT_TOLD)
def test_nothing_is_told_from_a_study_that_does_not_allow_it(before, after, events, told_why):
    made = judged({"ET": 20.0, "SNFH": 30.0, **before}, {"ET": 0.5, "SNFH": 9.0, "RC": 15.0, **after}, events=events)
    for name, region in JUDGED:
        found = made.get(name, region)
        assert found.value is None, (name, region)
        assert told_why in found.reason, (name, region)
    assert made.get("volume_before", "ET").value == pytest.approx(20.0)
    assert made.get("volume_before", "brain").value == made.get("volume_after", "brain").value
    assert made.get("midline_shift_after", "brain").value == 2.0


def test_all_reasons_are_told_together():
    made = judged({"ET": 20.0}, {"day": 9, "sequences": (Sequence.T1C,)}, events=(LATER,))
    reason = made.get("residual_volume", "ET").reason
    assert "too late" in reason
    assert "several operations" in reason
    assert "no T1 after" in reason


@pytest.mark.parametrize("day", [0, 1, 2, 3])
def test_within_72_hours_it_is_told(day):
    made = judged({"ET": 20.0}, {"day": day, "ET": 1.0, "RC": 15.0})
    assert made.get("resection_category", "ET").value == "near total"
    assert made.get("days_after", "study").value == day
    assert made.get("days_before", "study").value == 1
    assert any("48 to 96 h" in caution for caution in made.cautions) == (day == 3)


def test_an_operation_before_the_first_study_does_not_lie_between():
    made = judged({"ET": 20.0}, {"ET": 1.0, "RC": 15.0}, events=(EARLIER,))
    assert made.get("resection_category", "ET").value == "near total"
    assert made.number == 2
    assert any("earlier surgery" in caution for caution in made.cautions)


@pytest.mark.parametrize(("has_before", "has_after"), [(True, False), (False, True), (False, False)])
def test_without_a_study_on_one_side(has_before, has_after):
    before, after = side(-1, ET=20.0) if has_before else None, side(1, "ses-02", ET=1.0, RC=9.0) if has_after else None
    made = assess_surgery(before, after, SURGERY, (SURGERY,))
    for name, region in JUDGED:
        reason = made.get(name, region).reason
        assert ("from before the operation" in reason) != has_before, (name, region)
        assert ("from after the operation" in reason) != has_after, (name, region)
    assert (made.get("volume_before", "TC").value is None) != has_before
    assert (made.get("volume_after", "RC").value is None) != has_after
    assert made.get("midline_shift_change", "brain").value is None
    assert made.get("volume_change", "brain").value is None
    assert (made.before, made.after) == ("ses-01" if has_before else "", "ses-02" if has_after else "")


def test_without_an_operation():
    made = assess_surgery(side(-1, ET=20.0), side(1, ET=1.0), None)
    assert made.number == 0
    assert all("no operation is recorded" in made.get(*key).reason for key in JUDGED)
    assert "no date" in made.get("days_after", "study").reason


def test_t1c_is_asked_before_the_operation_where_something_enhances():
    made = judged({"ET": 20.0, "SNFH": 40.0, "sequences": (Sequence.T1, Sequence.FLAIR)}, {"SNFH": 3.0, "RC": 15.0})
    for region in ("ET", "TC", "NCE"):
        assert "no T1C before" in made.get("extent_of_resection", region).reason
        assert "no T1C before" in made.get("volume_before", region).reason
    assert made.get("extent_of_resection", "WT").value == pytest.approx(95.0)
    assert made.get("resection_category", "WT").value == "subtotal"


def test_a_class_that_masks_cannot_express_stays_a_reason():
    missing = {"ET": "the scheme does not hold it", "TC": "the scheme does not hold it"}
    made = judged({"SNFH": 20.0, "missing": missing}, {"SNFH": 1.0, "missing": missing})
    assert made.get("extent_of_resection", "ET").reason == "the scheme does not hold it"
    assert made.get("residual_volume", "NCE").reason == "the scheme does not hold it"
    assert made.get("resection_category", "WT").value == "near total"
    assert made.get("tumour_to_brain_before", "TC").reason == "the scheme does not hold it"


@pytest.mark.parametrize("after", [20.0, 25.0])
def test_no_reduction_is_no_category(after):
    made = judged({"ET": 20.0}, {"ET": after, "RC": 2.0})
    assert made.get("extent_of_resection", "ET").value == pytest.approx(100 * (20 - after) / 20)
    assert "did not get less" in made.get("resection_category", "ET").reason
    assert "did not get less" in made.get("rano_resect_class", "study").reason


def test_too_little_normal_brain():
    made = judged({"ET": 20.0}, {"ET": 1.0})
    assert made.get("residual_volume", "ET").value is not None
    whole = side(1, ET=1.0)
    small = Operated(
        Study("ses-02", whole.study.volumes, whole.labels.data > 0), whole.date, whole.labels, whole.measurements
    )
    told_why = assess_surgery(side(-1, ET=20.0), small, SURGERY).get("residual_volume", "ET").reason
    assert "too little normal brain" in told_why


def test_a_biopsy_is_a_biopsy_whatever_the_images():
    surgery = Event(DAY, EventKind.SURGERY, value="Biopsy", detail="stereotactic")
    for after in (None, side(1, ET=20.0), side(40, ET=2.0)):
        made = assess_surgery(side(-1, ET=20.0), after, surgery, (surgery,))
        assert made.kind == "biopsy"
        assert made.get("resection_category", "ET").value == "biopsy"
        assert made.get("resection_category", "WT").value == "biopsy"
        assert made.get("rano_resect_class", "study").value == 4
        assert made.get("rano_resect_class", "study").source.file == "patient.json"
    assert not any("cavity" in caution for caution in made.cautions)


def test_cautions():
    radiotherapy = Event(DAY - dt.timedelta(days=300), EventKind.RADIOTHERAPY)
    made = judged({"ET": 20.0}, {"ET": 1.0, "segmenter": "glioma 2"}, events=(radiotherapy,))
    text = " | ".join(made.cautions)
    assert "different methods" in text
    assert "earlier radiotherapy" in text
    assert "no cavity was outlined" in text
    assert judged({"ET": 20.0}, {"ET": 1.0, "RC": 5.0}).cautions == ()


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_what_raidionics_reports():
    made = judged(
        {"ET": 20.0, "NETC": 5.0, "SNFH": 30.0, "necrosis": True, "shift": -4.0},
        {"ET": 1.0, "NETC": 0.5, "SNFH": 12.0, "RC": 15.0, "necrosis": True, "shift": 1.5},
    )
    brain = math.prod(SHAPE) * VOXEL_ML
    expected = {
        ("volume_before", "TC"): 25.0,
        ("residual_volume", "TC"): 1.5,
        ("residual_volume", "SNFH"): 12.0,
        ("residual_volume", "WT"): 13.5,
        ("extent_of_resection", "TC"): 94.0,
        ("extent_of_resection", "NCE"): 100 * (35 - 12.5) / 35,
        ("volume_after", "RC"): 15.0,
        ("volume_before", "brain"): brain,
        ("volume_before", TISSUE): brain - 55.0,
        ("volume_after", TISSUE): brain - 13.5 - 15.0,
        ("volume_change", TISSUE): 100 * (55.0 - 28.5) / (brain - 55.0),
        ("volume_change", "brain"): 0.0,
        ("volume_before", "necrosis"): 5.0,
        ("volume_after", "necrosis"): 0.5,
        ("volume_change", "necrosis"): -90.0,
        ("tumour_to_brain_before", "TC"): 100 * 25 / brain,
        ("tumour_to_brain_after", "TC"): 100 * 1.5 / brain,
        ("midline_shift_before", "brain"): -4.0,
        ("midline_shift_after", "brain"): 1.5,
        ("midline_shift_change", "brain"): -2.5,
    }
    for key, value in expected.items():
        found = made.get(*key)
        assert found.value == pytest.approx(value), key
        assert found.method, key
    assert len({(m.name, m.region) for m in made.measurements}) == len(made.measurements)
    with pytest.raises(KeyError, match="no measurement 'mass'"):
        made.get("mass", "ET")


def test_what_was_not_measured_or_outlined_says_so():
    made = judged({"ET": 20.0, "shift": None}, {"ET": 1.0, "missing": {"RC": "not looked for"}})
    assert "not measured" in made.get("midline_shift_before", "brain").reason
    assert "not measured" in made.get("midline_shift_change", "brain").reason
    assert "not outlined" in made.get("volume_before", "necrosis").reason
    assert "not outlined" in made.get("volume_change", "necrosis").reason
    assert made.get("volume_after", "RC").reason == "not looked for"
    assert "No cavity was taken out" in made.get("volume_after", TISSUE).method
    never = judged({"ET": 20.0, "necrosis": True}, {"ET": 1.0, "NETC": 2.0, "necrosis": True})
    assert "nothing before" in never.get("volume_change", "necrosis").reason


def test_interval_of_an_extent():
    before = {"ET": 20.0, "intervals": {"ET": (16.0, 25.0)}}
    made = judged(before, {"ET": 2.0, "intervals": {"ET": (1.0, 4.0)}, "RC": 15.0})
    found = made.get("extent_of_resection", "ET")
    up, down = math.hypot(2 / 20, 2 / 16 - 0.1), math.hypot(1 / 20, 0.1 - 2 / 25)
    assert found.interval == pytest.approx((100 * (0.9 - up), 100 * (0.9 + down)))
    assert "calibrated to 90 %" in found.method
    assert made.get("residual_volume", "ET").interval == pytest.approx((1.0, 4.0))
    category = made.get("resection_category", "ET")
    assert category.value == "subtotal"
    assert "At the ends of the interval: partial, near total." in category.method
    assert judged({"ET": 20.0}, {"ET": 2.0}).get("extent_of_resection", "ET").interval is None
    assert judged(before, {"ET": 2.0}).get("extent_of_resection", "ET").interval is None


@given(st.floats(0.5, 200), st.floats(0, 1.5), st.floats(1.01, 4), st.floats(1.01, 4), st.floats(0.1, 10))
def test_interval_holds_the_extent_and_knows_no_scale(before, part, spread_before, spread_left, scale):
    def made(factor):
        whole, left = before * factor, before * part * factor
        around = [(v / s, v * s) for v, s in ((whole, spread_before), (left, spread_left))]
        told_how = {"unit": "mL", "method": CALIBRATED, "source": Source(file="dseg.nii.gz"), "region": "ET"}
        pair = [
            Measurement(name="volume", value=v, interval=i, **told_how)
            for v, i in zip((whole, left), around, strict=True)
        ]
        return extent(*pair, "ET")

    found = made(1.0)
    assert found.value == pytest.approx(100 * (1 - part))
    low, high = found.interval
    assert low - 1e-9 <= found.value <= high + 1e-9
    assert high <= 100.0
    assert made(scale).interval == pytest.approx(found.interval)


def test_a_vanished_tumour_has_an_interval_of_one_side():
    before = {"ET": 20.0, "intervals": {"ET": (15.0, 26.0)}}
    found = judged(before, {"intervals": {"ET": (0.0, 0.4)}, "RC": 9.0}).get("extent_of_resection", "ET")
    assert found.interval == pytest.approx((98.0, 100.0))


def test_a_surgery_survives_json_and_holds_no_date():
    made = judged({"ET": 20.0}, {"ET": 1.0, "RC": 15.0}, events=(EARLIER,))
    text = made.model_dump_json()
    assert Surgery.model_validate_json(text) == made
    assert "2001" not in text
    assert "2000" not in text


def test_maps_on_other_grids_are_refused():
    good = side(1, ET=1.0)
    moved = LabelMap.of(good.labels.data, np.diag([5.0, 5.0, 2.5, 1.0]))
    with pytest.raises(GeometryError, match="labels on the study's grid"):
        Operated(good.study, good.date, moved, good.measurements)
    with pytest.raises(GeometryError, match="necrosis"):
        Operated(good.study, good.date, good.labels, good.measurements, np.ones((2, 2, 2), bool))


# --- a case folder ----------------------------------------------------------------------------------------------------


def write_case(root, sides: dict[str, Operated], events: list[Event], **card):
    """Write a case folder as the chain leaves it."""
    folder = CaseFolder(root, "P01")
    for name, one in sides.items():
        for sequence, volume in one.study.volumes.items():
            write_volume(volume, folder.anat(name, sequence.bids_suffix))
        write_volume(Volume(one.study.brain, one.study.grid), folder.anat(name, "desc-brain_mask"))
        write_volume(one.labels, folder.seg(name, "dseg.nii.gz"))
        if one.necrosis is not None:
            mask = Volume(one.necrosis.astype(np.uint8), one.study.grid)
            write_volume(mask, folder.seg(name, "desc-necrosis_mask.nii.gz"))
        write_json(folder.session(name) / "quality.json", {"sequences": [s.value for s in one.study.volumes]})
        write_json(folder.session(name) / "measurements.json", one.measurements.model_dump(mode="json"))
    rows = [
        {
            "date": e.date.isoformat(),
            "end_date": e.end_date and e.end_date.isoformat(),
            "event": e.kind.value,
            "value": e.value,
            "unit": e.unit,
            "detail": e.detail,
        }
        for e in events
    ]
    studies = [{"id": n, "date": s.date and s.date.isoformat()} for n, s in sides.items()]
    write_json(folder.root / "patient.json", {"pseudonym": "P01", "studies": studies, "events": rows, **card})
    return folder.root


def sides(*days: int | None, **changed: dict) -> dict[str, Operated]:
    """Studies on so many days, with tumour before the operation and a residue after it."""
    made = {}
    for n, day in enumerate(days, start=1):
        name = f"ses-{n:02d}"
        usual = {"ET": 20.0} if day is not None and day < 0 else {"ET": 1.0, "RC": 15.0}
        made[name] = side(**{"day": day, "name": name, **usual, **changed.get(name.replace("-", "_"), {})})
    return made


def test_operations_of_a_case_folder(tmp_path):
    radiotherapy = Event(DAY + dt.timedelta(days=30), EventKind.RADIOTHERAPY, DAY + dt.timedelta(days=70))
    root = write_case(
        tmp_path, sides(-9, -1, 1, 90, ses_02={"necrosis": True, "NETC": 2.0}), [SURGERY, SURGERY, radiotherapy]
    )
    (made,) = surgery_of(root)
    assert (made.before, made.after, made.number, made.kind) == ("ses-02", "ses-03", 1, "operation")
    assert made.cautions == ()
    direct = assess_surgery(side(-1, "ses-02", ET=20.0, NETC=2.0, necrosis=True), side(1, ET=1.0, RC=15.0), SURGERY)
    assert made.get("extent_of_resection", "ET").value == direct.get("extent_of_resection", "ET").value
    assert made.get("volume_before", "necrosis").value == pytest.approx(2.0)
    for found in made.measurements:
        file = found.source.file if found.source else "patient.json"
        assert (root / file).is_file() or file.endswith("dseg.nii.gz"), found.name
    assert made.get("blood_volume", "blood").source.file == "ses-03/anat/sub-P01_ses-03_T1w.nii.gz"
    assert made.get("residual_volume", "ET").source.labels == (3,)


def test_a_complete_study_within_the_window_goes_before_an_earlier_one(tmp_path):
    without_t1 = {"sequences": (Sequence.T1C, Sequence.FLAIR)}
    (made,) = surgery_of(write_case(tmp_path, sides(-1, 1, 2, ses_02=without_t1), [SURGERY]))
    assert made.after == "ses-03"
    (late,) = surgery_of(write_case(tmp_path / "late", sides(-1, 1, 9, ses_02=without_t1), [SURGERY]))
    assert late.after == "ses-02"
    assert "no T1 after" in late.get("residual_volume", "ET").reason


@pytest.mark.parametrize(
    ("cavity", "chosen"), [(15.0, ("ses-01", "ses-02")), (0.0, ("ses-02", "ses-03"))], ids=["after", "before"]
)
def test_a_study_of_the_day_itself_is_placed_by_its_cavity(tmp_path, cavity, chosen):
    of_the_day = {"ET": 20.0, "RC": cavity}
    (made,) = surgery_of(write_case(tmp_path, sides(-3, 0, 2, ses_02=of_the_day), [SURGERY]))
    assert (made.before, made.after) == chosen


@pytest.mark.parametrize("cavity", [0.0, 15.0])
def test_a_study_of_the_day_of_a_further_operation_could_be_either(tmp_path, cavity):
    studies = sides(-60, -59, -1, 0, 1, ses_04={"RC": cavity})
    first, second = surgery_of(write_case(tmp_path, studies, [SURGERY, EARLIER]))
    assert (first.number, first.before, first.after) == (1, "ses-01", "ses-02")
    assert (second.number, second.before, second.after) == (2, "ses-03", "ses-05")
    assert any("may be from before or after" in caution for caution in second.cautions)


def test_a_study_after_the_next_operation_is_not_taken_for_a_complete_one(tmp_path):
    without_t1 = {"sequences": (Sequence.T1C, Sequence.FLAIR)}
    third_day = Event(DAY + dt.timedelta(days=2), EventKind.SURGERY, value="resection")
    first, _ = surgery_of(write_case(tmp_path, sides(-1, 1, 3, ses_02=without_t1), [SURGERY, third_day]))
    assert first.after == "ses-02"
    assert "no T1 after" in first.get("residual_volume", "ET").reason


def test_two_operations_without_a_study_between_them(tmp_path):
    first, second = surgery_of(write_case(tmp_path, sides(-1, 2), [SURGERY, LATER]))
    assert (first.after, second.before) == ("ses-02", "ses-01")
    for made in (first, second):
        assert "several operations (2)" in made.get("extent_of_resection", "ET").reason


def test_each_operation_has_its_own_studies(tmp_path):
    first, second = surgery_of(write_case(tmp_path, sides(-61, -59, -1, 1), [SURGERY, EARLIER]))
    assert [(s.before, s.after) for s in (first, second)] == [("ses-01", "ses-02"), ("ses-03", "ses-04")]


def test_case_folders_without_operations_dates_or_measurements(tmp_path):
    assert surgery_of(write_case(tmp_path / "none", sides(-1, 1), [])) == ()
    (undated,) = surgery_of(write_case(tmp_path / "undated", sides(-1, None), [SURGERY]))
    assert "from after the operation" in undated.get("extent_of_resection", "ET").reason
    assert any("without a date" in caution for caution in undated.cautions)
    root = write_case(tmp_path / "unmeasured", sides(-1, 1), [SURGERY])
    (root / "ses-02" / "measurements.json").unlink()
    assert surgery_of(root)[0].after == ""


def test_images_without_t1_or_t1c_are_read_all_the_same(tmp_path):
    bare = {"sequences": (Sequence.FLAIR,)}
    (made,) = surgery_of(write_case(tmp_path, sides(-1, 1, ses_02=bare), [SURGERY]))
    assert "no T1 and no T1C" in made.get("extent_of_resection", "WT").reason
    assert made.get("volume_after", "RC").value == pytest.approx(15.0)


@pytest.mark.parametrize("card", [None, "{", "[]", json.dumps({"pseudonym": "P01", "studies": [{}], "events": []})])
def test_what_is_no_case_folder_is_refused(tmp_path, card):
    if card is not None:
        (tmp_path / "patient.json").write_text(card)
    with pytest.raises(InputError, match="case folder: expected a case folder"):
        surgery_of(tmp_path)
