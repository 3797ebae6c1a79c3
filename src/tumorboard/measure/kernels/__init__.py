"""Compiled inner loops of the measuring room (Numba); public functions live one level up."""
