"""Files on disk: all of a file or nothing of it, one run at a time, and what a killed run left is removed."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import OutputError
from tumorboard.store import (
    TEMPORARY_PREFIX,
    CaseFolder,
    StageRecord,
    digest,
    digest_file,
    locked,
    output_error,
    remove_temporaries,
    write_atomic,
    write_json,
)


def names(folder):
    return sorted(p.name for p in folder.rglob("*"))


def fail_with(number):
    def failing(self, *_args, **_kwargs):
        raise OSError(number, os.strerror(number), str(self))

    return failing


def half_written(self, data):
    with self.open("wb") as stream:
        stream.write(data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device", str(self))


# --- atomic writes ------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"\x00\xff", b"", "Straße", "a\nb\r\n"])
def test_what_is_written_is_there_and_nothing_else(tmp_path, content):
    write_atomic(tmp_path / "a" / "b" / "c.bin", content)
    expected = content.encode() if isinstance(content, str) else content
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == expected
    assert names(tmp_path) == ["a", "b", "c.bin"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "a read-only disk"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "EIO"),
    ],
)
@pytest.mark.parametrize("method", ["mkdir", "write_bytes", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_says_why(tmp_path, monkeypatch, number, words, method):
    path = tmp_path / "Doe_Jane_1970.json"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, method, fail_with(number))
        with pytest.raises(OutputError, match=words) as caught:
            write_atomic(path, "new")
    assert caught.value.exit_code == 2
    assert "Doe" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == [path.name]


def test_a_disk_that_fills_up_halfway_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(OutputError, match="the disk is full"):
        write_atomic(tmp_path / "x.nii.gz", bytes(1000))
    assert names(tmp_path) == []


def test_a_real_full_device_is_told_as_one():
    """/dev/full answers every write with ENOSPC."""
    with pytest.raises(OSError, match="No space left") as caught:
        Path("/dev/full").write_bytes(b"x" * 10_000)
    assert "the disk is full" in str(output_error(caught.value))


def test_a_run_that_is_killed_before_the_rename_leaves_only_a_temporary(tmp_path, monkeypatch):
    def killed(_self, _target):
        raise KeyboardInterrupt

    path = tmp_path / "x.json"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_atomic(path, "new")
    assert path.read_text() == "old"
    left = [n for n in names(tmp_path) if n != "x.json"]
    assert len(left) == 1
    assert left[0].startswith(TEMPORARY_PREFIX)
    assert remove_temporaries(tmp_path) == 1
    assert names(tmp_path) == ["x.json"]


@pytest.mark.parametrize("name", ["file/x.txt", "file/deeper/x.txt"])
def test_a_file_in_place_of_the_folder(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="a folder for --out; got a file in its place"):
        write_atomic(tmp_path / name, "x")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_name_too_long_for_the_disk(tmp_path):
    with pytest.raises(OutputError, match="a name too long"):
        write_atomic(tmp_path / ("x" * 300), "x")
    assert names(tmp_path) == []


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "x.json", "x")
    assert names(tmp_path) == ["x.json"]


def test_an_unknown_error_still_says_what_to_do():
    assert "check --out" in str(output_error(OSError()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_equal_json_is_equal_bytes_whatever_the_order(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    write_json(folder / "a.json", content)
    write_json(folder / "b.json", dict(reversed(content.items())))
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
    assert (folder / "a.json").read_bytes().endswith(b"\n")
    assert json.loads((folder / "a.json").read_text(encoding="utf-8")) == content


def test_nan_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"volume": float("nan")})
    assert names(tmp_path) == []


# --- digests ------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_digests_differ_when_the_parts_differ(one, two):
    assert (digest(*one) == digest(*two)) == (one == two)
    assert re.fullmatch(r"[0-9a-f]{32}", digest(*one))


def test_text_and_its_bytes_are_one_digest_and_borders_count():
    assert digest("é") == digest("é".encode())
    assert digest("ab", "c") != digest("a", "bc")


def test_a_files_digest_is_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 5_000_000)
    (tmp_path / "b").write_bytes(b"x" * 5_000_000)
    assert digest_file(tmp_path / "a") == digest_file(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"x" * 4_999_999 + b"y")
    assert digest_file(tmp_path / "a") != digest_file(tmp_path / "b")


# --- the case folder ----------------------------------------------------------------------------


def test_paths_follow_bids_and_stay_below_the_patient():
    case = CaseFolder(Path("out"), "A1")
    stem = "out/sub-A1/ses-02"
    assert case.anat("ses-02", "ce-gadolinium_T1w").as_posix() == f"{stem}/anat/sub-A1_ses-02_ce-gadolinium_T1w.nii.gz"
    assert case.seg("ses-02", "dseg.nii.gz").as_posix() == f"{stem}/seg/sub-A1_ses-02_dseg.nii.gz"
    assert case.native("ses-02", "dseg.nii.gz").as_posix() == f"{stem}/seg/native/sub-A1_ses-02_dseg.nii.gz"
    assert case.relative(case.seg("ses-02", "dseg.nii.gz")) == "ses-02/seg/sub-A1_ses-02_dseg.nii.gz"
    with pytest.raises(ValueError, match="not in the subpath"):
        case.relative(Path("out/sub-B2/x"))


# --- one run at a time ----------------------------------------------------------------------------


def test_a_folder_is_held_by_one_run_and_free_again(tmp_path):
    with locked(tmp_path / "new"):
        with pytest.raises(OutputError, match="another run at work"), locked(tmp_path / "new"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "new"):
        pass
    assert names(tmp_path) == ["new", "other"]


def test_a_run_that_fails_lets_the_folder_go(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 / 0
    with locked(tmp_path):
        pass


def test_a_lock_removes_what_a_killed_run_left_and_nothing_else(tmp_path):
    deep = tmp_path / "ses-01" / "seg"
    deep.mkdir(parents=True)
    (deep / f"{TEMPORARY_PREFIX}1-abc").write_bytes(b"half")
    (deep / f"my{TEMPORARY_PREFIX}").write_bytes(b"the user's")
    (deep / "x_dseg.nii.gz").write_bytes(b"whole")
    with locked(tmp_path):
        assert names(tmp_path) == sorted(["ses-01", "seg", f"my{TEMPORARY_PREFIX}", "x_dseg.nii.gz"])


def test_a_file_in_place_of_the_folder_cannot_be_locked(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="a file in its place"), locked(tmp_path / "file"):
        pass


def test_temporaries_behind_a_link_to_elsewhere_are_left_alone(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f"{TEMPORARY_PREFIX}x").write_text("not ours")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    assert remove_temporaries(tmp_path / "out") == 0
    assert (tmp_path / "elsewhere" / f"{TEMPORARY_PREFIX}x").exists()


# --- finished stages ------------------------------------------------------------------------------


@pytest.fixture
def record(tmp_path):
    write_atomic(tmp_path / "ses-01" / "a.json", "1")
    write_atomic(tmp_path / "b.json", "2")
    outputs = {name: digest_file(tmp_path / name) for name in ("ses-01/a.json", "b.json")}
    return StageRecord("key", outputs, {"cpu_s": 1.5, "peak_mib": 20.0})


def test_a_record_is_found_again(tmp_path, record):
    record.write(tmp_path / "r.json")
    assert StageRecord.read(tmp_path / "r.json") == record
    assert record.whole(tmp_path, "key")
    assert not record.whole(tmp_path, "another key")


@pytest.mark.parametrize("name", ["ses-01/a.json", "b.json"])
@pytest.mark.parametrize("damage", ["gone", "changed", "folder"])
def test_a_stage_is_whole_only_with_every_output_byte_for_byte(tmp_path, record, name, damage):
    (tmp_path / name).unlink()
    if damage == "changed":
        (tmp_path / name).write_text("9")
    elif damage == "folder":
        (tmp_path / name).mkdir()
    assert not record.whole(tmp_path, "key")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"x"',
        b"{}",
        b'{"key": "k"}',
        b'{"key":"k","outputs":3,"cost":{}}',
        b'{"key":"k","outputs":{},"cost":{"cpu_s":1}}',
        b"\xff\xfe",
    ],
)
def test_a_record_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / "r.json").write_bytes(content)
    assert StageRecord.read(tmp_path / "r.json") is None
    assert StageRecord.read(tmp_path / "not there.json") is None
