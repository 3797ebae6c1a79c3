"""Choices that several doors share, without importing anything, so that ``--help`` comes at once."""

from __future__ import annotations

SEGMENTER = "joined:glioma+fuzzy"
"""What outlines tumours unless something else is asked for: network and untrained method err in other places."""

DETECTOR = "joined"
"""What looks for lesions one by one unless something else is asked for: network and template miss other lesions."""
