"""Attention weights: what a model itself says it looked at, passed on with its limits.

Why it exists: weights over time points or instances come with the model and look like reasons. They are passed on as
they are, told whether they say anything at all, and never mixed with what was asked afterwards.

Source: Bahdanau D et al. ICLR 2015; on the limits Jain S, Wallace BC. NAACL 2019:3543-3556.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Explanation, Floats, Scope, Stage

CITES = "Bahdanau D et al. ICLR 2015; Jain S, Wallace BC. NAACL 2019:3543-3556"
EVEN = 0.98
"""Entropy of the weights, as part of the most there can be, from which they say nothing; chosen."""


@dataclass(frozen=True, kw_only=True)
class Attention(Explanation):
    """Weights of parts, each from 0 to 1, together 1.

    Parameters
    ----------
    parts : tuple of str
        What was weighed: ``day 1.5``, ``slice 12``.
    weights : ndarray of float64, shape (parts,)
        One a part.
    evenness : float
        1 where all weigh the same, 0 where one has all the weight.
    """

    parts: tuple[str, ...]
    weights: Floats = field(repr=False)
    evenness: float


def attention_weights(weights: ArrayLike, parts: Sequence[str], *, about: About | None = None) -> Attention:
    """Return a model's own weights as an explanation.

    Parameters
    ----------
    weights : array_like of float, shape (parts,) or (heads, parts)
        Each row adds up to 1; heads are averaged.
    parts : sequence of str
        What was weighed.
    about : About, optional
        What is explained.

    Returns
    -------
    Attention
        Local and ante-hoc; always warned of as no proof of a cause.

    Raises
    ------
    InputError
        They are no shares of 1.

    Examples
    --------
    >>> attention_weights([0.1, 0.7, 0.2], ("first", "peak", "last")).sentence
    'Most weight for the outcome lies on peak (70 %), then last (20 %).'
    """
    heads = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if heads.ndim != 2 or heads.shape[1] != len(parts) or not len(parts):
        raise InputError(f"a weight for each of {len(parts)} parts", got=f"shape {heads.shape}", where="attention")
    if not np.isfinite(heads).all() or (heads < 0).any() or (np.abs(heads.sum(axis=1) - 1) > 1e-4).any():
        raise InputError("weights from 0 that add up to 1", got="others", where="attention")
    mean, about = heads.mean(axis=0), about or About()
    share = mean[mean > 0]
    evenness = float(-(share * np.log(share)).sum() / np.log(len(mean))) if len(mean) > 1 else 1.0
    order = np.argsort(-mean, kind="stable")
    first = f"{parts[order[0]]} ({100 * mean[order[0]]:.0f} %)"
    then = f", then {parts[order[1]]} ({100 * mean[order[1]]:.0f} %)" if len(parts) > 1 else ""
    return Attention(
        method="attention", cites=CITES, about=about, scope=Scope.LOCAL, stage=Stage.ANTE_HOC, unit="1",
        parts=tuple(parts), weights=mean, evenness=max(evenness, 0.0),
        sentence=f"Most weight for {about.outcome} lies on {first}{then}{about.ending}.",
    ).warned(
        "attention is where the model looked, not proof of why it answered",
        "all parts weigh nearly the same: the weights say nothing" if evenness > EVEN else "",
    )  # fmt: skip
