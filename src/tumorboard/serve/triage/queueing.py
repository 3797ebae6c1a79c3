"""What an order of reading does to waiting: simulated study by study, and by the formulas of queues.

Why it exists: a list that puts some studies first puts the others later, and its errors put urgent ones last. How much
of either depends on how busy the readers are, so it is simulated before it is promised: Poisson arrivals, exponential
reading times, readers who finish what they began. Where all that holds the formulas give the same means, which tests
check; the simulation also gives medians and long waits, and a limit after which a study is read in its turn.

Sources: Cobham A, J Oper Res Soc Am 1954;2:70-76 (non-preemptive priorities, with many servers); Erlang's second
formula; Thompson YLE et al., Queueing Syst 2024;108:579-610 (waiting time saved by triage with errors); Baltruschat I
et al., Eur Radiol 2021;31:3837-3845 (the limit that bounds what false negatives wait).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heapreplace
from math import factorial

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError

Float = NDArray[np.float64]

WARM_UP = 0.1
"""This part of the studies is read before anything is counted: the readers begin without a backlog."""


@dataclass(frozen=True)
class Department:
    """A reading room and what is sent to it.

    Parameters
    ----------
    per_hour : float
        Studies that arrive, on average.
    readers : int
        Who read at one time.
    minutes : float
        A reading takes on average.
    urgent : float
        Share of studies that are urgent, 0 to 1.

    Raises
    ------
    InputError
        A number that cannot be, or more studies than can ever be read.

    Examples
    --------
    >>> Department(per_hour=4.0, readers=1, minutes=12.0, urgent=0.1).load
    0.8
    """

    per_hour: float
    readers: int
    minutes: float
    urgent: float

    def __post_init__(self) -> None:
        if self.per_hour <= 0 or self.readers < 1 or self.minutes <= 0 or not 0 < self.urgent < 1:
            expected = "arrivals, readers and minutes above 0, and a share of urgent studies between 0 and 1"
            raise InputError(expected, got="another", where="reading room")
        if self.load >= 1:
            got = f"a load of {self.load:.2f}"
            raise InputError("fewer studies than can be read", got=got, where="reading room", remedy="add readers")

    @property
    def load(self) -> float:
        """Share of the time that a reader reads."""
        return self.per_hour * self.minutes / 60.0 / self.readers


@dataclass(frozen=True)
class Triage:
    """How well urgent studies are told from others, and how long one may be passed over.

    Parameters
    ----------
    sensitivity, specificity : float
        0 to 1.
    limit_minutes : float or None
        Who has waited so long is read in the order of arrival, before those that are marked.
    """

    sensitivity: float
    specificity: float
    limit_minutes: float | None = None


@dataclass(frozen=True)
class Waits:
    """Minutes from arrival to the beginning of reading, of urgent studies and of the others, in order of arrival."""

    urgent: Float
    others: Float


@dataclass(frozen=True)
class MeanWaits:
    """Mean minutes by the formulas: urgent, others, and urgent ones that triage missed."""

    urgent: float
    others: float
    missed: float


def simulate(department: Department, triage: Triage | None, studies: int, seed: int) -> Waits:
    """Simulate the reading of many studies.

    Parameters
    ----------
    department : Department
    triage : Triage or None
        None for first come, first served. The same seed gives the same studies with any of them.
    studies : int
        How many arrive; the first tenth is not counted.
    seed : int

    Returns
    -------
    Waits

    Examples
    --------
    >>> room = Department(per_hour=4.5, readers=1, minutes=12.0, urgent=0.1)
    >>> first, marked = (simulate(room, t, 5000, seed=1) for t in (None, Triage(0.9, 0.9)))
    >>> bool(marked.urgent.mean() < first.urgent.mean()), bool(marked.others.mean() > first.others.mean())
    (True, True)
    """
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(60.0 / department.per_hour, studies))
    minutes = rng.exponential(department.minutes, studies)
    urgent = rng.random(studies) < department.urgent
    luck = rng.random(studies)
    if triage is None:
        waits = _read(arrivals, minutes, np.zeros(studies, dtype=bool), department.readers, None)
    else:
        marked = luck < np.where(urgent, triage.sensitivity, 1.0 - triage.specificity)
        waits = _read(arrivals, minutes, marked, department.readers, triage.limit_minutes)
    counted = np.arange(studies) >= WARM_UP * studies
    return Waits(waits[counted & urgent], waits[counted & ~urgent])


def _read(arrivals: Float, minutes: Float, marked: NDArray[np.bool_], readers: int, limit: float | None) -> Float:
    """Return how long each study waits; a free reader takes who is overdue, else who is marked, else the first."""
    came, takes, is_marked = arrivals.tolist(), minutes.tolist(), marked.tolist()  # lists: numpy's scalars are slow
    waits = [0.0] * len(came)
    free = [0.0] * readers
    first: deque[int] = deque()
    rest: deque[int] = deque()
    n = 0
    for _ in came:
        now = free[0] if first or rest else max(free[0], came[n])
        while n < len(came) and came[n] <= now:
            (first if is_marked[n] else rest).append(n)
            n += 1
        overdue = limit is not None and rest and came[rest[0]] <= now - limit
        marked_first = first and not (overdue and rest[0] < first[0])
        study = (first if marked_first else rest).popleft()
        waits[study] = now - came[study]
        heapreplace(free, now + takes[study])
    return np.asarray(waits)


def erlang_c(offered: float, servers: int) -> float:
    """Return the chance that who arrives has to wait, for a load of ``offered`` servers' worth of work.

    Examples
    --------
    >>> erlang_c(0.8, 1), round(erlang_c(2.0, 3), 4)  # one server: its load; 4/9 stands in every textbook
    (0.8, 0.4444)
    """
    busy = offered**servers / factorial(servers) * servers / (servers - offered)
    return busy / (sum(offered**k / factorial(k) for k in range(servers)) + busy)


def mean_waits(department: Department, triage: Triage | None) -> MeanWaits:
    """Return mean waits by the formulas (no limit on waiting).

    With the chance C to wait at all (Erlang), c readers of rate mu and a load of sigma of marked studies, marked ones
    wait C / (c mu (1 - sigma)) and the others C / (c mu (1 - sigma) (1 - rho)) (Cobham).

    Parameters
    ----------
    department : Department
    triage : Triage or None
        None for first come, first served.

    Raises
    ------
    InputError
        There is a limit on waiting, for which there is no formula.

    Examples
    --------
    >>> room = Department(per_hour=4.0, readers=1, minutes=12.0, urgent=0.25)
    >>> first, best = mean_waits(room, None), mean_waits(room, Triage(1.0, 1.0))
    >>> round(first.urgent, 9), round(best.urgent, 9), round(best.others, 9)
    (48.0, 12.0, 60.0)
    """
    if triage is not None and triage.limit_minutes is not None:
        raise InputError("no limit on waiting", got="one", where="formula", remedy="simulate it")
    load = department.load
    base = erlang_c(load * department.readers, department.readers) * department.minutes / department.readers
    if triage is None:
        return MeanWaits(*(base / (1.0 - load),) * 3)
    hit, false = triage.sensitivity * department.urgent, (1.0 - triage.specificity) * (1.0 - department.urgent)
    marked = base / (1.0 - load * (hit + false))
    rest = marked / (1.0 - load)
    return MeanWaits(
        urgent=triage.sensitivity * marked + (1.0 - triage.sensitivity) * rest,
        others=(1.0 - triage.specificity) * marked + triage.specificity * rest,
        missed=rest,
    )
