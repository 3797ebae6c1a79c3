"""``tumorboard deidentify`` as its user meets it."""

from __future__ import annotations

import pytest

NAME = "TUMORBOARD_KEY_PASSPHRASE"
PASSPHRASE = "a long enough passphrase"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    from tumorboard.deidentify import key

    monkeypatch.setattr(key, "SCRYPT_N", 2**14)
    monkeypatch.delenv(NAME, raising=False)


def test_a_folder_of_a_person_becomes_one_of_nobody(command, write, home, tmp_path, contents):
    write("T1", "FLAIR")
    ended = command("deidentify", home, "--out", tmp_path / "out")
    assert ended.code == 0, ended.text
    assert "nothing leads back" in ended.flat
    names = contents(tmp_path / "out")
    assert len([n for n in names if n.endswith(".nii.gz")]) == 2
    for word in ("DOE", "JANE", "1961"):
        assert word not in ended.text
        assert not any(word in name or word.encode() in content for name, content in names.items())


def test_the_same_key_gives_the_same_files(command, write, home, tmp_path, contents, monkeypatch):
    write("T1")
    monkeypatch.setenv(NAME, PASSPHRASE)
    for out in ("a", "b"):
        assert command("deidentify", home, "--out", tmp_path / out, "--key", tmp_path / "k.key").code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_key_without_a_passphrase_is_refused(refused, write, home, tmp_path):
    write("T1")
    refused("deidentify", home, "--out", tmp_path / "out", "--key", tmp_path / "k.key", says=("TUMORBOARD_KEY",))
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "k.key").exists()


def test_a_wrong_passphrase_is_refused(command, refused, write, home, tmp_path, monkeypatch):
    write("T1")
    monkeypatch.setenv(NAME, PASSPHRASE)
    command("deidentify", home, "--out", tmp_path / "a", "--key", tmp_path / "k.key")
    monkeypatch.setenv(NAME, "quite another passphrase")
    refused(
        "deidentify", home, "--out", tmp_path / "b", "--key", tmp_path / "k.key", says=("the passphrase of the key",)
    )


def test_an_empty_folder_and_an_output_within_are_refused(refused, write, home, tmp_path):
    (tmp_path / "empty").mkdir()
    refused("deidentify", tmp_path / "empty", "--out", tmp_path / "out", says=("DICOM or NIfTI files", "no files"))
    write("T1")
    refused("deidentify", home, "--out", home / "out", says=("apart from the input",))
    refused("deidentify", home / "nowhere", "--out", tmp_path / "out", says=("exists",))


def test_what_is_left_out_is_told_without_its_name(command, write, home, tmp_path):
    write("T1")
    (home / "DOE_JANE.txt").write_text("JANE")
    ended = command("deidentify", home, "--out", tmp_path / "out")
    assert ended.code == 0
    assert "left out: 1 x neither DICOM nor NIfTI" in ended.flat
    assert "JANE" not in ended.text
