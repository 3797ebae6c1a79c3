"""What a network is trained to make small, for each kind of outcome; and what its outputs mean afterwards.

Why it exists: class weights, unknown labels, quantities of any unit and censored days each need one rule, and the rule
of training must be undone in the prediction where it changed what a chance means.

Sources: Katzman JL et al., BMC Med Res Methodol 2018;18:24 (partial likelihood as a loss); Breslow N, Biometrics
1974;30:89-99 (ties); Elkan C, IJCAI 2001:973-978 (chances after reweighting).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Floats, Outcome
from tumorboard.lab.recipe import Outcomes


class Task(ABC):
    """One kind of outcome; frozen classes of plain numbers, so that a model keeps what its outputs mean.

    Attributes
    ----------
    name : str
        In files.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many numbers the network gives."""

    @classmethod
    @abstractmethod
    def of(cls, outcome: Outcome, balance: bool) -> Self:
        """Return the task of training rows; ``balance``: rare classes weigh as much as frequent ones.

        Raises
        ------
        InputError
            They hold one class only, or no event.
        """

    @abstractmethod
    def targets(self, outcome: Outcome) -> Tensor:
        """Return targets, shape (rows, …)."""

    @abstractmethod
    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Return the mean loss."""

    @abstractmethod
    def told(self, out: Tensor) -> Floats:
        """Return predictions as :meth:`tumorboard.lab.learners.Learner.predict` does, shape (rows, k)."""


@dataclass(frozen=True)
class Labels(Task):
    """Yes or no, for one label (binary) or several; unknown labels do not count.

    Parameters
    ----------
    yes : tuple of float
        Weight of a yes in training, for each label.

    Examples
    --------
    >>> task = Labels.of(Outcome.binary([1, 0, 0, 0]), balance=True)
    >>> task.yes[0], task.told(torch.tensor([[np.log(3.0)]])).round(3).tolist()
    (3.0, [[0.5]])
    """

    yes: tuple[float, ...]
    name = "labels"

    @property
    def outputs(self) -> int:
        """One for each label."""
        return len(self.yes)

    @classmethod
    def of(cls, outcome: Outcome, balance: bool) -> Self:
        """Return the task; see :meth:`Task.of`."""
        yes = np.nansum(outcome.values, axis=0)
        no = np.nansum(1 - outcome.values, axis=0)
        for n, (a, b) in enumerate(zip(yes, no, strict=True)):
            if not (a and b):
                where = f"label {outcome.names[n]}" if outcome.kind is Outcomes.MULTILABEL else "outcome"
                raise InputError("both values of each label among training rows", got="one", where=where)
        return cls(tuple((no / yes if balance else np.ones(len(yes))).tolist()))

    def targets(self, outcome: Outcome) -> Tensor:
        """Return 0, 1 or NaN."""
        return torch.as_tensor(outcome.values, dtype=torch.float32)

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Return the cross entropy over labels that are known."""
        known = ~target.isnan()
        each = nn.functional.binary_cross_entropy_with_logits(
            out, target.nan_to_num(0.0), pos_weight=out.new_tensor(self.yes), reduction="none"
        )
        return (each * known).sum() / known.sum().clamp(min=1)

    def told(self, out: Tensor) -> Floats:
        """Return chances, with the weight of training taken out again."""
        found: Floats = torch.sigmoid(out.double() - torch.tensor(self.yes, dtype=torch.float64).log()).numpy()
        return found


@dataclass(frozen=True)
class Classes(Task):
    """One of several classes.

    Parameters
    ----------
    weight : tuple of float
        Of each class in training.
    seen : tuple of bool
        Whether training rows hold it.
    """

    weight: tuple[float, ...]
    seen: tuple[bool, ...]
    name = "classes"

    @property
    def outputs(self) -> int:
        """One for each class."""
        return len(self.weight)

    @classmethod
    def of(cls, outcome: Outcome, balance: bool) -> Self:
        """Return the task; see :meth:`Task.of`."""
        count = max(len(outcome.names), int(outcome.classes.max()) + 1)
        counts = np.bincount(outcome.classes, minlength=count)
        if np.count_nonzero(counts) < 2:
            raise InputError("at least two classes among training rows", got="one", where="outcome")
        fair = len(outcome) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return cls(tuple((fair if balance else np.ones(count)).tolist()), tuple((counts > 0).tolist()))

    def targets(self, outcome: Outcome) -> Tensor:
        """Return numbers of classes."""
        return torch.as_tensor(outcome.classes)

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Return the weighted cross entropy."""
        return nn.functional.cross_entropy(out, target, weight=out.new_tensor(self.weight))

    def told(self, out: Tensor) -> Floats:
        """Return chances, with the weights of training taken out; a class never seen has none."""
        plain = out.double() - torch.tensor(self.weight, dtype=torch.float64).log()
        fair = plain.masked_fill(~torch.tensor(self.seen), -torch.inf)
        found: Floats = fair.softmax(dim=1).numpy()
        return found


