"""Small neural networks on tables: one hidden layer (ANN) or several (DNN).

Why it exists: Levner's S-transform network for MGMT and Bae's deep network on radiomics are these two.

Sources: Levner I et al. MICCAI 2009;12(2):522-530; Bae S et al. Sci Rep 2020;10:12110.
"""

from __future__ import annotations

from collections.abc import Sequence

from tumorboard.lab.learners.base import Learner, Wrapped


def network(kind: str, layers: Sequence[int] = (8,), decay: float = 1.0, rounds: int = 300, seed: int = 0) -> Learner:
    """Return a small network whose weights are found by L-BFGS, which suits tens of rows; standardise the columns.

    Parameters
    ----------
    kind : str
        Of outcome.
    layers : sequence of int
        Units of the hidden layers.
    decay : float
        Weight of the L2 penalty.
    rounds : int
        Of the solver, at most.
    seed : int
        Of the first weights.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    make = MLPRegressor if kind == "regression" else MLPClassifier
    sizes = tuple(layers)
    return Wrapped(make(hidden_layer_sizes=sizes, alpha=decay, solver="lbfgs", max_iter=rounds, random_state=seed))


def deep(
    kind: str,
    layers: Sequence[int] = (64, 32, 16),
    decay: float = 1e-1,
    rounds: int = 200,
    rate: float = 3e-3,
    seed: int = 0,
) -> Learner:
    """Return a deep network trained by Adam; standardise the columns.

    Parameters
    ----------
    kind : str
        Of outcome.
    layers : sequence of int
        Units of the hidden layers.
    decay : float
        Weight of the L2 penalty.
    rounds : int
        Passes through the training rows, at most.
    rate : float
        Of learning.
    seed : int
        Of weights and order.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    make = MLPRegressor if kind == "regression" else MLPClassifier
    model = make(
        hidden_layer_sizes=tuple(layers), alpha=decay, max_iter=rounds, learning_rate_init=rate, random_state=seed
    )
    return Wrapped(model)
