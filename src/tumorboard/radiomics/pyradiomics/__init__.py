"""Radiomics as PyRadiomics computes it, under its names: for models in the literature that were fitted to its columns.

The way in is :func:`tumorboard.radiomics.pyradiomics.extract.extract_pyradiomics`.
"""
