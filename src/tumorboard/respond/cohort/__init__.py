"""Criteria beside each other over many patients: agreement, survival, curves."""
