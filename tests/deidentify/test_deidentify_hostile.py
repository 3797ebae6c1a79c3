"""Files of strangers: damaged, huge, deep, drawn upon. Nothing of theirs is shown, nothing of it leaves."""

from __future__ import annotations

import os
import struct

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tumorboard.deidentify import deidentify_tree
from tumorboard.deidentify.identifiers import Identifiers, encoded, fold
from tumorboard.deidentify.objects import BURNED_IN, COPY, HIT, MAYBE_BURNED_IN, NOT_DICOM, NOT_WHOLE, SCREEN
from tumorboard.errors import FileFormatError, OutputError, PartialFailure, TumorboardError


@pytest.fixture
def one(poison, tmp_path):
    """Write one poisoned slice after an edit; returns the input folder and the poison."""

    def go(edit=lambda ds: None, cut=lambda b: b, name: str = "x.dcm"):
        poisons = poison.Poison(tmp_path / "in")
        ds = poison.mr_slice(poisons, "A", 1, "20210304", 2)
        edit(ds)
        poisons.root.mkdir(exist_ok=True)
        (poisons.root / name).write_bytes(cut(poison.file_bytes(ds, poisons)))
        return poisons

    return go


def refused(poisons, poison, out) -> str:
    with pytest.raises(TumorboardError) as told:
        deidentify_tree([poisons.root], out)
    message = f"{told.value} {told.value!r}"
    assert poison.left_in(message.encode(), poisons) == []
    assert str(out.parent) not in message
    assert told.value.__cause__ is None
    assert not list(out.rglob("*.dcm"))
    return message


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999])
def test_a_file_cut_short_is_left_out(one, poison, tmp_path, share):
    poisons = one(cut=lambda b: b[: int(len(b) * share)])
    refused(poisons, poison, tmp_path / "out")


def test_a_length_beyond_the_file_is_left_out(one, poison, tmp_path):
    poisons = one(
        cut=lambda b: b.replace(struct.pack("<HH", 0x10, 0x4000) + b"LT", b"\x10\0\0\x40OB\0\0\xf0\xff\xff\x7f")
    )
    assert NOT_WHOLE in refused(poisons, poison, tmp_path / "out")


def test_what_is_no_dicom_is_left_out(poison, tmp_path):
    poisons = poison.Poison(tmp_path / "in")
    poisons.root.mkdir()
    (poisons.root / "Vornkamp.txt").write_text("Vornkamp")
    assert NOT_DICOM in refused(poisons, poison, tmp_path / "out")


def test_sequences_without_end_are_left_out(one, poison, tmp_path):
    def nest(ds):
        item = Dataset()
        for _ in range(60):
            outer = Dataset()
            outer.ConceptCodeSequence = [item]
            item = outer
        ds.ReferencedImageSequence = [item]

    poisons = one(nest)
    done = deidentify_tree([poisons.root], tmp_path / "out")  # sixty levels are no harm
    assert sum(done.written.values()) == 1
    head = struct.pack("<HH2sHI", 0x8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    at = struct.pack("<HH", 0x0010, 0x0010) + b"PN"
    poisons = one(cut=lambda b: b.replace(at, head * 3000 + at, 1))
    assert NOT_WHOLE in refused(poisons, poison, tmp_path / "other")


@settings(max_examples=60)
@given(data=st.data())
def test_any_damage_is_either_refused_or_harmless(poison, tmp_path_factory, data):
    place = tmp_path_factory.mktemp("damaged")
    poisons = poison.Poison(place / "in")
    content = bytearray(poison.file_bytes(poison.mr_slice(poisons, "A", 1, "20210304", 2), poisons))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(132, len(content) - 520))
        content[at] = data.draw(st.integers(0, 255))
    poisons.root.mkdir()
    (poisons.root / "x").write_bytes(bytes(content))
    try:
        deidentify_tree([poisons.root], place / "out")
        told = ""
    except TumorboardError as error:
        told = str(error)
    assert poison.left_in(told.encode(), poisons) == []
    for path in (place / "out").rglob("*"):
        if path.is_file():
            assert poison.left_in(path.read_bytes(), poisons) == []


