"""Primary lymphoma of the brain: solid foci near the ventricles that restrict diffusion and enhance evenly.

Why it exists: telling it from glioblastoma is a published task. Number, place and size are as usually described
(Haldorsen IS et al., AJNR 2011;32:984-992; **unverified**): solitary in two thirds, periventricular or in the corpus
callosum, rarely necrotic, with less oedema than a metastasis of that size.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.disease.foci import Focus
from tumorboard.simulate.disease.growth import draw_voxel

SOLITARY = 0.65
DIAMETER_MM = (14.0, 42.0)
NEAR_MM = 16.0
"""Distance from the ventricles within which foci begin, mm (chosen)."""


def draw_lymphoma(head: Anatomy, rng: np.random.Generator) -> list[Focus]:
    """Draw the foci of a patient.

    Parameters
    ----------
    head : Anatomy
        Where.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    list of Focus
        One to four.

    Raises
    ------
    GeometryError
        The head has no white matter near its ventricles.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 4.0)
    >>> {focus.wall for focus in draw_lymphoma(head, np.random.default_rng(1))}
    {'lymphoma'}
    """
    away = ndi.distance_transform_edt(~head.ventricles, sampling=head.grid.spacing_mm)
    near = (away < NEAR_MM) & (head.wm > 0.6) & (head.mni_mm[2] > -8)
    number = 1 if rng.random() < SOLITARY else int(rng.integers(2, 5))
    foci = []
    for n in range(number):
        diameter = float(rng.uniform(*DIAMETER_MM)) * (1.0 if n == 0 else 0.5)
        centre = draw_voxel(near, rng)
        oedema = float(rng.uniform(0.8, 2.5))
        foci.append(Focus(centre, diameter, diameter, "lymphoma", "lymphoma", oedema, ragged=0.18))
    return foci
