"""Which patients are explained one by one: typical ones, and those that the model got most wrong.

Why it exists: a patient who is picked by hand shows what the picker likes. Here the answer and the truth choose: the
patient in the middle of those told right, and the one told most wrong, on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.explained.questions import Question
from tumorboard.lab.outcome import martingale
from tumorboard.lab.step import Floats

EVEN = 0.5


@dataclass(frozen=True)
class Chosen:
    """One row, and why it was chosen.

    Parameters
    ----------
    row : int
        Among those that were given.
    why : str
        In words.
    wrong : bool
        Whether the model got it wrong.
    """

    row: int
    why: str
    wrong: bool


def chosen(question: Question, told: Floats, patients: Sequence[str], wrong_alone: bool = False) -> tuple[Chosen, ...]:
    """Return typical and wrongly told rows, each of another patient, at most four.

    Parameters
    ----------
    question : Question
        With the truth of the rows.
    told : ndarray, shape (n,)
        What the model said.
    patients : sequence of str
        Whose they are.
    wrong_alone : bool
        Whether one typical row is enough, as where several classes are asked about.

    Examples
    --------
    >>> from tumorboard.lab.explained.questions import questions
    >>> from tumorboard.lab.outcome import Outcome
    >>> from tumorboard.lab.recipe import Endpoint
    >>> asked = questions(Endpoint(kind="binary", column="idh"), Outcome.binary([1, 1, 1, 0, 0]))[0]
    >>> [(c.row, c.why) for c in chosen(asked, np.array([0.9, 0.8, 0.2, 0.1, 0.7]), "ABCDE")]
    [(0, 'typical: yes, told right'), (3, 'typical: no, told right'), (2, 'wrong: yes, told 0.20'), (4, 'wrong: ...')]
    """
    wanted = _of_classes(question, told) if question.discrete else _of_ranks(question, told)
    if wrong_alone:
        wanted = [c for c in wanted if c.wrong or question.truth[c.row] > EVEN]
    seen: set[str] = set()
    out = []
    for one in wanted:
        if patients[one.row] not in seen:
            seen.add(patients[one.row])
            out.append(one)
    return tuple(out)


def _of_classes(question: Question, told: Floats) -> list[Chosen]:
    yes = question.truth > EVEN
    right: list[Chosen] = []
    wrong: list[Chosen] = []
    for side in (True, False):
        own = np.flatnonzero(question.known & (yes == side))
        fits = own[(told[own] >= EVEN) == side]
        misses = own[(told[own] >= EVEN) != side]
        if len(fits):
            row = _middle(fits, told)
            right.append(Chosen(row, f"typical: {question.labels[row]}, told right", False))
        if len(misses):
            row = int(misses[np.argmax(np.abs(told[misses] - side))])
            wrong.append(Chosen(row, f"wrong: {question.labels[row]}, told {told[row]:.2f}", True))
    return right + wrong


def _of_ranks(question: Question, told: Floats) -> list[Chosen]:
    """Choose by how far the rank of the answer lies from that of the truth; censored rows have martingale residuals."""
    from scipy.stats import rankdata

    truth = martingale(*question.truth.T) if question.truth.ndim == 2 else question.truth
    settled = question.truth[:, 1] > 0 if question.truth.ndim == 2 else np.ones(len(truth), dtype=bool)
    own = np.flatnonzero(settled)
    if len(own) < 4:
        return []
    said, was = (rankdata(v) / len(v) for v in (told, truth))
    off = said - was
    out = []
    for name, half in (("high", own[was[own] > EVEN]), ("low", own[was[own] <= EVEN])):
        if len(half):
            row = int(half[np.argmin(np.abs(off[half]))])
            out.append(Chosen(row, f"typical: {question.labels[row]}, ranked right among the {name} half", False))
    for name, row in (("too high", int(own[np.argmax(off[own])])), ("too low", int(own[np.argmin(off[own])]))):
        out.append(Chosen(row, f"wrong: {question.labels[row]}, ranked {name}", True))
    return out


def _middle(rows: NDArray[np.int64], told: Floats) -> int:
    return int(rows[np.argmin(np.abs(told[rows] - np.median(told[rows])))])
