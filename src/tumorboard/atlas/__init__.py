"""Reference anatomy: the ICBM152 average brain and coarse names of places in it.

Nothing here is a patient, and nothing here registers one; callers bring coordinates in MNI mm.
"""
