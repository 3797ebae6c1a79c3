"""The action table against the data dictionary: every row is an attribute, and no attribute escapes."""

from __future__ import annotations

from collections import Counter

import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tumorboard.deidentify.actions import RULES_BY_VR, action_table, code_of
from tumorboard.deidentify.dataset import Rules, clean_dataset
from tumorboard.deidentify.identifiers import Identifiers
from tumorboard.deidentify.read import quiet
from tumorboard.deidentify.report import MEANING
from tumorboard.deidentify.secret import Secret

TEXTS = ("LO", "SH", "ST", "LT", "UT", "UC", "PN", "UR", "AE", "CS")
NAME = "ZQVORNKAMP"


def cleaned(ds: Dataset, known: Identifiers | None = None, days: int | None = -10) -> Counter:
    counts: Counter = Counter()
    clean_dataset(ds, Rules(Secret(bytes(32)), "P1", days, known or Identifiers()), counts)
    return counts


def everything(vrs: tuple[str, ...], value: str) -> Dataset:
    """A dataset that holds every attribute of the dictionary with one of these value representations."""
    ds = Dataset()
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        if vr in vrs and keyword and tag >> 16 >= 8 and keyword not in ("SpecificCharacterSet",):
            ds.add_new(tag, vr, value)
    return ds


def test_every_row_is_an_attribute_and_they_are_sorted():
    table = action_table()
    assert len(table) > 550
    assert list(table) == sorted(table)
    for tag, row in table.items():
        assert keyword_for_tag(tag) == row.keyword
        assert set(row.basic.replace("U*", "U").split("/")) <= {"X", "Z", "D", "K", "C", "U", ""}
        assert row.ours in {"", *MEANING}
        assert row.basic or row.ours
        assert row.code in MEANING


@pytest.mark.parametrize(
    ("keyword", "code"),
    [
        *(("PatientName", "P"), ("PatientID", "P"), ("PatientBirthDate", "Z"), ("AccessionNumber", "Z")),
        *(("StudyInstanceUID", "U"), ("PatientComments", "X"), ("InstitutionName", "X"), ("StudyDate", "S")),
        *(("SeriesDescription", "C"), ("ContentCreatorName", "D"), ("DeviceSerialNumber", "D"), ("PatientAge", "A")),
        *(("SourceImageSequence", "C"), ("FrameOfReferenceUID", "U"), ("ImageComments", "X"), ("EthnicGroup", "X")),
    ],
)
def test_rows_that_matter_most(keyword, code):
    (row,) = [r for r in action_table().values() if r.keyword == keyword]
    assert row.code == code


def test_a_name_known_of_the_patient_is_left_in_no_attribute_of_the_dictionary():
    known = Identifiers()
    known.add_text(NAME)
    ds = everything(TEXTS, NAME)
    assert len(ds) > 900
    cleaned(ds, known)
    assert NAME not in str(ds)


def test_a_name_nobody_knew_is_left_only_where_makers_and_schemes_write():
    ds = everything(tuple(vr for vr in TEXTS if vr != "CS"), NAME)
    cleaned(ds)
    left = {e.keyword for e in ds.iterall() if NAME in str(e.value)}
    assert left <= {row.keyword for row in action_table().values() if row.ours == "K"}
    assert len(left) < 25
    assert not any(word in k for k in left for word in ("Patient", "Physician", "Person", "Comment", "Address"))


def test_every_date_of_the_dictionary_moves_or_goes():
    ds = everything(("DA",), "20240115")
    cleaned(ds)
    assert {e.value for e in ds} <= {"20240105", "", None}


def test_every_unique_identifier_of_the_dictionary_is_another_one_or_gone():
    ds = everything(("UI",), "1.2.276.471108.5")
    cleaned(ds)
    assert {str(e.value) for e in ds} <= {Secret(bytes(32)).uid("1.2.276.471108.5")}


def test_unique_identifiers_of_the_standard_stay():
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    ds.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    cleaned(ds)
    assert (ds.SOPClassUID, ds.FrameOfReferenceUID) == ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.4.1.1")


def test_what_no_dictionary_knows_goes():
    ds = Dataset()
    ds.add_new(0x00081FFF, "LO", "T1")
    ds.add_new(0x00181FFF, "UN", b"abc")
    counts = cleaned(ds)
    assert len(ds) == 0
    assert counts == {("unknown", "X"): 2}


@pytest.mark.parametrize(
    ("vr", "value"), [("DS", "Doe"), ("IS", "Doe"), ("AS", "Doe"), ("CS", "Mr Doe"), ("TM", "noon Doe"), ("DA", "Doe")]
)
def test_numbers_codes_and_dates_that_are_none_do_not_stay(vr, value):
    keywords = {"DS": "EchoTime", "IS": "EchoTrainLength", "AS": "PatientAge", "CS": "BodyPartExamined"}
    tag = Tag({**keywords, "TM": "StudyTime", "DA": "StudyDate"}[vr])
    raw = value.encode() + b" " * (len(value) % 2)
    ds = Dataset()
    ds[tag] = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
    with quiet():
        cleaned(ds)
        assert "doe" not in str(ds).lower()


def test_rules_cover_every_value_representation():
    known = {vr for vr, *_ in DicomDictionary.values() if vr not in ("NONE", "OX")}
    assert {part for vr in known for part in vr.split(" or ")} <= set(RULES_BY_VR)


def test_groups_of_overlays_and_curves_go():
    assert {code_of(t, "US", True) for t in (0x60000010, 0x601E3000, 0x50000005)} == {"X"}
