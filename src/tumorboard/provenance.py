"""What ran, with which software, and what it cost.

Why it exists: every output says how it came about. Costs are CPU seconds and peak memory of a stage;
wall time depends on what else the machine does and is not kept.
"""

from __future__ import annotations

import contextlib
import platform
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PARTS = ("numpy", "scipy", "numba", "nibabel", "SimpleITK", "connected-components-3d", "pydantic", "matplotlib")
"""Packages whose versions can change a number or a picture."""

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """CPU seconds of all threads, and peak memory of the process in MiB."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0


@contextlib.contextmanager
def measured_cost() -> Iterator[Cost]:
    """Measure what a block costs; the peak is the block's own where the system can tell.

    Examples
    --------
    >>> with measured_cost() as cost:
    ...     _ = sum(range(1000))
    >>> cost.peak_mib > 0
    True
    """
    cost = Cost()
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")
    start = time.process_time()
    try:
        yield cost
    finally:
        cost.cpu_s = time.process_time() - start
        cost.peak_mib = _peak_mib()


def _peak_mib() -> float:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024.0
    except (OSError, ValueError, IndexError):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def software(own_version: str) -> dict[str, str]:
    """Return versions of tumorboard, Python and the parts that can change a result."""
    out = {"tumorboard": own_version, "python": platform.python_version()}
    for name in PARTS:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "not installed"
    return out
