"""Damaged and hostile files: an answer or a clear error, in bounded time, that names nobody."""

import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tumorboard.errors import InputError
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom

MOST_SECONDS = 5.0
"""CPU time that one damaged file may take."""

VRS = [b"SQ", b"UN", b"OB", b"DS", b"IS", b"US", b"FD", b"PN", b"UI", b"TM", b"AT", b"ZZ", b"\0\0"]
LENGTHS = [0, 1, 7, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]


def flip(data, rng):
    for _ in range(rng.choice([1, 3, 20, 200])):
        at = rng.randrange(len(data))
        data[at] ^= 1 << rng.randrange(8)
    return data


def overwrite(data, rng):
    at = rng.randrange(len(data))
    data[at : at + rng.choice([1, 4, 16])] = rng.randbytes(rng.choice([1, 4, 16]))
    return data


def truncate(data, rng):
    return data[: rng.randrange(len(data))]


def cut_out(data, rng):
    at = rng.randrange(len(data))
    del data[at : at + rng.choice([1, 2, 8, 100])]
    return data


def double(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + data[max(0, at - rng.choice([8, 64, 500])) :]


def lie_about_length(data, rng):
    at = _element(data, rng)
    length = rng.choice(LENGTHS)
    data[at + 6 : at + 8] = struct.pack("<H", length & 0xFFFF)
    if rng.random() < 0.5:
        data[at + 8 : at + 12] = struct.pack("<I", length)
    return data


def change_vr(data, rng):
    at = _element(data, rng)
    data[at + 4 : at + 6] = rng.choice(VRS)
    return data


def swap_bytes(data, rng):
    at = _element(data, rng)
    data[at : at + 12] = bytes(data[at : at + 12])[::-1]
    return data


def _element(data, rng):
    """Return where some element begins: before one of the value representations."""
    places = [
        n for n in range(132, min(len(data) - 12, 3000)) if bytes(data[n : n + 2]).isalpha() and data[n - 1] < 0x21
    ]
    return max(132, rng.choice(places or [140]) - 4)


MUTATIONS = (flip, overwrite, truncate, cut_out, double, lie_about_length, change_vr, swap_bytes)


@pytest.fixture(scope="module")
def originals(made, tmp_path_factory):
    """Three small series: classic, enhanced, compressed; as bytes of their files."""
    folder = tmp_path_factory.mktemp("originals")
    stack = made.Stack(shape=(32, 32, 4))
    classic = [path.read_bytes() for path in made.write_stack(folder, stack)]
    out = [classic, [made.write(made.enhanced_dataset(stack), folder / "enhanced.dcm").read_bytes()]]
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        files = []
        for k in range(stack.count):
            dataset = made.plane_dataset(stack, k)
            dataset.compress(syntax, generate_instance_uid=False)
            files.append(made.write(dataset, folder / "compressed.dcm").read_bytes())
        out.append(files)
    return out


def answer(files):
    """Scan and read; return everything that was said."""
    start = time.process_time()
    found = scan_dicom(files)
    said = [repr(found), str(found.others), str(found.unreadable)]
    for series in found.series:
        said += [series.refusal, series.remedy, *series.notes]
        try:
            volume, notes = read_series(series, "T1")
        except InputError as error:
            said += [str(error), repr(error)]
        else:
            said += notes
            assert volume.data.size
            assert np.isfinite(volume.data).all()
    assert time.process_time() - start < MOST_SECONDS
    return said


def attack(made, originals, folder, seeds):
    told = 0
    for seed in seeds:
        rng = random.Random(seed)
        files = rng.choice(originals)
        hurt = rng.randrange(len(files))
        paths = []
        for n, content in enumerate(files):
            data = bytearray(content)
            for _ in range(rng.choice([1, 1, 2, 4]) if n == hurt else 0):
                data = rng.choice(MUTATIONS)(data, rng) if len(data) > 200 else data
            paths.append(folder / f"{n}.dcm")
            paths[-1].write_bytes(bytes(data))
        said = answer(paths)
        assert made.says_nobody(*said), (seed, said)
        told += 1
    return told


def test_mutated_files_give_an_answer_or_a_clear_error(made, originals, tmp_path, capfd):
    assert attack(made, originals, tmp_path, range(200)) == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_many_mutated_files_give_an_answer_or_a_clear_error(made, originals, tmp_path, capfd):
    assert attack(made, originals, tmp_path, range(1000, 3000)) == 2000
    assert capfd.readouterr() == ("", "")


def test_a_deflate_bomb_is_bounded(made, tmp_path, monkeypatch):
    """Eighty megabytes of zeros in eighty kilobytes; no more than the bound is ever inflated."""
    import tracemalloc

    from tumorboard.io.dicom import files

    monkeypatch.setattr(files, "MAX_INFLATED_BYTES", 2**20)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = io.BytesIO()
    body.write(squeeze.compress(struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, 0x7FFFFFF0)))
    for _ in range(80):
        body.write(squeeze.compress(bytes(2**20)))
    body.write(squeeze.flush())
    (tmp_path / "bomb.dcm").write_bytes(_deflated_head(made, tmp_path) + body.getvalue())
    tracemalloc.start()
    found = scan_dicom([tmp_path / "bomb.dcm"])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not found.series
    assert sum(found.unreadable.values()) == 1
    assert most < 20 * 2**20


def _deflated_head(made, folder):
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    dataset = made.plane_dataset(made.Stack(), 0)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = made.write(dataset, folder / "deflated.dcm").read_bytes()
    length = int.from_bytes(data[140:144], "little")
    return data[: 144 + length]


