"""Image filters of the standard's second part, by name.

Why it exists: what can be chosen is one table; a filter that is not in it does not exist, and a setting that a filter
does not have is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tumorboard.errors import InputError
from tumorboard.radiomics.filters.base import Bank, Box, Filter, Margin
from tumorboard.radiomics.filters.gabor import Gabor
from tumorboard.radiomics.filters.laws import Laws
from tumorboard.radiomics.filters.log import Log
from tumorboard.radiomics.filters.mean import Mean
from tumorboard.radiomics.filters.pyradiomics import PyRadiomicsLog, PyRadiomicsWavelet
from tumorboard.radiomics.filters.riesz import RieszLog, RieszSimoncelli
from tumorboard.radiomics.filters.simoncelli import Simoncelli
from tumorboard.radiomics.filters.wavelet import Wavelet, WaveletBands

__all__ = ["FILTERS", "Bank", "Box", "Filter", "Margin", "make_filter"]

FILTERS: Mapping[str, type[Bank]] = {
    "mean": Mean,
    "log": Log,
    "laws": Laws,
    "gabor": Gabor,
    "wavelet": Wavelet,
    "wavelets": WaveletBands,
    "simoncelli": Simoncelli,
    "riesz_log": RieszLog,
    "riesz_simoncelli": RieszSimoncelli,
    "pyradiomics_log": PyRadiomicsLog,
    "pyradiomics_wavelet": PyRadiomicsWavelet,
}
"""Every filter by its kind."""


def make_filter(kind: str, options: Mapping[str, Any]) -> Bank:
    """Return a filter.

    Parameters
    ----------
    kind : str
        A name in ``FILTERS``.
    options : dict of str
        What that kind takes.

    Raises
    ------
    InputError
        The kind is unknown, or the options are not its own.

    Examples
    --------
    >>> make_filter("log", {"sigma_mm": 3.0}).names
    ('log_3.0mm',)
    >>> make_filter("log", {"sigma": 3.0})
    Traceback (most recent call last):
    tumorboard.errors.InputError: filter log: expected its settings; got sigma_mm: Field required.
    """
    if kind not in FILTERS:
        raise InputError(f"one of the filters {', '.join(FILTERS)}", got=repr(kind), remedy="choose one of them")
    try:
        return FILTERS[kind].model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        got = f"{place}: {first['msg']}" if place else first["msg"]
        raise InputError("its settings", got=got, where=f"filter {kind}") from error
