"""Digital patients that networks are judged on: other seeds, scanned by the simulator's sites, never drawn by training.

Why it exists: training draws its own contrasts; what comes from the sites' physics, noise, slices and mishaps is
another source. Seeds below ``FIRST_SEED`` belong to training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap
from tumorboard.learn.draw.place import SEEN, SOFT
from tumorboard.prepare.intensity import normalise
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.sites import SITES
from tumorboard.simulate.subject import Kind, Made, draw_member, studies
from tumorboard.study import Study
from tumorboard.volume import Volume

FIRST_SEED = 900_000
"""Pools of training have smaller seeds."""


@dataclass(frozen=True)
class HeldOut:
    """One digital study.

    Parameters
    ----------
    study : Study
        Prepared.
    truth : LabelMap
        On its grid.
    site : str
        Where it was scanned.
    lesions : ndarray of uint16, shape (i, j, k), or None
        Number of each metastasis' core, 0 elsewhere, oedema too; None for gliomas.
    """

    study: Study
    truth: LabelMap
    site: str
    lesions: NDArray[np.uint16] | None = None


def held_out(
    seed: int,
    patients: int,
    kind: Kind,
    spacing_mm: float = 1.0,
    visits: int = 1,
    extras: tuple[Sequence, ...] = (),
) -> Iterator[HeldOut]:
    """Make hold-out patients; of several visits one is taken, in turn.

    Parameters
    ----------
    seed : int
        Added to :data:`FIRST_SEED`.
    patients : int
        How many.
    kind : Kind
        Of tumour.
    spacing_mm : float
        Voxel size.
    visits : int
        Of each patient; later ones are after treatment.
    extras : tuple of Sequence
        Further series, for example black-blood.

    Yields
    ------
    HeldOut

    Examples
    --------
    >>> case = next(held_out(0, 1, Kind.GLIOMA, 6.0))
    >>> case.study.grid.matches(case.truth.grid), case.site in {s.name for s in SITES}
    (True, True)
    """
    for n in range(patients):
        yield held_out_patient(seed, n, kind, spacing_mm, visits, extras)


def held_out_patient(
    seed: int, n: int, kind: Kind, spacing_mm: float = 1.0, visits: int = 1, extras: tuple[Sequence, ...] = ()
) -> HeldOut:
    """Make hold-out patient ``n``, from 0; for the rest see :func:`held_out`.

    Examples
    --------
    >>> held_out_patient(0, 1, Kind.GLIOMA, 6.0).study.id
    'ses-02'
    """
    own = FIRST_SEED + seed
    member = draw_member(own, n, kind, len(SITES), visits)
    made = next(islice(studies(own, member, spacing_mm, extras), n % visits, None))
    brain = made.head.brain
    images = {**made.volumes, **{s: Volume(e.data, e.grid) for s, e in made.extras.items()}}
    volumes = {s: normalise(v, brain, s.value)[0] for s, v in images.items()}
    return HeldOut(Study(f"ses-{n + 1:02d}", volumes, brain), _visible(made), member.site.name, _cores(made))


def _cores(made: Made) -> NDArray[np.uint16] | None:
    if made.lesions is None:
        return None
    return np.where(made.truth.region("TC"), made.lesions, np.uint16(0))


def _visible(made: Made) -> LabelMap:
    """Return the truth as readers could draw it: oedema where it is at least :data:`SEEN` of a voxel."""
    data = made.truth.data
    soft = sum((made.mixture.parts[m] for m in SOFT if m in made.mixture.parts), np.zeros(data.shape, np.float32))
    visible = np.where(soft >= SEEN, np.uint8(2), np.uint8(0))
    return made.truth.with_data(np.where((data == 0) | (data == 2), visible, data).astype(np.uint8))
