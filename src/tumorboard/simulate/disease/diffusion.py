"""Diffusion on a voxel grid: fluxes through faces, and the steady state with uptake.

Why it exists: cells and oedema spread by the same arithmetic. Fluxes are conservative, nothing crosses
the border of the array, and a face conducts as well as its worse side, so a voxel of diffusivity 0 is
a wall. No time stepping here: callers own their clocks.
"""

from __future__ import annotations

import numpy as np

from tumorboard.simulate.fields import Float


def conductances(speed: Float, spacing_mm: tuple[float, float, float]) -> list[Float]:
    """Return how well each inner face conducts, per axis, 1/day.

    Parameters
    ----------
    speed : ndarray of float32, shape (i, j, k)
        Diffusivity, mm²/day.
    spacing_mm : (float, float, float)
        Voxel size, mm.

    Returns
    -------
    list of three ndarrays of float32
        Smaller diffusivity of the two sides over the spacing squared; one shorter along its own axis.

    Examples
    --------
    >>> conductances(np.ones((2, 1, 1), np.float32), (2.0, 2.0, 2.0))[0].ravel().tolist()
    [0.25]
    """
    faces = []
    for axis, spacing in enumerate(spacing_mm):
        worse = np.minimum(speed[_span(axis, 1, None)], speed[_span(axis, None, -1)])
        faces.append(np.asarray(worse / spacing**2, dtype=np.float32))
    return faces


FIBRES = (0.8, 1.7, 0.8)
"""Conduction along left-right, back-front and feet-head against the mean: long fibres run front to back (chosen, so
that tumours are as elongated as those of UCSF-PDGM)."""


def along_fibres(conduct: list[Float]) -> list[Float]:
    """Return conductances that are better along the main direction of fibres.

    Examples
    --------
    >>> faces = conductances(np.ones((2, 2, 2), np.float32), (1.0, 1.0, 1.0))
    >>> [round(float(f.max()), 1) for f in along_fibres(faces)]
    [0.8, 1.7, 0.8]
    """
    return [faces * np.float32(part) for faces, part in zip(conduct, FIBRES, strict=True)]


def divergence(density: Float, conduct: list[Float]) -> Float:
    """Return the net inflow into each voxel, shape (i, j, k), density/day; it sums to 0.

    Examples
    --------
    >>> density = np.array([1.0, 0.0], np.float32).reshape(2, 1, 1)
    >>> divergence(density, conductances(np.ones_like(density), (1.0, 1.0, 1.0))).ravel().tolist()
    [-1.0, 1.0]
    """
    out = np.zeros_like(density)
    for axis, faces in enumerate(conduct):
        flow = faces * np.diff(density, axis=axis)
        out[_span(axis, None, -1)] += flow
        out[_span(axis, 1, None)] -= flow
    return out


def steady_state(conduct: list[Float], uptake: Float, source: Float) -> Float:
    """Solve uptake x - div(D grad x) = source by conjugate gradients, scaled by the diagonal.

    Parameters
    ----------
    conduct : list of ndarray
        From :func:`conductances`.
    uptake : ndarray of float32, shape (i, j, k)
        Positive everywhere, 1/day.
    source : ndarray of float32, shape (i, j, k)
        Not zero everywhere, density/day.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Density, to a relative residual of 1e-4 in the scaled norm.

    Examples
    --------
    >>> one = np.ones((3, 3, 3), np.float32)
    >>> float(steady_state(conductances(one, (1.0, 1.0, 1.0)), 0.5 * one, one).mean().round(4))
    2.0
    """
    diagonal = uptake.copy()
    for axis, faces in enumerate(conduct):
        diagonal[_span(axis, None, -1)] += faces
        diagonal[_span(axis, 1, None)] += faces
    answer = np.zeros_like(source)
    rest = source.copy()
    scaled = rest / diagonal
    direction, strength = scaled, float(np.vdot(rest, scaled))
    goal = 1e-8 * strength
    for _ in range(300):
        if strength <= goal:
            break
        image = uptake * direction - divergence(direction, conduct)
        step = np.float32(strength / float(np.vdot(direction, image)))
        answer += step * direction
        rest = rest - step * image
        scaled = rest / diagonal
        last, strength = strength, float(np.vdot(rest, scaled))
        direction = scaled + np.float32(strength / last) * direction
    return answer


def _span(axis: int, start: int | None, stop: int | None) -> tuple[slice, slice, slice]:
    i, j, k = (slice(start, stop) if a == axis else slice(None) for a in range(3))
    return i, j, k
