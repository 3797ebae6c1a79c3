"""Shared inputs: grids that are oblique, flipped, permuted, anisotropic or one voxel thin, as everyday things.

``st.from_type(Grid)``, ``st.from_type(Volume)`` and ``st.from_type(LabelMap)`` draw from these.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.scanner.acquisition import Acquisition
from tumorboard.volume import Grid, Volume

settings.register_profile(
    "house", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

SPACINGS_MM = st.sampled_from([0.45, 0.9375, 1.0, 1.2, 3.0, 5.5]) | st.floats(0.3, 7.0)
ANGLES_DEG = st.just(0.0) | st.floats(-25.0, 25.0)
DTYPES = [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]


@st.composite
def affines(draw):
    """Draw any right-angled affine: turned, with axes permuted and flipped, voxels of any shape."""
    turn = Rotation.from_euler("xyz", [draw(ANGLES_DEG) for _ in range(3)], degrees=True).as_matrix()
    order = draw(st.permutations(range(3)))
    signs = [draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    affine = np.eye(4)
    affine[:3, :3] = turn @ (np.eye(3)[:, order] * signs * [draw(SPACINGS_MM) for _ in range(3)])
    affine[:3, 3] = [draw(st.floats(-200.0, 200.0)) for _ in range(3)]
    return affine


@st.composite
def grids(draw):
    i, j, k = (draw(st.integers(1, 5)) for _ in range(3))
    return Grid((i, j, k), draw(affines()))


@st.composite
def volumes(draw):
    grid = draw(grids())
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    seed = draw(st.integers(0, 2**32 - 1))
    raw = np.random.default_rng(seed).integers(0, 250, grid.shape)
    return Volume((raw / 4 if dtype.kind == "f" else raw).astype(dtype), grid)


@st.composite
def label_maps(draw):
    grid = draw(grids())
    return LabelMap(draw(hnp.arrays(np.uint8, grid.shape, elements=st.integers(0, 4))), grid)


st.register_type_strategy(Grid, grids())
st.register_type_strategy(Volume, volumes())
st.register_type_strategy(LabelMap, label_maps())


@pytest.fixture(scope="session")
def coarse_patient():
    """One digital patient at 4 mm, made once for the rooms that prepare and segment."""
    from tumorboard.simulate.patient import digital_patient

    return digital_patient(seed=7, spacing_mm=4.0)


@pytest.fixture(scope="session")
def coarse_prepared(coarse_patient):
    """Its first study, prepared."""
    from tumorboard.prepare.prepare import prepare

    return prepare("ses-01", coarse_patient.studies[0].volumes)


COARSE = {
    Sequence.T1: Acquisition("sagittal", 3.0, 3.0, 1.0, (240.0, 240.0, 190.0), 4.0),
    Sequence.T1C: Acquisition("axial", 2.5, 4.0, 0.0, (220.0, 240.0, 176.0), 6.0, -2.0),
    Sequence.T2: Acquisition("axial", 2.5, 5.0, 0.5, (210.0, 240.0, 176.0), 8.0, 2.0),
    Sequence.FLAIR: Acquisition("coronal", 3.0, 4.0, 0.4, (220.0, 230.0, 200.0), 5.0),
}
"""Planes of each sequence: few voxels, but thick, tilted and of unlike shapes as in hospitals."""


@pytest.fixture(scope="session")
def coarse_dicom(tmp_path_factory):
    """A digital patient's DICOM studies of few voxels with events and truth, made once; not to be changed."""
    from tumorboard.simulate import native
    from tumorboard.simulate.files import dicom_tree
    from tumorboard.simulate.scanner import acquisition

    few = {
        "LOCALIZER": tuple(Acquisition(p, 8.0, 8.0, 12.0, (256.0, 256.0, 60.0)) for p in acquisition.AXES),
        "DIFFUSION": Acquisition("axial", 8.0, 5.0, 0.5, (240.0, 240.0, 60.0)),
        "REFORMAT": Acquisition("coronal", 8.0, 9.0, 0.0, (220.0, 220.0, 200.0)),
    }
    folder = tmp_path_factory.mktemp("coarse_dicom")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(acquisition.PROTOCOLS, "coarse", COARSE)
        patch.setattr(native, "LOCALIZER", few["LOCALIZER"])
        patch.setattr(native, "DIFFUSION", few["DIFFUSION"])
        patch.setattr(dicom_tree, "REFORMAT", few["REFORMAT"])
        patient = native.native_patient(seed=3, spacing_mm=3.0, protocol="coarse")
        dicom_tree.write_digital_dicom(patient, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_metadata():
    """Make metadata of a network with random weights; anything may be given another value."""
    from tumorboard.networks.bundle import Metadata

    def made(**changed):
        told = {
            "id": "tiny",
            "version": "1",
            "task": "segment",
            "title": "Random weights",
            "sequences": (Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR),
            "needs_any": (Sequence.FLAIR,),
            "labels": {"NETC": 1, "SNFH": 2, "ET": 3, "RC": 4},
            "intended_use": "tests",
            "training": "nothing",
            "limits": "all",
            "citation": "",
            "licence": "Apache-2.0",
        }
        return Metadata.model_validate(told | changed)

    return made
