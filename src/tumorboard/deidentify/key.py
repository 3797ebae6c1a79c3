"""The key file: the secret and who was who, encrypted, kept apart from the data.

Why it exists: a later study of the same patient must get the same pseudonym, and a finding must find its
way back to the ward. Both need one small file that is worthless without its passphrase. There is no
unencrypted key; a run without a key throws its secret away, and nothing leads back.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tumorboard.deidentify.secret import LENGTH, Secret
from tumorboard.errors import FileFormatError, InputError
from tumorboard.store import TEMPORARY_PREFIX, output_error

FORMAT = "tumorboard-key"
VERSION = 1

MIN_PASSPHRASE = 12
"""Fewest characters of a passphrase; chosen."""

SCRYPT_N = 2**16
"""Cost of scrypt (RFC 7914) with r = 8, p = 1: 64 MiB, a fraction of a second; chosen."""

_MAX_N = 2**20
_MAX_BYTES = 1 << 28


@dataclass(frozen=True)
class Entry:
    """Who one pseudonym is; never shown.

    Parameters
    ----------
    pseudonym : str
        As in the outputs.
    issuer, patient_id, name, birth_date : str
        As in the originals.
    shift_days : int
        Days by which the dates were moved; 0 where they were kept.
    """

    pseudonym: str
    issuer: str = field(repr=False)
    patient_id: str = field(repr=False)
    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    shift_days: int = field(repr=False)


@dataclass(frozen=True)
class Key:
    """What a key file holds.

    Parameters
    ----------
    secret : Secret
        Everything else follows from it.
    entries : tuple of Entry
        One a patient of all runs with this key.
    """

    secret: Secret
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def with_entries(self, entries: Iterable[Entry]) -> Key:
        """Return the key with these patients added; one known already takes its newest entry."""
        merged = {e.pseudonym: e for e in (*self.entries, *entries)}
        return Key(self.secret, tuple(merged[name] for name in sorted(merged)))

    def who(self, pseudonym: str) -> Entry | None:
        """Return who a pseudonym is, or None."""
        return next((e for e in self.entries if e.pseudonym == pseudonym), None)


def check_passphrase(passphrase: str) -> str:
    """Return the passphrase if it is long enough.

    Raises
    ------
    InputError
        Fewer characters than ``MIN_PASSPHRASE``.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        told = "set TUMORBOARD_KEY_PASSPHRASE, or type one when asked"
        got = "a shorter one" if passphrase else "none"
        raise InputError(f"a passphrase of {MIN_PASSPHRASE} characters or more", got=got, where="--key", remedy=told)
    return passphrase


def save_key(key: Key, path: Path, passphrase: str) -> None:
    """Write a key file: JSON with scrypt's parameters and an AES-256-GCM ciphertext; readable by its owner alone.

    Raises
    ------
    InputError
        The passphrase is too short.
    OutputError
        The place cannot be written.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(16), os.urandom(12)
    plain = {"secret": key.secret.raw.hex(), "entries": [asdict(e) for e in key.entries]}
    wrapping = _wrapping(check_passphrase(passphrase), salt, SCRYPT_N)
    sealed = AESGCM(wrapping).encrypt(nonce, json.dumps(plain).encode(), FORMAT.encode())
    fields = {"salt": salt, "nonce": nonce, "sealed": sealed}
    encoded = {name: base64.b64encode(value).decode() for name, value in fields.items()}
    head = {"format": FORMAT, "version": VERSION, "kdf": "scrypt", "n": SCRYPT_N, "cipher": "AES-256-GCM"}
    _write_private(path, json.dumps({**head, **encoded}, indent=1).encode() + b"\n")


def open_key(path: Path, passphrase: str) -> Key:
    """Read a key file: the way back from pseudonyms to patients.

    Parameters
    ----------
    path : Path
        Written by a run with ``--key``.
    passphrase : str
        The one it was written with.

    Returns
    -------
    Key

    Raises
    ------
    FileFormatError
        It is no key file, or is damaged.
    InputError
        The passphrase is another one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     save_key(Key(Secret(bytes(32))), Path(d) / "study.key", "correct horse battery")
    ...     open_key(Path(d) / "study.key", "correct horse battery").entries
    ()
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce, sealed, cost = _read_fields(path)
    try:
        plain = AESGCM(_wrapping(passphrase, salt, cost)).decrypt(nonce, sealed, FORMAT.encode())
    except InvalidTag:
        told = "give the passphrase this key was made with"
        raise InputError(
            "the passphrase of the key", got="another, or a changed file", where="--key", remedy=told
        ) from None
    except ValueError:
        raise _damaged() from None
    return _key_of(plain)


def _key_of(plain: bytes) -> Key:
    try:
        content = json.loads(plain)
        raw = bytes.fromhex(content["secret"])
        entries = tuple(Entry(**entry) for entry in content["entries"])
    except (ValueError, KeyError, TypeError):
        raise _damaged() from None
    if len(raw) < LENGTH:
        raise _damaged()
    return Key(Secret(raw), entries)


def _read_fields(path: Path) -> tuple[bytes, bytes, bytes, int]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _damaged()
        content: Any = json.loads(path.read_bytes())
        known = content["format"] == FORMAT and content["version"] == VERSION
        cost = int(content["n"])
        salt, nonce, sealed = (base64.b64decode(content[name], validate=True) for name in ("salt", "nonce", "sealed"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise _damaged() from None
    if not known or not 2**14 <= cost <= _MAX_N or cost & (cost - 1) or len(salt) < 8:
        raise _damaged()
    return salt, nonce, sealed, cost


def _damaged() -> FileFormatError:
    told = "give the file that an earlier run wrote with --key"
    return FileFormatError("a key file", got="something else, or a damaged one", where="--key", remedy=told)


def _wrapping(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode("utf-8", "surrogateescape"))


def _write_private(path: Path, content: bytes) -> None:
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise output_error(error) from None
