"""Weights that make up for patients who left: the inverse chance of still having been followed.

Why it exists: who was lost before the horizon is neither a survivor nor a death. Those who were followed for as long
speak for them, each with the weight 1/G. G is the Kaplan-Meier curve of leaving, in which deaths come before leavings
of the same day; it is best that of training patients.

Source: Uno H et al. J Am Stat Assoc 2007;102:527-537; Gerds TA, Schumacher M. Biom J 2006;48:1029-1040. Ties as
scikit-survival 0.28 has them: G is taken after the leavings of its day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.checked import Floats
from tumorboard.metrics.survival.kaplan_meier import Flags, checked_times


@dataclass(frozen=True, eq=False)
class Followed:
    """The chance to be still followed, over time.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        Days on which patients left, rising.
    chance : ndarray of float64, shape (k,)
        From that day on.
    """

    times: Floats
    chance: Floats

    def at(self, days: ArrayLike) -> Floats:
        """Return the chance on each day, shape of ``days``."""
        steps = np.concatenate([[1.0], self.chance])
        return np.asarray(steps[np.searchsorted(self.times, np.asarray(days), side="right")])

    def weights(self, days: ArrayLike) -> Floats:
        """Return one over the chance; 0 where nobody is followed any more."""
        chance = self.at(days)
        return np.divide(1.0, chance, out=np.zeros_like(chance), where=chance > 0)


def followed(days: ArrayLike, events: ArrayLike) -> Followed:
    """Return the Kaplan-Meier curve of leaving.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To the event or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was the event.

    Raises
    ------
    InputError
        Lengths differ, or a day is negative or not finite.

    Examples
    --------
    >>> followed([100, 200, 200, 300], [True, True, False, False]).at([100, 200, 300]).tolist()
    [1.0, 0.5, 0.0]
    """
    t, d = checked_times(days, events)
    return _curve(t, d)


def _curve(t: Floats, d: Flags) -> Followed:
    when, gone = np.unique(t[~d], return_counts=True)
    there = len(t) - np.searchsorted(np.sort(t), when, side="left")
    died = np.searchsorted(np.sort(t[d]), when, side="right") - np.searchsorted(np.sort(t[d]), when, side="left")
    return Followed(when, np.asarray(np.cumprod(1 - gone / (there - died)), dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Leaving:
    """The curve of leaving for many draws of the same patients at once.

    Parameters
    ----------
    t : ndarray of float64, shape (n,)
        Days of each patient.
    d : ndarray of bool, shape (n,)
        Whether the day was that of the event.
    fixed : Followed, optional
        A curve of training patients, the same in each draw.
    """

    t: Floats
    d: Flags
    fixed: Followed | None = None

    def weights(self, drawn: Floats, days: Floats) -> Floats:
        """Return one over the chance to be followed, (draws, days); 0 where nobody is.

        Parameters
        ----------
        drawn : ndarray of float64, shape (draws, n)
            How often each patient was drawn.
        days : ndarray of float64, shape (k,)
        """
        if self.fixed is not None:
            return np.broadcast_to(self.fixed.weights(days), (len(drawn), len(days)))
        when = np.unique(self.t[~self.d])
        there = drawn @ ((self.t[:, None] > when) | ((self.t[:, None] == when) & ~self.d[:, None]))
        gone = drawn @ ((self.t[:, None] == when) & ~self.d[:, None])
        stay = 1 - np.divide(gone, there, out=np.zeros_like(gone), where=there > 0)
        chance = np.concatenate([np.ones((len(drawn), 1)), np.cumprod(stay, axis=1)], axis=1)
        at = chance[:, np.searchsorted(when, days, side="right")]
        return np.asarray(np.divide(1.0, at, out=np.zeros_like(at), where=at > 0))


def checked_horizons(times: ArrayLike, where: str) -> Floats:
    """Return days above 0, rising.

    Raises
    ------
    InputError
        There is none, they do not rise, or one is not finite or not above 0.

    Examples
    --------
    >>> checked_horizons([365, 730], "Brier").tolist()
    [365.0, 730.0]
    """
    found = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all() or (found <= 0).any():
        raise InputError("days above 0", got="something else", where=where)
    if (np.diff(found) <= 0).any():
        raise InputError("days that rise", got="days out of order", where=where)
    return found
