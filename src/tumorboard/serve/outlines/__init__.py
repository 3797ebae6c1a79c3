"""Corrected outlines: where they lie, which one holds, and what follows: results made anew, and training data."""
