"""Radiomics: features of regions as the IBSI standard defines them, in a box around each region, in compiled kernels.

The way in is :func:`tumorboard.radiomics.extract.extract`; cohorts, tables and a scikit-learn transformer stand beside.
"""
