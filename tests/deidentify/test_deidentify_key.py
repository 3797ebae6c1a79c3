"""The key file: sealed, readable by its owner alone, and never beside the data."""

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.deidentify import Entry, Key, Options, deidentify_tree, open_key
from tumorboard.deidentify import key as key_module
from tumorboard.deidentify.key import save_key
from tumorboard.deidentify.secret import Secret, is_standard
from tumorboard.errors import FileFormatError, InputError, OutputError

PASSPHRASE = "a long enough passphrase"
WHO = Entry("P1", "issuer", "4711", "Vornkamp^Aurelia", "19610304", -7)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    """Spend less on stretching passphrases than in earnest."""
    monkeypatch.setattr(key_module, "SCRYPT_N", 2**14)


@pytest.fixture
def path(tmp_path):
    save_key(Key(Secret(bytes(range(32))), (WHO,)), tmp_path / "study.key", PASSPHRASE)
    return tmp_path / "study.key"


def test_it_opens_with_its_passphrase_and_says_who_is_who(path):
    key = open_key(path, PASSPHRASE)
    assert key.secret == Secret(bytes(range(32)))
    assert key.who("P1") == WHO
    assert key.who("P2") is None


def test_nothing_of_it_can_be_read_without(path):
    content = path.read_bytes()
    for hidden in (b"4711", b"Vornkamp", b"19610304", bytes(range(32)).hex().encode()):
        assert hidden not in content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_neither_key_nor_entry_shows_itself(path):
    shown = f"{open_key(path, PASSPHRASE)!r} {WHO!r} {Options(key=path, passphrase=PASSPHRASE)!r}"
    for hidden in ("4711", "Vornkamp", "19610304", "-7", PASSPHRASE, path.name):
        assert hidden not in shown


def test_two_files_of_one_key_differ(path, tmp_path):
    save_key(open_key(path, PASSPHRASE), tmp_path / "again.key", PASSPHRASE)
    first, second = (json.loads(p.read_text()) for p in (path, tmp_path / "again.key"))
    assert all(first[name] != second[name] for name in ("salt", "nonce", "sealed"))


def test_another_passphrase_is_refused_in_words(path):
    with pytest.raises(InputError, match="the passphrase of the key") as told:
        open_key(path, PASSPHRASE + "x")
    assert PASSPHRASE not in str(told.value)


@pytest.mark.parametrize("name", ["salt", "nonce", "sealed"])
def test_a_changed_file_is_refused(path, name):
    content = json.loads(path.read_text())
    content[name] = content[name][::-1]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError):
        open_key(path, PASSPHRASE)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[" * 5000, '{"format": "tumorboard-key", "version": 2}', "\xff", "null"]
)
def test_what_is_no_key_file_is_refused(tmp_path, text):
    (tmp_path / "k").write_bytes(text.encode("latin-1"))
    with pytest.raises(FileFormatError, match="a key file"):
        open_key(tmp_path / "k", PASSPHRASE)


def test_a_cost_that_would_take_all_memory_is_refused(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "n": 2**40}))
    with pytest.raises(FileFormatError):
        open_key(path, PASSPHRASE)


@pytest.mark.parametrize("passphrase", ["", "short"])
def test_a_short_passphrase_is_refused_before_anything_is_written(poisoned, tmp_path, passphrase):
    with pytest.raises(InputError, match="12 characters"):
        deidentify_tree([poisoned.root], tmp_path / "out", Options(key=tmp_path / "k", passphrase=passphrase))
    assert list(tmp_path.iterdir()) == []


def test_a_key_inside_the_output_is_refused(poisoned, tmp_path):
    options = Options(key=tmp_path / "out" / "keys" / "k", passphrase=PASSPHRASE)
    with pytest.raises(OutputError, match="outside the output"):
        deidentify_tree([poisoned.root], tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_a_wrong_passphrase_leaves_the_key_as_it_was(poisoned, path, tmp_path):
    before = path.read_bytes()
    with pytest.raises(InputError):
        deidentify_tree([poisoned.root], tmp_path / "out", Options(key=path, passphrase="another passphrase"))
    assert path.read_bytes() == before
    assert not (tmp_path / "out").exists()


def test_patients_of_earlier_runs_stay_in_the_key(poisoned, path, tmp_path):
    deidentify_tree([poisoned.root], tmp_path / "out", Options(key=path, passphrase=PASSPHRASE))
    assert len(open_key(path, PASSPHRASE).entries) == 3
    assert open_key(path, PASSPHRASE).who("P1") == WHO


UIDS = st.lists(st.integers(0, 10**12), min_size=2, max_size=8).map(lambda p: "1.2." + ".".join(map(str, p)))
SECRETS = st.binary(min_size=32, max_size=32).map(Secret)


@given(SECRETS, UIDS, UIDS)
def test_unique_identifiers_map_one_to_one_and_are_valid(secret, one, other):
    new = secret.uid(one)
    assert (new == secret.uid(other)) == (one == other)
    assert new != one
    assert len(new) <= 64
    assert new.startswith("2.25.")
    number = new.removeprefix("2.25.")
    assert str(int(number)) == number
    assert int(number) < 2**128
    assert not is_standard(new)


@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
def test_pseudonyms_are_stable_letters_and_digits_and_borders_count(secret, issuer, number):
    name = secret.pseudonym(issuer, number)
    assert name == secret.pseudonym(issuer, number)
    assert name.isascii()
    assert name.isalnum()
    assert len(name) == 12
    if issuer + number:
        assert name != secret.pseudonym(issuer + number)
    assert -3650 <= secret.shift_days(issuer, number) <= -1


@given(SECRETS, SECRETS, st.text(min_size=1, max_size=20))
def test_another_secret_gives_another_pseudonym(one, other, number):
    assert (one.pseudonym(number) == other.pseudonym(number)) == (one == other)
