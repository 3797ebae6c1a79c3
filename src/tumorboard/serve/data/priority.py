"""How urgent an order is, in the words of orders and of worklists.

Why it exists: DICOM has two lists. A requested procedure (0040,1003) may be STAT, HIGH, ROUTINE, MEDIUM or LOW; a
unified procedure step (0074,1200) knows HIGH, which means what STAT means elsewhere, MEDIUM, and LOW, which is routine.
Ours keeps STAT apart, for the order of our own list, and says what it is called in the other.

Source: PS3.3 C.30.2 and PS3.4 CC (Scheduled Procedure Step Priority); PS3.3 C.4.11 (Requested Procedure Priority).
"""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """Greater is more urgent.

    Examples
    --------
    >>> max(Priority.of("ROUTINE"), Priority.HIGH).name, Priority.STAT.ups
    ('HIGH', 'HIGH')
    """

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    STAT = 4

    @classmethod
    def of(cls, word: str) -> Priority | None:
        """Return what an order said, in any of DICOM's words; None where it said nothing that is known.

        Parameters
        ----------
        word : str
            Value of (0040,1003) or (0074,1200); case does not matter.
        """
        spelled = word.strip().upper()
        return cls.__members__.get("LOW" if spelled == "ROUTINE" else spelled)

    @classmethod
    def highest(cls, *words: str) -> str:
        """Return the most urgent of some words as we write it; empty where none is known.

        Examples
        --------
        >>> Priority.highest("", "routine", "STAT"), Priority.highest("soon")
        ('STAT', '')
        """
        known = [found for found in map(cls.of, words) if found is not None]
        return max(known).name if known else ""

    @property
    def ups(self) -> str:
        """The value of Scheduled Procedure Step Priority (0074,1200)."""
        return "HIGH" if self is Priority.STAT else self.name
