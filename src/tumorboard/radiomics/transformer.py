"""Radiomics as a step of a scikit-learn pipeline: pairs of image and mask in, a matrix of features out.

Why it exists: features that are computed inside a pipeline are computed alike for training and for new patients, with
settings that are kept with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from tumorboard.radiomics.extract import extract, names_of
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Volume


class RadiomicsTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Compute features of regions.

    Parameters
    ----------
    settings : RadiomicsSettings, optional
        The defaults if left out.

    Examples
    --------
    >>> image = Volume.of(np.random.default_rng(0).normal(100, 10, (9, 9, 9)), np.eye(4))
    >>> mask = image.with_data((image.data > 0).astype(np.uint8))
    >>> step = RadiomicsTransformer(RadiomicsSettings(families=("statistics",)))
    >>> step.fit_transform([(image, mask)]).shape, str(step.get_feature_names_out()[0])
    ((1, 18), 'original.stat_mean')
    """

    def __init__(self, settings: RadiomicsSettings | None = None) -> None:
        self.settings = settings

    def fit(self, X: Sequence[tuple[Volume, Volume]], y: Any = None) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn nothing; settings are checked.

        Raises
        ------
        InputError
            A family or filter is unknown.
        """
        self.feature_names_out_ = np.array(names_of(self.settings or RadiomicsSettings()), dtype=object)
        return self

    def transform(self, X: Sequence[tuple[Volume, Volume]]) -> NDArray[np.float64]:  # noqa: N803
        """Return features, shape (regions, features), NaN where one is not defined."""
        names = [str(n) for n in self.get_feature_names_out()]
        rows = [extract(image, mask, self.settings).values for image, mask in X]
        return np.array([[row[n] for n in names] for row in rows], dtype=np.float64).reshape(len(rows), len(names))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns."""
        if not hasattr(self, "feature_names_out_"):
            self.fit([])
        return self.feature_names_out_
