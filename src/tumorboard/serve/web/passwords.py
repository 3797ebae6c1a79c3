"""Passwords: hashed with argon2, compared in equal time, never kept, never logged.

Why it exists: a stolen database must not give away passwords, and the time of an answer must not tell whether a name
exists. Source: RFC 9106 (argon2id, second recommended parameters).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tumorboard.errors import InputError

LEAST, MOST = 12, 256
"""Characters of a password."""

_AT_ONCE = 2  # each takes 64 MiB


class Passwords:
    """Makes and checks hashes; a few at a time, because each takes memory.

    Examples
    --------
    >>> passwords = Passwords()
    >>> kept = passwords.hashed("correct horse battery")
    >>> kept.startswith("$argon2id$"), passwords.right(kept, "correct horse battery"), passwords.right(None, "x" * 12)
    (True, True, False)
    """

    def __init__(self) -> None:
        self._hasher, self._gate = PasswordHasher(), BoundedSemaphore(_AT_ONCE)
        self._pepper = secrets.token_bytes(32)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    def hashed(self, password: str) -> str:
        """Return what is kept of a password.

        Raises
        ------
        InputError
            It is too short or too long.
        """
        check_password(password)
        with self._gate:
            return self._hasher.hash(password)

    def right(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one that was kept; as slow for a user who is not there (None)."""
        with self._gate:
            try:
                same = self._hasher.verify(kept or self._nobody, password[:MOST])
            except (VerificationError, InvalidHashError):
                return False
        return same and kept is not None

    def mark(self, kept: str, password: str) -> str:
        """Return a mark of a pair that was right, of use in this process only; nothing can be told from it."""
        return hmac.new(self._pepper, f"{kept}\0{password}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def check_password(password: str) -> None:
    """Refuse a password that is too short or too long. Source: NIST SP 800-63B-4 3.1.1 (length, no composition rules).

    Raises
    ------
    InputError
        Says how long it must be, never what it was.

    Examples
    --------
    >>> check_password("short")
    Traceback (most recent call last):
    tumorboard.errors.InputError: password: expected 12 to 256 characters; got 5.
    """
    if not LEAST <= len(password) <= MOST:
        raise InputError(f"{LEAST} to {MOST} characters", got=str(len(password)), where="password")
