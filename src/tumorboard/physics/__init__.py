"""The physics of MR, PET and CT signals: closed forms forwards, fits backwards.

Why it exists: digital patients are made with the forward equations, and maps are measured with the fits; both must
agree with the papers and with each other.
"""