def test_sequences_nested_without_end_are_bounded(made, tmp_path):
    data = _with_private_bytes(made, tmp_path, _nest(20_000))
    (tmp_path / "deep.dcm").write_bytes(data)
    assert made.says_nobody(*answer([tmp_path / "deep.dcm"]))


def _nest(depth):
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return (sequence + item) * depth


def test_sequences_nested_with_lengths_are_bounded(made, tmp_path):
    """Each level gives its length; parsers that look into each level again take quadratic time."""
    inner = b""
    for _ in range(3000):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        inner = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, len(item)) + item
    (tmp_path / "deep.dcm").write_bytes(_with_private_bytes(made, tmp_path, inner))
    assert made.says_nobody(*answer([tmp_path / "deep.dcm"]))


def test_a_header_of_endless_items_is_bounded(made, tmp_path, monkeypatch):
    from tumorboard.io.dicom import files

    monkeypatch.setattr(files, "MAX_READS", 5000)
    empty_items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1_000_000
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    (tmp_path / "long.dcm").write_bytes(_with_private_bytes(made, tmp_path, sequence + empty_items))
    start = time.process_time()
    found = scan_dicom([tmp_path / "long.dcm"])
    assert time.process_time() - start < 2
    assert not found.series
    assert sum(found.unreadable.values()) == 1


def _with_private_bytes(made, folder, inserted):
    """Return a file in which bytes stand before group 0010."""
    data = made.write(made.plane_dataset(made.Stack(), 0), folder / "plain.dcm").read_bytes()
    at = data.index(b"\x10\x00\x10\x00PN")
    return data[:at] + inserted + data[at:]


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel"])
@pytest.mark.parametrize("number", [0, 1, 3, 60_000])
def test_a_header_that_lies_about_its_pixels_takes_no_memory(made, tmp_path, keyword, number):
    stack = made.Stack()
    files = []
    for k in range(4):
        dataset = made.plane_dataset(stack, k)
        setattr(dataset, keyword, number)
        files.append(made.write(dataset, tmp_path / f"{k}.dcm"))
    assert made.says_nobody(*answer(files))


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=["JPEG-LS", "JPEG 2000"])
def test_a_compressed_frame_that_claims_a_huge_size_is_not_decoded(made, tmp_path, syntax):
    stack = made.Stack(shape=(32, 32, 4))
    files = []
    for k in range(4):
        dataset = made.plane_dataset(stack, k)
        dataset.compress(syntax, generate_instance_uid=False)
        data = bytearray(made.write(dataset, tmp_path / f"{k}.dcm").read_bytes())
        if syntax == JPEG2000Lossless:
            at = data.index(b"\xff\x4f\xff\x51") + 8
            data[at : at + 8] = struct.pack(">II", 60_000, 60_000)
        else:
            at = data.index(b"\xff\xf7") + 5
            data[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
        (tmp_path / f"{k}.dcm").write_bytes(bytes(data))
        files.append(tmp_path / f"{k}.dcm")
    said = answer(files)
    assert any("damaged" in text for text in said)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\xff\xc4", b"\xbf\xc4", id="a stream on which GDCM aborts its process"),
        pytest.param(b"\xff\xda", b"\xff\x00", id="no scan"),
    ],
)
def test_damaged_jpeg_lossless_ends_no_process_but_its_own(made, tmp_path, capfd, old, new):
    header = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}
    stack = made.Stack(shape=(32, 32, 4), header=header)
    files = []
    for k in range(4):
        pixels = np.random.default_rng(k).integers(0, 255, (32, 32)).astype(np.uint16)
        data = made.jpeg_lossless(made.plane_dataset(stack, k, pixels), tmp_path)
        files.append(tmp_path / f"{k}.dcm")
        files[-1].write_bytes(data.replace(old, new, 1) if k == 1 else data)
    said = answer(files)
    assert any("damaged or missing ones (JPEG Lossless" in text for text in said)
    assert made.says_nobody(*said)
    assert capfd.readouterr() == ("", "")


def test_what_is_not_dicom_is_counted_and_never_named(made, tmp_path):
    names = {"empty": b"", "text.txt": b"Doe^Jane was here", "short": b"DI", "zeros.dcm": bytes(500)}
    names["prefix only"] = bytes(128) + b"DICM"
    names["noise"] = bytes(128) + b"DICM" + random.Random(1).randbytes(3000)
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    found = scan_dicom([*tmp_path.iterdir(), tmp_path / "missing"])
    assert not found.series
    assert found.unreadable == {"file that is not DICOM": 6, "DICOM file whose header cannot be read": 2}
    assert made.says_nobody(found)


def test_headers_that_hold_nonsense_are_asked_without_an_error(made):
    """Every tag that is asked, with every kind of wrong value."""
    from pathlib import Path

    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    from tumorboard.io.dicom.tags import person_of, planes_of, tags_of

    good = made.plane_dataset(made.Stack(), 0)
    for element in list(good):
        if element.keyword == "PixelData":
            continue
        for vr in ("DS", "IS", "US", "SQ", "PN", "TM", "UN", "FD"):
            for value in (b"", b"\\", b"\xff\xfe\xff", b"1\\2\\3\\4\\5\\6\\7", b"nan", b"1e400", b"abc", None):
                tag = Tag(tag_for_keyword(element.keyword))
                bad = Dataset(good)
                bad._dict[tag] = RawDataElement(tag, vr, len(value or b""), value, 0, False, True)
                tags_of(bad), person_of(bad), planes_of(bad, Path())
