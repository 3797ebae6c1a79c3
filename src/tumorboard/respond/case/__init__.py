"""Visits from a patient's case folder, as ``tumorboard run`` writes it."""
