"""Room of de-identification: a tree of images in, the same without whose they are out.

Why it exists: heads leave a hospital only when nothing in them says whose they are, when whoever receives
them can still follow one patient over time, and when the way back lies in another place, under lock.
"""

from __future__ import annotations

from tumorboard.deidentify.key import Entry, Key, open_key
from tumorboard.deidentify.tree import Deidentified, Options, deidentify_tree

__all__ = ["Deidentified", "Entry", "Key", "Options", "deidentify_tree", "open_key"]
