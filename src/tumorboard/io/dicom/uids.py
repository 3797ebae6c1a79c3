"""Unique identifiers that follow from what they name: the same parts give the same UID.

Why it exists: running twice must write the same files, and a result must find its series again. No
organisation's root is borrowed. Source: PS3.5 B.2 (UIDs from a UUID, root 2.25); RFC 9562 5.5 (from names).
"""

from __future__ import annotations

import uuid

from tumorboard.store import digest

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "tumorboard")


def uid_from(*parts: str) -> str:
    """Return the UID of a thing that is named by its parts.

    Parameters
    ----------
    parts : str
        For example a series' UID and a role; their borders count.

    Returns
    -------
    str
        ``2.25.`` and a decimal number: at most 44 characters. The parts cannot be read back from it.

    Examples
    --------
    >>> uid_from("7", "study", "1")
    '2.25.145210631336213988562116043806628988923'
    >>> uid_from("ab", "c") == uid_from("a", "bc")
    False
    """
    return f"2.25.{uuid.uuid5(_NAMESPACE, digest(*parts)).int}"
