"""Intake: which file is which sequence, of whom, and when, with the reason for every choice.

Why it exists: everything after it trusts names, patients and dates, so they are settled here, from file
names, folders and headers, before any voxel is read. What is not certain is refused with a remedy.
Nothing is written, and no message repeats a path, a date or a name of the input.
"""

from __future__ import annotations

from tumorboard.intake.patients import take_in
from tumorboard.intake.request import Decision, Intake, IntakeRequest

__all__ = ["Decision", "Intake", "IntakeRequest", "take_in"]
