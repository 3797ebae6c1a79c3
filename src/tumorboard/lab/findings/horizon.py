"""The day at which survival is judged: the median day of events, at which curves are read anyway.

Why it exists: calibration and net benefit of survival belong to a day, and the day is the same in all of them.
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.scores import Predicted
from tumorboard.lab.step import Floats


def horizon_of(predicted: Predicted) -> float:
    """Return the horizon in days.

    Raises
    ------
    InputError
        There is no event.

    Examples
    --------
    >>> from tumorboard.lab.outcome import Outcome
    >>> outcome = Outcome.survival([100, 200, 300], [1, 1, 1])
    >>> horizon_of(Predicted(outcome, np.zeros((3, 1)), ("A", "B", "C"), np.array([120.0, 200.0, 280.0])))
    200.0
    """
    if not len(predicted.days):
        raise InputError("at least one event", got="none", where="horizon of survival")
    return float(predicted.days[len(predicted.days) // 2])


def alive_at(predicted: Predicted) -> Floats | None:
    """Return the predicted chances to be alive after the horizon, shape (n,); None where the learner has no curves."""
    if predicted.survival is None:
        return None
    found: Floats = np.clip(predicted.survival[:, len(predicted.days) // 2], 0.0, 1.0)
    return found