@dataclass(frozen=True)
class Quantity(Task):
    """A number, standardised by training rows.

    Parameters
    ----------
    mean, spread : float
        Of the training rows.
    """

    mean: float
    spread: float
    name = "quantity"

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    @classmethod
    def of(cls, outcome: Outcome, balance: bool) -> Self:
        """Return the task; see :meth:`Task.of`."""
        mean, spread = float(outcome.values.mean()), float(outcome.values.std())
        return cls(mean, spread if spread > 1e-12 else 1.0)

    def targets(self, outcome: Outcome) -> Tensor:
        """Return standardised quantities."""
        return torch.as_tensor((outcome.values - self.mean) / self.spread, dtype=torch.float32)

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error."""
        return nn.functional.mse_loss(out, target)

    def told(self, out: Tensor) -> Floats:
        """Return quantities in their own unit."""
        found: Floats = (out.double() * self.spread + self.mean).numpy()
        return found


@dataclass(frozen=True)
class Hazard(Task):
    """Days to an event, by Cox's partial likelihood."""

    name = "hazard"

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    @classmethod
    def of(cls, outcome: Outcome, balance: bool) -> Self:
        """Return the task; see :meth:`Task.of`."""
        if not outcome.events.any():
            raise InputError("events among training rows", got="none", where="outcome")
        return cls()

    def targets(self, outcome: Outcome) -> Tensor:
        """Return days and events, shape (rows, 2)."""
        return torch.as_tensor(outcome.values, dtype=torch.float64)

    def loss(self, out: Tensor, target: Tensor) -> Tensor:
        """Return the negative log partial likelihood for each event."""
        return cox_loss(out[:, 0], target[:, 0], target[:, 1] > 0)

    def told(self, out: Tensor) -> Floats:
        """Return log relative hazards; higher is sooner."""
        found: Floats = out.double().numpy()
        return found


def cox_loss(risk: Tensor, days: Tensor, events: Tensor) -> Tensor:
    """Return the negative log partial likelihood over the number of events; ties as Breslow; 0 without events.

    Parameters
    ----------
    risk, days, events : Tensor, shape (rows,)
        Log relative hazards, follow-up, and whether the event was seen.

    Examples
    --------
    >>> same = torch.zeros(3)
    >>> round(float(cox_loss(same, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, True, True]))), 4)  # ln 6 / 3
    0.5973
    """
    if not bool(events.any()):
        return risk.sum() * 0.0
    at_risk = days[None, :] >= days[:, None]
    log_sum = risk[None, :].expand(len(risk), -1).masked_fill(~at_risk, -torch.inf).logsumexp(dim=1)
    return (log_sum - risk)[events].mean()


TASKS: dict[Outcomes, type[Task]] = {
    Outcomes.BINARY: Labels,
    Outcomes.MULTILABEL: Labels,
    Outcomes.MULTICLASS: Classes,
    Outcomes.REGRESSION: Quantity,
    Outcomes.SURVIVAL: Hazard,
}
"""What each kind of outcome is trained by."""


def task_of(outcome: Outcome, balance: bool = True) -> Task:
    """Return the task of an outcome.

    Raises
    ------
    InputError
        It has one class only, or no event.
    """
    return TASKS[outcome.kind].of(outcome, balance)


def written(task: Task) -> dict[str, Any]:
    """Return a task as plain numbers."""
    return asdict(task) if isinstance(task, (Labels, Classes, Quantity, Hazard)) else {}


def task_read(kind: str, numbers: Mapping[str, Any]) -> Task:
    """Return a task from what :func:`written` gave.

    Examples
    --------
    >>> task_read("regression", written(Quantity(2.0, 3.0)))
    Quantity(mean=2.0, spread=3.0)
    """
    return TASKS[Outcomes(kind)](**{k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items()})