def test_bytes_behind_the_last_pixel_do_not_leave(one, poison, tmp_path):
    poisons = one(lambda ds: setattr(ds, "PixelData", ds.PixelData + b"Aurelia Tailkamp"))
    deidentify_tree([poisons.root], tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*.dcm")
    assert b"Tailkamp" not in path.read_bytes()
    assert len(pydicom.dcmread(path).PixelData) == 512


def test_a_hit_of_the_self_check_withdraws_the_file_and_fails_the_run(one, poison, tmp_path):
    def draw(ds):
        name = ds.PatientName.family_name.encode()
        ds.PixelData = name.ljust(512, b"\0")

    poisons = one(draw)
    message = refused(poisons, poison, tmp_path / "out")
    assert "withdrawn" in message
    with pytest.raises(PartialFailure):
        deidentify_tree([poisons.root], tmp_path / "again")
    assert HIT in (tmp_path / "again" / "deidentification.md").read_text()


@pytest.mark.parametrize(
    ("reason", "said", "kind", "look"),
    [
        (BURNED_IN, "YES", "1.2.840.10008.5.1.4.1.1.4", ("PRIMARY", "MONOCHROME2")),
        (SCREEN, "", "1.2.840.10008.5.1.4.1.1.4", ("SCREEN SAVE", "MONOCHROME2")),
        (MAYBE_BURNED_IN, "", "1.2.840.10008.5.1.4.1.1.7", ("PRIMARY", "MONOCHROME2")),
        (MAYBE_BURNED_IN, "", "1.2.840.10008.5.1.4.1.1.4", ("PRIMARY", "RGB")),
        (MAYBE_BURNED_IN, "", "1.2.840.10008.5.1.4.1.1.6.1", ("PRIMARY", "MONOCHROME2")),
    ],
)
def test_pictures_that_may_hold_text_are_left_out(one, poison, tmp_path, reason, said, kind, look):
    def edit(ds):
        image_type, ds.PhotometricInterpretation = look
        ds.SOPClassUID, ds.BurnedInAnnotation = kind, said
        ds.ImageType = ["DERIVED", "SECONDARY", image_type]

    assert reason in refused(one(edit), poison, tmp_path / "out")


def test_a_second_file_of_the_same_instance_is_left_out(one, tmp_path):
    poisons = one()
    one(name="copy.dcm")
    done = deidentify_tree([poisons.root], tmp_path / "out")
    assert done.left_out[COPY] == 1
    assert sum(done.written.values()) == 1


def test_links_out_of_the_input_are_not_followed(one, tmp_path):
    poisons = one()
    (tmp_path / "elsewhere").mkdir()
    (poisons.root / "x.dcm").rename(tmp_path / "elsewhere" / "x.dcm")
    (poisons.root / "link.dcm").symlink_to(tmp_path / "elsewhere" / "x.dcm")
    (poisons.root / "folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(poisons.root / "pipe")
    with pytest.raises(FileFormatError, match="leads out of the input"):
        deidentify_tree([poisons.root], tmp_path / "out")


@pytest.mark.parametrize("place", ["in", "in/out", "."])
def test_an_output_in_or_around_the_input_is_refused(one, tmp_path, place):
    poisons = one()
    with pytest.raises(OutputError, match="apart from the input"):
        deidentify_tree([poisons.root], tmp_path / place)


def test_a_folder_of_others_is_not_written_into(one, tmp_path):
    poisons = one()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "theirs.txt").write_text("x")
    with pytest.raises(OutputError, match="1 other files"):
        deidentify_tree([poisons.root], tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").rglob("*")] == ["theirs.txt"]


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 144", "ISO 2022 IR 87", "GB18030", "ISO_IR 192"])
def test_names_in_any_character_set_are_found_and_removed(one, poison, tmp_path, charset):
    name = {"ISO_IR 100": "Müßig^Jörg", "ISO_IR 144": "Люксембург^Роза", "GB18030": "王小东^小东"}.get(
        charset, "Yamada^Tarou=山田^太郎=やまだ^たろう"
    )

    def edit(ds):
        ds.SpecificCharacterSet = ["", charset] if charset.startswith("ISO 2022") else charset
        ds.PatientName = ds.ImageComments = name if "=" not in name else name.split("=")[1]
        ds.PatientName = name
        ds.OtherPatientNames = ds.PatientBirthName = ""

    poisons = one(edit)
    deidentify_tree([poisons.root], tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*.dcm")
    for part in name.replace("=", "^").split("^"):
        assert not any(code in path.read_bytes().lower() for code in encoded(fold(part)))
    assert path.read_bytes()[132:].isascii() or "PixelData" in pydicom.dcmread(path)
    assert "SpecificCharacterSet" not in pydicom.dcmread(path)


def test_the_search_finds_what_is_written_in_any_encoding():
    known = Identifiers()
    for text in ("Vornkamp", "Люксембург", "山田太郎", "47110815"):
        known.add_text(text)
    noise = np.random.default_rng(0).bytes(300_000)
    assert not known.in_bytes(noise)
    for text, code in (
        *(("VORNKAMP", "utf-8"), ("vornkamp", "utf-16-le"), ("Vornkamp", "utf-16-be"), ("47110815", "ascii")),
        *(("Люксембург", "iso8859-5"), ("люксембург", "utf-8"), ("山田太郎", "iso2022_jp"), ("山田太郎", "shift_jis")),
    ):
        assert known.in_bytes(noise[:1000] + b" " + text.encode(code) + b" " + noise[:1000]), (text, code)
    assert not known.in_bytes(b"1.2.3.9471108159.1")


def test_unique_identifiers_are_found_whole():
    known = Identifiers(uids={"1.2.276.5"})
    assert known.in_bytes(b"xx1.2.276.5\0")
    assert not known.in_bytes(b"1.2.276.55 1.2.276.5.1 11.2.276.5")


def test_short_and_common_words_are_told_apart_from_names():
    known = Identifiers()
    for text in ("Lee", "T1", "12", "post", "00000", "Ng"):
        known.add_text(text)
    assert known.texts == {"lee"}
    assert known.in_text("T1 LEE")
    assert not known.in_text("sleep")
