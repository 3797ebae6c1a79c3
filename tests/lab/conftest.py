"""Small cohorts: one that `tumorboard simulate` makes, and heads of balls whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from tumorboard.io.images import write_volume
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.sequences import BIDS_SUFFIX, Sequence
from tumorboard.simulate.cohort import CohortPlan, write_cohort
from tumorboard.simulate.subject import Kind
from tumorboard.volume import Grid, Volume

SHAPE, STEP_MM = (36, 40, 36), 4.0
HEAD_MM, CENTRE = 64.0, np.array([17.5, 19.5, 17.5])


@pytest.fixture(scope="session")
def digital_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four digital gliomas of two sites, two studies each, with ADC, DSC and DTI."""
    folder = tmp_path_factory.mktemp("digital")
    extras = (Sequence.ADC, Sequence.DSC, Sequence.DTI)
    list(write_cohort(CohortPlan(patients=4, visits=2, spacing_mm=6.0, sites=2, extras=extras), folder))
    return folder


@pytest.fixture(scope="session")
def digital_cohort(digital_folder: Path) -> Cohort:
    """The same, read."""
    return read_cohort(digital_folder)


@pytest.fixture(scope="session")
def metastases_cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Two digital patients with metastases."""
    folder = tmp_path_factory.mktemp("metastases")
    list(write_cohort(CohortPlan(patients=2, visits=2, spacing_mm=4.0, kind=Kind.METASTASES), folder))
    return read_cohort(folder)


class Heads:
    """Writes heads that are balls, in BIDS."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.grid = Grid(SHAPE, np.array([[4, 0, 0, -70], [0, 4, 0, -78], [0, 0, 4, -70], [0, 0, 0, 1.0]]))
        self.away = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), -1) - CENTRE
        self.brain = np.linalg.norm(self.away * STEP_MM, axis=-1) <= HEAD_MM

    def ball(self, at_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
        """Return a ball around a place, mm from the middle of the head."""
        return np.linalg.norm(self.away * STEP_MM - np.array(at_mm), axis=-1) <= radius_mm

    def image(self, seed: int, contrast: float = 1.0) -> np.ndarray:
        """Return tissue with a gradient and grain, 0 outside."""
        grain = np.random.default_rng(seed).normal(0.0, 8.0, SHAPE)
        return np.where(self.brain, contrast * (200.0 + 3.0 * self.away[..., 1] + grain), 0.0)

    def write(
        self,
        patient: str,
        images: Mapping[Sequence, np.ndarray],
        labels: np.ndarray | None = None,
        session: str = "ses-01",
        grid: Grid | None = None,
        maps: Mapping[str, np.ndarray] | None = None,
        coarse: Grid | None = None,
    ) -> None:
        """Write one study; maps by the ends of their names, on a coarse grid of their own where one is told."""
        stem, where = f"sub-{patient}_{session}", self.home / f"sub-{patient}" / session / "anat"
        for sequence, data in images.items():
            volume = Volume(np.asarray(data, dtype=np.float32), grid or self.grid)
            write_volume(volume, where / f"{stem}_{BIDS_SUFFIX[sequence]}.nii.gz")
        beside = self.home / "derivatives" / "masks" / f"sub-{patient}" / session
        if labels is not None:
            write_volume(Volume(labels.astype(np.uint8), grid or self.grid), beside / f"{stem}_dseg.nii.gz")
        for ending, data in (maps or {}).items():
            volume = Volume(np.asarray(data, dtype=np.float32), coarse or grid or self.grid)
            write_volume(volume, beside / f"{stem}_{ending}.nii.gz")

    def labels(self, at_mm: tuple[float, float, float] = (24.0, 0.0, 0.0), radius_mm: float = 12.0) -> np.ndarray:
        """Return enhancing tumour around necrosis, in oedema."""
        out = np.where(self.ball(at_mm, radius_mm + 8.0), 2, 0)
        out[self.ball(at_mm, radius_mm)] = 3
        out[self.ball(at_mm, radius_mm / 2)] = 1
        return out


@pytest.fixture
def heads(tmp_path: Path) -> Heads:
    return Heads(tmp_path / "heads")


@pytest.fixture
def four(heads: Heads) -> Callable[[int, np.ndarray], dict[Sequence, np.ndarray]]:
    """Make the four sequences of a head with a tumour that is seen on all."""

    def make(seed: int, labels: np.ndarray) -> dict[Sequence, np.ndarray]:
        names = (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR)
        return {s: heads.image(10 * seed + n) + 40.0 * labels * heads.brain for n, s in enumerate(names)}

    return make
