"""One study as shares of tissue: the form in which anatomy is kept and read back without being copied.

Why it exists: drawing a head takes seconds, weighting a patch of it milliseconds. Shares lie in bytes, tissue last,
so that one place is one short run of memory; those of tumour only in the tumour's box. It refuses what it does not
know: a matter without a name in :data:`HEALTHY` or :data:`DISEASED` is an error, never dropped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.simulate.body.shell import draw_shell
from tumorboard.simulate.scanner.head import padded
from tumorboard.simulate.subject import Made
from tumorboard.store import write_atomic, write_json
from tumorboard.volume import box_around

Bytes = NDArray[np.uint8]

HEALTHY = ("csf", "gm", "wm", "gliosis", "plexus", "vessel", "dura", "pituitary")
"""Matters of a head without disease, in the order of the last axis."""

DISEASED = (
    *("oedema", "infiltrate", "microcystic", "vital", "necrosis", "lymphoma", "metastasis", "cyst", "cavity"),
    *("methaemoglobin", "haemosiderin", "calcium", "radionecrosis", "inflamed"),
)
"""Matters of disease; a specimen keeps those that it has."""

FULL = 255
"""Byte of a whole voxel of one matter."""


@dataclass(frozen=True)
class Specimen:
    """Shares of tissue of one study.

    Parameters
    ----------
    spacing_mm : float
        Voxel size, equal along all axes; axes run right, front and up.
    healthy : ndarray of uint8, shape (i, j, k, 8)
        Shares of :data:`HEALTHY`, 255 is all.
    sick : ndarray of uint8, shape (a, b, c, n)
        Shares of ``matters`` in the tumour's box; empty without a tumour.
    matters : tuple of str
        Of :data:`DISEASED`.
    corner : (int, int, int)
        First voxel of the tumour's box.
    labels : ndarray of uint8, shape (a, b, c)
        1 NETC, 2 SNFH, 3 ET, 4 RC, in the same box.
    lesions : ndarray of uint16, shape (a, b, c)
        Number of each round lesion, in the same box; 0 where lesions are not numbered.
    shell : ndarray of uint8, shape (a, b, c), optional
        What lies around the brain, as places in :data:`tumorboard.simulate.body.shell.TISSUES`, on a larger grid.
    before : (int, int, int)
        Voxels that the larger grid has before the first of the brain's.
    """

    spacing_mm: float
    healthy: Bytes
    sick: Bytes
    matters: tuple[str, ...]
    corner: tuple[int, int, int]
    labels: Bytes
    lesions: NDArray[np.uint16]
    shell: Bytes | None = None
    before: tuple[int, int, int] = (0, 0, 0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        i, j, k = self.healthy.shape[:3]
        return i, j, k

    @classmethod
    def of(cls, study: Made, heads: bool = False) -> Specimen:
        """Return a study of a digital patient as shares in bytes, with what lies around the brain if asked for.

        Raises
        ------
        ValueError
            The study holds a matter that no specimen knows; that is a defect of ours.
        """
        parts = study.mixture.parts
        unknown = set(parts) - {*HEALTHY, *DISEASED}
        if unknown:
            raise ValueError(f"matters that a specimen knows; got {', '.join(sorted(unknown))}")
        shape = study.truth.data.shape
        zero = np.zeros(shape, dtype=np.float32)
        healthy = np.stack([_bytes(parts.get(name, zero)) for name in HEALTHY], axis=-1)
        matters = tuple(name for name in DISEASED if name in parts and bool((parts[name] > 0.5 / FULL).any()))
        anywhere = study.truth.data > 0
        for name in matters:
            anywhere = anywhere | (parts[name] > 0.5 / FULL)
        box = box_around(anywhere) or (slice(0, 0),) * 3
        sick = [_bytes(parts[name][box]) for name in matters]
        lesions = study.lesions if study.lesions is not None else np.zeros(shape, np.uint16)
        shell, before = _shell(study) if heads else (None, (0, 0, 0))
        return cls(
            spacing_mm=float(study.truth.grid.spacing_mm[0]),
            healthy=healthy,
            sick=np.stack(sick, axis=-1) if sick else np.zeros((0, 0, 0, 0), np.uint8),
            matters=matters,
            corner=(box[0].start, box[1].start, box[2].start),
            labels=study.truth.data[box].copy(),
            lesions=lesions[box].copy(),
            shell=shell,
            before=before,
        )

    def write(self, folder: Path, **told: Any) -> None:
        """Write the specimen into a folder; ``about.json`` last, so that a folder with one is whole."""
        arrays: dict[str, NDArray[Any]] = {
            "healthy": self.healthy,
            "sick": self.sick,
            "labels": self.labels,
            "lesions": self.lesions,
        }
        if self.shell is not None:
            arrays["shell"] = self.shell
        for name, array in arrays.items():
            write_atomic(folder / f"{name}.npy", _npy(array))
        about: dict[str, Any] = {"spacing_mm": self.spacing_mm, "matters": list(self.matters)}
        about |= {"corner": list(self.corner), "before": list(self.before)}
        write_json(folder / "about.json", about | told)

    @classmethod
    def read(cls, folder: Path) -> Specimen:
        """Open a specimen; arrays stay on disk until a part of them is looked at."""
        about = json.loads((folder / "about.json").read_text())
        read = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            if name == "healthy"
            else np.load(folder / f"{name}.npy", allow_pickle=False)
            for name in ("healthy", "sick", "labels", "lesions")
        }
        kept = (folder / "shell.npy").is_file()
        read["shell"] = np.load(folder / "shell.npy", mmap_mode="r", allow_pickle=False) if kept else None
        corner, before = tuple(about["corner"]), tuple(about.get("before", (0, 0, 0)))
        return cls(about["spacing_mm"], matters=tuple(about["matters"]), corner=corner, before=before, **read)


def _shell(study: Made) -> tuple[Bytes, tuple[int, int, int]]:
    grid, widths = padded(study.truth.grid)
    i, j, k = (before for before, _ in widths)
    return draw_shell(np.pad(study.head.brain, widths), grid), (i, j, k)


def _bytes(share: NDArray[np.float32]) -> Bytes:
    return np.rint(np.clip(share, 0.0, 1.0) * FULL).astype(np.uint8)


def _npy(array: NDArray[Any]) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
