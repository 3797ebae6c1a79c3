"""One digital patient for the whole room: 3 mm, made once."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.simulate.body.anatomy import draw_anatomy
from tumorboard.simulate.patient import digital_patient


@pytest.fixture(scope="session")
def patient():
    return digital_patient(seed=7, spacing_mm=3.0)


@pytest.fixture(scope="session")
def head():
    return draw_anatomy(np.random.default_rng(3), spacing_mm=4.0)
