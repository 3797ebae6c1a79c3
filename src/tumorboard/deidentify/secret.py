"""One secret, and what follows from it: pseudonyms, unique identifiers, and how far dates move.

Why it exists: the same patient, study or reference must become the same thing in every file and in every
later run, without a table of what was what beside the data. A keyed hash does that; without the key
nothing leads back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field

LENGTH = 32
"""Bytes of a secret (256 bits)."""

PSEUDONYM_LENGTH = 12
"""Letters and digits of a pseudonym; chosen: 55 bits, so that a million patients do not collide."""

MAX_SHIFT_DAYS = 3650
"""Dates move back by 1 to this many days; chosen."""


def is_standard(uid: str) -> bool:
    """Whether a unique identifier is one of the standard's own (PS3.6 Annex A), which says nothing of anybody.

    Examples
    --------
    >>> is_standard("1.2.840.10008.1.2.1"), is_standard("1.2.840.10008.471108")
    (True, False)
    """
    from pydicom.uid import UID

    return bool(UID(uid).name != uid)  # a name is what the dictionary gives


@dataclass(frozen=True)
class Secret:
    """A key of HMAC-SHA256 (RFC 2104), and what is derived from it.

    Parameters
    ----------
    raw : bytes
        At least 32 random bytes; hidden from ``repr``.

    Examples
    --------
    >>> s = Secret(bytes(32))
    >>> s.pseudonym("issuer", "4711") == s.pseudonym("issuer", "4711"), s.shift_days("issuer", "4711") < 0
    (True, True)
    >>> s
    Secret()
    """

    raw: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Secret:
        """Return a new random secret."""
        return cls(secrets.token_bytes(LENGTH))

    def pseudonym(self, *identity: str) -> str:
        """Return what a patient is called in every output: ``P`` and letters and digits."""
        text = base64.b32encode(self._mac("pseudonym", *identity)).decode()
        return "P" + text[: PSEUDONYM_LENGTH - 1]

    def shift_days(self, *identity: str) -> int:
        """Return by how many days all dates of a patient move: -3650 to -1."""
        return -1 - int.from_bytes(self._mac("shift", *identity)[:8], "big") % MAX_SHIFT_DAYS

    def uid(self, original: str) -> str:
        """Return the identifier that stands for another one: ``2.25.`` and a UUID as a number (PS3.5 B.2).

        Examples
        --------
        >>> Secret(bytes(32)).uid("1.2.3") == Secret(bytes(32)).uid("1.2.3 ")
        True
        """
        plain = original.strip("\0 ")
        return f"2.25.{uuid.UUID(bytes=self._mac('uid', plain)[:16], version=5).int}"

    def _mac(self, *parts: str) -> bytes:
        message = b"".join(len(p).to_bytes(4, "big") + p for p in (t.encode("utf-8", "surrogateescape") for t in parts))
        return hmac.new(self.raw, message, hashlib.sha256).digest()
