"""tumorboard: from a patient's brain MR studies to what a neuro-oncology tumour board needs.

Research software; not a medical device. Names are loaded when first used, so that importing the
package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Grid": "tumorboard.volume",
    "Volume": "tumorboard.volume",
    "LabelMap": "tumorboard.labels",
    "Tissue": "tumorboard.labels",
    "Sequence": "tumorboard.sequences",
    "Study": "tumorboard.study",
    "Measurement": "tumorboard.measurement",
    "TumorboardError": "tumorboard.errors",
    "read_volume": "tumorboard.io.images",
    "write_volume": "tumorboard.io.images",
    "run": "tumorboard.chain",
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from tumorboard.chain import run as run
    from tumorboard.errors import TumorboardError as TumorboardError
    from tumorboard.io.images import read_volume as read_volume
    from tumorboard.io.images import write_volume as write_volume
    from tumorboard.labels import LabelMap as LabelMap
    from tumorboard.labels import Tissue as Tissue
    from tumorboard.measurement import Measurement as Measurement
    from tumorboard.sequences import Sequence as Sequence
    from tumorboard.study import Study as Study
    from tumorboard.volume import Grid as Grid
    from tumorboard.volume import Volume as Volume


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tumorboard' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
